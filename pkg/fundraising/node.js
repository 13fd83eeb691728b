// Node: the module is read from the file next to this one, and the settings from the process.

import { readFileSync } from 'node:fs';

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';

const proxy = connect(glue, () => readFileSync(new URL('./generated/fundraising.wasm', import.meta.url)));

export const { settingNames } = proxy;
export const settingErrors = (env = process.env) => proxy.settingErrors(env);
export const maxConnections = (env = process.env) => proxy.maxConnections(env);
export const answer = (request, env = process.env) => proxy.answer(request, env);
export const fetch = (request, env = process.env) => proxy.fetch(request, env);

export default { fetch };
