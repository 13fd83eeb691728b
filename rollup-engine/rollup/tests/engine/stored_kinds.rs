//! What stands in a total's field and is no such value is drift, whatever it is.

use ports::{Request, Response};
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id};

/// The stored values of all people, in every reply that shows people
fn stored(answer: Response, field: &str, value: &str) -> Response {
    fn walk(json: &mut Value, field: &str) {
        match json {
            Value::Object(object) => {
                if let Some(slot) = object.get_mut(field) {
                    *slot = json!("<stored>");
                }
                object.values_mut().for_each(|value| walk(value, field));
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, field)),
            _ => {}
        }
    }
    let mut json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    walk(&mut json, field);
    // As text, since not every number of JSON is one of serde's.
    Response { body: json.to_string().replace("\"<stored>\"", value).into_bytes(), ..answer }
}

/// A dry run reports them as wrong with what was there, and a rebuild puts them right
#[tokio::test(start_paused = true)]
async fn stored_values_that_are_no_numbers() {
    for way in Way::BOTH {
        for (field, value, shown) in [
            ("lifetimeGiftCount", r#""abc""#, json!("abc")),
            ("lifetimeGiftCount", r#""NaN""#, json!("NaN")),
            ("lifetimeGiftCount", "true", json!(true)),
            ("lifetimeGiftCount", "[1]", json!([1])),
            ("lifetimeGiftCount", r#"{"a":1}"#, json!({ "a": 1 })),
            ("lifetimeGiftCount", "1e30", json!(1e30)),
            ("lifetimeGiftCount", "1e400", json!("1e400")),
            ("lifetimeGiftCount", "-99999999999999999999999999999999", json!(-1e32)),
            ("lifetimeGiftAmount", r#""abc""#, json!("abc")),
            ("lifetimeGiftAmount", "5", json!(5)),
            (
                "lifetimeGiftAmount",
                r#"{"amountMicros":"abc","currencyCode":"GBP"}"#,
                json!({ "amountMicros": "abc", "currencyCode": "GBP" }),
            ),
            (
                "lifetimeGiftAmount",
                r#"{"amountMicros":{"a":1},"currencyCode":["GBP"]}"#,
                json!({ "amountMicros": { "a": 1 }, "currencyCode": ["GBP"] }),
            ),
            (
                "lifetimeGiftAmount",
                r#"{"amountMicros":5000000,"currencyCode":7}"#,
                json!({ "amountMicros": 5_000_000, "currencyCode": 7 }),
            ),
            ("lastGiftDate", "7", json!(7)),
            ("lastGiftDate", r#"{"a":1}"#, json!({ "a": 1 })),
        ] {
            let world = EngineWorld::new(Limits::default()).by(way);
            world.create("person", 1, &json!({}));
            let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
            world.create("gift", 1, &json!({ "donorId": id("person", 1), "amount": amount, "giftDate": "2026-03-05" }));
            world.run(&json!({})).await;
            let host = || {
                InterceptHost::new(world.host(Faults::none())).after(move |request: &Request, answer: Response| {
                    let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
                    let reads = request.url.contains("/rest/people") || body.contains("people(");
                    if reads { stored(answer, field, value) } else { answer }
                })
            };
            let told = format!("{way:?}, {field} {value}");
            let definitions = world.configured(super::common::defaults().as_array().unwrap()[..1].into());
            let report = calculate_rollups(&host(), &json!({ "dryRun": true }), &definitions).await;
            assert_eq!(report.status, Status::Ok, "{told}: {report:?}");
            let drift = report.drift.unwrap();
            assert_eq!((drift.values, drift.examples.len()), (1, 1), "{told}");
            assert_eq!((drift.examples[0].field.as_str(), &drift.examples[0].stored), (field, &shown), "{told}");
            let report = calculate_rollups(&host(), &json!({}), &definitions).await;
            assert_eq!((report.status, report.totals.updated), (Status::Ok, 1), "{told}: {report:?}");
            let explain = json!({ "explain": { "parentObject": "person", "id": id("person", 1) } });
            let report = calculate_rollups(&host(), &explain, &definitions).await;
            assert_eq!(report.status, Status::Ok, "{told}: {report:?}");
            assert_eq!(world.wrong(), Vec::<String>::new(), "{told}");
        }
    }
}
