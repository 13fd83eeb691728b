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

// What is installed is computed: no definition is left out, and no object is refused.
test('every definition runs as installed', async (t) => {
  const { app, household, person, give, totals, reports, call } = await openWorkspace(t);
  const [{ status, skipped, details }] = reports();
  assert.deepEqual([status, skipped], ['ok', []]);
  assert.deepEqual(details.map(({ parentObject }) => parentObject), [
    'person', 'household', 'company', 'appeal', 'recurringAgreement', 'giftPayout', 'giftPayout',
  ]);
  const home = await household();
  const ada = await person({ householdId: home });
  const [gift] = await give(ada, [10]);
  const made = async (plural, root, body) => (await call('POST', `/rest/${plural}`, body)).data[root].id;
  const payout = await made('giftPayouts', 'createGiftPayout', { name: 'p' });
  const agreement = await made('recurringAgreements', 'createRecurringAgreement', { name: 'a' });
  await made('giftStagings', 'createGiftStaging', { name: 's', giftPayoutId: payout, processingStatus: 'pending' });
  await call('PATCH', `/rest/gifts/${gift}`, { giftPayoutId: payout, recurringAgreementId: agreement });
  await app.idle();
  // No event tells of staged gifts: the sweep counts them.
  app.cron({ function: 'sweep' });
  await app.idle({ hurry: true });
  for (const { status: ended, failures } of reports()) assert.deepEqual([ended, failures], ['ok', []]);
  assert.deepEqual((await totals(home, 'households', 'household')).slice(0, 2), [10_000_000, 1]);
  const record = async (plural, root, id) => (await call('GET', `/rest/${plural}/${id}?depth=0`)).data[root];
  const { matchedGrossAmount, matchedGiftCount, pendingStagingCount } = await record('giftPayouts', 'giftPayout', payout);
  assert.deepEqual([matchedGrossAmount.amountMicros, matchedGiftCount, pendingStagingCount], [10_000_000, 1, 1]);
  const { totalReceivedAmount, paidInstallmentCount } = await record('recurringAgreements', 'recurringAgreement', agreement);
  assert.deepEqual([totalReceivedAmount.amountMicros, paidInstallmentCount], [10_000_000, 1]);
});

// The function prints no line on stderr in a run in which nothing went wrong.
test('no error lines in a run that went well', async (t) => {
  const { app, person, give, runs } = await openWorkspace(t);
  await give(await person(), [1]);
  await app.run('calculate-rollups', {});
  const lines = runs().flatMap(({ logs }) => logs);
  assert.ok(lines.length > 0);
  assert.deepEqual(lines.filter(({ level }) => level !== 'INFO'), []);
});

// The local driver loses results under load: what matters of a run is in its log and in the store.
test('lost results', async (t) => {
  const { app, person, give, call, runs } = await openWorkspace(t, { losesResults: true });
  const ada = await person();
  await give(ada, [5, 7]);
  await app.idle();
  await call('PATCH', `/rest/people/${ada}`, { lifetimeGiftCount: 99 });
  runs();
  await app.run('calculate-rollups', {});
  const [{ result, logs }] = runs();
  assert.equal(result, undefined);
  const drift = { parents: 1, values: 1, fields: { 'person.lifetimeGiftCount': 1 } };
  const last = logs.map(({ line }) => JSON.parse(line)).find(({ event }) => event === 'rollups_calculated');
  assert.deepEqual([last.status, last.mode, last.drift], ['ok', 'full-rebuild', drift]);

  app.losesResults = false;
  const { result: health } = await app.run('calculate-rollups', { health: true });
  assert.deepEqual([health.status, health.code, health.requests.total], ['partial', 'unhealthy', 0]);
  assert.deepEqual(health.health.problems.map(({ code }) => code), ['drift_found']);
  assert.deepEqual([health.health.rebuild.status, health.health.rebuild.drift], ['ok', drift]);
});

// Where the queue takes no job, the health report says so until a run over everything has made up for it.
test('failed hand-over in the health report', async (t) => {
  const { app, household, person, give, call, runs } = await openWorkspace(t);
  const home = await household();
  const ada = await person();
  await give(ada, [5]);
  await app.idle();
  runs();
  const { enqueueing } = app.jobs;
  const { result: before } = await app.run('calculate-rollups', { health: true });
  assert.deepEqual(before.health.problems, []);
  const moved = { name: 'person.updated', recordId: ada, properties: { before: {}, after: { householdId: home } } };
  await call('PATCH', `/rest/people/${ada}`, { householdId: home });
  await app.idle();
  app.jobs.enqueueing = { take: () => false };
  const { error } = await app.run('person-events', moved);
  app.jobs.enqueueing = enqueueing;
  assert.equal(error.name, 'RetryableLogicFunctionError');
  const { result: after } = await app.run('calculate-rollups', { health: true });
  assert.deepEqual(after.health.problems.map(({ code }) => code), ['hand_over_failed']);
  assert.match(after.message, /`person-events` could not hand over: the queue takes no more jobs/);
  await app.run('calculate-rollups', {});
  const { result: then } = await app.run('calculate-rollups', { health: true });
  assert.deepEqual([then.status, then.health.problems], ['ok', []]);
});

// A route answers with a status that a script can use.
test('status of the route', async (t) => {
  const { app, token } = await openWorkspace(t);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  for (const [body, status, code] of [
    [{}, 200, null],
    [{ hello: 1 }, 400, 'unknown_payload'],
    [{ health: true }, 200, null],
  ]) {
    const response = await fetch(`${app.url}/s/recalculate-all`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.deepEqual([response.status, (await response.json()).code], [status, code], JSON.stringify(body));
  }
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
  const ada = await person();
  await give(ada, [1, 2, 3]);
  await app.idle();
  assert.deepEqual(await totals(ada), [6_000_000, 3, '2020-01-01', '2020-03-01']);
  assert.equal(reports().length, 3);
});
