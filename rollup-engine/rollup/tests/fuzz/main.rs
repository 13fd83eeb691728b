//! Fuzz targets of the engine's readers: definitions and settings, payloads, records. Nothing panics, whatever is handed in.
//!
//! Each target has a corpus of readable inputs beside it, in `__fuzz__/<target>/corpus`. `cargo test` tries each of them as
//! it stands and then bends them at random for two seconds. `cargo bolero test -p rollup --test fuzz config` looks for more.

use bolero::check;
use rollup::checkpoint::Checkpoint;
use rollup::config::Config;
use rollup::trigger::Trigger;
use rollup::{TotalsOptions, compute_totals, validate_definitions};
use serde_json::{Value, json};
use support::StubHost;
use support::bend::{MAX_LEN, TEST_TIME, bent, corpus};

/// Knows the time and the zones, and nothing else
fn host() -> StubHost<'static> {
    StubHost::offline().with_utc_offset(3_600)
}

const CHILDREN: &str = r#"[
    {"id":"00000001-0000-4000-8000-000000000000","amount":{"amountMicros":12500000,"currencyCode":"GBP"},
     "refundedAmount":{"amountMicros":2500000,"currencyCode":"GBP"},"giftDate":"2026-03-05","status":"a","score":1},
    {"id":"00000002-0000-4000-8000-000000000000","amount":"abc","giftDate":7,"status":null,"paid":true}]"#;

/// A configuration is refused with places, or its definitions compute whatever the children are.
#[test]
fn fuzz_config() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "config");
    check!(name = "config").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let bytes = bent(input, &corpus);
        let text = String::from_utf8_lossy(&bytes);
        match Config::from_text(&text) {
            Err(faults) => assert!(faults.iter().all(|fault| !fault.place.is_empty()) && !faults.is_empty()),
            Ok(config) if text.trim().is_empty() => assert!(config.built_in),
            Ok(_) => {
                let json: Value = serde_json::from_str(&text).unwrap();
                assert!(validate_definitions(&json).valid);
                let definitions = json.get("definitions").unwrap_or(&json).as_array().unwrap().clone();
                for definition in definitions {
                    let totals =
                        compute_totals(&host(), &definition, CHILDREN.as_bytes(), &TotalsOptions::default()).unwrap();
                    assert!(totals.len() <= definition["aggregations"].as_array().unwrap().len());
                }
            }
        }
    });
}

/// A payload is refused by name, or says which parents are concerned; a checkpoint survives a round trip.
#[test]
fn fuzz_payload() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "payload");
    let definitions = Config::from_text("").unwrap().definitions;
    check!(name = "payload").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let Ok(payload) = serde_json::from_slice::<Value>(&bent(input, &corpus)) else { return };
        match Trigger::read(&payload) {
            Err(fault) => assert!(!fault.place.is_empty()),
            Ok(trigger) => {
                let targets = trigger.targets(&definitions);
                assert!(targets.is_none_or(|targets| targets.len() == definitions.len()));
                let _ = trigger.may_be_a_merge(&definitions);
                if let Trigger::Continuation(checkpoint) = trigger {
                    assert_eq!(Checkpoint::from_json(&checkpoint.to_json()), Ok(checkpoint));
                }
            }
        }
    });
}

/// Records are refused, or come to totals; the same ones in another order come to the same.
#[test]
fn fuzz_records() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "records");
    let aggregation = |kind: &str, field: &str, code: Option<&str>| json!({ "type": kind, "childField": field, "currencyField": code, "parentField": format!("{kind}{}", field.len()) });
    let definition = json!({
        "parentObject": "person", "childObject": "gift", "relationField": "donorId",
        "childFilters": [{ "field": "amount.amountMicros", "subtractField": "refundedAmount.amountMicros",
                           "operator": "gte", "value": 0 }],
        "aggregations": [
            aggregation("SUM", "amount.amountMicros", Some("amount.currencyCode")),
            aggregation("AVG", "amount.amountMicros", None),
            aggregation("MIN", "giftDate", None),
            aggregation("MAX", "amount.amountMicros", Some("amount.currencyCode")),
            { "type": "COUNT", "parentField": "n", "filters": [{ "field": "giftDate", "operator": "gte", "dynamicValue": "startOfYear" }] }
        ]
    });
    check!(name = "records").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let bytes = bent(input, &corpus);
        let totals = |bytes: &[u8]| compute_totals(&host(), &definition, bytes, &TotalsOptions::default());
        let Ok(found) = totals(&bytes) else { return };
        assert!(found.contains_key("n"));
        // A number past a double is no JSON for serde, and nothing to turn round.
        if let Ok(Value::Array(mut records)) = serde_json::from_slice(&bytes)
            && totals(&serde_json::to_vec(&records).unwrap()).ok().as_ref() == Some(&found)
        {
            records.reverse();
            assert_eq!(totals(&serde_json::to_vec(&records).unwrap()).unwrap(), found);
        }
    });
}
