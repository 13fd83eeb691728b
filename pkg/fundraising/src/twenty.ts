// Where Twenty is and what it is asked with, by the names and in the order in which the module reads them. What cannot be
// read `settingErrors` has named before.

import type { Environment } from './index.js';

const ADDRESSES = ['TWENTY_API_BASE_URL', 'TWENTY_REST_BASE_URL', 'TWENTY_API_URL'];
const TOKENS = ['TWENTY_APP_APPLICATION_ACCESS_TOKEN', 'TWENTY_API_KEY', 'TWENTY_APP_ACCESS_TOKEN'];
const DEFAULT_REST_URL = 'http://server:3000/rest';

/** A setting and the name that it stands under. */
export interface Named {
  name: string;
  text: string;
}

const firstOf = (names: string[], env: Environment): Named | undefined =>
  names.flatMap((name) => (String(env[name] ?? '').trim() ? [{ name, text: String(env[name]).trim() }] : []))[0];

/** The address as it was set. */
export const addressOf = (env: Environment): Named | undefined => firstOf(ADDRESSES, env);

export const tokenOf = (env: Environment): Named | undefined => firstOf(TOKENS, env);

/** The address of the REST API, which may be set as that of its server. */
export function restUrlOf(env: Environment): string {
  const address = (addressOf(env)?.text ?? DEFAULT_REST_URL).replace(/\/+$/, '');
  return new URL(address).pathname === '/' ? `${address}/rest` : address;
}
