// `explain`: which children a total counts, and why not the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ADA, command, fakeEngine, report } from '../support/cli.mjs';

const GIFTS = ['14eca0e4-40c4-42f9-85ae-e910213f6c87', '39759e8a-80d6-4e7f-9702-cbbb16770ea6'];

const OLD = ['yearToDateGiftAmount', 'yearToDateGiftCount'].map((parentField) => ({ parentField, why: '`giftDate` is "2025-12-31"' }));

const explained = (right) =>
  report({
    mode: 'explain',
    explanation: {
      parentObject: 'person',
      id: ADA,
      found: true,
      definitions: [
        {
          definition: 0,
          childObject: 'gift',
          relationField: 'donorId',
          children: [
            { id: GIFTS[0], counted: true, why: null, leftOutOf: OLD },
            { id: GIFTS[1], counted: false, why: 'it is deleted', leftOutOf: [] },
          ],
          totals: [
            { parentField: 'lifetimeGiftCount', stored: 2, computed: 1, right },
            { parentField: 'firstGiftDate', stored: null, computed: null, right: true },
          ],
        },
      ],
    },
  });

// Each child is shown, counted or with the reason why not.
test('children, counted or not', async () => {
  const engine = fakeEngine(explained(false));
  const { exit, out } = await command(`explain ${ADA}`, { engine });
  assert.equal(exit, 1);
  assert.deepEqual(engine.calls[0].payload, { explain: { parentObject: 'person', id: ADA } });
  assert.deepEqual(out.split('\n'), [
    `person ${ADA}`,
    '',
    'Definition 0, by gift.donorId: 1 of 2 records counted',
    `  gift ${GIFTS[0]}`,
    '    counted; not in yearToDateGiftAmount,',
    '    yearToDateGiftCount: `giftDate` is "2025-12-31"',
    `  gift ${GIFTS[1]}`,
    '    not counted: it is deleted',
    '',
    '  field              stored  computed',
    '  lifetimeGiftCount  2       1         wrong',
    '  firstGiftDate      –       –         right',
    '',
    'Not every total is right. To put them right: twenty-rollups rebuild',
    '',
  ]);
});

// Amounts in several currencies have no right value: neither `drift` nor a rebuild calls what is stored wrong.
test('totals without a right value are left', async () => {
  const mixed = explained(null);
  mixed.explanation.definitions[0].totals[0].computed = 'amounts in several currencies: GBP, USD';
  const { exit, out } = await command(`explain ${ADA}`, { engine: fakeEngine(mixed) });
  assert.equal(exit, 0);
  assert.match(out, /lifetimeGiftCount\n +stored +2\n +computed +amounts in several currencies: GBP, USD\n +left\n/);
  assert.match(out, /Every total is right, apart from 1 that a rebuild leaves as it is\.\n$/);
});

test('totals that are right are the exit code 0', async () => {
  const { exit, out } = await command(`explain ${ADA}`, { engine: fakeEngine(explained(true)) });
  assert.equal(exit, 0);
  assert.match(out, /Every total is right\.\n$/);
});

// A long list of children is cut, unless all are asked for.
test('long list of children is cut', async () => {
  const long = explained(true);
  const [child] = long.explanation.definitions[0].children;
  long.explanation.definitions[0].children = Array(60).fill(child);
  const lines = async (line) => (await command(line, { engine: fakeEngine(long) })).out.split(`gift ${GIFTS[0]}`).length - 1;
  assert.equal(await lines(`explain ${ADA}`), 50);
  assert.equal(await lines(`explain ${ADA} --all`), 60);
});

test('a parent that is not there is the exit code 1', async () => {
  const explanation = { parentObject: 'person', id: ADA, found: false, definitions: [] };
  const { exit, out } = await command(`explain ${ADA}`, { engine: fakeEngine(report({ explanation })) });
  assert.equal(exit, 1);
  assert.match(out, /There is no person/);
});

// The object is the one named, else the only one of the definitions, else a person.
test('default object', async () => {
  const config = (...parents) => JSON.stringify(parents.map((parentObject) => ({ parentObject, childObject: 'gift', relationField: 'a', aggregations: [] })));
  const object = async (line, ...parents) => {
    const engine = fakeEngine(explained(true));
    await command(line, { engine, env: { ROLLUP_ENGINE_CONFIG: config(...parents) } });
    return engine.calls[0].payload.explain.parentObject;
  };
  assert.equal(await object(`explain ${ADA}`, 'person', 'appeal'), 'person');
  assert.equal(await object(`explain ${ADA}`, 'appeal', 'appeal'), 'appeal');
  assert.equal(await object(`explain ${ADA} --object household`, 'appeal'), 'household');
});

test('explained without every total', async () => {
  const skipped = [{ definition: 1, aggregation: null, code: 'invalid_value', reason: 'x' }];
  const config = (parent) => JSON.stringify(['person', parent].map((parentObject) => ({ parentObject, childObject: 'gift', relationField: 'a', aggregations: [] })));
  const ended = (parent) => command(`explain ${ADA} --json`, { engine: fakeEngine({ ...explained(true), status: 'partial', code: 'invalid_value', skipped }), env: { ROLLUP_ENGINE_CONFIG: config(parent) } });
  assert.deepEqual([(await ended('person')).exit, (await ended('person')).json().complete], [5, false]);
  // A definition of another object has no total of this parent.
  assert.equal((await ended('appeal')).exit, 0);
  const none = explained(true);
  none.explanation.definitions = [];
  const { exit, out } = await command(`explain ${ADA}`, { engine: fakeEngine(none) });
  assert.equal(exit, 5);
  assert.doesNotMatch(out, /Every total is right/);
});
