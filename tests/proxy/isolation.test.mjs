// Requests that meet in one process: they wait for one another at the gate, and a fault of one ends no other's runtime.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { exchangeByNodeHttp } from '../../pkg/rollups/node-exchange.js';
import { serve } from '../support/http-server.mjs';
import { prepare } from '../support/project.mjs';
import { RUNTIMES, UNLIMITED, call, startProxy } from '../support/proxy.mjs';

before(prepare);

/** Limits that are never reached, but under which only some calls go at once; each request has a token of its own. */
const PACED = {
  ...UNLIMITED,
  FUNDRAISING_REQUESTS_PER_MINUTE: '6000',
  FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE: '1000',
};

/** A Twenty that is slow, knows who asks, and counts how many ask at once. */
async function slowTwenty(t, millis) {
  const seen = { atOnce: 0, most: 0, tokens: [] };
  const url = await serve(t, async (request, response) => {
    seen.atOnce += 1;
    seen.most = Math.max(seen.most, seen.atOnce);
    seen.tokens.push(request.headers.authorization);
    await wait(millis);
    seen.atOnce -= 1;
    const gift = { id: request.headers.authorization.replace('Bearer ', '') };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: { gift, gifts: [gift] } }));
  });
  return { seen, url: `${url}/rest` };
}

for (const runtime of Object.keys(RUNTIMES)) {
  // Twenty requests at once are all answered, each with what is its own.
  test(`${runtime}: twenty requests at once`, async (t) => {
    const twenty = await slowTwenty(t, 30);
    const { url } = await startProxy(t, runtime, { TWENTY_API_BASE_URL: twenty.url, ...PACED });
    const asked = Array.from({ length: 20 }, (_, number) => `token-${number}`);
    const answers = await Promise.all(asked.map((token) => call(url, 'GET', '/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10', { token })));
    assert.deepEqual(answers.map(({ status, body }) => [status, body.data?.gift.id]), asked.map((token) => [200, token]));
    assert.ok(twenty.seen.most < 20, `all ${twenty.seen.most} went at once: nobody waited`);
  });

  // Those who wait at the gate outlive a caller who hangs up.
  test(`${runtime}: caller hangs up while others wait`, async (t) => {
    const twenty = await slowTwenty(t, 100);
    const { url } = await startProxy(t, runtime, { TWENTY_API_BASE_URL: twenty.url, ...PACED });
    const leaving = Array.from({ length: 8 }, () => {
      const away = new AbortController();
      const headers = { authorization: 'Bearer gone' };
      const asked = fetch(`${url}/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10`, { headers, signal: away.signal }).catch(() => {});
      return { away, asked };
    });
    await wait(50);
    const staying = Array.from({ length: 8 }, (_, number) => call(url, 'GET', '/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10', { token: `t${number}` }));
    for (const { away } of leaving) away.abort();
    await Promise.all(leaving.map(({ asked }) => asked));
    for (const { status } of await Promise.all(staying)) assert.equal(status, 200);
    assert.equal((await call(url, 'GET', '/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10')).status, 200);
  });
}

/** An answer whose bytes are more than a vector in a 32-bit memory can be: a real panic, and no memory is touched. */
const lying = async () => {
  const body = Object.defineProperty(new Uint8Array(1), 'length', { get: () => 2 ** 31 });
  return { status: 200, headers: [], body };
};

// A panic answers 500 with the request id, ends what was under way, and the next request works.
test('panic ends requests under way', async (t) => {
  const twenty = await slowTwenty(t, 50);
  const proxy = await import('../../pkg/fundraising/node.js');
  const glue = await import('../../pkg/fundraising/generated/fundraising.js');
  const env = { TWENTY_API_BASE_URL: twenty.url, ...UNLIMITED };
  const lines = [];
  for (const level of ['log', 'warn', 'error']) t.mock.method(console, level, (line) => lines.push(JSON.parse(line)));
  const ask = async (id) => {
    const headers = { authorization: 'Bearer a-key', 'x-request-id': id };
    const reply = await proxy.fetch(new Request('http://proxy.test/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10', { headers }), env);
    return { status: reply.status, id: reply.headers.get('x-request-id'), body: await reply.json() };
  };
  assert.equal((await ask('before')).status, 200);

  const caught = ask('caught');
  await wait(10);
  glue.setExchange(lying);
  const broken = await ask('broken');
  glue.setExchange(exchangeByNodeHttp);
  const expected = { message: 'Internal server error', error: 'Internal Server Error', statusCode: 500 };
  assert.deepEqual(broken, { status: 500, id: 'broken', body: { ...expected, requestId: 'broken' } });
  assert.deepEqual(await caught, { status: 500, id: 'caught', body: { ...expected, requestId: 'caught' } });
  assert.equal((await ask('after')).status, 200);

  const said = lines.filter(({ event }) => event === 'request_broken').map(({ requestId }) => requestId);
  assert.deepEqual(said.sort(), ['broken', 'caught']);
  assert.match(lines.find(({ event }) => event === 'engine_panicked').message, /capacity overflow \(.+\.rs:\d+\)/);
});
