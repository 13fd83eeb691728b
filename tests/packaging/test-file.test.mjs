// The JSON Schema of `rollups.test.json`, and whether it agrees with what the library accepts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { PACKAGE, importPackage, prepare } from '../support/project.mjs';

let accepts;
let testTotals;
let schema;

before(async () => {
  prepare();
  // Imported only after `prepare`, which installs the one and sees that the other is built.
  const { default: Ajv } = await importPackage('ajv/dist/2020.js');
  ({ testTotals } = await import('../../pkg/rollups/testing.js'));
  schema = JSON.parse(readFileSync(join(PACKAGE, 'rollups.test.schema.json'), 'utf8'));
  accepts = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
});

const DEFINITIONS = [
  {
    parentObject: 'person',
    childObject: 'gift',
    relationField: 'donorId',
    aggregations: [
      { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'given' },
      { type: 'MAX', childField: 'giftDate', parentField: 'last' },
    ],
  },
];

const given = (changes = {}) => ({ name: 'a case', parentObject: 'person', day: '2026-11-30', records: {}, expected: { last: null }, ...changes });
const file = (changes) => ({ cases: [given(changes)] });
const expected = (last) => file({ expected: { last } });

const SOUND = {
  'a case': () => file(),
  'a schema for editors': () => ({ $schema: 'https://example.org/s.json', ...file() }),
  'records of an object': () => file({ records: { gift: [{ giftDate: '2026-01-02', amount: '1 GBP', anything: [{}] }] } }),
  'no records of an object': () => file({ records: { gift: [] } }),
  'a number': () => expected(5.5),
  'a text': () => expected('2026-01-02'),
  'money': () => file({ expected: { given: { amountMicros: 1, currencyCode: 'GBP' } } }),
  'money in words': () => file({ expected: { given: '12.50 GBP' } }),
  'money whose micros are a text': () => file({ expected: { given: { amountMicros: '-5', currencyCode: null } } }),
  'no total': () => file({ expected: { given: { noTotal: true } } }),
};

const UNSOUND = {
  'a text as file': () => 'cases',
  'null as file': () => null,
  'a list as file': () => [given()],
  'no cases': () => ({}),
  'an empty list of cases': () => ({ cases: [] }),
  'cases that are no list': () => ({ cases: {} }),
  'an unknown key': () => ({ ...file(), tests: [] }),
  'a schema that is no text': () => ({ ...file(), $schema: 5 }),
  'a case that is a text': () => ({ cases: ['a'] }),
  'a case that is a list': () => ({ cases: [[]] }),
  'an unknown key of a case': () => file({ today: '2026-11-30' }),
  'no name': () => file({ name: undefined }),
  'a blank name': () => file({ name: ' ' }),
  'a number as name': () => file({ name: 5 }),
  'no day': () => file({ day: undefined }),
  'a day with slashes': () => file({ day: '30/11/2026' }),
  'an instant as day': () => file({ day: '2026-11-30T00:00:00Z' }),
  'no parent': () => file({ parentObject: undefined }),
  'a parent with a slash': () => file({ parentObject: 'per/son' }),
  'no records': () => file({ records: undefined }),
  'records in a list': () => file({ records: [] }),
  'records of an object that are none': () => file({ records: { gift: {} } }),
  'a record that is a text': () => file({ records: { gift: ['a'] } }),
  'a record that is null': () => file({ records: { gift: [null] } }),
  'no expectation': () => file({ expected: undefined }),
  'an empty expectation': () => file({ expected: {} }),
  'an expectation that is a list': () => file({ expected: [1] }),
  'a truth value as total': () => expected(true),
  'a list as total': () => expected([1]),
  'half a micro': () => file({ expected: { given: { amountMicros: 0.5, currencyCode: 'GBP' } } }),
  'micros that are a word': () => file({ expected: { given: { amountMicros: 'five', currencyCode: 'GBP' } } }),
  'money without a currency': () => file({ expected: { given: { amountMicros: 5 } } }),
  'a currency that is a number': () => file({ expected: { given: { amountMicros: 5, currencyCode: 826 } } }),
  'no total, or one': () => file({ expected: { given: { noTotal: false } } }),
  'money with more': () => file({ expected: { given: { amountMicros: 5, currencyCode: 'GBP', noTotal: true } } }),
};

/** As it would come from a file: without the keys that are undefined. */
const plain = (value) => JSON.parse(JSON.stringify(value));

/** What is wrong with a file, as the library says it; nothing if it takes it. */
function faultsOf(tests) {
  try {
    testTotals(DEFINITIONS, tests);
    return [];
  } catch (error) {
    assert.equal(error.code, 'invalid_tests', error.stack);
    return error.faults;
  }
}

for (const [name, make] of Object.entries(SOUND)) {
  test(`sound: ${name}`, () => {
    assert.deepEqual(faultsOf(plain(make())), []);
    assert.equal(accepts(plain(make())), true, JSON.stringify(accepts.errors));
  });
}

for (const [name, make] of Object.entries(UNSOUND)) {
  test(`unsound: ${name}`, () => {
    assert.notEqual(faultsOf(plain(make())).length, 0);
    assert.equal(accepts(plain(make())), false);
  });
}

// What only the definitions and the calendar tell, the library says, with the place.
test('faults by the definitions and the calendar', () => {
  const placeOf = (changes) => faultsOf(file(changes)).map(({ place, message }) => `${place}: ${message}`);
  assert.deepEqual(placeOf({ day: '2026-02-30' }), ['case 0 (a case), day: found "2026-02-30", expected a day such as 2026-11-30']);
  assert.deepEqual(placeOf({ parentObject: 'company' }), [
    'case 0 (a case), parentObject: found "company", expected a parent of the definitions: `person`',
  ]);
  assert.deepEqual(placeOf({ records: { pledge: [] } }), [
    'case 0 (a case), records, pledge: the parent has no such children, expected are `gift`',
  ]);
  assert.deepEqual(placeOf({ expected: { lats: null } }), [
    'case 0 (a case), expected, lats: no definition has this total, there are `given`, `last`',
  ]);
  assert.deepEqual(placeOf({ expected: { given: 'twelve' } }), [
    'case 0 (a case), expected, given: found "twelve", expected an amount such as 12.50 GBP',
  ]);
  assert.deepEqual(placeOf({ records: { gift: [{}, { amount: '12.50' }] } }), [
    'case 0 (a case), records, gift 1, amount: found "12.50", expected an amount such as 12.50 GBP',
  ]);
  assert.deepEqual(placeOf({ records: { gift: [{ donorId: 'a' }, { donorId: 'b' }] } }), [
    'case 0 (a case), records, gift, donorId: the records name 2 parents, expected those of one',
  ]);
});

test('every property of the test file is described', () => {
  const properties = [schema, ...Object.values(schema.$defs)].flatMap((node) => Object.entries(node.properties ?? {}));
  assert.deepEqual(properties.filter(([, { description }]) => !description), []);
});
