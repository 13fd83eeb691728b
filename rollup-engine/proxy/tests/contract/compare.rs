//! How a recorded value is compared with what was sent or answered.

use serde_json::{Map, Value};

/// Adds what differs, with the place where it does.
pub(crate) fn diff(expected: &Value, found: Option<&Value>, at: &str, out: &mut Vec<String>) {
    let Some(found) = found else {
        out.push(format!("{at}: absent, expected {}", show(expected)));
        return;
    };
    if let Some(text) = expected.as_str()
        && let Some(fits) = masked(text, found)
    {
        if !fits {
            out.push(format!("{at}: {} is not {text}", show(found)));
        }
        return;
    }
    if expected.get("$soft").is_some() {
        let fits = expected["as"] == "any" || found.as_str().is_some_and(|text| !text.is_empty());
        if !fits {
            out.push(format!("{at}: {}, expected some {}", show(found), expected["as"]));
        }
        return;
    }
    if let Some(wrapped) = expected.get("$json") {
        let read = found.as_str().map(serde_json::from_str::<Value>);
        match read {
            Some(Ok(inner)) => diff(wrapped, Some(&inner), at, out),
            Some(Err(_)) => out.push(format!("{at}: {} is not JSON text", show(found))),
            None => diff(wrapped, Some(found), at, out),
        }
        return;
    }
    match (expected, found) {
        (Value::Array(all), Value::Array(others)) if all.len() == others.len() => {
            for (index, (each, other)) in all.iter().zip(others).enumerate() {
                diff(each, Some(other), &format!("{at}[{index}]"), out);
            }
        }
        (Value::Object(members), Value::Object(others)) => {
            if members.contains_key("processingBlockers") && members.contains_key("processingWarnings") {
                diagnostics(members, others, at, out);
                return;
            }
            for (key, value) in members {
                diff(value, others.get(key), &format!("{at}.{key}"), out);
            }
            for (key, value) in others.iter().filter(|(key, _)| !members.contains_key(*key)) {
                out.push(format!("{at}.{key}: unexpected {}", show(value)));
            }
        }
        (Value::Number(number), Value::Number(other)) if number.as_f64() == other.as_f64() => {}
        (expected, found) if expected == found => {}
        _ => out.push(format!("{at}: {}, expected {}", show(found), show(expected))),
    }
}

/// Codes are sets; further warnings and keys are allowed, further blockers are not.
fn diagnostics(expected: &Map<String, Value>, found: &Map<String, Value>, at: &str, out: &mut Vec<String>) {
    for key in ["processingEligibility", "identityConfidence"] {
        if let Some(value) = expected.get(key) {
            diff(value, found.get(key), &format!("{at}.{key}"), out);
        }
    }
    for key in ["processingBlockers", "processingWarnings"] {
        let own = expected[key].as_array().unwrap();
        let others = found.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        for code in own.iter().filter(|code| !others.contains(code)) {
            out.push(format!("{at}.{key}: {code} is missing"));
        }
        if key == "processingBlockers" {
            for code in others.iter().filter(|code| !own.contains(code)) {
                out.push(format!("{at}.{key}: unexpected {code}"));
            }
        }
    }
}

/// Whether the value is what a mask stands for; nothing if the text is no mask
fn masked(mask: &str, found: &Value) -> Option<bool> {
    let text = found.as_str().unwrap_or_default();
    Some(match mask {
        "<any>" => true,
        "<string>" => !text.is_empty(),
        "<uuid>" => text.parse::<uuid::Uuid>().is_ok_and(|id| id.to_string() == text),
        "<iso-datetime>" => text.ends_with('Z') && ports::Timestamp::parse(text).is_some(),
        _ => return None,
    })
}

pub(crate) fn show(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 200 { text.chars().take(197).chain("…".chars()).collect() } else { text }
}

#[test]
fn the_comparison_can_fail() {
    use serde_json::json;
    let same = |expected: Value, found: Value| {
        let mut out = Vec::new();
        diff(&expected, Some(&found), "it", &mut out);
        out.is_empty()
    };
    assert!(same(json!({ "a": { "$soft": "x", "as": "string" } }), json!({ "a": "y" })));
    assert!(same(json!({ "$json": { "a": 1 } }), json!("{\"a\":1.0}")));
    assert!(same(json!("<uuid>"), json!("7be78772-a97d-4b0a-a867-5df1421c1e34")));
    assert!(same(
        json!({ "processingBlockers": ["a"], "processingWarnings": ["b"] }),
        json!({ "processingBlockers": ["a"], "processingWarnings": ["c", "b"], "more": 1 })
    ));
    for (expected, found) in [
        (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
        (json!({ "a": null }), json!({})),
        (json!([1, 2]), json!([1])),
        (json!("<uuid>"), json!("x")),
        (json!({ "$json": { "a": 1 } }), json!("{\"a\":2}")),
        (json!({ "processingBlockers": [], "processingWarnings": [] }), json!({ "processingBlockers": ["a"] })),
    ] {
        assert!(!same(expected.clone(), found), "{expected}");
    }
}
