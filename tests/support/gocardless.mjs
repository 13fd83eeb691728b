// As much of GoCardless as the proxy asks: payments by id, for one access token. And the events that it would send.

import { createHmac } from 'node:crypto';

import { serve } from './http-server.mjs';

export const ACCESS_TOKEN = 'gocardless-token';
export const SECRET = 'gocardless-secret';

/** Serves these payments, by id, until the test is over; gives the address. */
export async function startGoCardless(t, payments) {
  const url = await serve(t, (request, response) => {
    const id = /^\/payments\/([^/?]+)$/.exec(request.url)?.[1];
    const known = request.headers.authorization === `Bearer ${ACCESS_TOKEN}` ? payments[id] : undefined;
    const reply = known ? { payments: { id, ...known } } : { error: { code: 404, message: 'Resource not found' } };
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  return url;
}

/** A batch as it is sent: its text and its signature. */
export function batch(events) {
  const body = JSON.stringify({ events });
  return { body, headers: { 'webhook-signature': createHmac('sha256', SECRET).update(body).digest('hex') } };
}
