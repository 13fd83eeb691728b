/** Sweeps, and rebuilds that one run cannot finish, with whatever the server has to go on by. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build } from '../support/app.mjs';
import { openWorkspace } from '../support/app-workspace.mjs';

before(async () => {
  await build(APP);
  // Packed too, as another test wants it: a build of its own would take the files away from under that one.
  await build(APP, '--sdk', '2.13.0', '--tarball');
});

/** Three parents a run. */
const ROLLUP_ENGINE_CONFIG = JSON.stringify({
  definitions: [
    {
      parentObject: 'person',
      childObject: 'gift',
      relationField: 'donorId',
      aggregations: [
        { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' },
        { type: 'COUNT', parentField: 'lifetimeGiftCount' },
      ],
    },
  ],
  rebuild: { parentsPerRun: 3 },
});

const count = async ({ totals }, id) => (await totals(id))[1];

/** A workspace of ten donors of two gifts, whose counts are wrong. */
const spoilt = async (t, options) => {
  const workspace = await openWorkspace(t, { variables: { ROLLUP_ENGINE_CONFIG }, ...options });
  const { app, call, person, give, runs } = workspace;
  const donors = [];
  for (let n = 0; n < 10; n += 1) donors.push(await person());
  for (const donor of donors) await give(donor, [1, 2]);
  await app.idle({ hurry: true });
  const people = donors.map((id) => ({ id, lifetimeGiftCount: 99 }));
  await call('POST', '/rest/batch/people?upsert=true', people);
  await app.idle({ hurry: true });
  runs();
  const right = async () => {
    const counts = await Promise.all(donors.map((id) => count(workspace, id)));
    assert.ok(counts.every((each) => [2, 99].includes(each)), counts.join());
    return counts.filter((each) => each === 2).length;
  };
  assert.equal(await right(), 0);
  return { ...workspace, right };
};

/** Does something whose events the platform drops, as it does over the budget. */
const unheard = async ({ app }, work) => {
  const { enqueueing } = app.jobs;
  app.jobs.enqueueing = { take: () => false };
  const result = await work();
  await app.idle();
  app.jobs.enqueueing = enqueueing;
  return result;
};

// With a queue each run hands on to the next, until all are right.
test('continuation by the queue', async (t) => {
  const { app, right, runs } = await spoilt(t, { without: ['kv'] });
  await app.run('calculate-rollups', {});
  assert.equal(await right(), 3);
  await app.idle({ hurry: true });
  assert.equal(await right(), 10);
  const all = runs();
  assert.deepEqual(all.map(({ result }) => [result.status, result.continued]), [...Array(3).fill(['partial', true]), ['ok', false]]);
  assert.deepEqual(all.slice(1).map(({ payload }) => payload), all.slice(0, -1).map(({ result: { checkpoint } }) => ({ checkpoint })));
  assert.deepEqual(all.map(({ delayMs }) => delayMs), [0, 60_000, 60_000, 60_000]);
});

// With a store and no queue each tick of the cron goes on where the last one stopped.
test('continuation by the store and the cron', async (t) => {
  const { app, right, runs } = await spoilt(t, { without: ['enqueueJobs'] });
  for (const expected of [3, 6, 9, 10]) {
    app.cron({ at: '2026-11-25T02:00:00Z', function: 'calculate-rollups' });
    await app.idle({ hurry: true });
    assert.equal(await right(), expected);
  }
  const all = runs();
  assert.deepEqual(all.map(({ result }) => [result.status, result.continued]), [...Array(3).fill(['partial', false]), ['ok', false]]);
  // The end is forgotten too: the next run begins anew.
  app.cron({ function: 'calculate-rollups' });
  await app.idle({ hurry: true });
  assert.deepEqual(runs().map(({ result: { totals } }) => totals.processed), [3]);
});

// The plainest schedule: one batch of parents a tick, each in the slot of the workspace.
test('one batch of parents a tick', async (t) => {
  const { app, right, runs } = await spoilt(t);
  for (const expected of [3, 6, 9, 10]) {
    await app.run('rebuild-later');
    await app.idle({ hurry: true });
    assert.equal(await right(), expected);
  }
  const names = runs().map(({ function: name }) => name);
  assert.deepEqual(names, Array(4).fill(['rebuild-later', 'calculate-rollups']).flat());
});

// With neither, what is written stays written, and the report says where to go on.
test('no continuation without either', async (t) => {
  const { app, right, call } = await spoilt(t, { without: ['kv', 'enqueueJobs'] });
  let { result: report } = await app.run('calculate-rollups', {});
  assert.deepEqual([await right(), report.status, report.continued], [3, 'partial', false]);
  for (const expected of [6, 9, 10]) {
    report = await call('POST', '/s/recalculate-all', { checkpoint: report.checkpoint });
    assert.equal(await right(), expected);
  }
  assert.deepEqual([report.status, report.checkpoint], ['ok', null]);
});

// What a server lacks is told once a run, and is no error.
test('missing services logged once a run', async (t) => {
  const { app, runs } = await openWorkspace(t, { without: ['kv', 'enqueueJobs'] });
  runs();
  const { result, logs } = await app.run('calculate-rollups', {});
  assert.equal(result.status, 'ok');
  const told = logs.map(({ line }) => JSON.parse(line)).filter(({ event }) => event === 'store_failed');
  assert.deepEqual(told.map(({ message }) => message), ['Cannot query field "appKeyValue" on type "Query".']);
});

// A sweep finds what lost events left wrong, in the slot of the workspace, and then writes nothing more.
test('sweep finds unreported changes', async (t) => {
  const workspace = await openWorkspace(t);
  const { app, person, give, runs } = workspace;
  const ada = await person();
  const [first] = await give(ada, [5, 7]);
  await app.idle();
  await unheard(workspace, async () => {
    await give(ada, [9]);
    // What `updatedAt` would not show: the comparison of everything does.
    await workspace.call('DELETE', `/rest/gifts/${first}`);
  });
  assert.equal(await count(workspace, ada), 2);
  runs();

  const tick = async (at) => {
    app.cron({ at });
    await app.idle({ hurry: true });
    return runs();
  };
  assert.deepEqual(await tick('2026-11-25T13:14:00Z'), []);
  const [sweep, run] = await tick('2026-11-25T13:15:00Z');
  assert.deepEqual([sweep.function, run.function, run.payload], ['sweep', 'calculate-rollups', { sweep: true }]);
  assert.deepEqual(sweep.result, { handedOver: true, delayMs: run.delayMs });
  assert.ok(run.delayMs > 0 && run.delayMs < 15 * 60_000, `${run.delayMs}`);
  assert.deepEqual([run.result.status, run.result.mode, run.result.totals.updated], ['ok', 'sweep', 1]);
  assert.equal(run.result.drift.parents, 1);
  assert.deepEqual((await workspace.totals(ada)).slice(0, 2), [16_000_000, 2]);

  const [, again] = await tick('2026-11-25T13:30:00Z');
  assert.deepEqual([again.result.status, again.result.totals.updated], ['ok', 0]);
  assert.ok(again.result.drift.values === 0);
});

// Workspaces of one server sweep at different times.
test('sweeps of workspaces are spread', async (t) => {
  const delays = new Set();
  for (const workspaceId of ['20202020-1c25-4d02-bf25-6aeccf7ea419', '3b8e6458-5fc1-4e63-8563-008ccddaa6db', '6f6b0a52-9a3d-4d0e-8c57-0f0f7c5d1b11']) {
    const { app, runs } = await openWorkspace(t, { workspaceId });
    runs();
    app.cron({ function: 'sweep' });
    await app.idle({ hurry: true });
    const [, { delayMs }] = runs();
    delays.add(delayMs);
  }
  assert.equal(delays.size, 3);
});

// On a server before 2.40 sweeps and events of people run the engine themselves, also where there are several workspaces:
// there a route exists only at the workspace's own host.
for (const routeHost of [undefined, 'acme.crm.example.org']) {
  test(`sweep before 2.40, routes at ${routeHost ?? 'any host'}`, async (t) => {
    const workspace = await openWorkspace(t, { version: 'v1', output: join(APP, '.twenty', 'output-2.13.0'), routeHost });
    const { app, call, token, person, give, runs } = workspace;
    assert.deepEqual(runs().map(({ function: name, result }) => [name, result.status, result.mode]), [
      ['start-first-rebuild', 'ok', 'full-rebuild'],
    ]);
    const ada = await person();
    await give(ada, [1]);
    await app.idle();
    await unheard(workspace, () => give(ada, [2, 3]));
    assert.equal(await count(workspace, ada), 1);
    await app.run('sweep');
    assert.equal(await count(workspace, ada), 3);

    await call('DELETE', `/rest/people/${ada}?soft_delete=true`);
    await give(ada, [4]);
    await app.idle();
    runs();
    await call('PATCH', `/rest/restore/people?filter=and(id[eq]:"${ada}")`);
    await app.idle();
    assert.equal(await count(workspace, ada), 4);
    assert.deepEqual(runs().map(({ function: name, result: { status, mode } }) => [name, status, mode]), [['person-events', 'ok', 'targeted']]);

    const headers = { authorization: `Bearer ${token}` };
    const { status } = await fetch(`${app.url}/s/recalculate-all`, { method: 'POST', headers });
    assert.equal(status, routeHost ? 404 : 200);
  });
}

// With a queue nothing goes by the route either.
test('several workspaces from 2.40 on', async (t) => {
  const workspace = await openWorkspace(t, { routeHost: 'acme.crm.example.org' });
  const { app, call, household, person, give, totals, runs } = workspace;
  const home = await household();
  const ada = await person();
  await give(ada, [5]);
  await app.idle();
  runs();
  await call('PATCH', `/rest/people/${ada}`, { householdId: home });
  await app.idle();
  assert.deepEqual((await totals(home, 'households', 'household')).slice(0, 2), [5_000_000, 1]);
  assert.deepEqual(runs().map(({ function: name }) => name), ['person-events', 'calculate-rollups']);
});

// A bulk destroy tells one event, whatever it destroys: the parent of that gift is right at once, the others at the next
// sweep.
test('sweep repairs a bulk destroy', async (t) => {
  const workspace = await openWorkspace(t);
  const { app, call, person, give, runs } = workspace;
  const donors = [await person(), await person(), await person()];
  const gifts = [];
  for (const donor of donors) gifts.push(...(await give(donor, [1, 2])));
  await app.idle();
  runs();
  await call('DELETE', `/rest/gifts?filter=id[in]:[${gifts.filter((_, n) => n % 2 === 0).join(',')}]`);
  await app.idle();
  const counts = () => Promise.all(donors.map((donor) => count(workspace, donor)));
  assert.deepEqual((await counts()).sort(), [1, 2, 2]);
  assert.deepEqual(runs().map(({ payload }) => [payload.name, payload.events.length]), [['gift.destroyed', 1]]);
  app.cron({ function: 'sweep' });
  await app.idle({ hurry: true });
  assert.deepEqual(await counts(), [1, 1, 1]);
  const { result } = runs('calculate-rollups')[0];
  assert.deepEqual([result.status, result.drift.parents], ['ok', 2]);
});
