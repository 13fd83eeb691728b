import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { folder } from '../support/small-app.mjs';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the script; `line` is what it prints when ready, `end` how it ended. */
const start = (t, args, env = {}, command = [process.execPath, at('./sandbox.mjs')]) => {
  const child = spawn(command[0], [...command.slice(1), ...args], {
    cwd: at('../..'),
    env: { ...process.env, SANDBOX_BIN: at('../support/fake-sandbox.mjs'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (chunk) => (texts[name] += chunk));
  const end = new Promise((resolve) => child.once('close', (code) => resolve({ code, ...texts })));
  // Told to stop, it takes the sandbox with it.
  t.after(() => child.kill('SIGTERM') && end);
  const line = new Promise((resolve, reject) => {
    child.stdout.on('data', () => texts.stdout.endsWith('\n') && resolve(JSON.parse(texts.stdout)));
    end.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { child, line, end };
};

const answers = (url) => fetch(`${url}/rest/gifts`).then(({ ok }) => ok, () => false);

// Without --app it is the sandbox itself, with all its options.
test('sandbox alone, with all its options', async (t) => {
  const { child, line, end } = start(t, ['--port', '0', '--limits', 'off']);
  const { url, args } = await line;
  assert.deepEqual(args, ['--port', '0', '--limits', 'off']);
  assert.equal(await answers(url), true);
  child.kill('SIGTERM');
  const { code, stdout } = await end;
  assert.equal(code, 0);
  assert.equal(stdout.trim().split('\n').length, 1);
  assert.equal(await answers(url), false);
});

// With --app the app stands in front of it, in the newer profile.
test('app in front of the sandbox', async (t) => {
  const { child, line, end } = start(t, ['--app', '--port', '0', '--gifts', 'g.csv']);
  const { url, token, args } = await line;
  assert.deepEqual(args, ['--port', '0', '--profile', 'v2', '--gifts', 'g.csv']);
  assert.equal(token, 'api-key');
  assert.equal(await answers(url), true);
  const route = await fetch(`${url}/s/recalculate-all`, { method: 'POST' });
  assert.deepEqual((await route.json()).messages, ['Missing authentication token']);
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
  assert.equal(await answers(url), false);
});

test('a profile that was asked for stays', async (t) => {
  const { line } = start(t, ['--app', '--profile', 'v1']);
  assert.deepEqual((await line).args, ['--port', '0', '--profile', 'v1']);
});

/** A project with the script `sandbox` of this one, but for the build before it, which may take minutes on a busy machine. */
const projectWithScript = (t) => {
  const { scripts } = JSON.parse(readFileSync(at('../../package.json'), 'utf8'));
  const [build, run] = scripts.sandbox.split(' && ');
  assert.match(build, /^cargo build /);
  const project = folder(t);
  const sandbox = run.replace('tests/runtime/sandbox.mjs', at('./sandbox.mjs'));
  assert.notEqual(sandbox, run);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, scripts: { sandbox } }));
  return project;
};

test('it ends with the npm that runs it', { timeout: 60_000 }, async (t) => {
  const command = ['npm', '--prefix', projectWithScript(t), 'run', '--silent', 'sandbox', '--'];
  const { child, line } = start(t, [], {}, command);
  const { url } = await line;
  child.kill('SIGTERM');
  while (await answers(url)) await new Promise((resolve) => setTimeout(resolve, 50));
});

// A missing sandbox is named, with the way to get it.
test('missing sandbox is named', async (t) => {
  const { line, end } = start(t, [], { SANDBOX_BIN: '/nowhere/sandbox' });
  await assert.rejects(line);
  const { code, stderr } = await end;
  assert.equal(code, 1);
  assert.match(stderr, /no sandbox at `\/nowhere\/sandbox`: build it with cargo build/);
});
