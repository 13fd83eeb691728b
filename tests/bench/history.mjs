/**
 * The whole CDNOW purchase history as gifts: 69,659 purchases of 23,570 customers, 1997 and 1998.
 *
 * It is part of the MIT-licensed Python package Lifetimes and is fetched from PyPI by pip; it is not kept here, for its
 * size. Without pip or a network as many gifts of as many donors are made up.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { makeGifts } from './gifts.mjs';

const WORK = fileURLToPath(new URL('../.work/', import.meta.url));
const PACKAGE = 'Lifetimes==0.11.3';
const MEMBER = 'lifetimes/datasets/CDNOW_master.txt';
const GIFTS = 69_659;
const DONORS = 23_570;

const python = (...args) => execFileSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 24, stdio: ['ignore', 'pipe', 'ignore'] });

/** The master file: ` 00001 19970101  1   11.77`, customer, day, number of CDs, dollars. */
const fetchMaster = () => {
  const folder = `${WORK}lifetimes`;
  mkdirSync(folder, { recursive: true });
  python('-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, PACKAGE);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  return python('-c', 'import sys, zipfile; sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())', `${folder}/${wheel}`, MEMBER);
};

const toGift = (line) => {
  const [customer, day, , dollars] = line.trim().split(/\s+/);
  return `${customer},${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)},${dollars},USD`;
};

/** The path of the history as CSV, and where it is from. */
export const history = () => {
  const path = `${WORK}cdnow.csv`;
  if (existsSync(path)) return { path, source: 'CDNOW' };
  try {
    const gifts = fetchMaster().trim().split('\n').slice(1).map(toGift);
    if (gifts.length !== GIFTS) throw new Error(`${gifts.length} purchases in place of ${GIFTS}`);
    writeFileSync(path, `donor,gift_date,amount,currency\n${gifts.join('\n')}\n`);
    return { path, source: 'CDNOW' };
  } catch (error) {
    return { path: makeGifts(GIFTS, DONORS), source: `made up, as the CDNOW history could not be fetched (${error.message.split('\n')[0]})` };
  }
};
