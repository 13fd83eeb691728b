// The arithmetic of the page: columns of a distribution, months of giving, filters of the server, words.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amountDistribution, countDistribution, yearDistribution } from '../../pkg/rollups/cli/report/distribution.js';
import { serverFilter } from '../../pkg/rollups/cli/report/filter.js';
import { escaped, html } from '../../pkg/rollups/cli/report/html.js';
import { currenciesOf, givingOf } from '../../pkg/rollups/cli/report/months.js';
import { runInLine } from '../../pkg/rollups/cli/report/runs.js';
import { childrenInWords, conditionInWords, several, totalInWords } from '../../pkg/rollups/cli/report/words.js';

const groups = (...pairs) => pairs.map(([value, parents]) => ({ value, code: 'GBP', parents }));
const columns = ({ bins }) => bins.map(({ label, parents }) => `${label}: ${parents}`);
const plain = (value) => String(value);

test('columns of amounts', () => {
  const spread = amountDistribution(groups([0, 7], [null, 3], [3, 1], [5, 2], [9.99, 1], [10, 4], [55, 2]), plain);
  assert.deepEqual(columns(spread), ['2 to 5: 1', '5 to 10: 3', '10 to 20: 4', '20 to 50: 0', '50 to 100: 2']);
  assert.deepEqual([spread.counted, spread.none, spread.median, Math.round(spread.total)], [10, 10, 10, 173]);
  assert.equal(spread.topTenthShare, 55 / spread.total);
});

test('every parent is in one column', () => {
  for (const values of [[0.01, 1e9], [1], [1, 1.99, 2], [0.07, 0.3, 12], [-5, 5], [100, 1000, 10000], [9e15]]) {
    const { bins, counted } = amountDistribution(groups(...values.map((value) => [value, 1])), plain);
    assert.equal(bins.reduce((sum, { parents }) => sum + parents, 0), counted, values.join());
    assert.ok(bins.length <= 16, `${bins.length} columns`);
  }
});

test('amounts below zero', () => {
  const spread = amountDistribution(groups([-5, 2], [15, 20]), plain);
  assert.deepEqual(columns(spread), ['below zero: 2', '10 to 20: 20']);
  assert.equal(spread.topTenthShare, undefined);
});

test('columns of counts', () => {
  assert.deepEqual(columns(countDistribution(groups([1, 5], [2, 1], [4, 1]))), ['1: 5', '2: 1', '3: 0', '4: 1']);
  assert.deepEqual(columns(countDistribution(groups([1, 5], [8, 1]))), ['1: 5', '2: 0', '3: 0', '4: 0', '5: 0', '6 to 10: 1']);
  assert.deepEqual(columns(countDistribution(groups([1, 1], [500, 3]))).at(-1), '101 and more: 3');
});

test('columns of years', () => {
  assert.deepEqual(columns(yearDistribution(groups([2026, 5], [2024, 1], [null, 4]))), ['2024: 1', '2025: 0', '2026: 5']);
  assert.deepEqual(columns(yearDistribution(groups([2026, 5], [1990, 2]))).slice(0, 2), ['before 2012: 2', '2012: 0']);
});

test('nothing to spread', () => {
  for (const spread of [amountDistribution, countDistribution, yearDistribution]) {
    const { bins, counted, none, median, total } = spread(groups([null, 3]), plain);
    assert.deepEqual([bins, counted, none, median, total], [[], 0, 3, 0, 0]);
  }
});

const month = (at, amount, code = 'GBP') => ({ month: at, code, amount, children: 1 });

test('months up to the current one', () => {
  const { months, lastYear, yearBefore, until } = givingOf([month('2024-11', 5), month('2025-10', 7), month('2025-11', 1), month('2026-10', 2), month('2026-11', 100), month('2027-01', 50), month(null, 9)], '2026-11');
  assert.deepEqual([months[0].month, months.at(-1).month, months.length], ['2024-11', '2026-11', 25]);
  assert.deepEqual([months.at(-1).amount, months.at(-1).current], [100, true]);
  assert.deepEqual([lastYear, yearBefore, until], [3, 12, '2026-10']);
});

test('months that ended long ago', () => {
  const { months, until } = givingOf([month('1997-01', 5), month('1998-06', 5)], '2026-11');
  assert.deepEqual([months.length, months.at(-1).month, months.at(-1).current, until], [18, '1998-06', false, '1998-06']);
});

// Half a year would be compared with a whole one.
test('no comparison with months before the first', () => {
  assert.equal(givingOf([month('2025-03', 5), month('2026-10', 5)], '2026-11').yearBefore, undefined);
  assert.equal(givingOf([month('2024-11', 5), month('2026-10', 1)], '2026-11').yearBefore, 5);
  assert.equal(givingOf([month('2024-12', 5), month('2026-10', 1)], '2026-11').yearBefore, undefined);
});

test('at most three years of months', () => assert.equal(givingOf([month('2001-01', 1), month('2026-11', 1)], '2026-11').months.length, 36));

test('nothing up to now', () => {
  assert.equal(givingOf([month(null, 5), month('2027-01', 5)], '2026-11'), undefined);
  assert.deepEqual(currenciesOf([month('2026-01', 1, 'EUR'), month('2026-01', 1), month('2026-02', 1), month('2026-02', 1, null)]), ['GBP', 'EUR']);
});

const FIELDS = new Map(Object.entries({ amount: 'CURRENCY', giftDate: 'DATE', at: 'DATE_TIME', status: 'SELECT', note: 'TEXT', size: 'NUMBER', ok: 'BOOLEAN', tags: 'ARRAY' }));
const CALENDAR = { timeZone: 'Pacific/Auckland', fiscalYearStartMonth: 4, now: new Date('2026-03-31T12:30:00Z') };
const filterOf = (field, operator, value, more) => serverFilter({ field, operator, ...(value !== undefined && { value }), ...more }, FIELDS, CALENDAR);

test('conditions as filters of the server', () => {
  assert.deepEqual(filterOf('status', 'equals', 'PAID'), { or: [{ status: { eq: 'PAID' } }] });
  assert.deepEqual(filterOf('note', 'equals', ''), { or: [{ note: { is: 'NULL' } }] });
  assert.deepEqual(filterOf('status', 'in', ['PAID', null]), { or: [{ status: { eq: 'PAID' } }, { status: { is: 'NULL' } }] });
  assert.deepEqual(filterOf('status', 'notEquals', 'PAID'), { or: [{ and: [{ status: { neq: 'PAID' } }] }, { status: { is: 'NULL' } }] });
  assert.deepEqual(filterOf('status', 'notIn', ['A', null]), { and: [{ status: { is: 'NOT_NULL' } }, { status: { neq: 'A' } }] });
  assert.deepEqual(filterOf('amount.amountMicros', 'gt', 5), { amount: { amountMicros: { gt: 5 } } });
  assert.deepEqual(filterOf('ok', 'equals', true), { or: [{ ok: { eq: true } }] });
});

// In Auckland it is 1 April already.
test('days that move', () => {
  const day = (dynamicValue) => filterOf('giftDate', 'gte', undefined, { dynamicValue });
  assert.deepEqual(day('today'), { giftDate: { gte: '2026-04-01' } });
  assert.deepEqual(day('startOfMonth'), { giftDate: { gte: '2026-04-01' } });
  assert.deepEqual(day('startOfYear'), { giftDate: { gte: '2026-01-01' } });
  assert.deepEqual(day('startOfFiscalYear'), { giftDate: { gte: '2026-04-01' } });
});

test('conditions that the server would understand otherwise', () => {
  for (const condition of [
    ['amount.amountMicros', 'gt', 0, { subtractField: 'refunded.amountMicros' }],
    ['at', 'gte', '2026-01-01'],
    ['tags', 'equals', 'a'],
    ['note', 'gt', 'a'],
    ['missing', 'equals', 'a'],
    ['size', 'gt', '5'],
    ['giftDate', 'gt', '2026-01-01T00:00:00Z'],
    ['ok', 'equals', 'true'],
    ['amount', 'equals', 5],
    ['status', 'in', []],
  ]) {
    assert.equal(filterOf(...condition), undefined, JSON.stringify(condition));
  }
});

test('definitions in words', () => {
  assert.equal(conditionInWords({ field: 'amount.amountMicros', subtractField: 'refundedAmount.amountMicros', operator: 'gt', value: 0 }), 'amount less refunded amount is above zero');
  assert.equal(conditionInWords({ field: 'amount.amountMicros', operator: 'lt', value: 5_000_000 }), 'amount is less than 5');
  assert.equal(conditionInWords({ field: 'giftDate', operator: 'gte', dynamicValue: 'startOfFiscalYear' }), 'gift date is on or after the first day of this fiscal year');
  assert.equal(conditionInWords({ field: 'status', operator: 'notIn', value: ['refunded', null] }), 'status is none of refunded, empty');
  assert.equal(conditionInWords({ field: 'status', operator: 'notEquals', value: null }), 'status has a value');
  const definition = { parentObject: 'person', childObject: 'gift', relationField: 'donorId', childFilters: [{ field: 'status', operator: 'equals', value: 'paid' }] };
  assert.equal(childrenInWords(definition), 'For each person, from the gifts that name it as donor, if the status is paid.');
  assert.equal(totalInWords({ type: 'MAX', childField: 'giftDate', parentField: 'x' }, 'gift'), 'the latest gift date');
  assert.equal(totalInWords({ type: 'COUNT', childField: 'receiptNumber', parentField: 'x' }, 'gift'), 'the number of gifts that have a receipt number');
  assert.deepEqual(['person', 'company', 'gift', 'recurringAgreement', 'branch', 'day'].map(several), ['people', 'companies', 'gifts', 'recurring agreements', 'branches', 'days']);
});

test('texts in a template', () => {
  assert.equal(html`<p title="${'"\''}">${['<b>', html`<i>${'&'}</i>`, null, false, 0]}</p>`.text, '<p title="&quot;&#39;">&lt;b&gt;<i>&amp;</i>0</p>');
  assert.equal(escaped('a\u0000\u202Eb\uD800c\nd'), 'ab\uFFFDc\nd');
});

test('times of a log', () => {
  const line = (before) => runInLine(`${before}{"level":"info","event":"rollups_calculated","status":"ok","mode":"sweep"}`)?.at;
  assert.equal(line('2026-11-01T02:00:09.5+01:00 '), '2026-11-01T01:00:09.000Z');
  assert.equal(line('[2026-11-01 02:00:09,123] INFO '), '2026-11-01T02:00:09.000Z');
  assert.equal(line('02:00:09 '), undefined);
  assert.equal(line('2026-99-99T99:99:99Z '), undefined);
  assert.equal(runInLine('{"event":"rollups_calculated"'), undefined);
  assert.equal(runInLine('{"level":"info","event":"page_read","note":"rollups_calculated"}'), undefined);
});
