import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { DEFAULTS, scheduleFault, spreadSeconds } from '../../serverlessFunctions/schedules.mjs';
import { APP, build, copyOfApp, manifestOf } from '../support/app.mjs';

before(() => build());

const crons = (app) =>
  Object.fromEntries(
    manifestOf(join(app, '.twenty', 'output')).logicFunctions
      .filter(({ cronTriggerSettings }) => cronTriggerSettings)
      .map(({ name, cronTriggerSettings }) => [name, cronTriggerSettings.pattern]),
  );

// Each option sets the cron of its function, or takes it away.
test('cron of each function by its option', async () => {
  const copy = copyOfApp('app-with-schedules', 'model', 'fields');
  await build(copy, '--nightly', 'off', '--sweep', '*/5 * * * *', '--rebuild', '* * * * *');
  assert.deepEqual(crons(copy), { sweep: '*/5 * * * *', 'rebuild-later': '* * * * *' });
  await build(copy);
  assert.deepEqual(crons(copy), { 'calculate-rollups': DEFAULTS.nightly, sweep: DEFAULTS.sweep });
});

// A pattern that no cron understands ends the build, with the option’s name.
test('invalid pattern ends the build', async () => {
  await assert.rejects(build(APP, '--sweep', 'every day'), /option --sweep: found `every day`, expected `off` or minute, hour/);
});

// A total among the fields of a person that start a run ends the build.
test('total among trigger fields ends the build', async () => {
  const copy = copyOfApp('app-with-a-loop', 'model');
  const objects = join(copy, 'objects.ts');
  const source = readFileSync(objects, 'utf8');
  for (const [fields, message] of [["['householdId', 'lifetimeGiftCount']", /names the total `lifetimeGiftCount`/], ['[]', /`PERSON_FIELDS` in objects.ts is empty/]]) {
    writeFileSync(objects, source.replace("['household', 'householdId']", fields));
    await assert.rejects(build(copy), message);
  }
});

test('patterns are told from what is none', () => {
  for (const pattern of ['off', '* * * * *', '*/15 * * * *', '0 2 * * *', '5-9/2,30 0,12 1-15 1,7 0-6']) {
    assert.equal(scheduleFault(pattern), undefined, pattern);
  }
  for (const pattern of ['', 'on', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '*/0 * * * *', '9-5 * * * *', "*' * * * *", '1,,2 * * * *']) {
    assert.match(scheduleFault(pattern), /expected `off` or minute/, pattern);
  }
});

// Workspaces are spread from one tick to the next, and over an hour at most.
test('spread of the workspaces', () => {
  for (const [pattern, minutes] of [['* * * * *', 1], ['*/15 * * * *', 15], ['0 2 * * *', 60], ['0 * * * *', 60], ['* 2 * * *', 60]]) {
    assert.equal(spreadSeconds(pattern), minutes * 60, pattern);
  }
});
