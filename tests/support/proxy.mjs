// The proxy as it is served in each runtime, started with the commands that docs/PROXY.md names.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { ROOT, WORKERD, bin, prepare } from './project.mjs';

const PROXY = join(ROOT, 'pkg/fundraising');

/** By name, the command that serves on a port. */
export const RUNTIMES = {
  node: (port) => [process.execPath, join(PROXY, 'server.js'), '--port', port],
  workerd: (port) => [WORKERD, 'serve', join(PROXY, 'workerd.capnp'), `--socket-addr=http=127.0.0.1:${port}`],
  deno: (port) => [bin('deno'), 'serve', '--allow-net', '--allow-env', '--host', '127.0.0.1', '--port', port, join(PROXY, 'deno.js')],
  bun: (port) => [bin('bun'), 'run', `--port=${port}`, join(PROXY, 'bun.js')],
};

/** What every test serves with: no pacing, nothing kept between calls. */
export const UNLIMITED = { FUNDRAISING_REQUESTS_PER_MINUTE: 'off', FUNDRAISING_CACHE_SECONDS: '0' };

export const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });

/**
 * Serves until the test is over.
 *
 * @param {object} t the test
 * @param {string} runtime a name of `RUNTIMES`
 * @param {Record<string, string>} env the settings
 * @returns {Promise<{ url: string, output: () => string, pid: number, ended: Promise<unknown> }>}
 *   `output` is all that it has written so far
 */
export async function startProxy(t, runtime, env) {
  prepare();
  const port = await freePort();
  const [program, ...args] = RUNTIMES[runtime](port);
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DENO_NO_UPDATE_CHECK: '1', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  let ended = false;
  const end = new Promise((resolve) => child.once('close', resolve)).then(() => (ended = true));
  t.after(async () => {
    child.kill();
    await end;
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (ended) throw new Error(`${runtime} ended before it served:\n${output}`);
    try {
      if ((await fetch(`${url}/health`)).ok) break;
    } catch {
      await wait(50);
    }
  }
  return { url, output: () => output, pid: child.pid, ended: end };
}

/** One call with a token, and its answer. */
export async function call(url, method, path, { body, headers = {}, token = 'a-key' } = {}) {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined || raw ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}
