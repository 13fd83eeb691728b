// Where the address, the token and the definitions come from.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { command, fakeEngine, folderFor, report, TOKEN, URL_HERE } from '../support/cli.mjs';

const CONFIG = [{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [] }];

const optionsOf = async (line, given = {}) => {
  const engine = fakeEngine(report());
  const { exit, err } = await command(line, { engine, ...given });
  assert.equal(exit, 0, err);
  const { fetch, log, store, ...options } = engine.calls[0].options;
  assert.deepEqual([typeof fetch, typeof log, typeof store.get], ['function', 'function', 'function']);
  return options;
};

// The options come from the command line, else from the environment.
test('options before the environment', async () => {
  assert.deepEqual(await optionsOf('drift'), { apiUrl: URL_HERE, token: TOKEN });
  const options = await optionsOf('drift --url http://127.0.0.1:3000/rest/ --token another-token --requests-per-minute 40');
  assert.deepEqual(options, {
    apiUrl: 'http://127.0.0.1:3000',
    token: 'another-token',
    env: { ROLLUP_ENGINE_REQUESTS_PER_MINUTE: '40' },
  });
  const { env } = await optionsOf('drift', { env: { ROLLUP_ENGINE_REQUESTS_PER_MINUTE: 'off' } });
  assert.deepEqual(env, { ROLLUP_ENGINE_REQUESTS_PER_MINUTE: 'off' });
});

// An app’s own token comes before a key, and a user’s after it.
test('order of the tokens', async () => {
  const names = { TWENTY_APP_ACCESS_TOKEN: 'user-token' };
  assert.equal((await optionsOf('drift', { env: names })).token, TOKEN);
  assert.equal((await optionsOf('drift', { env: { ...names, TWENTY_API_KEY: '' } })).token, 'user-token');
  const app = { ...names, TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app-token' };
  assert.equal((await optionsOf('drift', { env: app })).token, 'app-token');
});

// The definitions come from the file named, else the variable, else rollups.json, else they are the built-in ones.
test('order of the definitions’ sources', async (t) => {
  const folder = folderFor(t);
  assert.equal((await optionsOf('drift', { folder })).config, undefined);
  writeFileSync(join(folder, 'rollups.json'), `\uFEFF${JSON.stringify({ definitions: CONFIG, timeZone: 'UTC' })}`);
  assert.equal((await optionsOf('drift', { folder })).config.timeZone, 'UTC');
  const env = { ROLLUP_ENGINE_CONFIG: JSON.stringify({ definitions: CONFIG, timeZone: 'Europe/Paris' }) };
  assert.equal((await optionsOf('drift', { folder, env })).config.timeZone, 'Europe/Paris');
  writeFileSync(join(folder, 'other.json'), JSON.stringify(CONFIG));
  assert.deepEqual((await optionsOf('drift --config other.json', { folder, env })).config, CONFIG);
});

for (const [what, line, env, message] of [
  ['no address', 'drift', { TWENTY_API_URL: '' }, /address of the Twenty server is missing\nSet TWENTY_API_URL, or give --url/],
  ['no token', 'drift', { TWENTY_API_KEY: '' }, /API key of the workspace is missing/],
  ['an address without a scheme', 'drift --url crm.example.org', {}, /`crm\.example\.org` is no address of a server/],
  ['an address with a password', 'drift --url https://me:hush@crm.example.org', {}, /holds a name or a password/],
  ['an address of another kind, with a password', 'drift', { TWENTY_API_URL: 'ftp://me:hush@crm.example.org' }, /TWENTY_API_URL: the address holds/],
  ['an address with a token in its query', 'drift', { TWENTY_API_URL: 'https://crm.example.org/?token=hush' }, /TWENTY_API_URL: the address holds a query/],
  ['an address that a browser would mend', 'drift', { TWENTY_API_URL: 'https:crm.example.org' }, /TWENTY_API_URL: `https:crm\.example\.org` is no address/],
  ['a token with a blank', 'drift', { TWENTY_API_KEY: 'hush hush' }, /TWENTY_API_KEY: the token has a space/],
  ['a token in quotes that is not the first', 'drift', { TWENTY_APP_ACCESS_TOKEN: '"hush"' }, /TWENTY_APP_ACCESS_TOKEN: the token has/],
  ['a rate of nothing', 'drift', { ROLLUP_ENGINE_REQUESTS_PER_MINUTE: '0' }, /ROLLUP_ENGINE_REQUESTS_PER_MINUTE: `0` requests a minute, expected/],
  ['a rate that is too large', 'drift', { ROLLUP_ENGINE_REQUESTS_PER_MINUTE: '4294967297' }, /ROLLUP_ENGINE_REQUESTS_PER_MINUTE: `4294967297`/],
  ['a rate that is no number', 'drift --requests-per-minute fast', {}, /`fast` requests a minute/],
  ['a file that is not there', 'drift --config nothing.json', {}, /nothing\.json`: there is no such file/],
  ['a variable that is not JSON', 'drift', { ROLLUP_ENGINE_CONFIG: '[1,' }, /ROLLUP_ENGINE_CONFIG is not JSON/],
  ['an unknown command', 'rebuilt', {}, /unknown command 'rebuilt'\n\(Did you mean rebuild\?\)/],
  ['an unknown option', 'drift --jsno', {}, /unknown option '--jsno'\n\(Did you mean --json\?\)/],
  ['a limit of no time', 'plan --time-limit 0', {}, /at least one second/],
  ['an id that is none', 'explain Ada', {}, /`Ada` is no id of a record/],
  ['a missing id', 'explain', {}, /missing required argument 'id'/],
  ['no command', '', {}, /Usage: twenty-rollups/],
]) {
  // … is a mistake of usage, and nothing is asked of the workspace.
  test(`usage error: ${what}`, async () => {
    const engine = fakeEngine(report());
    const fetch = () => assert.fail('a request was sent');
    const { exit, err, out } = await command(line, { env, engine, fetch });
    assert.equal(exit, 2);
    assert.match(err, message);
    assert.equal(out, '');
    assert.deepEqual(engine.calls, []);
    assert.doesNotMatch(err, /hush/);
  });
}

// Unknown settings are warned of, with the nearest.
test('unknown settings are warned of', async () => {
  const { exit, err } = await command('drift', {
    env: { ROLLUP_ENGINE_REQUEST_PER_MINUTE: '5', rollup_engine_config: '[]', OTHER_ENGINE: 'x' },
    engine: fakeEngine(report()),
  });
  assert.equal(exit, 0);
  assert.match(err, /`ROLLUP_ENGINE_REQUEST_PER_MINUTE` is no setting; the nearest is `ROLLUP_ENGINE_REQUESTS_PER_MINUTE`/);
  assert.match(err, /`rollup_engine_config` is no setting; the nearest is `ROLLUP_ENGINE_CONFIG`/);
  assert.doesNotMatch(err, /OTHER/);
});

test('help and version are no mistake', async () => {
  for (const line of ['--help', 'rebuild --help', '--version']) {
    const { exit, out, err } = await command(line);
    assert.equal(exit, 0);
    assert.notEqual(out, '');
    assert.equal(err, '');
  }
});
