// What the package is asked in every runtime. It uses nothing that one of them lacks.

const DONOR = '783667c7-5ba5-40d4-86fe-136666dd32d2';

const definition = {
  parentObject: 'person',
  childObject: 'gift',
  relationField: 'donorId',
  aggregations: [
    {
      type: 'SUM',
      childField: 'amount.amountMicros',
      currencyField: 'amount.currencyCode',
      parentField: 'lifetimeGiftAmount',
    },
    { type: 'COUNT', parentField: 'lifetimeGiftCount' },
  ],
};

const event = {
  name: 'gift.created',
  recordId: '14eca0e4-40c4-42f9-85ae-e910213f6c87',
  objectMetadata: { nameSingular: 'gift' },
  properties: { after: { donorId: DONOR } },
};

export async function scenario({ calculateRollups, computeTotals, validateDefinitions }, url) {
  const logged = [];
  const options = {
    env: { TWENTY_API_URL: url, TWENTY_API_KEY: 'a-key', UNRELATED: 5 },
    config: [definition],
    log: ({ event }) => logged.push(event),
  };
  await fetch(`${url}/reset`, { method: 'POST' });

  // Gifts around midnight on New Year's Eve in London, when London is on UTC, and in June, when it is not.
  const children = ['2025-12-31T23:59:59.000Z', '2026-01-01T00:00:00.000Z', '2026-06-30T23:30:00.000Z'].map(
    (createdAt, index) => ({ createdAt, amount: { amountMicros: 9e15 + index, currencyCode: 'GBP' } }),
  );
  const pure = {
    ...definition,
    aggregations: [
      ...definition.aggregations,
      { type: 'MAX', childField: 'createdAt', parentField: 'lastGiftDate' },
      {
        type: 'COUNT',
        parentField: 'yearToDateGiftCount',
        filters: [{ field: 'createdAt', operator: 'gte', dynamicValue: 'startOfYear' }],
      },
    ],
  };
  const moment = { now: '2026-07-01T12:00:00Z', timeZone: 'Europe/London' };

  const answers = {
    totals: computeTotals(pure, children, moment),
    totalsOfText: computeTotals(pure, JSON.stringify(children), { ...moment, now: new Date(moment.now) }),
    sound: validateDefinitions([definition]),
    unsound: validateDefinitions([{ ...definition, relationField: 5 }]),
    mistakes: [
      await failure(() => calculateRollups({}, { apiUr: url })),
      await failure(() => calculateRollups({}, { fetch: 5 })),
      await failure(() => computeTotals(definition, 5, {})),
      await failure(() => computeTotals(definition, [], { timeZone: 'Mars/Base' })),
    ],
    refused: brief(await calculateRollups(event, { ...options, token: 'another-key' })),
    first: brief(await calculateRollups(event, options)),
    second: brief(await calculateRollups(event, options)),
    unreachable: (await calculateRollups(event, { ...options, apiUrl: 'http://127.0.0.1:9', timeLimitSeconds: 1 })).status,
  };

  // The clock breaks while the engine waits for its first answer: an exception flies through the module.
  const clock = Date.now;
  const breaking = async () => {
    Date.now = () => {
      throw new Error('the clock broke');
    };
    return new Response('{}');
  };
  answers.broken = await calculateRollups(event, { ...options, fetch: breaking });
  Date.now = clock;
  answers.afterwards = brief(await calculateRollups(event, options));
  return { ...answers, logged: [...new Set(logged)].sort() };
}

/** A report without what differs from run to run. */
const brief = ({ status, code, mode, totals, requests }) => ({
  status,
  code,
  mode,
  updated: totals.updated,
  unchanged: totals.unchanged,
  byEndpoint: requests.byEndpoint,
});

async function failure(call) {
  try {
    await call();
    return 'nothing was thrown';
  } catch (error) {
    return { error: error instanceof Error, code: error.code, message: error.message };
  }
}
