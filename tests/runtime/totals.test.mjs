/** The built app, installed into the real sandbox and driven as a workspace would drive it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build } from '../support/app.mjs';
import { node22 } from '../support/nodes.mjs';
import { openWorkspace } from '../support/app-workspace.mjs';

before(async () => {
  await build();
  // Packed too, as another test wants it: a build of its own would take the files away from under that one.
  await build(APP, '--sdk', '2.13.0', '--tarball');
});

// Gifts that are given, moved and taken back show in the totals of all donors concerned.
test('given, moved and deleted gifts', async (t) => {
  const { app, call, person, give, totals, reports } = await openWorkspace(t);
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

// What lost events left wrong, the nightly run puts right, and then writes nothing more.
test('nightly run mends lost events', async (t) => {
  const lines = [];
  const { app, person, give, totals, reports } = await openWorkspace(t, { limits: { enqueued: 1 }, log: (line) => lines.push(line) });
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

// The route answers with the report of a rebuild, and log lines bear the id of the request.
test('route answers with the report', async (t) => {
  const { app, token } = await openWorkspace(t, { node: node22() });
  app.runs.length = 0;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-request-id': 'r-1' };
  const response = await fetch(`${app.url}/s/recalculate-all`, { method: 'POST', headers, body: '{}' });
  const report = await response.json();
  assert.deepEqual([report.status, report.mode, report.requestId], ['ok', 'full-rebuild', 'r-1']);
  const lines = app.runs[0].logs.map(({ line }) => JSON.parse(line));
  assert.ok(lines.length > 0);
  for (const { requestId } of lines) assert.equal(requestId, 'r-1');
});

// On a server before 2.40 the older build does the same, one event a run.
test('one event a run before 2.40', async (t) => {
  const { app, person, give, totals, reports } = await openWorkspace(t, { version: 'v1', output: join(APP, '.twenty', 'output-2.13.0') });
  assert.equal(reports()[0].mode, 'full-rebuild', 'the post-install function started the first rebuild');
  const ada = await person();
  await give(ada, [1, 2, 3]);
  await app.idle();
  assert.deepEqual(await totals(ada), [6_000_000, 3, '2020-01-01', '2020-03-01']);
  assert.equal(reports().length, 3);
});
