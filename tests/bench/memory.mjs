/** The first rebuild of the whole history in a Node process of its own, over HTTP: its peak memory and its requests. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { history } from './history.mjs';
import { withSandbox } from './gifts.mjs';

const MAX_MEMORY_MB = 150;
const execute = promisify(execFile);
const engine = fileURLToPath(new URL('./engine.mjs', import.meta.url));

const { path, source } = history();
await withSandbox(path, async ({ url, token }) => {
  const take = async () => JSON.parse((await execute(process.execPath, [engine, url, token])).stdout);
  const first = await take();
  const again = await take();
  console.log(`The first rebuild of 69,659 gifts (${source}) in Node ${process.version}, over HTTP, limits off`);
  for (const [name, { requests, updated, cpuMs, rssMb }] of [['first', first], ['again', again]]) {
    console.log(`  ${name}: ${requests} requests, ${updated} parents written, ${cpuMs} ms of CPU, ${rssMb} MB at most (goal: ${MAX_MEMORY_MB}) ${rssMb <= MAX_MEMORY_MB ? '✓' : '✗'}`);
  }
});
