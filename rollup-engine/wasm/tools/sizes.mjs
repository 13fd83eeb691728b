// Prints what the modules weigh, raw and as they travel, and fails over budget.
//
//   node sizes.mjs <budget in kB, raw>:<file.wasm> ...
//
// The budget is for the raw size: a module is parsed at every cold start and, for Twenty, sent along with every
// invocation.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const kilobytes = (size) => `${(size / 1000).toFixed(1)} kB`;

const rows = process.argv.slice(2).map((argument) => {
  const [budget, file] = argument.split(':');
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    name: basename(file),
    over: bytes.length - Number(budget) * 1000,
    cells: [
      kilobytes(bytes.length),
      kilobytes(gzipSync(bytes, { level: 9 }).length),
      kilobytes(brotliCompressSync(bytes, { params }).length),
      `${budget} kB`,
    ],
  };
});

const line = (name, cells) => console.log(name.padEnd(18) + cells.map((cell) => cell.padStart(12)).join(''));
line('', ['raw', 'gzip -9', 'brotli 11', 'budget, raw']);
for (const { name, cells } of rows) line(name, cells);
for (const { name, over } of rows.filter((row) => row.over > 0)) {
  console.error(`${name} is over its budget by ${over} bytes`);
  process.exitCode = 1;
}
