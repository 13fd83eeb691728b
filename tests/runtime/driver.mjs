/**
 * Runs one function once, the way Twenty's LOCAL driver does: a new process of a given Node, a folder of its own with
 * nothing in it but the bundle, the injected environment and nothing of ours, payload and result as JSON over IPC, and
 * SIGKILL when the time is up. Retries, queues and triggers are not its business.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNNER = fileURLToPath(new URL('./runner.cjs', import.meta.url));

/** Splits a stream of text into whole lines, each handed on with its level. */
const lines = (stream, level, log) => {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    for (const line of parts) log({ level, line });
  });
  stream.on('end', () => rest && log({ level, line: rest }));
};

/**
 * @param {object} run
 * @param {string} run.node the Node binary
 * @param {string} run.bundle path of the built `.mjs`
 * @param {string} [run.handlerName] as the manifest has it
 * @param {unknown} run.payload
 * @param {unknown} [run.context] the handler's second argument; older servers pass none
 * @param {Record<string, string>} run.env the whole environment of the run
 * @param {number} run.timeoutMs
 * @param {AbortSignal} [run.signal] kills the run when the platform goes down
 * @param {(entry: {level: string, line: string}) => void} [run.onLine] is told each line as it is printed
 * @returns {Promise<{result?: unknown, error?: {name: string, message: string}, logs: {level: string, line: string}[], tookMs: number}>}
 */
export const runFunction = ({ node, bundle, handlerName = 'default.config.handler', payload, context, env, timeoutMs, signal, onLine }) => {
  const folder = mkdtempSync(join(tmpdir(), 'function-'));
  const runner = join(folder, '__runner.cjs');
  copyFileSync(RUNNER, runner);
  copyFileSync(bundle, join(folder, basename(bundle)));

  return new Promise((resolve) => {
    const started = performance.now();
    const logs = [];
    let answer;
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'];
    const child = spawn(node, [runner], { cwd: folder, env, stdio, signal, killSignal: 'SIGKILL' });
    const keep = (entry) => {
      logs.push(entry);
      onLine?.(entry);
    };
    lines(child.stdout, 'INFO', keep);
    lines(child.stderr, 'ERROR', keep);
    const clock = setTimeout(() => {
      answer ??= { error: { name: 'Error', message: `Timed out after ${timeoutMs}ms` } };
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('message', (message) => (answer ??= message));
    child.on('error', (error) => (answer ??= { error: { name: error.name, message: error.message } }));
    child.on('close', (code, signal) => {
      clearTimeout(clock);
      rmSync(folder, { recursive: true, force: true });
      answer ??= { error: { name: 'Error', message: `the function's process ended early (${signal ?? `exit code ${code}`})` } };
      resolve({ ...answer, logs, tookMs: Math.round(performance.now() - started) });
    });
    child.send({ type: 'run', bundle: basename(bundle), handlerName, payload, context }, (error) => {
      if (error) answer ??= { error: { name: error.name, message: error.message } };
    });
  });
};
