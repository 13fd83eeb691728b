/**
 * The Node binaries that Twenty runs functions with: 24 on its own servers, 22 on Lambda. Both come pinned from npm, and
 * neither is on the PATH: scripts and tests run on the user's own Node.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { NODE_22, ROOT, prepare } from './project.mjs';

/** The path of Node 22, fetched on first use. */
export const node22 = () => {
  prepare();
  return NODE_22;
};

/** The path of Node 24; `build.sh` brings it along. */
export const node24 = () => {
  const binary = join(ROOT, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) throw new Error('Node 24 is missing: run ./build.sh first');
  return binary;
};
