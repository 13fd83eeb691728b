// Node: the module is read from the file next to this one, and the settings from the process.

import { readFileSync } from 'node:fs';

import { exchangeByNodeHttp } from '../rollups/node-exchange.js';
import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import type { Environment, ExecutionContext, Inbound, Outbound } from './index.js';

export type * from './index.js';

// Bun, which uses this file too, has a fast `fetch` of its own.
if (!process.versions.bun) glue.setExchange(exchangeByNodeHttp);

const proxy = connect(glue, () => readFileSync(new URL('./generated/fundraising.wasm', import.meta.url)));

/** The names of all settings. */
export const settingNames = (): string[] => proxy.settingNames();

/** What is wrong with the settings, one line each, without the values of secrets; an empty text if they can be read. */
export const settingErrors = (env: Environment = process.env): string => proxy.settingErrors(env);

/** How many connections a server should take at a time. */
export const maxConnections = (env: Environment = process.env): number => proxy.maxConnections(env);

/** Answers a request without the fetch standard's objects; not on workerd. */
export const answer = (request: Inbound, env: Environment = process.env): Promise<Outbound> => proxy.answer(request, env);

/**
 * Answers a request of the fetch standard.
 *
 * @param env the settings; the process's own where it is left out, the worker's bindings on workerd
 * @param _context on workerd what the worker is handed, so that the work outlives a caller who hangs up
 */
export const fetch = (request: Request, env: Environment = process.env, _context?: ExecutionContext): Promise<Response> =>
  proxy.fetch(request, env);

export default { fetch };
