//! The recorded cases of the contract, and how a recorded body is compared.

use serde_json::Value;
use support::recorded;

/// The cases of a file that are contract, not defects of the recorded service
pub(crate) fn cases(file: &str) -> Option<Vec<Value>> {
    let cases = recorded::lines(&format!("proxy-contract/{file}"))?.into_iter();
    Some(cases.filter(|case| case.get("quirk").is_none()).collect())
}

pub(crate) fn text<'a>(case: &'a Value, pointer: &str) -> &'a str {
    case.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The calls of a case to this path of Twenty
pub(crate) fn calls<'a>(case: &'a Value, method: &str, path: &str) -> Vec<&'a Value> {
    let all = case["upstream"].as_array().unwrap().iter();
    all.filter(|call| text(call, "/expect/method") == method && text(call, "/expect/path") == path).collect()
}

/// Compares as the contract's replayer does: `$soft` and `$json` wrappers, numbers by value
pub(crate) fn same(expected: &Value, found: &Value) -> bool {
    if let Some(wrapped) = expected.get("$soft") {
        return expected["as"] == "any" || wrapped == found || found.is_string();
    }
    if let Some(wrapped) = expected.get("$json") {
        return match found {
            Value::String(text) => serde_json::from_str(text).is_ok_and(|found| same(wrapped, &found)),
            found => same(wrapped, found),
        };
    }
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.len() == found.len()
                && expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| same(value, found)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(expected, found)| same(expected, found))
        }
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (expected, found) => expected == found,
    }
}

#[test]
fn the_comparison_can_fail() {
    use serde_json::json;
    assert!(same(&json!({ "a": { "$soft": "x", "as": "string" } }), &json!({ "a": "y" })));
    assert!(same(&json!({ "a": { "$json": { "b": 1 } } }), &json!({ "a": "{\"b\":1.0}" })));
    assert!(!same(&json!({ "a": { "$soft": "x", "as": "string" } }), &json!({ "a": 1 })));
    assert!(!same(&json!({ "a": { "$json": { "b": 1 } } }), &json!({ "a": "{\"b\":2}" })));
    assert!(!same(&json!({ "a": 1 }), &json!({ "a": 1, "b": 2 })));
    assert!(!same(&json!({ "a": null }), &json!({})));
    assert!(!same(&json!([1, 2]), &json!([1])));
}
