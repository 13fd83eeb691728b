import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build, copyOfApp, manifestOf } from '../support/app.mjs';

before(() => build());

// Without model/ the app still builds, and the role still names the objects.
test('build without model/', async () => {
  const copy = copyOfApp('app-without-model', 'model');
  const output = await build(copy);
  const full = manifestOf(join(APP, '.twenty', 'output'));
  const manifest = manifestOf(join(copy, '.twenty', 'output'));
  assert.deepEqual(manifest.objects, []);
  assert.equal(manifest.fields.length, 12);
  assert.deepEqual(manifest.roles, full.roles);
  assert.deepEqual(manifest.logicFunctions, full.logicFunctions);
  const named = new Set(full.roles[0].objectPermissions.map(({ objectUniversalIdentifier }) => objectUniversalIdentifier));
  const own = full.objects.map(({ universalIdentifier }) => universalIdentifier).filter((id) => named.has(id));
  assert.equal(own.length, 7);
  for (const id of own) assert.ok(output.includes(id), output);
});

// Without model/ and fields/ only the functions, the role and the settings are left.
test('build without model/ and fields/', async () => {
  const copy = copyOfApp('app-without-model-fields', 'model', 'fields');
  await build(copy);
  const manifest = manifestOf(join(copy, '.twenty', 'output'));
  assert.deepEqual([manifest.objects, manifest.fields], [[], []]);
  assert.deepEqual([manifest.roles.length, manifest.logicFunctions.length], [1, 5]);
});
