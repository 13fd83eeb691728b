// Starts the built sandbox, and stops it again.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export const binary = process.env.SANDBOX_BIN ?? path.join(root, 'target/release/sandbox');

/**
 * Starts a sandbox on a free port. Resolves to what it printed ({ url, token, … }) and to `stop`, which resolves to
 * its exit code.
 */
export async function start(...args) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build --release -p sandbox\``);
  const child = spawn(binary, ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise((resolve) => lines.once('line', resolve)),
    exited.then((code) => { throw new Error(`the sandbox ended with ${code} before it was ready`); }),
  ]);
  return {
    ...JSON.parse(first),
    stop: () => { child.kill('SIGTERM'); return exited; },
  };
}
