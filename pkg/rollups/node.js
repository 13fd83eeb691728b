// Node: the module is read from the file next to this one.

import { readFileSync } from 'node:fs';

import { connect } from './api.js';
import * as glue from './generated/rollups.js';

const load = () => readFileSync(new URL('./generated/rollups.wasm', import.meta.url));

export const { calculateRollups, computeTotals, validateDefinitions } = connect(glue, load);
