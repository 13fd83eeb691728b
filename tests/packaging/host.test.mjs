// What the engine asks of the runtime's `fetch`.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { serve } from '../support/http-server.mjs';
import { prepare } from '../support/project.mjs';

let rollups;

before(async () => {
  prepare();
  rollups = await import('../../pkg/rollups/node.js');
});

const config = [
  {
    parentObject: 'person',
    childObject: 'gift',
    relationField: 'donorId',
    aggregations: [{ type: 'COUNT', parentField: 'giftCount' }],
  },
];

// A redirect is not followed: the token does not travel to where an answer points.
test('redirects are not followed', async (t) => {
  const seen = [];
  const apiUrl = await serve(t, (request, response) => {
    seen.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const options = { apiUrl, token: 't', config, log: () => {}, timeLimitSeconds: 1 };
  assert.notEqual((await rollups.calculateRollups({}, options)).status, 'ok');
  assert.ok(seen.length > 0);
  assert.ok(!seen.includes('/elsewhere'), seen.join());
});

// A request carries its token, its time-out and nothing of the environment besides.
test('headers and time-out of a request', async () => {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url, init });
    return new Response('{}', { status: 401 });
  };
  const env = {
    TWENTY_API_URL: 'https://crm.example.org/rest',
    TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app',
    TWENTY_APP_ACCESS_TOKEN: 'user',
    SECRET: 'not for anybody',
  };
  const call = async (more) => {
    const report = await rollups.calculateRollups({}, { env, fetch, log: () => {}, ...more });
    assert.equal(report.code, 'unauthorized');
    return calls.pop();
  };
  const { url, init } = await call({});
  assert.equal(new URL(url).host, 'crm.example.org');
  assert.equal(init.headers.authorization, 'Bearer app');
  assert.equal(init.redirect, 'manual');
  assert.ok(init.signal instanceof AbortSignal);
  assert.ok(!JSON.stringify(init).includes('not for anybody'));

  // What is handed in goes over the environment, alone.
  const other = await call({ apiUrl: 'https://other.example.org', token: 'key' });
  assert.equal(new URL(other.url).host, 'other.example.org');
  assert.equal(other.init.headers.authorization, 'Bearer key');
});

// Log lines go to the console method of their level, as JSON.
test('log lines by console method', async (t) => {
  const lines = { log: [], warn: [], error: [] };
  for (const level of Object.keys(lines)) t.mock.method(console, level, (line) => lines[level].push(JSON.parse(line)));
  await rollups.calculateRollups({}, {});
  assert.deepEqual([lines.log, lines.warn], [[], []]);
  assert.equal(lines.error.length, 1);
  assert.deepEqual([lines.error[0].event, lines.error[0].status], ['rollups_calculated', 'error']);
});
