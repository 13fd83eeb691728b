// The file of test cases: read for `test`, added to by `explain --record-test`.

import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { TestCase, TestFile } from '../test-file.js';
import type { TestError } from '../test-totals.js';
import type { Host } from './context.js';
import { CliError, EXIT, messageOf, usage } from './outcome.js';
import { parsed, read } from './settings.js';
import { formatCount } from './text.js';

export const DEFAULT_TEST_FILE = 'rollups.test.json';

const SCHEMA = 'https://unpkg.com/twenty-rollups/rollups.test.schema.json';

/** What a file of cases holds, which may be anything yet. */
export const readTestFile = (name: string, { folder }: Host): TestFile => parsed(String(read(resolve(folder, name), true)), name) as TestFile;

/** The cases of a file that is to get one more: none if there is no such file. */
export function readForAddition(name: string, host: Host): TestFile {
  if (!existsSync(resolve(host.folder, name))) return { $schema: SCHEMA, cases: [] };
  const file = readTestFile(name, host) as unknown as Partial<TestFile> | null;
  if (!Array.isArray(file?.cases)) throw new CliError(EXIT.wrong, 'invalid_tests', `${name}: cases: expected a list of cases`);
  return file as TestFile;
}

export function writeTestFile(name: string, file: TestFile, { folder }: Host): void {
  try {
    writeFileSync(resolve(folder, name), `${JSON.stringify(file, null, 2)}\n`);
  } catch (error) {
    throw usage('unwritable_file', `cannot write \`${name}\`: ${messageOf(error)}`);
  }
}

/** A name that no other case of the file has. */
export function freeName(wanted: string, cases: TestCase[]): string {
  const taken = new Set(cases.map(({ name }) => name));
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted} (${number})`;
  return name;
}

/** The error of the library in the name of the file. */
export function inFile(error: unknown, name: string): unknown {
  const { code, faults } = error as Partial<TestError>;
  if (!faults || code !== 'invalid_tests') return error;
  const list = faults.map(({ place, message }) => `  ${place ? `${place}: ` : ''}${message}`).join('\n');
  return new CliError(EXIT.wrong, code, `${name}: ${formatCount(faults.length, 'fault')}\n${list}`);
}
