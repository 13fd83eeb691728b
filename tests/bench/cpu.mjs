/**
 * What the engine costs in CPU (user and system) of its process, beside plain JavaScript and beside another build.
 *
 *   node tests/bench/cpu.mjs [--base <folder of another build>] [--rounds <number>]
 *
 * Each measurement runs in a process of its own against a fresh sandbox without limits, the compared ones in turn within
 * a round. The median of the rounds' ratios is stated, not asserted.
 */
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';

import { history } from './history.mjs';
import { makeGifts, withSandbox } from './gifts.mjs';

const options = { base: { type: 'string' }, rounds: { type: 'string', default: '5' } };
const { base, rounds } = parseArgs({ options }).values;
const ROUNDS = Number(rounds);
/** A cold start is short, so its measure needs more rounds. */
const COLD_ROUNDS = 5 * ROUNDS;

const execute = promisify(execFile);
const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const entryOf = (folder) => pathToFileURL(join(resolve(folder), 'pkg/rollups/node.js')).href;
const ours = entryOf(at('../../'));

const cpuMs = async (script, ...args) => JSON.parse((await execute(process.execPath, [at(script), ...args])).stdout).cpuMs;
const rebuild = (gifts, entry) => withSandbox(gifts, ({ url, token }) => cpuMs('./engine.mjs', url, token, entry));
const baseline = (gifts) => withSandbox(gifts, ({ url, token }) => cpuMs('./baseline.mjs', url, token));

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Measures both in turn and prints the medians and the median ratio. */
const compare = async (name, count, goal, measure, reference) => {
  const taken = [];
  for (let round = 0; round < count; round += 1) taken.push([await measure(), await reference()]);
  const [cost, against] = [0, 1].map((side) => median(taken.map((pair) => pair[side])));
  const ratio = median(taken.map(([cost, against]) => cost / against));
  const figures = [`${cost.toFixed(1)} ms`, `${against.toFixed(1)} ms`, ratio.toFixed(3)].map((text) => text.padStart(11));
  console.log(`  ${name.padEnd(52)}${figures.join('')}   (goal: at most ${goal}) ${ratio <= goal ? '✓' : '✗'}`);
};

console.log(`CPU of the process, Node ${process.version}, medians of ${ROUNDS} rounds (${COLD_ROUNDS} of the cold start)\n`);
console.log(`  ${''.padEnd(52)}${['this build', 'reference', 'ratio'].map((text) => text.padStart(11)).join('')}`);
const made = makeGifts(20_000, 5_000);
await compare('rebuild of 20,000 gifts ÷ plain JavaScript', ROUNDS, 0.18, () => rebuild(made, ours), () => baseline(made));
if (base) {
  const other = entryOf(base);
  const { path, source } = history();
  await compare(`rebuild of 69,659 gifts (${source.split(',')[0]}) ÷ base`, ROUNDS, 0.6, () => rebuild(path, ours), () => rebuild(path, other));
  await compare('compile, instantiate and first call ÷ base', COLD_ROUNDS, 1.3, () => cpuMs('./cold.mjs', ours), () => cpuMs('./cold.mjs', other));
}
