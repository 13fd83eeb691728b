// A server whose answers are larger than any page: the command says so, and what to do.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Readable, pipeline } from 'node:stream';
import { test } from 'node:test';

import { serve } from '../support/http-server.mjs';
import { ROOT, prepare } from '../support/project.mjs';

const CHUNK = Buffer.alloc(1024 * 1024, ' ');

/** Answers with 40 MiB, the metadata apart if `only` says so. */
async function serveLarge(t, { declared, only }) {
  const url = await serve(t, (request, response) => {
    if (only === 'records' && request.url.includes('/metadata/')) {
      const body = JSON.stringify({ statusCode: 403, error: 'ForbiddenException', messages: ['Not for this key.'] });
      response.writeHead(403, { 'content-type': 'application/json' }).end(body);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', ...(declared && { 'content-length': 40 * CHUNK.length }) });
    pipeline(Readable.from(Array(40).fill(CHUNK)), response, () => {});
  });
  return url;
}

const drift = (url, env = {}) =>
  new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, TWENTY_API_URL: url, TWENTY_API_KEY: 'k', ...env } };
    const program = join(ROOT, 'pkg/bin/rollups.mjs');
    execFile(process.execPath, [program, 'drift', '--json'], options, (error, stdout, stderr) => {
      resolve({ exit: error?.code ?? 0, ...JSON.parse(stdout || '{}'), stderr });
    });
  });

prepare();

for (const only of ['records', 'everything']) {
  for (const declared of [true, false]) {
    test(`40 MiB of ${only}, ${declared ? 'with' : 'without'} a length`, async (t) => {
      const url = await serveLarge(t, { declared, only });
      const { exit, error, stderr } = await drift(url);
      assert.deepEqual([exit, error?.code], [3, 'answer_too_large'], stderr);
      assert.match(error.message, only === 'records' ? /^GET \/rest\/\w+: .* 33554432 bytes/ : /^http.* 33554432 bytes/);
      assert.match(error.hint, /pageSize.*ROLLUP_ENGINE_MAX_RESPONSE_BYTES/);
      assert.ok(!/trap|panic/i.test(stderr), stderr);
    });
  }
}

/** With a higher limit it is read, and is no answer of Twenty. */
test('higher limit', async (t) => {
  const url = await serveLarge(t, { declared: false, only: 'records' });
  const { error } = await drift(url, { ROLLUP_ENGINE_MAX_RESPONSE_BYTES: '50000000' });
  assert.equal(error?.code, 'malformed_answer');
});

test('limit that is no number', async () => {
  const { exit, error } = await drift('http://127.0.0.1:9', { ROLLUP_ENGINE_MAX_RESPONSE_BYTES: '32MB' });
  assert.deepEqual([exit, error?.code], [2, 'invalid_size']);
  assert.match(error.message, /`32MB` in ROLLUP_ENGINE_MAX_RESPONSE_BYTES/);
});
