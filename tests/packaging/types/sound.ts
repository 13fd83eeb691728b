// Type-checked and never run: what a careful user writes, and the mistakes that the types must catch.

import {
  type Aggregation,
  type Condition,
  type Configuration,
  type Definition,
  type LogEvent,
  type Report,
  type Store,
  calculateRollups,
  computeTotals,
  validateDefinitions,
} from 'twenty-rollups';
import { type TestCase, type TestError, type TestFile, testTotals } from 'twenty-rollups/testing';

const definition: Definition = {
  parentObject: 'person',
  childObject: 'gift',
  relationField: 'donorId',
  childFilters: [
    { field: 'amount.amountMicros', operator: 'gt', value: 0 },
    { field: 'status', operator: 'notIn', value: ['refunded', null] },
  ],
  aggregations: [
    {
      type: 'SUM',
      childField: 'amount.amountMicros',
      currencyField: 'amount.currencyCode',
      subtractField: 'refundedAmount.amountMicros',
      parentField: 'yearToDateGiftAmount',
      filters: [{ field: 'giftDate', operator: 'gte', dynamicValue: 'startOfYear' }],
    },
    { type: 'COUNT', parentField: 'lifetimeGiftCount' },
  ],
};

const configuration: Configuration = {
  definitions: [definition],
  timeZone: 'Europe/London',
  fiscalYearStartMonth: 4,
  pacing: { requestsPerMinute: 60 },
  graphql: 'auto',
  rebuild: { parentsPerRun: 200 },
};

const kept = new Map<string, string>();
const store: Store = {
  get: (key) => kept.get(key),
  set: (key, value) => kept.set(key, value),
  delete: async (key) => kept.delete(key),
};

export async function sweep(env: Record<string, string>): Promise<string[]> {
  const enqueue = async (payload: object, delayMs: number) => delayMs > 0 && JSON.stringify(payload).length > 0;
  const report = await calculateRollups({ sweep: true }, { env, store, enqueue });
  if (report.checkpoint) await calculateRollups({ checkpoint: report.checkpoint }, { env, store });
  return report.drift?.examples.map(({ parentObject, field }) => `${parentObject}.${field}`) ?? [];
}

export async function rebuild(env: Record<string, string | undefined>): Promise<number> {
  const report: Report = await calculateRollups({}, { env, config: configuration, timeLimitSeconds: 300, fetch });
  switch (report.status) {
    case 'error':
      throw new Error(`${report.code}: ${report.message}`);
    case 'partial':
    case 'ok':
    case 'noop':
      return report.totals.updated + report.requests.total;
  }
}

export const totals = computeTotals(definition, [{ id: '1', giftDate: '2026-02-01' }], { now: new Date() });
export const amount: unknown = totals.yearToDateGiftAmount;
export const fromText = computeTotals(definition, '[]', { now: '2026-02-01T00:00:00Z', timeZone: 'Europe/London' });
export const places: string[] = validateDefinitions([definition]).errors.map((fault) => fault.place);

export const isDebug = ({ level }: LogEvent): boolean => level === 'debug';
export const refunded: Condition = { field: 'amount', subtractField: 'refunded', operator: 'equals', value: 0 };

const oneGift: TestCase = {
  name: 'one gift',
  parentObject: 'person',
  day: '2026-11-30',
  records: { gift: [{ giftDate: '2026-02-01', amount: '12.50 GBP' }, { amount: { amountMicros: 1, currencyCode: 'GBP' } }] },
  expected: { lifetimeGiftCount: 1, lastGiftDate: null, lifetimeGiftAmount: { noTotal: true } },
};
const tests: TestFile = { cases: [oneGift] };

export const failed: string[] = testTotals(configuration, tests).flatMap(({ passed, differences }) => (passed ? [] : differences));
export const firstTotal: unknown = testTotals([definition], tests)[0]?.actual.lifetimeGiftCount;
export const faultsOf = (error: TestError): string[] => error.faults.map(({ place, message }) => `${place}: ${message}`);

// @ts-expect-error a total is no truth value
export const truth: TestCase = { ...oneGift, expected: { lifetimeGiftCount: true } };

// @ts-expect-error a case has a day
export const dayless: TestCase = { name: 'no day', parentObject: 'person', records: {}, expected: {} };

// @ts-expect-error only a SUM subtracts
export const meanOfRest: Aggregation = { type: 'AVG', childField: 'amount', subtractField: 'refunded', parentField: 'mean' };

// @ts-expect-error a list needs `in` or `notIn`
export const listForEquals: Definition['childFilters'] = [{ field: 'x', operator: 'equals', value: ['a'] }];

// @ts-expect-error one of `value` and `dynamicValue`
export const both: Definition['childFilters'] = [{ field: 'x', operator: 'gt', value: 1, dynamicValue: 'today' }];

// @ts-expect-error a SUM needs a `childField`
export const sumOfNothing: Definition['aggregations'] = [{ type: 'SUM', parentField: 'total' }];

// @ts-expect-error there is no such operator
export const like: Definition['childFilters'] = [{ field: 'x', operator: 'like', value: 'a' }];

// @ts-expect-error a misspelt option
void calculateRollups({}, { apiUr: 'https://crm.example.org' });

// @ts-expect-error a store forgets as well
void calculateRollups({}, { store: { get: () => null, set: () => {} } });

// @ts-expect-error a time is a Date or an ISO string
computeTotals(definition, [], { now: 1767225600000 });

// @ts-expect-error an error has no complete counts
export const processed = (report: Report): number => report.totals.processed;
