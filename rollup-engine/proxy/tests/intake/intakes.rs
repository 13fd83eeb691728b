//! Every recorded `POST /gifts`, `POST /gift-staging` and `PATCH /gifts/:id`: refused with the same words, or the same
//! calls to Twenty.

use fundraising::gift::create::Intake;
use fundraising::gift::update;
use fundraising::payload::Payload;
use ports::Timestamp;
use proxy::settings::Settings;
use serde_json::{Value, json};

use super::recorded::{calls, cases, same, text};
use super::walk::{Outcome, Setting, take};

fn on(case: &Value, name: &str) -> bool {
    matches!(text(case, &format!("/env/{name}")), "1" | "true" | "yes" | "on")
}

fn setting(case: &Value) -> Setting<'_> {
    let env = |name: &str| case["env"].get(name).and_then(Value::as_str);
    let intake = match text(case, "/request/path").ends_with("gift-staging") {
        true => Intake::Staging,
        false if on(case, "FUNDRAISING_ENABLE_GIFT_STAGING") => Intake::GiftRoute,
        false => Intake::Direct,
    };
    let answer = |path| calls(case, "POST", path).last().map(|call| &call["reply"]["body"]);
    Setting {
        intake,
        auto_default: on(case, "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT"),
        receipts: Settings::read(|name| env(name).map(str::to_owned)).unwrap().receipts,
        duplicates: answer("/rest/people/duplicates"),
        new_person: answer("/rest/people").and_then(|body| body.pointer("/data/createPerson/id")?.as_str()),
    }
}

/// What differs between the calls of a case and those that the outcome leads to
fn differences(case: &Value, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, expected: &Value, found: &Value| {
        if !same(expected, found) {
            wrong.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    let body = |path| calls(case, "POST", path).first().map(|call| call["expect"]["body"].clone());
    let lookup = outcome.lookup.as_ref().map(|person| json!({ "data": [person] }));
    check("look-up", &json!(body("/rest/people/duplicates")), &json!(lookup));
    check("person", &json!(body("/rest/people")), &json!(outcome.person));
    if let Some(expected) = body("/rest/gifts") {
        check("gift", &expected, &Value::Object(outcome.gift.to_record(&outcome.receipt)));
    }
    if let Some(expected) = body("/rest/giftStagings") {
        check("raw payload", &expected["rawPayload"], &Value::Object(outcome.raw_payload()));
        check("diagnostics", &expected["processingDiagnostics"], &outcome.diagnostics.to_json());
        check("autoProcess", &expected["autoProcess"], &json!(outcome.gift.auto_process));
        check("processingStatus", &expected["processingStatus"], &json!(outcome.state.as_str()));
        let dedupe = outcome.dedupe.as_ref().map(|dedupe| dedupe.match_type.dedupe_status());
        check("dedupeStatus", &json!(expected.get("dedupeStatus")), &json!(dedupe));
    }
    wrong
}

#[test]
fn recorded_webhooks() {
    let (mut refused, mut taken, mut wrong) = (0, 0, Vec::new());
    for file in ["cases-01-routing-auth", "cases-02-gifts", "cases-07-staging", "cases-10-receipts"] {
        let Some(cases) = cases(&format!("{file}.jsonl")) else { return };
        for case in cases {
            let path = text(&case, "/request/path");
            let is_intake = path.ends_with("/gifts") || path.ends_with("/gift-staging");
            // Who is let in is decided before the body is looked at.
            if !is_intake || text(&case, "/request/method") != "POST" || case["response"]["status"] == 401 {
                continue;
            }
            let request = &case["request"];
            let body =
                request.get("rawBody").map_or_else(|| request["body"].to_string(), |raw| raw.as_str().unwrap().into());
            let name = text(&case, "/name");
            match take(body.as_bytes(), &setting(&case)) {
                Err(refusal) => {
                    refused += 1;
                    let expected = &case["response"]["body"];
                    if !same(expected, &refusal.to_json()) && expected["message"] != "<string>" {
                        wrong.push(format!("{name}: expected {expected}, found {}", refusal.to_json()));
                    }
                }
                Ok(outcome) => {
                    taken += 1;
                    wrong.extend(differences(&case, &outcome).into_iter().map(|what| format!("{name}: {what}")));
                }
            }
        }
    }
    println!("{refused} intakes refused and {taken} taken as recorded, {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 15 && taken >= 30, "only {refused} refused and {taken} taken");
}

#[test]
fn every_change_gives_the_same_answer() {
    let Some(cases) = cases("cases-02-gifts.jsonl") else { return };
    let mut met = 0;
    for case in cases.iter().filter(|case| text(case, "/request/method") == "PATCH") {
        let payload = Payload::parse(case["request"]["body"].to_string().as_bytes()).unwrap();
        let found = update::read(&payload, Timestamp::parse("2026-03-02T10:00:00Z").unwrap());
        let (expected, found) = match found {
            Ok(changes) => (case.pointer("/upstream/0/expect/body"), Value::Object(changes)),
            Err(refusal) => (case.pointer("/response/body"), refusal.to_json()),
        };
        assert!(same(expected.unwrap(), &found), "{}: found {found}", text(case, "/name"));
        met += 1;
    }
    println!("{met} changes met as recorded");
    assert!(met >= 5, "only {met}");
}
