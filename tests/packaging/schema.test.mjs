// The JSON Schema of `rollups.json`, and whether it agrees with what the engine accepts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { PACKAGE, ROOT, importPackage, prepare } from '../support/project.mjs';

let accepts;
let validateDefinitions;
let schema;

before(async () => {
  prepare();
  // Imported only after `prepare`, which installs the one and sees that the other is built.
  const { default: Ajv } = await importPackage('ajv/dist/2020.js');
  ({ validateDefinitions } = await import('../../pkg/rollups/node.js'));
  schema = JSON.parse(readFileSync(join(PACKAGE, 'rollups.schema.json'), 'utf8'));
  accepts = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true }).compile(schema);
});

/** What both must say of this configuration. */
function bothSay(configuration, sound) {
  const shown = JSON.stringify(configuration);
  assert.equal(validateDefinitions(configuration).valid, sound, `the engine on ${shown}`);
  assert.equal(accepts(configuration), sound, `the schema on ${shown}: ${JSON.stringify(accepts.errors)}`);
}

const definition = (changes = {}) => ({
  parentObject: 'person',
  childObject: 'gift',
  relationField: 'donorId',
  aggregations: [{ type: 'COUNT', parentField: 'giftCount' }],
  ...changes,
});
const aggregation = (changes) => [definition({ aggregations: [{ type: 'SUM', childField: 'a', parentField: 'b', ...changes }] })];
const condition = (changes) => [definition({ childFilters: [{ field: 'a', operator: 'equals', value: 1, ...changes }] })];
const settings = (changes) => ({ definitions: [definition()], ...changes });

test('the built-in definitions are sound', () => {
  bothSay(JSON.parse(readFileSync(join(ROOT, 'rollup-engine/rollup/src/defaults.json'), 'utf8')), true);
});

const SOUND = {
  'an empty list': () => [],
  'a list': () => [definition({ name: 'gifts', description: 'how many', childFilters: null })],
  'an object': () => settings(),
  'every setting': () =>
    settings({
      timeZone: 'Europe/London',
      fiscalYearStartMonth: 4,
      mixedCurrency: 'clear',
      objects: { person: 'people' },
      pacing: { pageSize: 200, concurrency: 4, pauseMs: 0, requestsPerMinute: 80, burst: 80 },
      graphql: 'off',
      rebuild: { parentsPerRun: 200 },
    }),
  'settings that say nothing': () => settings({ graphql: 'auto', rebuild: {} }),
  'money': () => aggregation({ childField: 'amount.amountMicros', currencyField: 'amount.currencyCode' }),
  'a schema for editors': () => settings({ $schema: 'https://example.org/rollups.schema.json' }),
  'what is taken off': () =>
    aggregation({ subtractField: 'refunded.amountMicros', filters: [{ field: 'a', subtractField: 'b', operator: 'gt', value: 0 }] }),
  'a plain sum': () => aggregation({ currencyField: null, filters: null }),
  'a count of values': () => aggregation({ type: 'COUNT' }),
  'null as value': () => condition({ value: null }),
  'a moving day': () => condition({ operator: 'gte', value: undefined, dynamicValue: 'startOfFiscalYear' }),
  'a moving day that is equalled': () => condition({ value: undefined, dynamicValue: 'today' }),
  'a list as value': () => condition({ operator: 'notIn', value: ['a', 'b', null] }),
};

const UNSOUND = {
  'a count that subtracts': () => aggregation({ type: 'COUNT', subtractField: 'b' }),
  'a path with a gap in what is taken off': () => aggregation({ subtractField: 'b..c' }),
  'a text': () => 'definitions',
  'no definitions': () => ({ timeZone: 'UTC' }),
  'an unknown setting': () => settings({ timezone: 'UTC' }),
  'an unknown pace': () => settings({ pacing: { pause: 1 } }),
  'an empty time zone': () => settings({ timeZone: '' }),
  'a month too many': () => settings({ fiscalYearStartMonth: 13 }),
  'half a month': () => settings({ fiscalYearStartMonth: 1.5 }),
  'an unknown rule for mixtures': () => settings({ mixedCurrency: 'convert' }),
  'a plural with a slash': () => settings({ objects: { fund: 'fu/nds' } }),
  'a page too long': () => settings({ pacing: { pageSize: 201 } }),
  'too much at once': () => settings({ pacing: { concurrency: 21 } }),
  'a pause too long': () => settings({ pacing: { pauseMs: 60_001 } }),
  'another language': () => settings({ graphql: 'on' }),
  'no parents a run': () => settings({ rebuild: { parentsPerRun: 0 } }),
  'an unknown way of rebuilding': () => settings({ rebuild: { parents: 5 } }),
  'a rebuild that is a number': () => settings({ rebuild: 5 }),
  'no requests': () => settings({ pacing: { requestsPerMinute: 0 } }),
  'no parent': () => [definition({ parentObject: undefined })],
  'an unknown key': () => [definition({ relationFeild: 'donorId' })],
  'an object with a slash': () => [definition({ childObject: 'gift/x' })],
  'no aggregation': () => [definition({ aggregations: [] })],
  'an unknown type': () => aggregation({ type: 'MEDIAN' }),
  'a sum of nothing': () => aggregation({ childField: undefined }),
  'a sum of null': () => aggregation({ childField: null }),
  'a count with a currency': () => aggregation({ type: 'COUNT', currencyField: 'c' }),
  'an empty part of a path': () => aggregation({ childField: 'amount..x' }),
  'no target': () => aggregation({ parentField: undefined }),
  'an unknown operator': () => condition({ operator: 'like' }),
  'no value': () => condition({ value: undefined }),
  'both values': () => condition({ operator: 'gt', dynamicValue: 'today' }),
  'an unknown day': () => condition({ operator: 'gt', value: undefined, dynamicValue: 'startOfWeek' }),
  'a list for one value': () => condition({ value: [1] }),
  'one value for a list': () => condition({ operator: 'in' }),
  'a moving day for a list': () => condition({ operator: 'in', value: undefined, dynamicValue: 'today' }),
  'greater than true': () => condition({ operator: 'gt', value: true }),
  'less than null': () => condition({ operator: 'lt', value: null }),
  'an object as value': () => condition({ value: {} }),
};

for (const [name, make] of Object.entries(SOUND)) test(`sound: ${name}`, () => bothSay(plain(make()), true));
for (const [name, make] of Object.entries(UNSOUND)) test(`unsound: ${name}`, () => bothSay(plain(make()), false));

// Two totals on one field are seen by the engine alone.
test('two totals on one field', () => {
  const twice = [definition(), definition({ childObject: 'pledge' })];
  assert.equal(accepts(twice), true);
  assert.match(validateDefinitions(twice).errors[0].message, /already written/);
});

test('types of the schemas', async () => {
  const { TYPED_SCHEMAS, keptTypes, typesOf } = await import('../../pkg/tools/configuration-types.mjs');
  for (const typed of TYPED_SCHEMAS) assert.equal(keptTypes(typed), await typesOf(typed), 'run `npm run schema`');
});

test('every property is described', () => {
  const missing = [];
  const walk = (node, path) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      const referred = property.$ref === undefined ? property : schema.$defs[property.$ref.split('/').at(-1)];
      const conditional = path.endsWith('/then') || path.endsWith('/else') || path.endsWith('/if');
      if (!conditional && !property.description && !referred.description) missing.push(`${path}/${name}`);
    }
    for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
  };
  walk(schema, '');
  assert.deepEqual(missing, []);
});

/** As it would come from a file: without the keys that are undefined. */
const plain = (value) => JSON.parse(JSON.stringify(value));
