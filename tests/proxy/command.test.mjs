// The command `twenty-fundraising`: help, errors at the start, both forms of an address, checks, and test events.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { listen, serve } from '../support/http-server.mjs';
import { ROOT, prepare } from '../support/project.mjs';
import { UNLIMITED, freePort, startProxy } from '../support/proxy.mjs';
import { startWorkspace } from '../support/proxy-workspace.mjs';

before(prepare);

const COMMAND = join(ROOT, 'pkg/bin/fundraising.mjs');
const NO_SERVER = { TWENTY_API_URL: 'http://127.0.0.1:9', TWENTY_API_KEY: 'hush-hush-hush' };

/** Runs a command line to its end, or, with `until`, until it has printed that. */
async function run(line, env = {}, until) {
  const child = spawn(process.execPath, [COMMAND, ...line.split(' ').filter(Boolean)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  const texts = { out: '', err: '' };
  const add = (name) => (chunk) => {
    texts[name] += chunk;
    if (until?.test(texts.out + texts.err)) child.kill('SIGTERM');
  };
  child.stdout.setEncoding('utf8').on('data', add('out'));
  child.stderr.setEncoding('utf8').on('data', add('err'));
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const exit = await new Promise((done) => child.once('close', done));
  clearTimeout(late);
  return { exit, ...texts, json: () => JSON.parse(texts.out) };
}

test('help and version', async () => {
  const { exit, out } = await run('--help');
  assert.equal(exit, 0);
  for (const part of ['serve', 'provision', 'check', 'send-test-event', 'Exit codes:', 'TWENTY_API_URL']) assert.ok(out.includes(part), part);
  assert.match((await run('--version')).out, /^\d+\.\d+\.\d+\n$/);
  assert.match((await run('serve --help')).out, /--process-every <minutes>/);
});

test('completion', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exit, out } = await run(`completion ${shell}`);
    assert.equal(exit, 0);
    for (const word of ['twenty-fundraising', 'serve', 'process-every', 'gocardless']) assert.ok(out.includes(word), `${shell}: ${word}`);
  }
  const { out: script } = await run('completion bash');
  const proposed = (...words) => {
    const typed = ['twenty-fundraising', ...words];
    const ask = `COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _twenty_fundraising; printf '%s ' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' }).stdout.trim().split(' ');
  };
  assert.deepEqual(proposed('s'), ['serve', 'send-test-event']);
  assert.deepEqual(proposed('send-test-event', 'g'), ['gocardless']);
  assert.deepEqual(proposed('serve', '--p'), ['--port', '--process-every']);
  assert.equal((await run('completion powershell')).exit, 2);
});

/** Each of these ends with what is wrong and what to do about it, and serves nothing. */
test('starts that cannot be right', async (t) => {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  for (const [line, env, exit, expected] of [
    ['serv', {}, 2, /Did you mean serve\?/],
    ['serve --prot 3', {}, 2, /Did you mean --port\?/],
    ['serve', {}, 2, /the address of the Twenty server is missing\nSet TWENTY_API_URL/],
    ['serve --url crm.example.org', {}, 2, /`--url` is `crm\.example\.org`, expected an address such as/],
    ['serve', { TWENTY_API_URL: 'https://crm.example.org/settings/api' }, 2, /`TWENTY_API_URL` is .*no path but `\/rest`/],
    ['serve', { TWENTY_API_URL: 'ftp://crm.example.org' }, 2, /expected .*: http or https/],
    ['serve', { ...NO_SERVER, FUNDRAISING_MODEL: '{"gfit":null}' }, 2, /`FUNDRAISING_MODEL` is .*gfit/],
    ['serve', { ...NO_SERVER, FUNDRAISING_GIFT_AID: 'ja' }, 2, /`FUNDRAISING_GIFT_AID` is `ja`, expected/],
    ['serve --port 70000', NO_SERVER, 2, /`--port` is "70000", expected a whole number from 0 to 65535/],
    ['serve --process-every 0', NO_SERVER, 2, /`--process-every` is "0", expected a whole number of minutes/],
    ['serve --process-every 5', NO_SERVER, 2, /staging is off\nSet FUNDRAISING_ENABLE_GIFT_STAGING/],
    ['serve --process-every 5', { TWENTY_API_URL: 'http://127.0.0.1:9' }, 2, /needs a token/],
    [`serve --port ${server.address().port}`, NO_SERVER, 1, /another program listens there; take another port, or 0/],
    ['serve --port 0 --host 192.0.2.1', NO_SERVER, 1, /this machine does not have that address/],
    ['provision', { TWENTY_API_URL: 'http://127.0.0.1:9' }, 2, /no token: /],
    ['provision', NO_SERVER, 3, /cannot reach http:\/\/127\.0\.0\.1:9: /],
    ['send-test-event paypal', {}, 2, /Allowed choices are stripe, gocardless/],
    ['send-test-event stripe', {}, 2, /STRIPE_WEBHOOK_SECRET is missing/],
    ['send-test-event stripe --secret s --to gifts.example.org', {}, 2, /is no address of a proxy/],
    [`send-test-event stripe --secret s --to http://127.0.0.1:${await freePort()}`, {}, 3, /nothing answers there/],
  ]) {
    const ended = await run(line, env);
    assert.equal(ended.exit, exit, `${line}\n${ended.err}`);
    assert.match(ended.err, expected, line);
    assert.equal(ended.out, '', line);
    assert.doesNotMatch(ended.err, /hush/);
    assert.equal((await run(`${line} --json`, env)).json().exitCode, exit, line);
  }
});

/** The address is that of the server or of its API, under any of its names, and by its option. */
test('both forms of the address', async (t) => {
  const { url, token } = await startWorkspace(t, { model: false });
  for (const address of [url, `${url}/`, `${url}/rest`, `${url}/rest/`]) {
    for (const [line, env] of [
      ['check', { TWENTY_API_URL: address, TWENTY_API_KEY: token }],
      ['check', { TWENTY_API_BASE_URL: address, TWENTY_APP_ACCESS_TOKEN: token }],
      ['check', { TWENTY_REST_BASE_URL: address, TWENTY_APP_APPLICATION_ACCESS_TOKEN: token }],
      [`check --url ${address} --token ${token}`, { TWENTY_API_KEY: 'another-one' }],
    ]) {
      const { findings } = (await run(`${line} --json`, env)).json();
      const of = (name) => findings.find((finding) => finding.name === name);
      assert.deepEqual([of('address').status, of('address').message.split(' ')[0]], ['ok', `${url}/rest`]);
      assert.deepEqual([of('token').status, of('data model').status], ['ok', 'wrong']);
    }
  }
});

test('model made, checked and served', async (t) => {
  const { url, token } = await startWorkspace(t, { model: false });
  const env = { ...UNLIMITED, TWENTY_API_URL: url, TWENTY_API_KEY: token, STRIPE_WEBHOOK_SECRET: 'whsec_1' };
  const before = await run('check', env);
  assert.equal(before.exit, 1);
  assert.match(before.out, /wrong data model the workspace lacks \d+ of its parts:\n +- appeal\n/);
  assert.equal(before.err, '');
  assert.match((await run('serve --port 0', env, /provision/)).err, /warning: the workspace lacks \d+ parts of the data model: appeal, .* and \d+ more\ntwenty-fundraising provision/);
  const made = await run('provision', env);
  assert.equal(made.exit, 0, made.err);
  assert.match(made.out, /^made gift\.amount$/m);
  assert.match((await run('provision', env)).out, /^0 parts of the data model made, \d+ there already\n$/);
  const after = await run('check', env);
  assert.deepEqual([after.exit, after.err], [0, '']);
  assert.match(after.out, /^ok +data model the workspace has all of it$/m);
  const served = await run('serve --port 0', env, /"url"/);
  assert.deepEqual([served.exit, served.err], [0, '']);
  assert.match(JSON.parse(served.out.split('\n')[0]).url, /^http:\/\/127\.0\.0\.1:\d+$/);
});

test('what a check finds', async (t) => {
  const { url, token, guestToken, revokedToken } = await startWorkspace(t);
  const page = await serve(t, (_, response) => response.end('<html>'));
  const { url: goCardless } = await listen(t, ({ headers }) => ({ status: headers.authorization === 'Bearer good' ? 200 : 401, body: {} }));
  const env = { TWENTY_API_URL: url, TWENTY_API_KEY: token };
  for (const [more, exit, status, name, expected] of [
    [{ TWENTY_API_KEY: revokedToken }, 3, 'wrong', 'token', /does not accept the token: This API Key is revoked/],
    [{ TWENTY_API_KEY: '' }, 2, 'wrong', 'token', /^none: /],
    [{ TWENTY_API_KEY: guestToken }, 0, 'note', 'data model', /may not read the data model/],
    [{ TWENTY_API_URL: 'http://127.0.0.1:9' }, 3, 'wrong', 'address', /cannot reach/],
    [{ TWENTY_API_URL: page }, 3, 'wrong', 'address', /is not Twenty's API/],
    [{ TWENTY_API_URL: '' }, 2, 'wrong', 'address', /is missing/],
    [{ FUNDRAISING_GIFTAID: 'on' }, 0, 'note', 'settings', /^FUNDRAISING_GIFTAID is no setting/],
    [{ FUNDRAISING_CACHE_SECONDS: '-1' }, 2, 'wrong', 'settings', /`FUNDRAISING_CACHE_SECONDS` is `-1`, expected/],
    [{}, 0, 'note', 'stripe', /^off: /],
    [{ STRIPE_WEBHOOK_SECRET: 'sk_live_hush' }, 1, 'wrong', 'stripe', /is an API key/],
    [{ STRIPE_WEBHOOK_SECRET: 'hush-hush' }, 0, 'note', 'stripe', /does not begin with whsec_/],
    [{ GOCARDLESS_WEBHOOK_SECRET: 's' }, 0, 'note', 'gocardless', /amounts are not known/],
    [{ GOCARDLESS_WEBHOOK_SECRET: 's', GOCARDLESS_ACCESS_TOKEN: 's' }, 1, 'wrong', 'gocardless', /is the access token/],
    [{ GOCARDLESS_ACCESS_TOKEN: 'sandbox_hush' }, 1, 'wrong', 'gocardless', /is not for https:\/\/api\.gocardless\.com/],
    [{ GOCARDLESS_ACCESS_TOKEN: 'live_hush', GOCARDLESS_API_URL: 'https://api-sandbox.gocardless.com' }, 1, 'wrong', 'gocardless', /GOCARDLESS_API_URL is the sandbox/],
    [{ GOCARDLESS_ACCESS_TOKEN: 'good', GOCARDLESS_API_URL: goCardless }, 0, 'ok', 'gocardless', /accepts the access token/],
    [{ GOCARDLESS_ACCESS_TOKEN: 'bad', GOCARDLESS_API_URL: `${goCardless}/` }, 3, 'wrong', 'gocardless', /answers 401/],
    [{ GOCARDLESS_ACCESS_TOKEN: 'good', GOCARDLESS_API_URL: 'http://127.0.0.1:9' }, 3, 'wrong', 'gocardless', /cannot be reached/],
    [{ FUNDRAISING_ENABLE_GIFT_STAGING: 'Yes' }, 0, 'ok', 'staging', /^on; /],
    [{ FUNDRAISING_ACCEPT_TEST_EVENTS: '1' }, 0, 'note', 'test events', /make gifts/],
  ]) {
    const ended = await run('check --json', { ...env, ...more });
    const what = JSON.stringify(more);
    assert.equal(ended.exit, exit, `${what}\n${ended.out}`);
    const found = ended.json().findings.filter((finding) => finding.name === name && finding.status === status);
    assert.ok(found.some(({ message }) => expected.test(message)), `${what}\n${ended.out}`);
    assert.doesNotMatch(ended.out + ended.err, /hush/);
  }
  const { out } = await run('check', env);
  for (const line of out.split('\n').slice(0, -2)) assert.ok(line.length <= 60, line);
});

/** Signed as the providers sign, and told in words: taken in, refused, not set up, not there. */
test('test events and what the proxy answers', async (t) => {
  const { env, all } = await startWorkspace(t);
  const secrets = { STRIPE_WEBHOOK_SECRET: 'whsec_1', GOCARDLESS_WEBHOOK_SECRET: 'gc-1' };
  const { url } = await startProxy(t, 'node', { ...UNLIMITED, ...env, ...secrets });
  const bare = await startProxy(t, 'node', { ...UNLIMITED, ...env });
  const elsewhere = await listen(t, () => ({ status: 404, body: {} }));
  for (const [provider, to, secret, exit, expected] of [
    ['stripe', url, 'whsec_1', 0, /Answered 204: the signature is right[^]*nothing was written/],
    ['stripe', `${url}/`, 'whsec_1', 0, /Answered 204/],
    ['stripe', `${url}/api/fundraising`, 'whsec_1', 0, /Answered 204/],
    ['stripe', `${url}/api/fundraising/webhooks/stripe`, 'whsec_1', 0, /Answered 204/],
    ['gocardless', url, 'gc-1', 0, /Answered 202: the signature is right[^]*nothing was written/],
    ['stripe', url, 'whsec_2', 1, /Answered 400: the signature is refused: the proxy has another STRIPE_WEBHOOK_SECRET/],
    ['gocardless', url, 'gc-2', 1, /Answered 498: the signature is refused: the proxy has another GOCARDLESS_WEBHOOK_SECRET/],
    ['stripe', bare.url, 'whsec_1', 1, /Answered 503: the proxy has no STRIPE_WEBHOOK_SECRET/],
    ['gocardless', bare.url, 'gc-1', 1, /Answered 503: the proxy has no GOCARDLESS_WEBHOOK_SECRET/],
    ['stripe', elsewhere.url, 'whsec_1', 1, /Answered 404: no proxy answers at this address/],
  ]) {
    const ended = await run(`send-test-event ${provider} --to ${to} --secret ${secret}`);
    assert.equal(ended.exit, exit, ended.out + ended.err);
    assert.match(ended.out, expected);
  }
  assert.deepEqual(await all('gifts'), []);
  const live = await run(`send-test-event stripe --to ${url} --live --amount 1234 --currency USD --email ada@example.org --json`, secrets);
  assert.equal(live.json().status, 204, live.out);
  const gifts = await all('gifts');
  assert.deepEqual(gifts.map(({ amount }) => amount), [{ amountMicros: 12_340_000, currencyCode: 'USD' }]);
});

/** What the option of the server does, shown on one tick of its timer, which a test cannot wait a minute for. */
test('timer that processes staged gifts', async (t) => {
  const { env, ask, all } = await startWorkspace(t);
  const { fetch: proxyFetch } = await import('../../pkg/fundraising/node.js');
  const { processStaged } = await import('../../pkg/fundraising/process-staged.js');
  const settings = { ...UNLIMITED, ...env, FUNDRAISING_ENABLE_GIFT_STAGING: 'on' };
  const body = { amount: { amountMicros: 5_000_000, currencyCode: 'GBP' }, giftDate: '2026-02-20', donorFirstName: 'Bo', donorLastName: 'Diaz' };
  const headers = { authorization: `Bearer ${env.TWENTY_API_KEY}`, 'content-type': 'application/json' };
  const request = new Request('http://localhost/api/fundraising/gift-staging', { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal((await proxyFetch(request, settings)).ok, true);
  assert.deepEqual(await processStaged(proxyFetch, settings), { processed: 0, deferred: 0, failed: 0 });
  const [{ id }] = await all('giftStagings');
  await ask('PATCH', `giftStagings/${id}`, { processingStatus: 'ready_for_process' });
  assert.deepEqual(await processStaged(proxyFetch, settings), { processed: 1, deferred: 0, failed: 0 });
  assert.equal((await all('gifts')).length, 1);

  const lines = [];
  t.mock.method(console, 'error', (line) => lines.push(JSON.parse(line)));
  for (const [wrong, reason] of [
    [{ FUNDRAISING_ENABLE_GIFT_STAGING: 'off' }, /503 Gift staging is disabled/],
    [{ TWENTY_API_KEY: '' }, /TWENTY_API_KEY, which is not set/],
    [{ TWENTY_API_KEY: 'nobody' }, /not processed: 401/],
  ]) {
    await assert.rejects(processStaged(proxyFetch, { ...settings, ...wrong }), reason);
    assert.deepEqual([lines.at(-1).event, reason.test(lines.at(-1).message)], ['timed_processing_failed', true]);
  }
});
