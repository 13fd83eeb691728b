// What a run leaves for the next one, through the options `store` and `enqueue`.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { DONOR, TOKEN, fakeTwenty } from '../support/fake-twenty.mjs';
import { prepare } from '../support/project.mjs';

let rollups;

before(async () => {
  prepare();
  rollups = await import('../../pkg/rollups/node.js');
});

const config = {
  definitions: [
    {
      parentObject: 'person',
      childObject: 'gift',
      relationField: 'donorId',
      aggregations: [{ type: 'COUNT', parentField: 'lifetimeGiftCount' }],
    },
  ],
  graphql: 'off',
};
const event = {
  name: 'gift.created',
  objectMetadata: { nameSingular: 'gift' },
  properties: { after: { donorId: DONOR } },
};

/** The options of a run, and the lines that it logs. */
const options = (apiUrl, more = {}) => {
  const lines = [];
  return { lines, given: { apiUrl, token: TOKEN, config, log: (line) => lines.push(line), ...more } };
};

/** A store whose functions are methods, as a class has them. */
class Memory {
  kept = new Map();
  seen = new Map();

  async get(key) {
    return this.kept.get(key) ?? null;
  }

  set(key, value) {
    assert.equal(typeof value, 'string');
    this.seen.set(key, value);
    this.kept.set(key, value);
  }

  async delete(key) {
    this.kept.delete(key);
  }
}

const failing = (how) => ({ get: how, set: how, delete: how });
const throwing = () => {
  throw new Error('the store is down');
};

/** Everything is refused for the rate limit, but for the metadata, which this key may not read. */
const refusing = async (url) =>
  String(url).includes('/metadata/')
    ? Response.json({ statusCode: 403, error: 'ForbiddenException', messages: ['No.'] }, { status: 403 })
    : Response.json({ statusCode: 429, error: 'Error', messages: ['limit reached'] }, { status: 429, headers: { 'retry-after': '1' } });

// A rebuild has a lease while it works, gives it back, and leaves texts for the next.
test('lease and stored texts of a rebuild', async (t) => {
  const store = new Memory();
  const { given } = options(await fakeTwenty(t), { store });
  const report = await rollups.calculateRollups({}, given);
  assert.deepEqual([report.status, report.totals.updated], ['ok', 1]);
  assert.ok(store.seen.has('rollups.lease'));
  assert.ok(!store.kept.has('rollups.lease'));
  assert.ok(store.kept.has('rollups.swept'));
});

// A rebuild that finds another’s lease does nothing.
test('lease of another rebuild', async (t) => {
  const store = new Memory();
  store.set('rollups.lease', `${Date.now() + 60_000} 1`);
  const { given } = options(await fakeTwenty(t), { store });
  const report = await rollups.calculateRollups({}, given);
  assert.deepEqual([report.status, report.code, report.requests.total], ['noop', 'another_run', 0]);
});

for (const [how, store] of [
  ['throws', failing(throwing)],
  ['rejects', failing(() => Promise.reject(new Error('the store is down')))],
]) {
  // A store that … is no store, and is told once.
  test(`store that ${how}`, async (t) => {
    const { given, lines } = options(await fakeTwenty(t), { store });
    const report = await rollups.calculateRollups({}, given);
    assert.deepEqual([report.status, report.totals.updated], ['ok', 1]);
    const told = lines.filter(({ event: name }) => name === 'store_failed');
    assert.deepEqual(told, [{ level: 'warn', event: 'store_failed', message: 'the store is down' }]);
  });
}

// A store that keeps anything but texts keeps nothing.
test('store that keeps no texts', async (t) => {
  const store = { get: () => ({ until: 'for ever' }), set: () => {}, delete: () => {} };
  const { given, lines } = options(await fakeTwenty(t), { store });
  assert.equal((await rollups.calculateRollups({}, given)).status, 'ok');
  assert.deepEqual(lines.filter(({ level }) => level !== 'info' && level !== undefined).map(({ event: name }) => name), []);
});

// What the rate limit stops is asked to be done later, and is over with that.
test('continuation after the rate limit', async (t) => {
  const asked = [];
  const enqueue = async (payload, delayMs) => asked.push([payload, delayMs]) > 0;
  const { given } = options(await fakeTwenty(t), { enqueue, fetch: refusing });
  const report = await rollups.calculateRollups(event, given);
  assert.deepEqual([report.status, report.continued], ['partial', true]);
  assert.deepEqual(report.checkpoint.parents, { person: [DONOR] });
  assert.deepEqual(asked, [[{ checkpoint: report.checkpoint }, 60_000]]);
});

// Each waits for the server as in earnest, so they wait side by side.
describe('a queue that takes nothing on', { concurrency: true }, () => {
  for (const [how, enqueue, told] of [
    ['throws', throwing, 1],
    ['rejects', () => Promise.reject(new Error('the store is down')), 1],
    ['takes nothing on', async () => false, 0],
    ['says something else than true', async () => 'true', 0],
  ]) {
    // Where the queue …, the run goes on by itself.
    test(`queue that ${how}`, async (t) => {
      let refusals = 0;
      const fetch = (url, init) => {
        refusals += String(url).includes('/metadata/') ? 0 : 1;
        return refusals < 4 ? refusing(url) : globalThis.fetch(url, init);
      };
      const { given, lines } = options(await fakeTwenty(t), { enqueue, fetch });
      const report = await rollups.calculateRollups(event, given);
      assert.deepEqual([report.status, report.totals.updated], ['ok', 1]);
      assert.equal(lines.filter(({ event: name }) => name === 'enqueue_failed').length, told);
    });
  }
});

test('an option of the wrong kind is named', async () => {
  const fine = () => {};
  for (const [wrong, message] of [
    [{ store: 5 }, 'options: `store` must be an object'],
    [{ store: [] }, 'options: `store` must be an object'],
    [{ store: { get: fine, set: fine } }, 'options: `store.delete` must be a function'],
    [{ store: { get: 'x', set: fine, delete: fine } }, 'options: `store.get` must be a function'],
    [{ enqueue: {} }, 'options: `enqueue` must be a function'],
  ]) {
    await assert.rejects(rollups.calculateRollups({}, wrong), { code: 'invalid_options', message });
  }
});
