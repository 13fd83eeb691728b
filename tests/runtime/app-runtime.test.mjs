import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app-runtime.mjs';
import { event, listenAsSandbox, writeApp } from '../support/small-app.mjs';

const ECHO = '(payload, context) => ({ payload, context })';
const LISTENER = { source: ECHO, databaseEventTriggerSettings: { eventName: 'gift.*', batchMode: true } };

const start = async (t, functions, { application, ...options } = {}) => {
  const sandbox = await listenAsSandbox(t);
  const output = writeApp(t, functions, application);
  const runtime = await startApp({ sandbox: sandbox.ready, output, node: process.execPath, ...options });
  t.after(() => runtime.close());
  return { sandbox, runtime };
};

// Installing makes objects, fields and relations, but for what is there.
test('installation of the data model', async (t) => {
  const { sandbox, runtime } = await start(t, {});
  assert.deepEqual(runtime.installed.created, ['gift', 'gift.amount', 'person.lifetimeGiftCount', 'gift.donor']);
  assert.deepEqual(runtime.installed.present, ['person.firstGiftDate']);
  const made = sandbox.calls.filter(({ method }) => method === 'POST');
  assert.deepEqual(made.map(({ path, authorization }) => [path, authorization]), [
    ['/rest/metadata/objects', 'Bearer api-key'],
    ...Array(3).fill(['/rest/metadata/fields', 'Bearer api-key']),
  ]);
  assert.deepEqual(made.at(-1).body, {
    objectMetadataId: 'o3',
    type: 'RELATION',
    name: 'donor',
    label: 'donor',
    relationCreationPayload: { type: 'MANY_TO_ONE', targetObjectMetadataId: 'o1', targetFieldLabel: 'Gifts' },
  });
});

// The sandbox’s events reach the function in batches.
test('events arrive in batches', async (t) => {
  const { sandbox, runtime } = await start(t, { listener: LISTENER });
  sandbox.tell(event('gift.created', 'g1'), event('gift.created', 'g2'), event('person.created', 'p1'));
  await runtime.idle();
  sandbox.tell(event('gift.destroyed', 'g1', { before: { id: 'g1' } }));
  await runtime.idle();
  const seen = runtime.runs.map(({ result: { payload } }) => [payload.name, payload.events.map(({ recordId }) => recordId)]);
  assert.deepEqual(seen, [['gift.created', ['g1', 'g2']], ['gift.destroyed', ['g1']]]);
});

// A server before 2.40 gives one event a run, no context and no second token.
test('single events before 2.40', async (t) => {
  const source = '(payload, context) => ({ id: payload.recordId, context: context ?? null, names: Object.keys(process.env).sort() })';
  const { sandbox, runtime } = await start(t, { listener: { ...LISTENER, source } }, { version: 'v1' });
  sandbox.tell(event('gift.created', 'g1'), event('gift.created', 'g2'));
  await runtime.idle();
  const names = ['APPLICATION_ID', 'TWENTY_API_KEY', 'TWENTY_API_URL', 'TWENTY_APP_ACCESS_TOKEN'];
  // They run side by side, so either may end first.
  const results = runtime.runs.map(({ result }) => result).sort((a, b) => a.id.localeCompare(b.id));
  assert.deepEqual(results, ['g1', 'g2'].map((id) => ({ id, context: null, names })));
});

test('events beyond the budget are dropped', async (t) => {
  const lines = [];
  const { sandbox, runtime } = await start(t, { listener: LISTENER }, { limits: { enqueued: 1 }, log: (line) => lines.push(line) });
  sandbox.tell(event('gift.created', 'g1'), event('gift.updated', 'g1', { updatedFields: ['name'] }));
  await runtime.idle();
  assert.deepEqual(runtime.runs.map(({ payload }) => payload.name), ['gift.created']);
  assert.match(lines[0], /dropped 1 runs of listener/);
});

// The function has what the platform injects, and its variables.
test('injected environment and variables', async (t) => {
  const application = { applicationVariables: { A: { value: 'a' }, B: { value: 'b' } } };
  const { runtime } = await start(t, { f: { source: '() => ({ ...process.env })' } }, { application, variables: { B: 'set' } });
  const { result } = await runtime.run('f');
  const { APPLICATION_ID, ...env } = result;
  assert.match(APPLICATION_ID, /^[0-9a-f-]{36}$/);
  assert.deepEqual(env, {
    TWENTY_API_URL: runtime.url,
    TWENTY_APP_ACCESS_TOKEN: 'app-token',
    TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app-token',
    TWENTY_API_KEY: 'app-token',
    TWENTY_FUNCTIONS_URL: '',
    A: 'a',
    B: 'set',
  });
});

// What the function asks of the server reaches the sandbox as it is.
test('requests pass unchanged', async (t) => {
  const { runtime } = await start(t, {});
  const response = await fetch(`${runtime.url}/rest/gifts?filter=and(donorId[in]:[%22a%22])`, { method: 'PATCH', body: '{"a":1}' });
  assert.equal(response.headers.get('x-sandbox'), 'yes');
  assert.deepEqual(await response.json(), { url: '/rest/gifts?filter=and(donorId[in]:[%22a%22])', body: '{"a":1}' });
});

// The app’s own token may do what the role says, other tokens what the sandbox says.
test('rights of the app’s own token', async (t) => {
  const { runtime } = await start(t, {});
  const statusFor = async (token, path) =>
    (await fetch(`${runtime.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await statusFor('app-token', '/rest/people'), 400);
  assert.equal(await statusFor('app-token', '/rest/metadata/objects'), 403);
  assert.equal(await statusFor('api-key', '/rest/people'), 200);
  assert.equal(await statusFor('api-key', '/rest/metadata/objects'), 200);
});

// A tick runs the cron functions with an empty payload.
test('cron tick runs cron functions', async (t) => {
  const { runtime } = await start(t, { nightly: { source: ECHO, cronTriggerSettings: { pattern: '0 2 * * *' } }, other: { source: ECHO } });
  await fetch(`${runtime.url}/__app/cron`, { method: 'POST' });
  const response = await fetch(`${runtime.url}/__app/idle`, { method: 'POST' });
  assert.deepEqual(await response.json(), { runs: 1 });
  const [{ function: name, result }] = runtime.runs;
  assert.deepEqual([name, result.payload, result.context.retryCount], ['nightly', {}, 0]);
});

// A tick of a time runs the functions whose pattern has that minute, and one by name runs that one.
test('cron tick by time and by name', async (t) => {
  const cron = (pattern) => ({ source: ECHO, cronTriggerSettings: { pattern } });
  const { runtime } = await start(t, { nightly: cron('0 2 * * *'), often: cron('*/15 * * * *'), other: { source: ECHO } });
  const tick = async (which) => {
    await fetch(`${runtime.url}/__app/cron`, { method: 'POST', body: JSON.stringify(which) });
    await runtime.idle();
    return runtime.runs.splice(0).map(({ function: name }) => name).sort();
  };
  assert.deepEqual(await tick({ at: '2026-11-25T02:00:00Z' }), ['nightly', 'often']);
  assert.deepEqual(await tick({ at: '2026-11-25T02:15:00Z' }), ['often']);
  assert.deepEqual(await tick({ at: '2026-11-25T02:01:00Z' }), []);
  assert.deepEqual(await tick({ function: 'nightly' }), ['nightly']);
  assert.deepEqual(await tick({ function: 'other' }), []);
});

// The post-install function runs first, with the version.
test('post-install function runs first', async (t) => {
  const application = { postInstallLogicFunction: { universalIdentifier: 'hook' } };
  const { runtime } = await start(t, { hook: { source: ECHO } }, { application });
  await runtime.idle();
  assert.deepEqual(runtime.runs.map(({ result }) => result.payload), [{ newVersion: '1.2.3' }]);
});

// A route wants a token of the workspace, and answers with the function’s result.
test('route wants a token of the workspace', async (t) => {
  const httpRouteTriggerSettings = { path: '/go', httpMethod: 'POST', isAuthRequired: true };
  const { runtime } = await start(t, { go: { source: '({ body }) => ({ got: body })', httpRouteTriggerSettings } });
  const call = (path, authorization) =>
    fetch(`${runtime.url}${path}`, { method: 'POST', headers: authorization ? { authorization } : {}, body: '{"a":1}' });
  const refused = await call('/s/go');
  assert.equal(refused.status, 500);
  assert.deepEqual((await refused.json()).messages, ['Missing authentication token']);
  assert.equal((await call('/s/go', 'Bearer wrong')).status, 403);
  assert.equal((await (await call('/s/nowhere', 'Bearer api-key')).json()).code, 'TRIGGER_NOT_FOUND');
  for (const token of ['api-key', 'app-token']) {
    assert.deepEqual(await (await call('/s/go', `Bearer ${token}`)).json(), { got: { a: 1 } });
  }
});
