// `provision`: which fields of the totals a workspace lacks, and making them.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import * as engine from '../../pkg/rollups/node.js';
import { command, folderFor } from '../support/cli.mjs';
import { startSandbox } from '../support/sandbox.mjs';

const field = (name, type, more = {}) => ({ name, type, ...more });
const relation = (name, target) => ({
  name,
  type: 'RELATION',
  settings: { relationType: 'MANY_TO_ONE', joinColumnName: `${name}Id` },
  relation: { type: 'MANY_TO_ONE', targetObjectMetadata: { nameSingular: target } },
});
const METHODS = [{ value: 'CARD' }, { value: 'CASH' }];

const OBJECTS = [
  { id: 'p1', nameSingular: 'person', namePlural: 'people', fields: [field('giftCount', 'NUMBER'), field('oldDate', 'DATE', { isActive: false })] },
  { id: 'a1', nameSingular: 'appeal', namePlural: 'appeals', fields: [] },
  {
    id: 'g1',
    nameSingular: 'gift',
    namePlural: 'gifts',
    fields: [
      field('amount', 'CURRENCY'),
      field('giftDate', 'DATE'),
      field('status', 'TEXT'),
      field('method', 'SELECT', { options: METHODS }),
      relation('donor', 'person'),
      relation('appeal', 'appeal'),
    ],
  },
];

const A = { childField: 'amount.amountMicros', currencyField: 'amount.currencyCode' };
const orderBy = [{ field: 'giftDate' }];
const definition = (...aggregations) => ({ definitions: [{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations }] });

/** A server with this data model that takes fields; `refuses` says which not, and with what. */
function server(refuses = () => undefined) {
  const made = [];
  const fetch = async (url, { method = 'GET', body } = {}) => {
    if (method === 'GET') return Response.json({ data: { objects: OBJECTS }, pageInfo: { hasNextPage: false } });
    assert.equal(new URL(url).pathname, '/rest/metadata/fields');
    const sent = JSON.parse(body);
    const refusal = refuses(sent);
    if (refusal) return Response.json(refusal.body, { status: refusal.status });
    made.push(sent);
    return Response.json({ data: { createOneField: { id: 'f', ...sent } } }, { status: 201 });
  };
  return { fetch, made };
}

function provision(t, config, { line = '', ...more } = {}) {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify(config));
  return command(`provision ${line}`, { engine, folder, ...more });
}

const MIXED = definition(
  { type: 'COUNT', parentField: 'giftCount' },
  { type: 'SUM', ...A, parentField: 'lifetimeGiftAmount', label: 'Given in all' },
  { type: 'MAX', childField: 'giftDate', parentField: 'last365Date' },
  { type: 'MODE', childField: 'method', parentField: 'usualMethod' },
  { type: 'LAST', childField: 'appealId', orderBy, parentField: 'lastAppealId' },
  { type: 'LAST', ...A, orderBy, as: 'lastAmount' },
  { type: 'FORMULA', expression: 'lifetimeGiftAmount / giftCount - lastAmount', parentField: 'change' },
);

test('the list of what is missing', async (t) => {
  const { fetch, made } = server();
  const { exit, out } = await provision(t, MIXED, { fetch });
  assert.equal(exit, 1);
  assert.deepEqual(out.split('\n'), [
    'https://crm.example.org lacks 5 fields that the definitions write to:',
    '',
    '  person.lifetimeGiftAmount  CURRENCY            Given in all',
    '  person.last365Date         DATE                Last 365 date',
    '  person.usualMethod         SELECT              Usual method',
    '  person.lastAppeal          RELATION to appeal  Last appeal',
    '  person.change              CURRENCY            Change',
    '',
    'Nothing was made: --apply makes them.',
    '',
  ]);
  assert.deepEqual(made, []);
});

test('the fields are made', async (t) => {
  const { fetch, made } = server();
  const { exit, json } = await provision(t, MIXED, { fetch, line: '--apply --json' });
  assert.equal(exit, 0);
  const names = ['lifetimeGiftAmount', 'last365Date', 'usualMethod', 'lastAppeal', 'change'];
  assert.deepEqual([json().made, json().missing], [names.map((name) => `person.${name}`), []]);
  const plain = (type, name, label) => ({ objectMetadataId: 'p1', type, name, label, isNullable: true });
  const option = (value, position, color) => ({ value, label: value, position, color });
  assert.deepEqual(made, [
    plain('CURRENCY', 'lifetimeGiftAmount', 'Given in all'),
    plain('DATE', 'last365Date', 'Last 365 date'),
    { ...plain('SELECT', 'usualMethod', 'Usual method'), options: [option('CARD', 0, 'green'), option('CASH', 1, 'turquoise')] },
    {
      ...plain('RELATION', 'lastAppeal', 'Last appeal'),
      relationCreationPayload: { type: 'MANY_TO_ONE', targetObjectMetadataId: 'a1', targetFieldLabel: 'Last appeal of people', targetFieldIcon: 'IconLink' },
    },
    plain('CURRENCY', 'change', 'Change'),
  ]);
});

// What cannot be made is named with the reason, and the rest is made.
test('fields that have to be made by hand', async (t) => {
  const { fetch, made } = server();
  const config = definition(
    { type: 'MAX', childField: 'giftDate', parentField: 'oldDate' },
    { type: 'MODE', childField: 'colour', parentField: 'usualColour' },
    { type: 'MODE', childField: 'status', targetType: 'SELECT', parentField: 'usualStatus' },
    { type: 'COUNT', parentField: 'number' },
  );
  const { exit, out, err } = await provision(t, config, { fetch, line: '--apply' });
  assert.equal(exit, 1, err);
  assert.deepEqual(made.map(({ name }) => name), ['number']);
  const text = out.replace(/\s+/g, ' ');
  for (const reason of [
    /person\.oldDate has to be made by hand: a field of this name is deactivated/,
    /person\.usualColour has to be made by hand: what it has to be is not known\. A `targetType` in the definition says it/,
    /person\.usualStatus has to be made by hand: its options are not known, which a SELECT needs/,
  ]) assert.match(text, reason);
  assert.doesNotMatch(text, /--apply makes them/);
});

test('nothing is missing', async (t) => {
  const { fetch } = server();
  const { exit, out } = await provision(t, definition({ type: 'COUNT', parentField: 'giftCount' }), { fetch });
  assert.deepEqual([exit, out], [0, 'https://crm.example.org has every field that the definitions write to.\n']);
});

test('faults of the definitions are named', async (t) => {
  const { fetch } = server();
  const { exit, err } = await provision(t, definition({ type: 'CUONT', parentField: 'n' }), { fetch });
  assert.equal(exit, 1);
  assert.match(err, /rollups\.json: 1 fault\n.*definition 0, aggregation 0, type: .*`COUNT`/);
});

test('a key without the right', async (t) => {
  const { fetch } = server(() => ({ status: 403, body: { messages: ['Entity performing the request does not have permission'] } }));
  const { exit, err } = await provision(t, MIXED, { fetch, line: '--apply' });
  assert.equal(exit, 3);
  assert.match(err, /the token may not change the data model: Entity performing/);
});

// What was made before a refusal is said, and made no second time.
test('a refusal on the way', async (t) => {
  const refuse = ({ name }) => name === 'usualMethod' && { status: 400, body: { statusCode: 400, error: 'METADATA_VALIDATION_ERROR', message: 'Name is not available' } };
  const { fetch, made } = server(refuse);
  const { exit, err } = await provision(t, MIXED, { fetch, line: '--apply' });
  assert.equal(exit, 1);
  assert.match(err, /person\.usualMethod could not be made: Name is not available\. Made before: person\.lifetimeGiftAmount, person\.last365Date/);
  assert.equal(made.length, 2);
});

test('a workspace is needed', async (t) => {
  const { exit } = await provision(t, MIXED, { env: { TWENTY_API_URL: '' } });
  assert.equal(exit, 2);
});

// On the sandbox the fields are there afterwards, a second run makes none, and a rebuild fills them.
test('on a workspace', async (t) => {
  const folder = folderFor(t);
  const rows = Array.from({ length: 6 }, (_, index) => `${index % 2},2026-01-1${index},${index + 1}.50,GBP`);
  writeFileSync(join(folder, 'gifts.csv'), `donor,gift_date,amount,currency\n${rows.join('\n')}\n`);
  const sandbox = await startSandbox(['--port', '0', '--gifts', join(folder, 'gifts.csv')]);
  t.after(() => sandbox.stop());
  const env = { TWENTY_API_URL: sandbox.ready.url, TWENTY_API_KEY: sandbox.ready.token };
  const config = definition(
    { type: 'COUNT', parentField: 'giftsInAll' },
    { type: 'SUM', ...A, parentField: 'givenInAll' },
    { type: 'MAX', childField: 'giftDate', parentField: 'latestGift' },
  );
  const run = (line) => provision(t, config, { line, env, fetch: globalThis.fetch });
  const first = await run('--apply --json');
  assert.equal(first.exit, 0, first.err);
  assert.deepEqual(first.json().made, ['person.giftsInAll', 'person.givenInAll', 'person.latestGift']);
  const second = await run('--apply --json');
  assert.deepEqual([second.exit, second.json().made, second.json().missing], [0, [], []]);

  const rebuilt = await engine.calculateRollups({}, { apiUrl: env.TWENTY_API_URL, token: env.TWENTY_API_KEY, config });
  assert.equal(rebuilt.status, 'ok', rebuilt.message);
  const answer = await fetch(`${env.TWENTY_API_URL}/rest/people`, { headers: { authorization: `Bearer ${env.TWENTY_API_KEY}` } });
  const { data } = await answer.json();
  const totals = data.people.map(({ giftsInAll, givenInAll, latestGift }) => [giftsInAll, givenInAll.amountMicros, latestGift]);
  assert.deepEqual(totals.sort(), [[3, 10_500_000, '2026-01-14'], [3, 13_500_000, '2026-01-15']]);
});
