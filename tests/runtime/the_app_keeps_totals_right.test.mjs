/** The built app, installed into the real sandbox and driven as a workspace would drive it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startApp } from './app-runtime.mjs';
import { node22, node24 } from './nodes.mjs';
import { startSandbox } from './sandbox-process.mjs';

const APP = fileURLToPath(new URL('../../serverlessFunctions/', import.meta.url));

const build = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(APP, 'build.mjs'), ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
};

before(() => {
  build();
  // Packed too, as another test wants it: a build of its own would take the files away from under that one.
  build('--sdk', '2.13.0', '--tarball');
});

/** A workspace with the app in it, and the calls that these tests make of it. */
const workspace = async (t, { version = 'v2', output = 'output', node = node24(), ...options } = {}) => {
  const server = await startSandbox(['--profile', version, '--limits', 'off']);
  t.after(() => server.stop());
  const app = await startApp({ sandbox: server.ready, output: join(APP, '.twenty', output), node, version, ...options });
  t.after(() => app.close());
  await app.idle();
  const call = async (method, path, body) => {
    const headers = { authorization: `Bearer ${server.ready.token}`, 'content-type': 'application/json' };
    const response = await fetch(app.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.json();
  };
  return {
    app,
    call,
    person: async () => (await call('POST', '/rest/people', { name: { firstName: 'Ada' } })).data.createPerson.id,
    give: async (donorId, pounds) => {
      const gifts = pounds.map((pound, n) => ({
        name: `gift ${n}`,
        donorId,
        giftDate: `2020-0${n + 1}-01`,
        amount: { amountMicros: pound * 1_000_000, currencyCode: 'GBP' },
      }));
      return (await call('POST', '/rest/batch/gifts', gifts)).data.createGifts.map(({ id }) => id);
    },
    totals: async (id) => {
      const { person } = (await call('GET', `/rest/people/${id}?depth=0`)).data;
      const { lifetimeGiftAmount, lifetimeGiftCount, firstGiftDate, lastGiftDate } = person;
      return [lifetimeGiftAmount.amountMicros, lifetimeGiftCount, firstGiftDate, lastGiftDate];
    },
    reports: () => app.runs.splice(0).filter(({ function: name }) => name === 'calculate-rollups').map(({ result }) => result),
  };
};

test('gifts that are given, moved and taken back show in the totals of all donors concerned', async (t) => {
  const { app, call, person, give, totals, reports } = await workspace(t);
  assert.equal(reports()[0].mode, 'full-rebuild', 'the post-install function started the first rebuild');
  const [ada, ben] = [await person(), await person()];
  const gifts = await give(ada, [10, 20, 30]);
  await app.idle();
  assert.deepEqual(await totals(ada), [60_000_000, 3, '2020-01-01', '2020-03-01']);
  assert.deepEqual(reports().map(({ status, mode }) => [status, mode]), [['ok', 'targeted']]);

  await call('PATCH', `/rest/gifts/${gifts[2]}`, { donorId: ben });
  await app.idle();
  assert.deepEqual(await totals(ada), [30_000_000, 2, '2020-01-01', '2020-02-01']);
  assert.deepEqual(await totals(ben), [30_000_000, 1, '2020-03-01', '2020-03-01']);

  await call('DELETE', `/rest/gifts/${gifts[2]}?soft_delete=true`);
  await app.idle();
  const [amount, count, first, last] = await totals(ben);
  assert.deepEqual([amount || 0, count || 0, first, last], [0, 0, null, null]);
});

test('what lost events left wrong, the nightly run puts right, and then writes nothing more', async (t) => {
  const lines = [];
  const { app, person, give, totals, reports } = await workspace(t, { limits: { enqueued: 1 }, log: (line) => lines.push(line) });
  const ada = await person();
  await give(ada, [5, 7]);
  await app.idle();
  assert.match(lines.join(), /dropped 1 runs of calculate-rollups/);
  assert.equal((await totals(ada))[1], null);

  reports();
  await app.run('calculate-rollups', {});
  assert.deepEqual(await totals(ada), [12_000_000, 2, '2020-01-01', '2020-02-01']);
  await app.run('calculate-rollups', {});
  assert.deepEqual(reports().map(({ totals: { updated } }) => updated), [1, 0]);
});

test('the route answers with the report of a rebuild', async (t) => {
  const { call } = await workspace(t, { node: node22() });
  const report = await call('POST', '/s/recalculate-all', {});
  assert.deepEqual([report.status, report.mode], ['ok', 'full-rebuild']);
});

test('on a server before 2.40 the older build does the same, one event a run', async (t) => {
  const { app, person, give, totals, reports } = await workspace(t, { version: 'v1', output: 'output-2.13.0' });
  assert.equal(reports()[0].mode, 'full-rebuild', 'the post-install function started the first rebuild');
  const ada = await person();
  await give(ada, [1, 2, 3]);
  await app.idle();
  assert.deepEqual(await totals(ada), [6_000_000, 3, '2020-01-01', '2020-03-01']);
  assert.equal(reports().length, 3);
});
