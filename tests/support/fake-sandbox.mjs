#!/usr/bin/env node
/** The stand-in as a program with the sandbox's manners: a line of JSON when ready, and a clean end on SIGTERM. */
import { listenAsSandbox } from './small-app.mjs';

const closers = [];
const { ready } = await listenAsSandbox({ after: (close) => closers.push(close) });
process.once('SIGTERM', () => {
  for (const close of closers) close();
  process.exit(0);
});
process.stdout.write(`${JSON.stringify({ ...ready, args: process.argv.slice(2) })}\n`);
