// Deno: the module comes as part of the program, compiled, and the settings from the process, by their names alone.
//
// `deno serve` serves what this file exports by default, and hands the connection over as second argument.

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import source module from './generated/fundraising.wasm';

const proxy = connect(glue, () => module);

/** Names that are no setting can be seen, and warned of, only where the whole environment may be read. */
const namesIn = (env) =>
  Deno.permissions.querySync({ name: 'env' }).state === 'granted' ? Object.keys(env.toObject()) : proxy.settingNames();

let read;
const environment = () => (read ??= Object.fromEntries(namesIn(Deno.env).map((name) => [name, Deno.env.get(name)])));

export const { settingNames } = proxy;
export const settingErrors = (env = environment()) => proxy.settingErrors(env);
export const answer = (request, env = environment()) => proxy.answer(request, env);
export const fetch = (request, env = environment()) => proxy.fetch(request, env);

if (import.meta.main) {
  const errors = settingErrors();
  if (errors) {
    console.error(errors);
    Deno.exit(1);
  }
}

export default { fetch: (request) => fetch(request) };
