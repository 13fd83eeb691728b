//! The 250 cases of the earlier TypeScript function, whose definitions this engine takes over.
//!
//! They lie beside the project, in `../shared/rollup-parity`.

use std::collections::BTreeMap;

use rollup::pure::{TotalsOptions, compute_totals};
use serde_json::{Value, json};
use support::{StubHost, recorded};

/// An empty sum carries the code `""` in the reference; Twenty stores and returns null for it.
fn permitted(expected: &Value, found: &Value) -> bool {
    *expected == json!({ "amountMicros": 0, "currencyCode": "" })
        && *found == json!({ "amountMicros": 0, "currencyCode": null })
}

#[test]
fn parity_cases() {
    let Some(cases) = recorded::lines("rollup-parity/cases.jsonl") else { return };
    let (mut passed, mut differences, mut wrong) = (0, Vec::new(), Vec::new());
    for case in &cases {
        let options = TotalsOptions { now: case["now"].as_str().map(str::to_owned), ..TotalsOptions::default() };
        let records = serde_json::to_vec(&case["records"]).unwrap();
        let found = compute_totals(&StubHost::offline(), &case["definition"], &records, &options).unwrap();
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
    println!("{passed} of {} cases", cases.len());
    println!("{} empty sums with code null instead of \"\": {}", differences.len(), differences.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(passed, 250);
}
