// What the cases of a `rollups.test.json` come to.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { prepare } from '../support/project.mjs';

let testTotals;

before(async () => {
  prepare();
  ({ testTotals } = await import('../../pkg/rollups/testing.js'));
});

const SUM = { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'given' };
const COUNT = { type: 'COUNT', parentField: 'count' };
const LAST = { type: 'MAX', childField: 'giftDate', parentField: 'last' };
const THIS_YEAR = { type: 'COUNT', parentField: 'thisYear', filters: [{ field: 'giftDate', operator: 'gte', dynamicValue: 'startOfFiscalYear' }] };
const GIFTS = { parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [SUM, COUNT, LAST, THIS_YEAR] };

/** The result of one case. */
function resultOf(records, expected, { definitions = [GIFTS], day = '2026-11-30', ...settings } = {}) {
  const [result] = testTotals({ definitions, ...settings }, { cases: [{ name: 'a case', parentObject: 'person', day, records, expected }] });
  return result;
}

const passes = (records, expected, settings) => assert.deepEqual(resultOf(records, expected, settings).differences, []);

test('amounts in words and as in Twenty', () => {
  const gift = ['12.50 GBP', { amountMicros: 500_000, currencyCode: 'gbp' }, { amountMicros: '250000', currencyCode: 'GBP' }].map((amount) => ({ amount }));
  for (const given of ['13.25 GBP', '13.250000 gbp', { amountMicros: 13_250_000, currencyCode: 'GBP' }, { amountMicros: '13250000', currencyCode: 'gbp' }]) {
    passes({ gift }, { given });
  }
  assert.deepEqual(resultOf({ gift }, { given: '13.26 GBP' }), {
    name: 'a case',
    passed: false,
    expected: { given: { amountMicros: 13_260_000, currencyCode: 'GBP' } },
    actual: { given: { amountMicros: 13_250_000, currencyCode: 'GBP' } },
    differences: ['given'],
    unread: ['gift.giftDate'],
  });
});

test('another currency is a difference', () => {
  assert.deepEqual(resultOf({ gift: [{ amount: '5 GBP' }] }, { given: '5.00 EUR' }).differences, ['given']);
});

test('negative amounts', () => passes({ gift: [{ amount: '-5.01 GBP' }] }, { given: '-5.01 GBP' }));

test('a parent without a record', () => {
  passes({}, { given: '0.00', count: 0, last: null, thisYear: 0 });
  passes({ gift: [] }, { given: { amountMicros: 0, currencyCode: null } });
});

test('several currencies are no total', () => {
  const records = { gift: [{ amount: '5 GBP' }, { amount: '5 EUR' }] };
  passes(records, { given: { noTotal: true }, count: 2 });
  assert.deepEqual(resultOf(records, { given: '10.00 GBP' }).actual, { given: { noTotal: true } });
});

// A record that Twenty would not count is not counted here either.
test('deleted records and those of nobody', () => {
  const gift = [{ amount: '5 GBP' }, { amount: '5 GBP', donorId: 'a' }, { amount: '7 GBP', deletedAt: '2026-01-02T03:04:05Z' }, { amount: '9 GBP', donorId: null }];
  passes({ gift }, { given: '10.00 GBP', count: 2 });
});

// The day is one of the configured zone, wherever that lies.
test('the day in every zone', () => {
  const gift = [{ giftDate: '2026-04-01' }, { giftDate: '2026-03-31' }];
  for (const timeZone of ['UTC', 'Europe/London', 'Pacific/Kiritimati', 'Pacific/Chatham', 'Pacific/Niue', 'Etc/GMT+12', 'America/St_Johns']) {
    const settings = { timeZone, fiscalYearStartMonth: 4 };
    passes({ gift }, { thisYear: 2 }, { ...settings, day: '2026-03-31' });
    passes({ gift }, { thisYear: 1 }, { ...settings, day: '2026-04-01' });
  }
});

// A child may belong to a parent by more than one relation, and a parent have several kinds of children.
test('several definitions of one parent', () => {
  const definitions = [
    GIFTS,
    { ...GIFTS, relationField: 'softDonorId', aggregations: [{ ...COUNT, parentField: 'softCount' }] },
    { ...GIFTS, childObject: 'pledge', aggregations: [{ ...COUNT, parentField: 'pledges' }] },
  ];
  const gift = [{ donorId: 'parent', softDonorId: null }, { donorId: null, softDonorId: 'parent' }, { donorId: null, softDonorId: 'parent' }];
  passes({ gift, pledge: [{}] }, { count: 1, softCount: 2, pledges: 1 }, { definitions });
});

test('fields that are not named are not compared', () => passes({ gift: [{ amount: '5 GBP' }] }, { count: 1 }));

test('definitions alone', () => {
  const [result] = testTotals([GIFTS], { cases: [{ name: 'a', parentObject: 'person', day: '2026-11-30', records: {}, expected: { count: 0 } }] });
  assert.equal(result.passed, true);
});

test('unsound definitions', () => {
  assert.throws(() => testTotals([{ ...GIFTS, parentObject: '' }], { cases: [] }), ({ code, faults }) => {
    assert.deepEqual([code, faults.length], ['invalid_config', 1]);
    return true;
  });
});

test('an unknown time zone', () => {
  assert.throws(() => resultOf({}, { count: 0 }, { timeZone: 'Europe/Lodnon' }), /Europe\/Lodnon/);
});
