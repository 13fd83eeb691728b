/** A paused app: no function makes the engine, and none asks the server for anything. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { APP, build, PERSON_EVENTS, POST_INSTALL, REBUILD_LATER, ROLLUPS, SWEEP } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const GIFT = '11111111-1111-4111-8111-111111111111';
const event = { name: 'gift.created', recordId: GIFT, properties: { after: { donorId: GIFT } } };
const moved = { name: 'person.updated', recordId: GIFT, properties: { before: { householdId: GIFT }, after: {} } };
const request = (body) => ({ requestContext: { http: { method: 'POST', path: '/s/recalculate-all' } }, body });

before(async () => {
  await build();
  await build(APP, '--sdk', '2.13.0', '--tarball');
});

let modules = 0;
const { Module } = WebAssembly;
WebAssembly.Module = class extends Module {
  constructor(...bytes) {
    modules += 1;
    super(...bytes);
  }
};

const load = async (output, bundle) => (await import(pathToFileURL(join(APP, '.twenty', output, bundle)).href)).default.config.handler;

const environment = (url, config) =>
  Object.assign(process.env, {
    TWENTY_API_URL: url,
    TWENTY_API_KEY: 'app',
    TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app',
    ROLLUP_ENGINE_CONFIG: config,
  });

for (const output of ['output', 'output-2.13.0']) {
  test(`${output}: nothing is made and nothing asked`, async (t) => {
    const server = await listen(t, () => ({ status: 500, body: {} }));
    modules = 0;
    for (const config of ['[]', ' [ ] ', '{"definitions":[],"timeZone":"Europe/London"}']) {
      environment(server.url, config);
      for (const [bundle, payload] of [
        [ROLLUPS, {}],
        [ROLLUPS, event],
        [ROLLUPS, request({})],
        [ROLLUPS, { sweep: true }],
        [PERSON_EVENTS, moved],
        [SWEEP, {}],
        [REBUILD_LATER, {}],
        [POST_INSTALL, { newVersion: '1.0.0' }],
      ]) {
        const { status, code } = await (await load(output, bundle))(payload);
        assert.deepEqual([status, code], ['noop', 'paused'], `${bundle} ${JSON.stringify(payload)}`);
      }
    }
    assert.deepEqual([modules, server.calls.length], [0, 0]);
  });
}

// How things stand is told of a paused app too; that takes the engine.
test('health of a paused app', async (t) => {
  const server = await listen(t, () => ({ body: { data: { appKeyValue: null } } }));
  environment(server.url, '[]');
  const answer = await (await load('output', ROLLUPS))(request({ health: true }));
  assert.equal(answer.status, 503);
  assert.deepEqual(answer.body.health.problems.map(({ code }) => code), ['paused']);
});

// Only an empty list of definitions pauses: a mistake is told by the engine.
test('configurations that pause nothing', async (t) => {
  const server = await listen(t, () => ({ status: 401, body: { statusCode: 401, messages: ['no'] } }));
  for (const config of ['', '{"definitions":', '{}', '"[]"', '[{}]']) {
    environment(server.url, config);
    const report = await (await load('output', ROLLUPS))({});
    assert.equal(report.status, 'error', config);
    assert.equal(report.code, config ? 'invalid_config' : 'unauthorized', config);
  }
});
