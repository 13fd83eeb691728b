//! A scalar as it stands in a record: what a filter compares and an aggregation adds up.
//!
//! Composite fields are reached through their parts (`amount.amountMicros`), so a value is never an object.

use uuid::Uuid;

use crate::decimal::Decimal;

/// What stands at a path of a record
///
/// # Examples
///
/// ```
/// use twenty::value::Value;
///
/// assert_eq!(Value::from_json_text("\"GBP\"").text(), Some("GBP"));
/// assert!(Value::from_json_text("\"\"").is_absent());
/// assert_eq!(Value::from_json_text("12.50").number(), Value::from_json_text("\"12.5\"").number());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// The record has no such key: the field was renamed or is hidden, which is not the same as empty
    #[default]
    Missing,
    /// Empty
    Null,
    /// A truth value
    Bool(bool),
    /// A number
    Number(Decimal),
    /// Any string: text, a date, an instant, an id, an option
    Text(Box<str>),
    /// There, but not known: the result of a computation that has none. Never read from a record
    Unknown,
    /// A number out of range, an object or a list: there, but nothing that can be added up; the beginning of its JSON
    Unreadable(Box<str>),
}

/// Characters that are kept of the JSON of a value that is no scalar, for reports
const MAX_UNREADABLE: usize = 200;

impl Value {
    /// Whether nothing is there: empty, or no such key; Twenty gives an empty text as `""`
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Missing | Self::Null => true,
            Self::Text(text) => text.is_empty(),
            _ => false,
        }
    }

    /// The number, also one written as a string
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Decimal::parse(text),
            _ => None,
        }
    }

    /// The string
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The record that a value leads to, if it is the id of one
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.text().and_then(|id| Uuid::try_parse(id).ok())
    }

    /// From the text of one JSON value
    #[must_use]
    pub fn from_json_text(json: &str) -> Self {
        match json.as_bytes() {
            b"null" => Self::Null,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Self::Text(json.get(1..json.len() - 1).unwrap_or_default().into())
            }
            [b'"', ..] => match serde_json::from_slice(json.as_bytes()) {
                Ok(serde_json::Value::String(text)) => Self::Text(text.into()),
                _ => Self::unreadable(json),
            },
            [b'-' | b'0'..=b'9', ..] => {
                Decimal::parse(json).map_or_else(|| Self::Unreadable(beginning(json)), Self::Number)
            }
            _ => Self::unreadable(json),
        }
    }

    /// A value that is no scalar, from its JSON, however it is spaced
    pub(crate) fn unreadable(json: &str) -> Self {
        let compact = serde_json::from_slice::<serde_json::Value>(json.as_bytes()).map(|json| json.to_string());
        Self::Unreadable(beginning(compact.as_deref().unwrap_or(json)))
    }
}

fn beginning(json: &str) -> Box<str> {
    json.chars().take(MAX_UNREADABLE).collect()
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => {
                let json = number.to_string();
                Decimal::parse(&json).map_or_else(|| Self::Unreadable(beginning(&json)), Self::Number)
            }
            serde_json::Value::String(text) => Self::Text(text.as_str().into()),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Self::unreadable(&json.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text_becomes_a_scalar() {
        for (json, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("\"GBP\"", Value::Text("GBP".into())),
            (r#""a\"b\u00e9""#, Value::Text("a\"bé".into())),
            ("12500000", Value::Number(Decimal::from_integer(12_500_000))),
            ("1e99", Value::Unreadable("1e99".into())),
            ("{}", Value::Unreadable("{}".into())),
            ("[1]", Value::Unreadable("[1]".into())),
        ] {
            assert_eq!(Value::from_json_text(json), value, "{json}");
        }
    }

    #[test]
    fn a_number_may_be_written_as_a_string() {
        assert_eq!(Value::Text("30000000".into()).number(), Some(Decimal::from_integer(30_000_000)));
        assert_eq!(Value::Text("abc".into()).number(), None);
        assert_eq!(Value::Bool(true).number(), None);
    }
}
