// Compares what a module asks of JavaScript, and what it offers to TypeScript, with the golden files beside the crates.
//
//   node contract.mjs <product> <folder of the generated files> <folder of the golden files>
//
// With BLESS=1 in the environment the golden files are written instead. A module never imports from `env`: that would
// be a stub of a C library that no host provides.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [product, generated, golden] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(join(generated, `${product}.wasm`)));

// wasm-bindgen ends names with a hash that says nothing here, and lists the private exports last.
const withoutHash = (name) => name.replace(/_h?[0-9a-f]{16}$/, '');
const imports = WebAssembly.Module.imports(module).map((each) => `${each.module} ${withoutHash(each.name)}`);
const declarations = readFileSync(join(generated, `${product}.d.ts`), 'utf8').split('export type InitInput')[0];

const stray = imports.filter((line) => line.startsWith('env '));
if (stray.length > 0) {
  console.error(`${product}.wasm imports from \`env\`: ${stray.join(', ')}`);
  process.exit(1);
}

const facts = {
  [`${product}.imports.txt`]: `${[...new Set(imports)].sort().join('\n')}\n`,
  [`${product}.d.ts`]: `${declarations.trim()}\n`,
};
for (const [name, actual] of Object.entries(facts)) {
  const path = join(golden, name);
  if (process.env.BLESS === '1') {
    writeFileSync(path, actual);
    continue;
  }
  const expected = readIfThere(path);
  if (expected === actual) continue;
  process.exitCode = 1;
  console.error(`${name} differs from its golden file (BLESS=1 accepts it):`);
  for (const line of difference(expected, actual)) console.error(`  ${line}`);
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function difference(before, after) {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}
