//! The conditions that a configuration gives names to.

use serde_json::{Map, Value as Json};

use super::super::circles::sorted;
use super::super::fault::{Fault, but};
use super::super::reader::{Reader, is_name};
use super::conditions::Scope;
use super::references::NamedConditions;

/// Reads the `filters` of a configuration, each after those that it names
pub(super) fn read_named_filters(config: &Map<String, Json>, faults: &mut Vec<Fault>) -> NamedConditions {
    let none = Map::new();
    let filters = match config.get("filters") {
        None | Some(Json::Null) => &none,
        Some(Json::Object(filters)) => filters,
        found => {
            let message = format!("expected an object of conditions by their names, {}", but(found));
            Reader::new("filters", faults).fault("", message);
            &none
        }
    };
    let names: Vec<&String> = filters.keys().collect();
    let needs: Vec<Vec<usize>> = filters
        .values()
        .map(|json| {
            let mut found = Vec::new();
            references(json, &mut found);
            found.iter().filter_map(|name| names.iter().position(|other| other == name)).collect()
        })
        .collect();
    let (order, circles) = sorted(&needs);
    let mut read = NamedConditions::of(filters.keys().cloned());
    for circle in circles {
        let shown: Vec<&str> =
            circle.iter().filter_map(|number| names.get(*number)).map(|name| name.as_str()).collect();
        let first = shown.first().copied().unwrap_or_default();
        let message = format!("needs itself: {} form a circle", shown.join(" → "));
        Reader::new("filters", faults).fault(first, message);
    }
    for number in order {
        let Some((name, json)) = names.get(number).and_then(|name| filters.get_key_value(name.as_str())) else {
            continue;
        };
        let mut reader = Reader::new("filters", faults);
        if !is_name(name) {
            reader.fault(name, "is no name: expected letters and digits, beginning with a letter");
        }
        let mut scope = Scope::new(&read);
        let condition = scope.conditions(&mut reader, name, json);
        read.set(name, condition);
    }
    read
}

/// Names of the filters that a condition names
fn references<'j>(json: &'j Json, found: &mut Vec<&'j str>) {
    match json {
        Json::Array(list) => list.iter().for_each(|json| references(json, found)),
        Json::Object(object) => {
            found.extend(object.get("filter").and_then(Json::as_str));
            for key in ["and", "or", "not"] {
                if let Some(json) = object.get(key) {
                    references(json, found);
                }
            }
        }
        _ => {}
    }
}
