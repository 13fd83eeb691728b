//! The definitions of the vocabulary's cases, and those that must be refused.
//!
//! They lie beside the project, in `../shared/rollup-vocabulary`.

use rollup::definition::fault::Fault;
use rollup::definition::parse::parse;
use serde_json::{Map, Value, json};
use support::recorded;

/// The configuration that a line is about: its definition alone, or with what else there is
fn configuration(line: &Value) -> Value {
    let mut configuration: Map<String, Value> = ["filters", "rates"]
        .into_iter()
        .filter_map(|key| line.get(key).map(|json| (key.to_owned(), json.clone())))
        .collect();
    if configuration.is_empty() {
        return json!([line["definition"]]);
    }
    configuration.insert("definitions".to_owned(), json!([line["definition"]]));
    Value::Object(configuration)
}

fn shown(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Each is refused, and its faults name what they must
#[test]
fn wrong_definitions_are_refused() {
    let Some(lines) = recorded::lines("rollup-vocabulary/errors.jsonl") else { return };
    let mut wrong = Vec::new();
    for line in &lines {
        let found = parse(&configuration(line)).map_or_else(|faults| shown(&faults), |_| "no fault".to_owned());
        let must = line["mustMention"].as_array().unwrap();
        let missing: Vec<_> = must.iter().filter_map(Value::as_str).filter(|text| !found.contains(text)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: {missing:?} not in {found}", line["name"]));
        }
    }
    println!("{} of {} are refused as they must be", lines.len() - wrong.len(), lines.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lines.len(), 81);
}

/// What has totals has no fault
#[test]
fn right_definitions_pass() {
    for (file, count) in [
        ("rollup-vocabulary/cases.jsonl", 400),
        ("rollup-vocabulary/ageing.jsonl", 30),
        ("rollup-parity/cases.jsonl", 250),
    ] {
        let Some(lines) = recorded::lines(file) else { return };
        let faults = |line: &Value| parse(&configuration(line)).err().map(|faults| shown(&faults));
        let wrong: Vec<_> =
            lines.iter().filter_map(|line| Some(format!("{}: {}", line["name"], faults(line)?))).collect();
        assert!(wrong.is_empty(), "{} of {file}\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(lines.len(), count);
    }
    let built_in = rollup::config::built_in_definitions();
    assert_eq!(parse(&built_in).map_err(|faults| shown(&faults)).unwrap().definitions.len(), 7);
}
