//! Days and instants: those of the charity, and those that nobody can mean.

use ports::Timestamp;
use serde_json::{Value, json};
use support::{ServiceWorld, ten};
use uuid::Uuid;

use super::events::{batch, fill, paid_session, refund_total, refunded, session, stripe};

/// What is kept of a payment's refunds
fn note(world: &ServiceWorld) -> Value {
    let is_note = |row: &Value| row["intakeSource"].as_str().is_some_and(|source| source.ends_with("_note"));
    world.live("giftStaging").into_iter().find(is_note).unwrap_or_default()
}

fn question(world: &ServiceWorld) -> Option<String> {
    let note = note(world);
    (note["processingStatus"] == "validation_failed").then(|| note["errorDetail"]["message"].as_str().unwrap().into())
}

/// Money that went back on a day that nobody can mean went back all the same, and a reviewer is asked for the day.
#[tokio::test(start_paused = true)]
async fn refunds_of_days_nobody_means() {
    for staging in [false, true] {
        for (created, words) in [
            (json!(4_102_444_800_i64), "more than a year ahead"),
            (json!(-3_018_340_800_i64), "before 1900"),
            (json!(1_772_400_000_000_i64), "cannot be read"),
            (Value::Null, "cannot be read"),
            (json!(0), "cannot be read"),
        ] {
            let world = ServiceWorld::new(staging);
            assert_eq!(world.deliver(&paid_session()).await, 204);
            let mut event = refund_total("evt_r", 0, 500);
            event["created"] = created.clone();
            assert_eq!(world.deliver(&event).await, 204, "{created}");
            let gift = world.only("gift");
            assert_eq!((refunded(&world), &gift["refundDate"]), (5_000_000, &Value::Null), "{created}");
            assert!(question(&world).is_some_and(|question| question.contains(words)), "{created}: {}", note(&world));
            assert_eq!(world.live("gift").len(), 1);

            // The reviewer's answer stays, and they are not asked again.
            let id: Uuid = note(&world)["id"].as_str().unwrap().parse().unwrap();
            world.patch("giftStaging", id, &json!({ "processingStatus": "cancelled" }));
            let gift: Uuid = gift["id"].as_str().unwrap().parse().unwrap();
            world.patch("gift", gift, &json!({ "refundDate": "2026-03-01T00:00:00.000Z" }));
            assert_eq!(world.deliver(&event).await, 204);
            assert_eq!((question(&world), refunded(&world)), (None, 5_000_000));
            assert!(world.only("gift")["refundDate"].as_str().unwrap().starts_with("2026-03-01"));

            // Later words are heard.
            assert_eq!(world.deliver(&refund_total("evt_s", 30, 700)).await, 204);
            assert_eq!(refunded(&world), 7_000_000);
            assert!(world.only("gift")["refundDate"].as_str().unwrap().starts_with("2026-03-01T21:20:30"));
        }
    }
}

/// The same of refunds that are told before their gift, of disputes, and of direct debits that came back.
#[tokio::test(start_paused = true)]
async fn other_returns_of_days_nobody_means() {
    let world = ServiceWorld::new(true);
    let mut early = refund_total("evt_r", 0, 500);
    early["created"] = json!(4_102_444_800_i64);
    for event in [&early, &paid_session()] {
        assert_eq!(world.deliver(event).await, 204);
    }
    assert_eq!((refunded(&world), question(&world).is_some()), (5_000_000, true));

    let world = ServiceWorld::new(false);
    let dispute = json!({ "id": "dp_1", "charge": "ch_1", "payment_intent": "pi_1", "amount": 2_500, "currency": "gbp", "status": "lost" });
    let mut lost = stripe("evt_d", "charge.dispute.closed", 0, dispute);
    lost["created"] = json!(-3_018_340_800_i64);
    for event in [&paid_session(), &lost] {
        assert_eq!(world.deliver(event).await, 204);
    }
    assert_eq!((refunded(&world), &world.only("gift")["refundDate"]), (25_000_000, &Value::Null));
    assert!(question(&world).is_some());

    for (resource, action, micros) in [("refunds", "created", 5_000_000), ("payments", "charged_back", 15_000_000)] {
        for created in [json!("1874-05-01T10:00:00Z"), json!("2100-01-01T00:00:00Z"), json!("soon"), Value::Null] {
            let world = ServiceWorld::new(false);
            fill(&world);
            let mut back = batch(&[(resource, action, 9)]);
            back["events"][0]["created_at"] = created.clone();
            for event in [&batch(&[("payments", "confirmed", 1)]), &back, &back] {
                assert_eq!(world.deliver(event).await, 202);
            }
            assert_eq!(
                (refunded(&world), &world.only("gift")["refundDate"], question(&world).is_some()),
                (micros, &Value::Null, true),
                "{action} {created}"
            );
        }
    }
}

/// A failure of a refund whose day nobody can mean is asked about too, though it does not outrank what is known.
#[tokio::test(start_paused = true)]
async fn undone_refund_of_no_day() {
    let world = ServiceWorld::new(true);
    let refund = |status: &str| json!({ "id": "re_1", "payment_intent": "pi_1", "amount": 700, "currency": "gbp", "status": status });
    let mut failed = stripe("evt_f", "refund.failed", 0, refund("failed"));
    failed["created"] = json!(0);
    for event in [&paid_session(), &stripe("evt_r", "refund.created", 5, refund("succeeded")), &failed] {
        assert_eq!(world.deliver(event).await, 204);
    }
    assert!(question(&world).is_some());
}

/// Money that went back, nobody knows how much, is a question, and counts once the amount is told.
#[tokio::test(start_paused = true)]
async fn refunds_of_unreadable_amounts() {
    for (amount, currency) in [(Value::Null, "gbp"), (json!(7.5), "gbp"), (json!(700), "pounds")] {
        let world = ServiceWorld::new(false);
        let refund = |amount: &Value, currency: &str| json!({ "id": "re_1", "payment_intent": "pi_1", "amount": amount, "currency": currency, "status": "succeeded" });
        let created = stripe("evt_r", "refund.created", 5, refund(&amount, currency));
        for event in [&paid_session(), &created, &created] {
            assert_eq!(world.deliver(event).await, 204);
        }
        assert_eq!(refunded(&world), 0);
        assert!(question(&world).is_some_and(|question| question.contains("refundedAmount")), "{amount} {currency}");
        let blockers = note(&world)["processingDiagnostics"]["processingBlockers"].clone();
        assert!(blockers.as_array().unwrap().contains(&json!("amount_unreadable")), "{blockers}");
        assert_eq!(world.deliver(&stripe("evt_s", "refund.updated", 6, refund(&json!(700), "gbp"))).await, 204);
        assert_eq!(refunded(&world), 7_000_000);
    }
}

/// Days of payouts and words about agreements that nobody can mean keep nothing out and nothing back.
#[tokio::test(start_paused = true)]
async fn payouts_and_mandates_of_days_nobody_means() {
    for (arrival, created) in [("1874-03-02", "2026-03-02T10:00:00Z"), ("2026-03-02", "nonsense")] {
        let world = ServiceWorld::new(false);
        fill(&world);
        world.resources.borrow_mut().get_mut("payouts/PO1").unwrap()["arrival_date"] = json!(arrival);
        let mut paid = batch(&[("payouts", "paid", 4)]);
        paid["events"][0]["created_at"] = json!(created);
        assert_eq!(world.deliver(&paid).await, 202);
        let payout = world.only("giftPayout");
        assert_eq!(payout["depositNetAmount"]["amountMicros"], json!(14_000_000));
        let is_odd = arrival.starts_with("1874");
        assert_eq!(payout["status"] == "variance", is_odd, "{payout}");
        assert_eq!(payout["depositDate"].is_null(), is_odd);
        assert_eq!(payout["varianceReason"].as_str().is_some_and(|reason| reason.contains("before 1900")), is_odd);
        assert!(payout["confirmedAt"].as_str().unwrap().starts_with("2026-"), "{payout}");
    }
    for created in ["1874-05-01T10:00:00Z", "2100-01-01T00:00:00Z", "nonsense"] {
        let world = ServiceWorld::new(true);
        world.create("recurringAgreement", &json!({ "status": "active", "mandateReference": "MD1" }));
        let mut failed = batch(&[("mandates", "failed", 1)]);
        failed["events"][0]["created_at"] = json!(created);
        assert_eq!(world.deliver(&failed).await, 202);
        let agreement = world.only("recurringAgreement");
        assert_eq!(agreement["status"], "delinquent", "{created}");
        assert!(agreement["statusUpdatedAt"].as_str().unwrap().starts_with(&ten().to_string()[..10]), "{agreement}");
        let later = Timestamp::from_millis(ten().as_millis() + 86_400_000).to_string();
        let mut active = batch(&[("mandates", "suspended_by_payer", 2)]);
        active["events"][0]["created_at"] = json!(later);
        assert_eq!(world.deliver(&active).await, 202);
        assert_eq!(world.only("recurringAgreement")["status"], "paused", "{created}");
    }
}

/// An announcement that comes after the failure of its payment does not wait for ever.
#[tokio::test(start_paused = true)]
async fn failure_before_its_announcement() {
    let unpaid = stripe("evt_1", "checkout.session.completed", 0, session(json!({ "payment_status": "unpaid" })));
    let declined = stripe("evt_2", "checkout.session.async_payment_failed", 9, session(json!({})));
    let paid = stripe("evt_3", "checkout.session.async_payment_succeeded", 20, session(json!({})));
    let row = |world: &ServiceWorld| super::events::rows(world)[0]["processingStatus"].as_str().unwrap().to_owned();
    for order in [[&unpaid, &declined], [&declined, &unpaid]] {
        let world = ServiceWorld::new(true);
        for event in order {
            assert_eq!(world.deliver(event).await, 204);
        }
        assert_eq!(row(&world), "validation_failed");
        // It is a gift all the same where the payer paid after all, and nothing of it went back.
        assert_eq!(world.deliver(&paid).await, 204);
        assert_eq!((row(&world).as_str(), refunded(&world)), ("processed", 0));
    }
    // A method that takes days is declined by its payment too; a card is declined before anything is announced.
    for (kind, error, state) in [
        ("payment_intent.payment_failed", json!({ "payment_method": { "type": "bacs_debit" } }), "validation_failed"),
        ("payment_intent.payment_failed", json!({ "message": "no" }), "validation_failed"),
        ("payment_intent.payment_failed", json!({ "payment_method": { "type": "card" } }), "pending"),
        ("charge.failed", Value::Null, "validation_failed"),
    ] {
        let world = ServiceWorld::new(true);
        let object = json!({ "id": if error.is_null() { "ch_1" } else { "pi_1" }, "payment_intent": "pi_1", "last_payment_error": error });
        for event in [&stripe("evt_2", kind, 9, object), &unpaid] {
            assert_eq!(world.deliver(event).await, 204);
        }
        assert_eq!(row(&world), state, "{kind} {error}");
    }
    for events in [
        [("payments", "created", 1), ("payments", "cancelled", 5)],
        [("payments", "failed", 5), ("payments", "submitted", 2)],
        [("payments", "customer_approval_denied", 5), ("payments", "created", 1)],
    ] {
        let world = ServiceWorld::new(true);
        fill(&world);
        for event in events {
            assert_eq!(world.deliver(&batch(&[event])).await, 202);
        }
        assert_eq!(row(&world), "validation_failed", "{events:?}");
    }
    let world = ServiceWorld::new(true);
    fill(&world);
    for event in [("payments", "failed", 5), ("payments", "resubmission_requested", 6)] {
        assert_eq!(world.deliver(&batch(&[event])).await, 202);
    }
    assert_eq!(row(&world), "pending", "it is tried again");
    let world = ServiceWorld::new(false);
    assert_eq!(world.deliver(&declined).await, 204);
    assert!(world.live("giftStaging").is_empty());
}

/// The day of a gift is the day at the charity.
#[tokio::test(start_paused = true)]
async fn days_of_the_time_zone() {
    for (zone, instant, day) in [
        ("UTC", "2026-01-01T03:30:00Z", "2026-01-01"),
        ("America/New_York", "2026-01-01T03:30:00Z", "2025-12-31"),
        ("Pacific/Auckland", "2025-12-31T11:30:00Z", "2026-01-01"),
        ("Europe/London", "2025-04-05T23:30:00Z", "2025-04-06"),
    ] {
        let mut world = ServiceWorld::new(false);
        world.settings.time_zone = zone.into();
        let at = Timestamp::parse(instant).unwrap();
        let mut event = stripe("evt_1", "checkout.session.completed", 0, session(json!({})));
        event["created"] = json!(at.as_millis() / 1_000);
        assert_eq!(world.deliver(&event).await, 204);
        assert_eq!(world.only("gift")["giftDate"], day, "{zone}, Stripe");
    }
}
