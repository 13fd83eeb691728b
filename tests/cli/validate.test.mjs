// `validate`: the definitions alone, then against the workspace.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command, fakeEngine, report } from '../support/cli.mjs';

const CONFIG = [
  {
    parentObject: 'person',
    childObject: 'gift',
    relationField: 'donorId',
    aggregations: [{ type: 'COUNT', parentField: 'lifetimeGiftCuont' }],
  },
];
const OWN = { ROLLUP_ENGINE_CONFIG: JSON.stringify(CONFIG) };
const SKIPPED = [
  { definition: 0, aggregation: 0, reason: '`person` has no field `lifetimeGiftCuont`, did you mean `lifetimeGiftCount`?' },
];

test('definitions that fit the workspace are right', async () => {
  const engine = fakeEngine(report({ mode: 'plan' }));
  const { exit, out } = await command('validate', { engine, env: OWN });
  assert.equal(exit, 0);
  assert.match(out, /^ROLLUP_ENGINE_CONFIG: 1 definition, sound\nhttps:\/\/crm\.example\.org has everything/);
  assert.deepEqual(engine.calls[0].payload, { plan: true });
});

// What the workspace does not have is named with its place, and with what was meant.
test('missing fields and what was meant', async () => {
  const { exit, out } = await command('validate', { engine: fakeEngine(report({ skipped: SKIPPED })), env: OWN });
  assert.equal(exit, 1);
  assert.match(
    out,
    /definition 0 \(person ← gift\.donorId\), aggregation 0 \(lifetimeGiftCuont\): `person` has no field .* did you mean `lifetimeGiftCount`\?/,
  );
});

// Definitions none of which fits are wrong, with every reason.
test('no definition fits', async () => {
  const engine = fakeEngine(report({ status: 'error', code: 'nothing_to_run', message: 'no definition fits', skipped: SKIPPED }));
  const { exit, json } = await command('validate --json', { engine, env: OWN });
  assert.equal(exit, 1);
  assert.deepEqual(json(), {
    command: 'validate',
    exitCode: 1,
    valid: false,
    source: 'ROLLUP_ENGINE_CONFIG',
    errors: [],
    workspace: { url: 'https://crm.example.org', skipped: SKIPPED, notes: [] },
  });
});

// Of the built-in definitions a workspace need not have all.
test('built-in definitions fit in part', async () => {
  const { exit, out } = await command('validate', { engine: fakeEngine(report({ skipped: SKIPPED })) });
  assert.equal(exit, 0);
  assert.match(out, /and so left out:\n {2}definition 0, aggregation 0: `person`/);
});

// Unsound definitions are listed without asking the workspace.
test('unsound definitions are listed', async () => {
  const errors = [{ place: 'definition 0, relationFeild', message: 'unknown key, did you mean `relationField`?' }];
  const engine = { ...fakeEngine(report()), validateDefinitions: () => ({ valid: false, errors, definitions: 0 }) };
  const { exit, out } = await command('validate', { engine, env: OWN, fetch: () => assert.fail('a request was sent') });
  assert.equal(exit, 1);
  assert.match(out, /1 fault\n {2}ROLLUP_ENGINE_CONFIG:1:2: definition 0, relationFeild: unknown key, did you mean `relationField`\?/);
});

// An address without a key is a mistake, and no wish to check the definitions alone.
test('address without a key', async () => {
  const fetch = () => assert.fail('a request was sent');
  for (const key of ['', ' ', undefined]) {
    const { exit, out } = await command('validate', { env: { ...OWN, TWENTY_API_KEY: key }, fetch });
    assert.equal(exit, 1);
    assert.match(out, /Not compared with https:\/\/crm\.example\.org: there is no token, as TWENTY_API_KEY is empty or not set\./);
    const { exit: again, json } = await command('validate --json', { env: { ...OWN, TWENTY_API_KEY: key }, fetch });
    assert.deepEqual([again, json().valid, json().workspace, json().error.code], [1, false, null, 'missing_token']);
    assert.equal((await command('validate --offline', { env: { ...OWN, TWENTY_API_KEY: key }, fetch })).exit, 0);
  }
});

// Without a workspace, or offline, the definitions alone are checked, and that is said.
test('validation without a workspace', async () => {
  const fetch = () => assert.fail('a request was sent');
  for (const [line, env] of [['validate', { ...OWN, TWENTY_API_URL: '' }], ['validate --offline', OWN]]) {
    const { exit, out } = await command(line, { env, fetch });
    assert.equal(exit, 0);
    assert.match(out, /sound\nNot compared with a workspace/);
  }
});
