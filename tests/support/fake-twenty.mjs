// As much of Twenty as one event run needs: one donor, two gifts, one key. It knows no metadata, no limits, no batches.

import { bodyOf, serve } from './http-server.mjs';

export const DONOR = '783667c7-5ba5-40d4-86fe-136666dd32d2';
export const TOKEN = 'a-key';

export const GIFTS = [
  { id: '14eca0e4-40c4-42f9-85ae-e910213f6c87', donorId: DONOR, giftDate: '2026-02-01', ...pounds(20) },
  { id: '39759e8a-80d6-4e7f-9702-cbbb16770ea6', donorId: DONOR, giftDate: '2025-12-31', ...pounds(5) },
];

function pounds(amount) {
  return { amount: { amountMicros: amount * 1_000_000, currencyCode: 'GBP' } };
}

/** Serves until the test is over, and gives the address. */
export async function fakeTwenty(t) {
  let donor;
  const reset = () => {
    donor = {
      id: DONOR,
      lifetimeGiftAmount: { amountMicros: null, currencyCode: null },
      lifetimeGiftCount: null,
      createdAt: '2020-01-01T00:00:00.000Z',
      updatedAt: '2020-01-01T00:00:00.000Z',
      deletedAt: null,
    };
  };

  const routes = {
    'POST /reset': () => {
      reset();
      return [200, {}];
    },
    'GET /rest/people': () => [200, page({ people: [donor] }, 1)],
    'GET /rest/gifts': () => [200, page({ gifts: GIFTS }, GIFTS.length)],
    [`PATCH /rest/people/${DONOR}`]: (body) => {
      Object.assign(donor, body);
      return [200, { data: { updatePerson: donor } }];
    },
  };

  const url = await serve(t, async (request, response) => {
    const body = (await bodyOf(request)).toString();
    const route = routes[`${request.method} ${request.url.split('?')[0]}`];
    const [status, answer] =
      request.headers.authorization !== `Bearer ${TOKEN}` && request.url !== '/reset'
        ? refusal(401, 'UnauthorizedException', 'Token invalid.')
        : (route?.(body && JSON.parse(body)) ?? refusal(403, 'ForbiddenException', 'Not for this key.'));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  reset();
  return url;
}

const page = (data, totalCount) => ({
  data,
  totalCount,
  pageInfo: { hasNextPage: false, startCursor: 'a', endCursor: 'z' },
});

const refusal = (statusCode, error, message) => [statusCode, { statusCode, error, messages: [message] }];
