//! One of several constants, by other values of the parent.

use serde_json::{Map, Value as Json};
use twenty::value::Value;

use super::super::fault::but;
use super::super::model::Case;
use super::super::reader::{Reader, stated};
use super::conditions::Scope;

/// Keys of one case
pub(crate) const CASE_KEYS: [&str; 2] = ["when", "value"];

/// Reads `cases` and `else`
pub(super) fn read_case(reader: &mut Reader<'_>, object: &Map<String, Json>, scope: &mut Scope<'_>) -> Option<Case> {
    let list = match stated(object, "cases") {
        Some(Json::Array(list)) if !list.is_empty() => list,
        found => {
            reader.fault("cases", format!("a CASE needs a list with at least one case, {}", but(found)));
            return None;
        }
    };
    let mut kind = None;
    let mut read = Vec::new();
    for (index, json) in list.iter().enumerate() {
        let mut reader = reader.inside(&format!("cases {index}"));
        let Some(object) = reader.object(json, &CASE_KEYS) else { continue };
        let when = match stated(object, "when") {
            Some(json) => scope.conditions(&mut reader, "when", json),
            None => reader.refuse("when", "missing, expected the conditions of this case"),
        };
        let value = match object.get("value") {
            Some(json) => constant(&mut reader, "value", json, &mut kind),
            None => reader.refuse("value", "missing, expected what the total is in this case"),
        };
        read.push(when.zip(value));
    }
    let otherwise = object.get("else").map_or(Some(Value::Null), |json| constant(reader, "else", json, &mut kind));
    Some(Case { cases: read.into_iter().collect::<Option<_>>()?, otherwise: otherwise? })
}

/// A constant of the kind of those before it
fn constant(reader: &mut Reader<'_>, key: &str, json: &Json, kind: &mut Option<&'static str>) -> Option<Value> {
    let found = match json {
        Json::Null => return Some(Value::Null),
        Json::String(_) => "a text",
        Json::Number(_) => "a number",
        Json::Bool(_) => "true or false",
        _ => {
            reader.fault(key, format!("expected a text, a number, true or false, {}", but(Some(json))));
            return None;
        }
    };
    let expected = *kind.get_or_insert(found);
    if expected != found {
        reader.fault(
            key,
            format!("the values of all `cases` and of `else` are of one kind, found {found} beside {expected}"),
        );
        return None;
    }
    match Value::from(json) {
        Value::Unreadable(_) => reader.refuse(key, "is a number too large to be kept"),
        value => Some(value),
    }
}
