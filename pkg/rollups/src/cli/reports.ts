// The reports of the runs of one rebuild as one: the end is the last one's, and nothing is counted twice.
//
// What was written, each run wrote for itself. What was compared is another matter: a run that goes by slices goes on
// behind the slices of the one before, any other looks at everything again.

import type { DefinitionCounts, Drift, Report, RequestCounts, RunTotals } from '../index.js';
import type { RunReport } from './show.js';

const MAX_LISTED = 100;

/** How two numbers of one name become one. */
type Join = (a: number, b: number) => number;
type Numbers = Record<string, number>;

const add: Join = (a, b) => a + b;

/** Numbers by key, put together by `join`; keys in the order of their first coming. */
const joined = (a: Numbers = {}, b: Numbers = {}, join = add): Numbers => {
  const all = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const earlier = all[key];
    all[key] = earlier === undefined ? value : join(earlier, value);
  }
  return all;
};

const unique = <T>(values: T[]): T[] => [...new Map(values.map((value) => [JSON.stringify(value), value])).values()].slice(0, MAX_LISTED);

const requests = ({ byEndpoint: one, ...a }: RequestCounts, { byEndpoint: other, ...b }: RequestCounts) =>
  ({ ...joined(a, b), byEndpoint: joined(one, other) }) as RequestCounts;

const totals = (a: RunTotals, b: RunTotals, compared: Join): RunTotals => {
  const { updated, reset, ...more } = joined({ ...a }, { ...b }) as unknown as RunTotals;
  const processed = compared(a.processed, b.processed);
  // What an earlier run wrote, a later one finds unchanged: both are parents that are right.
  const right = compared(a.updated + a.unchanged, b.updated + b.unchanged);
  return { ...more, processed, updated, unchanged: right - updated, reset, failed: processed - right };
};

const details = (a: DefinitionCounts[], b: DefinitionCounts[], compared: Join): DefinitionCounts[] =>
  b.map((entry, index) => ({
    ...entry,
    processed: compared(a[index]?.processed ?? 0, entry.processed),
    updated: (a[index]?.updated ?? 0) + entry.updated,
  }));

const drift = (a: Drift | null, b: Drift | null, compared: Join): Drift | null =>
  a && b
    ? {
        ...a,
        parents: compared(a.parents, b.parents),
        values: compared(a.values, b.values),
        fields: joined(a.fields, b.fields, compared),
        examples: a.examples.length > 0 ? a.examples : b.examples,
      }
    : (a ?? b);

const hasRun = (report: Report): report is RunReport => report.totals !== undefined;

/** One report of two runs, of which the second went on after the first. */
const mergeTwo = (a: Report, b: Report): Report => {
  const compared = b.plan?.reading === 'slices' ? add : Math.max;
  // A run that could not begin has no counts.
  if (!hasRun(a) || !hasRun(b)) return { ...a, ...b } as Report;
  return {
    ...b,
    tookMs: a.tookMs + b.tookMs,
    totals: totals(a.totals, b.totals, compared),
    requests: requests(a.requests, b.requests),
    details: details(a.details, b.details, compared),
    drift: drift(a.drift, b.drift, compared),
    plan: a.plan ?? b.plan,
    skipped: unique([...a.skipped, ...b.skipped]),
    mixedCurrency: unique([...a.mixedCurrency, ...b.mixedCurrency]),
    notes: unique([...a.notes, ...b.notes]),
  };
};

/** @param reports in the order of the runs, at least one */
export const merge = (reports: Report[]): Report => reports.reduce(mergeTwo);
