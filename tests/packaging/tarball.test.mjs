// What is in the tarball: the files that are meant to be, and no trace of the machine that built it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT, exportsOf, installedProject } from './project.mjs';

test('the tarball holds these files and no others', (t) => {
  const { files } = installedProject(t);
  assert.deepEqual(files, [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'fundraising/api.js',
    'fundraising/bun.js',
    'fundraising/deno.js',
    'fundraising/generated/fundraising.d.ts',
    'fundraising/generated/fundraising.js',
    'fundraising/generated/fundraising.wasm',
    'fundraising/generated/model.json',
    'fundraising/index.d.ts',
    'fundraising/node.js',
    'fundraising/provision.d.ts',
    'fundraising/provision.js',
    'fundraising/server.js',
    'fundraising/workerd.capnp',
    'fundraising/workerd.js',
    'package.json',
    'rollups.schema.json',
    'rollups/api.d.ts',
    'rollups/api.js',
    'rollups/bun.js',
    'rollups/deno.js',
    'rollups/generated/rollups.d.ts',
    'rollups/generated/rollups.js',
    'rollups/generated/rollups.wasm',
    'rollups/index.d.ts',
    'rollups/node.js',
    'rollups/workerd.js',
  ]);
});

test('every file that the package exports is in the tarball', (t) => {
  const { files, installed } = installedProject(t);
  const targets = Object.values(exportsOf(installed)).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  for (const target of targets) assert.ok(files.includes(target.replace('./', '')), target);
});

test('the conditions stand in the order in which runtimes must try them', (t) => {
  const { installed } = installedProject(t);
  for (const entry of ['.', './fundraising']) {
    const conditions = Object.keys(exportsOf(installed)[entry]);
    assert.deepEqual(conditions, ['types', 'workerd', 'deno', 'bun', 'node', 'default'], entry);
  }
});

test('the modules name no folder of the machine that built them', (t) => {
  const { installed } = installedProject(t);
  for (const product of ['rollups', 'fundraising']) {
    const text = readFileSync(join(installed, `${product}/generated/${product}.wasm`), 'latin1');
    for (const folder of [homedir(), ROOT.replace(/\/$/, '')]) assert.ok(!text.includes(folder), folder);
  }
});
