//! What holds for the events of every provider.

use sandbox::Faults;
use serde_json::{Value, json};
use support::{ServiceWorld, ten};

use super::events::{batch, fill, paid_session, rows, session, signed, stripe};

#[tokio::test(start_paused = true)]
async fn unsigned_event_writes_nothing() {
    let world = ServiceWorld::new(true);
    let mut request = signed(&paid_session());
    request.body.push(b' ');
    assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 400);
    let mut request = signed(&batch(&[("payments", "confirmed", 1)]));
    request.headers.pop();
    assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 498);
    assert!(world.live("gift").is_empty() && world.live("giftStaging").is_empty());
}

#[tokio::test(start_paused = true)]
async fn unknown_events_are_acknowledged() {
    let world = ServiceWorld::new(true);
    for event in [stripe("e", "customer.created", 0, json!({})), json!({ "type": "invoice.paid" }), json!({})] {
        assert_eq!(world.deliver(&event).await, 204, "{event}");
    }
    assert_eq!(world.deliver(&json!({ "events": [] })).await, 202);
    assert!(world.live("giftStaging").is_empty());
}

#[tokio::test(start_paused = true)]
async fn payout_is_recorded_once() {
    let world = ServiceWorld::new(false);
    fill(&world);
    let payout = json!({ "id": "po_1", "amount": 9_700, "currency": "gbp", "arrival_date": 1_772_400_000 });
    for kind in ["payout.created", "payout.paid", "payout.created"] {
        assert_eq!(world.deliver(&stripe("e", kind, 3, payout.clone())).await, 204);
    }
    let record = world.only("giftPayout");
    assert_eq!(record["payoutReference"], "po_1");
    assert_eq!(record["depositNetAmount"]["amountMicros"], json!(97_000_000));
    assert!(record["confirmedAt"].is_string());
    assert_eq!(world.deliver(&batch(&[("payouts", "paid", 4)])).await, 202);
    let second = world.live("giftPayout").into_iter().find(|payout| payout["payoutReference"] == "PO1").unwrap();
    assert_eq!(second["depositGrossAmount"]["amountMicros"], json!(15_000_000));
}

/// No database of Twenty's keeps NUL: it is dropped from an event, and the payment is taken in.
#[tokio::test(start_paused = true)]
async fn nul_in_events() {
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        let details = json!({ "name": "Do\0ra Kent", "email": "dora\0@example.org" });
        let paid = session(
            json!({ "customer_details": details, "metadata": { "no\0te": "a\0b", "nested\0": "\0", "json": r#"{"a":"\u0000"}"# } }),
        );
        assert_eq!(world.deliver(&stripe("evt_\x001", "checkout.session.completed", 0, paid)).await, 204);
        fill(&world);
        world.resources.borrow_mut().get_mut("customers/CU1").unwrap()["given_name"] = json!("Do\0ra");
        assert_eq!(world.deliver(&batch(&[("payments", "confirmed", 1)])).await, 202);
        assert_eq!(world.live("gift").len(), 2);
        let person = world.only("person");
        assert_eq!(
            (&person["name"]["firstName"], &person["emails"]["primaryEmail"]),
            (&json!("Dora"), &json!("dora@example.org"))
        );
        for object in ["gift", "giftStaging", "person"] {
            let records = serde_json::to_string(&world.live(object)).unwrap();
            assert!(!records.contains("u0000"), "{records}");
        }
    }
}

/// What cannot be true of a payment is a question, with staging and without it.
#[tokio::test(start_paused = true)]
async fn implausible_payments_are_questions() {
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        fill(&world);
        let checkout = |id: &str, extra: Value| {
            let mut session = session(extra);
            session["payment_intent"] = json!(id);
            stripe("e", "checkout.session.completed", 0, session)
        };
        let crumbs = checkout("pi_isk", json!({ "currency": "isk", "amount_total": 505 }));
        let unknown = checkout("pi_zzz", json!({ "currency": "zzz" }));
        let mut ahead = checkout("pi_day", json!({}));
        ahead["created"] = json!(1_772_400_000_000_i64);
        world.resources.borrow_mut().get_mut("payments/PM1").unwrap()["charge_date"] = json!("0226-03-01");
        for (event, status) in
            [(crumbs, 204), (unknown, 204), (ahead, 204), (batch(&[("payments", "confirmed", 1)]), 202)]
        {
            for _ in 0..2 {
                assert_eq!(world.deliver(&event).await, status, "{event}");
            }
        }
        let rows = rows(&world);
        assert_eq!((rows.len(), world.live("gift").len()), (4, 0), "staging {staging}: {rows:#?}");
        for row in rows {
            assert_eq!(row["processingStatus"], "validation_failed");
            let message = row["errorDetail"]["message"].as_str().unwrap();
            assert!(message.starts_with("amount.") || message.starts_with("giftDate "), "{message}");
        }
        let whole = checkout("pi_ugx", json!({ "currency": "ugx", "amount_total": 500 }));
        assert_eq!(world.deliver(&whole).await, 204);
        assert_eq!(world.only("gift")["amount"], json!({ "amountMicros": 5_000_000, "currencyCode": "UGX" }));
    }
}

/// A payout that takes money from the account has its amount.
#[tokio::test(start_paused = true)]
async fn negative_payouts() {
    let world = ServiceWorld::new(false);
    let payout = json!({ "id": "po_1", "amount": -1_250, "currency": "gbp", "arrival_date": 1_772_400_000 });
    assert_eq!(world.deliver(&stripe("e", "payout.paid", 3, payout)).await, 204);
    assert_eq!(world.only("giftPayout")["depositNetAmount"]["amountMicros"], json!(-12_500_000));
    let payout = json!({ "id": "PO1", "amount": -500, "deducted_fees": 0, "currency": "GBP" });
    world.resources.borrow_mut().insert("payouts/PO1".into(), payout);
    assert_eq!(world.deliver(&batch(&[("payouts", "paid", 4)])).await, 202);
    let payout = world.live("giftPayout").into_iter().find(|payout| payout["payoutReference"] == "PO1").unwrap();
    let micros = |key: &str| payout[key]["amountMicros"].as_i64().unwrap();
    let parts = ["depositGrossAmount", "depositRefundAmount", "depositNetAmount"].map(micros);
    assert_eq!(parts, [0, 5_000_000, -5_000_000]);
}

/// Bytes that are no UTF-8, and raw control characters, keep no payment out once the signature over them is right.
#[tokio::test(start_paused = true)]
async fn broken_bytes_in_signed_events() {
    let details = json!({ "name": "Do#ra K%ent", "email": "dora@example.org" });
    let checkout = stripe("evt_1", "checkout.session.completed", 0, session(json!({ "customer_details": details })));
    for staging in [false, true] {
        for (broken, ent) in
            [(&b"\xff"[..], "K\u{fffd}ent"), (&b"\xe2\x82"[..], "K\u{fffd}ent"), (&b"\x01\n"[..], "Kent")]
        {
            let world = ServiceWorld::new(staging);
            let mut body = Vec::new();
            for byte in checkout.to_string().bytes() {
                match byte {
                    b'#' => body.push(0),
                    b'%' => body.extend(broken),
                    byte => body.push(byte),
                }
            }
            let request = support::signed_bytes(body.clone(), ten());
            assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 204, "{broken:?}");
            let gift = world.only("gift");
            assert_eq!((&gift["donorFirstName"], &gift["donorLastName"]), (&json!("Dora"), &json!(ent)));
            let mut forged = support::signed_bytes(body, ten());
            forged.body.push(0);
            assert_eq!(world.send(&world.host(Faults::none()), forged).await.status, 400, "the signature is over all");
        }
        let world = ServiceWorld::new(staging);
        fill(&world);
        let events = batch(&[("payments", "confirmed", 1)]).to_string().replace("\"EV1\"", "\"EV1\",\"note\":\"#\"");
        let body = events.bytes().map(|byte| if byte == b'#' { 0xff } else { byte }).collect();
        let request = support::signed_bytes(body, ten());
        assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 202);
        world.only("gift");
    }
}

/// A payment whose metadata name an agreement that is nowhere is a question or a gift without it, and not turned away.
#[tokio::test(start_paused = true)]
async fn payments_of_an_unknown_agreement() {
    let nowhere = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";
    for staging in [false, true] {
        for is_stripe in [false, true] {
            let world = ServiceWorld::new(staging);
            let metadata = json!({ "recurringAgreementId": nowhere });
            let status = if is_stripe {
                let checkout = session(json!({ "metadata": metadata }));
                world.deliver(&stripe("evt_1", "checkout.session.completed", 0, checkout)).await
            } else {
                fill(&world);
                world.resources.borrow_mut().get_mut("payments/PM1").unwrap()["metadata"] = metadata;
                world.deliver(&batch(&[("payments", "confirmed", 1)])).await
            };
            assert_eq!(status, if is_stripe { 204 } else { 202 });
            assert_eq!(world.live("gift").len(), usize::from(!staging));
            if staging {
                let row = &rows(&world)[0];
                let warnings = row["processingDiagnostics"]["processingWarnings"].as_array().unwrap();
                assert!(warnings.contains(&json!("relation_id_invalid")), "{warnings:?}");
                assert_eq!(row["providerContext"]["unprovenIds"]["recurringAgreementId"], nowhere);
            } else {
                assert_eq!(world.only("gift")["recurringAgreementId"], Value::Null);
            }
        }
    }
}
