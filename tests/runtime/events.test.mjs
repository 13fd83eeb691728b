import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApp } from './app.mjs';
import { triggered } from './events.mjs';
import { event, writeApp } from '../support/small-app.mjs';

const appWith = (t, settings) =>
  readApp(writeApp(t, { listener: { source: '() => {}', databaseEventTriggerSettings: settings } }));

const gifts = (count, operation = 'created') => Array.from({ length: count }, (_, n) => event(`gift.${operation}`, `g${n}`));

// A batch holds at most 200 events of one operation.
test('batch of at most 200 events', (t) => {
  const app = appWith(t, { eventName: 'gift.*', batchMode: true });
  const jobs = triggered(app, [...gifts(201), ...gifts(3, 'destroyed'), ...gifts(1)], 'w', true);
  const sizes = jobs.map(({ payloads }) => payloads.map(({ name, events }) => `${name} ${events.length}`));
  assert.deepEqual(sizes, [['gift.created 200', 'gift.created 1'], ['gift.destroyed 3'], ['gift.created 1']]);
  const [{ payloads }] = jobs;
  assert.deepEqual(payloads[1], {
    name: 'gift.created',
    workspaceId: 'w',
    objectMetadata: { nameSingular: 'gift' },
    events: [{ recordId: 'g200', properties: { after: { id: 'g200' } } }],
  });
});

// A server that knows no batches gives each event a run.
test('events without batches', (t) => {
  const app = appWith(t, { eventName: 'gift.*', batchMode: true });
  const [{ payloads }] = triggered(app, gifts(2), 'w', false);
  assert.deepEqual(payloads.map(({ recordId, events }) => [recordId, events]), [['g0', undefined], ['g1', undefined]]);
});

// What one person did is not mixed with what another did.
test('batches by the acting person', (t) => {
  const app = appWith(t, { eventName: 'gift.*', batchMode: true });
  const [a, b] = gifts(2);
  assert.equal(triggered(app, [{ ...a, userId: 'u1' }, { ...b, userId: 'u2' }], 'w', true).length, 2);
});

// Events of objects that the role cannot read are not delivered.
test('events of unreadable objects', (t) => {
  const app = appWith(t, { eventName: '*.*', batchMode: true });
  assert.deepEqual(triggered(app, [event('person.updated', 'p1', { updatedFields: ['name'] })], 'w', true), []);
});

// The pattern is an object and an operation, each exact or any.
test('patterns of object and operation', (t) => {
  const reached = (eventName, name) => triggered(appWith(t, { eventName }), [event(name, 'g1', { updatedFields: [] })], 'w', true).length > 0;
  for (const pattern of ['gift.updated', '*.updated', 'gift.*', '*.*']) assert.equal(reached(pattern, 'gift.updated'), true, pattern);
  for (const pattern of ['gift.created', 'person.*', 'gif.*']) assert.equal(reached(pattern, 'gift.updated'), false, pattern);
});

// UpdatedFields narrows updates and nothing else.
test('updatedFields narrows updates alone', (t) => {
  const app = appWith(t, { eventName: 'gift.*', updatedFields: ['amount'], batchMode: true });
  const update = (field) => event('gift.updated', field, { updatedFields: [field] });
  const found = triggered(app, [update('name'), update('amount'), ...gifts(1, 'deleted')], 'w', true);
  assert.deepEqual(found.map(({ payloads }) => payloads[0].events.map(({ recordId }) => recordId)), [['amount'], ['g0']]);
});
