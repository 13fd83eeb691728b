import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build, manifestOf, WORK } from './support.mjs';

/** A copy of the app without some of its folders, sharing the installed tools. */
const copyWithout = (...left) => {
  const copy = join(WORK, `app-without-${left.join('-')}`);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  cpSync(APP, copy, {
    recursive: true,
    filter: (source) => ![...left, 'node_modules', '.twenty'].includes(basename(source)),
  });
  symlinkSync(join(APP, 'node_modules'), join(copy, 'node_modules'), 'junction');
  mkdirSync(join(copy, '.twenty'));
  cpSync(join(APP, '.twenty', 'install-2.40.0.sha256'), join(copy, '.twenty', 'install-2.40.0.sha256'));
  return copy;
};

before(() => build());

test('without model/ the app still builds, and the role still names the objects', async () => {
  const copy = copyWithout('model');
  const output = await build(copy);
  const full = manifestOf(join(APP, '.twenty', 'output'));
  const manifest = manifestOf(join(copy, '.twenty', 'output'));
  assert.deepEqual(manifest.objects, []);
  assert.equal(manifest.fields.length, 12);
  assert.deepEqual(manifest.roles, full.roles);
  assert.equal(manifest.logicFunctions.length, 2);
  const named = new Set(full.roles[0].objectPermissions.map(({ objectUniversalIdentifier }) => objectUniversalIdentifier));
  const own = full.objects.map(({ universalIdentifier }) => universalIdentifier).filter((id) => named.has(id));
  assert.equal(own.length, 2);
  for (const id of own) assert.ok(output.includes(id), output);
});

test('without model/ and fields/ only the functions, the role and the settings are left', async () => {
  const copy = copyWithout('model', 'fields');
  await build(copy);
  const manifest = manifestOf(join(copy, '.twenty', 'output'));
  assert.deepEqual([manifest.objects, manifest.fields], [[], []]);
  assert.deepEqual([manifest.roles.length, manifest.logicFunctions.length], [1, 2]);
});
