/**
 * The Node binaries that Twenty runs functions with: 24 on its own servers, 22 on Lambda. Both come pinned from npm;
 * 24 is the one that the app's build brings along.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { installTools, nodeOf } from '../../serverlessFunctions/tools.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The path of Node 22, fetched on first use. */
export const node22 = () => {
  const folder = at('./node-22');
  if (!existsSync(nodeOf(folder))) installTools(folder);
  return nodeOf(folder);
};

/** The path of Node 24; there once the app was built. */
export const node24 = () => {
  const binary = nodeOf(at('../../serverlessFunctions'));
  if (!existsSync(binary)) throw new Error('Node 24 is missing: run node serverlessFunctions/build.mjs first');
  return binary;
};
