// The sandbox over HTTP, without the recordings: own steps, and what only the server adds to the library.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSandbox } from '../support/sandbox.mjs';

const scenarios = JSON.parse(readFileSync(new URL('own-steps.json', import.meta.url), 'utf8'));

async function ask(server, method, url, body, token = server.token) {
  const response = await fetch(server.url + url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let parsed = text;
  try { parsed = JSON.parse(text); } catch { /* not JSON */ }
  return { status: response.status, headers: response.headers, body: parsed };
}

/** Every member of `expected` is in `actual`; lists have the same length. */
function includes(actual, expected, at = '') {
  if (Array.isArray(expected)) {
    assert.equal(actual?.length, expected.length, `${at}: length`);
    expected.forEach((item, place) => includes(actual[place], item, `${at}/${place}`));
  } else if (expected !== null && typeof expected === 'object') {
    for (const [name, value] of Object.entries(expected)) includes(actual?.[name], value, `${at}/${name}`);
  } else {
    assert.equal(actual, expected, at);
  }
}

const fill = (value, known) => JSON.parse(JSON.stringify(value).replace(/\{\{(\w+)\}\}/g, (_, name) => known[name]));

for (const { name, args, steps } of scenarios) {
  test(name, async () => {
    const server = await openSandbox(...args);
    try {
      const known = { ...server };
      for (const step of steps) {
        const [method, url, body] = fill(step.send, known);
        const answer = await ask(server, method, url, body, step.token ? server[step.token] : server.token);
        const title = `${method} ${url}`;
        assert.equal(answer.status, step.status ?? 200, `${title}: ${JSON.stringify(answer.body)}`);
        if (step.body !== undefined) includes(answer.body, fill(step.body, known), title);
        for (const [key, pointer] of Object.entries(step.keep ?? {})) {
          known[key] = pointer.slice(1).split('/').reduce((value, part) => value[part], answer.body);
        }
      }
    } finally {
      await server.stop();
    }
  });
}

describe('what only the server does', () => {
  let server;
  const folder = mkdtempSync(path.join(tmpdir(), 'sandbox-'));
  before(async () => {
    const csv = path.join(folder, 'gifts.csv');
    writeFileSync(csv, 'donor,gift_date,amount,currency\n7,2026-01-05,12.50,GBP\n7,2026-02-05,7.50,GBP\n');
    server = await openSandbox('--limits', 'off', '--gifts', csv);
  });
  after(async () => {
    assert.equal(await server.stop(), 0, 'SIGTERM ends it well');
    rmSync(folder, { recursive: true });
  });

  test('gifts come from the file', async () => {
    const people = await ask(server, 'GET', '/rest/people?filter=emails.primaryEmail%5Beq%5D:donor-7@example.org');
    const [donor] = people.body.data.people;
    const gifts = await ask(server, 'GET', `/rest/gifts?filter=donorId%5Beq%5D:${donor.id}&order_by=giftDate`);
    assert.deepEqual(gifts.body.data.gifts.map((gift) => gift.amount.amountMicros), [12_500_000, 7_500_000]);
  });

  test('requests are counted, the count itself is not', async () => {
    await ask(server, 'POST', '/__sandbox/requests/reset');
    await ask(server, 'GET', '/rest/gifts');
    await ask(server, 'GET', '/rest/nosuchs');
    const { body } = await ask(server, 'GET', '/__sandbox/requests');
    assert.deepEqual(body, { total: 2, refused: 0, tokens: 1, byEndpoint: { 'GET /rest/gifts': 1, 'GET /rest/nosuchs': 1 } });
  });

  test('a waiting reader is woken by an event', async () => {
    const now = (await ask(server, 'POST', '/rest/gifts', { status: 'first' })).body.data.createGift;
    const seen = await ask(server, 'GET', '/__sandbox/events?after=0');
    assert.equal(seen.body.events.at(-1).recordId, now.id);
    const waiting = ask(server, 'GET', `/__sandbox/events?after=${seen.body.next}`);
    await ask(server, 'PATCH', `/rest/gifts/${now.id}`, { status: 'second' });
    const { body } = await waiting;
    assert.equal(body.events.length, 1);
    const [event] = body.events;
    assert.equal(event.name, 'gift.updated');
    assert.equal(event.objectMetadata.nameSingular, 'gift');
    assert.deepEqual(event.properties.updatedFields, ['status']);
    assert.deepEqual(event.properties.diff, { status: { before: 'first', after: 'second' } });
    assert.equal(body.next, event.seq);
  });

  test('an app gets a token', async () => {
    const { body } = await ask(server, 'POST', '/__sandbox/app-token');
    const gift = await ask(server, 'POST', '/rest/gifts', {}, body.token);
    assert.equal(gift.body.data.createGift.createdBy.source, 'APPLICATION');
  });

  test('webhooks arrive once, signed', async () => {
    const got = [];
    let arrived;
    const first = new Promise((resolve) => { arrived = resolve; });
    const receiver = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        got.push({ headers: request.headers, raw: Buffer.concat(chunks).toString() });
        response.statusCode = 500;
        response.end();
        arrived();
      });
    });
    await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
    const targetUrl = `http://127.0.0.1:${receiver.address().port}/`;
    const hook = await ask(server, 'POST', '/rest/webhooks', { targetUrl, operations: ['gift.created'], secret: 'shh' });
    await ask(server, 'POST', '/rest/gifts', { status: 'told' });
    await first;
    await ask(server, 'DELETE', `/rest/webhooks/${hook.body.id}`);
    receiver.close();
    const [{ headers, raw }] = got;
    const signed = createHmac('sha256', 'shh').update(`${headers['x-twenty-webhook-timestamp']}:${raw}`).digest('hex');
    assert.equal(headers['x-twenty-webhook-signature'], signed);
    assert.equal(JSON.parse(raw).record.status, 'told');
    assert.equal(got.length, 1);
  });
});

test('bad arguments are named', async () => {
  await assert.rejects(openSandbox('--limits', 'some'), /ended with 2/);
  await assert.rejects(openSandbox('--gifts', '/nowhere.csv'), /ended with 1/);
});
