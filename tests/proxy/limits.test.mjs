// What one process takes on: bodies by their head, so many requests, bytes and connections at a time, and no waiting for
// slow senders.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { Readable, pipeline } from 'node:stream';
import { before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { serve } from '../support/http-server.mjs';
import { Admission, TurnedAway } from '../../pkg/fundraising/admission.js';
import { prepare } from '../support/project.mjs';
import { SECRET, batch } from '../support/gocardless.mjs';
import { RUNTIMES, UNLIMITED, call, startProxy } from '../support/proxy.mjs';

before(prepare);

const STRIPE_SECRET = 'whsec_test';
const NO_SERVER = {
  TWENTY_API_BASE_URL: 'http://127.0.0.1:9/rest',
  TWENTY_API_KEY: 'service-key',
  STRIPE_WEBHOOK_SECRET: STRIPE_SECRET,
  GOCARDLESS_WEBHOOK_SECRET: SECRET,
  ...UNLIMITED,
};
const API = '/api/fundraising';
const HEX = 'ab'.repeat(32);
const KB = 1024;

/** An event of Stripe that nothing follows from, of about this many bytes, and its signature. */
function stripeEvent(bytes) {
  const body = JSON.stringify({ id: 'evt_1', type: 'nothing.happened', data: { object: { note: 'x'.repeat(bytes - 80) } } });
  const seconds = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', STRIPE_SECRET).update(`${seconds}.${body}`).digest('hex');
  return { body, headers: { 'stripe-signature': `t=${seconds},v1=${signature}` } };
}

/** Of GoCardless likewise. */
const goCardlessBatch = (bytes) =>
  batch([{ id: 'EV1', resource_type: 'nothing', action: 'happened', links: {}, metadata: { note: 'x'.repeat(bytes - 120) } }]);

/** A connection on which a test writes what it likes; `status` is that of the answer, `closed` settles at its end. */
async function raw(url, text) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let got = '';
  socket.setEncoding('latin1').on('data', (more) => (got += more)).on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const opened = new Promise((resolve) => socket.once('connect', resolve));
  await Promise.race([opened, closed]);
  socket.write(text);
  const answered = async (limit = 5_000) => {
    for (const until = Date.now() + limit; Date.now() < until && !/\r\n\r\n[^]/.test(got) && !socket.destroyed; ) await wait(5);
    return got;
  };
  return { socket, closed, answered, got: () => got };
}

const head = (method, path, headers) =>
  `${method} ${path} HTTP/1.1\r\nhost: x\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
const TOKEN = { authorization: 'Bearer t', 'content-type': 'application/json' };

describe('decisions by the head', { concurrency: true }, () => {
  /** A caller without a token or a signature is answered before the body. */
  test('no token or no signature', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    for (const [path, headers, status] of [
      [`${API}/gifts`, {}, 401],
      [`${API}/gifts?token=`, { authorization: 'Basic t' }, 401],
      [`${API}/webhooks/stripe`, {}, 400],
      [`${API}/webhooks/gocardless`, {}, 498],
      [`${API}/nothing`, TOKEN, 404],
    ]) {
      for (const length of [{ 'content-length': '90000' }, { 'transfer-encoding': 'chunked' }]) {
        const { answered, closed, got } = await raw(url, head('POST', path, { ...headers, ...length }));
        assert.match(await answered(), new RegExp(`^HTTP/1.1 ${status} [^]*connection: close`, 'i'), path);
        await closed;
        assert.equal(got().split('HTTP/1.1').length, 2);
      }
    }
  });

  /** A declared body past the limit is refused before it is sent. */
  test('declared body past the limit', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    for (const [path, headers, length] of [
      [`${API}/gifts`, TOKEN, 100 * KB + 1],
      [`${API}/webhooks/stripe`, { 'stripe-signature': `t=1,v1=${HEX}` }, KB * KB + 1],
      [`${API}/webhooks/gocardless`, { 'webhook-signature': HEX }, KB * KB + 1],
    ]) {
      const { answered, closed } = await raw(url, head('POST', path, { ...headers, 'content-length': length }));
      assert.match(await answered(), /^HTTP\/1.1 413 [^]*connection: close[^]*{"message":"request entity too large","statusCode":413}$/i);
      await closed;
    }
  });

  /** A body that is streamed past the limit ends there. */
  test('streamed body past the limit', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    const { socket, answered, closed } = await raw(url, head('POST', `${API}/gifts`, { ...TOKEN, 'transfer-encoding': 'chunked' }));
    const chunk = `${(10 * KB).toString(16)}\r\n${'x'.repeat(10 * KB)}\r\n`;
    for (let sent = 0; sent < 11; sent += 1) socket.write(chunk);
    assert.match(await answered(), /^HTTP\/1.1 413 [^]*"request entity too large"/);
    await closed;
  });

  /** A caller that asks first is told to go on only where its body is wanted. */
  test('Expect: 100-continue', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    const asking = { expect: '100-continue', 'content-length': 2 };
    const wanted = await raw(url, head('POST', `${API}/gifts`, { ...TOKEN, ...asking }));
    for (let tries = 0; tries < 200 && !wanted.got().includes('100 Continue'); tries += 1) await wait(5);
    assert.match(wanted.got(), /^HTTP\/1.1 100 Continue\r\n\r\n$/);
    wanted.socket.write('{}');
    for (let tries = 0; tries < 200 && !wanted.got().includes('HTTP/1.1 400'); tries += 1) await wait(5);
    assert.match(wanted.got(), /HTTP\/1.1 400 /);
    wanted.socket.destroy();

    for (const [path, headers, status] of [
      [`${API}/gifts`, asking, 401],
      [`${API}/gifts`, { ...TOKEN, ...asking, 'content-length': 200 * KB }, 413],
    ]) {
      const { answered, closed } = await raw(url, head('POST', path, headers));
      assert.match(await answered(), new RegExp(`^HTTP/1.1 ${status} `));
      await closed;
    }
  });
});

/**
 * The answer to a body of so many chunks. The server answers before it has read them all and closes the connection: a
 * reset may then overtake the answer, and the request is sent again.
 */
const answerToStream = async (url, chunks, chunk) => {
  for (let tries = 1; ; tries += 1) {
    const body = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < chunks; sent += 1) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    try {
      return await fetch(url, { method: 'POST', headers: { ...TOKEN }, body, duplex: 'half' });
    } catch (error) {
      if (tries === 5 || !['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(error.cause?.code)) throw error;
    }
  }
};

for (const runtime of Object.keys(RUNTIMES)) {
  /** A provider's event may have 1 MiB, a caller's body 100 KiB. */
  test(`${runtime}: sizes of events and of bodies`, async (t) => {
    const { url } = await startProxy(t, runtime, NO_SERVER);
    for (const bytes of [200 * KB, KB * KB - 200]) {
      const stripe = stripeEvent(bytes);
      assert.equal((await call(url, 'POST', `${API}/webhooks/stripe`, { ...stripe, token: null })).status, 204);
      const forged = { ...stripe, headers: { 'stripe-signature': stripe.headers['stripe-signature'].replace(/.{9}$/, '000000000') } };
      assert.equal((await call(url, 'POST', `${API}/webhooks/stripe`, { ...forged, token: null })).status, 400);
      assert.equal((await call(url, 'POST', `${API}/webhooks/gocardless`, { ...goCardlessBatch(bytes), token: null })).status, 202);
    }
    for (const [path, event] of [['stripe', stripeEvent(KB * KB + 200)], ['gocardless', goCardlessBatch(KB * KB + 200)]]) {
      const large = await call(url, 'POST', `${API}/webhooks/${path}`, { ...event, token: null });
      assert.deepEqual([large.status, large.body], [413, { statusCode: 413, message: 'request entity too large' }]);
    }
    const gift = (bytes) => JSON.stringify({ notes: 'x'.repeat(bytes - 12) });
    assert.equal((await call(url, 'POST', `${API}/gifts`, { body: gift(100 * KB) })).status, 400);
    assert.equal((await call(url, 'POST', `${API}/gifts`, { body: gift(100 * KB + 1) })).status, 413);
    // Without a length that is told beforehand.
    const answer = await answerToStream(`${url}${API}/gifts`, 20, 'x'.repeat(10 * KB));
    assert.equal(answer.status, 413);
    assert.equal((await call(url, 'GET', '/health', { token: null })).status, 200);
  });
}

describe('slow senders and readers', { concurrency: true }, () => {
  /** Heads and bodies that do not come are cut. */
  test('half heads and half bodies', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    const began = Date.now();
    const texts = {
      'half a head': 'POST /api/fundraising/gifts HTTP/1.1\r\nhost: x\r\n',
      'half a body': `${head('POST', `${API}/gifts`, { ...TOKEN, 'content-length': 100 })}{"amo`,
      'half a webhook': `${head('POST', `${API}/webhooks/gocardless`, { 'webhook-signature': HEX, 'content-length': 100 })}{`,
      'half a chunked body': `${head('POST', `${API}/gifts`, { ...TOKEN, 'transfer-encoding': 'chunked' })}5\r\n{"amo\r\n`,
    };
    await Promise.all(
      Object.entries(texts).map(async ([name, text]) => {
        const { closed, got } = await raw(url, text);
        await closed;
        assert.match(got(), /^HTTP\/1.1 408 /, name);
      }),
    );
    assert.ok(Date.now() - began < 20_000);
  });

  /** A caller who does not take its answer is cut. */
  test('answer that is not taken', async (t) => {
    const twenty = await holdingTwenty(t);
    const { url } = await startProxy(t, 'node', { ...NO_SERVER, TWENTY_API_BASE_URL: twenty.url });
    const { socket, closed } = await raw(url, head('GET', `${API}/gifts`, TOKEN));
    socket.pause();
    for (let tries = 0; tries < 400 && twenty.waiting.length < 2; tries += 1) await wait(5);
    const began = Date.now();
    twenty.release([{ notes: 'x'.repeat(20 * KB * KB) }]);
    // Only what is sent shows to a socket that reads nothing whether it is still there.
    const probe = setInterval(() => socket.write('\r\n'), 500);
    await closed;
    clearInterval(probe);
    assert.ok(Date.now() - began < 28_000);
  });

  /** A body that comes byte by byte is cut as well. */
  test('body byte by byte', async (t) => {
    const { url } = await startProxy(t, 'node', NO_SERVER);
    const { socket, closed, got } = await raw(url, head('POST', `${API}/gifts`, { ...TOKEN, 'content-length': 50_000 }));
    const timer = setInterval(() => socket.write('x'), 50);
    await closed;
    clearInterval(timer);
    assert.match(got(), /^HTTP\/1.1 408 /);
  });

  /** Callers that hold requests, bytes or connections half open keep no webhook out. */
  test('webhooks beside half-open requests', async (t) => {
    const limits = { FUNDRAISING_MAX_REQUESTS: '40', FUNDRAISING_MAX_BODY_BYTES: String(4 * KB * KB), FUNDRAISING_MAX_CONNECTIONS: '120' };
    const { url } = await startProxy(t, 'node', { ...NO_SERVER, ...limits });
    const event = () => call(url, 'POST', `${API}/webhooks/stripe`, { ...stripeEvent(50 * KB), token: null });
    const forged = { 'webhook-signature': HEX };
    for (const [path, headers] of [
      [`${API}/gifts`, { ...TOKEN, 'content-length': 90_000 }],
      [`${API}/gifts`, { ...TOKEN, 'transfer-encoding': 'chunked' }],
      [`${API}/webhooks/gocardless`, { ...forged, 'content-length': 1_000_000 }],
      [`${API}/webhooks/gocardless`, { ...forged, 'content-length': 2 }],
    ]) {
      const holding = await Promise.all(Array.from({ length: 60 }, () => raw(url, head('POST', path, headers))));
      await wait(1_200);
      assert.equal((await event()).status, 204, path);
      for (const { socket } of holding) socket.destroy();
      await wait(50);
    }
    // More than it takes, and none of them says anything.
    const silent = await Promise.all(Array.from({ length: 150 }, () => raw(url, 'POST ')));
    await wait(1_200);
    assert.ok(silent.filter(({ socket }) => !socket.destroyed).length <= 120);
    assert.equal((await event()).status, 204);
    for (const { socket } of silent) socket.destroy();
  });
});

/** A Twenty that answers when it is told to. */
async function holdingTwenty(t) {
  const waiting = [];
  const url = await serve(t, (request, response) => waiting.push(response));
  const release = (gifts = []) => {
    const body = JSON.stringify({ data: { gifts } });
    for (const response of waiting.splice(0)) response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  };
  return { url: `${url}/rest`, waiting, release };
}

for (const runtime of Object.keys(RUNTIMES)) {
  /** Past its number of requests it says when to come again. */
  test(`${runtime}: requests past their number`, async (t) => {
    const twenty = await holdingTwenty(t);
    const env = { ...NO_SERVER, TWENTY_API_BASE_URL: twenty.url, FUNDRAISING_MAX_REQUESTS: '8' };
    const { url } = await startProxy(t, runtime, env);
    await wait(100);
    twenty.release();
    const held = Array.from({ length: 6 }, () => call(url, 'GET', `${API}/gifts`));
    for (let tries = 0; tries < 400 && twenty.waiting.length < 6; tries += 1) await wait(5);
    const { status, headers, body } = await call(url, 'GET', `${API}/gifts`);
    assert.deepEqual([status, body.statusCode, headers.get('retry-after')], [503, 503, '5']);
    assert.ok(headers.get('x-request-id'));
    // A quarter is for the providers, and a watcher is always answered.
    assert.equal((await call(url, 'POST', `${API}/webhooks/stripe`, { ...stripeEvent(KB), token: null })).status, 204);
    assert.equal((await call(url, 'GET', '/health', { token: null })).status, 200);
    twenty.release();
    for (const { status } of await Promise.all(held)) assert.equal(status, 200);
    const again = call(url, 'GET', `${API}/gifts`);
    for (let tries = 0; tries < 400 && twenty.waiting.length < 1; tries += 1) await wait(5);
    twenty.release();
    assert.equal((await again).status, 200);
  });
}

/** Bodies in flight have a total, and give it back. */
test('total of bodies in flight', async () => {
  const admission = new Admission({ maxRequests: 100, maxBodyBytes: 8 * KB * KB });
  const full = { maxBytes: KB * KB, declaredBytes: KB * KB };
  const silence = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
  const tickets = Array.from({ length: 6 }, () => admission.enter('webhook'));
  const reads = tickets.map((ticket) => ticket.read(silence, full));
  for (const read of reads) read.catch(() => {});
  const late = admission.enter('webhook');
  const busy = (error) => error instanceof TurnedAway && error.status === 503 && error.retryAfterSeconds > 0;
  assert.throws(() => late.read(silence, full), busy);
  // Callers have a share of their own.
  const caller = admission.enter('caller');
  const body = async function* () {
    yield new Uint8Array([1, 2]);
    yield new Uint8Array([3]);
  };
  assert.deepEqual([...(await caller.read(body(), { maxBytes: 100 * KB, declaredBytes: null }))], [1, 2, 3]);
  // One that ends makes room for one.
  tickets[0].leave();
  late.read(silence, full).catch(() => {});
  assert.throws(() => admission.enter('webhook').read(silence, full), busy);
  // One that is slow is given up for one that comes.
  await wait(1_100);
  const last = admission.enter('webhook');
  assert.equal((await last.read(body(), full)).length, 3);
  await assert.rejects(reads[1], busy);
});

/** A body longer than it was said to be is too large, and one byte at a time is enough. */
test('body in pieces', async () => {
  const admission = new Admission({ maxRequests: 1, maxBodyBytes: KB * KB });
  const bytes = async function* (count) {
    for (let sent = 0; sent < count; sent += 1) yield new Uint8Array([sent % 251]);
  };
  const read = async (count, head) => {
    const ticket = admission.enter('caller');
    try {
      const body = await ticket.read(bytes(count), head);
      return body && [...body];
    } finally {
      ticket.leave();
    }
  };
  assert.equal(await read(4, { maxBytes: 100, declaredBytes: 3 }), undefined);
  assert.equal(await read(101, { maxBytes: 100, declaredBytes: null }), undefined);
  assert.deepEqual(await read(70_000, { maxBytes: 100 * KB, declaredBytes: null }), Array.from({ length: 70_000 }, (_, at) => at % 251));
});

/** A Twenty whose every answer has 40 MiB. */
async function largeTwenty(t, declared) {
  const chunk = Buffer.alloc(KB * KB, ' ');
  const url = await serve(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...(declared && { 'content-length': 40 * chunk.length }) });
    pipeline(Readable.from(Array(40).fill(chunk)), response, () => {});
  });
  return url;
}

for (const runtime of Object.keys(RUNTIMES)) {
  /** An answer of Twenty past 32 MiB is a bad gateway, and nothing breaks. */
  test(`${runtime}: large answer of Twenty`, async (t) => {
    for (const declared of [true, false]) {
      const { url, output } = await startProxy(t, runtime, { ...NO_SERVER, TWENTY_API_BASE_URL: `${await largeTwenty(t, declared)}/rest` });
      for (let round = 0; round < 3; round += 1) {
        const { status, body } = await call(url, 'GET', `${API}/gifts`);
        const message = 'unexpected Twenty response: the answer is larger than 33554432 bytes (FUNDRAISING_MAX_RESPONSE_BYTES)';
        assert.deepEqual([status, body], [502, { statusCode: 502, message }]);
      }
      assert.ok(!/panic|request_broken|Unhandled/i.test(output()), output());
    }
  });
}

test('limit of answers as a setting', async (t) => {
  const twenty = await holdingTwenty(t);
  const { url } = await startProxy(t, 'node', { ...NO_SERVER, TWENTY_API_BASE_URL: twenty.url, FUNDRAISING_MAX_RESPONSE_BYTES: String(KB * KB) });
  const asked = call(url, 'GET', `${API}/gifts`);
  for (let tries = 0; tries < 400 && twenty.waiting.length < 2; tries += 1) await wait(5);
  twenty.release([{ notes: 'x'.repeat(KB * KB) }]);
  assert.match((await asked).body.message, /larger than 1048576 bytes/);
});

describe('shutdown', { concurrency: true }, () => {
  /** A server with everything half open, told to end. */
  const stopped = async (t, signals) => {
    const twenty = await holdingTwenty(t);
    const { url, pid, ended } = await startProxy(t, 'node', { ...NO_SERVER, TWENTY_API_BASE_URL: twenty.url });
    await wait(100);
    twenty.release();
    const open = await Promise.all([
      raw(url, ''),
      raw(url, 'POST /api'),
      raw(url, `${head('POST', `${API}/gifts`, { ...TOKEN, 'content-length': 100 })}{`),
      raw(url, head('GET', '/health', {})),
    ]);
    const underWay = call(url, 'GET', `${API}/gifts`).catch(() => ({ status: 0 }));
    for (let tries = 0; tries < 400 && twenty.waiting.length < 1; tries += 1) await wait(5);
    const began = Date.now();
    for (const signal of signals) {
      process.kill(pid, signal);
      await wait(100);
    }
    return { twenty, underWay, ended, began, open, url };
  };

  /** What is under way is finished, what is idle is closed, and the rest has ten seconds. */
  test('work under way', async (t) => {
    const { twenty, underWay, ended, began, url } = await stopped(t, ['SIGTERM']);
    await assert.rejects(fetch(`${url}/health`));
    await wait(300);
    twenty.release();
    assert.equal((await underWay).status, 200);
    await ended;
    assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  });

  /** A Twenty that never answers does not keep the process. */
  test('Twenty that never answers', async (t) => {
    const { underWay, ended, began } = await stopped(t, ['SIGINT']);
    await ended;
    assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
    assert.equal((await underWay).status, 0);
  });

  test('second signal', async (t) => {
    const { ended, began } = await stopped(t, ['SIGTERM', 'SIGTERM']);
    await ended;
    assert.ok(Date.now() - began < 2_000, `${Date.now() - began} ms`);
  });
});
