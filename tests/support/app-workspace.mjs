/** A sandbox with the built app in it, and the calls that tests make of such a workspace. */
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { APP } from './app.mjs';
import { startApp } from '../runtime/app-runtime.mjs';
import { node24 } from './nodes.mjs';
import { startSandbox } from './sandbox.mjs';

const caller = (url, token) => async (method, path, body) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
};

/** @param {object} [options] of `startApp` */
export const openWorkspace = async (t, { version = 'v2', output = join(APP, '.twenty', 'output'), node = node24(), ...options } = {}) => {
  const server = await startSandbox(['--profile', version, '--limits', 'off']);
  t.after(() => server.stop());
  const app = await startApp({ sandbox: server.ready, output, node, version, ...options });
  t.after(() => app.close());
  await app.idle({ hurry: true });
  const call = caller(app.url, server.ready.token);
  return {
    app,
    call,
    token: server.ready.token,
    household: async () => (await call('POST', '/rest/households', { name: 'home' })).data.createHousehold.id,
    person: async (more = {}) => (await call('POST', '/rest/people', { name: { firstName: 'Ada' }, ...more })).data.createPerson.id,
    give: async (donorId, pounds) => {
      const gifts = pounds.map((pound, n) => ({
        name: `gift ${n}`,
        donorId,
        giftDate: `2020-0${n + 1}-01`,
        amount: { amountMicros: pound * 1_000_000, currencyCode: 'GBP' },
      }));
      return (await call('POST', '/rest/batch/gifts', gifts)).data.createGifts.map(({ id }) => id);
    },
    /** Amount, count, first and last gift of a person, or of another record. */
    totals: async (id, plural = 'people', singular = 'person') => {
      const record = (await call('GET', `/rest/${plural}/${id}?depth=0`)).data[singular];
      const { lifetimeGiftAmount, lifetimeGiftCount, firstGiftDate, lastGiftDate } = record;
      return [lifetimeGiftAmount.amountMicros, lifetimeGiftCount, firstGiftDate, lastGiftDate];
    },
    /** The runs since this was last asked, by name of the function. */
    runs: (wanted) => app.runs.splice(0).filter(({ function: name }) => wanted === undefined || name === wanted),
    reports: () => app.runs.splice(0).filter(({ function: name }) => name === 'calculate-rollups').map(({ result }) => result),
  };
};
