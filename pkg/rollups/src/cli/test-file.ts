// The file of test cases: read for `test`, added to by `explain --record-test`.

import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { TestCase, TestFile } from '../test-file.js';
import type { TestError } from '../test-totals.js';
import type { Host } from './context.js';
import { positionOfPlace } from './json-text.js';
import { CliError, EXIT, messageOf, usage } from './outcome.js';
import { schemaFor } from './rollups-file.js';
import { parsed, read } from './settings.js';
import { formatCount } from './text.js';

export const DEFAULT_TEST_FILE = 'rollups.test.json';

/** A file of cases: as it was written, and what it holds, which may be anything yet. */
export function readTestFile(name: string, { folder }: Host): { text: string; tests: TestFile } {
  const text = String(read(resolve(folder, name), true));
  return { text, tests: parsed(text, name) as TestFile };
}

/** The cases of a file that is to get one more: none if there is no such file. */
export function readForAddition(name: string, host: Host): TestFile {
  if (!existsSync(resolve(host.folder, name))) return { $schema: schemaFor(host.folder, 'rollups.test.schema.json'), cases: [] };
  const file = readTestFile(name, host).tests as unknown as Partial<TestFile> | null;
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

/** The error of the library in the name of the file, with the line and column of each fault. */
export function inFile(error: unknown, source: string, text: string): unknown {
  const { code, faults } = error as Partial<TestError>;
  if (!faults || code !== 'invalid_tests') return error;
  const list = faults.map(({ place, message }) => {
    // The name of a case is for people: it is no part of the way to the fault.
    const position = positionOfPlace(text, place.replace(/^(case \d+) \(.*\)(?=, (?:name|parentObject|day|records|expected)|$)/s, '$1'));
    return `  ${position ? `${source}:${position}: ` : ''}${place ? `${place}: ` : ''}${message}`;
  });
  return new CliError(EXIT.wrong, code, `${source}: ${formatCount(faults.length, 'fault')}\n${list.join('\n')}`);
}
