// What the app in Twenty has kept of its runs, asked of its route; no request of the workspace's budget.

import { readBounded } from '../../read-bounded.js';
import type { Context } from '../context.js';

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 1_000_000;

export interface KeptRun {
  at?: string;
  status: string;
  wrong?: number;
}

export interface Health {
  /** End of the last complete comparison. */
  compared?: string;
  rebuild?: KeptRun;
  sweep?: KeptRun;
  /** In words. */
  problems: string[];
}

type Json = Record<string, unknown>;

/** @throws {Error} in words, if the app does not say */
export async function readHealth({ settings, fetch }: Context): Promise<Health> {
  const response = await fetch(`${settings.url}/s/recalculate-all`, {
    method: 'POST',
    headers: { authorization: `Bearer ${settings.token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: '{"health":true}',
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const health = healthIn(await readBounded(response, MAX_BYTES));
  if (!health) throw new Error(response.status === 404 ? 'no app of the engine answers there' : `the app does not say how it is (${response.status})`);
  return health;
}

function healthIn(text: string): Health | undefined {
  let answer: Json | null;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const health = answer?.health as Json | null | undefined;
  if (typeof health !== 'object' || health === null) return undefined;
  const time = (value: unknown) => (typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined);
  const run = (value: unknown): KeptRun | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    const { at, status, drift } = value as { at?: unknown; status?: unknown; drift?: { values?: unknown } | null };
    const wrong = drift?.values;
    return { ...(time(at) && { at: time(at)! }), status: String(status), ...(typeof wrong === 'number' && { wrong }) };
  };
  const [rebuild, sweep, compared] = [run(health.rebuild), run(health.sweep), time(health.compared)];
  const problems = Array.isArray(health.problems) ? health.problems.map((problem) => String((problem as Json | null)?.message ?? '')) : [];
  return { ...(compared && { compared }), ...(rebuild && { rebuild }), ...(sweep && { sweep }), problems: problems.filter(Boolean) };
}
