/** Starts the sandbox's server and waits for the line that says where it listens. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './project.mjs';

/** `SANDBOX_BIN`, else where cargo puts it. */
export const sandboxBinary = () =>
  process.env.SANDBOX_BIN || join(ROOT, 'target', 'release', process.platform === 'win32' ? 'sandbox.exe' : 'sandbox');

/**
 * @param {string[]} args of the sandbox's command line
 * @returns {Promise<{ ready: object, child: import('node:child_process').ChildProcess, stop: () => Promise<number> }>}
 */
export const startSandbox = (args = []) => {
  const binary = sandboxBinary();
  if (!existsSync(binary)) {
    throw new Error(`no sandbox at \`${binary}\`: build it with cargo build --release -p sandbox, or set SANDBOX_BIN`);
  }
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  /** Resolves to the exit code. */
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('close', (exitCode) => reject(Object.assign(new Error(`the sandbox ended with ${exitCode} before it was ready`), { exitCode })));
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      const whole = text.includes('\n');
      text += chunk;
      if (!whole && text.includes('\n')) resolve({ ready: JSON.parse(text.slice(0, text.indexOf('\n'))), child, stop });
    });
  });
};

/** The same on a free port, as one value: what it printed, and `stop`. */
export const openSandbox = async (...args) => {
  const { ready, stop } = await startSandbox(['--port', '0', ...args]);
  return { ...ready, stop };
};
