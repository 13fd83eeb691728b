// One story from end to end, told to the proxy in each runtime: what comes in by hand, by review and by the payment
// providers, and what is then in Twenty.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { importPackage, prepare } from '../support/project.mjs';
import { ACCESS_TOKEN, SECRET as GOCARDLESS_SECRET, batch, startGoCardless } from '../support/gocardless.mjs';
import { RUNTIMES, UNLIMITED, call, startProxy } from '../support/proxy.mjs';
import { startWorkspace } from '../support/proxy-workspace.mjs';

const STRIPE_SECRET = 'whsec_story';

let stripe;

before(async () => {
  prepare();
  const { default: Stripe } = await importPackage('stripe');
  stripe = new Stripe('sk_test_story');
});

const pounds = (amount) => ({ amountMicros: amount * 1_000_000, currencyCode: 'GBP' });
const ada = { firstName: 'Ada', lastName: 'Byron', email: 'ada@example.org' };

for (const runtime of Object.keys(RUNTIMES)) {
  test(`the story on ${runtime}`, async (t) => {
    const { env, token, all } = await startWorkspace(t);
    const gocardless = await startGoCardless(t, {
      PM1: { amount: 1500, currency: 'GBP', charge_date: '2026-03-02', status: 'confirmed', links: { mandate: 'MD1' } },
      PM2: { amount: 700, currency: 'GBP', charge_date: '2026-03-02', status: 'failed', links: { mandate: 'MD2' } },
    });
    const settings = {
      ...env,
      ...UNLIMITED,
      STRIPE_WEBHOOK_SECRET: STRIPE_SECRET,
      GOCARDLESS_WEBHOOK_SECRET: GOCARDLESS_SECRET,
      GOCARDLESS_ACCESS_TOKEN: ACCESS_TOKEN,
      GOCARDLESS_API_URL: gocardless,
      FUNDRAISING_ENABLE_GIFT_STAGING: 'true',
    };
    const { url, output } = await startProxy(t, runtime, settings);
    const api = (method, path, more = {}) => call(url, method, `/api/fundraising${path}`, { token, ...more });
    const created = (reply) => {
      assert.equal(reply.status, 200, JSON.stringify(reply.body));
      return reply.body.data.createGift;
    };

    // By hand, from somebody who is not known yet, and from the same again.
    const byHand = (amount, giftDate) => ({
      body: { amount: pounds(amount), giftDate, contact: ada, autoProcess: true, paymentMethod: 'cash' },
    });
    const first = created(await api('POST', '/gifts', byHand(25, '2026-01-15')));
    const second = created(await api('POST', '/gifts', byHand(30, '2026-02-15')));
    assert.notEqual(first.id, second.id);
    assert.equal(first.donorId, second.donorId);
    assert.equal((await all('people')).length, 1);

    // Into staging, reviewed, promoted, and promoted once more.
    const staged = await api('POST', '/gift-staging', {
      body: { amount: pounds(40), giftDate: '2026-02-20', donorFirstName: 'Bo', donorLastName: 'Diaz', notes: 'by post' },
    });
    assert.equal(staged.status, 201, JSON.stringify(staged.body));
    const row = staged.body.data.giftStaging.id;
    const edited = await api('PATCH', `/gift-staging/${row}`, { body: { amountMicros: 45_000_000, notes: 'by post, read again' } });
    assert.equal(edited.status, 200, JSON.stringify(edited.body));
    const released = await api('PATCH', `/gift-staging/${row}/status`, { body: { processingStatus: 'ready_for_process' } });
    assert.deepEqual([released.status, released.body], [200, { ok: true }]);
    const promoted = await api('POST', `/gift-staging/${row}/process`);
    assert.equal(promoted.body.status, 'processed', JSON.stringify(promoted.body));
    const again = await api('POST', `/gift-staging/${row}/process`);
    assert.deepEqual(again.body, promoted.body);
    const bo = (await all('gifts')).find(({ id }) => id === promoted.body.giftId);
    assert.deepEqual([bo.amount, bo.giftDate], [pounds(45), '2026-02-20']);

    // A session of Stripe, signed by Stripe's own package, delivered twice at once and once more.
    const session = {
      id: 'evt_1',
      object: 'event',
      type: 'checkout.session.completed',
      created: 1_772_452_800,
      data: {
        object: {
          id: 'cs_1',
          object: 'checkout.session',
          mode: 'payment',
          payment_status: 'paid',
          payment_intent: 'pi_1',
          amount_total: 2000,
          currency: 'gbp',
          customer_details: { name: 'Ada Byron', email: 'ada@example.org' },
          metadata: {},
        },
      },
    };
    const deliver = (event) => {
      const payload = JSON.stringify(event);
      const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: STRIPE_SECRET });
      return api('POST', '/webhooks/stripe', { token: null, body: payload, headers: { 'stripe-signature': signature } });
    };
    const twice = await Promise.all([deliver(session), deliver(session)]);
    assert.deepEqual([...twice, await deliver(session)].map(({ status }) => status), [204, 204, 204], JSON.stringify(twice));
    const paid = (await all('gifts')).filter(({ providerPaymentId }) => providerPaymentId === 'pi_1');
    assert.deepEqual(paid.map(({ amount, donorId }) => [amount, donorId]), [[pounds(20), first.donorId]]);

    // A batch of GoCardless: one confirmed, one failed; a stranger's is refused.
    const events = [
      { id: 'EV1', created_at: '2026-03-02T10:00:00Z', resource_type: 'payments', action: 'confirmed', links: { payment: 'PM1' } },
      { id: 'EV2', created_at: '2026-03-02T10:00:01Z', resource_type: 'payments', action: 'failed', links: { payment: 'PM2' } },
    ];
    const sent = await api('POST', '/webhooks/gocardless', { token: null, ...batch(events) });
    assert.equal(sent.status, 202, JSON.stringify(sent.body));
    const repeated = await api('POST', '/webhooks/gocardless', { token: null, ...batch(events) });
    assert.equal(repeated.status, 202);
    const rows = await all('giftStagings');
    const debits = rows.filter(({ providerPaymentId }) => providerPaymentId === 'PM1');
    assert.deepEqual(debits.map(({ amount, provider }) => [amount, provider]), [[pounds(15), 'gocardless']]);
    const forged = await api('POST', '/webhooks/gocardless', {
      token: null,
      ...batch(events),
      headers: { 'webhook-signature': '00'.repeat(32) },
    });
    assert.equal(forged.status, 498);

    // The money of Stripe's session goes back, in part.
    const refund = {
      id: 'evt_2',
      object: 'event',
      type: 'charge.refunded',
      created: 1_772_539_200,
      data: { object: { id: 'ch_1', object: 'charge', payment_intent: 'pi_1', amount: 2000, amount_refunded: 500, currency: 'gbp', refunded: false } },
    };
    for (let round = 0; round < 2; round += 1) assert.equal((await deliver(refund)).status, 204);
    const returned = (await all('gifts')).find(({ providerPaymentId }) => providerPaymentId === 'pi_1');
    assert.deepEqual([returned.amount, returned.refundedAmount], [pounds(20), pounds(5)]);
    assert.ok(returned.refundDate);

    // Nothing secret was written down.
    for (const secret of [token, STRIPE_SECRET, GOCARDLESS_SECRET, ACCESS_TOKEN, ada.email]) {
      assert.ok(!output().includes(secret), `the log of ${runtime} holds ${secret}`);
    }
  });
}
