// Deno: the module comes as part of the program, compiled, and the settings from the process, by their names alone.
//
// `deno serve` serves what this file exports by default, and hands the connection over as second argument.

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import source module from './generated/fundraising.wasm';

const proxy = connect(glue, () => module);

let read;
const environment = () =>
  (read ??= Object.fromEntries(proxy.settingNames().map((name) => [name, Deno.env.get(name)])));

export const { settingNames } = proxy;
export const answer = (request, env = environment()) => proxy.answer(request, env);
export const fetch = (request, env = environment()) => proxy.fetch(request, env);

export default { fetch: (request) => fetch(request) };
