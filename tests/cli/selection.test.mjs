// `--only` and `--ids`, and the question before the built-in definitions are used.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ADA, command, fakeEngine, folderFor, report } from '../support/cli.mjs';

const BOB = '14eca0e4-40c4-42f9-85ae-e910213f6c87';
const definition = (parentObject, ...fields) => ({
  parentObject,
  childObject: 'gift',
  relationField: `${parentObject}Id`,
  aggregations: fields.map((parentField) => ({ type: 'COUNT', parentField })),
});
const OWN = { ROLLUP_ENGINE_CONFIG: JSON.stringify([definition('person', 'giftCount'), definition('appeal', 'giftCount'), definition('person', 'lastCount')]) };

/** What the engine is asked for by a command. */
async function asked(line, more = {}) {
  const engine = fakeEngine(report({ mode: 'dry-run' }));
  const { exit, err, out } = await command(line, { engine, env: OWN, ...more });
  return { exit, err, out, payload: engine.calls[0]?.payload, only: engine.calls[0]?.options.only };
}

test('definitions by number, object or field', async (t) => {
  const folder = folderFor(t);
  for (const line of ['rebuild', 'rebuild --dry-run', 'drift']) {
    assert.deepEqual((await asked(`${line} --only 1`, { folder })).only, [1], line);
    assert.deepEqual((await asked(`${line} --only person`, { folder })).only, [0, 2], line);
    assert.deepEqual((await asked(`${line} --only person.lastCount,appeal`, { folder })).only, [1, 2], line);
    assert.equal((await asked(line, { folder })).only, undefined);
  }
  assert.deepEqual((await asked('drift --only appeal', { env: {} })).only, [1], 'of the built-in ones');
});

test('definitions that are not there', async () => {
  for (const word of ['3', 'household', 'appeal.raised', ',']) {
    const { exit, err, payload } = await asked(`drift --only ${word}`);
    assert.deepEqual([exit, payload], [2, undefined], word);
    assert.match(err, /--only/);
  }
});

test('records by their ids', async (t) => {
  const folder = folderFor(t);
  const named = { ids: [ADA, BOB], parentObject: 'person' };
  assert.deepEqual((await asked(`drift --ids ${ADA},${BOB.toUpperCase()},${ADA}`)).payload, { dryRun: true, ...named });
  assert.deepEqual((await asked(`rebuild --dry-run --ids ${ADA},${BOB}`, { folder })).payload, { dryRun: true, ...named });
  assert.deepEqual((await asked(`rebuild --ids ${ADA} --object appeal`, { folder })).payload, { ids: [ADA], parentObject: 'appeal' });
});

test('records that cannot be meant', async () => {
  for (const line of ['drift --ids Ada', `drift --ids ${ADA} --object household`, 'drift --object person', `rebuild --ids ${ADA} --resume x`, 'drift --ids ,']) {
    const { exit, payload } = await asked(line);
    assert.deepEqual([exit, payload], [2, undefined], line);
  }
});

// Of some totals nothing follows for the others.
test('a part is not everything', async () => {
  for (const line of ['drift --only appeal', `drift --ids ${ADA}`]) {
    const { exit, out } = await asked(line);
    assert.equal(exit, 0);
    assert.match(out, /every total of these is right/);
    assert.doesNotMatch(out, /every total is right/);
  }
});

test('none of the records is there', async (t) => {
  const empty = { processed: 0, updated: 0, unchanged: 0 };
  for (const line of [`drift --ids ${ADA}`, `rebuild --ids ${ADA}`]) {
    const { exit, out } = await command(line, { engine: fakeEngine(report({ totals: empty })), env: OWN, folder: folderFor(t) });
    assert.equal(exit, 1);
    assert.match(out, /None of these is a live person/);
  }
});

// A run that goes on has the same definitions.
test('a run that goes on keeps to the selection', async (t) => {
  const partial = report({ status: 'partial', code: 'out_of_time', checkpoint: { at: 1 } });
  const engine = fakeEngine(partial, report());
  await command('rebuild --only appeal', { engine, env: OWN, folder: folderFor(t) });
  assert.deepEqual(engine.calls.map(({ options }) => options.only), [[1], [1]]);
});

test('built-in definitions are asked about', async (t) => {
  const folder = folderFor(t);
  for (const [answer, exit, calls] of [['y', 0, 1], ['Yes', 0, 1], ['', 2, 0], ['n', 2, 0]]) {
    const engine = fakeEngine(report());
    const ended = await command('rebuild', { engine, folder, answers: [answer] });
    assert.deepEqual([ended.exit, engine.calls.length, ended.questions.length], [exit, calls, 1], answer);
    assert.match(ended.err.replaceAll('\n', ' '), /write totals of person, appeal/);
  }
  const only = await command('rebuild --only appeal', { folder, answers: ['n'] });
  assert.match(only.err.replaceAll('\n', ' '), /write totals of appeal,/);
});

test('built-in definitions in a script are named', async (t) => {
  const folder = folderFor(t);
  const engine = fakeEngine(report());
  const ended = await command('rebuild --json', { engine, folder });
  assert.deepEqual([ended.exit, ended.json().report.status, engine.calls.length], [0, 'ok', 1]);
  assert.match(ended.err.replaceAll('\n', ' '), /the built-in definitions count .* write totals of person, appeal/);
  const silent = await command('rebuild --yes', { folder });
  assert.deepEqual([silent.exit, silent.err.includes('built-in definitions count')], [0, false]);
  // What only looks needs no word, and neither do definitions that were given.
  assert.equal((await command('rebuild --dry-run', { folder })).exit, 0);
  assert.equal((await command('rebuild', { folder, env: OWN })).exit, 0);
  writeFileSync(join(folder, 'rollups.json'), OWN.ROLLUP_ENGINE_CONFIG);
  const { exit, out } = await command('rebuild', { folder });
  assert.equal(exit, 0);
  assert.match(out, /compared at https:\/\/crm\.example\.org by rollups\.json:/);
});
