//! One gift, one donor, one row: whatever call is lost, whatever process dies, whoever asks at the same time.

use sandbox::{Fault, Faults};
use serde_json::{Value, json};

use support::{ServiceWorld, read, ten};

use super::common::{actions, by_mail, later, staged, unstaged};
use super::review::release_instalment;

/// What must hold after a request was said again until it was answered
fn consistent(world: &ServiceWorld, what: &str) {
    let gift = world.only("gift");
    let person = world.only("person");
    assert_eq!(gift["donorId"], person["id"], "{what}");
    let row = world.only("giftStaging");
    assert_eq!((&row["processingStatus"], &row["giftId"]), (&json!("processed"), &gift["id"]), "{what}");
    assert_eq!(row["donorId"], person["id"], "{what}");
    assert_eq!(row["errorDetail"], Value::Null, "{what}");
}

/// Every call number, with each fault; the request is then said again
async fn at_every_call(world: impl Fn() -> ServiceWorld, path: &str, body: impl Fn(&ServiceWorld) -> (String, Value)) {
    let undisturbed = world();
    let host = undisturbed.host(Faults::none());
    let (id, sent) = body(&undisturbed);
    let to = path.replace(":id", &id);
    undisturbed.ask_on(&host, "POST", &to, &sent).await;
    consistent(&undisturbed, "undisturbed");
    let calls = host.requests();
    assert!(calls >= 4, "{calls}");
    for at in 1..=calls {
        for acted in [false, true] {
            let world = world();
            let (id, sent) = body(&world);
            let to = path.replace(":id", &id);
            let host = world.host(Faults::none().crash(at, acted));
            assert!(host.until_crash(world.ask_on(&host, "POST", &to, &sent)).await.is_none(), "alive at {at}");
            world.ask_on(&later(&world, 20), "POST", &to, &sent).await;
            consistent(&world, &format!("died at call {at}, acted {acted}"));
        }
        for fault in [Fault::LostReply, Fault::Unreachable, Fault::Status(503), Fault::Status(429)] {
            // Once, so that it is tried again at once; and for long, so that it is given up.
            for times in [1, 3, 40] {
                let world = world();
                let (id, sent) = body(&world);
                let to = path.replace(":id", &id);
                let faults = (at..at + times).fold(Faults::none(), |faults, call| faults.at(call, fault));
                world.ask_on(&world.host(faults), "POST", &to, &sent).await;
                for minutes in [20, 40] {
                    world.ask_on(&later(&world, minutes), "POST", &to, &sent).await;
                }
                let what = format!("{fault:?} {times} times from call {at}");
                if path.ends_with("gifts") {
                    let row = world.only("giftStaging");
                    let to = format!("gift-staging/{}", row["id"].as_str().unwrap());
                    if row["processingStatus"] == "pending" {
                        // Nobody could be asked for the donor, so that it waits for a reviewer.
                        let warnings = row["processingDiagnostics"]["processingWarnings"].to_string();
                        assert!(
                            warnings.find("donor_lookup_failed").or(warnings.find("history_unavailable")).is_some()
                        );
                        let released = json!({ "processingStatus": "ready_for_process" });
                        world.ask_on(&later(&world, 50), "PATCH", &format!("{to}/status"), &released).await;
                    }
                    if row["processingStatus"] != "processed" {
                        world.ask_on(&later(&world, 60), "POST", &format!("{to}/process"), &Value::Null).await;
                    }
                }
                consistent(&world, &what);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn staged_intake_survives_each_crash() {
    at_every_call(staged, "gifts", |_| (String::new(), by_mail())).await;
}

#[tokio::test(start_paused = true)]
async fn unstaged_intake_survives_each_crash() {
    at_every_call(unstaged, "gifts", |_| (String::new(), by_mail())).await;
}

#[tokio::test(start_paused = true)]
async fn promotion_survives_each_crash() {
    let row = |world: &ServiceWorld| {
        let payload = json!({ "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-14",
            "donorFirstName": "Mary", "donorLastName": "Seacole", "donorEmail": "mary@crimea.example" });
        let mut row = payload.clone();
        row["processingStatus"] = json!("ready_for_process");
        row["rawPayload"] = payload;
        (world.create("giftStaging", &row).to_string(), Value::Null)
    };
    at_every_call(staged, "gift-staging/:id/process", row).await;
}

#[tokio::test(start_paused = true)]
async fn ten_identical_requests_make_one_gift() {
    for world in [staged(), unstaged()] {
        let latency =
            Faults::none().latency(std::time::Duration::from_millis(1), std::time::Duration::from_millis(400));
        let host = world.host(latency.seed(3));
        let proxy = world.service();
        let body = by_mail();
        let ask = || async { read(&world.send_to(&proxy, &host, world.inbound("POST", "gifts", &body)).await) };
        let answers = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask(), ask(), ask(), ask(), ask());
        let gift = world.only("gift")["id"].clone();
        for (status, answer) in [answers.0, answers.1, answers.4, answers.9] {
            assert_eq!((status, &answer["data"]["createGift"]["id"]), (200, &gift));
        }
        consistent(&world, "at once");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_process_claims_once() {
    let world = staged();
    release_instalment(&world);
    let host =
        world.host(Faults::none().latency(std::time::Duration::from_millis(1), std::time::Duration::from_millis(300)));
    let proxy = world.service();
    let row = world.only("giftStaging")["id"].as_str().unwrap().to_owned();
    let path = format!("gift-staging/{row}/process");
    let ask = || async { read(&world.send_to(&proxy, &host, world.inbound("POST", &path, &Value::Null)).await).1 };
    let answers = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    assert!(answers.iter().any(|answer| answer["status"] == "processed"), "{answers:?}");
    assert!(
        answers.iter().all(|answer| answer["status"] == "processed" || answer["reason"] == "locked"),
        "{answers:?}"
    );
    world.only("gift");
    let row = world.only("giftStaging");
    let claims = actions(&row).into_iter().filter(|action| action == "claimed").count();
    assert_eq!(claims, 1);
    assert_eq!(world.only("recurringAgreement")["nextExpectedAt"], "2026-03-31", "advanced once, to the month's end");
}

#[tokio::test(start_paused = true)]
async fn late_repeat_makes_nothing() {
    for world in [staged(), unstaged()] {
        world.ask("POST", "gifts", by_mail()).await;
        let gift = world.only("gift")["id"].as_str().unwrap().to_owned();
        let (status, answer) = world.ask("POST", "gifts", by_mail()).await;
        assert_eq!((status, &answer["data"]["createGift"]["id"]), (200, &json!(gift)));
        assert_eq!(answer["meta"]["repeated"], true);

        world.ask("DELETE", &format!("gifts/{gift}"), Value::Null).await;
        assert!(world.live("gift").is_empty());
        assert_eq!(world.sandbox.borrow().records("gift").len(), 1, "in the trash, not destroyed");
        let (status, answer) = world.ask("POST", "gifts", by_mail()).await;
        assert_eq!((status, &answer["meta"]["deleted"]), (200, &json!(true)));
        assert!(world.live("gift").is_empty(), "revived");

        let id = uuid::Uuid::parse_str(&gift).unwrap();
        world.sandbox.borrow_mut().destroy("gift", id, ten()).unwrap();
        let (_, answer) = world.ask("POST", "gifts", by_mail()).await;
        assert_eq!(answer["meta"]["deleted"], true);
        assert!(world.live("gift").is_empty(), "made again");
    }
}

/// A create whose answer was lost is sent again and meets its own record: Twenty's refusal of that is no error in the log.
#[tokio::test(start_paused = true)]
async fn harmless_repeat_is_no_error() {
    let mut refusals = Vec::new();
    for call in 1..=8 {
        for world in [staged(), unstaged()] {
            let host = world.host(Faults::none().at(call, Fault::LostReply));
            let request = world.inbound("POST", "gifts", &by_mail());
            assert_eq!(world.send_to(&world.service(), &host, request).await.status, 200, "{call}");
            let lines = host.log_lines().into_iter().filter(|line| line.event == "request_refused");
            refusals.extend(lines.map(|line| line.level));
        }
    }
    assert!(!refusals.is_empty(), "no create was repeated");
    assert!(refusals.iter().all(|level| *level == ports::Level::Info), "{refusals:?}");
}

#[tokio::test(start_paused = true)]
async fn key_with_other_content_is_refused() {
    for world in [staged(), unstaged()] {
        world.ask("POST", "gifts", by_mail()).await;
        let mut other = by_mail();
        other["amount"]["amountMicros"] = json!(26_000_000);
        let (status, answer) = world.ask("POST", "gifts", other).await;
        assert_eq!(status, 409, "{answer}");
        world.only("gift");
    }
}

#[tokio::test(start_paused = true)]
async fn precedence_of_keys() {
    let world = unstaged();
    let host = world.host(Faults::none());
    let proxy = world.service();
    let mut body = by_mail();
    body.as_object_mut().unwrap().remove("externalId");
    for (key, count) in [(Some("k"), 1), (Some("k"), 1), (Some("l"), 2), (None, 3), (None, 4)] {
        let mut request = world.inbound("POST", "gifts", &body);
        request.headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        assert_eq!(world.send_to(&proxy, &host, request).await.status, 200);
        assert_eq!(world.live("gift").len(), count, "{key:?}");
    }
    world.only("person");
    assert!(host.log_lines().iter().any(|line| line.event == "gift_taken_without_key"));
    body["providerPaymentId"] = json!("pi_1");
    body["provider"] = json!("stripe");
    for external in ["a", "b"] {
        body["externalId"] = json!(external);
        world.send_to(&proxy, &host, world.inbound("POST", "gifts", &body)).await;
        assert_eq!(world.live("gift").len(), 5);
    }
}
