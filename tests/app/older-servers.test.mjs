import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { runFunction } from '../runtime/driver.mjs';
import { node24 } from '../support/nodes.mjs';
import { APP, build, manifestOf, PERSON_EVENTS, POST_INSTALL, REBUILD_LATER, run, SWEEP } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const COMPOSED = join(APP, '.twenty', 'app-2.13.0');
const OUTPUT = join(APP, '.twenty', 'output-2.13.0');
const HOUSEHOLD = '22222222-2222-4222-8222-222222222222';
const CLI = join(COMPOSED, 'node_modules', 'twenty-sdk', 'dist', 'cli.cjs');

before(async () => {
  await build();
  await build(APP, '--sdk', '2.13.0', '--tarball');
});

// Its manifest carries the system fields that these servers do not add.
test('manifest with system fields', () => {
  const manifest = manifestOf(OUTPUT);
  const system = ['id', 'createdAt', 'updatedAt', 'deletedAt', 'createdBy', 'updatedBy', 'position', 'searchVector'];
  assert.ok(manifest.objects.some(({ nameSingular }) => nameSingular === 'gift'));
  for (const { nameSingular, fields } of manifest.objects) {
    const names = fields.map(({ name }) => name);
    for (const name of system) assert.ok(names.includes(name), `${nameSingular}.${name}`);
  }
});

// Apart from what the older SDK lacks it is the same app.
test('same app apart from the SDK', () => {
  const [older, main] = [manifestOf(OUTPUT), manifestOf(join(APP, '.twenty', 'output'))];
  const ids = (list) => list.map(({ universalIdentifier }) => universalIdentifier).sort();
  assert.equal(older.application.universalIdentifier, main.application.universalIdentifier);
  assert.deepEqual(older.roles[0].objectPermissions, main.roles[0].objectPermissions);
  for (const kind of ['objects', 'logicFunctions']) assert.deepEqual(ids(older[kind]), ids(main[kind]), kind);
  // The older manifest also has the standard relations of the app's objects, which come with the object elsewhere.
  const fields = ids(older.fields);
  for (const { universalIdentifier, name } of main.fields) assert.ok(fields.includes(universalIdentifier), name);
  const rollups = older.logicFunctions.find(({ name }) => name === 'calculate-rollups');
  assert.deepEqual(rollups.databaseEventTriggerSettings, { eventName: 'gift.*' });
  assert.ok(older.fields.every((field) => !('isAuditLogged' in field)));
  assert.equal(JSON.parse(readFileSync(join(OUTPUT, 'package.json'), 'utf8')).engines.twenty, '>=2.13.0 <2.40.0');
});

// Its tarball holds the manifest and the bundles.
test('manifest and bundles in the tarball', async () => {
  const { status, output } = await run('tar', ['tzf', join(OUTPUT, 'twenty-rollups-app-0.1.0.tgz')]);
  assert.equal(status, 0, output);
  for (const file of ['manifest.json', 'package.json', 'calculaterollups/src/index.mjs', 'postinstall/src/index.mjs']) {
    assert.ok(output.includes(`package/${file}\n`), file);
  }
});

// Its CLI publishes the tarball and installs the app with two calls.
test('publishing and installing by the CLI', async (t) => {
  const replies = {
    uploadAppTarball: { id: 'r1', universalIdentifier: 'u1', name: 'twenty-rollups-app' },
    installApplication: { id: 'a1' },
  };
  const operations = [];
  let tarball;
  const server = await listen(t, async ({ headers, body }) => {
    assert.equal(headers.authorization, 'Bearer key-of-an-admin');
    let operation;
    if (headers['content-type'].startsWith('multipart/form-data')) {
      const form = await new Response(body, { headers: { 'content-type': headers['content-type'] } }).formData();
      operation = JSON.parse(form.get('operations'));
      tarball = Buffer.from(await form.get('0').arrayBuffer());
    } else {
      operation = JSON.parse(body.toString());
    }
    const name = Object.keys(replies).find((root) => operation.query.includes(`${root}(`));
    operations.push({ name: name ?? operation.query, variables: operation.variables });
    return { body: { data: name ? { [name]: replies[name] } : {} } };
  });
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, '.twenty'));
  const remotes = { local: { apiUrl: server.url, apiKey: 'key-of-an-admin' } };
  writeFileSync(join(home, '.twenty', 'config.json'), JSON.stringify({ version: 1, remotes }));

  for (const command of [['app:publish', '--private'], ['app:install']]) {
    const env = { ...process.env, HOME: home };
    const { status, output } = await run(node24(), [CLI, ...command], { cwd: COMPOSED, env });
    assert.equal(status, 0, `${JSON.stringify(operations)} ${output}`);
  }
  const { universalIdentifier } = manifestOf(OUTPUT).application;
  const [upload, install] = operations.filter(({ name }) => name in replies);
  assert.equal(upload.name, 'uploadAppTarball');
  assert.deepEqual(install, { name: 'installApplication', variables: { universalIdentifier } });
  assert.deepEqual([...tarball.subarray(0, 2)], [0x1f, 0x8b]);
  assert.deepEqual(operations.map(({ name }) => name).filter((name) => !(name in replies)), []);
});

const smallFunctions = {
  [POST_INSTALL]: { newVersion: '0.1.0' },
  [SWEEP]: {},
  [REBUILD_LATER]: {},
  [PERSON_EVENTS]: { name: 'person.deleted', recordId: HOUSEHOLD, properties: { before: { householdId: HOUSEHOLD } } },
};

const runSmall = (url, bundle) =>
  runFunction({
    node: node24(),
    bundle: join(OUTPUT, bundle),
    payload: smallFunctions[bundle],
    env: { TWENTY_API_URL: url, TWENTY_API_KEY: 'token-of-the-app', TWENTY_APP_ACCESS_TOKEN: 'token-of-a-person' },
    timeoutMs: 60_000,
  });

// A server of several workspaces has no routes at the address that functions are told: nothing goes there.
test('small functions run the engine themselves', async (t) => {
  const notFound = { statusCode: 404, error: 'Error', messages: ['Workspace not found'], code: 'WORKSPACE_NOT_FOUND' };
  const refused = { statusCode: 403, error: 'FORBIDDEN_EXCEPTION', messages: ['no'] };
  const server = await listen(t, ({ url }) => (url.startsWith('/s/') ? { status: 404, body: notFound } : { status: 403, body: refused }));
  for (const bundle of Object.keys(smallFunctions)) {
    const { result, error } = await runSmall(server.url, bundle);
    assert.equal(error, undefined, bundle);
    const expected = bundle === PERSON_EVENTS ? ['noop', 'nothing_to_run'] : ['error', 'forbidden'];
    assert.deepEqual([result.status, result.code], expected, bundle);
  }
  assert.ok(server.calls.length >= 8);
  assert.deepEqual(server.calls.filter(({ url }) => url.startsWith('/s/')), []);
  for (const { headers } of server.calls) assert.equal(headers.authorization, 'Bearer token-of-the-app');
});

// They have the time that a run may take.
test('time of the small functions', () => {
  for (const { name, timeoutSeconds } of manifestOf(OUTPUT).logicFunctions) assert.equal(timeoutSeconds, 900, name);
});

// A failure that may pass asks the platform to try again.
test('failures that may pass ask for a retry', async (t) => {
  const server = await listen(t, () => ({ status: 500, body: { statusCode: 500, error: 'Error', messages: ['boom'] } }));
  const { error } = await runSmall(server.url, SWEEP);
  assert.equal(error.name, 'RetryableLogicFunctionError');
  assert.match(error.message, /^the run failed: .*boom/);
});
