/** What the functions without an engine ask of the queue, and when they ask nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { APP, build, PERSON_EVENTS, SWEEP } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const OUTPUT = join(APP, '.twenty', 'output');
const ADA = '11111111-1111-4111-8111-111111111111';
const HOUSEHOLD = '22222222-2222-4222-8222-222222222222';
const OTHER = '33333333-3333-4333-8333-333333333333';

let mains;
before(async () => {
  await build();
  const load = async (bundle) => (await import(pathToFileURL(join(OUTPUT, bundle)).href)).main;
  mains = { events: await load(PERSON_EVENTS), sweep: await load(SWEEP) };
});

/** Runs a function in this process, and gives what it asked of the queue. */
const asked = async (t, main, payload, context) => {
  const server = await listen(t, () => ({ body: { data: { enqueueJobs: { enqueued: true, jobIds: ['j'] } } } }));
  process.env.TWENTY_API_URL = server.url;
  process.env.TWENTY_APP_APPLICATION_ACCESS_TOKEN = 'app';
  await main(payload, context);
  return server.calls.map(({ body }) => {
    const { payloads, delayMs = 0 } = JSON.parse(body.toString()).variables.input;
    return { payloads, delayMs };
  });
};

const person = (householdId, more = {}) => ({ id: ADA, name: { firstName: 'Ada' }, city: 'London', householdId, ...more });
const batch = (operation, ...events) => ({
  name: `person.${operation}`,
  workspaceId: OTHER,
  objectMetadata: { nameSingular: 'person', fieldIds: [OTHER] },
  events: events.map((properties) => ({ recordId: ADA, userId: OTHER, properties })),
});

// A move is handed over with the ids of both households, and nothing that is personal.
test('move enqueues ids alone', async (t) => {
  const moved = batch('updated', { before: person(HOUSEHOLD), after: person(OTHER), updatedFields: ['household', 'householdId'], diff: {} });
  const [{ payloads, delayMs }] = await asked(t, mains.events, moved);
  assert.equal(delayMs, 0);
  const properties = { before: { id: ADA, householdId: HOUSEHOLD }, after: { id: ADA, householdId: OTHER } };
  assert.deepEqual(payloads, [{ name: 'person.updated', objectMetadata: { nameSingular: 'person' }, events: [{ recordId: ADA, properties }] }]);
});

// Created and deleted people matter where they belong to a household.
test('created and deleted people', async (t) => {
  for (const [operation, side] of [['created', 'after'], ['deleted', 'before']]) {
    const [{ payloads }] = await asked(t, mains.events, batch(operation, { [side]: person(null) }, { [side]: person(HOUSEHOLD) }));
    assert.deepEqual(payloads[0].events.map(({ properties }) => properties[side].householdId), [HOUSEHOLD], operation);
    assert.deepEqual(await asked(t, mains.events, batch(operation, { [side]: person(null) })), [], operation);
  }
});

test('restored and destroyed people always matter', async (t) => {
  for (const [operation, properties] of [
    ['restored', { before: person(null), after: person(null) }],
    ['destroyed', { before: person(null) }],
  ]) {
    const [{ payloads }] = await asked(t, mains.events, batch(operation, properties));
    assert.deepEqual(payloads[0].events.map(({ recordId }) => recordId), [ADA], operation);
  }
});

// A single event, as servers without batches send it, is handed over as a batch of one.
test('single event becomes a batch', async (t) => {
  const { events, ...head } = batch('deleted', { before: person(HOUSEHOLD) });
  const [{ payloads }] = await asked(t, mains.events, { ...head, ...events[0] });
  assert.deepEqual(payloads[0].events, [{ recordId: ADA, properties: { before: { id: ADA, householdId: HOUSEHOLD }, after: {} } }]);
});

// Each workspace sweeps in a slot of its own, the same every time, and all before the next tick.
test('sweep slot of a workspace', async (t) => {
  const slots = new Set();
  for (let n = 0; n < 60; n += 1) {
    const workspaceId = `20202020-1c25-4d02-bf25-6aeccf7ea4${n.toString(16).padStart(2, '0')}`;
    const [{ payloads, delayMs }] = await asked(t, mains.sweep, {}, { workspaceId });
    assert.deepEqual(payloads, [{ sweep: true }]);
    assert.ok(Number.isInteger(delayMs) && delayMs >= 0 && delayMs < 15 * 60_000, `${delayMs}`);
    assert.deepEqual(await asked(t, mains.sweep, {}, { workspaceId }), [{ payloads, delayMs }]);
    slots.add(Math.floor(delayMs / 60_000));
  }
  // Of 15 minutes, 60 workspaces use nearly all.
  assert.ok(slots.size >= 12, `${slots.size}`);
});

// A server that does not say which workspace this is gets no delay.
test('no delay without a workspace id', async (t) => {
  for (const context of [undefined, {}, { workspaceId: null }]) {
    assert.deepEqual(await asked(t, mains.sweep, {}, context), [{ payloads: [{ sweep: true }], delayMs: 0 }]);
  }
});
