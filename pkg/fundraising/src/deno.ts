// Deno: the module comes as part of the program, compiled, and the settings from the process, by their names alone.
//
// `deno serve` serves what this file exports by default, and hands the connection over as second argument.

import { connect } from './api.js';
import module from './deno-module.js';
import * as glue from './generated/fundraising.js';
import type { Environment, Inbound, Outbound } from './index.js';

interface DenoEnv {
  get(name: string): string | undefined;
  toObject(): Record<string, string>;
}

/** The part of Deno that is used here. */
declare const Deno: {
  env: DenoEnv;
  permissions: { querySync(permission: { name: 'env' }): { state: string } };
  exit(code: number): never;
};

const proxy = connect(glue, () => module);

/** Names that are no setting can be seen, and warned of, only where the whole environment may be read. */
const namesIn = (env: DenoEnv): string[] =>
  Deno.permissions.querySync({ name: 'env' }).state === 'granted' ? Object.keys(env.toObject()) : proxy.settingNames();

let settings: Environment | undefined;
const environment = (): Environment => (settings ??= Object.fromEntries(namesIn(Deno.env).map((name) => [name, Deno.env.get(name)])));

export const { settingNames } = proxy;
export const settingErrors = (env: Environment = environment()): string => proxy.settingErrors(env);
export const answer = (request: Inbound, env: Environment = environment()): Promise<Outbound> => proxy.answer(request, env);
export const fetch = (request: Request, env: Environment = environment()): Promise<Response> => proxy.fetch(request, env);

if ((import.meta as ImportMeta & { main: boolean }).main) {
  const errors = settingErrors();
  if (errors) {
    console.error(errors);
    Deno.exit(1);
  }
}

export default { fetch: (request: Request) => fetch(request) };
