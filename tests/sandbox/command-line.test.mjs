// The sandbox's command line, and the npm script around it: help, and arguments that cannot be right.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../support/project.mjs';
import { sandboxBinary } from '../support/sandbox.mjs';

const SCRIPT = join(ROOT, 'tests/runtime/sandbox.mjs');

const sandbox = (...args) => spawnSync(sandboxBinary(), args, { encoding: 'utf8' });
const script = (...args) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });

test('help of the sandbox and of the script', () => {
  for (const { status, stdout } of [sandbox('--help'), script('--help'), script('--port', '0', '-h'), script('--app', '--help')]) {
    assert.equal(status, 0);
    for (const part of ['--port', '--profile', '--limits', '--fixture', '--gifts', '/__faults', 'Exit codes:']) assert.ok(stdout.includes(part), part);
  }
  for (const line of script('--help').stdout.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(script('--help').stdout, /--app/);
  assert.match(sandbox('--version').stdout, /^sandbox \d+\.\d+\.\d+\n$/);
  assert.equal(script('--version').stdout, sandbox('--version').stdout);
});

/** Each is named with what was expected, and nothing is served. */
test('arguments that cannot be right', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-arguments-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  for (const [args, expected, code = 2] of [
    [['--port', 'abc'], /'abc' for '--port <N>': expected a whole number from 0 to 65535/],
    [['--port', '70000'], /expected a whole number from 0 to 65535/],
    [['--limits', '5'], /expected `default`, `off` or `N\/MS`/],
    [['--profile', 'v3'], /possible values: v1, v2/],
    [['--prot', '3'], /a similar argument exists: '--port'/],
    [['extra'], /unexpected argument 'extra'/],
    [['--fixture', join(folder, 'none.json')], /--fixture `.*none\.json`: No such file/, 1],
    [['--fixture', file('cut.json', '{\n  "schema": [,')], /cut\.json`: fixture: .* at line 2 column 14/, 1],
    [['--gifts', file('other.csv', 'name,amount\nAda,5\n')], /other\.csv`: gifts, line 1: expected the names of the columns donor,gift_date,amount,currency, and donor,gift_date,currency is not there/, 1],
    [['--gifts', folder], /gifts, line 1: .*directory/, 1],
  ]) {
    const { status, stdout, stderr } = sandbox(...args);
    assert.deepEqual([status, stdout], [code, ''], args.join(' '));
    assert.match(stderr, expected);
  }
  const { status, stderr } = script('--prot', '3');
  assert.equal(status, 2);
  assert.doesNotMatch(stderr, /before it was ready/);
});

test('port that is taken', async (t) => {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const { status, stderr } = sandbox('--port', String(server.address().port));
  assert.equal(status, 1);
  assert.match(stderr, /another program listens there; take another port, or 0/);
});
