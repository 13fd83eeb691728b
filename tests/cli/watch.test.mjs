// `watch`: what the runs in a log came to.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { command, folderFor } from '../support/cli.mjs';

const run = (more = {}) =>
  JSON.stringify({ level: 'info', event: 'rollups_calculated', status: 'ok', tookMs: 1400, processed: 2357, updated: 12, failed: 0, requests: 19, throttled: 0, ...more });
const NOW = () => new Date(2026, 10, 30, 14, 3, 20).getTime();

test('a log that is piped in', async () => {
  const log = [
    `worker-1  | 2026-11-30T02:00:07.123Z ${run()}\n`,
    `${JSON.stringify({ level: 'info', event: 'page_read', object: 'gift', records: 200 })}\nserver listens on 3000\n{"other":1}\n{"broken\n`,
    run({ status: 'partial', failed: 2, throttled: 3, message: 'the time was used up' }).slice(0, 40),
    `${run({ status: 'partial', failed: 2, throttled: 3, message: 'the time was used up' }).slice(40)}\r\n`,
    JSON.stringify({ level: 'warn', event: 'request_retried', endpoint: 'GET /rest/gifts', attempt: 1, status: 503, waitMs: 2000 }),
  ];
  const { exit, out } = await command('watch', { stdin: log, now: NOW });
  assert.deepEqual(out.split('\n'), [
    '02:00:07  ok: 2,357 compared, 12 written, 19 requests in 1.4',
    '          s',
    '14:03:20  partial: 2,357 compared, 12 written, 2 not right,',
    '          19 requests in 1.4 s, 3 refused by the rate limit,',
    '          the time was used up',
    '14:03:20  GET /rest/gifts again in 2.0 s: answered 503',
    '2 runs, 1 not whole',
    '',
  ]);
  assert.equal(exit, 1);
});

test('what a run says of totals that were wrong', async () => {
  const more = { mode: 'full-rebuild', drift: { parents: 2, values: 3 }, skipped: [{ definition: 1 }], continued: true };
  const { out } = await command('watch', { stdin: [run(more)], now: NOW });
  assert.equal(out.split('\n').slice(0, 3).map((line) => line.trim()).join(' '), '14:03:20  full-rebuild ok: 2,357 compared, 12 written, 3 values were wrong, 1 left out, 19 requests in 1.4 s, a next run goes on');
  assert.match((await command('watch', { stdin: [run({ ...more, mode: 'dry-run' })] })).out.replaceAll(/\s+/g, ' '), /3 values are wrong/);
});

test('runs that are whole', async () => {
  const { exit, out } = await command('watch', { stdin: [`${run()}\n${run({ status: 'noop' })}`] });
  assert.equal(exit, 0);
  assert.match(out, /\n2 runs\n$/);
  assert.deepEqual((await command('watch --json', { stdin: [run({ status: 'error' })] })).json(), { command: 'watch', exitCode: 1, runs: 1, notOk: 1 });
});

test('a file to its end', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'runs.log'), `${run()}\n${run()}`);
  const { exit, out } = await command('watch runs.log --once', { folder });
  assert.deepEqual([exit, out.match(/2,357 compared/g).length], [0, 2]);
});

// What is added is seen, also after the file was begun anew or replaced; Ctrl-C ends it.
test('a file that is written on', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'runs.log');
  writeFileSync(path, `${run({ updated: 1 })}\n`);
  const signals = new EventEmitter();
  const steps = [
    () => appendFileSync(path, `${run({ updated: 2 })}\n`),
    () => truncateSync(path),
    () => writeFileSync(path, `${run({ updated: 3 })}\n`),
    () => renameSync(path, join(folder, 'runs.log.1')),
    () => writeFileSync(path, `${run({ updated: 4 })}\n`),
    () => {},
    () => signals.emit('SIGINT'),
  ];
  const sleep = async () => {
    // A command that was stopped is left waiting, as the process ends with it.
    await (steps.shift() ?? (() => new Promise(() => {})))();
    await new Promise(setImmediate);
  };
  const { exit, out } = await command('watch runs.log', { folder, signals, sleep });
  assert.equal(exit, 130);
  assert.deepEqual(out.match(/\d+ written/g), ['1 written', '2 written', '3 written', '4 written']);
});

test('no log', async (t) => {
  const missing = await command('watch runs.log', { folder: folderFor(t) });
  assert.deepEqual([missing.exit, missing.err], [2, 'error: cannot read `runs.log`: there is no such file\n']);
  const { exit, err } = await command('watch', { answers: [] });
  assert.equal(exit, 2);
  assert.match(err, /pipe a log in/);
});
