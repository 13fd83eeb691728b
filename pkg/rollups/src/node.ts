// Node: the module is read from the file next to this one.

import { readFileSync } from 'node:fs';

import { connect } from './api.js';
import * as glue from './generated/rollups.js';
import type { Rollups } from './index.js';

export type * from './index.js';

// Loaded with the first request: a computation of totals sends none, and `node:http` is a quarter of its cold start.
const exchange: glue.Exchange = async (...sent) => (await import('./node-exchange.js')).exchangeByNodeHttp(...sent);

// Bun, which uses this file too, has a fast `fetch` of its own.
if (!process.versions.bun) glue.setExchange(exchange);

const engine = connect<Rollups>(glue, () => readFileSync(new URL('./generated/rollups.wasm', import.meta.url)));

/**
 * Recomputes what the payload asks for: everything for `{}`, the parents that record events name, those that a request
 * names, or what a {@link Command} says. An expected failure is a report with the status `error`.
 *
 * @throws {RollupsError} as a rejection, if an option is unknown or of the wrong kind
 */
export const calculateRollups: Rollups['calculateRollups'] = engine.calculateRollups;

/**
 * The totals of one parent, by field, from all its children: no network. A total over several currencies, or over
 * values that cannot be added up, has no entry.
 *
 * @param records the children as objects, or as the JSON text of a list
 * @throws {RollupsError} if the definition, the records or an option is not as it should be
 */
export const computeTotals: Rollups['computeTotals'] = engine.computeTotals;

/**
 * What is wrong with a configuration or a list of definitions, as far as can be told without the workspace.
 *
 * @throws {RollupsError} if it cannot be written as JSON
 */
export const validateDefinitions: Rollups['validateDefinitions'] = engine.validateDefinitions;

/**
 * The fields that a configuration or a list of definitions writes to, and that a workspace does not have: of which kind each
 * has to be, and with which options. No network.
 *
 * @param metadata what `/rest/metadata/objects` answers with
 * @throws {RollupsError} if one of them cannot be written as JSON
 */
export const missingFields: Rollups['missingFields'] = engine.missingFields;

/** The definitions that run where none are configured, of which a workspace need not have all. */
export const builtInDefinitions: Rollups['builtInDefinitions'] = engine.builtInDefinitions;
