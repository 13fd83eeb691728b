import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startApp } from './app-runtime.mjs';
import { listenAsSandbox, writeApp } from '../support/small-app.mjs';

const APP = fileURLToPath(new URL('../../serverlessFunctions/', import.meta.url));
const requireFromApp = createRequire(`${APP}package.json`);

before(() => {
  if (!existsSync(`${APP}node_modules/twenty-sdk`)) throw new Error('the SDK is missing: run node serverlessFunctions/build.mjs');
});

/** The SDK reads the environment at load, so it is loaded for the address that it is to call. */
const sdkFor = (url, token) => {
  process.env.TWENTY_API_URL = url;
  process.env.TWENTY_APP_ACCESS_TOKEN = token;
  process.env.TWENTY_APP_APPLICATION_ACCESS_TOKEN = token;
  for (const file of Object.keys(requireFromApp.cache)) if (/twenty-(client-)?sdk/.test(file)) delete requireFromApp.cache[file];
  return requireFromApp('twenty-sdk/logic-function');
};

const start = async (t) => {
  const sandbox = await listenAsSandbox(t);
  const output = writeApp(t, { f: { source: '({ n }) => { if (n === 2) throw new Error("two"); return n; }' } });
  const runtime = await startApp({ sandbox: sandbox.ready, output, node: process.execPath });
  t.after(() => runtime.close());
  return { sandbox, runtime };
};

test('kv keeps, scopes and forgets', async (t) => {
  const { runtime } = await start(t);
  const { kv } = sdkFor(runtime.url, 'app-token');
  assert.equal(await kv.get('k'), null);
  await kv.set('k', { tokens: 3 });
  await kv.set('k', 'server', { scope: 'SERVER' });
  assert.deepEqual([await kv.get('k'), await kv.get('k', { scope: 'SERVER' })], [{ tokens: 3 }, 'server']);
  assert.deepEqual([await kv.delete('k'), await kv.delete('k'), await kv.get('k')], [true, false, null]);
});

// EnqueueJobs runs each payload, getJobs tells what became of them.
test('enqueueJobs and getJobs', async (t) => {
  const { runtime } = await start(t);
  const { enqueueJobs, enqueueJob, getJobs } = sdkFor(runtime.url, 'app-token');
  const { enqueued, enqueuedJobsCount, jobIds } = await enqueueJobs({
    logicFunctionUniversalIdentifier: 'f',
    payloads: [{ n: 1 }, { n: 2 }],
  });
  assert.deepEqual([enqueued, enqueuedJobsCount, jobIds.length], [true, 2, 2]);
  const one = await enqueueJob({ logicFunctionUniversalIdentifier: 'f', payload: { n: 3 }, jobId: 'mine' });
  assert.deepEqual([one.enqueued, one.jobId], [true, 'mine']);
  await runtime.idle();
  const jobs = await getJobs([...jobIds, 'mine', 'unknown']);
  assert.deepEqual(jobs.map(({ state, failedReason }) => [state, failedReason]), [
    ['COMPLETED', null],
    ['FAILED', 'two'],
    ['COMPLETED', null],
  ]);
  assert.deepEqual(runtime.runs.map(({ payload }) => payload.n).sort(), [1, 2, 3]);
});

// What is not allowed is refused with the reason.
test('refusal with its reason', async (t) => {
  const { runtime } = await start(t);
  const { enqueueJobs } = sdkFor(runtime.url, 'app-token');
  await assert.rejects(enqueueJobs({ logicFunctionUniversalIdentifier: 'g', payloads: [{}] }), /`g` not found/);
  const many = Array.from({ length: 201 }, () => ({}));
  await assert.rejects(enqueueJobs({ logicFunctionUniversalIdentifier: 'f', payloads: many }), /at most 200/);
  const { kv } = sdkFor(runtime.url, 'api-key');
  await assert.rejects(kv.get('k'), /application token/);
});

// A field that the result does not have is refused.
test('unknown field of a result', async (t) => {
  const { runtime } = await start(t);
  const response = await fetch(`${runtime.url}/metadata`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer app-token' },
    body: JSON.stringify({ query: 'query ($k: String!) { appKeyValue(key: $k) { kee } }', variables: { k: 'x' } }),
  });
  const { data, errors } = await response.json();
  assert.equal(data, null);
  assert.deepEqual(errors.map(({ message }) => message), ['Cannot query field "kee" on type "AppKeyValue".']);
});

test('other documents go to the server behind it', async (t) => {
  const { sandbox, runtime } = await start(t);
  const query = 'mutation { createOneObject(input: {}) { id } }';
  await fetch(`${runtime.url}/metadata`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
  assert.deepEqual(sandbox.calls.at(-1).body, { query });
});
