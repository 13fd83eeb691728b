// `--provision` makes what is missing, once; and `/ready` says what is.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, prepare } from '../support/project.mjs';
import { UNLIMITED, call, startProxy } from '../support/proxy.mjs';
import { startWorkspace } from '../support/proxy-workspace.mjs';

before(prepare);

const model = JSON.parse(readFileSync(join(ROOT, 'rollup-engine/model/model.json'), 'utf8'));
const execute = promisify(execFile);

/** The command as it is documented. */
const provision = async (env) => {
  const options = { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } };
  const { stdout } = await execute('npm', ['run', '--silent', 'proxy', '--', '--provision'], options);
  return JSON.parse(stdout);
};

// What is missing is made, and a second run makes nothing.
test('provisioning twice', async (t) => {
  const { env, ask } = await startWorkspace(t, { model: false });
  const first = await provision(env);
  assert.ok(first.made.includes('giftStaging') && first.made.includes('gift.donor'));
  const second = await provision(env);
  assert.deepEqual(second.made, []);
  assert.equal(second.present, first.made.length + first.present);

  const { data } = await ask('GET', 'metadata/objects?limit=200');
  for (const [name, { plural, fields, totals = {} }] of Object.entries(model)) {
    const object = data.objects.find(({ nameSingular }) => nameSingular === name);
    assert.equal(object?.namePlural, plural, name);
    const types = Object.fromEntries(object.fields.map((field) => [field.name, field.type]));
    for (const [field, kind] of Object.entries({ ...fields, ...totals })) {
      assert.equal(types[field], kind.includes('.') ? 'RELATION' : kind.split(' ')[0], `${name}.${field}`);
    }
  }
});

// A run that was cut short is made good by the next.
test('provisioning after an interruption', async (t) => {
  const { env, ask } = await startWorkspace(t);
  const { data } = await ask('GET', 'metadata/objects?limit=200');
  const field = (object, name) =>
    data.objects.find(({ nameSingular }) => nameSingular === object).fields.find((each) => each.name === name).id;
  await ask('DELETE', `metadata/fields/${field('gift', 'amount')}`);
  await ask('DELETE', `metadata/fields/${field('giftStaging', 'rawPayload')}`);
  assert.deepEqual((await provision(env)).made, ['gift.amount', 'giftStaging.rawPayload']);
});

// A key without the right is told so, and nothing is half reported.
test('provisioning without the right', async (t) => {
  const { env, guestToken } = await startWorkspace(t, { model: false });
  await assert.rejects(provision({ ...env, TWENTY_API_KEY: guestToken }), /the list of objects: Twenty answered 403/);
});

// /ready names what is missing by object and field, and /health stays well.
test('missing fields in /ready', async (t) => {
  const { env, ask } = await startWorkspace(t);
  const { data } = await ask('GET', 'metadata/objects?limit=200');
  const object = (name) => data.objects.find(({ nameSingular }) => nameSingular === name);
  await ask('DELETE', `metadata/objects/${object('household').id}`);
  await ask('DELETE', `metadata/fields/${object('gift').fields.find(({ name }) => name === 'amount').id}`);

  const { url } = await startProxy(t, 'node', { ...env, ...UNLIMITED });
  assert.equal((await call(url, 'GET', '/health', { token: null })).status, 200);
  const ready = await call(url, 'GET', '/ready', { token: null });
  assert.equal(ready.status, 503);
  const missing = ready.body.missing.map(({ object, field }) => (field ? `${object}.${field}` : object));
  assert.ok(missing.includes('household') && missing.includes('gift.amount'), missing.join());

  await provision(env);
  const again = await startProxy(t, 'node', { ...env, ...UNLIMITED });
  assert.deepEqual((await call(again.url, 'GET', '/ready', { token: null })).body, { status: 'ready', missing: [] });
});

// A workspace with names of its own is provisioned, checked and served under them.
test('provisioning of renamed objects', async (t) => {
  const { env: plain, all } = await startWorkspace(t, { model: false });
  const names = { gift: { name: 'donation', plural: 'donations', fields: { amount: 'value', donor: 'giver' } }, household: null };
  const env = { ...plain, ...UNLIMITED, FUNDRAISING_MODEL: JSON.stringify(names) };
  const { made } = await provision(env);
  assert.ok(made.includes('donation.value') && !made.some((name) => name.startsWith('gift.') || name.includes('ousehold')));

  const { url } = await startProxy(t, 'node', env);
  assert.deepEqual((await call(url, 'GET', '/ready', { token: null })).body, { status: 'ready', missing: [] });
  const token = env.TWENTY_API_KEY;
  const gift = {
    amount: { amountMicros: 5_000_000, currencyCode: 'GBP' },
    giftDate: '2026-01-15',
    contact: { firstName: 'Ada', lastName: 'Byron', email: 'ada@example.org' },
  };
  const reply = await call(url, 'POST', '/api/fundraising/gifts', { token, body: gift });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  assert.deepEqual(reply.body.data.createGift.amount, gift.amount);
  const [donation] = await all('donations');
  assert.deepEqual(donation.value, gift.amount);
  assert.ok(donation.giverId);
  const list = await call(url, 'GET', '/api/fundraising/gifts?filter=amount.amountMicros%5Bgt%5D:1', { token });
  assert.deepEqual(list.body.data.gifts.map(({ amount, donorId }) => [amount, donorId]), [[gift.amount, donation.giverId]]);
});
