//! Rows that wait: reviewed, changed, released, promoted; and what their trail says of it.

use proxy::settings::Bypass;
use sandbox::{Fault, Faults};
use serde_json::{Value, json};

use support::ServiceWorld;

use super::common::{actions, by_mail, later, staged, unstaged};

/// A released row of an agreement of the 31st
pub(crate) fn release_instalment(world: &ServiceWorld) {
    let donor = world.create("person", &json!({ "name": { "firstName": "Ada", "lastName": "Byron" } }));
    let agreement = world.create(
        "recurringAgreement",
        &json!({ "status": "delinquent", "cadence": "monthly", "startDate": "2025-12-31", "nextExpectedAt": "2026-02-28" }),
    );
    let payload = json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "donorId": donor,
        "giftDate": "2026-02-28", "recurringAgreementId": agreement, "giftIntent": "recurring" });
    let mut row = payload.clone();
    row["processingStatus"] = json!("ready_for_process");
    row["rawPayload"] = payload;
    world.create("giftStaging", &row);
}

fn row_id(world: &ServiceWorld) -> String {
    world.only("giftStaging")["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn whole_way_of_a_staged_gift() {
    let world = staged();
    let (status, answer) = world.ask("POST", "gift-staging", by_mail()).await;
    assert_eq!((status, &answer["data"]["giftStaging"]["processingStatus"]), (201, &json!("pending")));
    assert!(world.live("person").is_empty(), "staging makes nobody");
    let id = row_id(&world);
    let process = format!("gift-staging/{id}/process");
    assert_eq!(world.ask("POST", &process, Value::Null).await.1["reason"], "not_ready");
    let (_, view) = world
        .ask("PATCH", &format!("gift-staging/{id}"), json!({ "amountMicros": 30_000_000, "notes": "called" }))
        .await;
    assert_eq!(view["data"]["giftStaging"]["amountMicros"], 30_000_000, "{view}");
    let (status, _) = world
        .ask("PATCH", &format!("gift-staging/{id}/status"), json!({ "processingStatus": "ready_for_process" }))
        .await;
    assert_eq!(status, 200);
    let (_, first) = world.ask("POST", &process, Value::Null).await;
    assert_eq!(first["status"], "processed", "{first}");
    let (_, second) = world.ask("POST", &process, Value::Null).await;
    assert_eq!(first, second);
    let gift = world.only("gift");
    assert_eq!((&gift["amount"]["amountMicros"], &gift["notes"]), (&json!(30_000_000), &json!("called")));
    let row = world.only("giftStaging");
    assert_eq!(actions(&row), ["received", "edited", "status_changed", "donor_linked", "claimed", "posted"]);
    assert!(row["auditTrail"].to_string().find("seacole").is_none(), "no personal data");
}

#[tokio::test(start_paused = true)]
async fn concurrent_edits_are_kept() {
    let world = staged();
    world.ask("POST", "gift-staging", by_mail()).await;
    let id = row_id(&world);
    let host =
        world.host(Faults::none().latency(std::time::Duration::from_millis(5), std::time::Duration::from_millis(500)));
    let path = format!("gift-staging/{id}");
    let changes = [json!({ "amountMicros": 30_000_000 }), json!({ "notes": "n" }), json!({ "paymentMethod": "cash" })];
    let [one, two, three] = &changes;
    let answers = tokio::join!(
        world.ask_on(&host, "PATCH", &path, one),
        world.ask_on(&host, "PATCH", &path, two),
        world.ask_on(&host, "PATCH", &path, three)
    );
    assert_eq!((answers.0.0, answers.1.0, answers.2.0), (200, 200, 200));
    let row = world.only("giftStaging");
    let kept = row["rawPayload"].clone();
    let payload: Value = kept.as_str().map_or(kept.clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(payload["amount"]["amountMicros"], 30_000_000);
    assert_eq!((&payload["notes"], &payload["paymentMethod"]), (&json!("n"), &json!("cash")));
    assert_eq!(actions(&row).iter().filter(|action| *action == "edited").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn namesake_needs_a_reviewer() {
    let world = staged();
    let namesake = world.create("person", &json!({ "name": { "firstName": "Mary", "lastName": "Seacole" } }));
    let (_, answer) = world.ask("POST", "gifts", by_mail()).await;
    assert_eq!(answer["data"]["giftStaging"]["processingStatus"], "pending", "{answer}");
    assert_eq!(world.only("giftStaging")["donorId"], Value::Null);
    let id = row_id(&world);
    let (process, status) = (format!("gift-staging/{id}/process"), format!("gift-staging/{id}/status"));
    world.ask("PATCH", &status, json!({ "processingStatus": "ready_for_process" })).await;
    assert_eq!(world.ask("POST", &process, Value::Null).await.1["reason"], "donor_review");
    assert_eq!(world.only("giftStaging")["processingStatus"], "dedupe_review");
    world
        .ask(
            "PATCH",
            &format!("gift-staging/{id}"),
            json!({ "donorId": namesake, "processingStatus": "ready_for_process" }),
        )
        .await;
    let (_, done) = world.ask("POST", &process, Value::Null).await;
    assert_eq!(done["status"], "processed", "{done}");
    assert_eq!(world.only("gift")["donorId"], json!(namesake));
    assert_eq!(world.live("person").len(), 1);
    assert!(actions(&world.only("giftStaging")).contains(&"merged".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn reviewer_rejects_namesakes() {
    let world = staged();
    world.create("person", &json!({ "name": { "firstName": "Mary", "lastName": "Seacole" } }));
    world.ask("POST", "gifts", by_mail()).await;
    let id = row_id(&world);
    let said = json!({ "processingStatus": "ready_for_process", "dedupeStatus": "passed" });
    world.ask("PATCH", &format!("gift-staging/{id}/status"), said).await;
    let (_, done) = world.ask("POST", &format!("gift-staging/{id}/process"), Value::Null).await;
    assert_eq!(done["status"], "processed", "{done}");
    assert_eq!(world.live("person").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn missing_parts_block() {
    let world = staged();
    let donor = world.create("person", &json!({}));
    let body = json!({ "amount": { "amountMicros": 1_000_000, "currencyCode": "GBP" }, "donorId": donor });
    world.ask("POST", "gift-staging", body).await;
    let id = row_id(&world);
    let path = format!("gift-staging/{id}/process");
    world.ask("PATCH", &format!("gift-staging/{id}/status"), json!({ "processingStatus": "ready_for_process" })).await;
    let (_, answer) = world.ask("POST", &path, Value::Null).await;
    assert_eq!((&answer["reason"], &answer["processingBlockers"]), (&json!("blocked"), &json!(["gift_date_missing"])));
    assert!(world.live("gift").is_empty());
    let row = world.only("giftStaging");
    assert_eq!((&row["processingStatus"], &row["errorDetail"]["code"]), (&json!("process_failed"), &json!("blocked")));
    let edit = json!({ "giftDate": "2026-02-01", "processingStatus": "ready_for_process" });
    world.ask("PATCH", &format!("gift-staging/{id}"), edit).await;
    assert_eq!(world.only("giftStaging")["errorDetail"], Value::Null);
    assert_eq!(world.ask("POST", &path, Value::Null).await.1["status"], "processed");
}

#[tokio::test(start_paused = true)]
async fn refused_gift_can_be_retried() {
    let world = staged();
    let mut body = by_mail();
    body["appealId"] = json!("6d2c3c1e-0b7a-4f6e-9d55-3a1f1d0c9a10");
    let (status, answer) = world.ask("POST", "gifts", body).await;
    assert_eq!(status, 400, "the row itself refers to nothing: {answer}");
    assert!(world.live("person").is_empty(), "an orphan was left: {:?}", world.live("person"));
    assert!(world.live("giftStaging").is_empty());
}

#[tokio::test(start_paused = true)]
async fn allowed_status_changes() {
    let world = staged();
    world.ask("POST", "gift-staging", by_mail()).await;
    let id = row_id(&world);
    let path = format!("gift-staging/{id}/status");
    for (word, status) in
        [("processed", 400), ("posted", 400), ("cancelled", 200), ("ready_for_process", 409), ("pending", 409)]
    {
        let (found, answer) = world.ask("PATCH", &path, json!({ "processingStatus": word })).await;
        assert_eq!(found, status, "{word}: {answer}");
    }
    assert_eq!(world.ask("POST", &format!("gift-staging/{id}/process"), Value::Null).await.1["reason"], "not_ready");
    let missing = "gift-staging/6d2c3c1e-0b7a-4f6e-9d55-3a1f1d0c9a10";
    assert_eq!(world.ask("PATCH", &format!("{missing}/status"), json!({ "processingStatus": "pending" })).await.0, 404);
    assert_eq!(world.ask("PATCH", &format!("{missing}/status"), json!({})).await.0, 404);
    assert_eq!(world.ask("GET", missing, Value::Null).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn batch_recovers_a_stale_claim() {
    let world = staged();
    let donor = world.create("person", &json!({}));
    for number in 0..5 {
        let payload = json!({ "amount": { "amountMicros": 1_000_000 + number * 10_000, "currencyCode": "GBP" }, "donorId": donor,
            "giftDate": format!("2026-01-0{}", number + 1) });
        let mut row = payload.clone();
        row["processingStatus"] =
            json!(["ready_for_process", "ready_for_process", "processing", "pending", "process_failed"][number]);
        row["rawPayload"] = payload;
        world.create("giftStaging", &row);
    }
    let (status, answer) =
        world.ask_on(&later(&world, 1), "POST", "gift-staging/process", &json!({ "limit": 10 })).await;
    assert_eq!((status, &answer["meta"]), (200, &json!({ "processed": 3, "deferred": 0, "failed": 0 })), "{answer}");
    let (_, answer) = world.ask_on(&later(&world, 2), "POST", "gift-staging/process", &json!({})).await;
    assert_eq!(answer["meta"]["processed"], 1, "the claim expired: {answer}");
    assert_eq!(world.live("gift").len(), 4);
    let waiting: Vec<_> = world.live("giftStaging").into_iter().filter(|row| row["giftId"].is_null()).collect();
    assert_eq!((waiting.len(), &waiting[0]["processingStatus"]), (1, &json!("pending")));
}

#[tokio::test(start_paused = true)]
async fn likely_repeat_or_unusual_gift_waits() {
    let world = staged();
    let donor = world.create("person", &json!({}));
    let gift = |micros: i64, date: &str, reference: &str| {
        json!({ "amount": { "amountMicros": micros, "currencyCode": "GBP" }, "contactId": donor, "giftDate": date,
            "externalId": reference })
    };
    for (number, date) in ["2026-01-01", "2026-01-10", "2026-01-20"].into_iter().enumerate() {
        let (_, answer) = world.ask("POST", "gifts", gift(5_000_000, date, &number.to_string())).await;
        assert!(answer["data"]["createGift"].is_object(), "{answer}");
    }
    for (micros, date, reference, code) in
        [(5_000_000, "2026-01-11", "d", "possible_duplicate"), (60_000_000, "2026-02-11", "u", "amount_unusual")]
    {
        let (_, answer) = world.ask("POST", "gifts", gift(micros, date, reference)).await;
        assert_eq!(answer["data"]["giftStaging"]["processingStatus"], "pending", "{answer}");
        let warnings = answer["meta"]["processingDiagnostics"]["processingWarnings"].to_string();
        assert!(warnings.find(code).is_some(), "{warnings}");
    }
    assert_eq!(world.live("gift").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn trusted_source_bypasses_staging() {
    let mut world = staged();
    world.settings.auto_process = false;
    world.settings.bypass_sources = vec![Bypass { source: "portal".into(), at_most: Some(25_000_000) }];
    let (_, answer) = world.ask("POST", "gifts", by_mail()).await;
    assert!(answer["data"]["createGift"].is_object(), "{answer}");
    assert_eq!(world.only("giftStaging")["processingStatus"], "processed", "its record outlives the gift");
    for (key, value) in [("giftDate", Value::Null), ("externalId", Value::Null), ("intakeSource", json!("elsewhere"))] {
        let mut body = by_mail();
        body["externalId"] = json!(key);
        if value.is_null() {
            body.as_object_mut().unwrap().remove(key);
        } else {
            body[key] = value;
        }
        let (_, answer) = world.ask("POST", "gifts", body).await;
        assert_eq!(answer["meta"]["stagedOnly"], true, "{key}: {answer}");
    }
    let mut larger = by_mail();
    larger["externalId"] = json!("larger");
    larger["amount"]["amountMicros"] = json!(25_010_000);
    let (_, answer) = world.ask("POST", "gifts", larger).await;
    assert_eq!(answer["meta"]["stagedOnly"], true, "more than the source may bring by itself: {answer}");
    assert_eq!(world.live("gift").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_mail_preference_suppresses_receipt() {
    let opted_out = || {
        let mut body = by_mail();
        body["supporterEmailOptOut"] = json!(true);
        body
    };
    let world = unstaged();
    world.ask("POST", "gifts", opted_out()).await;
    assert_eq!(world.only("gift")["receiptStatus"], "suppressed");

    for said_otherwise in [false, true] {
        let world = staged();
        let mut body = opted_out();
        body["autoProcess"] = json!(false);
        world.ask("POST", "gifts", body).await;
        let row = world.only("giftStaging");
        assert_eq!(row["supporterEmailOptOut"], true);
        let warnings = &row["processingDiagnostics"]["processingWarnings"];
        assert!(warnings.as_array().unwrap().contains(&json!("email_opted_out")), "{warnings}");
        let path = format!("gift-staging/{}", row["id"].as_str().unwrap());
        let (_, view) = world.ask("GET", &path, Value::Null).await;
        assert_eq!(view["data"]["giftStaging"]["receiptWarnings"], json!(["Receipt suppressed"]), "{view}");
        if said_otherwise {
            world.ask("PATCH", &path, json!({ "supporterEmailOptOut": false })).await;
        }
        world.ask("PATCH", &format!("{path}/status"), json!({ "processingStatus": "ready_for_process" })).await;
        world.ask("POST", &format!("{path}/process"), Value::Null).await;
        let expected = if said_otherwise { "pending" } else { "suppressed" };
        assert_eq!(world.only("gift")["receiptStatus"], expected, "{said_otherwise}");
    }
}

#[tokio::test(start_paused = true)]
async fn causes_of_unreadable_row() {
    let world = staged();
    world.ask("POST", "gift-staging", by_mail()).await;
    let path = format!("gift-staging/{}", world.only("giftStaging")["id"].as_str().unwrap());
    for (fault, status) in [
        (Fault::Status(401), 401),
        (Fault::Status(403), 403),
        (Fault::Status(404), 404),
        (Fault::Status(429), 503),
        (Fault::Status(503), 503),
        (Fault::Unreachable, 502),
    ] {
        let faults = (1..=9).fold(Faults::none(), |faults, call| faults.at(call, fault));
        let (answered, body) = world.ask_on(&world.host(faults), "GET", &path, &Value::Null).await;
        assert_eq!(answered, status, "{fault:?}: {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn stuck_rows_are_listed() {
    let world = staged();
    let mut body = by_mail();
    body["autoProcess"] = json!(true);
    let host = world.host(Faults::none());
    world.ask_on(&host, "POST", "gifts", &body).await;
    let calls = host.requests();

    let world = staged();
    // It dies once the row is there and before the gift is.
    for at in 1..=calls {
        let host = world.host(Faults::none().crash(at, false));
        if host.until_crash(world.ask_on(&host, "POST", "gifts", &body)).await.is_none()
            && world.live("giftStaging").len() == 1
        {
            break;
        }
    }
    assert_eq!(world.only("giftStaging")["processingStatus"], "processing");
    let stuck = async |minutes| {
        let (_, list) = world.ask_on(&later(&world, minutes), "GET", "gift-staging?stuck=true", &Value::Null).await;
        list["data"].as_array().unwrap().len()
    };
    assert_eq!((stuck(1).await, stuck(30).await), (0, 1));
    world.ask_on(&later(&world, 30), "POST", "gift-staging/process", &Value::Null).await;
    assert_eq!(stuck(60).await, 0);
    world.only("gift");
}
