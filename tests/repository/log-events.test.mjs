// The log events that each product emits, and the tables of them in its documentation.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const ROOT = new URL('../../', import.meta.url).pathname;

const PRODUCTS = [
  {
    name: 'the proxy',
    sources: [
      'rollup-engine/proxy/src',
      'rollup-engine/wasm/fundraising/src',
      'rollup-engine/wasm/host/src/console.rs',
      'pkg/fundraising/src/api.ts',
      'pkg/fundraising/src/process-staged.ts',
    ],
    page: 'docs/PROXY.md',
    atLeast: 50,
  },
  {
    name: 'the rollups',
    sources: [
      'rollup-engine/rollup/src',
      'rollup-engine/twenty/src',
      'rollup-engine/wasm/rollups/src',
      'rollup-engine/wasm/host/src',
    ],
    page: 'docs/RUNBOOK.md',
    atLeast: 12,
  },
];

const NAME = /"([a-z]+(?:_[a-z]+)+)"/g;

/** The texts of the files that are, or lie below, these paths; without tests. */
function texts(paths) {
  const files = paths.flatMap((path) => {
    if (!statSync(join(ROOT, path)).isDirectory()) return [path];
    const names = readdirSync(join(ROOT, path), { recursive: true });
    return names.filter((name) => name.endsWith('.rs') && !name.endsWith('tests.rs')).map((name) => join(path, name));
  });
  return files.map((file) => readFileSync(join(ROOT, file), 'utf8').split('#[cfg(test)]')[0]);
}

/** The text up to the comma or bracket that ends the argument which begins at `start`. */
function argument(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if ('([{'.includes(text[at])) depth += 1;
    if (')]}'.includes(text[at])) depth -= 1;
    if (depth < 0 || (depth === 0 && text[at] === ',')) return text.slice(start, at);
  }
  return '';
}

/** The names behind a level: a text, a choice of texts, or what the variable before it was set to. */
function emitted(text) {
  const names = [...text.matchAll(/event: '([a-z_]+)'/g)].map((match) => match[1]);
  for (const match of text.matchAll(/(?:Level::\w+|\blevel),\s*/g)) {
    const given = argument(text, match.index + match[0].length);
    const set = given.trim() === 'event' ? text.slice(0, match.index).match(/let \(?event\b(?:(?!let \(?event\b)[\s\S])*$/)?.[0].split(/;\n/)[0] : given;
    names.push(...[...(set ?? '').matchAll(NAME)].map((found) => found[1]));
  }
  // The rollups' progress, and the failures of a caller's store and queue.
  names.push(...[...text.matchAll(/\.progress\(\s*"(\w+)"|&self\.\w+, "(\w+)"\);/g)].map((match) => match[1] ?? match[2]));
  return names;
}

for (const { name, sources, page, atLeast } of PRODUCTS) {
  test(`log events of ${name} stand in the table`, () => {
    const names = [...new Set(texts(sources).flatMap(emitted))].sort();
    const table = readFileSync(join(ROOT, page), 'utf8').split('## Log events')[1].split('\n## ')[0];
    const listed = [...table.matchAll(/^\| `\w+` \| `(\w+)` \|/gm)].map((match) => match[1]).sort();
    assert.ok(names.length >= atLeast, `only ${names.length} events were found`);
    assert.deepEqual(listed, names);
  });
}
