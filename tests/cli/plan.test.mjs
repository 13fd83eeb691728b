// `plan`: what a rebuild would cost.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command, fakeEngine, report } from '../support/cli.mjs';

const PLAN = {
  reading: 'group-by',
  reads: 8,
  writesAtMost: 12,
  seconds: 170,
  secondsAtMost: 400,
  why: 'the server adds up: 8 requests, a scan takes 47',
  counts: { gift: 6919, person: 2357, household: null },
  definitions: [
    { definition: 0, parentObject: 'person', childObject: 'gift', reading: 'group-by', reads: 3, why: 'the server adds up with the same result' },
    { definition: 2, parentObject: 'household', childObject: 'person', reading: 'scan', reads: 0, why: 'its children are parents themselves' },
  ],
};

// A plan shows each definition, the requests and the time.
test('definitions, requests and time of a plan', async () => {
  const details = [{ parentObject: 'person', childObject: 'gift', relationField: 'donorId' }, {}, { relationField: 'householdId' }];
  const engine = fakeEngine(report({ mode: 'plan', plan: PLAN, details }));
  const { exit, out } = await command('plan --time-limit 300', { engine });
  assert.equal(exit, 0);
  assert.deepEqual(out.split('\n'), [
    'A rebuild of https://crm.example.org by the built-in definitions',
    '',
    '  0  person ← gift.donorId',
    '     group-by, 3 requests: the server adds up with the same',
    '     result',
    '  2  household ← person.householdId',
    '     scan, shared: its children are parents themselves',
    '',
    '  records    6,919 gift, 2,357 person, unknown household',
    '  to read    8 requests: the server adds up: 8 requests, a',
    '             scan takes 47',
    '  to write   at most 12 requests, if every total were wrong',
    '  time       3 min to 7 min, by how long the server takes',
    '             for a write; more if others use the budget',
    '',
  ]);
  assert.deepEqual(engine.calls[0].payload, { plan: true });
  assert.equal(engine.calls[0].options.timeLimitSeconds, 300);
});

test('with --json the whole report is there', async () => {
  const { json } = await command('plan --json', { engine: fakeEngine(report({ plan: PLAN })) });
  assert.deepEqual(json().report.plan, PLAN);
});
