import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build, manifestOf, ROLLUPS } from '../support/app.mjs';

const OUTPUT = join(APP, '.twenty', 'output');
let manifest;

before(async () => {
  await build();
  manifest = manifestOf(OUTPUT);
});

const rollups = () => manifest.logicFunctions.find(({ name }) => name === 'calculate-rollups');

test('one function has the three triggers', () => {
  assert.deepEqual(rollups().databaseEventTriggerSettings, { eventName: 'gift.*', batchMode: true });
  assert.deepEqual(rollups().cronTriggerSettings, { pattern: '0 2 * * *' });
  assert.deepEqual(rollups().httpRouteTriggerSettings, {
    path: '/recalculate-all',
    httpMethod: 'POST',
    isAuthRequired: true,
    forwardedRequestHeaders: ['x-request-id'],
  });
  assert.equal(rollups().timeoutSeconds, 900);
  assert.equal(rollups().builtHandlerPath, 'calculaterollups/src/index.mjs');
});

test('the post-install function is registered', () => {
  const { postInstallLogicFunction } = manifest.application;
  const hook = manifest.logicFunctions.find(
    ({ universalIdentifier }) => universalIdentifier === postInstallLogicFunction.universalIdentifier,
  );
  assert.equal(hook.builtHandlerPath, 'postinstall/src/index.mjs');
});

// The other functions carry no wasm and have what starts them.
test('small functions and their triggers', () => {
  const triggers = Object.fromEntries(
    manifest.logicFunctions
      .filter(({ name }) => name !== 'calculate-rollups')
      .map(({ name, databaseEventTriggerSettings: events, cronTriggerSettings: cron }) => [name, { events, cron }]),
  );
  assert.deepEqual(triggers, {
    'start-first-rebuild': { events: undefined, cron: undefined },
    'person-events': {
      events: { eventName: 'person.*', updatedFields: ['household', 'householdId'], batchMode: true },
      cron: undefined,
    },
    sweep: { events: undefined, cron: { pattern: '*/15 * * * *' } },
    'rebuild-later': { events: undefined, cron: undefined },
  });
  assert.match(readFileSync(join(OUTPUT, ROLLUPS), 'utf8'), /WASM_BASE64/);
  for (const { name, builtHandlerPath, timeoutSeconds } of manifest.logicFunctions) {
    if (name === 'calculate-rollups') continue;
    assert.ok(statSync(join(OUTPUT, builtHandlerPath)).size < 20_000, name);
    assert.equal(timeoutSeconds, 60, name);
  }
});

// No total is among the fields that start a run: the engine’s own writes start none.
test('engine’s own writes start no run', () => {
  const { updatedFields } = manifest.logicFunctions.find(({ name }) => name === 'person-events').databaseEventTriggerSettings;
  const totals = manifest.fields.filter(({ type }) => type !== 'RELATION').map(({ name }) => name);
  assert.deepEqual(totals.filter((name) => updatedFields.includes(name)), []);
});

// The role may read gifts, keep totals, and nothing else; role.test.mjs says of which objects.
test('rights of the role', () => {
  assert.equal(manifest.roles.length, 1);
  const [role] = manifest.roles;
  assert.equal(manifest.application.defaultRoleUniversalIdentifier, role.universalIdentifier);
  const everywhere = Object.entries(role).filter(([name]) => /^can(Read|Update|SoftDelete|Destroy|Access|Be)/.test(name));
  assert.equal(everywhere.length, 9);
  for (const [name, value] of everywhere) assert.equal(value, false, name);
  assert.deepEqual(role.permissionFlagUniversalIdentifiers, []);

  const object = (name) => manifest.objects.find(({ nameSingular }) => nameSingular === name).universalIdentifier;
  const rights = Object.fromEntries(
    role.objectPermissions.map(({ objectUniversalIdentifier, universalIdentifier: _, ...given }) => [
      objectUniversalIdentifier,
      given,
    ]),
  );
  const totals = { canReadObjectRecords: true, canUpdateObjectRecords: true, canDestroyObjectRecords: true };
  assert.deepEqual(rights, {
    ...Object.fromEntries(['gift', 'giftStaging', 'softCredit'].map((name) => [object(name), { canReadObjectRecords: true }])),
    ...Object.fromEntries(['appeal', 'household', 'recurringAgreement', 'giftPayout'].map((name) => [object(name), totals])),
    '20202020-e674-48e5-a542-72570eee7213': totals,
    '20202020-b374-4779-a561-80086cb2e17f': totals,
    '20202020-9549-49dd-b2b2-883999db8938': totals,
  });
});

// People and companies get the six totals, out of the timeline and not for editing.
test('totals of people and companies', () => {
  const types = {
    lifetimeGiftAmount: 'CURRENCY',
    lifetimeGiftCount: 'NUMBER',
    yearToDateGiftAmount: 'CURRENCY',
    yearToDateGiftCount: 'NUMBER',
    firstGiftDate: 'DATE',
    lastGiftDate: 'DATE',
  };
  for (const object of ['20202020-e674-48e5-a542-72570eee7213', '20202020-b374-4779-a561-80086cb2e17f']) {
    const totals = manifest.fields.filter(
      ({ objectUniversalIdentifier, name }) => objectUniversalIdentifier === object && name in types,
    );
    assert.deepEqual(Object.fromEntries(totals.map(({ name, type }) => [name, type])), types);
    for (const { isAuditLogged, isUIEditable } of totals) assert.deepEqual([isAuditLogged, isUIEditable], [false, false]);
  }
});

test('both ends of every relation name each other', () => {
  const ends = new Map();
  for (const { universalIdentifier, fields } of manifest.objects) {
    for (const field of fields) ends.set(field.universalIdentifier, { ...field, objectUniversalIdentifier: universalIdentifier });
  }
  for (const field of manifest.fields) ends.set(field.universalIdentifier, field);
  const relations = [...ends.values()].filter(({ type }) => type === 'RELATION');
  assert.ok(relations.length >= 6);
  for (const relation of relations) {
    const other = ends.get(relation.relationTargetFieldMetadataUniversalIdentifier);
    assert.equal(other.relationTargetFieldMetadataUniversalIdentifier, relation.universalIdentifier, relation.name);
    assert.equal(other.objectUniversalIdentifier, relation.relationTargetObjectMetadataUniversalIdentifier, relation.name);
  }
  for (const { universalSettings, name } of relations) {
    const column = universalSettings.relationType === 'MANY_TO_ONE' ? `${name}Id` : undefined;
    assert.equal(universalSettings.joinColumnName, column, name);
  }
});

// The server installs no packages for it, and only a fitting server takes it.
test('no packages, and fitting servers only', () => {
  const { dependencies, optionalDependencies, engines } = JSON.parse(readFileSync(join(OUTPUT, 'package.json'), 'utf8'));
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
  assert.equal(engines.twenty, '>=2.40.0');
  assert.equal(manifest.application.requiredServerVersionRange, '>=2.40.0');
  assert.ok(statSync(join(OUTPUT, 'yarn.lock')).size > 0);
  assert.match(readFileSync(join(OUTPUT, 'yarn.lock'), 'utf8'), /__metadata:/);
});

test('the settings are declared and empty', () => {
  const { applicationVariables } = manifest.application;
  assert.deepEqual(Object.keys(applicationVariables), ['ROLLUP_ENGINE_CONFIG', 'ROLLUP_ENGINE_REQUESTS_PER_MINUTE']);
  for (const { value, isSecret, description } of Object.values(applicationVariables)) {
    assert.deepEqual([value, isSecret], ['', false]);
    assert.ok(description.length > 20);
  }
});
