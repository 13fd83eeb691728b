// workerd as a test needs it: one worker with its modules named one by one, on a free port.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Starts workerd and gives the worker's URL.
 *
 * @param modules name → `[kind, path]`, the main module first; kinds are those of workerd: `esModule`, `wasm`
 * @param environment the worker's `env`, all text
 */
export async function startWorkerd(t, program, folder, modules, environment) {
  const quoted = (text) => JSON.stringify(text);
  const listed = Object.entries(modules).map(
    ([name, [kind, path]]) => `(name = ${quoted(name)}, ${kind} = embed ${quoted(path)})`,
  );
  const bindings = Object.entries(environment).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`);
  const config = join(folder, 'workerd.capnp');
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${listed.join(', ')}],
      bindings = [${bindings.join(', ')}],
      compatibilityDate = "2026-11-01",
    )),
    (name = "internet", network = (allow = ["private", "local", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  // workerd tells the port it took on the file descriptor of its choice.
  const child = spawn(program, ['serve', config, '--control-fd=3'], { stdio: ['ignore', 'inherit', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));
  const ended = new Promise((done) => child.once('close', done));
  t.after(async () => {
    child.kill();
    await ended;
  });
  const port = await Promise.race([
    portFrom(child.stdio[3]),
    ended.then((code) => Promise.reject(new Error(`workerd ended with ${code}:\n${complaints}`))),
  ]);
  return `http://127.0.0.1:${port}/`;
}

async function portFrom(control) {
  let all = '';
  for await (const chunk of control.setEncoding('utf8')) {
    all += chunk;
    for (const line of all.split('\n').slice(0, -1)) {
      const message = JSON.parse(line);
      if (message.event === 'listen') return message.port;
    }
  }
  throw new Error('workerd closed its control channel before it listened');
}
