// What the servers around the module do: bodies, ids, settings, and what they must not let through.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { READ_HEADERS } from '../../pkg/fundraising/api.js';
import { ROOT, prepare } from '../support/project.mjs';
import { RUNTIMES, UNLIMITED, call, startProxy } from '../support/proxy.mjs';

before(prepare);

const NO_SERVER = { TWENTY_API_BASE_URL: 'http://127.0.0.1:9/rest', ...UNLIMITED };

// The configuration of workerd binds every setting and no other.
test('settings bound by workerd', async () => {
  const { settingNames } = await import('../../pkg/fundraising/node.js');
  const text = readFileSync(join(ROOT, 'pkg/fundraising/workerd.capnp'), 'utf8');
  const bound = [...text.matchAll(/\(name = "([A-Z_]+)", fromEnvironment = "([A-Z_]+)"\)/g)];
  for (const [, name, from] of bound) assert.equal(name, from);
  assert.deepEqual(bound.map(([, name]) => name).sort(), [...settingNames()].sort());
});

// Every header that the Rust code asks a request for crosses to it, and no other.
test('headers that cross to the module', () => {
  const folder = join(ROOT, 'rollup-engine/proxy/src');
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs'));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').split('#[cfg(test)]')[0]);
  const asked = texts.flatMap((text) => [...text.matchAll(/(?:request|inbound)\.header\("([a-z-]+)"\)/g)].map(([, name]) => name));
  assert.deepEqual([...new Set(asked)].sort(), READ_HEADERS);
});

// Npm run proxy prints one line when it is ready, serves, and ends when it is told to.
test('npm run proxy', async (t) => {
  const child = spawn('npm', ['run', '--silent', 'proxy', '--', '--port', '0', '--host', '127.0.0.1'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...NO_SERVER },
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  t.after(() => {
    try {
      process.kill(-child.pid);
    } catch {
      // It has ended, as it should.
    }
  });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  const { url } = JSON.parse(text.slice(0, text.indexOf('\n')));
  assert.equal((await call(url, 'GET', '/health', { token: null })).status, 200);
  process.kill(-child.pid, 'SIGTERM');
  await ended;
});

/** The server's first line, or how it ended. */
async function started(t, args, env = {}) {
  const child = spawn(process.execPath, [join(ROOT, 'pkg/fundraising/server.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...NO_SERVER, ...env },
  });
  t.after(() => child.kill());
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const exit = new Promise((resolve) => child.once('close', resolve));
  const printed = (async () => {
    while (!text.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 10));
  })();
  const code = await Promise.race([exit, printed]);
  return { code, text };
}

/** The server listens on 127.0.0.1 unless it is told otherwise, and prints where. */
test('default address and --host', async (t) => {
  const outside = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const reach = (port) => fetch(`http://${outside}:${port}/health`).then(({ status }) => status, () => 'refused');
  const here = JSON.parse((await started(t, ['--port', '0'])).text);
  assert.match(here.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await call(here.url, 'GET', '/health', { token: null })).status, 200);
  const everywhere = JSON.parse((await started(t, ['--port', '0', '--host', '0.0.0.0'])).text);
  assert.match(everywhere.url, /^http:\/\/0\.0\.0\.0:\d+$/);
  if (outside) {
    assert.equal(await reach(new URL(here.url).port), 'refused');
    assert.equal(await reach(new URL(everywhere.url).port), 200);
  }
  const six = JSON.parse((await started(t, ['--port', '0', '--host', '::1'])).text);
  assert.match(six.url, /^http:\/\/\[::1\]:\d+$/);
});

for (const runtime of Object.keys(RUNTIMES)) {
  // Ids, targets, bodies and methods reach the module as they were sent.
  test(`${runtime}: requests reach the module unchanged`, async (t) => {
    const { url } = await startProxy(t, runtime, NO_SERVER);
    const api = (method, path, more) => call(url, method, `/api/fundraising${path}`, more);

    const named = await api('GET', '/nothing?x=%2F&x=1', { headers: { 'x-request-id': 'trace-7' } });
    assert.deepEqual([named.status, named.headers.get('x-request-id')], [404, 'trace-7']);
    assert.equal(named.body.message, 'Cannot GET /api/fundraising/nothing?x=%2F&x=1');
    const unnamed = await api('GET', '/nothing');
    assert.match(unnamed.headers.get('x-request-id'), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(unnamed.headers.get('x-request-id'), (await api('GET', '/nothing')).headers.get('x-request-id'));

    assert.equal((await api('GET', '/gifts', { token: null })).status, 401);
    assert.equal((await api('POST', '/gifts', { body: '{"amount":' })).status, 400);
    assert.equal((await api('GET', '/gifts/%zz')).status, 400);
    for (const size of [101 * 1024, 3 * 1024 * 1024]) {
      const large = await api('POST', '/gifts', { body: JSON.stringify({ notes: 'x'.repeat(size) }) });
      assert.deepEqual([large.status, large.body.message], [413, 'request entity too large'], String(size));
    }
    assert.equal((await api('GET', '/nothing')).status, 404, 'it serves on after a body that was too large');

    for (const path of ['/health', '/nothing', '/api/fundraising/gifts']) {
      const [got, head] = await Promise.all(['GET', 'HEAD'].map((method) => fetch(`${url}${path}`, { method })));
      assert.deepEqual([head.status, head.headers.get('content-type')], [got.status, got.headers.get('content-type')], path);
      assert.equal(await head.text(), '');
    }
    assert.equal((await api('GET', '/nothing')).headers.get('cache-control'), 'no-store');
  });
}

/** What a server answers to the bytes of one request. */
const raw = (url, text) =>
  new Promise((resolve, reject) => {
    const { port, hostname } = new URL(url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk)).on('error', reject).on('close', () => resolve(answer));
  });

// Node: targets in absolute form are served, and tokens with control characters are not.
test('node: absolute targets, bad tokens', async (t) => {
  const { url } = await startProxy(t, 'node', { ...NO_SERVER, FUNDRAISING_METRICS_TOKEN: 'm-1' });
  const ask = (target, ...headers) => raw(url, [`GET ${target} HTTP/1.1`, 'host: x', 'connection: close', ...headers, '', ''].join('\r\n'));
  assert.match(await ask('http://proxy.example/health'), /^HTTP\/1\.1 200 [^]*\{"status":"ok"\}/);
  const missing = await ask('http://proxy.example/api/fundraising/nothing?%74oken=hidden-1', 'authorization: Bearer t');
  assert.match(missing, /^HTTP\/1\.1 404 /);
  assert.doesNotMatch(missing, /hidden/);
  assert.match(await ask('/api/fundraising/gifts?token=a%00b'), /^HTTP\/1\.1 401 /);
  assert.match(await ask('/metrics'), /^HTTP\/1\.1 401 /);
  assert.match(await ask('/metrics', 'authorization: Bearer m-1'), /^HTTP\/1\.1 200 /);
});

// A caller who hangs up while sending is nobody to answer, and costs nothing.
test('caller gone while sending', async (t) => {
  const { url, output } = await startProxy(t, 'node', NO_SERVER);
  const { port } = new URL(url);
  for (let round = 0; round < 5; round += 1) {
    const socket = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /api/fundraising/gifts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\ncontent-length: 100\r\n\r\n{"amo');
    socket.destroy();
  }
  assert.equal((await call(url, 'GET', '/health', { token: null })).status, 200);
  assert.ok(!output().includes('request_broken'), output());
});
