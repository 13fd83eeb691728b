// workerd: the module is imported compiled, since workerd compiles nothing while it runs.

import { connect } from './api.js';
import * as glue from './generated/rollups.js';
import module from './generated/rollups.wasm';

export const { calculateRollups, computeTotals, validateDefinitions } = connect(glue, () => module);
