// Are address, token, data model, webhook secrets and settings right? Reads, and writes nothing.

import { CliError, EXIT, type ExitCode } from '../../../rollups/cli/outcome.js';
import type { Command, Context } from '../context.js';
import { missingNames, quietReadinessOf } from '../readiness.js';
import { faultsOf, isOn, requireAddress, tokenIn } from '../settings.js';
import { requireTwenty } from '../workspace.js';

const TIMEOUT_MS = 20_000;
const GOCARDLESS_URL = 'https://api.gocardless.com';
const GOCARDLESS_VERSION = '2015-07-06';
/** Names that can be meant for the proxy, or for the engine, and for nothing else. */
const OURS = /^FUNDRAISING_/i;
/** Names of missing parts that are shown. */
const MAX_SHOWN = 20;

interface Finding {
  /** What was looked at. */
  name: string;
  status: 'ok' | 'note' | 'wrong';
  message: string;
  /** Of something that is wrong. */
  exit?: ExitCode;
}

const ok = (name: string, message: string): Finding => ({ name, status: 'ok', message });
const note = (name: string, message: string): Finding => ({ name, status: 'note', message });
const wrong = (name: string, message: string, exit: ExitCode = EXIT.wrong): Finding => ({ name, status: 'wrong', message, exit });

export const check: Command = async (context) => {
  const { screen } = context;
  const findings: Finding[] = [];
  for await (const finding of look(context)) {
    findings.push(finding);
    show(context, finding);
  }
  const worst = findings.reduce<ExitCode>((most, { exit = EXIT.ok }) => (exit > most ? exit : most), EXIT.ok);
  const count = findings.filter(({ status }) => status === 'wrong').length;
  screen.print(count === 0 ? 'Nothing is wrong. Not tried: writing; send-test-event tries a webhook.' : `${count} wrong.`);
  return { exit: worst, document: { findings: findings.map(({ name, status, message }) => ({ name, status, message })) } };
};

const STATUS_WIDTH = 5;
const NAME_WIDTH = 11;
/** Columns of a line, unless a word of it is longer. */
const MAX_WIDTH = 60;

function show({ screen }: Context, { name, status, message }: Finding): void {
  const { green, yellow, red } = screen.colors;
  const color = { ok: green, note: yellow, wrong: red }[status];
  const [first = '', ...rest] = message.split('\n').flatMap(wrapped);
  screen.print(`${color(status.padEnd(STATUS_WIDTH))} ${name.padEnd(NAME_WIDTH)}${first}`);
  for (const line of rest) screen.print(`${' '.repeat(STATUS_WIDTH + 1 + NAME_WIDTH)}${line}`);
}

/** A text in lines that fit beside the name, broken between words. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > MAX_WIDTH - STATUS_WIDTH - 1 - NAME_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

async function* look(context: Context): AsyncGenerator<Finding> {
  const { host, flags, env } = context;
  const proxy = await host.proxy();
  const faults = faultsOf(proxy.settingErrors(env), flags);
  for (const fault of faults) yield wrong('settings', fault, EXIT.usage);
  const names = proxy.settingNames();
  const unknown = Object.keys(env).filter((name) => OURS.test(name) && !names.includes(name));
  for (const name of unknown) yield note('settings', `${name} is no setting: see the table in docs/PROXY.md`);
  if (faults.length > 0) return;
  const set = names.filter((name) => env[name]?.trim());
  yield ok('settings', set.length === 0 ? 'none is set' : `${set.length} set, and all can be read`);

  // Names that are no settings are told already.
  const known = Object.fromEntries(names.map((name) => [name, env[name]]));
  yield* lookAtTwenty(context, known);
  yield lookAtStripe(env);
  yield* lookAtGoCardless(context);
  yield* lookAtGifts(env);
}

async function* lookAtTwenty({ host, flags, env }: Context, known: Context['env']): AsyncGenerator<Finding> {
  let restUrl;
  try {
    const address = requireAddress(env, flags);
    restUrl = address.restUrl;
    yield ok('address', `${restUrl} (${address.from})`);
  } catch (error) {
    yield wrong('address', withHint(error as CliError), EXIT.usage);
    return;
  }
  const token = tokenIn(env, flags);
  if (!token) {
    yield wrong('token', 'none: webhooks, timers and this check need one\nSet TWENTY_API_KEY, or give --token.', EXIT.usage);
    return;
  }
  try {
    await requireTwenty(restUrl, token.token, host.fetch);
    yield ok('token', `Twenty accepts it (${token.from})`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    yield wrong(error.code === 'unauthorized' ? 'token' : 'address', withHint(error), error.exit);
    return;
  }
  const ready = await quietReadinessOf(await host.proxy(), { ...known, FUNDRAISING_REQUESTS_PER_MINUTE: 'off' });
  if (ready.status === 'ready') yield ok('data model', 'the workspace has all of it');
  else if (ready.status === 'unchecked') yield note('data model', `not compared: ${ready.reason}`);
  else if (ready.status === 'unreachable') yield wrong('data model', `not compared: ${ready.message}`, EXIT.workspace);
  else {
    const missing = missingNames(ready);
    const shown = missing.slice(0, MAX_SHOWN).map((name) => `- ${name}`);
    const more = missing.length > MAX_SHOWN ? [`… and ${missing.length - MAX_SHOWN} more`] : [];
    const advice = ['twenty-fundraising provision makes them;', 'FUNDRAISING_MODEL names what is called otherwise.'];
    yield wrong('data model', [`the workspace lacks ${missing.length} of its parts:`, ...shown, ...more, ...advice].join('\n'));
  }
}

const withHint = ({ message, hint }: CliError) => (hint ? `${message}\n${hint}` : message);

function lookAtStripe(env: Context['env']): Finding {
  const secret = env.STRIPE_WEBHOOK_SECRET?.trim();
  if (!secret) return note('stripe', 'off: without STRIPE_WEBHOOK_SECRET its events are answered 503');
  if (/^[srp]k_/.test(secret)) {
    return wrong('stripe', 'STRIPE_WEBHOOK_SECRET is an API key\nThe signing secret of the webhook endpoint begins with whsec_.');
  }
  if (!secret.startsWith('whsec_')) return note('stripe', "STRIPE_WEBHOOK_SECRET does not begin with whsec_, as Stripe's do");
  return ok('stripe', 'STRIPE_WEBHOOK_SECRET has the form of a signing secret');
}

async function* lookAtGoCardless({ host, env }: Context): AsyncGenerator<Finding> {
  const secret = env.GOCARDLESS_WEBHOOK_SECRET?.trim();
  const token = env.GOCARDLESS_ACCESS_TOKEN?.trim();
  if (!secret) yield note('gocardless', 'off: without GOCARDLESS_WEBHOOK_SECRET its events are answered 503');
  else if (secret === token) {
    yield wrong('gocardless', 'GOCARDLESS_WEBHOOK_SECRET is the access token\nThe secret is that of the webhook endpoint.');
    return;
  } else yield ok('gocardless', 'GOCARDLESS_WEBHOOK_SECRET is set');
  if (!token) {
    if (secret) yield note('gocardless', 'without GOCARDLESS_ACCESS_TOKEN amounts are not known:\ngifts are staged with amount_missing');
    return;
  }
  const url = (env.GOCARDLESS_API_URL?.trim() || GOCARDLESS_URL).replace(/\/+$/, '');
  const isSandboxUrl = url.includes('sandbox');
  if ((token.startsWith('sandbox_') && url === GOCARDLESS_URL) || (token.startsWith('live_') && isSandboxUrl)) {
    yield wrong('gocardless', `the access token is not for ${url}\nIt is ${isSandboxUrl ? 'a live token: GOCARDLESS_API_URL is the sandbox' : 'of the sandbox: set GOCARDLESS_API_URL to https://api-sandbox.gocardless.com'}.`);
    return;
  }
  const headers = { authorization: `Bearer ${token}`, 'gocardless-version': GOCARDLESS_VERSION };
  const asked = host.fetch(`${url}/payments?limit=1`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const status = await asked.then((response) => response.status, () => undefined);
  if (status === 200) yield ok('gocardless', `${url} accepts the access token`);
  else if (status === undefined) yield wrong('gocardless', `${url} cannot be reached`, EXIT.workspace);
  else yield wrong('gocardless', `${url} answers ${status} to the access token`, EXIT.workspace);
}

function* lookAtGifts(env: Context['env']): Generator<Finding> {
  yield isOn(env, 'FUNDRAISING_ENABLE_GIFT_STAGING')
    ? ok('staging', 'on; a timer is to process what is due (serve --process-every)')
    : note('staging', 'off: payments that leave a question become gifts with a warning\nFUNDRAISING_ENABLE_GIFT_STAGING=on keeps them for a reviewer.');
  const zone = env.FUNDRAISING_TIME_ZONE?.trim();
  yield zone ? ok('time zone', zone) : note('time zone', 'UTC: set FUNDRAISING_TIME_ZONE if the day of a gift is to be yours');
  if (isOn(env, 'FUNDRAISING_GIFT_AID')) yield ok('gift aid', 'decided for each gift');
  if (isOn(env, 'FUNDRAISING_ACCEPT_TEST_EVENTS')) yield note('test events', "events of Stripe's test mode make gifts");
}
