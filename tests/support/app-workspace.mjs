/** A sandbox with the built app in it, and the calls that tests make of such a workspace. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { APP, build, copyOfApp } from './app.mjs';
import { startApp } from '../runtime/app-runtime.mjs';
import { node24 } from './nodes.mjs';
import { startSandbox } from './sandbox.mjs';

/** What stands for the household in the app's `objects.ts`. */
const HOUSEHOLD = '7d0a3b1e-52e8-4f0c-8a7b-3f6f2d1c9e10';

/** Builds a copy of the app that knows households, and gives its output folder: as README.md says how. */
export const buildWithHouseholds = async () => {
  const copy = copyOfApp('app-with-households');
  const file = join(copy, 'objects.ts');
  const source = readFileSync(file, 'utf8');
  const changed = source.replace('[PERSON, COMPANY, APPEAL]', `[PERSON, COMPANY, APPEAL, '${HOUSEHOLD}']`);
  assert.notEqual(changed, source);
  writeFileSync(file, changed);
  await build(copy);
  return join(copy, '.twenty', 'output');
};

const caller = (url, token) => async (method, path, body) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
};

/** Makes households, with the totals of the built-in definitions, and lets people belong to them. */
const addHouseholds = async (call) => {
  const made = async (path, body) => {
    const { data } = await call('POST', `/rest/metadata/${path}`, body);
    return data.createOneObject ?? data.createOneField;
  };
  const labels = { labelSingular: 'Household', labelPlural: 'Households' };
  const household = await made('objects', { nameSingular: 'household', namePlural: 'households', ...labels });
  for (const [name, type] of [
    ['lifetimeGiftAmount', 'CURRENCY'],
    ['lifetimeGiftCount', 'NUMBER'],
    ['firstGiftDate', 'DATE'],
    ['lastGiftDate', 'DATE'],
    ['yearToDateGiftAmount', 'CURRENCY'],
    ['yearToDateGiftCount', 'NUMBER'],
  ]) {
    await made('fields', { objectMetadataId: household.id, name, label: name, type, isNullable: true });
  }
  const { data } = await call('GET', '/rest/metadata/objects?limit=200');
  await made('fields', {
    objectMetadataId: data.objects.find(({ nameSingular }) => nameSingular === 'person').id,
    name: 'household',
    label: 'Household',
    type: 'RELATION',
    relationCreationPayload: { type: 'MANY_TO_ONE', targetObjectMetadataId: household.id, targetFieldLabel: 'People', targetFieldIcon: 'IconUser' },
  });
};

/**
 * @param {object} [options] of `startApp`, and besides
 * @param {boolean} [options.households] whether there are households, for an app built with them
 */
export const openWorkspace = async (t, { version = 'v2', output = join(APP, '.twenty', 'output'), node = node24(), households = false, ...options } = {}) => {
  const server = await startSandbox(['--profile', version, '--limits', 'off']);
  t.after(() => server.stop());
  if (households) await addHouseholds(caller(server.ready.url, server.ready.token));
  const objects = households ? { [HOUSEHOLD]: 'household' } : {};
  const app = await startApp({ sandbox: server.ready, output, node, version, objects, ...options });
  t.after(() => app.close());
  await app.idle({ hurry: true });
  const call = caller(app.url, server.ready.token);
  return {
    app,
    call,
    token: server.ready.token,
    household: async () => (await call('POST', '/rest/households', { name: 'home' })).data.createHousehold.id,
    person: async (more = {}) => (await call('POST', '/rest/people', { name: { firstName: 'Ada' }, ...more })).data.createPerson.id,
    give: async (donorId, pounds) => {
      const gifts = pounds.map((pound, n) => ({
        name: `gift ${n}`,
        donorId,
        giftDate: `2020-0${n + 1}-01`,
        amount: { amountMicros: pound * 1_000_000, currencyCode: 'GBP' },
      }));
      return (await call('POST', '/rest/batch/gifts', gifts)).data.createGifts.map(({ id }) => id);
    },
    /** Amount, count, first and last gift of a person, or of another record. */
    totals: async (id, plural = 'people', singular = 'person') => {
      const record = (await call('GET', `/rest/${plural}/${id}?depth=0`)).data[singular];
      const { lifetimeGiftAmount, lifetimeGiftCount, firstGiftDate, lastGiftDate } = record;
      return [lifetimeGiftAmount.amountMicros, lifetimeGiftCount, firstGiftDate, lastGiftDate];
    },
    /** The runs since this was last asked, by name of the function. */
    runs: (wanted) => app.runs.splice(0).filter(({ function: name }) => wanted === undefined || name === wanted),
    reports: () => app.runs.splice(0).filter(({ function: name }) => name === 'calculate-rollups').map(({ result }) => result),
  };
};
