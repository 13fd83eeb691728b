// `drift` and `rebuild --dry-run`: a whole comparison that writes nothing.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ADA, command, fakeEngine, folderFor, report } from '../support/cli.mjs';

const gbp = (amountMicros) => ({ amountMicros, currencyCode: 'GBP' });
const CHANGES = [
  { object: 'person', id: ADA, field: 'lifetimeGiftAmount', stored: gbp(12_340_000), computed: gbp(-500_000) },
  { object: 'person', id: ADA, field: 'lifetimeGiftCount', stored: 1, computed: 2 },
  { object: 'person', id: ADA, field: 'lastFund', stored: null, computed: '=cmd, "x"' },
];
const DRIFT = {
  parents: 1,
  values: 3,
  fields: { 'person.lifetimeGiftAmount': 1, 'person.lifetimeGiftCount': 1, 'person.lastFund': 1 },
  examples: CHANGES.map(({ object, ...rest }) => ({ parentObject: object, ...rest })),
  since: '2026-11-24T02:00:00.000Z',
};

const drifted = (more) =>
  fakeEngine(({ log }) => {
    for (const change of CHANGES) log({ level: 'info', event: 'difference_found', ...change });
    return report({ mode: 'dry-run', drift: DRIFT, ...more });
  });

// Drift that is found is the exit code 1, with the fields and some examples.
test('drift found', async () => {
  const engine = drifted();
  const { exit, out } = await command('drift --sample 2', { engine });
  assert.equal(exit, 1);
  assert.deepEqual(engine.calls.map(({ payload }) => payload), [{ dryRun: true }]);
  assert.match(out, /^3 values of 1 parent are wrong, of 3 parents compared, since 2026-11-24T02:00:00\.000Z at the earliest\n/);
  assert.match(out, /person\.lifetimeGiftAmount +1\n/);
  assert.match(out, new RegExp(`2 examples, stored → right:\n +person ${ADA}\n +lifetimeGiftAmount +12\\.34 GBP → -0\\.50 GBP\n +lifetimeGiftCount +1 → 2\n`));
  assert.doesNotMatch(out, /=cmd/);
  assert.match(out, /twenty-rollups rebuild/);
});

test('without drift every total is right', async () => {
  const { exit, out } = await command('drift', { engine: fakeEngine(report({ mode: 'dry-run' })) });
  assert.equal(exit, 0);
  assert.match(out, /^3 parents compared at https:\/\/crm\.example\.org by the built-in definitions: every total is right\n {2}7 requests in 1\.5 s\n$/);
});

// A dry run that shows changes has done what it was asked for.
test('dry run with changes succeeds', async () => {
  const engine = drifted();
  const { exit, out } = await command('rebuild --dry-run', { engine });
  assert.equal(exit, 0);
  assert.deepEqual(engine.calls.map(({ payload }) => payload), [{ dryRun: true }]);
  assert.match(out, /^3 values of 1 parent would change/);
});

// A comparison that did not get to its end is not right, and is never gone on with.
test('incomplete comparison is not resumed', async () => {
  const engine = drifted({ status: 'partial', code: 'out_of_time', message: 'the time was used up', checkpoint: { a: 1 } });
  const { exit, out } = await command('rebuild --dry-run --time-limit 60', { engine });
  assert.equal(exit, 1);
  assert.equal(engine.calls.length, 1);
  assert.match(out, /Not all parents could be compared: the time was used up/);
});

// The CSV has every change, amounts in the main unit, and nothing that a spreadsheet would run.
test('CSV of the changes', async (t) => {
  const folder = folderFor(t);
  const { out } = await command('rebuild --dry-run --csv changes.csv', { engine: drifted(), folder });
  assert.match(out, /3 lines in changes\.csv/);
  assert.equal(
    readFileSync(join(folder, 'changes.csv'), 'utf8'),
    [
      'object,id,field,stored,storedCurrency,computed,computedCurrency',
      `person,${ADA},lifetimeGiftAmount,12.34,GBP,-0.50,GBP`,
      `person,${ADA},lifetimeGiftCount,1,,2,`,
      `person,${ADA},lastFund,,,"'=cmd, ""x""",`,
      '',
    ].join('\r\n'),
  );
  assert.equal(statSync(join(folder, 'changes.csv')).mode & 0o077, 0);
});

test('with --json the examples are in the report', async () => {
  const { json, exit } = await command('drift --json', { engine: drifted() });
  assert.equal(exit, 1);
  assert.deepEqual(json().report.drift, DRIFT);
});

test('a CSV of changes needs a dry run', async () => {
  assert.equal((await command('rebuild --csv changes.csv')).exit, 2);
});

/** Reports of comparisons that found nothing wrong, and did not see everything. */
const UNSEEN = {
  'ran out of time': { status: 'partial', code: 'out_of_time', message: 'the time was used up' },
  'could not read the children': { status: 'partial', skipped: [{ definition: 0, aggregation: null, code: 'malformed_answer', reason: 'x' }] },
  'left an impossible value out': { status: 'partial', code: 'invalid_value', message: 'a value', skipped: [{ definition: 0, aggregation: null, code: 'invalid_value', reason: 'x' }] },
  'left a definition out': { skipped: [{ definition: 0, aggregation: null, code: 'not_in_workspace', reason: 'x' }] },
  'was not allowed to read': { skipped: [{ definition: 0, aggregation: null, code: 'forbidden', reason: 'x' }] },
};
const OWN = { ROLLUP_ENGINE_CONFIG: JSON.stringify([{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [] }]) };

for (const [what, more] of Object.entries(UNSEEN)) {
  test(`incomplete comparison: ${what}`, async () => {
    for (const line of ['drift', 'rebuild --dry-run']) {
      const engine = fakeEngine(report({ mode: 'dry-run', ...more }));
      const { exit, out } = await command(line, { engine, env: OWN });
      assert.equal(exit, 5, out);
      assert.doesNotMatch(out, /every total is right/);
      assert.match(out, /nothing wrong was found, but not everything was compared/);
      const { exit: again, json } = await command(`${line} --json`, { engine, env: OWN });
      assert.deepEqual([again, json().exitCode, json().complete], [5, 5, false]);
    }
  });
}

test('built-in definitions need not all fit', async () => {
  const skipped = [{ definition: 2, aggregation: null, code: 'not_in_workspace', reason: 'x' }];
  const { exit, out } = await command('drift', { engine: fakeEngine(report({ mode: 'dry-run', skipped })) });
  assert.equal(exit, 0);
  assert.match(out, /every total is right\n/);
  const forbidden = [{ definition: 2, aggregation: null, code: 'forbidden', reason: 'x' }];
  assert.equal((await command('drift', { engine: fakeEngine(report({ skipped: forbidden })) })).exit, 5);
});

test('found drift outranks an incomplete comparison', async () => {
  const engine = drifted({ status: 'partial', code: 'invalid_value', message: 'a value' });
  const { exit, out, json } = await command('drift --json', { engine, env: OWN });
  assert.deepEqual([exit, json().complete], [1, false], out);
});

/** What a field of numbers may hold after another program wrote into it. */
const NO_NUMBERS = [
  'abc', '', 12.5, true, [1], { a: 1 }, 1e300,
  { amountMicros: 'abc', currencyCode: 'GBP' }, { amountMicros: 12.5, currencyCode: 5 }, { amountMicros: { a: 1 }, currencyCode: null },
  { amountMicros: 1e400, currencyCode: {} }, { amountMicros: null, currencyCode: 'GBP' },
];

for (const stored of NO_NUMBERS) {
  test(`stored value that is no number: ${JSON.stringify(stored)}`, async (t) => {
    const change = { object: 'person', id: ADA, field: 'lifetimeGiftAmount', stored, computed: gbp(5_000_000) };
    const { object, ...rest } = change;
    const drift = { ...DRIFT, values: 1, fields: { 'person.lifetimeGiftAmount': 1 }, examples: [{ parentObject: object, ...rest }] };
    const engine = fakeEngine(({ log }) => {
      log({ level: 'info', event: 'difference_found', ...change });
      return report({ mode: 'dry-run', drift });
    });
    const { exit, out, err } = await command('drift --csv changes.csv', { engine, folder: folderFor(t) });
    assert.deepEqual([exit, err], [1, '']);
    assert.match(out, /5\.00 GBP/);
  });
}
