/**
 * `npm run bench`: requests a second and memory of the proxy for `GET /gifts` and `POST /gifts`, on Node and on workerd,
 * beside a plain JavaScript pass-through in the same run.
 *
 * Each serves from a process of its own against one sandbox without limits, in turn, in several rounds; of each the best
 * round counts. Ratios are stated, not asserted.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

import { WORKERD, prepare } from '../support/project.mjs';
import { freePort } from '../support/proxy.mjs';
import { provision } from '../../pkg/fundraising/provision.js';
import { startSandbox } from '../support/sandbox.mjs';

const ROUNDS = 3;
const REQUESTS = { get: 2_000, post: 1_000 };
const AT_ONCE = 16;

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const SERVERS = {
  'proxy on Node': (port) => [process.execPath, at('../../pkg/fundraising/server.js'), '--port', port, '--host', '127.0.0.1'],
  'proxy on workerd': (port) => [WORKERD, 'serve', at('../../pkg/fundraising/workerd.capnp'), `--socket-addr=http=127.0.0.1:${port}`],
  'pass-through on Node': () => [process.execPath, at('./pass-through.mjs')],
};

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const send = (port, token, method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    const sent = request({ agent, port, host: '127.0.0.1', method, path, headers }, (reply) => {
      reply.resume().on('end', () => resolve(reply.statusCode));
    });
    sent.on('error', reject).end(body);
  });

/** Requests a second, `AT_ONCE` at a time. */
const rate = async (count, one) => {
  let left = count;
  const began = performance.now();
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const status = await one(left);
      if (status >= 300) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (count * 1000) / (performance.now() - began);
};

const peakMegabytes = (pid) => {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
};

const measure = async (name, sandbox, donor) => {
  const port = await freePort();
  const [program, ...args] = SERVERS[name](port);
  const env = {
    PATH: process.env.PATH,
    PORT: port,
    TWENTY_API_BASE_URL: `${sandbox.url}/rest`,
    FUNDRAISING_REQUESTS_PER_MINUTE: 'off',
    FUNDRAISING_CACHE_SECONDS: '0',
  };
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const get = () => send(port, sandbox.token, 'GET', '/api/fundraising/gifts?limit=20');
    for (let tries = 0; ; tries += 1) {
      try {
        await get();
        break;
      } catch (error) {
        if (tries > 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const gift = { amount: { amountMicros: 25_000_000, currencyCode: 'GBP' }, giftDate: '2026-01-15' };
    // The proxy knows a giver as `contactId`; Twenty as `donorId`.
    const body = JSON.stringify({ ...gift, [name.startsWith('pass') ? 'donorId' : 'contactId']: donor });
    const post = () => send(port, sandbox.token, 'POST', '/api/fundraising/gifts', body);
    await rate(200, get);
    await rate(100, post);
    const result = { get: await rate(REQUESTS.get, get), post: await rate(REQUESTS.post, post) };
    return { ...result, memory: process.platform === 'linux' ? peakMegabytes(child.pid) : NaN };
  } finally {
    child.kill();
    await ended;
  }
};

prepare();
const best = {};
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of Object.keys(SERVERS)) {
    const { ready, stop } = await startSandbox(['--port', '0', '--limits', 'off']);
    try {
      await provision({ TWENTY_API_BASE_URL: `${ready.url}/rest`, TWENTY_API_KEY: ready.token });
      const made = await fetch(`${ready.url}/rest/people`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ready.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: { firstName: 'Ada', lastName: 'Byron' } }),
      });
      const { data } = await made.json();
      const now = await measure(name, ready, data.createPerson.id);
      const before = best[name] ?? now;
      best[name] = {
        get: Math.max(now.get, before.get),
        post: Math.max(now.post, before.post),
        memory: Math.min(now.memory, before.memory),
      };
    } finally {
      await stop();
    }
  }
}

const base = best['pass-through on Node'];
console.log(`\nThe fundraising proxy, ${AT_ONCE} requests at a time, Node ${process.version}\n`);
console.log(`  ${''.padEnd(24)} GET /gifts a s   POST /gifts a s   peak MB`);
for (const [name, { get, post, memory }] of Object.entries(best)) {
  const cells = [get.toFixed(0).padStart(14), post.toFixed(0).padStart(17), String(memory).padStart(9)];
  console.log(`  ${name.padEnd(24)} ${cells.join(' ')}`);
}
for (const name of Object.keys(best).filter((name) => best[name] !== base)) {
  const { get, post, memory } = best[name];
  console.log(`  ${name} / pass-through: GET ${(get / base.get).toFixed(2)}, POST ${(post / base.post).toFixed(2)}, memory ${(memory / base.memory).toFixed(2)}`);
}
process.exit(0);
