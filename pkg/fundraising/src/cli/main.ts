// `twenty-fundraising`: hands the process over to `program.ts`, which decides.

import { run } from './program.js';

const { argv, env, stdout, stderr } = process;

// The reader of a pipe may stop reading, as `head` does: nothing is left to be printed then.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

const { exit, isServing } = await run(argv.slice(2), {
  env,
  stdout,
  stderr,
  fetch: (url, init) => fetch(url, init),
  // Loaded when it is needed, so that help is there without it.
  proxy: () => import('../node.js'),
});

if (!isServing) {
  for (const stream of [stdout, stderr]) await new Promise((done) => stream.write('', done));
  process.exit(exit);
}
