#!/usr/bin/env node
// `twenty-rollups`: the engine from the command line. Its source is rollups/src/cli/main.ts.

import '../rollups/cli/main.js';
