// The package as it is published, installed from its tarball and run in every runtime that it names.

import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';

import { fakeTwenty } from '../support/fake-twenty.mjs';
import { RUNTIMES, WORKERD, exportsOf, installedProject, output } from '../support/project.mjs';
import { startWorkerd } from '../support/workerd.mjs';

const TARGETED = { status: 'ok', code: null, mode: 'targeted' };
const READS = { 'GET /rest/gifts': 1, 'GET /rest/metadata/objects': 1, 'GET /rest/people': 1 };
const TOTALS = {
  lastGiftDate: '2026-07-01',
  // Past 2^53 a sum is the nearest number that JavaScript has.
  lifetimeGiftAmount: { amountMicros: 27_000_000_000_000_004, currencyCode: 'GBP' },
  lifetimeGiftCount: 3,
  yearToDateGiftCount: 2,
};

const EXPECTED = {
  totals: TOTALS,
  totalsOfText: TOTALS,
  sound: { valid: true, errors: [], definitions: 1 },
  unsound: {
    valid: false,
    errors: [{ place: 'definition 0, relationField', message: 'expected a text, found a number' }],
    definitions: 0,
  },
  mistakes: [
    {
      error: true,
      code: 'invalid_options',
      message:
        'options: unknown option `apiUr`, expected one of env, apiUrl, token, config, requestsPerMinute, ' +
        'timeLimitSeconds, only, fetch, log, store, enqueue',
    },
    { error: true, code: 'invalid_options', message: 'options: `fetch` must be a function' },
    { error: true, code: 'invalid_records', message: 'records: expected an array or JSON text' },
    {
      error: true,
      code: 'invalid_options',
      message: 'timeZone: `Mars/Base` is no time zone that this runtime knows, expected such as `Europe/London`',
    },
  ],
  refused: {
    status: 'error',
    code: 'unauthorized',
    mode: 'targeted',
    updated: 0,
    unchanged: 0,
    byEndpoint: { 'GET /rest/metadata/objects': 1 },
  },
  first: { ...TARGETED, updated: 1, unchanged: 0, byEndpoint: { ...READS, 'PATCH /rest/people/{id}': 1 } },
  second: { ...TARGETED, updated: 0, unchanged: 1, byEndpoint: READS },
  unreachable: 'partial',
  broken: {
    status: 'error',
    code: 'engine_trap',
    message: 'the engine stopped on a fault of its own, and starts afresh with the next call: the clock broke',
  },
  afterwards: { ...TARGETED, updated: 0, unchanged: 1, byEndpoint: READS },
};

for (const { name, command, entry } of RUNTIMES) {
  // … finds the package by its name and gets the right answers.
  test(`${name}: entry and answers`, async (t) => {
    const { folder } = installedProject(t);
    const { entry: found, logged, ...answers } = await output([...command, 'main.mjs', await fakeTwenty(t)], folder);
    assert.ok(found.endsWith(`/node_modules/twenty-rollups/${entry}`), found);
    assert.ok(logged.includes('rollups_calculated'), logged.join());
    assert.deepEqual(answers, EXPECTED);
  });
}

// Workerd runs the entry that the package names for it and gets the right answers.
test('workerd’s entry and its answers', async (t) => {
  const { folder, installed } = installedProject(t);
  // workerd looks nothing up: every module is named, as a bundler would do.
  const entry = exportsOf(installed)['.'].workerd;
  const module = (kind, path) => [kind, posix.join('node_modules/twenty-rollups', path)];
  const modules = {
    main: ['esModule', 'worker.mjs'],
    scenario: ['esModule', 'scenario.mjs'],
    'twenty-rollups': module('esModule', entry),
    'api.js': module('esModule', 'rollups/api.js'),
    'generated/rollups.js': module('esModule', 'rollups/generated/rollups.js'),
    'generated/rollups.wasm': module('wasm', 'rollups/generated/rollups.wasm'),
  };
  const environment = { TWENTY_API_URL: await fakeTwenty(t) };
  const url = await startWorkerd(t, WORKERD, folder, modules, environment);
  const { logged, ...answers } = await (await fetch(url)).json();
  assert.ok(logged.includes('rollups_calculated'), logged.join());
  assert.deepEqual(answers, EXPECTED);
});
