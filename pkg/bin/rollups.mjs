#!/usr/bin/env node
// `twenty-rollups`: the engine from the command line. Its source is rollups/src/cli/main.ts.

import { existsSync } from 'node:fs';

// A clone has the source, and the rest only once it was built.
if (existsSync(new URL('../rollups/cli/main.js', import.meta.url))) {
  await import('../rollups/cli/main.js');
} else {
  console.error('twenty-rollups is not built yet in this clone: run ./build.sh in its folder, once');
  process.exit(4);
}
