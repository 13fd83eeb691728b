/** Real events of people: who moves, goes, comes back or is merged shows in the totals of households and donors. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { APP, build } from '../support/app.mjs';
import { openWorkspace } from '../support/app-workspace.mjs';

before(() => build(APP));

/** A household with a donor of 10 and 20 pounds, and an empty one. */
const homes = async (t, options = {}) => {
  const workspace = await openWorkspace(t, options);
  const { app, household, person, give, totals, runs } = workspace;
  runs();
  const [full, empty] = [await household(), await household()];
  const ada = await person({ householdId: full });
  const gifts = await give(ada, [10, 20]);
  await app.idle();
  const of = async (id) => (await totals(id, 'households', 'household')).slice(0, 2).map((value) => value || 0);
  assert.deepEqual(await of(full), [30_000_000, 2]);
  return { ...workspace, full, empty, ada, gifts, of, setUp: runs() };
};

const modes = (runs) => runs.map(({ function: name, result }) => [name, result.mode ?? result.handedOver]);

// A gift reaches the household of its donor in one run, and the writes of totals start none.
test('gift reaches the donor’s household', async (t) => {
  const { app, setUp, give, ada, full, of, runs } = await homes(t);
  // The person was created in a household; the gifts came at once. Nothing else ran.
  const twice = Array(2).fill(['calculate-rollups', 'targeted']);
  assert.deepEqual(modes(setUp).sort(), [...twice, ['person-events', true]]);
  await give(ada, [5]);
  await app.idle();
  assert.deepEqual(await of(full), [35_000_000, 3]);
  assert.deepEqual(modes(runs()), [['calculate-rollups', 'targeted']]);
});

// A person who moves leaves one household and comes to the other.
test('person moves between households', async (t) => {
  const { app, call, ada, full, empty, of, runs } = await homes(t);
  await call('PATCH', `/rest/people/${ada}`, { householdId: empty });
  await app.idle();
  assert.deepEqual([await of(full), await of(empty)], [[0, 0], [30_000_000, 2]]);
  assert.deepEqual(modes(runs()), [['person-events', true], ['calculate-rollups', 'targeted']]);
});

// A person who changes in other ways starts no run.
test('irrelevant change starts no run', async (t) => {
  const { app, call, ada, runs } = await homes(t);
  await call('PATCH', `/rest/people/${ada}`, { name: { firstName: 'Ada', lastName: 'Lovelace' } });
  await app.idle();
  assert.deepEqual(runs(), []);
});

// A deleted person counts no more, and a restored one again, with the gifts given meanwhile.
test('deleted and restored person', async (t) => {
  const { app, call, ada, full, of, give, totals } = await homes(t);
  await call('DELETE', `/rest/people/${ada}?soft_delete=true`);
  await app.idle();
  assert.deepEqual(await of(full), [0, 0]);
  await give(ada, [12]);
  await app.idle();
  await call('PATCH', `/rest/people/${ada}/restore`);
  await app.idle();
  assert.deepEqual((await totals(ada)).slice(0, 2), [42_000_000, 3]);
  assert.deepEqual(await of(full), [42_000_000, 3]);
});

test('a destroyed person counts no more', async (t) => {
  const { app, call, ada, full, of } = await homes(t);
  await call('DELETE', `/rest/people/${ada}`);
  await app.idle();
  assert.deepEqual(await of(full), [0, 0]);
});

// Of two merged people the one that is left has the gifts of both, and so has its household.
test('merged people keep both’s gifts', async (t) => {
  const { app, call, ada, full, empty, person, give, of, totals, runs } = await homes(t);
  const twin = await person({ householdId: empty });
  await give(twin, [7]);
  await app.idle();
  assert.deepEqual(await of(empty), [7_000_000, 1]);
  runs();
  await call('PATCH', '/rest/people/merge', { ids: [twin, ada], conflictPriorityIndex: 0 });
  await app.idle();
  assert.deepEqual((await totals(twin)).slice(0, 2), [37_000_000, 3]);
  assert.deepEqual([await of(full), await of(empty)], [[0, 0], [37_000_000, 3]]);
  assert.ok(runs('person-events').some(({ payload }) => payload.name === 'person.destroyed'));
});

test('200 people who move at once are one run', async (t) => {
  const { app, call, full, empty, of, runs, give } = await homes(t);
  const people = Array.from({ length: 200 }, () => ({ name: { firstName: 'B' }, householdId: full }));
  const made = (await call('POST', '/rest/batch/people', people)).data.createPeople.map(({ id }) => id);
  await give(made[0], [1]);
  await app.idle();
  assert.deepEqual(await of(full), [31_000_000, 3]);
  runs();
  await call('POST', '/rest/batch/people?upsert=true', made.map((id) => ({ id, householdId: empty })));
  await app.idle();
  assert.deepEqual([await of(full), await of(empty)], [[30_000_000, 2], [1_000_000, 1]]);
  assert.deepEqual(modes(runs()), [['person-events', true], ['calculate-rollups', 'targeted']]);
});
