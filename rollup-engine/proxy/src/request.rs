//! What a handler is given, and what it answers.

use fundraising::gift::no_id;
use fundraising::json::at;
use fundraising::payload::Payload;
use fundraising::refusal::Refusal;
use serde_json::{Map, Value};
use twenty::RecordId;

use crate::error::Error;
use crate::http::{Inbound, split_at_byte};
use crate::intake::store;

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
    pub fn present_id(&self, at: usize, name: &str) -> Result<&str, Refusal> {
        let id = self.id(at).trim();
        if id.is_empty() { Err(Refusal::bad(format!("{name} must not be empty"))) } else { Ok(id) }
    }

    /// The id of a record at this place of the path; `name` is how a refusal calls it
    ///
    /// # Errors
    /// It is none.
    pub fn record_id(&self, at: usize, name: &str) -> Result<RecordId, Refusal> {
        record_id(name, self.id(at))
    }

    /// The body, if it is JSON by its type
    #[must_use]
    pub fn json(&self) -> &[u8] {
        let kind = self.inbound.header("content-type").unwrap_or_default();
        let kind = split_at_byte(kind, b';').0.trim();
        if kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json") { &self.inbound.body } else { b"" }
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
    pub fn object(&self, otherwise: &str) -> Result<Map<String, Value>, Refusal> {
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

/// Reads the id of a record; `name` is how a refusal calls it
///
/// # Errors
/// It is none.
pub(crate) fn record_id(name: &str, text: &str) -> Result<RecordId, Refusal> {
    text.parse().map_err(|_| no_id(name))
}

/// Takes an answer on if `data` holds what it should; `missing` is how a failure calls it.
pub(crate) fn require_field(answer: Value, key: &str, is_list: bool, missing: &str) -> Result<Value, Error> {
    let value = at(&answer, &["data", key]);
    let fits = value.is_some_and(|value| if is_list { value.is_array() } else { store::has_id(value) });
    if fits { Ok(answer) } else { Err(Error::malformed(missing)) }
}
