// workerd: the module is imported compiled, since workerd compiles nothing while it runs.

import { connect } from './api.js';
import * as glue from './generated/rollups.js';
import module from './generated/rollups.wasm';
import type { Rollups } from './index.js';

export const { builtInDefinitions, calculateRollups, computeTotals, missingFields, validateDefinitions } = connect<Rollups>(glue, () => module);
