// The recordings of a real Twenty against the sandbox: all in one sequence on one instance, and each alone on a fresh one.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openSandbox } from '../support/sandbox.mjs';
import { haveRecordings, recordings, replay } from './replayer.mjs';

const exceptions = JSON.parse(readFileSync(new URL('exceptions.json', import.meta.url), 'utf8')).steps;

function check(result) {
  const unexpected = result.failed.filter(({ step }) => !(step in exceptions));
  assert.deepEqual(unexpected.map(({ line }) => line), [], result.output);
  assert.ok(result.passed > 0, 'nothing was replayed');
  assert.equal(result.failedCount, result.failed.length);
}

if (!haveRecordings) {
  console.log(`\n*** ${recordings} is not there: THE RECORDINGS WERE NOT REPLAYED ***\n`);
} else {
  const scenarios = readdirSync(recordings)
    .flatMap((name) => /^(\d\d[a-z]?-.*)\.jsonl$/.exec(name)?.[1] ?? [])
    .filter((name) => name !== '13-throttle'); // by the clock: see throttle.mjs

  // All recordings, one after the other, on one instance.
  test('all recordings on one instance', async () => {
    const server = await openSandbox('--limits', 'off');
    const result = await replay(server, '--fast');
    assert.equal(await server.stop(), 0);
    check(result);
    const most = Math.floor((result.passed + result.failedCount) * 0.02);
    assert.ok(Object.keys(exceptions).length <= most, `more than ${most} exceptions`);
  });

  for (const scenario of scenarios) {
    test(`${scenario} alone, on a fresh instance`, async () => {
      const server = await openSandbox('--limits', 'off');
      const result = await replay(server, '--fast', scenario);
      await server.stop();
      check(result);
    });
  }

  test('a wrong answer is found', async () => {
    const server = await openSandbox('--limits', 'off');
    const result = await replay({ ...server, guestToken: server.token }, '--fast', '--only', '10.008');
    await server.stop();
    assert.ok(result.failedCount > 0, 'a guest that may write must fail the step');
  });
}
