import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { runFunction } from '../runtime/driver.mjs';
import { node24 } from '../support/nodes.mjs';
import { APP, build, manifestOf, POST_INSTALL } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const OUTPUT = join(APP, '.twenty', 'output');

const runHook = (url) =>
  runFunction({
    node: node24(),
    bundle: join(OUTPUT, POST_INSTALL),
    payload: { newVersion: '0.1.0' },
    env: { TWENTY_API_URL: url, TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'token-of-the-app', TWENTY_API_KEY: 'token-of-the-app' },
    timeoutMs: 60_000,
  });

before(() => build());

// The post-install function queues one run of the rollup function with an empty payload.
test('first rebuild is queued', async (t) => {
  const queued = { enqueued: true, enqueuedJobsCount: 1, jobIds: ['j1'] };
  const server = await listen(t, () => ({ body: { data: { enqueueJobs: queued } } }));
  const { result, error } = await runHook(server.url);
  assert.equal(error, undefined);
  assert.deepEqual(result, { handedOver: true, delayMs: 0 });
  const [{ method, url, headers, body }] = server.calls;
  assert.deepEqual([method, url, headers.authorization], ['POST', '/metadata', 'Bearer token-of-the-app']);
  const { query, variables } = JSON.parse(body.toString());
  assert.match(query, /enqueueJobs\(input: \$input\)/);
  const rollups = manifestOf(OUTPUT).logicFunctions.find(({ name }) => name === 'calculate-rollups');
  assert.deepEqual(variables.input, {
    logicFunctionUniversalIdentifier: rollups.universalIdentifier,
    payloads: [{}],
  });
});

for (const [what, answer, why] of [
  ['a refusal', { body: { errors: [{ message: 'limit reached' }], data: null } }, 'limit reached'],
  ['an error of the server', { status: 500, body: 'oh' }, 'HTTP 500: "oh"'],
  ['a queue that is full', { body: { data: { enqueueJobs: { enqueued: false, jobIds: [] } } } }, 'the queue takes no more jobs of this app just now'],
]) {
  // … asks the platform to try again, and says why.
  test(`${what} asks for a retry`, async (t) => {
    const server = await listen(t, () => answer);
    const { error } = await runHook(server.url);
    assert.deepEqual(error, { name: 'RetryableLogicFunctionError', message: `the run was not queued: ${why}` });
  });
}

// What could not be handed over is kept where the engine's health report finds it, with how often that happened.
test('failed hand-over is kept', async (t) => {
  const kept = new Map();
  const server = await listen(t, ({ body }) => {
    const { query, variables } = JSON.parse(body.toString());
    if (query.includes('enqueueJobs')) return { status: 500, body: 'oh' };
    const { key, value } = variables.input ?? variables;
    if (query.includes('setAppKeyValue')) kept.set(key, value);
    return { body: { data: { appKeyValue: kept.has(key) ? { key, value: kept.get(key) } : null, setAppKeyValue: { key } } } };
  });
  for (const count of [1, 2]) {
    await runHook(server.url);
    const { at, ...failure } = JSON.parse(kept.get('rollups.hand-over'));
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
    assert.deepEqual(failure, { function: 'start-first-rebuild', why: 'HTTP 500: "oh"', count });
  }
});
