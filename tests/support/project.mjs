// The pinned runtimes of this folder, and a project that has the package installed from its tarball.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PACKAGE = join(ROOT, 'pkg');

const PROGRAMS = join(ROOT, 'tests/packaging/programs');

/** The path of a pinned tool of this folder. */
export const bin = (name) => join(HERE, 'node_modules', '.bin', name);

/** A pinned package of this folder, for a test of another. */
export const importPackage = (name) => import(name);

export const NODE_22 = join(HERE, 'node_modules/node-22/bin/node');
const NODE_24 = join(ROOT, 'node_modules/node/bin/node');

/** The runtimes that find a package by its name, with the entry file that each must choose. */
export const RUNTIMES = [
  { name: `node ${process.versions.node}`, command: [process.execPath], entry: 'rollups/node.js' },
  { name: 'node 22', command: [NODE_22], entry: 'rollups/node.js' },
  { name: 'node 24', command: [NODE_24], entry: 'rollups/node.js' },
  // The network is all that the package asks Deno for: no permission to read files or the environment.
  { name: 'deno', command: [bin('deno'), 'run', '--no-prompt', '--allow-net=127.0.0.1'], entry: 'rollups/deno.js' },
  { name: 'bun', command: [bin('bun'), 'run'], entry: 'rollups/bun.js' },
];

export const WORKERD = bin('workerd');
export const TSC = join(ROOT, 'node_modules/.bin/tsc');

/** Installs the pinned runtimes of this folder if they are missing, and sees that the package is built. */
export function prepare() {
  if (!existsSync(join(PACKAGE, 'rollups/generated/rollups.wasm'))) {
    throw new Error('the package is not built: run ./build.sh first');
  }
  const packages = ['stripe', 'wrangler', 'playwright-core', 'axe-core'].map((name) => join(HERE, 'node_modules', name));
  if ([WORKERD, NODE_22, ...packages].every(existsSync)) return;
  // The runtimes come by install scripts, which the project's `.npmrc` turns off, also for what `npm test` starts.
  const install = ['ci', '--no-audit', '--no-fund', '--ignore-scripts=false'];
  execFileSync('npm', install, { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Packs the package and installs the tarball into an empty project. */
export function installedProject(t) {
  prepare();
  const folder = mkdtempSync(join(tmpdir(), 'twenty-rollups-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [{ filename, files }] = JSON.parse(npm(PACKAGE, 'pack', '--json', '--pack-destination', folder));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, filename));
  for (const name of ['main.mjs', 'worker.mjs', 'scenario.mjs']) cpSync(join(PROGRAMS, name), join(folder, name));
  return {
    folder,
    files: files.map((file) => file.path).sort(),
    installed: join(folder, 'node_modules/twenty-rollups'),
  };
}

function npm(cwd, ...args) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a program to its end and gives what it printed, as JSON. */
export async function output(command, cwd, environment = {}) {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: cwd, DENO_NO_UPDATE_CHECK: '1', ...environment },
  });
  const [out, err] = [text(child.stdout), text(child.stderr)];
  const code = await new Promise((done, failed) => child.once('close', done).once('error', failed));
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${await out}${await err}`);
  return JSON.parse(await out);
}

async function text(stream) {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}

/** The `exports` of the package as it is installed. */
export const exportsOf = (installed) => JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).exports;
