// Which Node runs what: see README.md.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { node22, node24 } from '../support/nodes.mjs';
import { ROOT } from '../support/project.mjs';

const pinOf = (folder) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).devDependencies.node;

test('npm scripts run on the user’s Node', () => {
  assert.ok(!existsSync(join(ROOT, 'node_modules/.bin/node')), 'node_modules/.bin/node would come first');
});

test('versions of the pinned Nodes', () => {
  assert.equal(execFileSync(node24(), ['--version'], { encoding: 'utf8' }).trim(), `v${pinOf('.')}`);
  assert.match(execFileSync(node22(), ['--version'], { encoding: 'utf8' }), /^v22\./);
});

test('one version of Node 24', () => {
  assert.equal(pinOf('serverlessFunctions'), pinOf('.'));
  assert.equal(pinOf('serverlessFunctions/sdk-2.13.0'), pinOf('.'));
});
