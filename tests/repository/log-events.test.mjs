// The log events that the proxy emits, and the table of them in docs/PROXY.md.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const ROOT = new URL('../../', import.meta.url).pathname;
const RUST = ['rollup-engine/proxy/src', 'rollup-engine/wasm/fundraising/src'];
const FILES = ['rollup-engine/wasm/host/src/console.rs', 'pkg/fundraising/src/api.ts'];

const NAME = /"([a-z]+(?:_[a-z]+)+)"/g;

function sources() {
  const found = RUST.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((name) => name.endsWith('.rs') && !name.endsWith('tests.rs'))
      .map((name) => join(folder, name)),
  );
  return [...found, ...FILES].map((path) => readFileSync(join(ROOT, path), 'utf8').split('#[cfg(test)]')[0]);
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
  for (const match of text.matchAll(/Level::\w+,\s*/g)) {
    const given = argument(text, match.index + match[0].length);
    const set = given.trim() === 'event' ? text.slice(0, match.index).match(/let \(?event\b(?:(?!let \(?event\b)[\s\S])*$/)?.[0].split(/;\n/)[0] : given;
    names.push(...[...(set ?? '').matchAll(NAME)].map((found) => found[1]));
  }
  return names;
}

test('every log event stands in the table', () => {
  const names = [...new Set(sources().flatMap(emitted))].sort();
  const page = readFileSync(join(ROOT, 'docs/PROXY.md'), 'utf8');
  const table = page.split('## Log events')[1].split('\n## ')[0];
  const listed = [...table.matchAll(/^\| `\w+` \| `(\w+)` \|/gm)].map((match) => match[1]).sort();
  assert.ok(names.length > 50, `only ${names.length} events were found`);
  assert.deepEqual(listed, names);
});
