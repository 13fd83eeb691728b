//! What is wrong with a configuration, and the words for it.

use serde_json::Value as Json;
use twenty::schema::nearest;

/// Something in the configuration that is not as it should be
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{place}: {message}")]
pub struct Fault {
    /// Where: `definition 2, aggregation 0, parentField`
    pub place: String,
    /// What is wrong, and what was expected
    pub message: String,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// A JSON value as it was written
pub(crate) fn shown(json: &Json) -> String {
    serde_json::to_string(json).unwrap_or_default()
}

/// What a JSON value is, in words
pub(crate) fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(text) if text.is_empty() => "an empty text",
        Json::String(_) => "a text",
        Json::Array(list) if list.is_empty() => "an empty list",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// What was found in place of what was expected
pub(crate) fn but(found: Option<&Json>) -> String {
    found.map_or_else(|| "but it is missing".to_owned(), |json| format!("found {}", kind_of(json)))
}

/// Words in a row: `` `a`, `b` ``
pub(crate) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a wrong word was meant to be: the nearest of those allowed, or all of them where none is near
pub(crate) fn hint(wrong: &str, allowed: &[&str]) -> String {
    match nearest(wrong, allowed.iter().map(|name| (*name, *name))) {
        Some(near) => format!("did you mean `{near}`?"),
        None if allowed.is_empty() => "there are none".to_owned(),
        None => format!("expected one of {}", listed(allowed)),
    }
}
