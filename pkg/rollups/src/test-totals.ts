// Cases for one's own totals: what a file of them must look like, and what its records come to.

import type { Configuration, Definition, Fault, Money, Rollups, RollupsError, Total } from './index.js';
import type { ExpectedTotal, NoTotal, TestCase, TestFile } from './test-file.js';

/** What a test case comes to. */
export interface TestResult {
  name: string;
  /** Whether all expected totals are what the records come to. */
  passed: boolean;
  /** The expected totals, as the engine would write them. */
  expected: Record<string, Total | NoTotal>;
  /** What the records come to, of the same fields. */
  actual: Record<string, Total | NoTotal>;
  /** Fields of `expected` that differ. */
  differences: string[];
  /** What the definitions read and no record has, such as `gift.giftDate`: a misspelt field, or one that was left out. */
  unread: string[];
}

/** The definitions (`invalid_config`) or the cases (`invalid_tests`) are not as they should be. */
export interface TestError extends RollupsError {
  faults: Fault[];
}

export type TestTotals = (configuration: Configuration | readonly Definition[], tests: TestFile) => TestResult[];

type Engine = Pick<Rollups, 'computeTotals' | 'validateDefinitions'>;
type Json = Record<string, unknown>;

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const MONEY_TEXT = /^(-?)(\d{1,15})(?:\.(\d{1,6}))?(?: ([A-Za-z]{3}))?$/;
const MICROS = /^-?\d+$/;
const CASE_KEYS = ['name', 'parentObject', 'day', 'records', 'expected'] as const;

/** Makes `testTotals` of an engine. */
export function testTotalsBy(engine: Engine): TestTotals {
  return (configuration, tests) => {
    const { errors } = engine.validateDefinitions(configuration);
    if (errors.length > 0) throw mistake('invalid_config', errors);
    const settings = settingsOf(configuration);
    const faults = faultsOf(tests, settings.definitions);
    if (faults.length > 0) throw mistake('invalid_tests', faults);
    return tests.cases.map((given) => resultOf(given, settings, engine));
  };
}

function mistake(code: string, faults: Fault[]): TestError {
  const message = faults.map(({ place, message }) => (place ? `${place}: ${message}` : message)).join('; ');
  return Object.assign(new Error(message), { code, faults });
}

/** The settings that a total depends on; a list of definitions has none. */
function settingsOf(configuration: Configuration | readonly Definition[]): Configuration {
  return 'definitions' in configuration ? configuration : { definitions: [...configuration] };
}

// ── What a case comes to ──

function resultOf(given: TestCase, settings: Configuration, engine: Engine): TestResult {
  const { timeZone, fiscalYearStartMonth } = settings;
  const options = {
    now: instantOf(given.day, timeZone),
    ...(timeZone !== undefined && { timeZone }),
    ...(fiscalYearStartMonth !== undefined && { fiscalYearStartMonth }),
  };
  const totals: Record<string, Total> = {};
  const unread = new Set<string>();
  const definitions = definitionsOf(given.parentObject, settings.definitions);
  for (const definition of definitions) {
    const records = (given.records[definition.childObject] ?? []).map((record: Json) => withMoney(record, definition));
    const counted = records.filter((record) => !record.deletedAt && !isUnrelated(record, definition));
    Object.assign(totals, engine.computeTotals(definition, counted, options));
    for (const path of pathsOf(definition)) {
      if (records.length > 0 && !records.some((record) => hasPath(record, path))) unread.add(`${definition.childObject}.${path}`);
    }
  }
  const fields = Object.keys(given.expected);
  const expected = byField(fields, (field) => totalOf(given.expected[field]!, isMoneyTotal(field, definitions)));
  const actual = byField<Total | NoTotal>(fields, (field) => totals[field] ?? (field in totals ? null : { noTotal: true }));
  const differences = fields.filter((field) => !isSame(expected[field]!, actual[field]!));
  return { name: given.name, passed: differences.length === 0, expected, actual, differences, unread: [...unread] };
}

const byField = <T>(fields: string[], value: (field: string) => T): Record<string, T> =>
  Object.fromEntries(fields.map((field) => [field, value(field)]));

const definitionsOf = (parentObject: string, definitions: readonly Definition[]) =>
  definitions.filter((definition) => definition.parentObject === parentObject);

const isMoneyTotal = (field: string, definitions: Definition[]) =>
  definitions.some(({ aggregations }) => aggregations.some((total) => total.parentField === field && total.currencyField));

/** A total is plain data with its keys in one order. */
const isSame = (one: Total | NoTotal, other: Total | NoTotal) => JSON.stringify(one) === JSON.stringify(other);

/** A child of no parent, or of another definition's; one that says nothing is the parent's. */
const isUnrelated = (record: Json, { relationField }: Definition) => relationField in record && !record[relationField];

/** An instant of this day in the zone. Of days that begin hours apart around the world, one of three instants is in each. */
function instantOf(day: string, timeZone: string | undefined): string {
  const instants = ['12', '00', '23'].map((hour) => `${day}T${hour}:00:00Z`);
  return instants.find((instant) => dayIn(timeZone, new Date(instant)) === day) ?? instants[0]!;
}

/** The day of an instant in a zone; of one that there is not, the engine says so. */
export function dayIn(timeZone = 'UTC', instant: Date): string {
  try {
    const zone = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    return zone.format(instant);
  } catch {
    return instant.toISOString().slice(0, 10);
  }
}

// ── Values ──

function totalOf(value: ExpectedTotal, isMoney: boolean): Total | NoTotal {
  if (value === null && isMoney) return { amountMicros: null, currencyCode: null };
  if (typeof value === 'string' && isMoney) return moneyOf(value) ?? value;
  if (typeof value !== 'object' || value === null || 'noTotal' in value) return value;
  const { amountMicros, currencyCode } = value;
  return { amountMicros: amountMicros === null ? null : Number(amountMicros), currencyCode: currencyCode?.toUpperCase() ?? null };
}

/** `12.50 GBP` as Twenty has it; nothing for another text. */
export function moneyOf(text: string): Money | undefined {
  const [found, sign, whole = '', decimals = '', code] = MONEY_TEXT.exec(text) ?? [];
  if (found === undefined) return undefined;
  // A double, as in Twenty.
  const micros = Number(`${whole}${decimals.padEnd(6, '0')}`);
  return { amountMicros: sign && micros > 0 ? -micros : micros, currencyCode: code?.toUpperCase() ?? null };
}

/** The record with its amounts of money as Twenty has them. */
function withMoney(record: Json, definition: Definition): Json {
  const amounts = moneyFields(definition).flatMap((field) => {
    const value = record[field];
    return typeof value === 'string' ? [[field, moneyOf(value)]] : [];
  });
  return { ...record, ...Object.fromEntries(amounts) };
}

/** Fields of the children that the definition reads as amounts of money. */
const moneyFields = (definition: Definition): string[] => [
  ...new Set(pathsOf(definition).flatMap((path) => /^([^.]+)\.(?:amountMicros|currencyCode)$/.exec(path)?.[1] ?? [])),
];

const hasPath = (record: unknown, path: string): boolean => {
  let value: unknown = record;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return value === null;
    if (!(name in value)) return false;
    value = (value as Json)[name];
  }
  return true;
};

/** Paths of the children that a definition reads, but for the relation. */
export function pathsOf({ childFilters, aggregations }: Definition): string[] {
  const conditions = [...(childFilters ?? []), ...aggregations.flatMap(({ filters }) => filters ?? [])];
  const paths = [
    ...aggregations.flatMap(({ childField, currencyField, subtractField }) => [childField, currencyField, subtractField]),
    ...conditions.flatMap(({ field, subtractField }) => [field, subtractField]),
  ];
  return [...new Set(paths.filter((path): path is string => typeof path === 'string'))];
}

// ── What is wrong with a file of cases ──

const shown = (value: unknown) => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const listed = (names: Iterable<string>) => [...names].map((name) => `\`${name}\``).join(', ');

function faultsOf(file: unknown, definitions: readonly Definition[]): Fault[] {
  if (!isObject(file)) return [{ place: '', message: `found ${shown(file)}, expected an object with \`cases\`` }];
  const faults = unknownKeys(file, ['$schema', 'cases'], '');
  if (file.$schema !== undefined && typeof file.$schema !== 'string') {
    faults.push({ place: '$schema', message: `found ${shown(file.$schema)}, expected a text` });
  }
  const { cases } = file;
  if (!Array.isArray(cases) || cases.length === 0) {
    return [...faults, { place: 'cases', message: `found ${shown(cases)}, expected a list of at least one case` }];
  }
  return [...faults, ...cases.flatMap((given, index) => caseFaults(given, index, definitions))];
}

function unknownKeys(object: Json, known: readonly string[], place: string): Fault[] {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  return unknown.map((key) => ({ place: place ? `${place}, ${key}` : key, message: `no such key, expected are ${listed(known)}` }));
}

function caseFaults(given: unknown, index: number, definitions: readonly Definition[]): Fault[] {
  const number = `case ${index}`;
  if (!isObject(given)) return [{ place: number, message: `found ${shown(given)}, expected an object` }];
  const { name, parentObject, day, records, expected } = given;
  const named = typeof name === 'string' && name.trim() !== '';
  const place = named ? `${number} (${name})` : number;
  const faults = unknownKeys(given, CASE_KEYS, place);
  const fault = (key: string, message: string) => void faults.push({ place: `${place}, ${key}`, message });
  const found = (value: unknown) => (value === undefined ? 'it is missing' : `found ${shown(value)}`);

  if (!named) fault('name', `${found(name)}, expected a text`);
  if (!isDay(day)) fault('day', `${found(day)}, expected a day such as 2026-11-30`);
  const parents = new Set(definitions.map((definition) => definition.parentObject));
  const isParent = typeof parentObject === 'string' && NAME.test(parentObject) && parents.has(parentObject);
  if (!isParent) fault('parentObject', `${found(parentObject)}, expected a parent of the definitions: ${listed(parents)}`);
  // What its children are, and its totals, only its definitions tell.
  const own = isParent ? definitionsOf(parentObject, definitions) : undefined;
  faults.push(...recordFaults(records, `${place}, records`, found(records), own));
  faults.push(...expectedFaults(expected, `${place}, expected`, found(expected), own));
  return faults;
}

function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}

function recordFaults(records: unknown, place: string, found: string, definitions: Definition[] | undefined): Fault[] {
  if (!isObject(records)) return [{ place, message: `${found}, expected a list of records for each object` }];
  return Object.entries(records).flatMap(([object, list]) => {
    const at = `${place}, ${object}`;
    const own = definitions?.filter(({ childObject }) => childObject === object);
    if (definitions && own?.length === 0) {
      const children = new Set(definitions.map(({ childObject }) => childObject));
      return [{ place: at, message: `the parent has no such children, expected are ${listed(children)}` }];
    }
    if (!Array.isArray(list)) return [{ place: at, message: `found ${shown(list)}, expected a list of records` }];
    const ofRecords = list.flatMap((record, index) => recordFault(record, `${at} ${index}`, own ?? []));
    return ofRecords.length > 0 ? ofRecords : severalParents(list, at, own ?? []);
  });
}

function recordFault(record: unknown, place: string, definitions: Definition[]): Fault[] {
  if (!isObject(record)) return [{ place, message: `found ${shown(record)}, expected an object` }];
  const fields = [...new Set(definitions.flatMap(moneyFields))];
  return fields.flatMap((field) => {
    const value = record[field];
    if (typeof value !== 'string' || moneyOf(value)?.currencyCode) return [];
    return [{ place: `${place}, ${field}`, message: `found ${shown(value)}, expected an amount such as 12.50 GBP` }];
  });
}

/** A case is of one parent: records that name several would all be counted. */
function severalParents(records: Json[], place: string, definitions: Definition[]): Fault[] {
  return definitions.flatMap(({ relationField }) => {
    const parents = new Set(records.map((record) => record[relationField]).filter(Boolean));
    if (parents.size < 2) return [];
    return [{ place: `${place}, ${relationField}`, message: `the records name ${parents.size} parents, expected those of one` }];
  });
}

function expectedFaults(expected: unknown, place: string, found: string, definitions: Definition[] | undefined): Fault[] {
  if (!isObject(expected) || Object.keys(expected).length === 0) return [{ place, message: `${found}, expected at least one total` }];
  const totals = new Set(definitions?.flatMap(({ aggregations }) => aggregations.map(({ parentField }) => parentField)));
  return Object.entries(expected).flatMap(([field, value]) => {
    const at = `${place}, ${field}`;
    if (definitions && !totals.has(field)) return [{ place: at, message: `no definition has this total, there are ${listed(totals)}` }];
    const wanted = expectedFault(value, Boolean(definitions && isMoneyTotal(field, definitions)));
    return wanted ? [{ place: at, message: `found ${shown(value)}, expected ${wanted}` }] : [];
  });
}

/** What was expected instead; nothing if the value can be a total. */
function expectedFault(value: unknown, isMoney: boolean): string | undefined {
  if (isObject(value)) {
    const keys = Object.keys(value).sort().join();
    if (keys === 'noTotal' && value.noTotal === true) return undefined;
    const { amountMicros: micros, currencyCode: code } = value;
    const sound = micros === null || Number.isInteger(micros) || (typeof micros === 'string' && MICROS.test(micros));
    if (keys === 'amountMicros,currencyCode' && sound && (code === null || typeof code === 'string')) return undefined;
    return '`amountMicros` and `currencyCode`, or `"noTotal": true`';
  }
  if (isMoney) return value === null || (typeof value === 'string' && moneyOf(value)) ? undefined : 'an amount such as 12.50 GBP';
  return value === null || typeof value === 'string' || Number.isFinite(value) ? undefined : 'a number, a text, a day or null';
}
