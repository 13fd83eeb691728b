// Every wait is a whole number of milliseconds where JavaScript gets it.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { prepare } from '../support/project.mjs';

let rollups;

before(async () => {
  prepare();
  rollups = await import('../../pkg/rollups/node.js');
});

const definition = { parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [{ type: 'COUNT', parentField: 'n' }] };
const options = (more) => ({ apiUrl: 'http://twenty.test', token: 't', config: [definition], log: () => {}, ...more });

/** Time-outs are whole numbers, whatever time a run has. */
test('time-outs of calls', async (t) => {
  const real = AbortSignal.timeout.bind(AbortSignal);
  const asked = [];
  t.mock.method(AbortSignal, 'timeout', (millis) => {
    asked.push(millis);
    return real(millis);
  });
  const fetch = async () => new Response('{}', { status: 401 });
  // A run of this time gives its calls five seconds more; 1.001 s are 1000.9999999999999 ms to a careless reader.
  for (let millis = 0; millis <= 55_000; millis += 11) {
    await rollups.calculateRollups({}, options({ fetch, timeLimitSeconds: millis / 1_000 }));
  }
  assert.ok(asked.length >= 4_500, `${asked.length} calls`);
  assert.deepEqual(asked.filter((millis) => !Number.isInteger(millis) || millis < 0), []);
});

test('waits between attempts', async (t) => {
  const asked = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, 'setTimeout', (callback, millis, ...rest) => {
    asked.push(millis);
    return real(callback, 0, ...rest);
  });
  const fetch = async () => new Response('{}', { status: 503 });
  for (let run = 0; run < 100; run += 1) await rollups.calculateRollups({}, options({ fetch }));
  assert.ok(asked.length >= 300, `${asked.length} waits`);
  assert.deepEqual(asked.filter((millis) => !Number.isInteger(millis)), []);
});

/** The reason of a call that cannot be made has no token and no query in it. */
test('secrets in reasons', async () => {
  const lines = [];
  const log = (line) => lines.push(line);
  const failing = [
    new TypeError('Headers.append: "Bearer s3cret" is an invalid header value.'),
    new TypeError('error sending request for url (http://twenty.test/rest/people?filter=ada@example.org): refused'),
    new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9') }),
    new TypeError('no such token: s3cret'),
  ];
  const fetch = async () => {
    throw failing[lines.length % failing.length];
  };
  await rollups.calculateRollups({}, options({ fetch, log, token: 's3cret' }));
  const told = JSON.stringify(lines);
  assert.ok(!/s3cret|ada@example/.test(told), told);
  const reasons = lines.filter(({ event }) => event === 'request_retried').map(({ reason }) => reason);
  assert.deepEqual(reasons, [
    'the request could not be made with this token',
    'error sending request for url (http://twenty.test/rest/people?…): refused',
    'fetch failed: connect ECONNREFUSED 127.0.0.1:9',
  ]);
});
