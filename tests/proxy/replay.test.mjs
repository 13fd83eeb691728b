// The recorded cases, on Node and on workerd: nothing may fail, the cases of known defects and the deliberate ones apart.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT, prepare } from '../support/project.mjs';
import { RUNTIMES, UNLIMITED } from '../support/proxy.mjs';

const replayer = join(ROOT, '..', 'shared', 'proxy-contract', 'replay');
/** A path's id that is no UUID never reaches Twenty: see docs/PROXY.md. */
const DELIBERATE = ['gift.get.id-encoded'];

const PORTS = { node: [4500, 4600], workerd: [4501, 4601] };

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

async function replay(runtime) {
  prepare();
  const [port, upstream] = PORTS[runtime];
  // The replayer drops the settings that it finds in its own environment.
  const settings = Object.entries(UNLIMITED).map(([name, value]) => `${name}=${value}`);
  const command = ['env', ...settings, ...RUNTIMES[runtime](String(port))].map(quoted).join(' ');
  const args = ['--spawn', command, '--base', `http://127.0.0.1:${port}`, '--upstream-port', String(upstream)];
  const child = spawn(process.execPath, [replayer, ...args, '--allow-extra-reads', '--loose-errors'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) output += chunk;
  const [, passed] = /(\d+) passed, \d+ failed/.exec(output) ?? assert.fail(output);
  const failed = new Set([...output.matchAll(/^FAIL [^/]+\/([^:\n]+)/gm)].map(([, name]) => name));
  return { passed: Number(passed), failed: [...failed], output };
}

if (!existsSync(replayer)) {
  console.log(`\n*** ${replayer} is not there: THE RECORDED CASES OF THE PROXY WERE NOT REPLAYED ***\n`);
} else {
  for (const runtime of Object.keys(PORTS)) {
    // Every recorded case is answered as recorded.
    test(`${runtime}: recorded cases`, async () => {
      const { passed, failed, output } = await replay(runtime);
      assert.deepEqual(failed, DELIBERATE, output);
      assert.ok(passed > 200, output);
    });
  }
}
