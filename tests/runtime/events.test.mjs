import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApp } from './app.mjs';
import { triggered } from './events.mjs';
import { event, writeApp } from '../support/small-app.mjs';

const appWith = (t, settings) =>
  readApp(writeApp(t, { listener: { source: '() => {}', databaseEventTriggerSettings: settings } }));

const gifts = (count, operation = 'created') => Array.from({ length: count }, (_, n) => event(`gift.${operation}`, `g${n}`));

test('a batch holds at most 200 events of one operation', (t) => {
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

test('a server that knows no batches gives each event a run', (t) => {
  const app = appWith(t, { eventName: 'gift.*', batchMode: true });
  const [{ payloads }] = triggered(app, gifts(2), 'w', false);
  assert.deepEqual(payloads.map(({ recordId, events }) => [recordId, events]), [['g0', undefined], ['g1', undefined]]);
});

test('what one person did is not mixed with what another did', (t) => {
  const app = appWith(t, { eventName: 'gift.*', batchMode: true });
  const [a, b] = gifts(2);
  assert.equal(triggered(app, [{ ...a, userId: 'u1' }, { ...b, userId: 'u2' }], 'w', true).length, 2);
});

test('events of objects that the role cannot read are not delivered', (t) => {
  const app = appWith(t, { eventName: '*.*', batchMode: true });
  assert.deepEqual(triggered(app, [event('person.updated', 'p1', { updatedFields: ['name'] })], 'w', true), []);
});

test('the pattern is an object and an operation, each exact or any', (t) => {
  const reached = (eventName, name) => triggered(appWith(t, { eventName }), [event(name, 'g1', { updatedFields: [] })], 'w', true).length > 0;
  for (const pattern of ['gift.updated', '*.updated', 'gift.*', '*.*']) assert.equal(reached(pattern, 'gift.updated'), true, pattern);
  for (const pattern of ['gift.created', 'person.*', 'gif.*']) assert.equal(reached(pattern, 'gift.updated'), false, pattern);
});

test('updatedFields narrows updates and nothing else', (t) => {
  const app = appWith(t, { eventName: 'gift.*', updatedFields: ['amount'], batchMode: true });
  const update = (field) => event('gift.updated', field, { updatedFields: [field] });
  const found = triggered(app, [update('name'), update('amount'), ...gifts(1, 'deleted')], 'w', true);
  assert.deepEqual(found.map(({ payloads }) => payloads[0].events.map(({ recordId }) => recordId)), [['amount'], ['g0']]);
});
