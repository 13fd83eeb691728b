// Prints what the modules weigh, raw and as they travel, and fails above 1 MB raw or 400 kB gzipped.
//
//   node sizes.mjs <file.wasm> ...
//
// Cloudflare takes 3 MB gzipped, and cold starts differ by less than 2 ms over that range: the limits catch accidents.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const MAX_RAW_BYTES = 1_000_000;
const MAX_GZIP_BYTES = 400_000;

const kilobytes = (size) => `${(size / 1000).toFixed(1)} kB`;

const rows = process.argv.slice(2).map((file) => {
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  return {
    name: basename(file),
    isTooLarge: bytes.length > MAX_RAW_BYTES || gzipped > MAX_GZIP_BYTES,
    cells: [bytes.length, gzipped, brotliCompressSync(bytes, { params }).length].map(kilobytes),
  };
});

const line = (name, cells) => console.log(name.padEnd(18) + cells.map((cell) => cell.padStart(12)).join(''));
line('', ['raw', 'gzip -9', 'brotli 11']);
for (const { name, cells } of rows) line(name, cells);
for (const { name } of rows.filter((row) => row.isTooLarge)) {
  console.error(`${name} is larger than ${kilobytes(MAX_RAW_BYTES)} raw or ${kilobytes(MAX_GZIP_BYTES)} gzipped`);
  process.exitCode = 1;
}
