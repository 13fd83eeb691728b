// `init`: from nothing to a `rollups.json`; and `definitions`.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { proposedDefinitions } from '../../pkg/rollups/cli/proposal.js';
import { BUILT_IN, TOKEN, URL_HERE, command, fakeEngine, folderFor, report } from '../support/cli.mjs';

const field = (name, type, more = {}) => ({ name, type, isCustom: true, ...more });
const relation = (name, target) => ({
  name,
  type: 'RELATION',
  settings: { relationType: 'MANY_TO_ONE', joinColumnName: `${name}Id` },
  relation: { type: 'MANY_TO_ONE', targetObjectMetadata: { nameSingular: target } },
});

/** The data model of a workspace with donations that nobody else knows. */
const OBJECTS = [
  { nameSingular: 'person', fields: [field('donationCount', 'NUMBER'), field('totalDonations', 'CURRENCY'), field('lastDonation', 'DATE'), field('old', 'CURRENCY', { isActive: false })] },
  { nameSingular: 'donation', fields: [field('amount', 'CURRENCY'), field('receivedOn', 'DATE'), relation('donor', 'person')] },
  { nameSingular: 'gone', isActive: false, fields: [field('amount', 'CURRENCY'), relation('donor', 'person')] },
];

/** A server with this data model, in one of the two forms that there are, over several pages. */
const server = (objects = OBJECTS) => async (url) => {
  const { searchParams } = new URL(url);
  const at = Number(searchParams.get('starting_after') ?? 0);
  const hasNextPage = at + 1 < objects.length;
  const pageInfo = { hasNextPage, endCursor: String(at + 1) };
  const page = objects.slice(at, at + 1);
  return Response.json({ data: at % 2 ? page : { objects: page }, pageInfo });
};

/** An engine that knows what the workspace has: the built-in definitions do not fit, others do. */
const engineOf = (skipped = [0, 1].map((definition) => ({ definition, aggregation: null, code: 'not_in_workspace', reason: `there is no \`gift\`` }))) =>
  fakeEngine(({ config }) =>
    config.definitions[0].childObject === 'gift'
      ? report({ mode: 'plan', ...(skipped.length < 2 ? {} : { status: 'error', code: 'nothing_to_run', message: 'no definition fits' }), skipped })
      : report({ mode: 'plan' }),
  );

const read = (folder, name = 'rollups.json') => JSON.parse(readFileSync(join(folder, name), 'utf8'));

const DONATIONS = {
  parentObject: 'person',
  childObject: 'donation',
  relationField: 'donorId',
  aggregations: [
    { type: 'COUNT', parentField: 'donationCount' },
    { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'totalDonations' },
    { type: 'MAX', childField: 'receivedOn', parentField: 'lastDonation' },
  ],
};

test('a person is asked for address, key and consent', async (t) => {
  const folder = folderFor(t);
  const answers = ['crm.example.org', `${URL_HERE}/rest`, TOKEN, ''];
  const env = { TWENTY_API_URL: '', TWENTY_API_KEY: '' };
  const { exit, out, err, questions } = await command('init', { folder, env, answers, engine: engineOf(), fetch: server() });
  assert.equal(exit, 0);
  assert.deepEqual(questions.map(({ hidden }) => hidden), [false, false, true, false]);
  assert.match(err, /Did you mean https:\/\/crm\.example\.org\?/);
  assert.match(questions.at(-1).question, /Write rollups\.json\? \[Y\/n\]/);
  assert.match(out, /person ← donation\.donorId\n {4}COUNT {2}donationCount\n/);
  assert.match(out, /guessed from the names/);
  assert.match(out, /export TWENTY_API_URL=https:\/\/crm\.example\.org\n {2}read -rs TWENTY_API_KEY/);
  assert.ok(!`${out}${err}`.includes(TOKEN), 'the key is not printed');
  const file = read(folder);
  assert.deepEqual(file.definitions, [DONATIONS]);
  assert.match(file.$schema, /^https:\/\/unpkg\.com\/twenty-rollups@[\d.]+\/rollups\.schema\.json$/);
  assert.ok(!readFileSync(join(folder, 'rollups.json'), 'utf8').includes(TOKEN));
});

test('a person may say no', async (t) => {
  const folder = folderFor(t);
  const { exit, out } = await command('init', { folder, answers: ['n'], engine: engineOf(), fetch: server() });
  assert.equal(exit, 0);
  assert.match(out, /Nothing was written\.\n$/);
  assert.ok(!existsSync(join(folder, 'rollups.json')));
});

test('a person who gives no address', async (t) => {
  const { exit, questions } = await command('init', { folder: folderFor(t), env: { TWENTY_API_URL: '' }, answers: ['', ' ', 'x y'] });
  assert.deepEqual([exit, questions.length], [2, 3]);
});

// In a script nothing is asked: what is missing is an error.
test('a script gives address and key', async (t) => {
  const folder = folderFor(t);
  assert.equal((await command('init', { folder, env: { TWENTY_API_URL: '' } })).exit, 2);
  assert.equal((await command('init', { folder, env: { TWENTY_API_KEY: '' } })).exit, 2);
  const { exit, json } = await command('init --json --output totals.json', { folder, engine: engineOf(), fetch: server() });
  assert.deepEqual([exit, json().file, json().definitions], [0, 'totals.json', [DONATIONS]]);
  assert.deepEqual(read(folder, 'totals.json').definitions, [DONATIONS]);
});

test('a file that is there is kept', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), 'not even JSON');
  const refused = await command('init --yes', { folder, engine: engineOf(), fetch: () => assert.fail('a request was sent') });
  assert.equal(refused.exit, 2);
  assert.match(refused.err, /there is a rollups\.json already\nGive --force/);
  assert.equal((await command('init --yes --force', { folder, engine: engineOf(), fetch: server() })).exit, 0);
  assert.deepEqual(read(folder).definitions, [DONATIONS]);
});

// Of the built-in definitions what the workspace has is taken, total by total.
test('built-in definitions are taken as far as they fit', async (t) => {
  const folder = folderFor(t);
  const engine = engineOf([{ definition: 1, aggregation: 0, code: 'not_in_workspace', reason: 'no field' }]);
  const { exit, out } = await command('init --yes', { folder, engine, fetch: server([OBJECTS[0]]) });
  assert.equal(exit, 0);
  assert.deepEqual(read(folder).definitions, [BUILT_IN[0]]);
  assert.doesNotMatch(out, /guessed/);
});

test('a workspace without fields for totals', async (t) => {
  const folder = folderFor(t);
  const { exit, out } = await command('init --yes', { folder, engine: engineOf(), fetch: server([{ nameSingular: 'person', fields: [] }]) });
  assert.equal(exit, 1);
  assert.match(out, /there is no `gift`/);
  assert.ok(!existsSync(join(folder, 'rollups.json')));
});

test('a key that may not read the data model', async (t) => {
  let calls = 0;
  const fetch = async () => Response.json({ messages: ['Forbidden'] }, { status: calls++ === 0 ? 200 : 403 });
  const { exit, err } = await command('init --yes', { folder: folderFor(t), engine: engineOf(), fetch });
  assert.equal(exit, 3);
  assert.match(err, /may not read the data model: Forbidden/);
});

test('the schema of an installed package', async (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'node_modules/twenty-rollups'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/twenty-rollups/rollups.schema.json'), '{}');
  mkdirSync(join(folder, 'below'));
  for (const [place, schema] of [[folder, './node_modules/twenty-rollups/rollups.schema.json'], [join(folder, 'below'), '../node_modules/twenty-rollups/rollups.schema.json']]) {
    await command('init --yes', { folder: place, engine: engineOf(), fetch: server() });
    assert.equal(read(place).$schema, schema);
  }
});

test('definitions prints a rollups.json', async () => {
  const { exit, out } = await command('definitions', { env: { TWENTY_API_URL: '' } });
  assert.equal(exit, 0);
  assert.deepEqual(JSON.parse(out).definitions, BUILT_IN);
  assert.ok(out.indexOf('parentObject') < out.indexOf('aggregations'));
  assert.deepEqual((await command('definitions --json')).json().definitions, BUILT_IN);
});

/** The proposal for a parent with these fields and one kind of child. */
const proposal = (fields, children = ['donation']) => {
  const person = { name: 'person', fields: fields.map(([name, type]) => ({ name, type, isCustom: true })) };
  const child = (name) => ({
    name,
    fields: [
      { name: 'createdAt', type: 'DATE_TIME', isCustom: false },
      { name: 'amount', type: 'CURRENCY', isCustom: true },
      { name: 'paidOn', type: 'DATE', isCustom: true },
      { name: 'donorId', type: 'RELATION', isCustom: true, target: 'person' },
    ],
  });
  return proposedDefinitions([person, ...children.map(child)], []).flatMap(({ childObject, aggregations }) =>
    aggregations.map(({ type, parentField, filters }) => `${parentField}: ${type} ${childObject}${filters ? ' this year' : ''}`),
  );
};

for (const [name, type, expected] of [
  ['totalGiven', 'CURRENCY', 'SUM'],
  ['lifetimeValueAmount', 'CURRENCY', 'SUM'],
  ['averageDonation', 'CURRENCY', 'AVG'],
  ['largestDonation', 'CURRENCY', 'MAX'],
  ['smallestAmount', 'CURRENCY', 'MIN'],
  ['givenThisYear', 'CURRENCY', 'SUM this year'],
  ['ytdCount', 'NUMBER', 'COUNT this year'],
  ['numberOfDonations', 'NUMBER', 'COUNT'],
  ['firstDonationDate', 'DATE', 'MIN'],
  ['latestDonationAt', 'DATE_TIME', 'MAX'],
  // What no definition can say, or is no total.
  ['lastDonationAmount', 'CURRENCY', undefined],
  ['givenLastYear', 'CURRENCY', undefined],
  ['fundraisingTarget', 'CURRENCY', undefined],
  ['salary', 'CURRENCY', undefined],
  ['shoeSize', 'NUMBER', undefined],
  ['birthday', 'DATE', undefined],
  ['totalGiven', 'TEXT', undefined],
]) {
  test(`proposal for ${name} of type ${type}`, () => {
    const [kind, ...more] = (expected ?? '').split(' ');
    assert.deepEqual(proposal([[name, type]]), expected ? [[`${name}: ${kind} donation`, ...more].join(' ')] : []);
  });
}

// With several kinds of children a field is about the one that it names, or about none that can be told.
test('proposal among several kinds of children', () => {
  const fields = [['donationCount', 'NUMBER'], ['pledgesTotal', 'CURRENCY'], ['totalGiven', 'CURRENCY']];
  assert.deepEqual(proposal(fields, ['donation', 'pledge']), ['donationCount: COUNT donation', 'pledgesTotal: SUM pledge']);
});
