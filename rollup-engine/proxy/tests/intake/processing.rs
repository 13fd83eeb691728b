//! The recorded requests to process a row: what its state decides, the gift that is made of its payload, and the
//! statuses that are written.

use fundraising::gift::stored;
use fundraising::receipt::{self, Receipt, Settings};
use fundraising::staging::{Admission, CurrentState, Event, State, admit, transition};
use serde_json::Value;

use super::recorded::{calls, cases, same, text};

#[test]
fn recorded_webhooks() {
    let Some(cases) = cases("cases-08-process.jsonl") else { return };
    let (mut deferred, mut done, mut claimed) = (0, 0, 0);
    for case in &cases {
        let path = format!("/rest/giftStagings/{}", text(case, "/response/body/stagingId"));
        let reads = calls(case, "GET", &path);
        let Some(record) = reads.first().and_then(|read| read.pointer("/reply/body/data/giftStaging")) else {
            continue;
        };
        let state = State::read(record["processingStatus"].as_str()).unwrap();
        let row = CurrentState { state, gift_id: record["giftId"].as_str() };
        let (answer, name) = (&case["response"]["body"], text(case, "/name"));
        match admit(row) {
            Admission::Deferred(reason) => {
                deferred += 1;
                assert_eq!(
                    (&answer["status"], &answer["reason"]),
                    (&"deferred".into(), &reason.as_str().into()),
                    "{name}"
                );
            }
            Admission::Processed(gift) => {
                done += 1;
                assert_eq!((&answer["status"], &answer["giftId"]), (&"processed".into(), &gift.into()), "{name}");
            }
            Admission::Claimable => {
                let Some(posted) = calls(case, "PATCH", &path)
                    .into_iter()
                    .find(|call| text(call, "/expect/body/processingStatus") == "processed")
                else {
                    assert_ne!(answer["status"], "processed", "{name}");
                    continue;
                };
                claimed += 1;
                let payload = match &record["rawPayload"] {
                    Value::String(text) => serde_json::from_str(text).unwrap(),
                    payload => payload.clone(),
                };
                let payload = payload.as_object().unwrap();
                let mut gift = stored::read(payload).unwrap();
                let created = &calls(case, "POST", "/rest/gifts")[0]["expect"]["body"];
                // Whom a look-up found is tested with the intakes.
                gift.donor_id = gift.donor_id.or_else(|| created["donorId"].as_str().map(str::to_owned));
                let receipt = receipt::decide(&gift, Receipt::read(payload), &Settings::default());
                let found = Value::Object(gift.to_record(&receipt));
                assert!(same(created, &found), "{name}: expected {created}, found {found}");
                let claim = transition(row, Event::Claim).unwrap();
                let mut written =
                    transition(CurrentState { state: claim.state, gift_id: None }, Event::Post).unwrap().to_json();
                written.insert("giftId".into(), answer["giftId"].clone());
                assert!(same(&posted["expect"]["body"], &Value::Object(written)), "{name}");
            }
        }
    }
    println!("{deferred} rows deferred, {done} processed before, {claimed} claimed and posted as recorded");
    assert!(deferred >= 2 && done >= 1 && claimed >= 8, "{deferred} {done} {claimed}");
}
