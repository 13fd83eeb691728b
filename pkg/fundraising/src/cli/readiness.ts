// What `/ready` says of the workspace.

import type { Environment } from '../index.js';
import type { Proxy } from './context.js';

interface Ready {
  status: 'ready' | 'incomplete' | 'unreachable' | 'unchecked';
  missing?: { object: string; field?: string; expected?: string }[];
  reason?: string;
  message?: string;
}

/** Compares the workspace with the data model. */
export async function readinessOf({ answer }: Proxy, env: Environment): Promise<Ready> {
  const { body } = await answer({ method: 'GET', target: '/ready', headers: [], body: null }, env);
  return JSON.parse(new TextDecoder().decode(body ?? new Uint8Array()));
}

/** The same, without log lines: the command says it in its own words. */
export async function quietReadinessOf(proxy: Proxy, env: Environment): Promise<Ready> {
  const { error, warn } = console;
  Object.assign(console, { error: () => {}, warn: () => {} });
  try {
    return await readinessOf(proxy, env);
  } finally {
    Object.assign(console, { error, warn });
  }
}

/** `gift.amount (CURRENCY)`, or `household` for an object */
export const missingNames = ({ missing = [] }: Ready): string[] =>
  missing.map(({ object, field, expected }) => (field ? `${object}.${field}${expected ? ` (${expected})` : ''}` : object));
