/** Gifts made up from a seed, and a sandbox that holds them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { startSandbox } from '../support/sandbox.mjs';

const WORK = fileURLToPath(new URL('../.work/', import.meta.url));

/** A repeatable sequence of numbers from 0 to 1 (mulberry32). */
const sequence = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

/** Writes `gifts` lines of `donors` donors; each donor gives at least once. The path of the file. */
export const makeGifts = (gifts, donors, seed = 1) => {
  const draw = sequence(seed);
  const lines = ['donor,gift_date,amount,currency'];
  for (let gift = 0; gift < gifts; gift += 1) {
    const donor = gift < donors ? gift : Math.floor(draw() ** 2 * donors);
    const day = new Date(Date.UTC(2018, 0, 1) + Math.floor(draw() * 3200) * 86_400_000).toISOString().slice(0, 10);
    lines.push(`${String(donor).padStart(6, '0')},${day},${(1 + draw() * 400).toFixed(2)},GBP`);
  }
  mkdirSync(WORK, { recursive: true });
  const path = `${WORK}gifts-${gifts}-${donors}.csv`;
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};

/** A fresh sandbox without limits that holds these gifts, while `work` runs. */
export const withSandbox = async (path, work) => {
  const server = await startSandbox(['--port', '0', '--limits', 'off', '--gifts', path]);
  try {
    return await work(server.ready);
  } finally {
    await server.stop();
  }
};
