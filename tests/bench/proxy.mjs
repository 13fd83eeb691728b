/**
 * `npm run bench`: CPU time a request and peak memory of the proxy for `GET /gifts` and `POST /gifts`, on Node and on
 * workerd, each beside a plain JavaScript pass-through on the same runtime in the same run.
 *
 * Each serves from a process of its own against one sandbox without limits, in turn, in several rounds; the median of the
 * rounds counts. CPU is user and system time of the serving process, so that the sandbox and this client do not count.
 * Ratios are the pass-through's CPU divided by the proxy's: above 1 the proxy is cheaper. They are stated, not asserted.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

import { WORKERD, prepare } from '../support/project.mjs';
import { freePort } from '../support/proxy.mjs';
import { provision } from '../../pkg/fundraising/provision.js';
import { startSandbox } from '../support/sandbox.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const REQUESTS = { get: 2_000, post: 1_000 };
const AT_ONCE = 16;

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const SERVERS = {
  'proxy on Node': (port) => [process.execPath, at('../../pkg/fundraising/server.js'), '--port', port, '--host', '127.0.0.1'],
  'proxy on workerd': (port) => [WORKERD, 'serve', at('../../pkg/fundraising/workerd.capnp'), `--socket-addr=http=127.0.0.1:${port}`],
  'pass-through on Node': () => [process.execPath, at('./pass-through.mjs')],
  'pass-through on workerd': (port) => [WORKERD, 'serve', at('./pass-through.capnp'), `--socket-addr=http=127.0.0.1:${port}`],
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

/** Sends `count` requests, `AT_ONCE` at a time. */
const sendAll = async (count, one) => {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const status = await one();
      if (status >= 300) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
};

/** Seconds of user and system time that a process has taken; Linux counts hundredths. */
const cpuSeconds = (pid) => {
  const [, fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
};

/** Microseconds of CPU time that the process takes for a request. */
const cost = async (pid, count, one) => {
  const before = cpuSeconds(pid);
  await sendAll(count, one);
  return ((cpuSeconds(pid) - before) * 1e6) / count;
};

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

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
    await sendAll(500, get);
    await sendAll(300, post);
    const result = { get: await cost(child.pid, REQUESTS.get, get), post: await cost(child.pid, REQUESTS.post, post) };
    return { ...result, memory: peakMegabytes(child.pid) };
  } finally {
    child.kill();
    await ended;
  }
};

prepare();
const rounds = Object.fromEntries(Object.keys(SERVERS).map((name) => [name, []]));
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
      rounds[name].push(await measure(name, ready, data.createPerson.id));
    } finally {
      await stop();
    }
  }
}

const medians = (name) =>
  Object.fromEntries(['get', 'post', 'memory'].map((measure) => [measure, median(rounds[name].map((round) => round[measure]))]));

console.log(`\nThe fundraising proxy, ${AT_ONCE} requests at a time, Node ${process.version}, medians of ${ROUNDS} rounds\n`);
console.log(`  ${''.padEnd(24)} GET /gifts µs   POST /gifts µs   peak MB`);
for (const name of Object.keys(SERVERS)) {
  const { get, post, memory } = medians(name);
  const cells = [get.toFixed(0).padStart(13), post.toFixed(0).padStart(16), String(memory).padStart(9)];
  console.log(`  ${name.padEnd(24)} ${cells.join(' ')}`);
}
for (const runtime of ['Node', 'workerd']) {
  const [base, own] = [medians(`pass-through on ${runtime}`), medians(`proxy on ${runtime}`)];
  console.log(`  pass-through / proxy on ${runtime}: GET ${(base.get / own.get).toFixed(2)}, POST ${(base.post / own.post).toFixed(2)}`);
}
process.exit(0);
