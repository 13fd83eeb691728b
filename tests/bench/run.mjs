/**
 * `npm run bench`: what a full rebuild takes, in requests and CPU, beside a plain JavaScript baseline in the same run.
 *
 * Both run against a fresh sandbox without limits, each in a process of its own, three times in turn; of the CPU the
 * least counts. Ratios are stated, not asserted: they depend on the machine, if little.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { makeGifts, withSandbox } from './gifts.mjs';

const GIFTS = 20_000;
const DONORS = 5_000;
const ROUNDS = 3;

const execute = promisify(execFile);
const at = (name) => fileURLToPath(new URL(name, import.meta.url));

const take = async (script, { url, token }) => JSON.parse((await execute(process.execPath, [at(script), url, token])).stdout);

/** The values of the rounds, least CPU first to come. */
const best = (rounds) => rounds.reduce((best, round) => (round.cpuMs < best.cpuMs ? round : best));

const path = makeGifts(GIFTS, DONORS);
const rounds = { engine: [], again: [], baseline: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  await withSandbox(path, async (sandbox) => {
    rounds.engine.push(await take('./engine.mjs', sandbox));
    rounds.again.push(await take('./engine.mjs', sandbox));
  });
  await withSandbox(path, async (sandbox) => rounds.baseline.push(await take('./baseline.mjs', sandbox)));
}

const [engine, again, baseline] = [rounds.engine, rounds.again, rounds.baseline].map(best);
const row = (name, { requests, cpuMs, rssMb }) =>
  console.log(`  ${name.padEnd(38)} ${String(requests).padStart(8)} ${String(cpuMs).padStart(9)} ${String(rssMb).padStart(9)}`);
console.log(`Full rebuild of ${GIFTS.toLocaleString('en-US')} gifts of ${DONORS.toLocaleString('en-US')} donors, Node ${process.version}\n`);
console.log(`  ${''.padEnd(38)} requests    CPU ms  peak MB`);
row('engine, every donor written', engine);
row('engine again, nothing to write', again);
row('baseline, one PATCH a donor', baseline);

const ratio = (what, value, goal) => console.log(`  ${what}: ${value.toFixed(3)} of the baseline (goal: at most ${goal}) ${value <= goal ? '✓' : '✗'}`);
console.log();
ratio('requests', engine.requests / baseline.requests, 1 / 20);
ratio('CPU', engine.cpuMs / baseline.cpuMs, 1 / 2);
