/** The Twenty app: where it lies, how it is built, and copies of it. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { ROOT } from './project.mjs';

export const APP = join(ROOT, 'serverlessFunctions');
export const WORK = join(ROOT, 'tests', '.work');
export const ROLLUPS = join('calculaterollups', 'src', 'index.mjs');
export const PERSON_EVENTS = join('personevents', 'src', 'index.mjs');
export const REBUILD_LATER = join('rebuildlater', 'src', 'index.mjs');
export const SWEEP = join('sweep', 'src', 'index.mjs');
export const POST_INSTALL = join('postinstall', 'src', 'index.mjs');

/** Runs a command to its end. Asynchronous, so that a server of the same test can answer it. */
export const run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });

/** Builds the app that lies in `app`, and fails with the build's own words. */
export const build = async (app = APP, ...args) => {
  const { status, output } = await run(process.execPath, [join(app, 'build.mjs'), ...args]);
  if (status !== 0) throw new Error(output);
  return output;
};

/** A copy of the built app under this name, without some of its folders, sharing the installed tools. */
export const copyOfApp = (name, ...left) => {
  const copy = join(WORK, name);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  cpSync(APP, copy, {
    recursive: true,
    filter: (source) => ![...left, 'node_modules', '.twenty'].includes(basename(source)),
  });
  symlinkSync(join(APP, 'node_modules'), join(copy, 'node_modules'), 'junction');
  mkdirSync(join(copy, '.twenty'));
  cpSync(join(APP, '.twenty', 'install-2.40.0.sha256'), join(copy, '.twenty', 'install-2.40.0.sha256'));
  return copy;
};

export const manifestOf = (output) => JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'));
