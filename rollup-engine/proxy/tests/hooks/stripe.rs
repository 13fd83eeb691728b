//! What each kind of event of Stripe comes to.

use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::{ServiceWorld, World};
use uuid::Uuid;

use super::events::{invoice, paid_session, refund_total, refunded, rows, session, signed, stripe};

#[tokio::test(start_paused = true)]
async fn repeated_checkout_is_one_gift() {
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        for _ in 0..3 {
            assert_eq!(world.deliver(&paid_session()).await, 204);
        }
        let gift = world.only("gift");
        assert_eq!(gift["amount"]["amountMicros"], json!(25_000_000));
        assert_eq!(gift["donorId"], world.only("person")["id"]);
        assert_eq!(rows(&world).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn webhook_ignores_callers_token() {
    let world = ServiceWorld::new(false);
    let mut request = signed(&paid_session());
    request.headers.push(("authorization".into(), "Bearer from-outside".into()));
    assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 204);
    world.only("gift");
}

#[tokio::test(start_paused = true)]
async fn unpaid_checkout_waits() {
    let unpaid = stripe("evt_1", "checkout.session.completed", 0, session(json!({ "payment_status": "unpaid" })));
    let world = ServiceWorld::new(true);
    assert_eq!(world.deliver(&unpaid).await, 204);
    assert!(world.live("gift").is_empty());
    let row = &rows(&world)[0];
    assert_eq!(row["processingStatus"], "pending");
    assert_eq!(row["processingDiagnostics"]["processingBlockers"], json!(["payment_awaited"]));
    let came = stripe("evt_2", "checkout.session.async_payment_succeeded", 9, session(json!({})));
    for _ in 0..2 {
        assert_eq!(world.deliver(&came).await, 204);
    }
    world.only("gift");
    assert_eq!((rows(&world).len(), &rows(&world)[0]["processingStatus"]), (1, &json!("processed")));

    let world = ServiceWorld::new(true);
    world.deliver(&unpaid).await;
    let failed = stripe("evt_3", "checkout.session.async_payment_failed", 9, session(json!({})));
    assert_eq!(world.deliver(&failed).await, 204);
    assert_eq!(rows(&world)[0]["processingStatus"], "validation_failed");
    let world = ServiceWorld::new(false);
    assert_eq!(world.deliver(&unpaid).await, 204);
    assert!(world.live("gift").is_empty());
}

#[tokio::test(start_paused = true)]
async fn free_checkouts_and_minor_units() {
    let world = ServiceWorld::new(false);
    for extra in [json!({ "mode": "setup", "amount_total": null }), json!({ "amount_total": 0 })] {
        assert_eq!(world.deliver(&stripe("e", "checkout.session.completed", 0, session(extra))).await, 204);
    }
    assert!(world.live("gift").is_empty());
    let yen = session(json!({ "currency": "jpy", "amount_total": 500 }));
    world.deliver(&stripe("e", "checkout.session.completed", 0, yen)).await;
    assert_eq!(world.only("gift")["amount"]["amountMicros"], json!(500_000_000));
}

#[tokio::test(start_paused = true)]
async fn a_nameless_payment_is_not_lost() {
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        let nameless = session(json!({ "customer_details": { "name": null, "email": null } }));
        assert_eq!(world.deliver(&stripe("e", "checkout.session.completed", 0, nameless)).await, 204);
        assert_eq!(world.live("gift").len(), usize::from(!staging));
        if staging {
            let blockers = &rows(&world)[0]["processingDiagnostics"]["processingBlockers"];
            assert!(blockers.as_array().unwrap().contains(&json!("identity_missing")), "{blockers}");
        }
    }
}

fn subscription_session(agreement: Uuid) -> Value {
    let session = session(json!({ "mode": "subscription", "payment_intent": null, "subscription": "sub_1",
        "invoice": "in_1", "metadata": { "recurringAgreementId": agreement } }));
    stripe("evt_s", "checkout.session.completed", 0, session)
}

#[tokio::test(start_paused = true)]
async fn subscription_checkout_and_invoice() {
    for staging in [false, true] {
        for swapped in [false, true] {
            let world = ServiceWorld::new(staging);
            let donor = world.create("person", &json!({ "name": { "firstName": "Dora", "lastName": "Kent" } }));
            let agreement = world.create(
                "recurringAgreement",
                &json!({ "status": "paused", "cadence": "monthly",
                "donorId": donor, "nextExpectedAt": "2026-03-01" }),
            );
            let mut events = vec![subscription_session(agreement), invoice("in_1", 5)];
            if swapped {
                events[1]["data"]["object"]["parent"]["subscription_details"]["metadata"] =
                    json!({ "recurringAgreementId": agreement });
                events.reverse();
            }
            for event in events.iter().chain(&events) {
                assert_eq!(world.deliver(event).await, 204);
            }
            assert_eq!(world.live("gift").len(), 1, "{staging} {swapped} {:#?}", rows(&world));
            let gift = world.only("gift");
            assert_eq!(gift["recurringAgreementId"], json!(agreement), "{staging} {swapped}");
            let agreement = world.only("recurringAgreement");
            assert_eq!((&agreement["status"], &agreement["providerAgreementId"]), (&json!("active"), &json!("sub_1")));
            assert_eq!(agreement["nextExpectedAt"], "2026-04-01", "{staging} {swapped}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_move_the_agreement() {
    let world = ServiceWorld::new(true);
    let agreement = world.create("recurringAgreement", &json!({ "status": "active", "providerAgreementId": "sub_1" }));
    let status = || world.only("recurringAgreement")["status"].clone();
    let failed =
        |id: &str, at| stripe(id, "invoice.payment_failed", at, json!({ "id": "in_9", "subscription": "sub_1" }));
    for (event, expected) in [
        (failed("evt_f1", 1), "active"),
        (failed("evt_f1", 1), "active"),
        (failed("evt_f2", 2), "delinquent"),
        (invoice("in_2", 3), "active"),
        (failed("evt_f3", 4), "active"),
        (stripe("e", "customer.subscription.updated", 5, json!({ "id": "sub_1", "status": "past_due" })), "delinquent"),
        (stripe("e", "customer.subscription.deleted", 6, json!({ "id": "sub_1", "status": "canceled" })), "canceled"),
        (stripe("e", "customer.subscription.updated", 7, json!({ "id": "sub_1", "status": "active" })), "canceled"),
        (invoice("in_3", 8), "canceled"),
        (subscription_session(agreement), "canceled"),
    ] {
        assert_eq!(world.deliver(&event).await, 204, "{event}");
        assert_eq!(status(), expected, "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn refunds_add_up_whatever_comes_first() {
    for staging in [false, true] {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
            let world = ServiceWorld::new(staging);
            let refund = json!({ "id": "re_1", "payment_intent": "pi_1", "amount": 700, "currency": "gbp", "status": "succeeded" });
            let events = [
                paid_session(),
                refund_total("evt_r1", 10, 700),
                stripe("evt_r2", "refund.created", 10, refund),
                refund_total("evt_r3", 20, 1_000),
            ];
            for index in order {
                for _ in 0..2 {
                    assert_eq!(world.deliver(&events[index]).await, 204);
                }
            }
            assert_eq!(refunded(&world), 10_000_000, "{staging} {order:?}");
            let gift = world.only("gift");
            assert!(gift["refundDate"].as_str().unwrap().starts_with("2026-03-01T21:20:20"), "{}", gift["refundDate"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lost_dispute_and_failed_refund() {
    let world = ServiceWorld::new(true);
    world.deliver(&paid_session()).await;
    let dispute = |status: &str| json!({ "id": "dp_1", "charge": "ch_1", "payment_intent": "pi_1", "amount": 2_500, "currency": "gbp", "status": status });
    world.deliver(&stripe("e", "charge.dispute.closed", 1, dispute("warning_closed"))).await;
    assert_eq!(refunded(&world), 0);
    world.deliver(&stripe("e", "charge.dispute.closed", 2, dispute("lost"))).await;
    assert_eq!(refunded(&world), 25_000_000);
    world.deliver(&stripe("e", "charge.dispute.funds_reinstated", 3, dispute("won"))).await;
    assert_eq!(refunded(&world), 0);
    let refund = |status: &str| json!({ "id": "re_1", "payment_intent": "pi_1", "amount": 700, "currency": "gbp", "status": status });
    world.deliver(&stripe("e", "refund.created", 4, refund("pending"))).await;
    assert_eq!(refunded(&world), 7_000_000);
    world.deliver(&stripe("e", "refund.failed", 5, refund("failed"))).await;
    assert_eq!(refunded(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn invoice_refund_finds_its_gift() {
    let by = json!({ "id": "inpay_1", "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } });
    let by = stripe("evt_p", "invoice_payment.paid", 6, by);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let world = ServiceWorld::new(false);
        let events = [invoice("in_1", 5), by.clone(), refund_total("evt_r", 10, 400)];
        for index in order {
            assert_eq!(world.deliver(&events[index]).await, 204);
        }
        assert_eq!(refunded(&world), 4_000_000, "{order:?}");
        assert_eq!(world.only("gift")["providerPaymentId"], "pi_1");
    }
}

/// A row of an unpaid checkout, in this state
async fn awaiting(state: &str) -> ServiceWorld {
    let world = ServiceWorld::new(true);
    let unpaid = stripe("evt_1", "checkout.session.completed", 0, session(json!({ "payment_status": "unpaid" })));
    world.deliver(&unpaid).await;
    let id: Uuid = rows(&world)[0]["id"].as_str().unwrap().parse().unwrap();
    world.patch("giftStaging", id, &json!({ "processingStatus": state }));
    world
}

#[tokio::test(start_paused = true)]
async fn row_released_before_its_payment() {
    let came = stripe("evt_2", "checkout.session.async_payment_succeeded", 9, session(json!({})));
    for (state, gifts) in [
        ("ready_for_process", 1),
        ("process_failed", 1),
        ("validation_failed", 1),
        ("dedupe_review", 0),
        ("duplicate_blocked", 0),
        ("cancelled", 0),
    ] {
        let world = awaiting(state).await;
        for _ in 0..2 {
            assert_eq!(world.deliver(&came).await, 204);
        }
        assert_eq!(world.live("gift").len(), gifts, "{state}");
        let row = &rows(&world)[0];
        if gifts == 0 {
            assert_eq!(row["processingStatus"], state, "what a reviewer has to say stays to be said");
        }
        let blockers = &row["processingDiagnostics"]["processingBlockers"];
        assert_eq!(*blockers == json!([]), state != "cancelled", "{state}: the money is there: {blockers}");
    }
}

#[tokio::test(start_paused = true)]
async fn doubtful_opt_out_means_no_mail() {
    for (word, status) in
        [("true", "suppressed"), ("Yes", "suppressed"), ("perhaps", "suppressed"), ("false", "pending")]
    {
        let world = ServiceWorld::new(false);
        let checkout = session(json!({ "metadata": { "supporterEmailOptOut": word } }));
        world.deliver(&stripe("evt_1", "checkout.session.completed", 0, checkout)).await;
        assert_eq!(world.only("gift")["receiptStatus"], status, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn reviewers_agreement_is_moved() {
    let world = awaiting("pending").await;
    let agreement = world.create("recurringAgreement", &json!({ "status": "delinquent" }));
    let row: Uuid = rows(&world)[0]["id"].as_str().unwrap().parse().unwrap();
    let change = json!({ "recurringAgreementId": agreement, "processingStatus": "ready_for_process" });
    world.patch("giftStaging", row, &change);
    let came = stripe("evt_2", "checkout.session.async_payment_succeeded", 9, session(json!({})));
    assert_eq!(world.deliver(&came).await, 204);
    assert_eq!(world.only("gift")["recurringAgreementId"], json!(agreement));
    assert_eq!(world.only("recurringAgreement")["status"], "active");
}

/// A dispute that was won leaves the gift as claimable as before it, and one that was lost does not.
#[tokio::test(start_paused = true)]
async fn gift_aid_after_disputes() {
    let mut world = ServiceWorld::new(false);
    world.settings.gift_aid = true;
    let ada = world.create(
        "person",
        &json!({ "name": { "firstName": "Dora", "lastName": "Kent" }, "emails": { "primaryEmail": "dora@example.org" } }),
    );
    world
        .create("giftAidDeclaration", &json!({ "status": "ACTIVE", "declarationDate": "2020-01-01", "personId": ada }));
    let details = json!({ "name": "Dora Kent", "email": "dora@example.org" });
    let paid = stripe("evt_1", "checkout.session.completed", 0, session(json!({ "customer_details": details })));
    let status = |world: &ServiceWorld| world.only("gift")["giftAidStatus"].as_str().unwrap().to_owned();
    let dispute = |id: &str, kind: &str, at: i64, status: &str| {
        let object = json!({ "id": "dp_1", "payment_intent": paid["data"]["object"]["payment_intent"], "charge": "ch_1",
            "amount": paid["data"]["object"]["amount_total"], "currency": "gbp", "status": status });
        stripe(id, kind, at, object)
    };
    assert_eq!(world.deliver(&paid).await, 204);
    assert_eq!(status(&world), "CLAIMABLE");
    assert_eq!(world.deliver(&dispute("evt_2", "charge.dispute.closed", 1, "lost")).await, 204);
    assert_eq!(status(&world), "NOT_CLAIMABLE");
    // The same payment told again is not decided anew while the money is gone.
    assert_eq!(world.deliver(&paid).await, 204);
    assert_eq!(status(&world), "NOT_CLAIMABLE");
    assert_eq!(world.deliver(&dispute("evt_3", "charge.dispute.funds_reinstated", 2, "won")).await, 204);
    let gift = world.only("gift");
    assert_eq!((&gift["refundedAmount"]["amountMicros"], status(&world).as_str()), (&json!(0), "CLAIMABLE"));
}

/// An event of Stripe's test mode is acknowledged and makes nothing, unless it is asked for.
#[tokio::test(start_paused = true)]
async fn test_mode_of_stripe() {
    for (livemode, accepts, gifts) in [
        (json!(false), false, 0),
        (json!(false), true, 1),
        (json!(true), false, 1),
        (json!(null), false, 1),
        (json!("false"), false, 1),
    ] {
        let mut world = ServiceWorld::new(false);
        world.settings.accept_test_events = accepts;
        let mut event = stripe("evt_1", "checkout.session.completed", 0, session(json!({})));
        event["livemode"] = livemode.clone();
        assert_eq!(world.deliver(&event).await, 204);
        assert_eq!(world.live("gift").len(), gifts, "{livemode}, accepted: {accepts}");
    }
}

/// A payment whose metadata name an agreement by something that is no id is asked about, and not turned away.
#[tokio::test(start_paused = true)]
async fn payment_with_a_broken_agreement_id() {
    for text in [".", "../people", "%2F", "RA-7"] {
        let paid = || {
            stripe(
                "evt_1",
                "checkout.session.completed",
                0,
                session(json!({ "metadata": { "recurring_agreement_id": text } })),
            )
        };
        let staged = ServiceWorld::new(true);
        assert_eq!(staged.deliver(&paid()).await, 204);
        let found = rows(&staged);
        assert_eq!((found.len(), staged.live("gift").len()), (1, 0), "{text}");
        let warnings = found[0]["processingDiagnostics"]["processingWarnings"].as_array().unwrap();
        assert!(warnings.contains(&json!("relation_id_invalid")), "{warnings:?}");
        assert_eq!(found[0]["providerContext"]["unprovenIds"], json!({ "recurringAgreementId": text }));

        let direct = ServiceWorld::new(false);
        assert_eq!(direct.deliver(&paid()).await, 204);
        assert_eq!(direct.only("gift")["recurringAgreementId"], Value::Null, "{text}");
    }
}

/// An amount that cannot be read loses no payment, where gifts are staged, where they are not, and where nothing can be.
#[tokio::test(start_paused = true)]
async fn unreadable_amounts_are_kept() {
    let told = [
        json!({ "amount_total": null }),
        json!({ "currency": "usdc" }),
        json!({ "amount_total": 900_719_925_475_i64 }),
    ];
    for staging in [false, true] {
        let world = ServiceWorld::new(staging);
        for (number, extra) in told.iter().enumerate() {
            let mut session = session(extra.clone());
            session["payment_intent"] = json!(format!("pi_{number}"));
            for _ in 0..2 {
                assert_eq!(world.deliver(&stripe("e", "checkout.session.completed", 0, session.clone())).await, 204);
            }
            let rows = rows(&world);
            assert_eq!((rows.len(), world.live("gift").len()), (number + 1, 0), "staging {staging}");
            let row = rows.iter().find(|row| row["providerPaymentId"] == format!("pi_{number}")).unwrap();
            let blockers = row["processingDiagnostics"]["processingBlockers"].as_array().unwrap();
            assert!(blockers.contains(&json!("amount_unreadable")), "{blockers:?}");
            let kept = json!({ "amount": session["amount_total"], "currency": session["currency"] });
            assert_eq!(row["providerContext"]["unreadableAmount"], kept);
        }
    }
    let mut model = World::model();
    model.as_object_mut().unwrap().remove("giftStaging");
    let mut world = ServiceWorld::on(World::with_model(&model, Limits::off()), false);
    world.settings.model = model::Model::with_names(r#"{"giftStaging":null}"#).unwrap();
    for _ in 0..2 {
        let session = session(json!({ "amount_total": null }));
        assert_eq!(world.deliver(&stripe("e", "checkout.session.completed", 0, session)).await, 204);
    }
    let gift = world.only("gift");
    assert!(gift["notes"].as_str().unwrap().contains("amount"), "{gift}");
    assert_eq!(world.deliver(&paid_session()).await, 204);
}

/// An open dispute is on the gift, and no money went back until it is lost.
#[tokio::test(start_paused = true)]
async fn open_dispute_is_on_the_gift() {
    let world = ServiceWorld::new(false);
    world.deliver(&paid_session()).await;
    let disputed =
        |world: &ServiceWorld| world.only("gift")["disputedAmount"]["amountMicros"].as_i64().unwrap_or_default();
    for (kind, at, status, open, lost) in [
        ("created", 1, "warning_needs_response", 25_000_000, 0),
        ("closed", 2, "warning_closed", 0, 0),
        ("created", 3, "needs_response", 25_000_000, 0),
        ("funds_withdrawn", 4, "needs_response", 25_000_000, 0),
        ("updated", 5, "under_review", 25_000_000, 0),
        ("closed", 6, "lost", 0, 25_000_000),
        ("funds_reinstated", 7, "won", 0, 0),
    ] {
        let dispute = json!({ "id": "dp_1", "charge": "ch_1", "payment_intent": "pi_1", "amount": 2_500, "currency": "gbp", "status": status });
        assert_eq!(world.deliver(&stripe("e", &format!("charge.dispute.{kind}"), at, dispute)).await, 204);
        assert_eq!((disputed(&world), refunded(&world)), (open, lost), "{kind} {status}");
    }
}

/// The way of payment is the one that was taken, and no guess where several were offered.
#[tokio::test(start_paused = true)]
async fn way_of_payment() {
    for (extra, method) in [
        (json!({}), json!("card")),
        (json!({ "payment_method_types": ["sepa_debit"] }), json!("sepa_debit")),
        (json!({ "payment_method_types": ["card", "link"] }), json!("card")),
        (json!({ "payment_method_types": ["card", "bacs_debit"] }), Value::Null),
    ] {
        let world = ServiceWorld::new(false);
        world.deliver(&stripe("e", "checkout.session.completed", 0, session(extra.clone()))).await;
        let found = world.only("gift")["paymentMethod"].as_str().filter(|word| !word.is_empty()).map(str::to_owned);
        assert_eq!(json!(found), method, "{extra}");
    }
}

/// A day in the metadata that nobody can mean keeps neither the payment nor the agreement back.
#[tokio::test(start_paused = true)]
async fn next_day_in_metadata() {
    for (typed, day) in [
        ("2026-04-01", json!("2026-04-01")),
        ("2026-04-01T10:00:00Z", json!("2026-04-01")),
        ("soon", Value::Null),
        ("1066-10-14", Value::Null),
        ("2026-02-30", Value::Null),
        ("", Value::Null),
    ] {
        for staging in [false, true] {
            let world = ServiceWorld::new(staging);
            let once = session(json!({ "metadata": { "nextExpectedAt": typed } }));
            assert_eq!(world.deliver(&stripe("evt_1", "checkout.session.completed", 0, once)).await, 204, "{typed}");
            assert_eq!(world.live("gift").len(), 1, "{typed}");

            let agreement = world.create("recurringAgreement", &json!({ "status": "paused" }));
            let mut checkout = subscription_session(agreement);
            checkout["data"]["object"]["metadata"]["next_expected_at"] = json!(typed);
            assert_eq!(world.deliver(&checkout).await, 204, "{typed}");
            let agreement = world.only("recurringAgreement");
            assert_eq!((&agreement["status"], &agreement["nextExpectedAt"]), (&json!("active"), &day), "{typed}");
        }
    }
}
