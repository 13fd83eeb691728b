// Settings are read, or refused with their name, their value and what was expected: by the process that does not start,
// or, on workerd, where nothing starts, by each request.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { ROOT, WORKERD, prepare } from '../support/project.mjs';
import { RUNTIMES, UNLIMITED, call, startProxy } from '../support/proxy.mjs';

before(prepare);

const NO_SERVER = { TWENTY_API_BASE_URL: 'http://127.0.0.1:9/rest', ...UNLIMITED };
const SECRETS = /SECRET|KEY|TOKEN/;

/** Of every setting a value that cannot be read. */
const badOf = (name) => (SECRETS.test(name) ? 'hush hush' : 'no good value?');

const environment = (env) => ({ PATH: process.env.PATH, HOME: process.env.HOME, DENO_NO_UPDATE_CHECK: '1', ...env });

/** Runs a command that should end by itself. */
async function ending([program, ...args], env) {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: environment(env) });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => (text[name] += chunk));
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(late);
  return { code, ...text };
}

/** The first line of what a server prints, and the server's end. */
async function firstLine(t, args, env) {
  const child = spawn(process.execPath, [join(ROOT, 'pkg/fundraising/server.js'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: environment(env),
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return JSON.parse(text.slice(0, text.indexOf('\n')));
}

for (const runtime of ['node', 'deno', 'bun']) {
  // Every unreadable setting ends the start.
  test(`${runtime}: unreadable settings`, async () => {
    const { settingNames } = await import('../../pkg/fundraising/node.js');
    const names = settingNames();
    const env = Object.fromEntries(names.map((name) => [name, badOf(name)]));
    const { code, stderr, stdout } = await ending(RUNTIMES[runtime]('0'), env);
    assert.ok(code > 0, `exit code ${code}`);
    for (const name of names) {
      const line = stderr.split('\n').find((each) => each.includes(`\`${name}\``));
      assert.match(line ?? `${name} is not named:\n${stderr}`, /, expected \S/);
      if (!SECRETS.test(name)) assert.ok(line.includes(`is \`${badOf(name)}\``), line);
    }
    assert.doesNotMatch(stderr + stdout, /hush/);
  });

  // One unreadable setting among good ones.
  test(`${runtime}: one unreadable setting`, async () => {
    const { code, stderr } = await ending(RUNTIMES[runtime]('0'), { ...NO_SERVER, FUNDRAISING_ENABLE_GIFT_STAGING: 'ja' });
    assert.ok(code > 0, `exit code ${code}`);
    assert.match(stderr, /^`FUNDRAISING_ENABLE_GIFT_STAGING` is `ja`, expected `1`, `true`, `yes` or `on`, or else/m);
  });
}

// Workerd: 503 with the name alone, the rest in the log.
test('workerd: 503 with the name alone', async (t) => {
  const { settingNames } = await import('../../pkg/fundraising/node.js');
  const names = settingNames();
  const { url, output } = await startProxy(t, 'workerd', Object.fromEntries(names.map((name) => [name, badOf(name)])));
  for (const [method, path] of [['GET', '/ready'], ['GET', '/metrics'], ['POST', '/api/fundraising/gifts'], ['GET', '/nothing']]) {
    const { status, body, headers } = await call(url, method, path, { token: 'x' });
    assert.equal(status, 503, path);
    assert.deepEqual(body.message.split(' cannot')[0].split(', ').sort(), [...names].sort());
    assert.ok(headers.get('x-request-id'));
    assert.doesNotMatch(JSON.stringify(body), /hush|good value/);
  }
  const health = await call(url, 'GET', '/health', { token: null });
  assert.deepEqual([health.status, health.body], [200, { status: 'ok' }]);
  for (const name of names) assert.equal(output().split(`"name":"${name}"`).length, 2, `${name} once in\n${output()}`);
  assert.match(output(), /`FUNDRAISING_GIFT_AID` is `no good value\?`, expected/);
  assert.doesNotMatch(output(), /hush/);
});

test('as a library: 503 with the name alone', async () => {
  const { fetch, settingErrors } = await import('../../pkg/fundraising/node.js');
  const env = { FUNDRAISING_CACHE_SECONDS: '-1' };
  const response = await fetch(new Request('http://localhost/api/fundraising/gifts'), env);
  assert.equal(response.status, 503);
  assert.equal((await response.json()).message, 'FUNDRAISING_CACHE_SECONDS cannot be read');
  assert.equal((await fetch(new Request('http://localhost/health'), env)).status, 200);
  assert.match(settingErrors(env), /^`FUNDRAISING_CACHE_SECONDS` is `-1`, expected a whole number from 0 to 86400$/);
});

test('bindings that are no texts', async () => {
  const { settingErrors } = await import('../../pkg/fundraising/node.js');
  const gift = { name: 'donation', plural: 'donations' };
  assert.equal(settingErrors({ FUNDRAISING_CACHE_SECONDS: 5, FUNDRAISING_GIFT_AID: true, FUNDRAISING_MODEL: { gift } }), '');
  assert.equal(settingErrors({ FUNDRAISING_STAGING_BYPASS_SOURCES: ['manual_ui', 'csv:500'] }), '');
  assert.equal(settingErrors({ FUNDRAISING_CACHE_SECONDS: null, FUNDRAISING_GIFT_AID: undefined, FUNDRAISING_MODEL: '' }), '');
  const errors = settingErrors({ FUNDRAISING_CACHE_SECONDS: 1.5, FUNDRAISING_GIFT_AID: {}, FUNDRAISING_MODEL: [], TWENTY_API_KEY: {} });
  assert.equal(errors.split('\n').length, 4, errors);
});

/** What is no setting of the module, on Node: the port and the address. */
for (const [what, args, env, expected] of [
  ['PORT', [], { PORT: 'http' }, /^`PORT` is "http", expected a whole number from 0 to 65535$/m],
  ['PORT', [], { PORT: '65536' }, /^`PORT` is "65536", expected/m],
  ['PORT', [], { PORT: '-1' }, /^`PORT` is "-1", expected/m],
  ['PORT', [], { PORT: '0x50' }, /^`PORT` is "0x50", expected/m],
  ['--port', ['--port', '3000.5'], {}, /^`--port` is "3000\.5", expected/m],
  ['--host', ['--port', '0', '--host', 'no such host'], {}, /^cannot listen on no such host, port 0: /m],
  ['--prot', ['--prot', '3000'], {}, /'--prot'/],
]) {
  test(`node: ${what} that cannot be read: ${Object.values(env)[0] ?? args.at(-1)}`, async () => {
    const { code, stderr } = await ending([process.execPath, 'pkg/fundraising/server.js', ...args], { ...NO_SERVER, ...env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
  });
}

test('node: a taken port is said so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address();
  const { code, stderr } = await ending([process.execPath, 'pkg/fundraising/server.js', '--port', `${port}`], NO_SERVER);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^cannot listen on 127\\.0\\.0\\.1, port ${port}: .*EADDRINUSE`, 'm'));
});

// Node: this machine alone unless told otherwise.
test('node: default host', async (t) => {
  const blank = await firstLine(t, ['--port', ' '], { ...NO_SERVER, PORT: '0' });
  assert.match(blank.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.match((await firstLine(t, ['--port', '0', '--host', '0.0.0.0'], NO_SERVER)).url, /^http:\/\/0\.0\.0\.0:\d+$/);
});

test('provisioning refuses what the server refuses', async () => {
  const env = { ...NO_SERVER, TWENTY_API_KEY: 'k', FUNDRAISING_MODEL: '{"gift":{"name":"../people"}}' };
  const { code, stderr } = await ending([process.execPath, 'pkg/fundraising/server.js', '--provision'], env);
  assert.equal(code, 1);
  assert.match(stderr, /^`FUNDRAISING_MODEL` is `.*`, expected a JSON object of names; gift\.name: expected a name/m);
});

const UNKNOWN = { FUNDRAISING_ENABLE_GIFT_STAGGING: 'hush', ROLLUP_ENGINE_REQUEST_PER_MINUTE: 'hush', ROLLUP_ENGINE_CONFIG: '[]' };

const assertWarned = (output) => {
  const warnings = output.split('\n').filter((line) => line.includes('"setting_not_recognized"'));
  assert.deepEqual(
    warnings.map((line) => JSON.parse(line)).map(({ name, nearest }) => [name, nearest]).sort(),
    [
      ['FUNDRAISING_ENABLE_GIFT_STAGGING', 'FUNDRAISING_ENABLE_GIFT_STAGING'],
      ['ROLLUP_ENGINE_REQUEST_PER_MINUTE', 'ROLLUP_ENGINE_REQUESTS_PER_MINUTE'],
    ],
    output,
  );
  assert.doesNotMatch(output, /hush/);
};

for (const runtime of ['node', 'deno', 'bun']) {
  test(`${runtime}: unknown settings warned of once`, async (t) => {
    const { url, output } = await startProxy(t, runtime, { ...NO_SERVER, ...UNKNOWN });
    for (let round = 0; round < 3; round += 1) await call(url, 'GET', '/metrics', { token: null }).catch(() => {});
    assertWarned(output());
  });
}

test('workerd: unknown bindings warned of once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bindings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(ROOT, 'pkg/fundraising'), folder, { recursive: true });
  const config = join(folder, 'workerd.capnp');
  const bindings = Object.entries(UNKNOWN).map(([name, text]) => `(name = "${name}", text = "${text}"),`);
  writeFileSync(config, readFileSync(config, 'utf8').replace('bindings = [', `bindings = [${bindings.join('')}`));
  const shipped = RUNTIMES.workerd;
  RUNTIMES.copied = (port) => [WORKERD, 'serve', config, ...shipped(port).slice(3)];
  t.after(() => delete RUNTIMES.copied);
  const { url, output } = await startProxy(t, 'copied', NO_SERVER);
  for (let round = 0; round < 3; round += 1) await fetch(`${url}/metrics`);
  assertWarned(output());
});
