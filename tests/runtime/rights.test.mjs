import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Rights } from './rights.mjs';

const app = {
  permissions: {
    gift: { canReadObjectRecords: true },
    person: { canReadObjectRecords: true, canUpdateObjectRecords: true, canDestroyObjectRecords: true },
  },
};
const objects = [
  { nameSingular: 'gift', namePlural: 'gifts' },
  { nameSingular: 'person', namePlural: 'people' },
  { nameSingular: 'note', namePlural: 'notes' },
];
const rights = new Rights(app, async () => objects);

const rest = async (method, url) => (await rights.refuses({ method, url }))?.status;
const graphql = async (query) => JSON.parse((await rights.refuses({ method: 'POST', url: '/graphql', text: JSON.stringify({ query }) }))?.body ?? 'null');

test('REST: what the role covers passes', async () => {
  for (const [method, url] of [
    ['GET', '/rest/gifts?filter=x'],
    ['GET', '/rest/gifts/groupBy'],
    ['GET', '/rest/people/1'],
    ['POST', '/rest/batch/people?upsert=true'],
    ['PATCH', '/rest/people/1'],
    ['DELETE', '/rest/people/1'],
    ['POST', '/rest/gifts/duplicates'],
    ['GET', '/rest/unheardOf'],
  ]) {
    assert.equal(await rest(method, url), undefined, `${method} ${url}`);
  }
});

// REST: the rest is refused, records with 400 and metadata with 403.
test('refusals by REST', async () => {
  for (const [method, url, status] of [
    ['GET', '/rest/notes', 400],
    ['PATCH', '/rest/gifts/1', 400],
    ['POST', '/rest/batch/gifts', 400],
    ['DELETE', '/rest/gifts/1', 400],
    ['DELETE', '/rest/people/1?soft_delete=true', 400],
    ['PATCH', '/rest/restore/people/1', 400],
    ['GET', '/rest/metadata/objects?limit=1', 403],
  ]) {
    assert.equal(await rest(method, url), status, `${method} ${url}`);
  }
});

test('GraphQL: every root must be covered', async () => {
  assert.equal(await graphql('query Q($a: X = {b: 1}) { a: gifts(filter: {note: {is: NULL}}) { totalCount } people { edges { node { id } } } }'), null);
  assert.equal(await graphql('{ gifts(orderBy: notes) { totalCount } }'), null);
  assert.equal(await graphql('mutation { createPeople(data: [{name: "{ notes }"}], upsert: true) { id } }'), null);
  for (const query of ['{ people { id } n: notes { id } }', 'mutation { updateGift(id: 1, data: {}) { id } }', 'mutation { deletePeople(filter: {}) { id } }']) {
    assert.deepEqual((await graphql(query)).errors[0].extensions, { code: 'FORBIDDEN', subCode: 'PERMISSION_DENIED' }, query);
  }
});
