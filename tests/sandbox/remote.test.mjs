// Twenty's own command line adds the sandbox as a remote, with the versions of it that the app is built with.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { node24 } from '../support/nodes.mjs';
import { ROOT } from '../support/project.mjs';
import { openSandbox } from '../support/sandbox.mjs';

const APP = join(ROOT, 'serverlessFunctions');
const FOLDERS = { '2.40.0': APP, '2.13.0': join(APP, '.twenty/app-2.13.0') };

for (const [version, folder] of Object.entries(FOLDERS)) {
  test(`remote:add of twenty-sdk ${version}`, async (t) => {
    const cli = join(folder, 'node_modules/twenty-sdk/dist/cli.cjs');
    assert.ok(existsSync(cli), `the app for ${version} is not built: run node serverlessFunctions/build.mjs${folder === APP ? '' : ` --sdk ${version}`} first`);
    const { url, token, revokedToken, stop } = await openSandbox();
    t.after(stop);
    const home = mkdtempSync(join(tmpdir(), 'twenty-home-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    const twenty = (...args) => spawnSync(node24(), [cli, ...args], { cwd: home, env: { PATH: process.env.PATH, HOME: home }, encoding: 'utf8' });

    const refused = twenty('remote:add', '--url', url, '--api-key', revokedToken, '--as', 'revoked');
    assert.equal(refused.status, 1, refused.stdout);
    const added = twenty('remote:add', '--url', url, '--api-key', token, '--as', 'sandbox');
    assert.equal(added.status, 0, added.stdout + added.stderr);
    const { defaultRemote, remotes } = JSON.parse(readFileSync(join(home, '.twenty/config.json'), 'utf8'));
    assert.deepEqual([defaultRemote, remotes.sandbox.apiUrl, remotes.sandbox.apiKey], ['sandbox', url, token]);
    assert.match(twenty('remote:status').stdout, /valid/);
  });
}
