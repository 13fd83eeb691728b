// The app's objects and fields are those of the one declaration, no more and no less, and parts can be left out.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { APP, build, manifestOf, run, WORK } from '../support/app.mjs';

const DECLARATION = join(APP, '..', 'rollup-engine', 'model', 'model.json');
const STANDARD = {
  person: '20202020-e674-48e5-a542-72570eee7213',
  company: '20202020-b374-4779-a561-80086cb2e17f',
  opportunity: '20202020-9549-49dd-b2b2-883999db8938',
};

const model = JSON.parse(readFileSync(DECLARATION, 'utf8'));

before(() => build());

// The files of model/ are as the declaration has them.
test('files follow the declaration', async () => {
  const { status, output } = await run(process.execPath, [join(APP, 'model.mjs'), '--check']);
  assert.equal(status, 0, output);
});

// Every declared object and field is installed, with its type, and nothing besides.
test('installed objects and fields', () => {
  const manifest = manifestOf(join(APP, '.twenty', 'output'));
  const fields = (object) => {
    const own = manifest.objects.find(({ nameSingular }) => nameSingular === object)?.fields ?? [];
    const added = manifest.fields.filter(({ objectUniversalIdentifier: at }) => at === STANDARD[object]);
    return new Map([...own, ...added].map((field) => [field.name, field]));
  };
  for (const [object, { fields: declared, totals = {}, standard = [] }] of Object.entries(model)) {
    const installed = fields(object);
    for (const [name, kind] of Object.entries({ ...declared, ...totals }).filter(([name]) => !standard.includes(name))) {
      const relation = kind.includes('.');
      assert.equal(installed.get(name)?.type, relation ? 'RELATION' : kind, `${object}.${name}`);
      if (!relation) continue;
      const [target, list] = kind.split('.');
      assert.equal(fields(target).get(list)?.universalSettings.relationType, 'ONE_TO_MANY', `${target}.${list}`);
    }
    const lists = Object.values(model).flatMap(({ fields: all }) => Object.values(all));
    const known = (name) => name in declared || name in totals || lists.includes(`${object}.${name}`);
    const system = (field) => field.isSystem || ['name', 'position', 'searchVector', 'id'].includes(field.name);
    const targets = new Set([...manifest.objects.map(({ universalIdentifier }) => universalIdentifier), ...Object.values(STANDARD)]);
    const stray = [...installed.values()].filter(
      (field) =>
        !known(field.name) &&
        !system(field) &&
        !/^(createdAt|updatedAt|deletedAt|createdBy|updatedBy)$/.test(field.name) &&
        (field.type !== 'RELATION' || targets.has(field.relationTargetObjectMetadataUniversalIdentifier)),
    );
    assert.deepEqual(stray.map(({ name }) => `${object}.${name}`), []);
  }
});

// An object can be left out, with the relations to it.
test('model without an object', async () => {
  const copy = join(WORK, 'model-without-fund', 'serverlessFunctions');
  rmSync(join(copy, '..'), { recursive: true, force: true });
  mkdirSync(join(copy, '..', 'rollup-engine', 'model'), { recursive: true });
  cpSync(DECLARATION, join(copy, '..', 'rollup-engine', 'model', 'model.json'));
  for (const name of ['model.mjs', 'identifiers.json', 'model', 'package.json']) {
    cpSync(join(APP, name), join(copy, name), { recursive: true });
  }
  const { status, output } = await run(process.execPath, [join(copy, 'model.mjs'), '--without', 'fund,household']);
  assert.equal(status, 0, output);
  const left = readdirSync(join(copy, 'model'));
  assert.ok(!left.includes('fund.ts') && !left.includes('person-household.ts') && left.includes('gift.ts'), left.join());
  for (const name of left) assert.doesNotMatch(readFileSync(join(copy, 'model', name), 'utf8'), /FUND\b|HOUSEHOLD\b/);
});
