// Faults on demand, as a client sees them over a connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { openSandbox } from '../support/sandbox.mjs';

async function open(t) {
  const { url, token, stop } = await openSandbox('--limits', 'off');
  t.after(stop);
  const control = async (method, body) => {
    const response = await fetch(`${url}/__faults`, { method, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: await response.json() };
  };
  const people = async (method = 'GET', body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/rest/people`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const count = async () => JSON.parse((await people()).text).totalCount;
  return { control, people, count };
}

test('status for the next two requests', async (t) => {
  const { control, people } = await open(t);
  const rule = { fault: 'status', status: 503, retryAfterSeconds: 7, path: '/rest/people', times: 2 };
  assert.deepEqual(await control('POST', { faults: [rule] }), { status: 200, body: { faults: [{ ...rule, struck: 0 }] } });
  const answers = [await people(), await people(), await people()];
  assert.deepEqual(answers.map(({ status }) => status), [503, 503, 200]);
  assert.equal(answers[0].headers.get('retry-after'), '7');
  assert.equal((await control('GET')).body.faults[0].struck, 2);
});

/** Both close the connection; the server has acted on one of them. */
test('unreachable server and lost reply', async (t) => {
  const { control, people, count } = await open(t);
  for (const [fault, expected] of [['unreachable', 0], ['lostReply', 1]]) {
    await control('POST', { faults: [{ fault, method: 'POST' }] });
    await assert.rejects(people('POST', { name: { firstName: 'Ada' } }), { name: 'TypeError' });
    assert.equal(await count(), expected, fault);
  }
  assert.deepEqual((await control('DELETE')).body, { faults: [] });
  assert.equal((await people('POST', { name: { firstName: 'Ada' } })).status, 201);
});

test('slow answer, after the server acted', async (t) => {
  const { control, people, count } = await open(t);
  await control('POST', { faults: [{ fault: 'slow', ms: 1000, method: 'POST', times: 1 }] });
  const began = performance.now();
  const slow = people('POST', { name: { firstName: 'Ada' } });
  while ((await count()) === 0) await wait(10);
  assert.ok(performance.now() - began < 1000);
  assert.equal((await slow).status, 201);
  assert.ok(performance.now() - began >= 1000);
});

test('answer larger than a client reads', async (t) => {
  const { control, people } = await open(t);
  await control('POST', { faults: [{ fault: 'largeReply' }] });
  assert.ok((await people()).text.length > 32 * 1024 * 1024);
});

test('mistakes are named with their place', async (t) => {
  const { control, people } = await open(t);
  const { status, body } = await control('POST', { faults: [{ fault: 'slow', ms: 5 }, { fault: 'status', status: 200 }] });
  assert.deepEqual([status, body.message], [400, 'faults[1].status: expected 401, 403, 404, 429 or 500 to 599']);
  assert.match((await control('POST', { faults: [{ fault: 'late' }] })).body.message, /unknown variant `late`, expected one of .* at line 1 column/);
  assert.equal((await people()).status, 200);
});
