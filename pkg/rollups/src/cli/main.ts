// `twenty-rollups`: hands the process over to `program.ts`, which decides.

import { setTimeout as sleep } from 'node:timers/promises';

import { run } from './program.js';
import { askOnTerminal } from './prompt.js';

const { argv, env, stdin, stdout, stderr } = process;

// The reader of a pipe may stop reading, as `head` does: nothing is left to be printed then.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

const code = await run(argv.slice(2), {
  env,
  folder: process.cwd(),
  stdout,
  stderr,
  fetch: (url, init) => fetch(url, init),
  signals: process,
  sleep,
  now: Date.now,
  stdin,
  ask: stdin.isTTY && stderr.isTTY ? askOnTerminal(process) : undefined,
  // Loaded when it is needed, so that help is there without it.
  engine: () => import('../node.js'),
});

// Not left to the event loop: a run that was stopped still has its timers.
for (const stream of [stdout, stderr]) await new Promise((done) => stream.write('', done));
process.exit(code);
