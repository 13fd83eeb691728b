// Deno: the module comes as part of the program, compiled, so that it needs no permission to read files.

import { connect } from './api.js';
import module from './deno-module.js';
import * as glue from './generated/rollups.js';
import type { Rollups } from './index.js';

export const { builtInDefinitions, calculateRollups, computeTotals, missingFields, validateDefinitions } = connect<Rollups>(glue, () => module);
