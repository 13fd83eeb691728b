// The command as people start it: a process of its own, the built engine, a sandbox.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { serve } from '../support/http-server.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { folderFor } from '../support/cli.mjs';

const COMMAND = fileURLToPath(new URL('../../pkg/bin/rollups.mjs', import.meta.url));
const DONORS = 60;

const definition = (aggregations, more) => ({ parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations, ...more });
const SUM = { type: 'SUM', childField: 'amount.amountMicros', currencyField: 'amount.currencyCode', parentField: 'lifetimeGiftAmount' };
const COUNT = { type: 'COUNT', parentField: 'lifetimeGiftCount' };
const ROLLUPS = { definitions: [definition([SUM, COUNT])] };

let server;

before(async () => {
  const folder = folderFor({ after });
  const rows = Array.from({ length: 3 * DONORS }, (_, index) => `${index % DONORS},2026-01-${10 + (index % 20)},${index + 1}.50,GBP`);
  writeFileSync(join(folder, 'gifts.csv'), `donor,gift_date,amount,currency\n${rows.join('\n')}\n`);
  server = await startSandbox(['--port', '0', '--limits', 'off', '--gifts', join(folder, 'gifts.csv')]);
});

after(() => server?.stop());

/** A folder with the definitions, in which commands can be run. */
function workplace(t, rollups = ROLLUPS) {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'rollups.json'), JSON.stringify(rollups));
  return folder;
}

function start(folder, line, env = {}) {
  const child = spawn(process.execPath, [COMMAND, ...line.split(' ')], {
    cwd: folder,
    env: { PATH: process.env.PATH, TWENTY_API_URL: server.ready.url, TWENTY_API_KEY: server.ready.token, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk) => (texts.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (texts.err += chunk));
  const ended = new Promise((resolve) => child.once('close', (exit) => resolve({ exit, ...texts })));
  return { child, ended };
}

const command = (folder, line, env) => start(folder, line, env).ended;

const call = async (method, path, body) => {
  const response = await fetch(`${server.ready.url}/rest/${path}`, {
    method,
    headers: { authorization: `Bearer ${server.ready.token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return (await response.json()).data;
};

// From wrong totals to right ones: validate, plan, drift, dry run, rebuild, drift, explain.
test('all commands on wrong totals', async (t) => {
  const folder = workplace(t);
  const validated = await command(folder, 'validate');
  assert.deepEqual(validated, {
    exit: 0,
    out: `rollups.json: 1 definition, sound\n${server.ready.url} has everything that they name.\n`,
    err: '',
  });

  const planned = await command(folder, 'plan --json');
  assert.equal(planned.exit, 0);
  assert.deepEqual(JSON.parse(planned.out).report.plan.counts, { gift: 3 * DONORS, person: DONORS });

  const before = await command(folder, 'drift');
  assert.equal(before.exit, 1);
  assert.match(before.out, new RegExp(`^${2 * DONORS} values of ${DONORS} parents are wrong, of ${DONORS} parents compared`));

  const dry = await command(folder, 'rebuild --dry-run --csv changes.csv');
  assert.equal(dry.exit, 0);
  const lines = readFileSync(join(folder, 'changes.csv'), 'utf8').trim().split('\r\n');
  assert.equal(lines.length, 1 + 2 * DONORS);
  assert.ok(lines.some((line) => /^person,[0-9a-f-]{36},lifetimeGiftAmount,,,184\.50,GBP$/.test(line)), lines[1]);

  // What was promised is done, and nothing was done before.
  const rebuilt = JSON.parse((await command(folder, 'rebuild --json')).out);
  assert.deepEqual([rebuilt.exitCode, rebuilt.report.totals.updated, rebuilt.report.drift.values], [0, DONORS, 2 * DONORS]);

  const since = await command(folder, 'drift');
  assert.deepEqual([since.exit, since.err], [0, '']);

  const [gift] = (await call('GET', 'gifts?limit=1')).gifts;
  await call('DELETE', `gifts/${gift.id}?soft_delete=true`);
  const explained = await command(folder, `explain ${gift.donorId}`);
  assert.equal(explained.exit, 1);
  assert.match(explained.out, new RegExp(`2 of 3 records counted\n(.*\n)*? {2}gift ${gift.id}\n {4}not counted: it is deleted`));
  assert.match(explained.out, /lifetimeGiftCount +3 +2 +wrong/);
  assert.equal((await command(folder, 'rebuild')).exit, 0);
  assert.equal((await command(folder, `explain ${gift.donorId}`)).exit, 0);
});

// From nothing: definitions of what the workspace has, then wrong totals put right by parts.
test('init, then parts of a rebuild', async (t) => {
  const folder = folderFor(t);
  const started = await command(folder, 'init');
  assert.deepEqual([started.exit, started.err], [0, '']);
  const { definitions } = JSON.parse(readFileSync(join(folder, 'rollups.json'), 'utf8'));
  assert.deepEqual(definitions.map(({ parentObject }) => parentObject), ['person', 'company', 'appeal']);
  assert.equal((await command(folder, 'validate')).exit, 0);

  const [donor, other] = (await call('GET', 'people?limit=2')).people;
  for (const { id } of [donor, other]) await call('PATCH', `people/${id}`, { lifetimeGiftCount: 77 });
  const drift = async (line) => {
    const { exit, out } = await command(folder, `drift --json ${line}`.trim());
    const { report } = JSON.parse(out);
    return [exit, report.totals.processed, report.drift.fields['person.lifetimeGiftCount'] ?? 0];
  };
  assert.deepEqual(await drift(`--ids ${donor.id}`), [1, 1, 1]);
  assert.deepEqual(await drift('--only appeal'), [0, 0, 0]);
  const one = JSON.parse((await command(folder, `rebuild --json --only person --ids ${donor.id}`)).out);
  assert.deepEqual([one.exitCode, one.report.totals.updated], [0, 1]);
  assert.deepEqual(await drift(`--ids ${donor.id}`), [0, 1, 0]);
  assert.deepEqual(await drift(`--ids ${other.id}`), [1, 1, 1]);
  const absent = await command(folder, `drift --ids ${other.id} --object appeal`);
  assert.equal(absent.exit, 1);
  assert.match(absent.out, /there is no appeal .*, or it is deleted/);
  assert.equal((await command(folder, 'rebuild --only person')).exit, 0);
  assert.equal((await drift(''))[0], 0);
});

// A script is not asked: it is told that the built-in definitions count.
test('built-in definitions from a script', async (t) => {
  const folder = folderFor(t);
  const named = await command(folder, 'rebuild');
  assert.equal(named.exit, 0);
  assert.match(named.err.replaceAll('\n', ' '), /the built-in definitions count/);
  const printed = await command(folder, 'definitions');
  writeFileSync(join(folder, 'mine.json'), printed.out);
  assert.equal((await command(folder, 'validate --config mine.json --offline')).exit, 0);
  const silent = await command(folder, 'rebuild --yes');
  assert.deepEqual([silent.exit, silent.err], [0, '']);
});

// What a workspace does not have is found, and named as it is called there.
test('missing fields are named', async (t) => {
  const folder = workplace(t, [
    definition([{ ...COUNT, parentField: 'lifetimeGiftCuont' }, SUM]),
    definition([{ ...COUNT, parentField: 'yearToDateGiftCount' }], { relationField: 'donorID' }),
    definition([{ ...COUNT, parentField: 'lifetimeGiftCount' }], { childObject: 'gifts' }),
    definition([{ ...COUNT, parentField: 'jobTitle' }]),
  ]);
  const { exit, out } = await command(folder, 'validate');
  assert.equal(exit, 1);
  for (const reason of [
    'definition 0 (person ← gift.donorId), aggregation 0 (lifetimeGiftCuont): `person` has no field `lifetimeGiftCuont`, did you mean `lifetimeGiftCount`?',
    'definition 1 (person ← gift.donorID): `gift` has no field `donorID`, did you mean `donorId`?',
    'definition 2 (person ← gifts.donorId): there is no object `gifts` here, did you mean `gift`?',
    'definition 3 (person ← gift.donorId), aggregation 0 (jobTitle): `person.jobTitle` is a TEXT, expected a NUMBER for this total',
  ]) {
    assert.ok(out.includes(reason), out);
  }
});

// A rebuild by batches goes on by itself, or from where an earlier one ended.
test('rebuild by batches and by checkpoint', async (t) => {
  const folder = workplace(t, { ...ROLLUPS, rebuild: { parentsPerRun: 25 } });
  const whole = JSON.parse((await command(folder, 'rebuild --json')).out);
  assert.ok(whole.runs > 1);
  assert.deepEqual([whole.exitCode, whole.report.totals.processed, whole.checkpointFile], [0, DONORS, null]);

  const first = await command(folder, 'rebuild --once');
  assert.equal(first.exit, 1);
  assert.match(first.out, /Go on with: twenty-rollups rebuild --resume rollups-checkpoint\.json/);
  const rest = JSON.parse((await command(folder, 'rebuild --resume rollups-checkpoint.json --json')).out);
  assert.equal(rest.exitCode, 0);
  assert.ok(rest.report.totals.processed < DONORS);
  assert.ok(!existsSync(join(folder, 'rollups-checkpoint.json')));
});

// A refused token and a server that is not there are the exit code 3.
test('refused token and missing server', async (t) => {
  const folder = workplace(t);
  const { revokedToken } = server.ready;
  const refused = await command(folder, 'rebuild', { TWENTY_API_KEY: revokedToken });
  assert.equal(refused.exit, 3);
  assert.match(refused.err, /does not accept the token: This API Key is revoked/);
  assert.ok(!refused.err.includes(revokedToken));
  const away = await command(folder, 'rebuild', { TWENTY_API_URL: 'http://127.0.0.1:9' });
  assert.equal(away.exit, 3);
  assert.match(away.err, /cannot reach http:\/\/127\.0\.0\.1:9/);
});

// Ctrl-C ends the process, with what was written left right.
test('Ctrl-C during a rebuild', async (t) => {
  const folder = workplace(t);
  // A server in between that keeps its answer back to the first call for records.
  let reached;
  const underWay = new Promise((resolve) => (reached = resolve));
  const url = await serve(t, async (request, response) => {
    const answer = await fetch(server.ready.url + request.url, { headers: { authorization: request.headers.authorization } });
    if (!request.url.includes('/metadata/')) {
      reached(response);
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.arrayBuffer()));
  });
  const { child, ended } = start(folder, 'rebuild', { TWENTY_API_URL: url });
  await underWay;
  child.kill('SIGINT');
  child.stderr.once('data', () => child.kill('SIGINT'));
  const { exit, err } = await ended;
  assert.equal(exit, 130);
  assert.match(err, /Stopping: \d+ requests? under way may end/);
  assert.match(err, /What was written is right/);
});

test('closed pipe', async (t) => {
  const { child, ended } = start(workplace(t), 'explain --help');
  child.stdout.destroy();
  assert.deepEqual([(await ended).exit, (await ended).err], [0, '']);
});
