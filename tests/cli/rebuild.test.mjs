// `rebuild --yes`: one run or several, and what is left when it ends before its end.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ADA, command, fakeEngine, folderFor, report, TOKEN, URL_HERE } from '../support/cli.mjs';

const partial = (checkpoint, more) =>
  report({ status: 'partial', code: 'out_of_time', message: 'the time of this run was used up', checkpoint, ...more });

const payloads = (engine) => engine.calls.map(({ payload }) => payload);

test('a rebuild that is done says what it did', async (t) => {
  const folder = folderFor(t);
  const engine = fakeEngine(report());
  const { exit, out, err } = await command('rebuild --yes', { engine, folder });
  assert.equal(exit, 0);
  assert.equal(out, '3 parents compared at https://crm.example.org by the built-in definitions: 2 written, 1 right already\n  7 requests in 1.5 s\n');
  assert.equal(err, '');
  assert.deepEqual(payloads(engine), [{}]);
  assert.equal(engine.calls[0].options.timeLimitSeconds, 900);
  assert.ok(!existsSync(join(folder, 'rollups-checkpoint.json')));
});

// A rebuild goes on by itself until it is done, and leaves no checkpoint then.
test('rebuild --yes runs until it is done', async (t) => {
  const folder = folderFor(t);
  const kept = join(folder, 'rollups-checkpoint.json');
  const seen = [];
  const plan = { reading: 'slices' };
  const engine = fakeEngine(partial({ after: 'a' }, { plan }), partial({ after: 'b' }, { plan }), () => {
    seen.push(JSON.parse(readFileSync(kept, 'utf8')).checkpoint);
    return report({ plan });
  });
  const { exit, json } = await command('rebuild --yes --json', { engine, folder });
  assert.equal(exit, 0);
  assert.deepEqual(payloads(engine), [{}, { checkpoint: { after: 'a' } }, { checkpoint: { after: 'b' } }]);
  assert.deepEqual(seen, [{ after: 'b' }]);
  assert.ok(!existsSync(kept));
  const { runs, checkpointFile, report: merged } = json();
  assert.deepEqual([runs, checkpointFile, merged.status], [3, null, 'ok']);
  assert.deepEqual([merged.totals.processed, merged.totals.updated, merged.requests.total, merged.tookMs], [9, 6, 21, 4500]);
  assert.deepEqual(merged.requests.byEndpoint, { 'GET /rest/gifts': 21 });
  assert.deepEqual([merged.details[0].processed, merged.details.length], [9, 1]);
});

// What a run keeps, the next run of the same command finds.
test('runs of one command share a store', async (t) => {
  const found = [];
  const keeping = (answer) => async ({ store }) => {
    found.push(await store.get('budget'));
    await store.set('budget', '12');
    await store.set('gone', 'x');
    await store.delete('gone');
    found.push(await store.get('gone'));
    return answer;
  };
  await command('rebuild --yes', { engine: fakeEngine(keeping(partial({ after: 'a' })), keeping(report())), folder: folderFor(t) });
  assert.deepEqual(found, [null, null, '12', null]);
});

// With --once it ends with the first run, leaves a checkpoint and tells how to go on.
test('checkpoint of the first run with --once', async (t) => {
  const folder = folderFor(t);
  const { exit, out } = await command('rebuild --yes --once --checkpoint rest.json', { engine: fakeEngine(partial({ after: 'a' })), folder });
  assert.equal(exit, 1);
  assert.match(out, /What was written is right\. Go on with: twenty-rollups rebuild --resume rest\.json/);
  const kept = readFileSync(join(folder, 'rest.json'), 'utf8');
  const { kind, url, checkpoint } = JSON.parse(kept);
  assert.deepEqual({ kind, url, checkpoint }, { kind: 'twenty-rollups checkpoint', url: URL_HERE, checkpoint: { after: 'a' } });
  assert.ok(!kept.includes(TOKEN));
  assert.equal(statSync(join(folder, 'rest.json')).mode & 0o077, 0);

  const engine = fakeEngine(report());
  assert.equal((await command('rebuild --yes --resume rest.json', { engine, folder })).exit, 0);
  assert.deepEqual(payloads(engine), [{ checkpoint: { after: 'a' } }]);
  assert.ok(!existsSync(join(folder, 'rest.json')));
});

// A run that gets nowhere is not begun again and again.
test('no progress ends the command', async (t) => {
  const idle = { processed: 1, updated: 0, unchanged: 0, reset: 0, failed: 1, mixedCurrency: 0 };
  const engine = fakeEngine(partial({ parents: { person: [ADA] } }, { totals: idle }));
  const { exit } = await command('rebuild --yes', { engine, folder: folderFor(t) });
  assert.equal(exit, 1);
  assert.equal(engine.calls.length, 2);
});

// While others use up the budget it waits and tries again, a few times.
test('retries while the budget is used up', async (t) => {
  const idle = { processed: 1, updated: 0, unchanged: 0, reset: 0, failed: 1, mixedCurrency: 0 };
  const busy = partial({ after: null }, { totals: idle, requests: { total: 2, throttled: 1, byEndpoint: {} } });
  const slept = [];
  const sleep = async (ms) => void slept.push(ms);
  const engine = fakeEngine(busy);
  assert.equal((await command('rebuild --yes', { engine, folder: folderFor(t), sleep })).exit, 1);
  assert.deepEqual([engine.calls.length, slept], [5, [20_000, 20_000, 20_000]]);
  const freed = fakeEngine(busy, busy, busy, report());
  assert.equal((await command('rebuild --yes', { engine: freed, folder: folderFor(t), sleep })).exit, 0);
});

// A run that could not even begin leaves the checkpoint of the one before.
test('checkpoint outlives a failed start', async (t) => {
  const nothing = { processed: 0, updated: 0, unchanged: 0, reset: 0, failed: 0, mixedCurrency: 0 };
  const refused = partial(null, { totals: nothing, requests: { total: 1, throttled: 1, byEndpoint: {} } });
  const folder = folderFor(t);
  const engine = fakeEngine(partial({ after: 'a' }), refused, report());
  assert.equal((await command('rebuild --yes', { engine, folder })).exit, 0);
  assert.deepEqual(payloads(engine), [{}, { checkpoint: { after: 'a' } }, { checkpoint: { after: 'a' } }]);

  const first = fakeEngine(refused, report());
  assert.equal((await command('rebuild --yes', { engine: first, folder })).exit, 0);
  assert.deepEqual(payloads(first), [{}, {}]);

  const away = report({ status: 'error', code: 'unreachable', message: 'the server is away', totals: nothing });
  const left = fakeEngine(partial({ after: 'a' }), away);
  const { exit, out } = await command('rebuild --yes', { engine: left, folder });
  assert.equal(exit, 3);
  assert.match(out, /the server is away\n.*--resume rollups-checkpoint\.json/);
});

// Runs that look at everything again are not counted twice.
test('repeated comparisons count once', async (t) => {
  const counts = (updated, unchanged, failed) => ({ processed: 100, updated, unchanged, reset: 0, failed, mixedCurrency: 0 });
  const wrong = (values) => ({ parents: values, values, fields: { 'person.a': values }, examples: [], since: null });
  const first = partial({ after: null }, { totals: counts(60, 10, 30), drift: wrong(90), plan: { reading: 'scan' } });
  const second = report({ totals: counts(30, 70, 0), drift: wrong(30), plan: { reading: 'scan' } });
  const { json } = await command('rebuild --yes --json', { engine: fakeEngine(first, second), folder: folderFor(t) });
  const { totals, drift, details } = json().report;
  assert.deepEqual(totals, counts(90, 10, 0));
  const cut = partial({ after: null }, { totals: { ...counts(0, 40, 0), processed: 40 }, plan: { reading: 'scan' } });
  const once = await command('rebuild --yes --json', { engine: fakeEngine(first, cut), folder: folderFor(t) });
  assert.deepEqual(once.json().report.totals, counts(60, 10, 30));
  assert.deepEqual(drift, wrong(90));
  assert.deepEqual([details[0].processed, details[0].updated], [3, 4]);
});

// An error that leaves a checkpoint keeps it, and ends with the code of the error.
test('error with a checkpoint', async (t) => {
  const folder = folderFor(t);
  const away = report({ status: 'error', code: 'unreachable', message: 'the server is away', checkpoint: { after: 'a' } });
  const { exit, out } = await command('rebuild --yes', { engine: fakeEngine(away), folder });
  assert.equal(exit, 3);
  assert.match(out, /Not all parents are done: the server is away/);
  assert.ok(existsSync(join(folder, 'rollups-checkpoint.json')));
});

// Parents that could not be written are named, and are the exit code 1.
test('failed parents are named', async (t) => {
  const failures = [{ parentObject: 'person', id: ADA, message: 'refused: the e-mail address is not valid' }];
  const totals = { processed: 3, updated: 1, unchanged: 1, reset: 1, failed: 1, mixedCurrency: 0 };
  const engine = fakeEngine(report({ status: 'partial', failures, totals }));
  const { exit, out } = await command('rebuild --yes', { engine, folder: folderFor(t) });
  assert.equal(exit, 1);
  assert.match(out, /1 written \(1 of them without a child left\), 1 right already, 1 not right\n/);
  assert.match(out, /Not all parents are right, see above\n$/);
  assert.match(out, new RegExp(`Not right:\n {2}person ${ADA}: refused: the e-mail address is not valid`));
});

for (const [what, text, message] of [
  ['that is not there', undefined, /there is no such file/],
  ['that is something else', '{"a":1}', /is no checkpoint of a rebuild/],
  [
    'of another workspace',
    '{"kind":"twenty-rollups checkpoint","url":"https://other.example.org","checkpoint":{}}',
    /belongs to https:\/\/other\.example\.org, not to https:\/\/crm\.example\.org/,
  ],
]) {
  test(`a checkpoint ${what} is refused`, async (t) => {
    const folder = folderFor(t);
    if (text) writeFileSync(join(folder, 'rest.json'), text);
    const engine = fakeEngine(report());
    const { exit, err } = await command('rebuild --yes --resume rest.json', { engine, folder });
    assert.equal(exit, 2);
    assert.match(err, message);
    assert.deepEqual(engine.calls, []);
  });
}

test('a dry run cannot be resumed', async () => {
  assert.equal((await command('rebuild --yes --dry-run --resume rest.json')).exit, 2);
});
