// How a command ends: exit codes, --json, Ctrl-C, secrets, colours, the progress bar.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { ADA, command, fakeEngine, folderFor, metadata, report, TOKEN } from '../support/cli.mjs';

const LINES = ['validate', 'plan', 'rebuild --yes', 'drift', `explain ${ADA}`];

for (const [code, exit] of [
  ['unreachable', 3],
  ['unauthorized', 3],
  ['forbidden', 3],
  ['server_error', 3],
  ['malformed_answer', 3],
  ['invalid_config', 1],
  ['invalid_rate', 2],
  ['engine_trap', 4],
]) {
  // The engine’s error … is the exit code … of every command.
  test(`${code} is the exit code ${exit}`, async (t) => {
    const folder = folderFor(t);
    for (const line of LINES) {
      const engine = fakeEngine({ status: 'error', code, message: 'it did not work' });
      const plain = await command(line, { engine, folder });
      assert.equal(plain.exit, exit, line);
      assert.match(plain.err, /^error: it did not work\n/);
      const { exit: again, json } = await command(`${line} --json`, { engine, folder });
      const { command: name, exitCode, error } = json();
      assert.deepEqual([again, name, exitCode, error.code, error.message], [exit, line.split(' ')[0], exit, code, 'it did not work']);
    }
  });
}

for (const [what, fetch, code, message] of [
  [
    'that is not there',
    async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) });
    },
    'unreachable',
    /cannot reach https:\/\/crm\.example\.org: there is no server of that name/,
  ],
  ['that does not know the token', async () => Response.json({}, { status: 401 }), 'unauthorized', /does not accept the token/],
  [
    'whose key was revoked',
    async () => Response.json({ messages: ['This API Key is revoked'] }, { status: 403 }),
    'unauthorized',
    /does not accept the token: This API Key is revoked/,
  ],
  ['that is out of order', async () => new Response('Bad gateway', { status: 502 }), 'server_error', /error of its own \(502\)/],
  ['that is no Twenty', async () => new Response('<html>'), 'malformed_answer', /is not Twenty's API/],
]) {
  // A server … is told at once, and is the exit code 3.
  test(`server ${what}`, async () => {
    for (const line of LINES) {
      const engine = fakeEngine(report());
      const { exit, err, json } = await command(`${line} --json`, { engine, fetch });
      assert.equal(exit, 3);
      assert.match(err, message);
      assert.equal(json().error.code, code);
      assert.deepEqual(engine.calls, []);
    }
  });
}

// Unsound definitions stop every command before a request, in the name of their file.
test('unsound definitions stop every command', async () => {
  const errors = [{ place: 'definition 0, relationFeild', message: 'unknown key, did you mean `relationField`?' }];
  const engine = { ...fakeEngine(report()), validateDefinitions: () => ({ valid: false, errors, definitions: 0 }) };
  for (const line of LINES.filter((name) => name !== 'validate')) {
    const { exit, err } = await command(line, {
      engine,
      env: { ROLLUP_ENGINE_CONFIG: '[{}]' },
      fetch: () => assert.fail('a request was sent'),
    });
    assert.equal(exit, 1);
    assert.match(err, /^error: ROLLUP_ENGINE_CONFIG: 1 fault\n {2}ROLLUP_ENGINE_CONFIG:1:2: definition 0, relationFeild: unknown key/);
  }
});

// A token that may not read the data model is no obstacle.
test('token without rights to the data model', async () => {
  const { exit } = await command('drift', { fetch: async () => Response.json({ messages: ['Forbidden'] }, { status: 403 }) });
  assert.equal(exit, 0);
});

// Where there is nothing to do, that is said, and is right.
test('nothing to do', async (t) => {
  const folder = folderFor(t);
  const engine = fakeEngine(report({ status: 'noop', drift: null }));
  for (const line of LINES.filter((name) => name !== 'validate')) {
    const { exit, out } = await command(line, { engine, folder });
    assert.deepEqual([exit, out], [0, 'Nothing to do: there are no definitions\n'], line);
  }
});

// A fault of the program itself is the exit code 4.
test('fault of the program', async () => {
  const engine = fakeEngine(() => {
    throw new Error('a bug');
  });
  const { exit, err } = await command('drift', { engine });
  assert.equal(exit, 4);
  assert.match(err, /a bug/);
});

// A mistake of usage is JSON too, where JSON was asked for.
test('usage error as JSON', async () => {
  const { exit, json } = await command('drift --json --jsno');
  assert.equal(exit, 2);
  assert.equal(json().error.code, 'usage');
});

// No secret is printed, whoever puts it into a text.
test('no secret is printed', async (t) => {
  const folder = folderFor(t);
  const leak = ({ log, token }) => {
    log({ level: 'info', event: 'request_retried', message: `Bearer ${token}` });
    return report({ status: 'partial', message: token, notes: [`the token ${token}`], checkpoint: { token: 'x' } });
  };
  for (const line of ['rebuild --yes --once', 'rebuild --yes --once --json', 'rebuild --yes --once --verbose']) {
    const { out, err } = await command(line, { engine: fakeEngine(leak), folder });
    assert.match(out, /\[secret\]/);
    assert.ok(!`${out}${err}`.includes(TOKEN), line);
  }
  const { out, err } = await command('rebuild --yes --token another-secret --once --verbose', { engine: fakeEngine(leak), folder });
  assert.ok(!`${out}${err}`.includes('another-secret'));
});

/** An engine that sends a request and then waits for ever. */
const waiting = (sent) =>
  fakeEngine(async ({ fetch, log }) => {
    log({ level: 'info', event: 'page_read', object: 'gift', records: 200, of: 400 });
    const answer = fetch('https://crm.example.org/rest/gifts', {});
    sent();
    await answer;
    return new Promise(() => {});
  });

// Ctrl-C lets the request under way end, and ends then.
test('Ctrl-C waits for the request under way', async (t) => {
  const signals = new EventEmitter();
  let answer;
  const slow = new Promise((resolve) => (answer = resolve));
  const fetch = (url) => (url.includes('metadata') ? metadata() : slow);
  let sent;
  const underWay = new Promise((resolve) => (sent = resolve));
  const ended = command('rebuild --yes', { engine: waiting(sent), fetch, signals, folder: folderFor(t) });
  await underWay;
  signals.emit('SIGINT');
  answer(metadata());
  const { exit, err } = await ended;
  assert.equal(exit, 130);
  assert.match(err, /Stopping: 1 request under way may end/);
  assert.match(err, /What was written is right, the rest is as it was; run the same command again/);
  assert.equal(signals.listenerCount('SIGINT'), 0);
});

test('after Ctrl-C nothing further is sent', async () => {
  const signals = new EventEmitter();
  const urls = [];
  let answer;
  const slow = new Promise((resolve) => (answer = resolve));
  const fetch = (url) => {
    urls.push(url);
    return url.endsWith('first') ? slow : metadata();
  };
  const engine = fakeEngine(async (options) => {
    const first = options.fetch('https://crm.example.org/first', {});
    signals.emit('SIGINT');
    options.fetch('https://crm.example.org/second', {});
    answer(metadata());
    await first;
    options.fetch('https://crm.example.org/third', {});
    return new Promise(() => {});
  });
  assert.equal((await command('drift', { engine, fetch, signals })).exit, 130);
  assert.deepEqual(urls.filter((url) => !url.includes('metadata')), ['https://crm.example.org/first']);
});

test('a second Ctrl-C does not wait', async () => {
  const signals = new EventEmitter();
  let sent;
  const underWay = new Promise((resolve) => (sent = resolve));
  const fetch = (url) => (url.includes('metadata') ? metadata() : new Promise(() => {}));
  const ended = command('drift --json', { engine: waiting(sent), fetch, signals });
  await underWay;
  signals.emit('SIGINT');
  signals.emit('SIGINT');
  const { exit, json } = await ended;
  assert.equal(exit, 130);
  assert.deepEqual(json(), {
    command: 'drift',
    exitCode: 130,
    error: { code: 'interrupted', message: 'Stopped. Nothing was written.' },
  });
});

test('SIGTERM ends it as well', async () => {
  const signals = new EventEmitter();
  const engine = fakeEngine(() => {
    setImmediate(() => signals.emit('SIGTERM'));
    return new Promise(() => {});
  });
  assert.equal((await command('drift', { engine, signals })).exit, 143);
});

const reading = ({ log }) => {
  log({ level: 'info', event: 'page_read', object: 'gift', records: 200, of: 400 });
  log({ level: 'info', event: 'page_read', object: 'gift', records: 400, of: 400 });
  log({ level: 'info', event: 'parents_compared', object: 'person', parents: 3, of: 3, differ: 2 });
  log({ level: 'info', event: 'parents_written', object: 'person', written: 1, of: 2 });
  log({ level: 'info', event: 'parents_written', object: 'person', written: 2, of: 2 });
  return report();
};

// A terminal gets a progress bar and its cursor back.
test('progress bar on a terminal', async (t) => {
  const { err, out } = await command('rebuild --yes', { engine: fakeEngine(reading), tty: true, folder: folderFor(t) });
  assert.match(err, /looking at the workspace/);
  assert.match(err, /writing person, 2 written/);
  assert.ok(err.lastIndexOf('\x1b[?25h') > err.lastIndexOf('\x1b[?25l'));
  assert.doesNotMatch(out, /reading/);
});

for (const [what, line, given] of [
  ['what is no terminal', 'rebuild --yes', {}],
  ['a terminal with --json', 'rebuild --yes --json', { tty: true }],
  ['a dumb terminal', 'rebuild --yes', { tty: true, env: { TERM: 'dumb' } }],
]) {
  test(`${what} gets no progress bar`, async (t) => {
    const { err } = await command(line, { engine: fakeEngine(reading), folder: folderFor(t), ...given });
    assert.equal(err, '');
  });
}

// Colours are for terminals, and not with NO_COLOR.
test('colours and NO_COLOR', async () => {
  const engine = fakeEngine({ status: 'error', code: 'forbidden', message: 'no right' });
  const colored = async (given) => (await command('drift', { engine, ...given })).err.includes('\x1b[31m');
  assert.equal(await colored({ tty: true }), true);
  assert.equal(await colored({ tty: true, env: { NO_COLOR: '1' } }), false);
  assert.equal(await colored({ tty: false }), false);
});

test('with --verbose the log lines go to stderr', async () => {
  const { err, out } = await command('drift --verbose --json', { engine: fakeEngine(reading) });
  assert.equal(JSON.parse(err.split('\n')[0]).event, 'page_read');
  JSON.parse(out);
});
