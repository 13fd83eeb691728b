// What a command is at: one line, one clock, an estimate, and counts that add up.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Progress } from '../../pkg/rollups/cli/progress.js';

const NOON = new Date(2026, 10, 30, 14, 3, 0).getTime();

/** A progress that is not drawn, at a clock that the test sets. */
function setUp(writes = true) {
  let now = NOON;
  const progress = new Progress({ isInteractive: false }, () => now, false);
  progress.begin(writes);
  return {
    progress,
    take: (event, fields) => progress.take({ level: 'info', event, ...fields }),
    later: (seconds) => (now += seconds * 1000),
    line: () => progress.line(),
  };
}

test('a wait for the rate limit is shown with its end', () => {
  const { take, later, line } = setUp();
  later(5);
  take('page_read', { object: 'gift', records: 400, of: 1000, secondsLeft: 60 });
  take('request_held_back', { waitMs: 15_000 });
  assert.equal(line(), '  waiting for the rate limit, goes on at 14:03:20  0:05');
  assert.ok(line().length <= 60);
  later(14);
  assert.match(line(), /goes on at 14:03:20 {2}0:19$/);
  later(2);
  assert.match(line(), /reading gift, 400 of 1,000/);
});

test('a wait ends with the next answer', () => {
  const { take, line } = setUp();
  take('request_held_back', { waitMs: 15_000 });
  take('parents_written', { object: 'person', written: 200, secondsLeft: 30 });
  assert.match(line(), /writing person, 200 written$/);
});

test('a server that does not answer is shown', () => {
  const { take, line } = setUp();
  take('request_retried', { waitMs: 20_000, status: null });
  assert.equal(line(), '  the server does not answer, tries again at 14:03:20  0:00');
  take('request_retried', { waitMs: 20_000, status: 503 });
  assert.match(line(), /the server answers 503, tries again at 14:03:20/);
});

// A refusal is followed by the line of the wait that it causes.
test('a refusal alone is no wait', () => {
  const { take, line } = setUp();
  take('request_retried', { waitMs: 20_000, status: 429 });
  assert.equal(line(), '  looking at the workspace  0:00');
});

test('the estimate is the plan’s, then the run’s', () => {
  const { take, later, line } = setUp();
  take('plan_made', { seconds: 60, secondsAtMost: 180 });
  assert.match(line(), /0:00, 60 s–3 min left/);
  assert.ok(line().length <= 60);
  later(30);
  assert.match(line(), /0:30, 30 s–3 min left/);
  take('parents_written', { object: 'person', written: 1_000, secondsLeft: 90 });
  assert.match(line(), /^ {2}█{2}░{6} 0:30, ~90 s left {2}writing person, 1,000 written$/);
  assert.ok(line().length <= 60);
  later(88);
  assert.match(line(), /1:58, ~2 s left/);
  later(10);
  assert.match(line(), /█{8} 2:08, nearly done/);
});

test('a plan whose least time has gone by, and one of one time', () => {
  const { take, later, line } = setUp();
  take('plan_made', { seconds: 20, secondsAtMost: 100 });
  later(20);
  assert.match(line(), /0:20, up to 80 s left/);
  take('page_read', { object: 'gift', records: 400, of: 1000 });
  assert.match(line(), /0:20, up to 80 s left/, 'a line without an estimate leaves the plan’s as it is');
  take('plan_made', { seconds: 20, secondsAtMost: 20 });
  assert.match(line(), /~20 s left/);
  later(20);
  assert.match(line(), /nearly done/);
});

test('a comparison does not count the writes of the plan', () => {
  const { take, line } = setUp(false);
  take('plan_made', { seconds: 60, secondsAtMost: 180 });
  assert.doesNotMatch(line(), /left/);
});

// Slices tell of themselves alone, a later run of the same command begins its counts anew, and the clock goes on.
test('counts of slices and runs add up', () => {
  const { progress, take, later, line } = setUp();
  take('parents_compared', { object: 'person', parents: 1_000, of: 3_000, differ: 1_000 });
  take('parents_compared', { object: 'person', parents: 1_000, of: 3_000, differ: 1_000 });
  assert.match(line(), /comparing person, 2,000 of 3,000/);
  take('parents_written', { object: 'person', written: 1_500 });
  later(600);
  progress.end();
  progress.begin(true);
  take('parents_compared', { object: 'person', parents: 1_000, of: 3_000, differ: 500 });
  assert.match(line(), /comparing person, 1,000 of 3,000, 1,500 written/);
  take('parents_written', { object: 'person', written: 300 });
  assert.match(line(), /writing person, 1,800 written {2}10:00$/);
});

// A count that goes on while it is read is not above itself.
test('more records than were counted', () => {
  const { take, line } = setUp();
  take('page_read', { object: 'gift', records: 1_200, of: 1_000 });
  assert.match(line(), /1,200 of 1,200/);
});
