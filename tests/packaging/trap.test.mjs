// A fault of the engine ends the calls that it hits, and nothing else: not the process, not the next call.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { DONOR, TOKEN, fakeTwenty } from '../support/fake-twenty.mjs';
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
    aggregations: [{ type: 'COUNT', parentField: 'lifetimeGiftCount' }],
  },
];
const event = {
  name: 'gift.created',
  objectMetadata: { nameSingular: 'gift' },
  properties: { after: { donorId: DONOR } },
};
const options = (apiUrl, more = {}) => ({ apiUrl, token: TOKEN, config, log: () => {}, ...more });

/**
 * An answer whose only bytes are one when they are counted, and then more than a vector in a 32-bit memory can be: a real
 * panic, and no memory is touched.
 */
const lying = async () => {
  let asked = 0;
  const value = Object.defineProperty(new Uint8Array(1), 'length', { get: () => (asked++ === 0 ? 1 : 2 ** 31) });
  const steps = [{ done: false, value }, { done: true }];
  return { status: 200, headers: [], body: { getReader: () => ({ read: async () => steps.shift() }) } };
};

// A panic says what and where, to the caller and on the console, and the next call works.
test('panic is reported, next call works', async (t) => {
  const url = await fakeTwenty(t);
  const lines = [];
  t.mock.method(console, 'error', (line) => lines.push(JSON.parse(line)));
  const report = await rollups.calculateRollups(event, options(url, { fetch: lying }));
  assert.deepEqual([report.status, report.code], ['error', 'engine_trap']);
  assert.match(report.message, /capacity overflow \(.+\.rs:\d+\)/);
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0].level, lines[0].event], ['error', 'engine_panicked']);
  assert.match(lines[0].message, /capacity overflow/);
  assert.equal((await rollups.calculateRollups(event, options(url))).status, 'ok');
});

// Calls that were under way end with the same code, whatever they were waiting for.
test('panic ends calls under way', async (t) => {
  t.mock.method(console, 'error', () => {});
  const url = await fakeTwenty(t);
  // One waits for an answer, one for a timer: it was refused and is to come again.
  let answer;
  const slow = () => new Promise((done) => (answer = done));
  const refusing = async () => new Response('{}', { status: 429, headers: { 'retry-after': '1' } });
  const waiting = [slow, refusing].map((fetch) => rollups.calculateRollups(event, options(url, { fetch, timeLimitSeconds: 20 })));
  await wait(50);

  const hit = await rollups.calculateRollups(event, options(url, { fetch: lying }));
  assert.equal(hit.code, 'engine_trap');
  const next = rollups.calculateRollups(event, options(url));
  answer(new Response('{}'));
  for (const report of await Promise.all(waiting)) assert.equal(report.code, 'engine_trap');
  // Their end replaces nothing: the instance that the next call runs in is another.
  assert.equal((await next).status, 'ok');
});

// The functions that do not wait throw an error of that code, and work again.
test('panic in a synchronous function', (t) => {
  t.mock.method(Date, 'now', () => {
    throw new Error('the clock broke');
  });
  assert.throws(() => rollups.computeTotals(config[0], []), { name: 'Error', code: 'engine_trap', message: /the clock broke/ });
  t.mock.restoreAll();
  assert.deepEqual(rollups.computeTotals(config[0], []), { lifetimeGiftCount: 0 });
});

// What the caller hands in cannot break the engine.
test('hostile input does not break the engine', async () => {
  const cyclic = {};
  cyclic.self = cyclic;
  const throwing = {
    get field() {
      throw new Error('from a getter');
    },
  };
  for (const payload of [cyclic, throwing, { big: 1n }]) {
    const error = { name: 'Error', code: 'invalid_payload', message: /^payload: cannot be written as JSON/ };
    await assert.rejects(rollups.calculateRollups(payload, {}), error);
    assert.throws(() => rollups.computeTotals(config[0], [payload]), { code: 'invalid_records' });
    assert.throws(() => rollups.validateDefinitions(payload), { code: 'invalid_config' });
  }
  for (const wrong of [getter('apiUrl'), getter('fetch'), { env: getter('TWENTY_API_URL') }, { config: cyclic }]) {
    await assert.rejects(rollups.calculateRollups({}, wrong), { code: 'invalid_options' });
  }
});

const getter = (name) =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get() {
      throw new Error('from a getter');
    },
  });

// A fetch or a log that fails is an unreachable server or a lost line, not a fault.
test('failing fetch or log is no fault', async (t) => {
  const url = await fakeTwenty(t);
  const bad = [
    () => {
      throw new Error('at once');
    },
    () => Promise.reject('a text'),
    async () => undefined,
    async () => getter('status'),
    async () => ({ status: 200, headers: 5, arrayBuffer: 5 }),
  ];
  for (const fetch of bad) {
    const report = await rollups.calculateRollups(event, options(url, { fetch, timeLimitSeconds: 0 }));
    assert.notEqual(report.code, 'engine_trap', fetch.toString());
    assert.notEqual(report.status, 'ok', fetch.toString());
  }
  const log = () => {
    throw new Error('no log');
  };
  assert.equal((await rollups.calculateRollups(event, options(url, { log }))).status, 'ok');
});
