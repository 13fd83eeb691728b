// The role covers what the app's own model and the built-in definitions name: each object and each field of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { readApp } from '../runtime/app.mjs';
import { APP, build } from '../support/app.mjs';
import { ROOT } from '../support/project.mjs';

const json = (...path) => JSON.parse(readFileSync(join(ROOT, 'rollup-engine', ...path), 'utf8'));
const model = json('model', 'model.json');
const definitions = json('rollup', 'src', 'defaults.json');

/** Objects that presets add up, beside those of the built-in definitions. */
const OF_PRESETS = ['softCredit'];

/** Fields that Twenty gives every record. */
const SYSTEM = ['id', 'createdAt', 'updatedAt', 'deletedAt'];

let app;
before(async () => {
  await build();
  app = readApp(join(APP, '.twenty', 'output'));
});

const mayKeepTotals = (object) => {
  const { canReadObjectRecords, canUpdateObjectRecords, canDestroyObjectRecords } = app.permissions[object] ?? {};
  return Boolean(canReadObjectRecords && canUpdateObjectRecords && canDestroyObjectRecords);
};

test('objects with totals in the model', () => {
  const withTotals = Object.keys(model).filter((object) => model[object].totals);
  assert.ok(withTotals.length >= 7);
  assert.deepEqual(withTotals.filter((object) => !mayKeepTotals(object)), []);
});

test('parents and children of the definitions', () => {
  for (const { parentObject, childObject } of definitions) {
    assert.ok(mayKeepTotals(parentObject), parentObject);
    assert.ok(app.mayRead(childObject), childObject);
  }
  for (const object of OF_PRESETS) assert.ok(app.mayRead(object) && !mayKeepTotals(object), object);
});

// A right that neither needs is a right too many.
test('no other objects', () => {
  const named = new Set(definitions.flatMap(({ parentObject, childObject }) => [parentObject, childObject]));
  for (const object of Object.keys(model)) if (model[object].totals || OF_PRESETS.includes(object)) named.add(object);
  assert.deepEqual(Object.keys(app.permissions).sort(), [...named].sort());
  const parents = new Set(definitions.map(({ parentObject }) => parentObject));
  const writable = Object.keys(app.permissions).filter((object) => app.permissions[object].canUpdateObjectRecords);
  assert.deepEqual(writable.filter((object) => !parents.has(object) && !model[object].totals), []);
});

// Rights are given by object, for all of its fields; and each field that a definition names is in the model.
test('fields of the definitions', () => {
  const [role] = app.manifest.roles;
  assert.deepEqual([role.fieldPermissions ?? [], role.rowLevelPermissionPredicates ?? []], [[], []]);
  const has = (object, path) => {
    const [name] = path.split('.');
    const { fields, totals = {} } = model[object];
    const relation = fields[name.replace(/Id$/, '')];
    return name in fields || name in totals || SYSTEM.includes(name) || (name.endsWith('Id') && relation?.includes('.'));
  };
  const ofCondition = ({ field, subtractField }) => [field, subtractField];
  for (const { parentObject, childObject, relationField, childFilters = [], aggregations } of definitions) {
    assert.ok(has(childObject, relationField), `${childObject}.${relationField}`);
    for (const { parentField } of aggregations) assert.ok(has(parentObject, parentField), `${parentObject}.${parentField}`);
    const read = aggregations.flatMap(({ childField, subtractField, currencyField, filters = [] }) => [
      childField,
      subtractField,
      currencyField,
      ...filters.flatMap(ofCondition),
    ]);
    for (const path of [...read, ...childFilters.flatMap(ofCondition)].filter(Boolean)) {
      assert.ok(has(childObject, path), `${childObject}.${path}`);
    }
  }
});
