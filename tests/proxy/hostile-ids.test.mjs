// Every route, every place of an id, forty hostile spellings, on Node and on workerd: each is refused with the field's
// name before Twenty is asked anything, so that no record can change.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { serve } from '../support/http-server.mjs';
import { ROOT, prepare } from '../support/project.mjs';
import { UNLIMITED, startProxy } from '../support/proxy.mjs';

before(prepare);

const ID = '5d95a5ea-e730-4ebb-8ade-a8b2023da9ce';

/** What stands in the place of an id. */
const SPELLINGS = [
  '.', '..', '...', './', '../', '/', '//', '\\', '.\\', '../people', '../../rest/people', `${ID}/..`, `${ID}/../..`, `./${ID}`,
  '%2e', '%2E%2E', '%2F', '%2f%2e', '%252e', '%252F', '%', '%zz', '?', '?limit=1', `${ID}?`, `${ID}?soft_delete=false`,
  '?filter=id[is]:NOT_NULL', '#', `${ID}#x`, 'x],or(id[is]:NOT_NULL', '"),or(id[is]:NOT_NULL', '', ' ', '\t', 'x'.repeat(5000),
  '.'.repeat(300), '\u{ff0e}\u{ff0e}', '日本', 'ａ'.repeat(36), `{${ID}}`, `urn:uuid:${ID}`, ID.replaceAll('-', ''), 'null', '0',
  'batch', 'duplicates', '00000000-0000-0000-0000-000000000000',
];

const amount = { amountMicros: 25_000_000, currencyCode: 'GBP' };
const gift = { amount, giftDate: '2026-01-15' };
const relations = ['companyId', 'recurringAgreementId', 'giftPayoutId', 'opportunityId'];

/**
 * By route of the product's table: a body that is right but for the id, the members of it that refer to records, and the
 * parameters of the query that do. `dropped` are members that count as not sent where they are blank.
 */
const PLACES = {
  'POST gifts': { body: { ...gift, contactId: ID }, members: ['contactId', ...relations], dropped: ['contactId', ...relations] },
  'GET gifts': {},
  'GET gifts/:': {},
  'PATCH gifts/:': { body: { name: 'X' }, members: ['contactId', 'donorId', ...relations], dropped: ['contactId', ...relations], cleared: true },
  'DELETE gifts/:': {},
  'POST people/duplicates': {},
  'GET people/:': {},
  'GET companies/search': {},
  'GET opportunities/search': { query: ['companyId', 'pointOfContactId'] },
  'PATCH opportunities/:': { body: { stage: 'NEW' } },
  'GET households': {},
  'POST households': { body: { name: 'Oak' }, members: ['primaryContactId'], dropped: ['primaryContactId'] },
  'GET households/:': {},
  'PATCH households/:': { body: { name: 'Oak' }, members: ['primaryContactId'], dropped: ['primaryContactId'] },
  'GET households/:/members': {},
  'POST households/:/members': { body: { contactId: ID }, members: ['contactId'] },
  'DELETE households/:/members/:': {},
  'POST households/:/copy-address': { body: { contactId: ID, mailingAddress: null }, members: ['contactId'] },
  'GET appeals': {},
  'POST appeals': {},
  'GET appeals/:': {},
  'PATCH appeals/:': { body: { name: 'Spring' } },
  'GET appeals/:/solicitation-snapshots': {},
  'POST appeals/:/solicitation-snapshots': { body: { countSolicited: 5 } },
  'GET recurring-agreements': {},
  'POST recurring-agreements': { body: { status: 'active' }, members: ['contactId', 'donorId', 'companyId'] },
  'GET recurring-agreements/:': {},
  'PATCH recurring-agreements/:': { body: { status: 'active' }, members: ['contactId', 'donorId', 'companyId'] },
  'DELETE recurring-agreements/:': {},
  'GET gift-payouts': {},
  'POST gift-payouts': { body: { name: 'P' }, members: ['companyId'] },
  'GET gift-payouts/:': {},
  'PATCH gift-payouts/:': { body: { name: 'P' }, members: ['companyId'] },
  'POST gift-payouts/:/gifts/link': { body: { giftIds: [ID] }, lists: ['giftIds'] },
  'POST gift-payouts/:/gifts/unlink': { body: { giftIds: [ID] }, lists: ['giftIds'] },
  'GET gift-staging': { query: ['recurringAgreementId'] },
  'POST gift-staging': { body: gift, members: ['contactId', 'donorId', ...relations], dropped: ['contactId', 'donorId', ...relations] },
  'POST gift-staging/process': { body: { ids: [ID] }, lists: ['ids'] },
  'GET gift-staging/:': {},
  'PATCH gift-staging/:': { body: { notes: 'n' }, members: ['donorId', ...relations], dropped: ['donorId', ...relations] },
  'PATCH gift-staging/:/status': { body: { processingStatus: 'pending' }, payload: ['donorId', ...relations] },
  'POST gift-staging/:/process': { body: {} },
  'POST webhooks/stripe': {},
  'POST webhooks/gocardless': {},
  'GET health': {},
  'GET ready': {},
  'GET metrics': {},
};

/** A Twenty that writes down what it is asked and has nothing. */
async function startRecorder(t) {
  const asked = [];
  const url = await serve(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"statusCode":404,"messages":["Record not found"]}');
  });
  return { asked, url: `${url}/rest` };
}

/** A request whose path is sent as it is: `fetch` would tidy it first. */
function send(url, method, path, body) {
  const { hostname, port } = new URL(url);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { authorization: 'Bearer a-key', ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, method, path: `/api/fundraising/${path}`, headers }, async (response) => {
      let answer = '';
      for await (const chunk of response.setEncoding('utf8')) answer += chunk;
      resolve({ status: response.statusCode, answer });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

const isBlank = (spelling) => spelling.trim() === '';
const withIds = (pattern, at, text) => {
  let place = -1;
  return pattern.replaceAll(/:/g, () => ((place += 1) === at ? text : ID));
};

/** All requests that have one id exchanged: where, how it is spelt, and the names that a refusal may use. */
function* requests(route) {
  const [method, pattern] = route.split(' ');
  const { body, members = [], lists = [], payload = [], query = [], dropped = [] } = PLACES[route];
  const right = withIds(pattern, -1);
  const ids = pattern.split(':').length - 1;
  for (const spelling of SPELLINGS) {
    for (let at = 0; at < ids; at += 1) {
      const once = encodeURIComponent(spelling);
      // An empty segment is another route, and so is one that a browser takes for a step.
      if (spelling !== '') yield { place: `path ${at}`, spelling, method, path: withIds(pattern, at, once), body };
      if (once !== spelling) yield { place: `path ${at} twice`, spelling, method, path: withIds(pattern, at, encodeURIComponent(once)), body };
    }
    for (const name of members) {
      const maybe = isBlank(spelling) && dropped.includes(name);
      yield { place: name, spelling, method, path: right, body: { ...body, [name]: spelling }, name, maybe };
    }
    for (const name of lists) yield { place: name, spelling, method, path: right, body: { [name]: [spelling] }, name };
    for (const name of payload) {
      const maybe = isBlank(spelling);
      yield { place: `rawPayload.${name}`, spelling, method, path: right, body: { rawPayload: { [name]: spelling } }, name, maybe };
    }
    for (const name of query) {
      if (isBlank(spelling)) continue;
      // A plain word finds nothing, and does not reach the filter.
      const maybe = /^[\w-]{1,36}$/.test(spelling);
      yield { place: `?${name}`, spelling, method, path: `${right}?${name}=${encodeURIComponent(spelling)}`, name, maybe };
    }
  }
}

/** The product's own table. */
const routes = () => {
  const source = readFileSync(join(ROOT, 'rollup-engine/proxy/src/router.rs'), 'utf8');
  const table = /const ROUTES[^;]*?= &\[\n([\s\S]*?)\n\];/.exec(source)[1];
  const methods = { open: 'GET', webhook: 'POST' };
  return [...table.matchAll(/^    (\w+)\(\s*"\/([^"]+)"/gm)].map(
    ([, maker, pattern]) => `${methods[maker] ?? maker.toUpperCase()} ${pattern.replace(/:\w+/g, ':')}`,
  );
};

test('the walk knows every route', () => {
  assert.ok(SPELLINGS.length >= 40 && new Set(SPELLINGS).size === SPELLINGS.length);
  assert.deepEqual(Object.keys(PLACES).sort(), routes().sort());
});

for (const runtime of ['node', 'workerd']) {
  test(`hostile ids reach no record on ${runtime}`, async (t) => {
    const twenty = await startRecorder(t);
    const env = { ...UNLIMITED, TWENTY_API_BASE_URL: twenty.url, FUNDRAISING_ENABLE_GIFT_STAGING: 'true' };
    const { url } = await startProxy(t, runtime, env);
    // Node's server looks at the workspace's model when it starts.
    twenty.asked.length = 0;
    let count = 0;
    for (const route of routes()) {
      for (const { place, spelling, method, path, body, name, maybe } of requests(route)) {
        const { status, answer } = await send(url, method, path, body);
        const what = `${route} ${place} ${JSON.stringify(spelling.slice(0, 60))}: ${status} ${answer.slice(0, 200)}`;
        count += 1;
        if (maybe) {
          // A blank counts as not sent, or clears: then the rest of the request is carried out.
          if (place.startsWith('?')) assert.match(twenty.asked[0], /^GET .*filter=and%28id%5Bis%5D%3ANULL%29/, what);
          for (const call of twenty.asked) assert.match(call, /^(GET|POST|PATCH) \/rest\/[a-zA-Z]+(\/[0-9a-f-]{36})?(\?[^/#?]*)?$/, what);
          twenty.asked.length = 0;
          continue;
        }
        assert.deepEqual(twenty.asked, [], what);
        assert.ok(status === 400 || (status === 404 && place.startsWith('path')), what);
        if (name) assert.ok(answer.includes(name), what);
        else if (status === 400) assert.match(answer, /id\b|Id\b|decode param/, what);
      }
    }
    assert.ok(count > 3_000, `${count} requests`);
  });
}
