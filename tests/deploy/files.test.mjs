// The files of pkg/fundraising/deploy, as far as they can be tried without Docker, Prometheus and Grafana.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { PACKAGE, ROOT, bin, importPackage, prepare } from '../support/project.mjs';
import { UNLIMITED, call, startProxy } from '../support/proxy.mjs';
import { startWorkspace } from '../support/proxy-workspace.mjs';

before(prepare);

const DEPLOY = join(PACKAGE, 'fundraising/deploy');
const read = (name) => readFileSync(join(DEPLOY, name), 'utf8');
const json = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const yaml = async (name) => (await importPackage('js-yaml')).load(read(name));

function temporary(t) {
  const folder = mkdtempSync(join(tmpdir(), 'twenty-fundraising-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Whether a program of the system is there; a test that needs it says so where it is not. */
const isThere = (program) => !spawnSync(program, ['--version']).error;

test('Dockerfile by a linter, and what it copies and runs', async () => {
  const { validate } = (await importPackage('dockerfile-utils')).default;
  const text = read('Dockerfile');
  assert.deepEqual(validate(text), []);
  assert.notDeepEqual(validate(text.replace('WORKDIR /app', 'WORKDIR')), []);
  const { version, bin: commands } = json('pkg/package.json');
  assert.ok(text.includes(`/package/twenty-rollups-${version}.tgz`));
  assert.ok(text.includes(`node_modules/twenty-rollups/${commands['twenty-fundraising']}`));
  const { node } = json('package.json').devDependencies;
  for (const [, image] of text.matchAll(/^FROM node:(\S+)-bookworm-slim/gm)) assert.equal(image, node);
  assert.match(text, /^USER \d+$/m);
});

/** The build lays no file aside that it needs: what is ignored is made by it, or for tests. */
test('files that the image is not built from', () => {
  const tracked = spawnSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n');
  const ignored = read('Dockerfile.dockerignore').split('\n').filter((line) => line && !line.startsWith('#'));
  const matchers = ignored.map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replace('**/', '(.*/)?')}(/|$)`));
  const left = tracked.filter((file) => matchers.some((matcher) => matcher.test(file)));
  assert.deepEqual(left.filter((file) => !file.startsWith('tests/')), []);
});

test('compose file by a linter', async () => {
  const { status, stdout } = spawnSync(process.execPath, [bin('dclint'), join(DEPLOY, 'compose.yaml'), '--formatter', 'json'], { encoding: 'utf8' });
  const [{ messages }] = JSON.parse(stdout);
  // It is laid over Twenty's own file, which names the project.
  assert.deepEqual([status, messages.map(({ rule }) => rule)], [0, ['require-project-name-field']], stdout);
  const { fundraising } = (await yaml('compose.yaml')).services;
  assert.ok(read('Dockerfile').includes(`--tag ${fundraising.image} `));
  assert.ok(existsSync(join(DEPLOY, `${fundraising.env_file[0]}.example`)));
});

/** The settings of the example are settings, and the commands of all files are commands. */
test('settings and commands of the files', async () => {
  const { settingNames, settingErrors } = await import('../../pkg/fundraising/node.js');
  const lines = read('fundraising.env.example').split('\n').filter((line) => line && !line.startsWith('#'));
  const settings = Object.fromEntries(lines.map((line) => line.split(/=(.*)/)));
  assert.deepEqual(Object.keys(settings).filter((name) => !settingNames().includes(name)), []);
  assert.equal(settingErrors(settings), '');
  const [, unit] = /^ExecStart=\S+ \S+ (.*)$/m.exec(read('twenty-fundraising.service'));
  const { fundraising } = (await yaml('compose.yaml')).services;
  const image = JSON.parse(/^CMD (.*)$/m.exec(read('Dockerfile'))[1]);
  for (const command of [unit.split(' '), fundraising.command, image]) {
    // Without an address each ends with that, and not with an option that it does not know.
    const { stderr } = spawnSync(process.execPath, [join(PACKAGE, 'bin/fundraising.mjs'), ...command], { env: { PATH: process.env.PATH }, encoding: 'utf8' });
    assert.match(stderr, /address of the Twenty server is missing/, command.join(' '));
  }
});

test('systemd unit', { skip: !isThere('systemd-analyze') && 'systemd-analyze is not there' }, (t) => {
  const unit = join(temporary(t), 'twenty-fundraising.service');
  const verify = (text) => {
    // The program and the settings are elsewhere on this machine.
    writeFileSync(unit, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
    return spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8', env: { ...process.env, SYSTEMD_LOG_LEVEL: 'warning' } });
  };
  const { status, stderr } = verify(read('twenty-fundraising.service'));
  assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('twenty-fundraising'))], [0, []]);
  assert.match(verify(read('twenty-fundraising.service').replace('DynamicUser=', 'DynamicUsers=')).stderr, /Unknown key/);
});

/** The names of metrics that a query asks for, and whether it can be read. */
async function readQuery(query) {
  const { parser } = await importPackage('@prometheus-io/lezer-promql');
  const names = [];
  let isSound = true;
  parser.parse(query).iterate({
    enter: ({ type, from, to }) => {
      isSound &&= !type.isError;
      if (type.name === 'Identifier' && /^[a-z]/.test(query.slice(from, to))) names.push(query.slice(from, to));
    },
  });
  return { isSound, names: names.filter((name) => /^(fundraising|up)(_|$)/.test(name)) };
}

const queriesOfAlerts = async () => (await yaml('prometheus-alerts.yaml')).groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr]));
const queriesOfDashboard = () =>
  JSON.parse(read('grafana-dashboard.json')).panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'fundraising')]),
  );

/** Every query can be read and asks for metrics, labels and routes that the proxy tells. */
test('queries of the alerts and of the dashboard', async (t) => {
  const { env } = await startWorkspace(t);
  const settings = { ...UNLIMITED, ...env, FUNDRAISING_ENABLE_GIFT_STAGING: 'on', STRIPE_WEBHOOK_SECRET: 'whsec_1' };
  const { url } = await startProxy(t, 'node', settings);
  const token = env.TWENTY_API_KEY;
  const body = { amount: { amountMicros: 5_000_000, currencyCode: 'GBP' }, giftDate: '2026-02-20', donorFirstName: 'Bo', donorLastName: 'Diaz' };
  await call(url, 'POST', '/api/fundraising/gift-staging', { body, token });
  await call(url, 'POST', '/api/fundraising/gift-staging/process', { token });
  await call(url, 'POST', '/api/fundraising/webhooks/stripe', { body: {}, token: null });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const told = new Set([...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const routes = [...metrics.matchAll(/endpoint="([^"]+)"/g)].map(([, route]) => route);

  const queries = [...(await queriesOfAlerts()), ...queriesOfDashboard()];
  assert.ok(queries.length > 20);
  for (const [name, query] of queries) {
    const { isSound, names } = await readQuery(query);
    assert.ok(isSound, `${name}: ${query}`);
    assert.deepEqual(names.filter((metric) => metric !== 'up' && !told.has(metric)), [], name);
    for (const [, route] of query.matchAll(/endpoint=~?"([^"]+)"/g)) {
      assert.ok(routes.some((known) => new RegExp(`^(?:${route})$`).test(known)), `${name}: no route ${route} in ${routes}`);
    }
  }
  assert.ok(metrics.includes('fundraising_staging_rows_last_seen{state='), metrics);
  assert.equal((await readQuery('sum(rate(fundraising_requests_total[5m])')).isSound, false);
});

/** promtool is in Debian's package prometheus. */
test('alerts by promtool', { skip: !isThere('promtool') && 'promtool is not there' }, (t) => {
  const folder = temporary(t);
  cpSync(join(DEPLOY, 'prometheus-alerts.yaml'), join(folder, 'prometheus-alerts.yaml'));
  cpSync(join(ROOT, 'tests/deploy/alerts.test.yaml'), join(folder, 'alerts.test.yaml'));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yaml'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});

test('every alert is tried', async () => {
  const tried = readFileSync(join(ROOT, 'tests/deploy/alerts.test.yaml'), 'utf8');
  for (const [alert] of await queriesOfAlerts()) assert.ok(tried.includes(alert), alert);
});

/** Panels have ids of their own and stand beside one another. */
test('panels of the dashboard', () => {
  const { panels, schemaVersion, templating } = JSON.parse(read('grafana-dashboard.json'));
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  assert.ok(schemaVersion >= 39 && templating.list.length === 1);
  const taken = new Set();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x + w <= 24, title);
    for (let column = x; column < x + w; column += 1) {
      for (let row = y; row < y + h; row += 1) {
        assert.ok(!taken.has(`${column},${row}`), `${title} lies over another`);
        taken.add(`${column},${row}`);
      }
    }
  }
});
