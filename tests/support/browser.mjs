// A headless Chromium: the one that is there, else the one that apt installs.

import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { importPackage, prepare } from './project.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

const installed = () => process.env.CHROMIUM || NAMES.map(onPath).find(Boolean);

/** Installs Chromium as root of a machine that has apt; what is in the way becomes part of the error. */
function install() {
  const missing = 'no Chromium was found: install it, or name it by CHROMIUM';
  if (process.getuid?.() !== 0 || !onPath('apt-get')) throw new Error(`${missing}; it can be installed by itself only as root and with apt`);
  const apt = (...args) =>
    execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 600_000 });
  try {
    apt('update');
    apt('install', '--yes', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
  } catch (error) {
    throw new Error(`${missing}; apt could not install it: ${String(error.stderr ?? '').trim() || error.message}`);
  }
}

/** Starts the browser for the time of the tests of a file. */
export async function openBrowser() {
  prepare();
  if (!installed()) install();
  const executablePath = installed();
  if (!executablePath) throw new Error('apt installed Chromium, and it is not on the path: name it by CHROMIUM');
  const { chromium } = await importPackage('playwright-core');
  // Root has no sandbox of Chromium's; the pages are the tests' own.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
