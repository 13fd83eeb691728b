/**
 * `npm run bench`: what becomes of many different gifts at once, on a fresh process with the default budget in front of a
 * sandbox with default limits, with and without staging, and of a webhook right after them. All bursts run side by side,
 * each on servers of its own; most of their half minute is waiting.
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { provision } from '../../pkg/fundraising/provision.js';
import { startSandbox } from '../support/sandbox.mjs';

const SERVER = fileURLToPath(new URL('../../pkg/fundraising/server.js', import.meta.url));
const SECRET = 'whsec_bench';

const gift = (number) => ({
  amount: { amountMicros: (number + 1) * 1_000_000, currencyCode: 'GBP' },
  giftDate: '2026-01-15',
  externalId: `burst-${number}`,
  autoProcess: true,
  contact: { firstName: `Giver${number}`, lastName: 'Burst', email: `giver${number}@example.org` },
});

const payment = () =>
  JSON.stringify({
    id: 'evt_1',
    type: 'checkout.session.completed',
    created: Math.floor(Date.now() / 1000),
    data: {
      object: {
        id: 'cs_1',
        mode: 'payment',
        payment_status: 'paid',
        amount_total: 2500,
        currency: 'gbp',
        payment_intent: 'pi_1',
        customer_details: { name: 'Wendy Hook', email: 'hook@example.org' },
        metadata: {},
      },
    },
  });

const startProxy = async (env) => {
  const child = spawn(process.execPath, [SERVER, '--port', '0'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line);
    if (url) return { url, child };
  }
  throw new Error('the proxy ended before it listened');
};

const stop = async (child) => {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
};

async function burst(count, staging) {
  const { ready, stop: stopSandbox } = await startSandbox(['--port', '0']);
  const upstream = { TWENTY_API_BASE_URL: `${ready.url}/rest`, TWENTY_API_KEY: ready.token };
  await provision(upstream);
  const { url, child } = await startProxy({
    PATH: process.env.PATH,
    ...upstream,
    STRIPE_WEBHOOK_SECRET: SECRET,
    FUNDRAISING_ENABLE_GIFT_STAGING: String(staging),
  });
  const post = async (path, body, headers) => {
    const response = await fetch(`${url}/api/fundraising/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, reply: await response.text() };
  };
  const outcome = { count, staging, gifts: 0, soon: 0, refused: 0, waiting: 0, answers: 0 };
  const began = performance.now();
  await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const authorization = `Bearer ${ready.token}`;
      const { status, reply } = await post('gifts', JSON.stringify(gift(number)), { authorization });
      const seconds = (performance.now() - began) / 1000;
      outcome.answers = Math.max(outcome.answers, seconds);
      if (status !== 200) outcome.refused += 1;
      else if (!JSON.parse(reply).data.createGift) outcome.waiting += 1;
      else {
        outcome.gifts += 1;
        if (seconds <= 20) outcome.soon += 1;
      }
    }),
  );
  const body = payment();
  const at = Math.floor(Date.now() / 1000);
  const v1 = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex');
  outcome.webhook = (await post('webhooks/stripe', body, { 'stripe-signature': `t=${at},v1=${v1}` })).status;
  // The burst has spent what Twenty takes in a minute.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const rows = await fetch(`${ready.url}/rest/giftStagings?limit=200&filter=processingStatus[eq]:processing`, {
    headers: { authorization: `Bearer ${ready.token}` },
  });
  outcome.processing = (await rows.json()).data.giftStagings.length;
  await stop(child);
  await stopSandbox();
  return outcome;
}

const outcomes = await Promise.all([true, false].flatMap((staging) => [20, 50, 200].map((count) => burst(count, staging))));
console.log('\nGifts at once, default budget and limits\n');
console.log('| at once | staging | gifts | within 20 s | refused | waiting | last answer after | webhook right after | rows in processing |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const { count, staging, gifts, soon, refused, waiting, answers, webhook, processing } of outcomes) {
  const cells = [count, staging ? 'on' : 'off', gifts, soon, refused, waiting, `${answers.toFixed(1)} s`, webhook, processing];
  console.log(`| ${cells.join(' | ')} |`);
}
