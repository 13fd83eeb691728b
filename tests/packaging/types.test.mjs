// The compiler's declarations, as TypeScript sees them from the installed package.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { TSC, installedProject } from '../support/project.mjs';

for (const moduleResolution of ['bundler', 'nodenext']) {
  // A sample checks under the module resolution …, and its mistakes are caught.
  test(`types under ${moduleResolution}`, (t) => {
    const { folder } = installedProject(t);
    cpSync(new URL('types/sound.ts', import.meta.url), join(folder, 'sound.ts'));
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'dom'],
      module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution,
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['sound.ts'] }));
    assert.equal(check(folder), '');
  });
}

function check(folder) {
  try {
    return execFileSync(TSC, ['-p', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    return error.stdout;
  }
}
