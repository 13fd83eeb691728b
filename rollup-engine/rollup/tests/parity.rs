//! The 250 cases of the earlier TypeScript function, whose definitions this engine takes over.
//!
//! They lie beside the project, in `../shared/rollup-parity`; where they are absent this says so and checks nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ports::{Clock, Event, FetchError, Http, Log, Request, Response, TimeZones, Timestamp, async_trait};
use rollup::pure::{TotalsOptions, compute_totals};
use serde_json::{Value, json};

struct NoHost;

#[async_trait(?Send)]
impl Http for NoHost {
    async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
        Err(FetchError::Unreachable { reason: "no network here".into() })
    }
}

#[async_trait(?Send)]
impl Clock for NoHost {
    async fn sleep(&self, _: Duration) {}

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

impl Log for NoHost {
    fn log(&self, _: Event) {}
}

impl TimeZones for NoHost {
    fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> {
        None
    }
}

/// An empty sum carries the code `""` in the reference; Twenty stores and returns null for it.
fn permitted(expected: &Value, found: &Value) -> bool {
    *expected == json!({ "amountMicros": 0, "currencyCode": "" })
        && *found == json!({ "amountMicros": 0, "currencyCode": null })
}

#[test]
fn every_case_gives_the_same_totals() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rollup-parity/cases.jsonl");
    let Ok(cases) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: the parity cases are not here ({})", path.display());
        return;
    };
    let (mut passed, mut differences, mut wrong) = (0, Vec::new(), Vec::new());
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let options = TotalsOptions { now: case["now"].as_str().map(str::to_owned), ..TotalsOptions::default() };
        let records = serde_json::to_vec(&case["records"]).unwrap();
        let found = compute_totals(&NoHost, &case["definition"], &records, &options).unwrap();
        let expected: BTreeMap<String, Value> = serde_json::from_value(case["expected"].clone()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{}", case["name"]);
        let before = wrong.len();
        for (field, expected) in &expected {
            let found = &found[field];
            if permitted(expected, found) {
                differences.push(format!("{}.{field}", case["name"]));
            } else if expected != found && expected.as_f64().is_none_or(|number| Some(number) != found.as_f64()) {
                wrong.push(format!("{}.{field}: expected {expected}, found {found}", case["name"]));
            }
        }
        passed += usize::from(wrong.len() == before);
    }
    println!("{passed} of {} cases", cases.lines().count());
    println!("{} empty sums with code null instead of \"\": {}", differences.len(), differences.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(passed, 250);
}
