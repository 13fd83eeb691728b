// A test case of a live parent, for `explain --record-test`: what its children hold of the fields that the definitions
// read, and nothing that tells who the parent is.

import type { Configuration, Definition, Explanation, Total } from '../index.js';
import type { ExpectedTotal, TestCase } from '../test-file.js';
import { dayIn, moneyOf, pathsOf, testTotalsBy } from '../test-totals.js';
import { readBounded } from '../read-bounded.js';
import type { Context, Engine, Fetch } from './context.js';
import { loadEngine } from './engine.js';
import { CliError, EXIT } from './outcome.js';
import { configurationOf, maxBytesOf } from './settings.js';
import { DEFAULT_TEST_FILE, freeName, readForAddition, writeTestFile } from './test-file.js';
import { formatCount, formatTotal, isMoney, wrap } from './text.js';

type Json = Record<string, unknown>;

/** A day or an instant. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}[\d:.]*(Z|[+-]\d{2}:?\d{2}))?$/;

/** Where on earth an address is. */
const PLACE = /\.address(Lat|Lng)$/;

/** Keeps the records of all answers that a run gets, by their ids, so that they need not be asked for again. */
class SeenRecords {
  readonly #records = new Map<string, Json>();
  readonly fetch: Fetch;

  constructor(fetch: Fetch, maxBytes: number) {
    this.fetch = async (url, init) => {
      const response = await fetch(url, init);
      try {
        this.#keep(JSON.parse(await readBounded(response.clone(), maxBytes)));
      } catch {
        // What is wrong with the answer, the engine says.
      }
      return response;
    };
  }

  get(id: string): Json | undefined {
    return this.#records.get(id);
  }

  #keep(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const { id } = value as Json;
    if (typeof id === 'string') this.#records.set(id, { ...this.#records.get(id), ...value });
    for (const part of Object.values(value)) this.#keep(part);
  }
}

/**
 * Has the records of the run that follows kept.
 *
 * @param file to add the case to; true for the usual one
 * @returns what is to be called with the explanation of the run
 */
export function recordTests(context: Context, file: string | true): (explanation: Explanation) => Promise<Recorded> {
  const { host, screen, settings } = context;
  const name = file === true ? DEFAULT_TEST_FILE : file;
  // Before the run: a file that cannot be added to is said at once.
  const tests = readForAddition(name, host);
  const seen = new SeenRecords(context.fetch, maxBytesOf(settings));
  context.fetch = seen.fetch;
  const began = new Date();
  return async (explanation) => {
    const engine = await loadEngine(host);
    const { test, leftOut } = recordingOf(explanation, seen, configurationOf(settings, engine), began, engine);
    screen.print();
    const say = (text: string) => wrap(text).forEach((line) => screen.print(line));
    for (const line of leftOut) say(`Not recorded: ${line}.`);
    if (Object.keys(test.expected).length === 0) throw new CliError(EXIT.wrong, 'nothing_to_record', 'there is no total that a case could expect');
    test.name = freeName(test.name, tests.cases);
    writeTestFile(name, { ...tests, cases: [...tests.cases, test] }, host);
    say(`Recorded in ${name} as “${test.name}”.`);
    say('It holds amounts and days, and no names; look it over before you share it.');
    return { file: name, name: test.name, leftOut };
  };
}

/** What `--json` says of a recorded case. */
interface Recorded {
  file: string;
  name: string;
  leftOut: string[];
}

interface Recording {
  test: TestCase;
  /** Totals that are no part of the case, with the reason. */
  leftOut: string[];
}

function recordingOf(explanation: Explanation, seen: SeenRecords, configuration: Configuration, began: Date, engine: Engine): Recording {
  const { parentObject } = explanation;
  const day = dayIn(configuration.timeZone, began);
  const explained = explanation.definitions.map((entry) => ({ ...entry, of: configuration.definitions[entry.definition]! }));
  const records: Record<string, Json[]> = {};
  for (const object of new Set(explained.map(({ childObject }) => childObject))) {
    const through = explained.filter(({ childObject }) => childObject === object);
    const ids = [...new Set(through.flatMap(({ children }) => children.map(({ id }) => id)))];
    const whole = ids.map((id) => seen.get(id) ?? {});
    records[object] = anonymous(whole, through.map(({ of }) => of)).map((record, index) => ({
      id: `${object}-${index + 1}`,
      ...Object.fromEntries(through.map(({ relationField, children }) => [relationField, children.some(({ id }) => id === ids[index]) ? 'parent' : null])),
      ...record,
      ...(whole[index]!.deletedAt ? { deletedAt: whole[index]!.deletedAt } : {}),
    }));
  }
  const totals = explained.flatMap((entry) => entry.totals);
  const counts = Object.entries(records).map(([object, list]) => formatCount(list.length, `${object} record`));
  const name = `${parentObject} with ${counts.join(' and ')} on ${day}`;
  const all = Object.fromEntries(totals.map(({ parentField }) => [parentField, null]));
  const [result] = testTotalsBy(engine)(configuration, { cases: [{ name, parentObject, day, records, expected: all }] });
  const expected: Record<string, ExpectedTotal> = {};
  const leftOut: string[] = [];
  for (const { parentField, computed } of totals) {
    const actual = result!.actual[parentField]!;
    if (isNoTotal(actual) ? isNoAmount(computed) : JSON.stringify(sorted(actual)) === JSON.stringify(sorted(computed))) {
      expected[parentField] = isNoTotal(actual) ? actual : short(actual);
    } else {
      const alone = isNoTotal(actual) ? 'no total' : formatTotal(actual);
      leftOut.push(`${parentField}: the workspace comes to ${formatTotal(computed)}, the recorded fields alone to ${alone}`);
    }
  }
  return { test: { name, parentObject, day, records, expected }, leftOut };
}

const isNoTotal = (total: unknown): total is { noTotal: true } => typeof total === 'object' && total !== null && 'noTotal' in total;

/** In an explanation a text says why there is no total. */
const isNoAmount = (computed: Total) => typeof computed === 'string' && !TIME.test(computed);

const sorted = (total: Total) => (isMoney(total) ? [Number(total.amountMicros), total.amountMicros === null, total.currencyCode ?? null] : total);

/** An amount as a text, where it says the same. */
function short(total: Total): ExpectedTotal {
  if (!isMoney(total)) return total;
  if (total.amountMicros === null) return total.currencyCode ? total : null;
  const text = formatTotal(total);
  return JSON.stringify(moneyOf(text)) === JSON.stringify(total) ? text : total;
}

/** What the definitions read of these records, with every text that says more than they need replaced. */
function anonymous(records: Json[], definitions: Definition[]): Json[] {
  const paths = [...new Set(definitions.flatMap(pathsOf))];
  const copies = records.map((): Json => ({}));
  for (const path of paths) {
    const values = records.map((record) => valueAt(record, path));
    const kept = keeper(path, definitions);
    // Numbered in their order, so that the least and the greatest stay what they are.
    const texts = [...new Set(values.filter((value) => !kept(value)).map(textOf))].sort();
    const digits = String(texts.length).length;
    values.forEach((value, index) => {
      if (value === undefined) return;
      put(copies[index]!, path, kept(value) ? value : `text-${String(texts.indexOf(textOf(value)) + 1).padStart(digits, '0')}`);
    });
  }
  return copies.map((copy) => Object.fromEntries(Object.entries(copy).map(([key, value]) => [key, isMoney(value) ? short(value as never) : value])));
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** Whether a value of this path can stay as it is: what is no word, and words that stand in the definitions themselves. */
function keeper(path: string, definitions: Definition[]): (value: unknown) => boolean {
  const conditions = definitions.flatMap(({ childFilters, aggregations }) => [
    ...(childFilters ?? []),
    ...aggregations.flatMap(({ filters }) => filters ?? []),
  ]);
  const named = new Set(conditions.filter(({ field }) => field === path).flatMap(({ value }) => (Array.isArray(value) ? value : [value])));
  const added = definitions.some(({ aggregations }) =>
    aggregations.some(({ type, childField, subtractField }) => subtractField === path || ((type === 'SUM' || type === 'AVG') && childField === path)),
  );
  const isNumber = (value: string) => (added || path.endsWith('.amountMicros')) && /^-?\d+(\.\d+)?$/.test(value);
  const isCode = (value: string) => path.endsWith('.currencyCode') && /^[A-Za-z]{3}$/.test(value);
  return (value) => {
    if (typeof value === 'number') return !PLACE.test(path);
    if (typeof value !== 'string') return typeof value !== 'object' || value === null;
    return value === '' || TIME.test(value) || isNumber(value) || isCode(value) || named.has(value);
  };
}

function valueAt(record: Json, path: string): unknown {
  let value: unknown = record;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return value === null ? null : undefined;
    value = (value as Json)[name];
  }
  return value;
}

function put(record: Json, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop()!;
  let into = record;
  for (const name of names) {
    if (typeof into[name] !== 'object' || into[name] === null) into[name] = {};
    into = into[name] as Json;
  }
  into[last] = value;
}
