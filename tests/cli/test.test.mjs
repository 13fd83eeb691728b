// `test`: cases for one's own totals.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { command, folderFor } from '../support/cli.mjs';

const engine = await import('../../pkg/rollups/node.js');

const DEFINITIONS = [
  {
    parentObject: 'person',
    childObject: 'gift',
    relationField: 'donorId',
    aggregations: [
      { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' },
      { type: 'COUNT', parentField: 'lifetimeGiftCount' },
    ],
  },
];

const gift = (amount) => ({ amount });
const caseOf = (name, amounts, expected) => ({ name, parentObject: 'person', day: '2026-11-30', records: { gift: amounts.map(gift) }, expected });
const SOUND = caseOf('two gifts', ['12.50 GBP', '7 GBP'], { lifetimeGiftAmount: '19.50 GBP', lifetimeGiftCount: 2 });
const WRONG = caseOf('a gift too few', ['12.50 GBP'], { lifetimeGiftAmount: '19.50 GBP', lifetimeGiftCount: 1 });

function workplace(t, cases, name = 'rollups.test.json') {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify(DEFINITIONS));
  if (cases) writeFileSync(join(folder, name), JSON.stringify({ cases }));
  return folder;
}

const run = (folder, line, more) => command(line, { engine, folder, env: { TWENTY_API_URL: '', TWENTY_API_KEY: '' }, ...more });

test('cases that pass', async (t) => {
  const { exit, out, err } = await run(workplace(t, [SOUND]), 'test');
  assert.deepEqual([exit, err], [0, '']);
  assert.equal(out, 'rollups.test.json: 1 case by rollups.json\n\n  ok      two gifts\n\nEvery total is as expected.\n');
});

test('a difference', async (t) => {
  const { exit, out } = await run(workplace(t, [SOUND, WRONG], 'mine.json'), 'test mine.json');
  assert.equal(exit, 1);
  assert.deepEqual(out.split('\n'), [
    'mine.json: 2 cases by rollups.json',
    '',
    '  ok      two gifts',
    '  not ok  a gift too few',
    '          lifetimeGiftAmount',
    '          - 19.50 GBP  expected',
    '          + 12.50 GBP  computed',
    '',
    'Not as expected: 1 of 2 cases.',
    '',
  ]);
});

test('a difference as a document', async (t) => {
  const { exit, json } = await run(workplace(t, [SOUND, WRONG]), 'test --json');
  const { cases, ...rest } = json();
  assert.equal(exit, 1);
  assert.deepEqual(rest, { command: 'test', exitCode: 1, file: 'rollups.test.json', source: 'rollups.json', passed: 1, failed: 1 });
  assert.deepEqual(cases.map(({ name, passed, differences }) => ({ name, passed, differences })), [
    { name: 'two gifts', passed: true, differences: [] },
    { name: 'a gift too few', passed: false, differences: ['lifetimeGiftAmount'] },
  ]);
});

test('colours in a terminal alone', async (t) => {
  const folder = workplace(t, [WRONG]);
  assert.ok((await run(folder, 'test', { tty: true })).out.includes('\u001b[31m'));
  assert.ok(!(await run(folder, 'test')).out.includes('\u001b'));
  assert.ok(!(await run(folder, 'test', { tty: true, env: { NO_COLOR: '1' } })).out.includes('\u001b'));
});

// Long names, long fields and long values are wrapped or cut.
test('60 columns', async (t) => {
  const long = 'field'.padEnd(45, 'x');
  const folder = workplace(t, [
    { ...WRONG, name: `${'a case with many words '.repeat(6)}${'b'.repeat(90)}`, expected: { [long]: 'c'.repeat(130), other: 'in words '.repeat(12).trim() } },
  ]);
  const aggregations = [long, 'other'].map((parentField) => ({ type: 'MIN', childField: 'missing', parentField }));
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify([{ ...DEFINITIONS[0], aggregations }]));
  const { exit, out } = await run(folder, 'test');
  assert.equal(exit, 1);
  for (const line of out.split('\n')) assert.ok(line.length <= 60, line);
  assert.match(out, /read by the definitions, and in no record:\n +gift\.missing\n/);
});

test('faults of the file', async (t) => {
  const { exit, err } = await run(workplace(t, [{ ...SOUND, day: 'today' }]), 'test');
  assert.equal(exit, 1);
  assert.match(err, /rollups\.test\.json: 1 fault\n {2}rollups\.test\.json:1:55: case 0 \(two gifts\), day: found "today", expected a day such as 2026-11-30\n/);
});

// A name that looks like a place leads nowhere else.
test('line and column of a fault', async (t) => {
  const folder = workplace(t);
  const cases = [SOUND, { ...SOUND, name: 'a (b), expected, records, gift 0', records: { gift: [gift('1 GBP'), gift('five')] } }];
  writeFileSync(join(folder, 'rollups.test.json'), JSON.stringify({ cases }, null, 2));
  const { err } = await run(folder, 'test');
  const line = JSON.stringify({ cases }, null, 2).split('\n').findIndex((text) => text.includes('five')) + 1;
  assert.ok(err.includes(`  rollups.test.json:${line}:13: case 1 (a (b), expected, records, gift 0), records, gift 1, amount: found "five"`), err);
});

test('faults of the definitions come first', async (t) => {
  const folder = workplace(t, [SOUND]);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify([{ ...DEFINITIONS[0], relationFeild: 'x' }]));
  const { exit, err } = await run(folder, 'test');
  assert.equal(exit, 1);
  assert.match(err, /rollups\.json: 1 fault\n {2}rollups\.json:1:\d+: definition 0, relationFeild/);
});

test('missing and broken files', async (t) => {
  const folder = workplace(t);
  const missing = await run(folder, 'test');
  assert.equal(missing.exit, 2);
  assert.match(missing.err, /rollups\.test\.json`: there is no such file/);
  writeFileSync(join(folder, 'rollups.test.json'), '{"cases": [');
  const broken = await run(folder, 'test');
  assert.equal(broken.exit, 2);
  assert.match(broken.err, /rollups\.test\.json is not JSON/);
});

test('the built-in definitions', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.test.json'), JSON.stringify({ cases: [SOUND] }));
  const { exit, out } = await run(folder, 'test');
  assert.equal(exit, 0);
  assert.match(out, /1 case by the built-in definitions/);
});
