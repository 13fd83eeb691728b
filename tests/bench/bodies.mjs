/**
 * `npm run bench`: what strangers' bodies cost. 1,500 connections at once each send 0.9 MB to one route, on Node and on
 * workerd: how they are answered, and the most memory that the server's process had.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

import { prepare } from '../support/project.mjs';
import { RUNTIMES, freePort } from '../support/proxy.mjs';

const CONNECTIONS = 1_500;
const BODY = Buffer.alloc(900_000, 'x');
const GOAL_MB = 250;
const API = '/api/fundraising';
const HEX = 'ab'.repeat(32);

/** By name: the path, and what the sender says of itself. */
const SENDERS = {
  '/gifts, no token': [`${API}/gifts`, {}],
  'Stripe, unsigned': [`${API}/webhooks/stripe`, {}],
  'GoCardless, unsigned': [`${API}/webhooks/gocardless`, {}],
  'Stripe, forged signature': [`${API}/webhooks/stripe`, { 'stripe-signature': `t=${Math.floor(Date.now() / 1000)},v1=${HEX}` }],
  'GoCardless, forged signature': [`${API}/webhooks/gocardless`, { 'webhook-signature': HEX }],
  'GoCardless, forged signature, chunked': [`${API}/webhooks/gocardless`, { 'webhook-signature': HEX }, true],
  '/gifts, made-up token, chunked': [`${API}/gifts`, { authorization: 'Bearer made-up' }, true],
};

/** The status that one sender is answered; `closed` where its connection is closed without one. */
const send = (port, [path, headers, chunked]) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const lines = Object.entries({
      host: 'proxy',
      'content-type': 'application/json',
      ...(chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': BODY.length }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
      // An answer that leaves the connection open is an answer too.
      if (answer.includes('\r\n\r\n')) socket.end();
    });
    socket.on('error', () => {}).on('close', () => resolve(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 'closed'));
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    if (chunked) socket.write(`${BODY.length.toString(16)}\r\n`);
    socket.write(BODY);
    if (chunked) socket.write('\r\n0\r\n\r\n');
  });

const peakMegabytes = (pid) => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);

async function measure(runtime) {
  const port = await freePort();
  const [program, ...args] = RUNTIMES[runtime](port);
  const env = { PATH: process.env.PATH, STRIPE_WEBHOOK_SECRET: 'a', GOCARDLESS_WEBHOOK_SECRET: 'b', TWENTY_API_BASE_URL: 'http://127.0.0.1:9/rest' };
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const health = () => fetch(`http://127.0.0.1:${port}/health`).then(({ status }) => status, () => 0);
    while ((await health()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(`\n  ${runtime}, before: ${peakMegabytes(child.pid)} MB`);
    for (const [name, sender] of Object.entries(SENDERS)) {
      const began = performance.now();
      const statuses = await Promise.all(Array.from({ length: CONNECTIONS }, () => send(Number(port), sender)));
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const counts = new Map();
      for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
      const told = [...counts].map(([status, count]) => `${count} × ${status}`).join(', ');
      const peak = peakMegabytes(child.pid);
      console.log(`  ${name.padEnd(40)} ${String(peak).padStart(4)} MB at most ${peak < GOAL_MB ? '✓' : '✗'}  ${told} in ${seconds} s, then /health ${await health()}`);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

prepare();
console.log(`${CONNECTIONS.toLocaleString('en-US')} connections at once, ${BODY.length / 1e6} MB each (goal: below ${GOAL_MB} MB)`);
for (const runtime of process.argv.length > 2 ? process.argv.slice(2) : ['node', 'workerd']) await measure(runtime);
process.exit(0);
