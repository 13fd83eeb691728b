//! What a handler is given, and what it answers.

use std::rc::Rc;

use fundraising::client_error::ClientError;
use fundraising::gift::not_a_uuid;
use fundraising::payload::Payload;
use serde_json::{Map, Value};
use twenty::{RecordId, answer};

use crate::error::Error;
use crate::http::{Inbound, split_at_byte};

/// A request as a handler sees it
#[derive(Debug)]
pub struct Request<'a> {
    /// As it came
    pub inbound: &'a Inbound,
    /// The ids in its path, decoded
    pub ids: Vec<String>,
    /// The parameters of its query, decoded, without the token
    pub query: Vec<(String, String)>,
}

impl Request<'_> {
    /// The id at this place of the path, counted from 0
    #[must_use]
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    /// The id at this place of the path, which must not be blank; `name` is how a refusal calls it
    ///
    /// # Errors
    /// It is blank.
    pub fn present_id(&self, at: usize, name: &str) -> Result<&str, ClientError> {
        let id = self.id(at).trim();
        if id.is_empty() { Err(ClientError::bad(format!("{name} must not be empty"))) } else { Ok(id) }
    }

    /// The id of a record at this place of the path; `name` is how a refusal calls it
    ///
    /// # Errors
    /// It is none.
    pub fn record_id(&self, at: usize, name: &str) -> Result<RecordId, ClientError> {
        record_id(name, self.id(at))
    }

    /// The body, if it is JSON by its type
    #[must_use]
    pub fn json(&self) -> &[u8] {
        if is_json(self.inbound) { &self.inbound.body } else { b"" }
    }

    /// The caller's `Idempotency-Key`
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.inbound.header("idempotency-key").map(str::trim).filter(|key| !key.is_empty())
    }

    /// The body as an object; `otherwise` is what a list is told
    ///
    /// # Errors
    /// It is no JSON, or no object.
    pub fn object(&self, otherwise: &str) -> Result<Map<String, Value>, ClientError> {
        let payload = Payload::read(self.json(), otherwise)?;
        let mut object = Map::new();
        for (key, value) in payload.iter() {
            object.insert(key.to_owned(), value.clone());
        }
        Ok(object)
    }
}

/// What a handler answers
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// HTTP status
    pub status: u16,
    /// What is sent with it
    pub body: Body,
}

/// A response's body
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None
    Empty,
    /// JSON
    Json(Value),
    /// JSON as Twenty wrote it
    Passed(Rc<Vec<u8>>),
    /// Metrics
    Text(String),
}

impl Response {
    /// A response of JSON
    #[must_use]
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, body: Body::Json(body) }
    }

    /// 204
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, body: Body::Empty }
    }
}

/// Whether a request says that its body is JSON
pub(crate) fn is_json(request: &Inbound) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = split_at_byte(kind, b';').0.trim();
    kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
}

/// Whether a record has an id
pub(crate) fn has_id(record: &Value) -> bool {
    record.get("id").and_then(Value::as_str).is_some_and(|id| !id.is_empty())
}

/// Reads the id of a record; `name` is how a refusal calls it
///
/// # Errors
/// It is none.
pub(crate) fn record_id(name: &str, text: &str) -> Result<RecordId, ClientError> {
    text.parse().map_err(|_| not_a_uuid(name))
}

/// What `data` of an answer of Twenty's must hold
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Records
    List(&'static str),
    /// A record, with its id
    Record(&'static str),
}

impl Field {
    /// The failure where it is not there
    pub(crate) fn missing(self) -> Error {
        match self {
            Self::List(key) => Error::malformed(&format!("{key} array")),
            Self::Record(key) => Error::malformed(key),
        }
    }

    /// Whether an answer has it
    pub(crate) fn is_in(self, answer: &Value) -> bool {
        let data = answer.get("data");
        match self {
            Self::List(key) => data.and_then(|data| data.get(key)).is_some_and(Value::is_array),
            Self::Record(key) => data.and_then(|data| data.get(key)).is_some_and(has_id),
        }
    }

    /// Whether an answer's text has it; nothing is built of the answer
    pub(crate) fn is_in_text(self, text: &[u8]) -> bool {
        match self {
            Self::List(key) => answer::has_list(text, key),
            Self::Record(key) => answer::has_record(text, key),
        }
    }
}

/// Takes an answer on if it has the field
///
/// # Errors
/// It has not.
pub(crate) fn require_field(answer: Value, field: Field) -> Result<Value, Error> {
    if field.is_in(&answer) { Ok(answer) } else { Err(field.missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer's text is judged as the answer itself.
    #[test]
    fn fields_in_texts() {
        for (answer, field, expected) in [
            (r#"{"data":{"gifts":[]}}"#, Field::List("gifts"), true),
            (
                r#" { "totalCount": 1, "data" : { "people": 1, "gifts" : [ {"id":"a"} ] } } "#,
                Field::List("gifts"),
                true,
            ),
            (r#"{"data":{"gifts":{}}}"#, Field::List("gifts"), false),
            (r#"{"data":{"gift":[]}}"#, Field::List("gifts"), false),
            (r#"{"data":[]}"#, Field::List("gifts"), false),
            (r#"{"data":null}"#, Field::List("gifts"), false),
            ("[]", Field::List("gifts"), false),
            (r#"{"data":{"gift":{"amount":null,"id":"a"}}}"#, Field::Record("gift"), true),
            (r#"{"data":{"g\u0069ft":{"\u0069d":"a\n"}}}"#, Field::Record("gift"), true),
            (r#"{"data":{"gift":{"id":""}}}"#, Field::Record("gift"), false),
            (r#"{"data":{"gift":{"id":1}}}"#, Field::Record("gift"), false),
            (r#"{"data":{"gift":null}}"#, Field::Record("gift"), false),
            (r#"{"data":{"gift":{"id":"a"}}"#, Field::Record("gift"), false),
        ] {
            assert_eq!(field.is_in_text(answer.as_bytes()), expected, "{answer}");
            let parsed = serde_json::from_str(answer).unwrap_or_default();
            assert_eq!(field.is_in(&parsed), expected, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(answer in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (Field::List("gifts").is_in_text(&answer), Field::Record("gift").is_in_text(&answer));
        }
    }
}
