#!/usr/bin/env node
// `twenty-rollups`: the engine from the command line. This file only hands the process over; `cli/program.mjs` decides.

import { setTimeout as sleep } from 'node:timers/promises';

import { run } from './cli/program.mjs';

const { argv, env, stdout, stderr } = process;

// Whoever reads may stop reading, as `head` does: nothing is left to be said then.
for (const stream of [stdout, stderr]) stream.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await run(argv.slice(2), {
  env,
  folder: process.cwd(),
  stdout,
  stderr,
  fetch: (url, init) => fetch(url, init),
  signals: process,
  sleep,
  // Loaded when it is needed, so that help is there without it.
  engine: () => import('../rollups/node.js'),
});

// Not left to the event loop: a run that was stopped still has its timers.
for (const stream of [stdout, stderr]) await new Promise((done) => stream.write('', done));
process.exit(code);
