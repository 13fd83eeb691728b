//! A request's JSON object with its members in the order in which they were sent.
//!
//! The first fault in that order is the one that the caller is told, and a sorted map would lose it. This reads JSON
//! and nothing else: what the members mean is not known here.

use indexmap::IndexMap;
use ports::Timestamp;
use ports::time::format_date;
use serde_json::{Map, Value};

use crate::characters::{cleaned, legible, nul_in_member};
use crate::client_error::ClientError;
use crate::provider::DayOf;

/// The members of a JSON object; a repeated key has its first place and its last value, as in JavaScript
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload(IndexMap<String, Value>);

impl Payload {
    /// Reads a body; no body at all is an empty object. Control characters and invisible ones are left out of its texts, half
    /// characters are U+FFFD, and a byte order mark before it is none of it.
    ///
    /// # Errors
    /// Text that is not JSON, JSON that is not an object, and a text in it that holds NUL.
    pub fn parse(body: &[u8]) -> Result<Self, ClientError> {
        Self::read(body, "payload must be an object")
    }

    /// As [`Payload::parse`]; a list is refused with the message `otherwise`
    ///
    /// # Errors
    /// As [`Payload::parse`].
    pub fn read(body: &[u8], otherwise: &str) -> Result<Self, ClientError> {
        let body = &*legible(body);
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let members: IndexMap<String, Value> = match serde_json::from_slice(body) {
            Ok(members) => members,
            Err(_) => return Err(not_an_object(body, otherwise)),
        };
        match members.iter().find_map(|(key, value)| nul_in_member(key, value)) {
            Some(place) => Err(ClientError::bad(format!("{place} must not contain NUL characters"))),
            None => Ok(Self(members.into_iter().map(|(key, value)| (key, cleaned(value))).collect())),
        }
    }

    /// From members that have no order of their own
    #[must_use]
    pub fn from_members(members: Map<String, Value>) -> Self {
        Self(members.into_iter().collect())
    }

    /// The same with the day of each instant that stands in the place of one; `day_of` tells it
    #[must_use]
    pub fn with_days(mut self, day_of: DayOf<'_>) -> Self {
        for (key, value) in &mut self.0 {
            if matches!(key.as_str(), "giftDate" | "expectedAt")
                && let Some(day) = value.as_str().and_then(|text| Timestamp::parse(text.trim())).and_then(day_of)
            {
                *value = format_date(day).into();
            }
        }
        self
    }

    /// A member
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// All members, in the order sent
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there is no member
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn not_an_object(body: &[u8], otherwise: &str) -> ClientError {
    match serde_json::from_slice(body) {
        Ok(Value::Array(_)) => ClientError::bad(otherwise),
        Ok(_) => ClientError::bad("the body must be a JSON object"),
        Err(fault) => ClientError::bad(fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn message(body: &str) -> String {
        Payload::parse(body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn the_order_sent_is_kept() {
        let payload = Payload::parse(br#"{"z":1,"a":2,"m":3,"z":4}"#).unwrap();
        let members: Vec<_> = payload.iter().collect();
        assert_eq!(members, [("z", &json!(4)), ("a", &json!(2)), ("m", &json!(3))]);
        assert_eq!(payload.get("m"), Some(&json!(3)));
        assert_eq!(payload.get("y"), None);
    }

    #[test]
    fn no_body_is_an_empty_object() {
        assert!(Payload::parse(b" \n").unwrap().is_empty());
        assert!(Payload::parse(b"{}").unwrap().is_empty());
    }

    #[test]
    fn other_json_is_refused() {
        assert_eq!(message("[{\"amount\":1}]"), "payload must be an object");
        for body in ["1", "-1", "1.5", "\"x\"", "null", "true"] {
            assert_eq!(message(body), "the body must be a JSON object", "{body}");
        }
        for body in ["{", "[1", "{\"a\":}", "{} x"] {
            assert!(!message(body).is_empty(), "{body}");
        }
    }

    /// A fault of the JSON is told with its line and column.
    #[test]
    fn json_faults_with_their_place() {
        for (body, place) in [
            ("{\n  \"amount\": ,\n}", "line 2 column 13"),
            ("{\"a\":1\n\"b\":2}", "line 2 column 1"),
            ("{\"a\":1", "line 1 column 6"),
            ("\u{feff}{\"a\":x}", "line 1 column 6"),
        ] {
            assert!(message(body).ends_with(&format!(" at {place}")), "{}", message(body));
        }
    }

    /// Whatever holds NUL is named, however deep it is and however it is written.
    #[test]
    fn nul_is_named_by_its_path() {
        for (body, place) in [
            (r#"{"notes":"a\u0000"}"#, "notes"),
            (r#"{"contact":{"firstName":"\u0000"}}"#, "contact.firstName"),
            (r#"{"ids":["a","b\u0000"]}"#, "ids[1]"),
            (r#"{"a":[[{"b":["x",{"c":"\u0000"}]}]]}"#, "a[0][0].b[1].c"),
            (r#"{"a\u0000b":1}"#, "a\\u0000b"),
            (r#"{"x":{"\u0000":1}}"#, "x.\\u0000"),
            (r#"{"providerContext":"{\"k\":\"\\u0000\"}"}"#, "providerContext.k"),
            (r#"{"rawPayload":"[\"\\u0000\"]"}"#, "rawPayload[0]"),
        ] {
            assert_eq!(message(body), format!("{place} must not contain NUL characters"), "{body}");
        }
        for body in [r#"{"notes":"a backslash, then u0000: \\u0000"}"#, r#"{"notes":"\u0001"}"#] {
            assert!(Payload::parse(body.as_bytes()).is_ok(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Payload::parse(&body);
        }
    }
}
