/** `npm start` tells its story to the end, and every total in it is right. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { carries, totalsOf } from './oracle.mjs';

// The demonstration ends with every donor right, before and after the events.
test('demonstration ends right', async () => {
  const script = fileURLToPath(new URL('./start.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  assert.equal(stdout.match(/2,357 of 2,357 right/g)?.length, 2, stdout);
  assert.match(stdout, /event gift\.created, 2 records/);
  assert.match(stdout, / 0 refused/);
});

test('oracle: reversals lower sums, and what has a day ends today', () => {
  const gift = (date, pounds) => ({ donor: 'a', date, micros: BigInt(pounds) * 1_000_000n, currency: 'GBP' });
  const gifts = [gift('2026-02-01', 100), gift('2026-03-01', -30), gift('2026-12-01', 10)];
  const total = totalsOf(gifts, '2026-06-01').get('a');
  assert.deepEqual([total.sum, total.count, total.yearSum, total.yearCount, total.last], [80_000_000n, 2, 70_000_000n, 1, '2026-02-01']);
});

// The independent computation would notice a wrong total.
test('oracle notices a wrong total', () => {
  const gifts = [
    { donor: 'a', date: '2026-05-01', micros: 5_000_000n, currency: 'USD' },
    { donor: 'a', date: '2025-05-01', micros: 0n, currency: 'USD' },
  ];
  const person = {
    lifetimeGiftAmount: { amountMicros: 5_000_000, currencyCode: 'USD' },
    yearToDateGiftAmount: { amountMicros: 5_000_000, currencyCode: 'USD' },
    lifetimeGiftCount: 1,
    yearToDateGiftCount: 1,
    firstGiftDate: '2026-05-01',
    lastGiftDate: '2026-05-01',
  };
  const total = totalsOf(gifts, '2026-06-01').get('a');
  assert.ok(carries(person, total));
  assert.ok(!carries({ ...person, lifetimeGiftCount: 2 }, total));
  assert.ok(!carries({ ...person, firstGiftDate: '2025-05-01' }, total));
  assert.ok(!carries({ ...person, lifetimeGiftAmount: { amountMicros: 5_000_000, currencyCode: null } }, total));
});
