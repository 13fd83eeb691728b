import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { runFunction } from './driver.mjs';
import { folder } from '../support/small-app.mjs';

const call = (t, handler, options = {}) => {
  const bundle = join(folder(t), 'index.mjs');
  writeFileSync(bundle, `export default { config: { handler: ${handler} } };\n`);
  return runFunction({ node: process.execPath, bundle, payload: {}, env: {}, timeoutMs: 30_000, ...options });
};

// Payload and context go in, the result comes out, and what was printed too.
test('payload, context, result and output', async (t) => {
  const { result, logs, error } = await call(
    t,
    '(payload, context) => { console.log("one"); console.error("two"); return { payload, context }; }',
    { payload: { a: [1] }, context: { retryCount: 2 } },
  );
  assert.equal(error, undefined);
  assert.deepEqual(result, { payload: { a: [1] }, context: { retryCount: 2 } });
  assert.deepEqual(logs.toSorted((a, b) => b.level.localeCompare(a.level)), [{ level: 'INFO', line: 'one' }, { level: 'ERROR', line: 'two' }]);
});

// The function has the given environment and nothing else.
test('environment of the function', async (t) => {
  process.env.A_SECRET_OF_THE_TEST = 'x';
  const { result } = await call(t, '() => ({ ...process.env })', { env: { TWENTY_API_URL: 'http://x' } });
  assert.deepEqual(result, { TWENTY_API_URL: 'http://x' });
});

// The bundle lies alone in a folder, which is gone afterwards.
test('bundle alone in a temporary folder', async (t) => {
  const { result } = await call(
    t,
    'async () => { const { readdirSync } = await import("node:fs"); return { folder: process.cwd(), files: readdirSync(".") }; }',
  );
  assert.deepEqual(result.files.sort(), ['__runner.cjs', 'index.mjs']);
  assert.equal(existsSync(result.folder), false);
});

test('a function that runs too long is killed', async (t) => {
  const { error } = await call(t, '() => new Promise(() => setInterval(() => {}, 1000))', { timeoutMs: 300 });
  assert.deepEqual(error, { name: 'Error', message: 'Timed out after 300ms' });
});

// A function is killed when the platform goes down.
test('function killed with the platform', async (t) => {
  const controller = new AbortController();
  const run = call(t, '() => new Promise(() => setInterval(() => {}, 1000))', { signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  assert.equal((await run).error.name, 'AbortError');
});

test('a throw is an error with its name', async (t) => {
  const source = '() => { const e = new Error("not yet"); e.name = "RetryableLogicFunctionError"; throw e; }';
  const { error } = await call(t, source);
  assert.deepEqual(error, { name: 'RetryableLogicFunctionError', message: 'not yet' });
});

test('a BigInt in the result is an error', async (t) => {
  const { result, error } = await call(t, '() => ({ n: 1n })');
  assert.equal(result, undefined);
  assert.match(error.message, /serialize a BigInt/);
});

test('a process that ends by itself is an error', async (t) => {
  const { error } = await call(t, '() => process.exit(3)');
  assert.match(error.message, /exit code 3/);
});

test('a missing handler is named', async (t) => {
  const { error } = await call(t, 'undefined');
  assert.match(error.message, /`default\.config\.handler` not found/);
});
