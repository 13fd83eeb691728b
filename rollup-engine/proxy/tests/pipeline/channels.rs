//! What each channel lets in, whom it links, and what follows from a gift.

use std::time::Duration;

use fundraising::payload::Payload;
use proxy::context::RequestContext;
use proxy::error::Error;
use proxy::http::Inbound;
use proxy::intake::{Accepted, Channel, Origin, accept};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use twenty::rate_limiter::Priority;

use support::{ServiceWorld, World, read, ten};

use super::common::{by_mail, later, on, staged, unstaged};
use super::review::release_instalment;

async fn webhook(world: &ServiceWorld, body: &Value) -> Result<Accepted, Error> {
    let host = world.host(Faults::none());
    let proxy = world.service();
    let payload = Payload::parse(body.to_string().as_bytes()).unwrap();
    let inbound = Inbound { entropy: 1, ..Inbound::default() };
    let cx = RequestContext::new(proxy.state(), &host, &inbound, Some(world.token.clone()), Priority::Person);
    let origin = Origin { channel: Channel::Webhook, request_key: Some("evt_1") };
    accept(&cx, &payload, origin).await
}

fn payment() -> Value {
    json!({ "amount": { "amountMicros": 9_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-14",
        "provider": "stripe", "providerPaymentId": "pi_1", "intakeSource": "stripe_webhook", "autoProcess": true })
}

#[tokio::test(start_paused = true)]
async fn unknown_payers_payment_waits() {
    let world = staged();
    assert!(matches!(webhook(&world, &payment()).await.unwrap(), Accepted::Staged { .. }));
    let row = world.only("giftStaging");
    assert_eq!(row["processingDiagnostics"]["processingBlockers"], json!(["identity_missing"]));
    let mut unread = payment();
    unread["providerPaymentId"] = json!("pi_2");
    unread.as_object_mut().unwrap().remove("amount");
    let Accepted::Staged { diagnostics, .. } = webhook(&world, &unread).await.unwrap() else { panic!("not staged") };
    assert_eq!(diagnostics["processingBlockers"], json!(["identity_missing", "amount_missing"]));
    let mut impossible = payment();
    impossible["providerPaymentId"] = json!("pi_3");
    impossible["giftDate"] = json!("2027-01-01");
    let Accepted::Staged { row, .. } = webhook(&world, &impossible).await.unwrap() else { panic!("not staged") };
    assert_eq!(row.text("processingStatus"), Some("validation_failed"));
    assert_eq!(world.live("giftStaging").len(), 3);
    assert!(world.live("gift").is_empty());
}

#[tokio::test(start_paused = true)]
async fn unstaged_unknown_payer_is_a_gift() {
    let world = unstaged();
    for _ in 0..2 {
        assert!(matches!(webhook(&world, &payment()).await.unwrap(), Accepted::Gift { .. }));
    }
    assert_eq!(world.only("gift")["donorId"], Value::Null);
    let (status, _) = world.ask("POST", "gifts", payment()).await;
    assert_eq!(status, 400, "a person is told what is missing");
}

#[tokio::test(start_paused = true)]
async fn shared_address_matches_no_donor() {
    for (world, status) in [(unstaged(), 409), (staged(), 200)] {
        for number in 0..2 {
            let emails = json!({ "primaryEmail": format!("other-{number}@x.example"),
                "additionalEmails": ["mary@crimea.example"] });
            world
                .create("person", &json!({ "name": { "firstName": "Mary", "lastName": "Seacole" }, "emails": emails }));
        }
        let (found, answer) = world.ask("POST", "gifts", by_mail()).await;
        assert_eq!(found, status, "{answer}");
        assert!(world.live("gift").is_empty());
        assert_eq!(world.live("person").len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_makes_nobody() {
    for fault in [Fault::Status(429), Fault::Status(503), Fault::Unreachable] {
        let faults = || (1..40).fold(Faults::none(), |faults, call| faults.at(call, fault));
        let world = unstaged();
        // The first call asks what the workspace has to find the donor with.
        let (status, _) = world.ask_on(&world.host(faults()), "POST", "gifts", &by_mail()).await;
        assert!(status >= 429, "{status}");
        assert!(world.live("person").is_empty() && world.live("gift").is_empty());
        let world = staged();
        let faults = (1..4).fold(Faults::none(), |faults, call| faults.at(call, fault));
        let (status, answer) = world.ask_on(&world.host(faults), "POST", "gifts", &by_mail()).await;
        // Refused thrice, the caller's time is over before there is a turn for the row.
        if status != 503 {
            assert_eq!(
                (status, &answer["data"]["giftStaging"]["processingStatus"]),
                (200, &json!("pending")),
                "{answer}"
            );
        }
        assert!(world.live("person").is_empty() && world.live("gift").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn taken_address_leads_to_its_holder() {
    let world = unstaged();
    let emails = json!({ "primaryEmail": "mary@crimea.example" });
    let holder = world.create("person", &json!({ "name": { "firstName": "M", "lastName": "S" }, "emails": emails }));
    let mut body = by_mail();
    // Twenty looks duplicates up with regard to case, and keeps addresses in lower case.
    body["contact"]["email"] = json!("Mary@Crimea.example");
    let (_, answer) = world.ask("POST", "gifts", body.clone()).await;
    assert_eq!(answer["data"]["createGift"]["donorId"], json!(holder), "{answer}");
    world.sandbox.borrow_mut().soft_delete("person", holder, ten()).unwrap();
    body["externalId"] = json!("row-8");
    let (status, answer) = world.ask("POST", "gifts", body).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer["message"].as_str().unwrap().starts_with("contact.email belongs to a deleted person"));
    assert_eq!(world.live("gift").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn person_of_a_refused_gift_is_deleted() {
    let world = unstaged();
    let mut body = by_mail();
    body["appealId"] = json!("6d2c3c1e-0b7a-4f6e-9d55-3a1f1d0c9a10");
    let (status, answer) = world.ask("POST", "gifts", body.clone()).await;
    assert_eq!(status, 400, "{answer}");
    assert!(world.sandbox.borrow().records("person").is_empty(), "an orphan");
    body.as_object_mut().unwrap().remove("appealId");
    assert_eq!(world.ask("POST", "gifts", body).await.0, 200);
    assert_eq!(world.only("gift")["donorId"], world.only("person")["id"]);
}

#[tokio::test(start_paused = true)]
async fn explicit_donor_wins() {
    for world in [staged(), unstaged()] {
        let ada = world.create("person", &json!({ "name": { "firstName": "Ada", "lastName": "Byron" } }));
        let mut body = by_mail();
        body["contactId"] = json!(ada);
        assert_eq!(world.ask("POST", "gifts", body).await.0, 200);
        assert_eq!(world.only("gift")["donorId"], json!(ada));
        assert_eq!(world.live("person").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn missing_fields_are_blockers() {
    let world = staged();
    let amount = json!({ "amountMicros": 1_000_000, "currencyCode": "GBP" });
    for (path, body, blocker) in [
        ("gift-staging", json!({ "amount": amount, "giftDate": "2026-02-01" }), "identity_missing"),
        ("gifts", json!({ "amount": amount, "giftDate": "2026-02-01" }), "identity_missing"),
        (
            "gifts",
            json!({ "amount": amount, "giftDate": "2026-02-01", "giftIntent": "grant" }),
            "company_missing_for_org_intent",
        ),
    ] {
        let (status, answer) = world.ask("POST", path, body).await;
        assert!(status < 300, "{answer}");
        assert!(answer.to_string().find(blocker).is_some(), "{answer}");
    }
    assert!(world.live("gift").is_empty());
}

#[tokio::test(start_paused = true)]
async fn failed_staging_makes_no_gift() {
    for at in 3..=4 {
        let world = staged();
        let faults = (at..at + 3).fold(Faults::none(), |faults, call| faults.at(call, Fault::Status(503)));
        let mut body = by_mail();
        body["autoProcess"] = json!(false);
        world.ask_on(&world.host(faults), "POST", "gifts", &body).await;
        assert!(world.live("gift").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn instalment_moves_its_agreement() {
    for (staging, status, next) in
        [(true, "paused", "2026-03-31"), (false, "paused", "2026-03-31"), (true, "canceled", "2026-02-28")]
    {
        let world = if staging { staged() } else { unstaged() };
        let agreement = world.create(
            "recurringAgreement",
            &json!({ "status": status, "cadence": "monthly", "startDate": "2025-12-31", "nextExpectedAt": "2026-02-28" }),
        );
        let mut body = by_mail();
        body["recurringAgreementId"] = json!(agreement);
        for _ in 0..2 {
            assert_eq!(world.ask("POST", "gifts", body.clone()).await.0, 200);
        }
        let found = world.only("recurringAgreement");
        assert_eq!(found["nextExpectedAt"], next, "{staging} {status}");
        assert_eq!(found["status"], if status == "canceled" { "canceled" } else { "active" });
    }
}

#[tokio::test(start_paused = true)]
async fn late_payment_mends_no_later_failure() {
    for (paid_on, status) in [("2026-01-31", "delinquent"), ("2026-02-14", "active")] {
        let world = staged();
        let agreement = world.create(
            "recurringAgreement",
            &json!({ "status": "delinquent", "statusUpdatedAt": "2026-02-10T08:00:00.000Z", "cadence": "monthly",
                "startDate": "2025-12-31", "nextExpectedAt": "2026-02-28" }),
        );
        let mut body = by_mail();
        body["recurringAgreementId"] = json!(agreement);
        body["giftDate"] = json!(paid_on);
        assert_eq!(world.ask("POST", "gifts", body).await.0, 200);
        assert_eq!(world.only("recurringAgreement")["status"], status, "{paid_on}");
    }
}

#[tokio::test(start_paused = true)]
async fn lost_agreement_move_is_repeated() {
    let world = staged();
    release_instalment(&world);
    let row = world.only("giftStaging")["id"].as_str().unwrap().to_owned();
    let path = format!("gift-staging/{row}/process");
    let host = world.host(Faults::none());
    world.ask_on(&host, "POST", &path, &Value::Null).await;
    let calls = host.requests();
    for at in calls - 1..=calls {
        let world = staged();
        release_instalment(&world);
        let row = world.only("giftStaging")["id"].as_str().unwrap().to_owned();
        let path = format!("gift-staging/{row}/process");
        let host = world.host(Faults::none().crash(at, false));
        assert!(host.until_crash(world.ask_on(&host, "POST", &path, &Value::Null)).await.is_none());
        assert_eq!(world.only("recurringAgreement")["nextExpectedAt"], "2026-02-28");
        world.ask_on(&later(&world, 1), "POST", &path, &Value::Null).await;
        assert_eq!(world.only("recurringAgreement")["nextExpectedAt"], "2026-03-31");
    }
}

/// What cannot be seen is no part of a name or an address, and a byte order mark none of a body.
#[tokio::test(start_paused = true)]
async fn invisible_characters() {
    let world = unstaged();
    let body = "\u{feff}".to_owned()
            + &json!({
                "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-14",
                "contact": { "firstName": "\u{feff}Ann\n", "lastName": "O\u{200b}ak\u{85}", "email": "ann\u{2060}@oak.example" },
                "notes": "one\ntwo\u{7}", "externalId": "a",
            })
            .to_string();
    let request = Inbound { body: body.into_bytes(), ..world.inbound("POST", "gifts", &Value::Null) };
    assert_eq!(world.send(&world.host(Faults::none()), request).await.status, 200);
    let person = world.only("person");
    assert_eq!(person["name"], json!({ "firstName": "Ann", "lastName": "Oak" }));
    assert_eq!(person["emails"]["primaryEmail"], "ann@oak.example");
    assert_eq!(world.only("gift")["notes"], "one\ntwo");
}

/// A donor named by id, whose names stand on their record alone, and a declaration that was revoked after the gift
#[tokio::test(start_paused = true)]
async fn gift_aid_of_a_donor_by_id() {
    for (names, revoked_at, expected) in [
        (json!({ "firstName": "Ada", "lastName": "Byron" }), "2026-03-01T00:00:00Z", "valid_declaration_present"),
        (json!({ "firstName": "Ada" }), "2026-03-01T00:00:00Z", "donor_data_incomplete"),
        (json!({ "firstName": "Ada", "lastName": "Byron" }), "2026-02-01T00:00:00Z", "no_declaration_on_file"),
    ] {
        let mut world = unstaged();
        world.settings.gift_aid = true;
        let ada = world.create("person", &json!({ "name": names }));
        let declaration = json!({
            "status": "REVOKED", "revokedAt": revoked_at, "declarationDate": "2026-01-01", "personId": ada
        });
        world.create("giftAidDeclaration", &declaration);
        let body = json!({
            "amount": { "amountMicros": 9_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-14", "contactId": ada,
            "giftAidEligible": true, "externalId": "e", "intakeSource": "portal"
        });
        let (status, answer) = world.ask("POST", "gifts", body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(world.only("gift")["giftAidReasonCode"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn gift_aid_is_decided_after_posting() {
    let mut world = staged();
    world.settings.gift_aid = true;
    let ada = world.create("person", &json!({ "name": { "firstName": "Ada", "lastName": "Byron" } }));
    let declaration = world
        .create("giftAidDeclaration", &json!({ "status": "ACTIVE", "declarationDate": "2026-01-01", "personId": ada }));
    let mut body = by_mail();
    body["contactId"] = json!(ada);
    body["giftAidEligible"] = json!(true);
    world.ask("POST", "gifts", body.clone()).await;
    let gift = world.only("gift");
    assert_eq!(gift["giftAidStatus"], "CLAIMABLE");
    assert_eq!(gift["giftAidReasonCode"], "valid_declaration_present");
    assert_eq!(gift["giftAidDeclarationId"], json!(declaration));
    assert_eq!(gift["receiptStatus"], "pending");
    body["externalId"] = json!("held");
    body["autoProcess"] = json!(false);
    body["giftDate"] = json!("2026-02-20");
    world.ask("POST", "gifts", body).await;
    assert_eq!(world.live("gift").len(), 1, "nothing follows from a row that waits");
}

#[tokio::test(start_paused = true)]
async fn claim_without_trail() {
    let mut model = World::model();
    model["giftStaging"]["fields"].as_object_mut().unwrap().remove("auditTrail");
    let world = on(World::with_model(&model, Limits::off()), true);
    let donor = world.create("person", &json!({}));
    let payload = json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "donorId": donor,
        "giftDate": "2026-02-28" });
    let mut row = payload.clone();
    row["processingStatus"] = json!("ready_for_process");
    row["rawPayload"] = payload;
    let row = world.create("giftStaging", &row);
    let host = world.host(Faults::none().latency(Duration::from_millis(1), Duration::from_millis(300)));
    let proxy = world.service();
    let path = format!("gift-staging/{row}/process");
    let ask = || async { read(&world.send_to(&proxy, &host, world.inbound("POST", &path, &Value::Null)).await).1 };
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    for found in [&one, &two, &three] {
        assert!(found["status"] == "processed" || found["reason"] == "locked", "{found}");
    }
    world.only("gift");
    assert_eq!(world.only("giftStaging")["processingStatus"], "processed");
}

#[tokio::test(start_paused = true)]
async fn text_can_be_cleared() {
    let world = unstaged();
    let mut body = by_mail();
    body["notes"] = json!("n");
    world.ask("POST", "gifts", body).await;
    let id = world.only("gift")["id"].as_str().unwrap().to_owned();
    world.ask("PATCH", &format!("gifts/{id}"), json!({ "notes": null })).await;
    assert_eq!(world.only("gift")["notes"], "");
}
