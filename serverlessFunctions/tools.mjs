/**
 * The pinned tools of a folder that has a package.json and a package-lock.json with `node` in it: where that Node is,
 * and how it all gets there. It does not decide when.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something to tell the person at the keyboard, as opposed to a bug in a script. */
export class BuildError extends Error {}

export const fail = (message) => {
  throw new BuildError(message);
};

export const run = (command, args, cwd, env = process.env) => {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (error) fail(`\`${command}\` did not start: ${error.message}`);
  if (status !== 0) fail(`\`${[command, ...args].join(' ')}\` failed:\n${stdout}${stderr}`);
  return stdout;
};

export const nodeOf = (folder) => join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Installs what is locked. Scripts of packages do not run, but for the one that fetches Node's binary. */
export const installTools = (folder) => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const yarnLock = join(folder, 'yarn.lock');
  const kept = existsSync(yarnLock) && readFileSync(yarnLock);
  try {
    run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  } finally {
    // npm rewrites a yarn.lock that it finds, in the form of yarn 1; the server's yarn is 4.
    if (kept) writeFileSync(yarnLock, kept);
  }
  run(process.execPath, ['installArchSpecificPackage.js'], join(folder, 'node_modules', 'node'));
  if (!existsSync(nodeOf(folder))) fail(`the package \`node\` brought no binary for ${process.platform}-${process.arch}`);
  // Links the binary that came just now, so that `npx` runs on it.
  run(npm, ['rebuild', '--ignore-scripts', 'node'], folder);
};
