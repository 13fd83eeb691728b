// The compiler's declarations, as TypeScript sees them from the installed package.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
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

// What the README shows is what a reader types, in a project that is as strict as the compiler can be.
test('the README’s program', (t) => {
  const { folder, installed } = installedProject(t);
  const readme = readFileSync(join(installed, 'README.md'), 'utf8');
  const programs = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program]) => program);
  assert.ok(programs.some((program) => program.includes('computeTotals') && program.includes('validateDefinitions')));
  const files = programs.map((program, number) => {
    writeFileSync(join(folder, `readme-${number}.ts`), program);
    return `readme-${number}.ts`;
  });
  // A program has types of its own for its records, and definitions may come from a file.
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify({ definitions: [] }));
  writeFileSync(
    join(folder, 'own.ts'),
    `import { computeTotals, validateDefinitions, type Definition } from 'twenty-rollups';
import configuration from './rollups.json' with { type: 'json' };
interface Gift { id: string; amount: { amountMicros: number; currencyCode: string } }
export const sound: boolean = validateDefinitions(configuration).valid;
export const totalsOf = (definition: Definition, gifts: readonly Gift[]) => computeTotals(definition, gifts)['lifetimeGiftAmount'];
`,
  );
  const strict = Object.fromEntries(
    ['strict', 'exactOptionalPropertyTypes', 'noUncheckedIndexedAccess', 'noImplicitReturns', 'noUnusedLocals', 'noPropertyAccessFromIndexSignature', 'verbatimModuleSyntax', 'isolatedModules', 'resolveJsonModule', 'noEmit'].map((name) => [name, true]),
  );
  const compilerOptions = { ...strict, target: 'es2022', lib: ['es2023', 'dom'], module: 'nodenext', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...files, 'own.ts'] }));
  assert.equal(check(folder), '');
});

function check(folder) {
  try {
    return execFileSync(TSC, ['-p', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    return error.stdout;
  }
}
