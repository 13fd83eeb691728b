// Do the definitions make of a team's own cases what the team expects? No network.

import { type TestResult, testTotalsBy } from '../../test-totals.js';
import type { Command } from '../context.js';
import { loadEngine, requireValidDefinitions } from '../engine.js';
import { EXIT } from '../outcome.js';
import type { Screen } from '../screen.js';
import { configurationOf } from '../settings.js';
import { DEFAULT_TEST_FILE, inFile, readTestFile } from '../test-file.js';
import { formatCount, formatNumber, formatTotal, wrap } from '../text.js';

export const test: Command = async ({ host, screen, settings }, file = DEFAULT_TEST_FILE) => {
  const { text, tests } = readTestFile(file, host);
  await requireValidDefinitions(settings, host);
  const engine = await loadEngine(host);
  let results: TestResult[];
  try {
    results = testTotalsBy(engine)(configurationOf(settings, engine), tests);
  } catch (error) {
    throw inFile(error, file, text);
  }
  screen.print(`${file}: ${formatCount(results.length, 'case')} by ${settings.source}`);
  screen.print();
  for (const result of results) show(screen, result);
  const failed = results.filter(({ passed }) => !passed).length;
  screen.print();
  screen.print(failed === 0 ? 'Every total is as expected.' : `Not as expected: ${formatNumber(failed)} of ${formatCount(results.length, 'case')}.`);
  return {
    exit: failed === 0 ? EXIT.ok : EXIT.wrong,
    document: { file, source: settings.source, passed: results.length - failed, failed, cases: results },
  };
};

function show(screen: Screen, { name, passed, differences, expected, actual, unread }: TestResult): void {
  const { green, red } = screen.colors;
  const [first = '', ...rest] = wrap(name, 10);
  screen.print(`${passed ? green('  ok      ') : red('  not ok  ')}${first}`);
  for (const line of rest) screen.print(`          ${line}`);
  if (passed) return;
  for (const field of differences) {
    screen.print(`          ${field}`);
    for (const line of signed('-', valueOf(expected[field]))) screen.print(red(line));
    for (const line of signed('+', valueOf(actual[field]))) screen.print(green(line));
  }
  const left = unread.length > 0 ? wrap(`read by the definitions, and in no record: ${unread.join(', ')}`, 10) : [];
  for (const line of left) screen.print(`          ${line}`);
}

/** What was expected, or what came of it, as in a difference of two files. */
function signed(sign: '-' | '+', value: string): string[] {
  const [first = '', ...rest] = wrap(`${value}${sign === '-' ? '  expected' : '  computed'}`, 12);
  return [`          ${sign} ${first}`, ...rest.map((line) => `            ${line}`)];
}

const valueOf = (total: TestResult['actual'][string] | undefined) =>
  typeof total === 'object' && total !== null && 'noTotal' in total ? 'no total (several currencies, or not a number)' : formatTotal(total);
