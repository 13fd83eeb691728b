// The worker as `wrangler` builds and runs it, with the configuration of pkg/fundraising/deploy.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { node24 } from '../support/nodes.mjs';
import { PACKAGE, ROOT, bin, prepare } from '../support/project.mjs';
import { call, freePort } from '../support/proxy.mjs';
import { startWorkspace } from '../support/proxy-workspace.mjs';

before(prepare);

const FUNDRAISING = join(PACKAGE, 'fundraising');
const CONFIG = readFileSync(join(FUNDRAISING, 'deploy/wrangler.jsonc'), 'utf8');

/** A folder with the configuration, whose worker is the built one: wrangler leaves files beside it. */
function project(t, ended = async () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'twenty-worker-'));
  t.after(async () => {
    await ended();
    rmSync(folder, { recursive: true, force: true });
  });
  assert.ok(CONFIG.includes('"../workerd.js"'));
  writeFileSync(join(folder, 'wrangler.jsonc'), CONFIG.replace('"../workerd.js"', JSON.stringify(join(FUNDRAISING, 'workerd.js'))));
  const env = { PATH: process.env.PATH, HOME: folder, CI: '1', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' };
  return { folder, options: { cwd: folder, env, encoding: 'utf8' } };
}

/** wrangler needs a newer Node than the package. */
const wrangler = (...args) => [node24(), [bin('wrangler'), ...args]];

test('wrangler deploy --dry-run', (t) => {
  const { folder, options } = project(t);
  const { status, stdout, stderr } = spawnSync(...wrangler('deploy', '--dry-run', '--outdir', 'out'), options);
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(stdout + stderr, /WARNING|Unexpected fields/);
  const files = readdirSync(join(folder, 'out'));
  assert.ok(files.includes('workerd.js') && files.some((name) => name.endsWith('fundraising.wasm')), files.join());
  // 3 MB compressed is what Workers take at least.
  assert.ok(Number(/gzip: ([\d.]+) KiB/.exec(stdout)[1]) < 3_000, stdout);
});

/** Serves with `wrangler dev` until the test is over. */
async function dev(t, secrets, vars) {
  let stop = async () => {};
  const { folder, options } = project(t, () => stop());
  writeFileSync(join(folder, 'secrets.env'), Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`).join(''));
  const port = await freePort();
  const named = Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
  const args = ['dev', '--port', port, '--ip', '127.0.0.1', '--inspector-port', await freePort(), '--env-file', 'secrets.env', ...named];
  const child = spawn(...wrangler(...args, '--show-interactive-dev-session=false'), { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  let isOver = false;
  const ended = new Promise((done) => child.once('close', done)).then(() => (isOver = true));
  stop = async () => {
    child.kill();
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health`).then(({ ok }) => ok, () => false))) {
    if (isOver) throw new Error(`wrangler ended:\n${output}`);
    await wait(100);
  }
  const tick = async () => (await fetch(`${url}/cdn-cgi/handler/scheduled?cron=*/5+*+*+*+*`)).text();
  return { url, tick, output: () => output };
}

/** A cron trigger makes gifts of the staged gifts that are due, as the route does. */
test('cron trigger of the worker', { timeout: 120_000 }, async (t) => {
  const { url: twenty, token, all } = await startWorkspace(t);
  const secrets = { TWENTY_API_KEY: token, STRIPE_WEBHOOK_SECRET: 'whsec_1', FUNDRAISING_METRICS_TOKEN: 'metrics' };
  const { url, tick, output } = await dev(t, secrets, { TWENTY_API_URL: twenty, FUNDRAISING_REQUESTS_PER_MINUTE: 'off', FUNDRAISING_CACHE_SECONDS: '0' });
  assert.deepEqual((await call(url, 'GET', '/ready', { token: null })).body, { status: 'ready', missing: [] });
  const body = { amount: { amountMicros: 25_000_000, currencyCode: 'GBP' }, giftDate: '2026-02-20', donorFirstName: 'Bo', donorLastName: 'Diaz' };
  const staged = await call(url, 'POST', '/api/fundraising/gift-staging', { body, token });
  assert.ok(staged.status < 300, JSON.stringify(staged.body));
  assert.equal(await tick(), 'ok');
  assert.deepEqual(await all('gifts'), []);
  const [{ id }] = await all('giftStagings');
  const released = await call(url, 'PATCH', `/api/fundraising/gift-staging/${id}/status`, { body: { processingStatus: 'ready_for_process' }, token });
  assert.equal(released.status, 200, JSON.stringify(released.body));
  assert.equal(await tick(), 'ok', output());
  assert.deepEqual((await all('gifts')).map(({ amount }) => amount), [{ amountMicros: 25_000_000, currencyCode: 'GBP' }]);
  assert.deepEqual((await all('giftStagings')).map(({ processingStatus }) => processingStatus), ['processed']);
});

/** What keeps the trigger from its work is shown as the failure of the run. */
test('cron trigger that is refused', { timeout: 120_000 }, async (t) => {
  const { url: twenty } = await startWorkspace(t);
  const secrets = { TWENTY_API_KEY: 'revoked', STRIPE_WEBHOOK_SECRET: 'whsec_1', FUNDRAISING_METRICS_TOKEN: 'metrics' };
  const { tick, output } = await dev(t, secrets, { TWENTY_API_URL: twenty });
  assert.equal(await tick(), 'exception');
  const reason = /staged gifts were not processed: 401/;
  // wrangler prints what the worker logs a moment later.
  for (let tries = 0; tries < 100 && !reason.test(output()); tries += 1) await wait(50);
  assert.match(output(), reason);
});
