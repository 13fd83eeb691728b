// `explain --record-test`: a test case of a live parent that tells nobody who the parent is.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { command, folderFor } from '../support/cli.mjs';
import { openSandbox } from '../support/sandbox.mjs';

const engine = await import('../../pkg/rollups/node.js');

const SUM = { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' };
const COUNT = { type: 'COUNT', parentField: 'lifetimeGiftCount', filters: [{ field: 'status', operator: 'in', value: ['received', 'late'] }] };
const LAST = { type: 'MAX', childField: 'giftDate', parentField: 'lastGiftDate' };
const GIFTS = { parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [SUM, COUNT, LAST] };

let server;
let person;
let company;

before(async () => {
  const folder = folderFor({ after });
  writeFileSync(join(folder, 'gifts.csv'), 'donor,gift_date,amount,currency\n7,2026-01-10,12.50,GBP\n7,2026-02-10,7.00,GBP\n7,2026-03-10,1.00,GBP\n');
  server = await openSandbox('--limits', 'off', '--gifts', join(folder, 'gifts.csv'));
  const { gifts } = await call('GET', 'gifts');
  person = gifts[0].donorId;
  const texts = [
    { name: 'From Ada Lovelace', status: 'received' },
    { name: 'In memory of Charles', status: 'a note about Ada' },
    { name: 'Zuse', status: 'late' },
  ];
  for (const [index, { id }] of gifts.entries()) await call('PATCH', `gifts/${id}`, texts[index]);
  ({ id: company } = (await call('POST', 'companies', { name: 'Engines Ltd' })).createCompany);
  const people = [
    { name: { firstName: 'Ada', lastName: 'Lovelace' }, emails: { primaryEmail: 'ada@example.org' }, phones: { primaryPhoneNumber: '7700900123' } },
    { name: { firstName: 'Charles', lastName: 'Babbage' }, emails: { primaryEmail: 'charles@example.org' }, jobTitle: 'Notes on the engine' },
  ];
  for (const each of people) await call('POST', 'people', { ...each, companyId: company });
});

after(() => server?.stop());

async function call(method, path, body) {
  const response = await fetch(`${server.url}/rest/${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok || (await response.clone().text())}`);
  return (await response.json()).data;
}

function workplace(t, definitions) {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify(definitions));
  return folder;
}

const run = (folder, line) =>
  command(line, { engine, folder, fetch: (url, init) => fetch(url, init), env: { TWENTY_API_URL: server.url, TWENTY_API_KEY: server.token } });

const casesOf = (folder, name = 'rollups.test.json') => JSON.parse(readFileSync(join(folder, name), 'utf8')).cases;

const TODAY = new Date().toISOString().slice(0, 10);

test('a recorded case passes', async (t) => {
  const folder = workplace(t, [GIFTS]);
  const recorded = await run(folder, `explain ${person} --record-test`);
  assert.match(recorded.out, /Recorded in rollups\.test\.json as\s“person with 3 gift records/);
  const [{ records, ...rest }] = casesOf(folder);
  assert.deepEqual(rest, {
    name: `person with 3 gift records on ${TODAY}`,
    parentObject: 'person',
    day: TODAY,
    expected: { lifetimeGiftAmount: '20.50 GBP', lifetimeGiftCount: 2, lastGiftDate: '2026-03-10' },
  });
  assert.deepEqual(Object.keys(records), ['gift']);
  for (const gift of records.gift) assert.deepEqual(Object.keys(gift).sort(), ['amount', 'donorId', 'giftDate', 'id', 'status']);
  const tested = await run(folder, 'test');
  assert.deepEqual([tested.exit, tested.err], [0, '']);
});

// Words of the definitions stay, all others are replaced, and so are ids.
test('no word of a record that is not in the definitions', async (t) => {
  const folder = workplace(t, [GIFTS]);
  await run(folder, `explain ${person} --record-test`);
  const [{ records }] = casesOf(folder);
  assert.deepEqual(records.gift.map(({ status }) => status).sort(), ['late', 'received', 'text-1']);
  assert.deepEqual(records.gift.map(({ id, donorId }) => [id, donorId]), [1, 2, 3].map((number) => [`gift-${number}`, 'parent']));
  const text = readFileSync(join(folder, 'rollups.test.json'), 'utf8');
  assert.doesNotMatch(text, /Ada|Charles|Zuse|note|[0-9a-f]{8}-[0-9a-f]{4}/);
});

// Even where the definitions read names, addresses and notes themselves.
test('no personal data that the definitions read', async (t) => {
  const counted = ['name.firstName', 'emails.primaryEmail', 'phones.primaryPhoneNumber', 'emails.additionalEmails', 'createdBy.name'];
  const aggregations = counted.map((childField, index) => ({ type: 'COUNT', childField, parentField: `count${index}` }));
  aggregations.push({ type: 'MIN', childField: 'name.lastName', parentField: 'firstName' });
  aggregations.push({ type: 'MAX', childField: 'jobTitle', parentField: 'lastTitle' });
  for (const { parentField, type } of aggregations) await addField(parentField, type === 'COUNT' ? 'NUMBER' : 'TEXT');
  const definition = { parentObject: 'company', childObject: 'person', relationField: 'companyId', aggregations };
  const folder = workplace(t, [definition]);
  const { out } = await run(folder, `explain ${company} --record-test`);
  const text = readFileSync(join(folder, 'rollups.test.json'), 'utf8');
  assert.doesNotMatch(text, /Ada|Lovelace|Charles|Babbage|example\.org|7700900123|Notes|sandbox|[0-9a-f]{8}-[0-9a-f]{4}/);
  // The least of two names stays the least, by another name: what the workspace has for it is no part of the case.
  assert.match(out, /Not recorded: firstName:/);
  const [{ records, expected }] = casesOf(folder);
  assert.deepEqual(records.person.map(({ name }) => name.lastName).sort(), ['text-1', 'text-2']);
  assert.equal(expected.count0, 2);
  assert.equal(expected.count2, 1);
  assert.equal((await run(folder, 'test')).exit, 0);
});

async function addField(name, type) {
  const { objects } = await call('GET', 'metadata/objects?limit=200');
  const { id } = objects.find(({ nameSingular }) => nameSingular === 'company');
  await call('POST', 'metadata/fields', { objectMetadataId: id, name, label: name, type });
}

test('cases are added to the file', async (t) => {
  const folder = workplace(t, [GIFTS]);
  writeFileSync(join(folder, 'mine.json'), JSON.stringify({ $schema: 'here', cases: [{ name: 'kept' }] }));
  for (const _ of [1, 2]) await run(folder, `explain ${person} --record-test mine.json`);
  const file = JSON.parse(readFileSync(join(folder, 'mine.json'), 'utf8'));
  assert.equal(file.$schema, 'here');
  const name = `person with 3 gift records on ${TODAY}`;
  assert.deepEqual(file.cases.map((each) => each.name), ['kept', name, `${name} (2)`]);
});

test('the recorded case in the document', async (t) => {
  const { json } = await run(workplace(t, [GIFTS]), `explain ${person} --record-test --json`);
  assert.deepEqual(json().recorded, { file: 'rollups.test.json', name: `person with 3 gift records on ${TODAY}`, leftOut: [] });
});

// A file that holds something else is left as it is, and the workspace is not asked.
test('a file that is no file of cases', async (t) => {
  const folder = workplace(t, [GIFTS]);
  writeFileSync(join(folder, 'rollups.test.json'), '[]');
  const { exit, err } = await run(folder, `explain ${person} --record-test`);
  assert.equal(exit, 1);
  assert.match(err, /rollups\.test\.json: cases: expected a list of cases/);
  assert.equal(readFileSync(join(folder, 'rollups.test.json'), 'utf8'), '[]');
});

test('a deleted child stays deleted', async (t) => {
  const folder = workplace(t, [GIFTS]);
  const { id: donorId } = (await call('POST', 'people', { name: { firstName: 'Alan', lastName: 'Turing' } })).createPerson;
  for (const amountMicros of [5_000_000, 6_000_000]) await call('POST', 'gifts', { donorId, amount: { amountMicros, currencyCode: 'GBP' } });
  const { gifts } = await call('GET', `gifts?filter=donorId[eq]:${donorId}`);
  await call('DELETE', `gifts/${gifts[0].id}?soft_delete=true`);
  await run(folder, `explain ${donorId} --record-test`);
  assert.equal(casesOf(folder)[0].records.gift.filter(({ deletedAt }) => deletedAt).length, 1);
  assert.equal((await run(folder, 'test')).exit, 0);
});

test('no case of a parent that is not there', async (t) => {
  const folder = workplace(t, [GIFTS]);
  const { exit } = await run(folder, 'explain 783667c7-5ba5-40d4-86fe-136666dd32d2 --record-test');
  assert.equal(exit, 1);
  assert.ok(!existsSync(join(folder, 'rollups.test.json')));
});
