// `npx twenty-rollups` in a clone, before the package is published.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { folderFor } from '../support/cli.mjs';
import { PACKAGE, ROOT } from '../support/project.mjs';

// `--no` keeps npx from looking for the name anywhere but in the clone.
test('npx finds the clone’s own command', () => {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  for (const folder of ['.', 'docs', 'tests/cli']) {
    const out = execFileSync('npx', ['--no', '--', 'twenty-rollups', '--version'], { cwd: join(ROOT, folder), encoding: 'utf8' });
    assert.equal(out, `${version}\n`, folder);
  }
});

test('a clone that is not built says so', (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'bin'));
  cpSync(join(PACKAGE, 'bin/rollups.mjs'), join(folder, 'bin/rollups.mjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin/rollups.mjs'), 'plan'], { encoding: 'utf8' });
  assert.deepEqual([status, stdout, stderr], [4, '', 'twenty-rollups is not built yet in this clone: run ./build.sh in its folder, once\n']);
});
