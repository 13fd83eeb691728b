// The check that finds circles of module files (`.ci/circles.mjs`), on trees of a few lines.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';

import { check } from '../../.ci/circles.mjs';

const SCRIPT = new URL('../../.ci/circles.mjs', import.meta.url).pathname;

/** Writes a crate named `toy` with these files below `src`, and hands its folder to `use`. */
function withCrate(files, use) {
  const folder = mkdtempSync(join(tmpdir(), 'circles-'));
  try {
    writeFileSync(join(folder, 'Cargo.toml'), '[package]\nname = "toy"\n');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'src', name)), { recursive: true });
      writeFileSync(join(folder, 'src', name), text);
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const found = (files, exempt) => withCrate(files, (folder) => check([folder], exempt));

const hasCircle = (files) => !found(files).isWell;

test('layers without a circle pass', () => {
  const files = {
    'lib.rs': 'mod below;\nmod above;\npub use above::Top;\n',
    'above.rs': 'use crate::below::Base;\npub struct Top(Base);\n',
    'below.rs': 'pub struct Base;\n',
  };
  assert.deepEqual(found(files), { lines: [], isWell: true });
});

test('grouped use makes a circle', () => {
  const { lines, isWell } = found({
    'lib.rs': 'mod a;\nmod b;\n',
    'a.rs': 'use crate::{\n    b::{self, Two as Other},\n};\npub struct One;\n',
    'b.rs': 'use super::a::One;\npub struct Two;\n',
  });
  assert.equal(isWell, false);
  assert.deepEqual(lines, [
    'toy: a circle of 2 files: a.rs, b.rs',
    '  a.rs → b.rs: line 2: crate::b, 2: crate::b::Two',
    '  b.rs → a.rs: line 1: super::a::One',
  ]);
});

test('path in code makes a circle', () => {
  const files = {
    'lib.rs': 'mod a;\nmod b;\n',
    'a.rs': "pub fn one() -> char { crate::b::two(); '\"' }\n",
    'b.rs': 'pub fn two() { super::a::one(); }\n',
  };
  assert.equal(hasCircle(files), true);
});

test('re-export leads to the defining file', () => {
  const files = {
    'lib.rs': 'mod a;\nmod b;\nmod c;\npub use b::Two;\n',
    'a.rs': 'pub struct One;\npub fn one(_: crate::c::Named) {}\n',
    'b.rs': 'pub struct Two(crate::a::One);\n',
    'c.rs': 'pub use crate::Two as Named;\n',
  };
  assert.equal(hasCircle(files), true);
});

test('glob import is followed by name', () => {
  const files = {
    'lib.rs': 'mod a;\nmod b;\npub use b::*;\n',
    'a.rs': 'pub struct One(crate::Two);\n',
    'b.rs': 'pub struct Two;\npub fn two() { crate::a::one(); }\n',
  };
  assert.equal(hasCircle(files), true);
});

test('parent that only declares may be used', () => {
  const child = 'use super::Shared;\npub struct Child(Shared);\n';
  assert.equal(hasCircle({ 'lib.rs': 'pub mod child;\npub struct Shared;\n', 'child.rs': child }), false);
  const user = 'pub mod child;\npub struct Shared;\npub fn make() -> Option<child::Child> { None }\n';
  assert.equal(hasCircle({ 'lib.rs': user, 'child.rs': child }), true);
  assert.equal(hasCircle({ 'lib.rs': 'mod child;\npub use child::Child;\npub struct Shared;\n', 'child.rs': child }), true);
});

test('method of the same type makes a circle', () => {
  const files = {
    'lib.rs': 'mod a;\nmod b;\n',
    'a.rs': "pub struct One<'a>(&'a str);\nimpl One<'_> {\n    pub fn go(&self) { self.rest(); }\n}\n",
    'b.rs': "use crate::a::One;\nimpl One<'_> {\n    pub fn rest(&self) {}\n}\n",
  };
  assert.equal(hasCircle(files), true);
});

test('tests, comments and strings do not count', () => {
  const files = {
    'lib.rs': 'mod a;\nmod b;\n',
    'a.rs': [
      '/* crate::b::Two /* nested */ crate::b::Two */',
      '//! [`crate::b::Two`]',
      'pub const TEXT: &str = "crate::b::Two";',
      'pub const RAW: &str = r#"a " crate::b::Two"#;',
      '#[cfg(test)]',
      '#[allow(unused)]',
      'mod tests { use crate::b::Two; }',
      'pub struct One;',
    ].join('\n'),
    'b.rs': 'use crate::a::One;\npub struct Two(One);\n',
  };
  assert.equal(hasCircle(files), false);
});

test('nested modules of one file are one node', () => {
  const files = {
    'lib.rs': 'mod a;\n',
    'a.rs': 'pub struct One;\nmod inner { use super::One; pub struct Two(One); }\npub fn two() -> Option<inner::Two> { None }\n',
  };
  assert.equal(hasCircle(files), false);
});

test('exempt crate without a circle is refused', () => {
  const circular = { 'lib.rs': 'mod a;\nmod b;\n', 'a.rs': 'use crate::b::B;\npub struct A;\n', 'b.rs': 'use crate::a::A;\npub struct B;\n' };
  assert.equal(found(circular, ['toy']).isWell, true);
  const { lines, isWell } = found({ 'lib.rs': '' }, ['toy']);
  assert.equal(isWell, false);
  assert.deepEqual(lines, ['toy has no circle: take it off the list of exempt crates']);
});

test('command says so by its exit code', () => {
  const circular = { 'lib.rs': 'mod a;\nmod b;\n', 'a.rs': 'use crate::b::B;\npub struct A;\n', 'b.rs': 'use crate::a::A;\npub struct B;\n' };
  withCrate(circular, (folder) => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stdout, /^toy: a circle of 2 files: a\.rs, b\.rs\n/);
    assert.equal(execFileSync(process.execPath, [SCRIPT, '--exempt', 'toy', folder], { encoding: 'utf8' }), '');
  });
});
