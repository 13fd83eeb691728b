// What the page shows of the workspace besides the comparison: how the stored totals are spread, and giving by month.
// Each is one group-by of the server; what it cannot tell is missing, with the reason.

import type { Aggregation, Configuration, Definition } from '../../index.js';
import { dayIn } from '../../test-totals.js';
import type { Context } from '../context.js';
import { readMetadata } from '../workspace.js';
import type { ValueGroup } from './distribution.js';
import { type Calendar, serverFilter } from './filter.js';
import { GraphqlClient, type Measured, measured } from './graphql.js';
import type { MonthGroup } from './months.js';
import { conditionInWords } from './words.js';

/** Groups that are asked for; where there are as many, some may be missing. */
const MAX_GROUPS = 50_000;
const MICROS = 1_000_000;
const KINDS: Record<string, 'amount' | 'count' | 'day'> = { CURRENCY: 'amount', NUMBER: 'count', DATE: 'day', DATE_TIME: 'day' };

export interface Spread {
  parentObject: string;
  field: string;
  kind: 'amount' | 'count' | 'day';
  groups: Measured<ValueGroup[]>;
}

export interface GivingByMonth {
  childObject: string;
  /** Path of the amount, and of what is taken off. */
  amount: string;
  subtracted: string | undefined;
  day: string;
  /** Conditions in words: those that the figure goes by, and those that it could not. */
  counted: string[];
  notApplied: string[];
  groups: Measured<MonthGroup[]>;
}

export interface Measurements {
  spreads: Spread[];
  giving: GivingByMonth[];
  /** Why nothing could be measured. */
  missing?: string;
  requests: number;
  throttled: number;
}

export async function measure(context: Context, configuration: Configuration): Promise<Measurements> {
  const client = new GraphqlClient(context);
  const none = { spreads: [], giving: [], requests: 0, throttled: 0 };
  if (configuration.graphql === 'off') return { ...none, missing: 'GraphQL is off in the configuration' };
  const objects = await measured(() => objectsOf(context));
  if ('missing' in objects) return { ...none, missing: objects.missing };
  const spreads: Spread[] = [];
  for (const total of totalsOf(configuration.definitions, objects.value)) {
    const object = objects.value.get(total.parentObject)!;
    spreads.push({ ...total, groups: await measured(() => spreadOf(client, object, total, configuration.timeZone)) });
  }
  const giving: GivingByMonth[] = [];
  const calendar = { timeZone: configuration.timeZone, fiscalYearStartMonth: configuration.fiscalYearStartMonth ?? 1, now: new Date() };
  for (const source of sourcesOf(configuration.definitions, objects.value, calendar)) {
    const { filters, ...shown } = source;
    const object = objects.value.get(source.childObject)!;
    giving.push({ ...shown, groups: await measured(() => monthsOf(client, source, object, calendar)) });
  }
  return { spreads, giving, requests: client.requests, throttled: client.throttled };
}

interface ObjectInfo {
  plural: string;
  /** Types by the names of the fields. */
  fields: Map<string, string>;
}

async function objectsOf({ settings, fetch }: Context): Promise<Map<string, ObjectInfo>> {
  const objects = await readMetadata(settings, fetch);
  return new Map(objects.map(({ name, plural, fields }) => [name, { plural, fields: new Map(fields.map((field) => [field.name, field.type])) }]));
}

/** The totals that the workspace has, each once. */
function totalsOf(definitions: readonly Definition[], objects: Map<string, ObjectInfo>) {
  const totals = new Map<string, Pick<Spread, 'parentObject' | 'field' | 'kind'>>();
  for (const { parentObject, aggregations } of definitions) {
    for (const { parentField: field } of aggregations) {
      const kind = KINDS[objects.get(parentObject)?.fields.get(field) ?? ''];
      if (kind) totals.set(`${parentObject}.${field}`, { parentObject, field, kind });
    }
  }
  return totals.values();
}

interface Group {
  groupByDimensionValues?: unknown[];
  totalCount?: unknown;
  [aggregate: string]: unknown;
}

async function groupsOf(client: GraphqlClient, query: string, root: string, variables = {}): Promise<Group[]> {
  const { [root]: groups } = await client.ask(query, variables);
  if (!Array.isArray(groups)) throw new Error('the answer is not as Twenty gives it');
  if (groups.length >= MAX_GROUPS) throw new Error(`there are ${MAX_GROUPS.toLocaleString('en-GB')} different values or more`);
  return groups;
}

/** A group-by of instants goes by the days of a zone. */
const zoneOf = (field: string, fields: ReadonlyMap<string, string>, timeZone = 'UTC') =>
  fields.get(field) === 'DATE_TIME' ? `,timeZone:${JSON.stringify(timeZone)}` : '';

async function spreadOf(client: GraphqlClient, { plural, fields }: ObjectInfo, { field, kind }: Omit<Spread, 'groups'>, timeZone: string | undefined): Promise<ValueGroup[]> {
  const dimensions = {
    amount: `{${field}:{amountMicros:true}},{${field}:{currencyCode:true}}`,
    count: `{${field}:true}`,
    day: `{${field}:{granularity:YEAR${zoneOf(field, fields, timeZone)}}}`,
  }[kind];
  const root = `${plural}GroupBy`;
  const groups = await groupsOf(client, `{${root}(groupBy:[${dimensions}],limit:${MAX_GROUPS}){groupByDimensionValues totalCount}}`, root);
  return groups.map(({ groupByDimensionValues: [value, code] = [], totalCount }) => ({
    value: value === null || value === undefined ? null : kind === 'day' ? yearOf(value, timeZone) : finite(Number(value) / (kind === 'amount' ? MICROS : 1)),
    code: typeof code === 'string' && code ? code.toUpperCase() : null,
    parents: Number(totalCount) || 0,
  }));
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);

const yearOf = (value: unknown, timeZone: string | undefined) => finite(Number(monthOf(value, timeZone)?.slice(0, 4) ?? NaN));

interface Source extends Omit<GivingByMonth, 'groups'> {
  filters: object[];
}

/** What is given in the sense of the definitions: amounts of children that have a day, each kind once. */
function sourcesOf(definitions: readonly Definition[], objects: Map<string, ObjectInfo>, calendar: Calendar): Source[] {
  const sources = new Map<string, Source>();
  for (const definition of definitions) {
    const { childObject, aggregations, childFilters } = definition;
    const fields = objects.get(childObject)?.fields;
    const sum = aggregations.find((total) => isGiven(total, childObject, definitions));
    const day = fields && dayFieldOf(definition, fields);
    if (!fields || !sum || !day) continue;
    const root = amountField(sum.childField!);
    if (fields.get(root) !== 'CURRENCY' || sources.has(childObject)) continue;
    const subtracted = sum.subtractField && fields.get(amountField(sum.subtractField)) === 'CURRENCY' ? sum.subtractField : undefined;
    // Of a child that comes to nothing it makes no difference whether it is counted.
    const neutral = (condition: NonNullable<typeof childFilters>[number]) =>
      condition.field === sum.childField && (condition.subtractField ?? undefined) === (sum.subtractField ?? undefined) && condition.operator === 'notEquals' && condition.value === 0;
    const filters: object[] = [];
    const [counted, notApplied]: string[][] = [[], []];
    for (const condition of childFilters ?? []) {
      if (neutral(condition)) continue;
      const filter = serverFilter(condition, fields, calendar);
      (filter ? counted! : notApplied!).push(conditionInWords(condition));
      if (filter) filters.push(filter);
    }
    sources.set(childObject, { childObject, amount: sum.childField!, subtracted, day, counted: counted!, notApplied: notApplied!, filters });
  }
  return [...sources.values()];
}

const amountField = (path: string) => path.replace(/\.amountMicros$/, '');

/** A sum of money that is no sum of totals. */
const isGiven = ({ type, childField, currencyField }: Aggregation, childObject: string, definitions: readonly Definition[]) =>
  type === 'SUM' &&
  Boolean(currencyField) &&
  childField.endsWith('.amountMicros') &&
  !definitions.some((other) => other.parentObject === childObject && other.aggregations.some((total) => total.parentField === amountField(childField)));

/** The day that the definition goes by. */
function dayFieldOf({ aggregations, childFilters }: Definition, fields: ReadonlyMap<string, string>): string | undefined {
  const named = [
    ...aggregations.filter(({ type }) => type === 'MAX' || type === 'MIN').map(({ childField }) => childField),
    ...[...aggregations.flatMap(({ filters }) => filters ?? []), ...(childFilters ?? [])].map(({ field }) => field),
  ];
  return named.find((path): path is string => typeof path === 'string' && ['DATE', 'DATE_TIME'].includes(fields.get(path) ?? ''));
}

async function monthsOf(client: GraphqlClient, source: Source, { plural, fields }: ObjectInfo, calendar: Calendar): Promise<MonthGroup[]> {
  const [amount, subtracted] = [amountField(source.amount), source.subtracted && amountField(source.subtracted)];
  const sumOf = (field: string) => `sum${field.charAt(0).toUpperCase()}${field.slice(1)}AmountMicros`;
  const zone = zoneOf(source.day, fields, calendar.timeZone);
  const root = `${plural}GroupBy`;
  const type = `${source.childObject.charAt(0).toUpperCase()}${source.childObject.slice(1)}FilterInput`;
  const sums = [amount, subtracted].filter((field) => field !== undefined).map((field) => sumOf(field));
  const query = `query($filter:${type}){${root}(groupBy:[{${source.day}:{granularity:MONTH${zone}}},{${amount}:{currencyCode:true}}],filter:$filter,limit:${MAX_GROUPS}){groupByDimensionValues totalCount ${sums.join(' ')}}}`;
  const groups = await groupsOf(client, query, root, { filter: source.filters.length > 0 ? { and: source.filters } : {} });
  return groups.map(({ groupByDimensionValues: [day, code] = [], totalCount, ...group }) => ({
    month: monthOf(day, calendar.timeZone),
    code: typeof code === 'string' && code ? code.toUpperCase() : null,
    amount: (Number(group[sumOf(amount)] ?? 0) - Number((subtracted && group[sumOf(subtracted)]) || 0)) / MICROS,
    children: Number(totalCount) || 0,
  }));
}

/** The month of a group: its first day is told as a day, or as the instant with which that begins in the zone. */
function monthOf(day: unknown, timeZone: string | undefined): string | null {
  if (typeof day !== 'string') return null;
  if (/^\d{4}-\d{2}-\d{2}$/.test(day)) return day.slice(0, 7);
  const instant = new Date(day);
  return Number.isNaN(instant.getTime()) ? null : dayIn(timeZone, instant).slice(0, 7);
}
