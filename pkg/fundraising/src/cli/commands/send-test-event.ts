// Sends a signed event to a proxy that is running, and says what it answered.

import { createHmac, randomBytes } from 'node:crypto';

import { CliError, EXIT, usage } from '../../../rollups/cli/outcome.js';
import type { Command, Context, Flags } from '../context.js';

const TIMEOUT_MS = 30_000;
const DEFAULT_PORT = '3000';
/** Past this many seconds between two clocks Stripe's signatures are refused. */
const MAX_SKEW_SECONDS = 300;

interface TestEvent {
  /** What it tells, such as `checkout.session.completed`. */
  kind: string;
  id: string;
  body: string;
  headers: Record<string, string>;
  /** What comes of it. */
  effect: string;
}

interface Provider {
  name: string;
  route: string;
  secretName: string;
  signature: string;
  event: (secret: string, flags: Flags) => TestEvent;
}

const newId = (prefix: string) => `${prefix}${randomBytes(8).toString('hex')}`;
const sign = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

function stripeEvent(secret: string, { live = false, amount, currency, email }: Flags): TestEvent {
  const created = Math.floor(Date.now() / 1000);
  const id = newId('evt_test_');
  const session = {
    id: newId('cs_test_'),
    object: 'checkout.session',
    created,
    mode: 'payment',
    payment_status: 'paid',
    payment_intent: newId('pi_test_'),
    amount_total: amount,
    currency: currency?.toLowerCase(),
    customer_details: { email, name: 'Test Donor' },
  };
  const kind = 'checkout.session.completed';
  const body = JSON.stringify({ id, object: 'event', type: kind, created, livemode: live, data: { object: session } });
  return {
    kind,
    id,
    body,
    headers: { 'stripe-signature': `t=${created},v1=${sign(secret, `${created}.${body}`)}` },
    effect: live
      ? `It was told as a real payment: the proxy made a gift, or a staged gift, of ${email}.`
      : 'It was of test mode: nothing was written, unless FUNDRAISING_ACCEPT_TEST_EVENTS is on.',
  };
}

function goCardlessEvent(secret: string, { payment }: Flags): TestEvent {
  const id = newId('EVTEST');
  const [resource, action, links] = payment ? ['payments', 'confirmed', { payment }] : ['mandates', 'created', { mandate: newId('MDTEST') }];
  const event = { id, created_at: new Date().toISOString(), resource_type: resource, action, links };
  const body = JSON.stringify({ events: [event] });
  return {
    kind: `${resource}.${action}`,
    id,
    body,
    headers: { 'webhook-signature': sign(secret, body) },
    effect: payment
      ? `It confirms ${payment}: the proxy reads that payment and makes a gift, or a staged gift, of it.`
      : 'It is one of those that change nothing: nothing was written.',
  };
}

const PROVIDERS: Record<string, Provider> = {
  stripe: { name: 'Stripe', route: '/api/fundraising/webhooks/stripe', secretName: 'STRIPE_WEBHOOK_SECRET', signature: 'stripe-signature', event: stripeEvent },
  gocardless: { name: 'GoCardless', route: '/api/fundraising/webhooks/gocardless', secretName: 'GOCARDLESS_WEBHOOK_SECRET', signature: 'webhook-signature', event: goCardlessEvent },
};

export const sendTestEvent: Command = async (context, operand = '') => {
  const { screen, flags, env } = context;
  const provider = PROVIDERS[operand]!;
  const secret = (flags.secret ?? env[provider.secretName])?.trim();
  if (!secret) {
    throw usage('missing_secret', `no secret to sign with: ${provider.secretName} is missing`, 'Set it to what the proxy has, or give --secret.');
  }
  const url = `${proxyAddress(context)}${provider.route}`;
  const event = provider.event(secret, flags);
  const response = await send(context, url, event);
  const text = await response.text();
  screen.print(`Sent ${event.kind} (${event.id}) to ${url}`);
  screen.print(`Answered ${response.status}: ${meaningOf(response, provider)}`);
  if (text) screen.print(text.length > 500 ? `${text.slice(0, 500)} …` : text);
  if (response.ok) screen.print(event.effect);
  const document = { url, event: { id: event.id, kind: event.kind }, status: response.status, answer: text };
  return { exit: response.ok ? EXIT.ok : EXIT.wrong, document };
};

/** Where the proxy is, without a route: an address that has one is taken as well. */
function proxyAddress({ flags, env }: Context): string {
  const text = flags.to?.trim() || `http://127.0.0.1:${env.PORT?.trim() || DEFAULT_PORT}`;
  const url = /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.search || url.hash) {
    throw usage('invalid_url', `--to: \`${text.replace(/\/\/.*@/, '//…@')}\` is no address of a proxy`, 'It looks like https://gifts.example.org');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/fundraising(\/.*)?$/, '')}`;
}

async function send({ host }: Context, url: string, { body, headers }: TestEvent): Promise<Response> {
  const asked = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  try {
    return await host.fetch(url, asked);
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error & { code?: string } };
    const reason = cause?.code === 'ECONNREFUSED' ? 'nothing answers there' : (cause?.message || message);
    throw new CliError(EXIT.workspace, 'unreachable', `cannot reach ${url}: ${reason}`, 'twenty-fundraising serve starts a proxy; --to says where one is.');
  }
}

function meaningOf(response: Response, { name, secretName, signature }: Provider): string {
  const { status, ok, headers } = response;
  const at = Date.parse(headers.get('date') ?? '');
  const skew = Number.isNaN(at) ? 0 : Math.abs(at - Date.now()) / 1000;
  if (ok) return 'the signature is right, and the event was taken in.';
  if (status === 503) return `the proxy has no ${secretName}, or cannot read its settings.`;
  if (status === 400 || status === 498) {
    if (skew > MAX_SKEW_SECONDS) return `the signature is refused: the two clocks differ by ${Math.round(skew)} s.`;
    return `the signature is refused: the proxy has another ${secretName}, or something on the way changes the body.`;
  }
  if (status === 404 || status === 405) return `no proxy answers at this address, or a path before the route is missing.`;
  if (status === 401 || status === 403) return `something before the proxy asks for a login: let ${name}'s requests through.`;
  if (status === 413) return 'something before the proxy takes no body of this size.';
  return `the proxy could not do it: ${name} would send the event again. The header ${signature} was sent.`;
}
