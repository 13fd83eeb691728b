// Deno: the module comes as part of the program, compiled, so that it needs no permission to read files.

import { connect } from './api.js';
import * as glue from './generated/rollups.js';
import source module from './generated/rollups.wasm';

export const { calculateRollups, computeTotals, validateDefinitions } = connect(glue, () => module);
