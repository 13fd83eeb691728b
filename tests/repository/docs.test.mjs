// The pages of docs/: every relative link leads somewhere, and every path that they name is there.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';

const ROOT = new URL('../../', import.meta.url).pathname;
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
/** The folders that paths in back-ticks begin with. */
const FOLDERS = /^(?:rollup-engine|pkg|docs|serverlessFunctions|tests|\.ci)\//;
/** What a build makes: it need not be there. */
const MADE = [/\/generated\//, /\/\.twenty\//, /\/node_modules\//, /^pkg\/(?:rollups|fundraising|bin)\/[\w/.-]+\.(?:m?js|d\.ts)$/];

const read = (page) => readFileSync(join(ROOT, page), 'utf8');

/** A heading as a link's fragment names it. */
const fragment = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-');

const fragments = (page) => [...read(page).matchAll(/^#+ (.*)$/gm)].map((match) => fragment(match[1]));

function brokenLinks(page) {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]).filter((target) => !/^\w+:/.test(target));
  return targets.filter((target) => {
    const [path, heading] = target.split('#');
    const file = path ? join(dirname(page), path) : page;
    return !existsSync(join(ROOT, file)) || (heading && !fragments(file).includes(heading));
  });
}

function missingPaths(page) {
  const named = [...read(page).matchAll(/`([^`\s]+)`/g)].map((match) => match[1].replace(/\/$/, ''));
  const paths = named.filter((path) => FOLDERS.test(path) && !/[*<>{}…]/.test(path) && !MADE.some((made) => made.test(path)));
  return paths.filter((path) => !existsSync(join(ROOT, path)));
}

for (const page of PAGES) {
  test(`links and paths of ${page}`, () => {
    assert.deepEqual({ links: brokenLinks(page), paths: missingPaths(page) }, { links: [], paths: [] });
  });
}
