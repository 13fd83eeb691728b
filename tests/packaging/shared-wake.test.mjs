// On workerd a request's I/O belongs to that request: what goes on in another's context is cancelled with that other.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { TOKEN, fakeTwenty } from '../support/fake-twenty.mjs';
import { PACKAGE, ROOT, WORKERD, prepare } from '../support/project.mjs';
import { startWorkerd } from '../support/workerd.mjs';

before(prepare);

async function startWorker(t) {
  const folder = mkdtempSync(join(tmpdir(), 'shared-wake-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(PACKAGE, 'rollups'), join(folder, 'rollups'), { recursive: true });
  cpSync(join(ROOT, 'tests/packaging/programs/shared-wake.mjs'), join(folder, 'shared-wake.mjs'));
  const modules = {
    main: ['esModule', 'shared-wake.mjs'],
    'twenty-rollups': ['esModule', 'rollups/workerd.js'],
    'api.js': ['esModule', 'rollups/api.js'],
    'generated/rollups.js': ['esModule', 'rollups/generated/rollups.js'],
    'generated/rollups.wasm': ['wasm', 'rollups/generated/rollups.wasm'],
  };
  const environment = { TWENTY_API_URL: await fakeTwenty(t), TWENTY_API_KEY: TOKEN };
  const url = await startWorkerd(t, WORKERD, folder, modules, environment);
  return async (path) => (await fetch(`${url}${path}`)).json();
}

for (const how of ['promise', 'callback']) {
  test(`requests woken in one tick by a ${how}`, { timeout: 30_000 }, async (t) => {
    const ask = await startWorker(t);
    const runs = [1, 2, 3].map(() => ask(`run?wait=${how}`));
    while ((await ask('waiting')) < runs.length) await wait(20);
    await ask('release');
    for (const report of await Promise.all(runs)) {
      assert.deepEqual([report.status, report.totals?.processed], ['ok', 1], JSON.stringify(report));
    }
  });
}
