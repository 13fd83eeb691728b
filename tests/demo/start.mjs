/**
 * `npm start`: the main job, from gifts to totals, on a sandbox.
 *
 * Starts a Twenty in memory with its default rate limit and the CDNOW sample, runs the built function bundle in a
 * process of its own as Twenty does, first for the cron, then for the events of some gifts that were created, moved and
 * deleted, and checks every donor's totals against an independent computation.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';

import { runFunction } from '../runtime/driver.mjs';
import { node24 } from '../support/nodes.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { carries, readGifts, totalsOf } from './oracle.mjs';
import { People } from './people.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const BUNDLE = at('serverlessFunctions/.twenty/output/calculaterollups/src/index.mjs');
const { gifts: GIFTS } = parseArgs({
  options: { gifts: { type: 'string', default: at('tests/data/cdnow/gifts-sample.csv') } },
}).values;
const SHOWN = 6;

const say = (text = '') => console.log(text);
const title = (text) => say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);
const number = (value) => value.toLocaleString('en-US');
const money = (field) =>
  field?.amountMicros == null ? '–' : `${(field.amountMicros / 1e6).toFixed(2)} ${field.currencyCode ?? ''}`.trim();

/** Runs the function once and shows how far it is. */
const run = async (payload, sandbox) => {
  const bar = new cliProgress.SingleBar({ format: '  {object} {bar} {value}/{total} records', clearOnComplete: true, hideCursor: true });
  let object;
  const { result, error } = await runFunction({
    node: node24(),
    bundle: BUNDLE,
    payload,
    env: { TWENTY_API_URL: sandbox.url, TWENTY_API_KEY: sandbox.token },
    timeoutMs: 900_000,
    onLine: ({ level, line }) => {
      if (level === 'ERROR') say(`  ${line}`);
      if (!line.startsWith('{') || !process.stdout.isTTY) return;
      const event = JSON.parse(line);
      if (event.event !== 'page_read') return;
      if (event.object !== object) bar.start(event.of, event.records, { object: event.object.padEnd(8) });
      object = event.object;
      bar.update(event.records);
    },
  });
  bar.stop();
  if (error) throw new Error(`the function failed: ${error.message}`);
  if (result.status !== 'ok') throw new Error(`the run ended as ${result.status}: ${result.message}`);
  return result;
};

const showReport = ({ totals, requests, tookMs, skipped }) => {
  const { processed, updated, unchanged, reset } = totals;
  say(`  ${number(processed)} parents compared: ${number(updated)} written (${reset} of them reset), ${number(unchanged)} right already`);
  say(`  ${requests.total} requests in ${(tookMs / 1000).toFixed(1)} s, ${requests.throttled} refused:`);
  for (const [endpoint, count] of Object.entries(requests.byEndpoint)) {
    const free = endpoint.includes('/metadata/') ? '  (free of the rate limit)' : '';
    say(`    ${String(count).padStart(4)}  ${endpoint}${free}`);
  }
  if (skipped.length > 0) {
    say(`  left out, as this workspace has no such objects: ${[...new Set(skipped.map(({ reason }) => reason.match(/`(\w+)`/)?.[1]))].join(', ')}`);
  }
};

const showDonors = (before, after, donors) => {
  say('  donor      gifts  lifetime before → after        first gift  last gift');
  for (const donor of donors) {
    const [old, current] = [before.of(donor), after.of(donor)];
    const amounts = `${money(old?.lifetimeGiftAmount)} → ${money(current.lifetimeGiftAmount)}`;
    say(
      `  ${donor.padEnd(9)} ${String(current.lifetimeGiftCount ?? 0).padStart(6)}  ${amounts.padEnd(29)}  ${current.firstGiftDate ?? '–'.padEnd(10)}  ${current.lastGiftDate ?? '–'}`,
    );
  }
};

const today = () => new Date().toISOString().slice(0, 10);

/** Compares every donor with the independent computation; throws if one is wrong. */
const check = (people, gifts) => {
  const expected = totalsOf(gifts, today());
  const wrong = people.donors().filter((donor) => !carries(people.of(donor), expected.get(donor)));
  const count = people.donors().length;
  say(`  ${number(count - wrong.length)} of ${number(count)} right`);
  if (wrong.length > 0) throw new Error(`wrong totals: ${wrong.slice(0, 5).join(', ')}`);
};

/** Creates, moves and deletes some gifts over the API, as an importer or a person would; changes the list likewise. */
const work = async (sandbox, people, gifts) => {
  const call = async (method, path, body) => {
    const response = await fetch(`${sandbox.url}/rest/${path}`, {
      method,
      headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()).data;
  };
  const [giver, loser, winner, leaver] = people.donors();
  const giftOf = async (donor) => (await call('GET', `gifts?filter=donorId[eq]:${people.of(donor).id}&limit=1`)).gifts[0];
  const isThat = (gift, donor) => (entry) =>
    entry.donor === donor && entry.date === gift.giftDate && entry.micros === BigInt(gift.amount.amountMicros);

  const today = new Date().toISOString().slice(0, 10);
  for (const amount of [25_000_000, 40_000_000]) {
    await call('POST', 'gifts', { donorId: people.of(giver).id, amount: { amountMicros: amount, currencyCode: 'USD' }, giftDate: today });
    gifts.push({ donor: giver, date: today, micros: BigInt(amount), currency: 'USD' });
  }
  const moved = await giftOf(loser);
  await call('PATCH', `gifts/${moved.id}`, { donorId: people.of(winner).id });
  gifts.find(isThat(moved, loser)).donor = winner;
  const deleted = await giftOf(leaver);
  await call('DELETE', `gifts/${deleted.id}?soft_delete=true`);
  gifts.splice(gifts.findIndex(isThat(deleted, leaver)), 1);
  say(`  donor ${giver} gives twice, a gift of ${loser} turns out to be ${winner}'s, one of ${leaver} is deleted`);
  return [giver, loser, winner, leaver];
};

/** The record events since a point as Twenty hands them over: one payload for each kind of change. */
const payloadsSince = async (sandbox, after) => {
  const { events, next } = await (await fetch(`${sandbox.url}/__sandbox/events?after=${after}`)).json();
  const payloads = new Map();
  for (const { name, objectMetadata, recordId, properties } of events.filter(({ name }) => name.startsWith('gift.'))) {
    if (!payloads.has(name)) payloads.set(name, { name, objectMetadata, events: [] });
    payloads.get(name).events.push({ recordId, properties });
  }
  return { payloads: [...payloads.values()], next };
};

const main = async () => {
  const gifts = readGifts(GIFTS);
  const server = await startSandbox(['--port', '0', '--gifts', GIFTS]);
  try {
    const sandbox = server.ready;
    say(`A Twenty in memory at ${sandbox.url}, 100 requests a minute, ${number(gifts.length)} gifts`);
    const before = await People.read(sandbox);

    title('The nightly cron: every total from its gifts');
    showReport(await run({}, sandbox));
    const rebuilt = await People.read(sandbox);
    say();
    const generous = [...totalsOf(gifts, today())].sort((a, b) => Number(b[1].sum - a[1].sum));
    showDonors(before, rebuilt, generous.slice(0, SHOWN).map(([donor]) => donor));
    check(rebuilt, gifts);

    title('People at work, and the events of it');
    const touched = await work(sandbox, rebuilt, gifts);
    const { payloads } = await payloadsSince(sandbox, 0);
    for (const payload of payloads) {
      say(`  event ${payload.name}, ${payload.events.length} record${payload.events.length > 1 ? 's' : ''}`);
      showReport(await run(payload, sandbox));
    }
    const after = await People.read(sandbox);
    say();
    showDonors(rebuilt, after, touched);
    check(after, gifts);
  } finally {
    await server.stop();
  }
};

await main();
