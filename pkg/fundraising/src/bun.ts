// Bun: as in Node. `bun run` serves what this file exports by default, and hands its server over as second argument.
//
// `--port` stands before the file and is Bun's own; `--host ADDRESS` stands after it.

import { parseArgs } from 'node:util';

import { fetch } from './node.js';
import { hostOf, startErrors } from './start.js';

export { answer, fetch, settingErrors, settingNames } from './node.js';

/** Where to listen, once the settings are read; none of it where a program of its own imports this file. */
function start(): { hostname: string } {
  const errors = startErrors(process.env);
  if (errors) {
    console.error(errors);
    process.exit(1);
  }
  const { values } = parseArgs({ args: process.argv.slice(2), options: { host: { type: 'string' } } });
  return { hostname: hostOf(values.host) };
}

export default { fetch: (request: Request) => fetch(request), ...((import.meta as ImportMeta & { main: boolean }).main && start()) };
