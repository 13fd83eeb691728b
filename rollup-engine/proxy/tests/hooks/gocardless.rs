//! What each kind of event of `GoCardless` comes to.

use std::collections::BTreeSet;
use std::time::Duration;

use proxy::Service;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::{ServiceWorld, World};
use uuid::Uuid;

use super::events::{batch, fill, refunded, rows, signed};

#[tokio::test(start_paused = true)]
async fn direct_debit_is_taken_back() {
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        fill(&world);
        assert_eq!(world.deliver(&batch(&[("payments", "created", 1), ("payments", "submitted", 2)])).await, 202);
        assert!(world.live("gift").is_empty());
        assert_eq!(rows(&world).len(), usize::from(staging));
        for _ in 0..2 {
            assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 5)])).await, 202);
        }
        let gift = world.only("gift");
        assert_eq!(gift["amount"]["amountMicros"], json!(15_000_000));
        assert_eq!(gift["donorId"], world.only("person")["id"]);
        assert_eq!(rows(&world).len(), 1);
        world.deliver(&batch(&[("refunds", "created", 6)])).await;
        assert_eq!(refunded(&world), 5_000_000);
        world.deliver(&batch(&[("payments", "charged_back", 7)])).await;
        assert_eq!(refunded(&world), 15_000_000);
        world.deliver(&batch(&[("payments", "chargeback_cancelled", 8), ("refunds", "failed", 9)])).await;
        assert_eq!(refunded(&world), 0);
        world.deliver(&batch(&[("payments", "late_failure_settled", 10)])).await;
        assert_eq!(refunded(&world), 15_000_000);
    }
}

#[tokio::test(start_paused = true)]
async fn payment_without_amount_is_kept() {
    for staging in [false, true] {
        let mut world = ServiceWorld::new(staging);
        fill(&world);
        world.settings.gocardless_token = None;
        for _ in 0..2 {
            assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 5)])).await, 202);
        }
        assert!(world.live("gift").is_empty());
        let rows = rows(&world);
        assert_eq!(rows.len(), 1);
        let blockers = &rows[0]["processingDiagnostics"]["processingBlockers"];
        assert!(blockers.as_array().unwrap().contains(&json!("amount_missing")), "{blockers}");
        assert_eq!(rows[0]["providerPaymentId"], "PM1");
    }
}

#[tokio::test(start_paused = true)]
async fn mandate_moves_its_agreement() {
    let world = ServiceWorld::new(true);
    world.create(
        "recurringAgreement",
        &json!({ "status": "active", "providerAgreementId": "SB1", "mandateReference": "MD1" }),
    );
    for (resource, action, at, expected) in [
        ("mandates", "failed", 1, "delinquent"),
        ("subscriptions", "resumed", 2, "active"),
        ("mandates", "cancelled", 3, "canceled"),
        ("subscriptions", "created", 4, "canceled"),
    ] {
        assert_eq!(world.deliver(&batch(&[(resource, action, at)])).await, 202);
        assert_eq!(world.only("recurringAgreement")["status"], expected, "{resource} {action}");
    }
}

#[tokio::test(start_paused = true)]
async fn large_batch_is_resumed() {
    const EVENTS: usize = 60;
    let mut world = ServiceWorld::new(false);
    world.settings.requests_per_minute = Some(80);
    let proxy = Service::new(world.settings.clone());
    let mut events = Vec::new();
    for number in 0..EVENTS {
        let payment = format!("PM{number}");
        world.resources.borrow_mut().insert(
            format!("payments/{payment}"),
            json!({ "id": payment, "amount": 1_500, "currency": "GBP", "charge_date": "2026-03-01", "links": {} }),
        );
        events.push(json!({ "id": format!("EV{number}"), "resource_type": "payments", "action": "confirmed",
            "created_at": "2026-03-01T08:00:00.000Z", "links": { "payment": payment } }));
    }
    let batch = signed(&json!({ "events": events }));
    let host = world.host(Faults::none().latency(Duration::from_millis(50), Duration::from_millis(60)));
    let mut deliveries = 0;
    loop {
        deliveries += 1;
        let answer = world.send_to(&proxy, &host, batch.clone()).await;
        if answer.status == 202 {
            break;
        }
        assert_eq!(answer.status, 503);
        assert!(deliveries < 8, "{} gifts after {deliveries} deliveries", world.live("gift").len());
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    assert!(deliveries > 1, "the batch is too small to show anything");
    let gifts = world.live("gift");
    let payments: BTreeSet<_> = gifts.iter().map(|gift| gift["providerPaymentId"].to_string()).collect();
    assert_eq!((gifts.len(), payments.len()), (EVENTS, EVENTS));
}

#[tokio::test(start_paused = true)]
async fn payout_and_payment_in_either_order() {
    for events in [["paid_out", "paid"], ["paid", "paid_out"]] {
        let world = ServiceWorld::new(false);
        fill(&world);
        for (at, action) in events.into_iter().enumerate() {
            let resource = if action == "paid" { "payouts" } else { "payments" };
            for _ in 0..2 {
                let event = batch(&[(resource, action, i64::try_from(at).unwrap())]);
                assert_eq!(world.deliver(&event).await, 202);
            }
        }
        let payout = world.only("giftPayout");
        assert!(payout["depositNetAmount"]["amountMicros"].is_number(), "{payout}");
        assert_eq!(world.only("gift")["giftPayoutId"], payout["id"]);
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_payment_in_a_batch() {
    let world = ServiceWorld::new(false);
    let mut events = Vec::new();
    for number in 0..4 {
        let payment = format!("PM{number}");
        // One that is not there at all answers 404, and the event is kept; this one answers 500.
        let resource = json!({ "id": payment, "amount": 1_500, "currency": "GBP", "links": {} });
        let path = format!("payments/{payment}");
        world.resources.borrow_mut().insert(path, if number == 1 { json!("broken") } else { resource });
        events.push(json!({ "id": format!("EV{number}"), "resource_type": "payments", "action": "confirmed",
            "created_at": "2026-03-01T08:00:00.000Z", "links": { "payment": payment } }));
    }
    let batch = json!({ "events": events });
    assert_eq!(world.deliver(&batch).await, 503);
    assert_eq!(world.live("gift").len(), 3);
    let mended = json!({ "id": "PM1", "amount": 1_500, "currency": "GBP", "links": {} });
    world.resources.borrow_mut().insert("payments/PM1".into(), mended);
    assert_eq!(world.deliver(&batch).await, 202);
    assert_eq!(world.live("gift").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn payment_without_payout_object() {
    let mut model = World::model();
    model.as_object_mut().unwrap().remove("giftPayout");
    for object in ["gift", "giftStaging"] {
        model[object]["fields"].as_object_mut().unwrap().remove("giftPayout");
    }
    let mut world = ServiceWorld::on(World::with_model(&model, Limits::off()), false);
    fill(&world);
    world.settings.model = model::Model::with_names(r#"{"giftPayout":null}"#).unwrap();
    assert_eq!(world.deliver(&batch(&[("payments", "paid_out", 1)])).await, 202);
    world.only("gift");
}

#[tokio::test(start_paused = true)]
async fn waiting_row_keeps_its_payout() {
    let world = ServiceWorld::new(true);
    fill(&world);
    world.create("person", &json!({ "name": { "firstName": "Dora", "lastName": "Kent" } }));
    world.deliver(&batch(&[("payments", "created", 1)])).await;
    let waiting: Uuid = rows(&world)[0]["id"].as_str().unwrap().parse().unwrap();
    let held = json!({ "processingStatus": "dedupe_review" });
    world.patch("giftStaging", waiting, &held);
    for _ in 0..2 {
        assert_eq!(world.deliver(&batch(&[("payments", "paid_out", 2)])).await, 202);
    }
    assert!(world.live("gift").is_empty());
    assert_eq!(rows(&world)[0]["giftPayoutId"], world.only("giftPayout")["id"]);
}

/// The gross amount of a payout is what its gifts add up to, whichever event comes first; the rest was taken off again.
#[tokio::test(start_paused = true)]
async fn payout_of_gifts_fees_and_refunds() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 3, 1, 2], [1, 3, 2, 0]] {
        for staging in [false, true] {
            let world = ServiceWorld::new(staging);
            fill(&world);
            {
                let mut resources = world.resources.borrow_mut();
                for (payment, minor) in [("PM1", 3_300), ("PM2", 2_100)] {
                    let links = json!({ "mandate": "MD1" });
                    let payment = json!({ "id": payment, "amount": minor, "currency": "GBP", "charge_date": "2026-03-01", "links": links });
                    resources.insert(format!("payments/{}", payment["id"].as_str().unwrap()), payment.clone());
                }
                let payout = json!({ "id": "PO1", "amount": 3_240, "deducted_fees": 60, "currency": "GBP" });
                resources.insert("payouts/PO1".into(), payout);
            }
            let mut second = batch(&[("payments", "paid_out", 2)]);
            second["events"][0]["links"]["payment"] = json!("PM2");
            let events = [
                batch(&[("payments", "paid_out", 1)]),
                second,
                batch(&[("refunds", "created", 3)]),
                batch(&[("payouts", "paid", 4)]),
            ];
            for index in order.iter().chain(&order) {
                assert_eq!(world.deliver(&events[*index]).await, 202);
            }
            let payout = world.only("giftPayout");
            let pence = |key: &str| payout[key]["amountMicros"].as_i64().unwrap() / 10_000;
            let parts =
                ["depositGrossAmount", "depositFeeAmount", "depositRefundAmount", "depositNetAmount"].map(pence);
            assert_eq!(parts, [5_400, 60, 2_100, 3_240], "{order:?}, staging {staging}");
        }
    }
}

/// An instant payment is no direct debit.
#[tokio::test(start_paused = true)]
async fn schemes_of_payments() {
    for (scheme, method) in [
        (json!("faster_payments"), "bank_transfer"),
        (json!("bacs"), "direct_debit"),
        (json!("sepa_core"), "direct_debit"),
        (Value::Null, "direct_debit"),
    ] {
        let world = ServiceWorld::new(false);
        fill(&world);
        world.resources.borrow_mut().get_mut("payments/PM1").unwrap()["scheme"] = scheme.clone();
        assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 1)])).await, 202);
        assert_eq!(world.only("gift")["paymentMethod"], method, "{scheme}");
    }
}

/// A payment that was read and tells no amount that can be read is asked about as such.
#[tokio::test(start_paused = true)]
async fn unreadable_amounts_of_payments() {
    for staging in [false, true] {
        for (amount, currency) in [
            (Value::Null, json!("GBP")),
            (json!("much"), json!("GBP")),
            (json!(15.5), json!("GBP")),
            (json!(1_500), json!("pounds")),
        ] {
            for is_absent in [false, true] {
                let world = ServiceWorld::new(staging);
                fill(&world);
                {
                    let mut resources = world.resources.borrow_mut();
                    let payment = resources.get_mut("payments/PM1").unwrap().as_object_mut().unwrap();
                    payment.insert("amount".into(), amount.clone());
                    payment.insert("currency".into(), currency.clone());
                    if is_absent && amount.is_null() {
                        payment.remove("amount");
                    }
                }
                assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 1)])).await, 202);
                let row = &rows(&world)[0];
                let blockers = row["processingDiagnostics"]["processingBlockers"].as_array().unwrap();
                assert!(blockers.contains(&json!("amount_unreadable")), "{amount} {currency}: {blockers:?}");
                assert!(world.live("gift").is_empty());
            }
        }
    }
}

/// A customer that is a company gives under its name, unless a person is named too.
#[tokio::test(start_paused = true)]
async fn company_as_payer() {
    for (customer, expected) in [
        (json!({ "company_name": "Oak Ltd", "given_name": null, "family_name": "" }), ("Oak", "Ltd")),
        (json!({ "company_name": "Oakwood" }), ("Oakwood", "")),
        (json!({ "company_name": "Oak Ltd", "given_name": "Dora", "family_name": "Kent" }), ("Dora", "Kent")),
    ] {
        for staging in [false, true] {
            let world = ServiceWorld::new(staging);
            fill(&world);
            let mut giver = customer.clone();
            giver["id"] = json!("CU1");
            giver["email"] = json!("office@oak.example");
            world.resources.borrow_mut().insert("customers/CU1".into(), giver);
            assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 1)])).await, 202);
            let name = world.only("person")["name"].clone();
            let name = ["firstName", "lastName"].map(|part| name[part].as_str().unwrap_or_default().to_owned());
            assert_eq!((name[0].as_str(), name[1].as_str()), expected, "staging {staging}");
            assert_eq!(world.only("gift")["donorId"], world.only("person")["id"]);
        }
    }
}
