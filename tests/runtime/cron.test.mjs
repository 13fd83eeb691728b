import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ticks } from './cron.mjs';

const SUNDAY = '2026-11-22T02:00:00Z';
const at = (pattern, time) => ticks(pattern, new Date(time));

test('a pattern has the minutes that cron gives it', () => {
  for (const [pattern, yes, no] of [
    ['* * * * *', ['2026-11-25T13:37:59Z'], []],
    ['0 2 * * *', [SUNDAY, '2026-11-25T02:00:30Z'], ['2026-11-25T02:01:00Z', '2026-11-25T14:00:00Z']],
    ['*/15 * * * *', ['2026-11-25T13:45:00Z', '2026-11-25T13:00:00Z'], ['2026-11-25T13:40:00Z']],
    ['5-9/2 * * * *', ['2026-11-25T13:07:00Z'], ['2026-11-25T13:06:00Z', '2026-11-25T13:11:00Z']],
    ['0 0 1 1,7 *', ['2026-07-01T00:00:00Z'], ['2026-08-01T00:00:00Z', '2026-07-02T00:00:00Z']],
    ['0 2 * * 7', [SUNDAY], ['2026-11-23T02:00:00Z']],
    ['0 2 * * 0', [SUNDAY], ['2026-11-23T02:00:00Z']],
    ['0 2 1 * 1', ['2026-11-23T02:00:00Z', '2026-11-01T02:00:00Z'], [SUNDAY]],
  ]) {
    for (const time of yes) assert.equal(at(pattern, time), true, `${pattern} ${time}`);
    for (const time of no) assert.equal(at(pattern, time), false, `${pattern} ${time}`);
  }
});
