import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Jobs } from './jobs.mjs';

const entry = { name: 'f' };
const items = (count) => Array.from({ length: count }, (_, n) => ({ payload: { n } }));

// More than 500 runs a minute are dropped with a warning, a group as a whole.
test('budget of 500 runs a minute', async () => {
  let now = 0;
  const warnings = [];
  const done = [];
  const jobs = new Jobs(async ({ payload }) => done.push(payload) && {}, { now: () => now, warn: (line) => warnings.push(line) });
  assert.equal(jobs.enqueue(entry, items(450)).length, 450);
  assert.equal(jobs.enqueue(entry, items(51)).length, 0);
  assert.equal(jobs.enqueue(entry, items(50)).length, 50);
  now += 60_000;
  assert.equal(jobs.enqueue(entry, items(500)).length, 500);
  await jobs.idle();
  assert.equal(done.length, 1000);
  assert.deepEqual(warnings, ['dropped 51 runs of f: more than 500 a minute']);
});

// Only a retryable error is tried again, and not for ever.
test('retries of retryable errors alone', async () => {
  const attempts = { RetryableLogicFunctionError: 0, Error: 0 };
  const execute = async ({ payload: { name } }) => {
    attempts[name] += 1;
    return { error: { name, message: 'no' } };
  };
  const jobs = new Jobs(execute, { backoffMs: 1 });
  const ids = Object.keys(attempts).map((name) => jobs.enqueue(entry, [{ payload: { name } }])[0]);
  await jobs.idle();
  assert.deepEqual(attempts, { RetryableLogicFunctionError: 4, Error: 1 });
  for (const id of ids) {
    const { state, failedReason } = jobs.status(id);
    assert.deepEqual([state, failedReason], ['FAILED', 'no']);
  }
});

test('at most so many run at once', async () => {
  let running = 0;
  let most = 0;
  const execute = async () => {
    most = Math.max(most, (running += 1));
    await new Promise(setImmediate);
    running -= 1;
    return {};
  };
  const jobs = new Jobs(execute, { limits: { parallel: 3 } });
  jobs.enqueue(entry, items(20));
  await jobs.idle();
  assert.equal(most, 3);
});

// A job id that is still waiting is not enqueued twice.
test('waiting job ids are unique', async () => {
  let runs = 0;
  const jobs = new Jobs(async () => ({ runs: (runs += 1) }));
  jobs.enqueue(entry, [{ jobId: 'same' }, { jobId: 'same' }], { delayMs: 5 });
  assert.equal(jobs.status('same').state, 'DELAYED');
  await jobs.idle();
  assert.equal(runs, 1);
  assert.equal(jobs.status('same').state, 'COMPLETED');
});

// In a hurry delays pass at once, in the order in which they are due, and the budget sees the time.
test('delays pass at once in a hurry', async () => {
  const done = [];
  const jobs = new Jobs(
    async ({ payload: { n } }) => {
      done.push(n);
      if (n === 1) jobs.enqueue(entry, [{ payload: { n: 4 } }], { delayMs: 60_000 });
      return {};
    },
    { now: () => 0, limits: { enqueued: 4 } },
  );
  jobs.enqueue(entry, [{ payload: { n: 3 } }], { delayMs: 7 * 24 * 3_600_000 });
  jobs.enqueue(entry, [{ payload: { n: 2 } }], { delayMs: 3_600_000 });
  jobs.enqueue(entry, [{ payload: { n: 1 } }]);
  await jobs.idle({ hurry: true });
  assert.deepEqual(done, [1, 4, 2, 3]);
  assert.equal(jobs.now(), 7 * 24 * 3_600_000);
  assert.equal(jobs.enqueue(entry, items(4)).length, 4);
});

// Without a hurry a delayed job keeps the queue from being idle.
test('delayed job keeps the queue busy', async () => {
  const jobs = new Jobs(async () => ({}));
  const [id] = jobs.enqueue(entry, [{}], { delayMs: 20 });
  await jobs.idle();
  assert.equal(jobs.status(id).state, 'COMPLETED');
});
