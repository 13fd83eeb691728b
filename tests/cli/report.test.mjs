// `report`: the page, made of a sandbox and of what a test makes up, as a browser shows it.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { openBrowser } from '../support/browser.mjs';
import { ADA, TOKEN, command, fakeEngine, folderFor, report } from '../support/cli.mjs';
import { importPackage } from '../support/project.mjs';
import { openSandbox } from '../support/sandbox.mjs';

const engine = await import('../../pkg/rollups/node.js');

const DONORS = 40;
/** The months of the gifts: the last whole one, and the two before. */
const NOW = new Date();
const monthsAgo = (number) => new Date(Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth() - number, 1)).toISOString().slice(0, 7);

let browser;
let full;
let empty;
let one;
let axe;

before(async () => {
  browser = await openBrowser();
  ({ source: axe } = (await importPackage('axe-core')).default);
  const folder = folderFor({ after });
  const sandboxOf = async (name, rows) => {
    writeFileSync(join(folder, name), `donor,gift_date,amount,currency\n${rows.join('\n')}\n`);
    return openSandbox('--limits', 'off', '--gifts', join(folder, name));
  };
  const rows = Array.from({ length: 3 * DONORS }, (_, index) => `${index % DONORS},${monthsAgo(1 + Math.floor(index / DONORS))}-05,${10 + (index % DONORS)}.50,GBP`);
  full = await sandboxOf('full.csv', [...rows, `0,${monthsAgo(30)}-05,7.00,EUR`]);
  empty = await sandboxOf('empty.csv', []);
  one = await sandboxOf('one.csv', [`1,${monthsAgo(1)}-01,25.00,GBP`]);
});

after(async () => {
  await browser?.close();
  for (const server of [full, empty, one]) await server?.stop();
});

const on = (server, folder, line, more) =>
  command(line, { engine, folder, fetch: (url, init) => fetch(url, init), env: { TWENTY_API_URL: server.url, TWENTY_API_KEY: server.token }, ...more });

/** Opens a page; whatever it asks of the network, or complains of, is kept. */
async function open(t, path, { width = 1180, ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...more });
  t.after(() => context.close());
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on('request', (request) => request.url() === pathToFileURL(path).href || seen.requests.push(request.url()));
  page.on('console', (message) => seen.complaints.push(message.text()));
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  await page.goto(pathToFileURL(path).href);
  return { page, seen };
}

/** The page of a server, in a browser. */
async function pageOf(t, server, line = 'report --out page.html', options) {
  const folder = folderFor(t);
  const { exit, err } = await on(server, folder, line);
  assert.deepEqual([exit, err], [0, '']);
  return { folder, path: join(folder, 'page.html'), ...(await open(t, join(folder, 'page.html'), options)) };
}

const tile = (page, number) => page.locator('.tiles li').nth(number).innerText();

test('figures of a workspace', async (t) => {
  await on(full, folderFor(t), 'rebuild --yes');
  const { page, seen } = await pageOf(t, full);
  assert.deepEqual(seen, { requests: [], complaints: [] });
  // 40 donors with 10.50 to 49.50, three times.
  const given = 3 * Array.from({ length: DONORS }, (_, index) => 10.5 + index).reduce((sum, amount) => sum + amount, 0);
  assert.match(await tile(page, 0), new RegExp(`Given in twelve months\\s+£${given.toLocaleString('en-GB')}\\s`));
  // The donor with two currencies has no amount that is right.
  assert.match(await tile(page, 1), /People with a lifetime gift amount\s+39\s+of 40 people/);
  assert.match(await tile(page, 2), /100%\s+all of 40 compared/);
  assert.match(await tile(page, 3), /Not known\s+No app of the engine answers there/);
  await page.locator('#giving ~ .card summary').first().click();
  const month = await page.locator('#giving ~ .card tbody tr').nth(1).innerText();
  assert.match(month, new RegExp(`^${new Date(`${monthsAgo(1)}-01`).toLocaleString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })}\\s+£1,200\\.00$`));
  const text = await page.locator('main').innerText();
  assert.match(text, /1 record has amounts in several currencies/);
  assert.match(text, /Lifetime gift count\n40 people: half have 3 or more, 121 in all\./);
  assert.match(text, /Every total is right, of 40 records that were compared/);
});

// Four gifts are changed behind the engine's back.
test('wrong totals and the largest changes', async (t) => {
  const server = await openSandbox('--limits', 'off', '--gifts', writtenGifts(t));
  t.after(() => server.stop());
  await on(server, folderFor(t), 'rebuild --yes');
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const { data } = await (await fetch(`${server.url}/rest/gifts`, { headers })).json();
  for (const [index, { id }] of data.gifts.entries()) {
    const body = JSON.stringify({ amount: { amountMicros: (index + 1) * 1000 * 1_000_000, currencyCode: 'GBP' } });
    await fetch(`${server.url}/rest/gifts/${id}`, { method: 'PATCH', headers, body });
  }
  const { page } = await pageOf(t, server);
  const rows = await page.locator('#changes ~ .card tbody tr').allInnerTexts();
  assert.match(rows[0], /Person [0-9a-f-]{36}\s+lifetime gift amount\s+£5\.00\s+£4,000\.00\s+\+£3,995\.00/);
  assert.match(await tile(page, 2), /0%\s+4 of 4 compared are wrong/);
  assert.match(await page.locator('main').innerText(), /stored values are wrong, of 4 of the 4 records/);
});

const writtenGifts = (t) => {
  const path = join(folderFor(t), 'gifts.csv');
  writeFileSync(path, `donor,gift_date,amount,currency\n${[1, 2, 3, 4].map((donor) => `${donor},${monthsAgo(1)}-05,5.00,GBP`).join('\n')}\n`);
  return path;
};

for (const [name, width, colorScheme] of [['light', 1180, 'light'], ['dark', 1180, 'dark'], ['a phone', 390, 'light'], ['a phone at night', 390, 'dark']]) {
  test(`legible and within the window: ${name}`, async (t) => {
    const { page } = await pageOf(t, full, undefined, { width, colorScheme });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background, colorScheme === 'dark' ? 'rgb(17, 24, 23)' : 'rgb(246, 244, 239)');
    const [wide, narrow] = await Promise.all(['wide', 'narrow'].map((size) => page.locator(`svg.${size}`).first().isVisible()));
    assert.deepEqual([wide, narrow], width > 640 ? [true, false] : [false, true]);
    // No text of a chart is cut off by its edge, or smaller than ten pixels.
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility()).flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter((text) => {
          const box = text.getBoundingClientRect();
          return box.left < frame.left - 1 || box.right > frame.right + 1 || box.height < 10;
        }).map((text) => text.textContent);
      }),
    );
    assert.deepEqual(cut, []);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0].html]), []);
  });
}

// Each chart has a name, a sentence and a table with the same numbers.
test('charts for a screen reader', async (t) => {
  const { page } = await pageOf(t, full);
  const charts = await page.locator('figure svg:visible').all();
  assert.ok(charts.length >= 8);
  for (const chart of charts) {
    assert.equal(await chart.getAttribute('role'), 'img');
    const named = await chart.evaluate((svg) => svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id).textContent));
    assert.deepEqual(named.map((text) => text.length > 10), [true, true]);
    const figure = chart.locator('xpath=ancestor::figure');
    const columns = await chart.locator('g > rect.hit').count();
    const rows = await figure.locator('tbody tr').count();
    assert.ok(rows > 0 && (columns === 0 || columns === rows), `${columns} columns, ${rows} rows`);
  }
  const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
});

test('on paper', async (t) => {
  const { page } = await pageOf(t, full, undefined, { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.equal(await page.locator('details:visible').count(), 0);
  const paper = await page.pdf({ format: 'A4' });
  const pages = paper.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages >= 2 && pages < 15, `${pages} pages`);
});

test('an empty workspace', async (t) => {
  const { page, seen } = await pageOf(t, empty);
  assert.deepEqual(seen, { requests: [], complaints: [] });
  assert.match(await tile(page, 0), /Nothing yet/);
  assert.match(await tile(page, 2), /None to compare/);
  const text = await page.locator('body').innerText();
  assert.match(text, /There are no gifts yet\./);
  assert.match(text, /People: there are none yet\./);
  assert.doesNotMatch(text, /NaN|Infinity|undefined|null/);
  assert.equal(await page.locator('svg').count(), 0);
});

test('one donor', async (t) => {
  await on(one, folderFor(t), 'rebuild --yes');
  const { page } = await pageOf(t, one);
  assert.match(await tile(page, 0), /£25\s/);
  assert.match(await tile(page, 1), /1\s+of 1 person/);
  const text = await page.locator('body').innerText();
  assert.doesNotMatch(text, /NaN|Infinity|undefined|null|twelve before/);
});

test('only the owner reads the page, and it has no token', async (t) => {
  const { path, folder } = await pageOf(t, full);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.ok(!readFileSync(path, 'utf8').includes(full.token));
  const { exit, err } = await on(full, folder, 'report --out no/such/folder.html');
  assert.equal(exit, 2);
  assert.match(err, /cannot write `no\/such\/folder\.html`/);
});

// A page that is written over another goes on with its comparisons; a log tells of the runs of the app.
test('runs over time', async (t) => {
  const folder = folderFor(t);
  const log = [
    '2026-11-01T02:00:09.123Z INFO {"level":"info","event":"rollups_calculated","status":"ok","mode":"full-rebuild","processed":40,"requests":12,"throttled":1,"tookMs":900,"drift":{"parents":3,"values":5}}',
    '2026-11-01 02:15:00 {"level":"info","event":"page_read","records":200}',
    '2026-11-02T02:00:10Z {"level":"info","event":"rollups_calculated","status":"partial","mode":"sweep","processed":40,"requests":9,"throttled":0,"tookMs":800,"drift":{"parents":1,"values":2}}',
    'not a line of the engine {"event":',
  ];
  writeFileSync(join(folder, 'runs.log'), log.join('\n'));
  for (const _ of [1, 2, 3]) await on(full, folder, 'report --out page.html --log runs.log');
  const { page } = await open(t, join(folder, 'page.html'));
  const rows = await page.locator('#right ~ .card figure tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent).slice(1)));
  assert.deepEqual(rows.slice(-2), [['sweep', 'partial', '40', '2'], ['full rebuild', 'ok', '40', '5']]);
  assert.equal(rows.filter(([mode]) => mode === 'dry run').length, 3);
  assert.equal(await page.locator('#right ~ .card svg.wide circle.dot').count(), 5);
  const requests = await page.locator('#requests ~ .card tbody').last().locator('tr').allInnerTexts();
  assert.deepEqual(requests.map((row) => row.split('\t').slice(1)), [['sweep', '9', '0', '0.8 s'], ['full rebuild', '12', '1', '0.9 s']]);
  const missing = await on(full, folder, 'report --log none.log');
  assert.deepEqual([missing.exit, /none\.log`: there is no such file/.test(missing.err)], [2, true]);
});

test('another file is written over, not read', async (t) => {
  const folder = folderFor(t);
  for (const content of ['', 'a note', '<script type="application/json" id="measured">[{"at":5,"wrong":"x"},null,{}]</script>', '<script type="application/json" id="measured">nothing']) {
    writeFileSync(join(folder, 'page.html'), content);
    assert.equal((await on(full, folder, 'report --out page.html')).exit, 0);
    assert.doesNotMatch(readFileSync(join(folder, 'page.html'), 'utf8'), /NaN|undefined/);
  }
});

// ── What a server, or whoever writes into a workspace, might have the page do ──

const EVIL = `"'><img src=x onerror="window.hacked=1"><script>window.hacked=1</script></style></title>&lt;b&gt;\u202Eevil\u0000`;
const evil = (object) => JSON.parse(JSON.stringify(object).replaceAll('EVIL', JSON.stringify(EVIL).slice(1, -1)));

/** A workspace whose every text is hostile. */
async function hostileFetch(url, init) {
  if (url.includes('/metadata/')) {
    const fields = [['given', 'CURRENCY'], ['last', 'DATE'], ['EVIL', 'NUMBER'], ['broken', 'NUMBER'], ['amount', 'CURRENCY'], ['giftDate', 'DATE'], ['kind', 'TEXT']];
    const objects = ['person', 'gift', 'EVIL'].map((name) => ({ nameSingular: name, namePlural: `${name}s`, fields: fields.map(([field, type]) => ({ name: field, type })) }));
    return Response.json(evil({ data: { objects } }));
  }
  if (url.endsWith('/s/recalculate-all')) {
    return Response.json(evil({ health: { compared: 'EVIL', rebuild: { at: 'EVIL', status: 'EVIL', drift: { values: 'EVIL' } }, problems: [{ message: 'EVIL `EVIL`' }] } }));
  }
  const { query } = JSON.parse(init.body);
  if (query.includes('broken')) return Response.json(evil({ errors: [{ message: 'EVIL' }] }));
  const root = /(\w+GroupBy)\(/.exec(query)?.[1];
  const month = query.includes('MONTH');
  const groups = [
    { groupByDimensionValues: month ? [`${monthsAgo(1)}-01`, 'EVIL'] : ['5000000', 'EVIL'], totalCount: 3, sumAmountAmountMicros: 5e6 },
    { groupByDimensionValues: ['EVIL', 'GBP'], totalCount: 'EVIL', sumAmountAmountMicros: 'EVIL' },
  ];
  return Response.json(evil({ data: { [root ?? 'x']: groups } }));
}

test('hostile texts stay texts', async (t) => {
  const total = (parentField) => ({ type: 'COUNT', parentField, filters: [{ field: 'EVIL', operator: 'in', value: ['EVIL', 5] }] });
  const definitions = [
    {
      parentObject: 'person',
      childObject: 'gift',
      relationField: 'EVIL',
      childFilters: [{ field: 'kind', operator: 'equals', value: 'EVIL' }, { field: 'EVIL', operator: 'gt', value: 'EVIL' }],
      aggregations: [
        { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'given' },
        { type: 'MAX', childField: 'giftDate', parentField: 'last' },
        total('EVIL'),
        total('broken'),
      ],
    },
    { parentObject: 'EVIL', childObject: 'EVIL', relationField: 'EVIL', aggregations: [total('EVIL')] },
  ];
  const hostile = report(
    evil({
      totals: { mixedCurrency: 1 },
      skipped: [{ definition: 0, aggregation: 2, code: 'EVIL', reason: 'EVIL `EVIL' }, { definition: 1, aggregation: null, code: 'x', reason: 'EVIL' }],
      requests: { total: 1, throttled: 0, retried: 0, waitedMs: 0, byEndpoint: { EVIL: 1 } },
      mixedCurrency: [{ parentObject: 'EVIL', id: 'EVIL', field: 'EVIL', currencies: ['EVIL'] }],
      failures: [{ parentObject: 'EVIL', id: 'EVIL', message: 'EVIL' }],
      notes: ['EVIL'],
      drift: { parents: 1, values: 1, fields: { 'EVIL.EVIL': 1, EVIL: 'EVIL' }, examples: [], since: 'EVIL' },
    }),
  );
  const money = (currencyCode) => ({ amountMicros: 5_000_000, currencyCode });
  const difference = { event: 'difference_found', object: 'EVIL', id: 'EVIL', field: 'EVIL', stored: money('EVIL'), computed: { ...money('EVIL'), amountMicros: 9e6 } };
  const made = fakeEngine((options) => {
    options.log(evil(difference));
    return hostile;
  });
  const folder = folderFor(t);
  writeFileSync(join(folder, 'evil.json'), JSON.stringify(evil({ definitions, timeZone: 'EVIL' })));
  writeFileSync(join(folder, 'evil.log'), `${EVIL} {"event":"rollups_calculated","mode":"${EVIL.replaceAll('"', '')}","status":"<b>"}\n{"event":"rollups_calculated","mode":"<b>","status":"<i>","requests":1,"processed":"<b>"}`);
  writeFileSync(join(folder, 'page.html'), `<script type="application/json" id="measured">${JSON.stringify([{ at: EVIL, mode: EVIL, status: EVIL, wrong: 1 }]).replaceAll('<', '\\u003c')}</script>`);
  const { exit, err } = await command('report --config evil.json --out page.html --log evil.log', { engine: made, folder, fetch: hostileFetch });
  assert.deepEqual([exit, err], [0, '']);
  const { page, seen } = await open(t, join(folder, 'page.html'));
  assert.deepEqual(seen, { requests: [], complaints: [] });
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  const made2 = await page.evaluate(() => ({
    elements: [...new Set([...document.querySelectorAll('*')].map(({ localName }) => localName))],
    handlers: [...document.querySelectorAll('*')].flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith('on')),
    scripts: [...document.scripts].map(({ type }) => type),
    styles: document.querySelectorAll('style').length,
  }));
  for (const name of ['img', 'b', 'i', 'iframe', 'a']) assert.ok(!made2.elements.includes(name), name);
  assert.deepEqual([made2.handlers, made2.scripts, made2.styles], [[], ['application/json'], 1]);
  const text = readFileSync(join(folder, 'page.html'), 'utf8');
  assert.doesNotMatch(text, /[\u0000\u202E]/);
  assert.ok(!text.includes(TOKEN));
  const shown = (await page.locator('body').innerText()).split('<img src=x onerror="window.hacked=1">').length - 1;
  assert.ok(shown > 15, `${shown} times`);
});

// ── What could not be measured ──

test('a figure that could not be measured is missing', async (t) => {
  const folder = folderFor(t);
  const refusing = async (url, init) => (url.endsWith('/graphql') && /GroupBy/.test(init.body) ? Response.json({ errors: [{ message: 'no groups today' }] }) : fetch(url, init));
  const { exit, out } = await on(full, folder, 'report --out page.html', { fetch: refusing });
  assert.equal(exit, 0);
  assert.match(out, /figures could not be measured; the page says\s+why/);
  const { page } = await open(t, join(folder, 'page.html'));
  assert.match(await tile(page, 0), /Not known\s+no groups today/);
  assert.match(await page.locator('#giving ~ .card').innerText(), /Giving by month could not be measured \(.+\): no groups today\./);
  assert.equal(await page.locator('svg').count(), 0);
});

test('refusals for the rate limit are waited for', async (t) => {
  const folder = folderFor(t);
  const waits = [];
  let left = 2;
  const limited = async (url, init) => {
    if (!url.endsWith('/graphql') || !/peopleGroupBy/.test(init.body) || left-- <= 0) return fetch(url, init);
    return left > 0 ? new Response('{}', { status: 429, headers: { 'retry-after': '7' } }) : Response.json({ errors: [{ message: 'Limit reached (100 tokens per 60000 ms)' }] });
  };
  const { exit } = await on(full, folder, 'report --out page.html', { fetch: limited, sleep: async (ms) => waits.push(ms) });
  assert.equal(exit, 0);
  assert.deepEqual(waits, [7000, 6000]);
  const { page } = await open(t, join(folder, 'page.html'));
  assert.match(await page.locator('#requests ~ .card').innerText(), /2 of them refused by the rate limit/);
});

test('GraphQL is off', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify({ definitions: engine.builtInDefinitions().slice(0, 1), graphql: 'off' }));
  const { out } = await on(full, folder, 'report --out page.html');
  assert.match(out, /No figures of totals and giving: GraphQL is off/);
  const { page } = await open(t, join(folder, 'page.html'));
  assert.match(await page.locator('main').innerText(), /Giving by month could not be measured: GraphQL is off in the configuration\./);
});

test('a comparison that did not see everything', async (t) => {
  const partial = fakeEngine(report({ status: 'partial', code: 'out_of_time', message: 'the time was used up' }));
  const folder = folderFor(t);
  const { exit } = await command('report --out page.html', { engine: { ...partial, builtInDefinitions: engine.builtInDefinitions }, folder });
  assert.equal(exit, 5);
  const { page } = await open(t, join(folder, 'page.html'));
  assert.match(await page.locator('#right ~ .card').innerText(), /Nothing wrong was found, of 3 records .+\. Not everything was compared: the time was used up\./);
  assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(ADA));
});

// The months are those of the children that the definitions count; a condition that the server cannot tell is named.
test('conditions of the definitions', async (t) => {
  const server = await openSandbox('--limits', 'off', '--gifts', writtenGifts(t));
  t.after(() => server.stop());
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const { data } = await (await fetch(`${server.url}/rest/gifts`, { headers })).json();
  const statuses = ['received', 'pledged', 'late'];
  for (const [index, status] of statuses.entries()) {
    await fetch(`${server.url}/rest/gifts/${data.gifts[index].id}`, { method: 'PATCH', headers, body: JSON.stringify({ status }) });
  }
  const childFilters = [
    { field: 'status', operator: 'notIn', value: ['pledged', 'refused'] },
    { field: 'giftDate', operator: 'lte', dynamicValue: 'today' },
    { field: 'createdBy.name', operator: 'equals', value: 'sandbox' },
  ];
  const aggregations = [{ type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' }];
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify([{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', childFilters, aggregations }]));
  await on(server, folder, 'rebuild');
  await on(server, folder, 'report --out page.html');
  const { page } = await open(t, join(folder, 'page.html'));
  // Of four gifts of 5.00 the pledged one is left out, and the one without a status is not.
  assert.match(await tile(page, 0), /£15\s/);
  const text = await page.locator('#giving ~ .card').innerText();
  assert.match(text, /if the status is none of pledged, refused and gift date is on or before today/);
  assert.match(text, /The server cannot tell whether the created by name is sandbox/);
  assert.match(await page.locator('#spread ~ .grid').innerText(), /3 people in GBP, 1 without/);
});

test('what the app has kept', async (t) => {
  const folder = folderFor(t);
  const asked = [];
  const health = { compared: '2026-11-29T02:00:10.000Z', rebuild: { at: '2026-11-29T02:00:11.000Z', status: 'ok', drift: { parents: 2, values: 3, fields: {} } }, sweep: null, problems: [{ code: 'drift_found', message: 'the last rebuild found 3 totals wrong' }] };
  const withApp = async (url, init) => {
    if (!url.endsWith('/s/recalculate-all')) return fetch(url, init);
    asked.push([init.method, init.body]);
    return Response.json({ status: 'error', code: 'unhealthy', health }, { status: 503 });
  };
  await on(full, folder, 'report --out page.html', { fetch: withApp });
  assert.deepEqual(asked, [['POST', '{"health":true}']]);
  const { page } = await open(t, join(folder, 'page.html'));
  assert.match(await tile(page, 3), /29 November 2026 at 02:00 UTC\s+as the app says/);
  const text = await page.locator('#right ~ .card').innerText();
  assert.match(text, /Its last rebuild\s+29 November 2026 at 02:00 UTC: ok, 3 values were wrong/);
  assert.match(text, /To look at\s+the last rebuild found 3 totals wrong/);
});

// Instants are grouped by the days of the configured zone.
test('totals that are instants', async (t) => {
  const server = await openSandbox('--limits', 'off', '--gifts', writtenGifts(t));
  t.after(() => server.stop());
  const call = async (method, path, body) => {
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/rest/${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return (await response.json()).data;
  };
  const { objects } = await call('GET', 'metadata/objects?limit=200');
  const idOf = (name) => objects.find(({ nameSingular }) => nameSingular === name).id;
  await call('POST', 'metadata/fields', { objectMetadataId: idOf('person'), name: 'lastPaidAt', label: 'Last paid', type: 'DATE_TIME' });
  await call('POST', 'metadata/fields', { objectMetadataId: idOf('gift'), name: 'paidAt', label: 'Paid', type: 'DATE_TIME' });
  const { gifts } = await call('GET', 'gifts');
  // In Auckland the last one is of the new year.
  const instants = ['2025-03-01T00:00:00.000Z', '2025-12-30T12:00:00.000Z', '2025-12-31T10:59:59.000Z', '2025-12-31T11:00:00.000Z'];
  for (const [index, { id }] of gifts.entries()) await call('PATCH', `gifts/${id}`, { paidAt: instants[index] });
  const aggregations = [
    { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' },
    { type: 'MAX', childField: 'paidAt', parentField: 'lastPaidAt' },
  ];
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify({ definitions: [{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations }], timeZone: 'Pacific/Auckland' }));
  await on(server, folder, 'rebuild');
  const sent = [];
  await on(server, folder, 'report --out page.html', { fetch: (url, init) => (sent.push(String(init.body)), fetch(url, init)) });
  assert.equal(sent.filter((body) => /granularity:(YEAR|MONTH),timeZone:\\"Pacific\/Auckland\\"/.test(body)).length, 2);
  const { page } = await open(t, join(folder, 'page.html'));
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
  const years = await page.locator('#spread ~ .grid .card', { hasText: 'Last paid at' }).locator('tbody tr').allInnerTexts();
  assert.deepEqual(years, ['2025\t3', '2026\t1']);
  const months = await page.locator('#giving ~ .card tbody tr').allInnerTexts();
  assert.deepEqual(months.filter((month) => !month.endsWith('£0.00')), ['January 2026\t£5.00', 'December 2025\t£10.00', 'March 2025\t£5.00']);
});
