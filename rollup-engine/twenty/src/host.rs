//! The only door to the outside: HTTP, waiting, the clock, time zones and the log.
//!
//! Everything that decides is a plain function that is handed its input and the time. Whatever has an effect goes
//! through [`Host`], so that the same workflow runs on JavaScript's `fetch` in production and on an in-process
//! Twenty with a virtual clock in tests.

use std::fmt;
use std::future::ready;
use std::time::Duration;

use serde::ser::SerializeMap as _;

use crate::time::Timestamp;

/// HTTP method
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Name as it stands in a request line
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One HTTP request
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method
    pub method: Method,
    /// Absolute URL, percent-encoded
    pub url: String,
    /// Header names in lower case, with their values
    pub headers: Vec<(String, String)>,
    /// Body, if there is one
    pub body: Option<Vec<u8>>,
    /// How long the host waits for the complete answer before it gives up as [`FetchError::Unreachable`]
    pub timeout: Duration,
}

impl Request {
    /// Value of a header, by its lower-case name
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

// The headers hold the token, so they never reach a log or a panic message.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// One HTTP response, its body complete
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code
    pub status: u16,
    /// Header names in lower case, with their values
    pub headers: Vec<(String, String)>,
    /// Body bytes
    pub body: Vec<u8>,
}

impl Response {
    /// Value of a header, by its lower-case name
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Why there is no answer to a request, which may or may not have been carried out
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No complete answer came: a refused connection, a broken one, or a time-out
    #[error("{reason}")]
    Unreachable {
        /// What the runtime said, without the token and without a query
        reason: String,
    },
    /// The answer is larger than the host reads
    #[error("the answer is larger than {max_bytes} bytes")]
    TooLarge {
        /// The largest answer that it reads
        max_bytes: u64,
    },
}

/// Largest answer that a host reads where nothing else is set, in bytes
pub const DEFAULT_MAX_RESPONSE_BYTES: u64 = 32 * 1024 * 1024;

/// A text with the query of each address in it left out
///
/// # Examples
///
/// ```
/// let reason = "error sending request for url (https://crm.example.org/rest/people?filter=a): refused";
/// assert_eq!(
///     twenty::host::without_queries(reason),
///     "error sending request for url (https://crm.example.org/rest/people?…): refused"
/// );
/// ```
#[must_use]
pub fn without_queries(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let query = word.find("://").and_then(|scheme| Some(scheme + word.get(scheme..)?.find(['?', '#'])?));
        let Some((address, query)) = query.and_then(|at| word.split_at_checked(at + 1)) else {
            shown.push_str(word);
            continue;
        };
        let after = query.trim_end_matches(|letter: char| letter.is_whitespace() || ")>]\"'`:;,.".contains(letter));
        shown.push_str(address);
        shown.push('…');
        shown.push_str(query.get(after.len()..).unwrap_or_default());
    }
    shown
}

/// How much a log line matters
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every single step
    Debug,
    /// Progress
    Info,
    /// Something was left out or went wrong, and the run goes on
    Warn,
    /// The run, or a part of it, failed
    Error,
}

/// One structured log line
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// How much it matters
    pub level: Level,
    /// What happened, in `snake_case`
    pub event: &'static str,
    /// Its particulars; never a token, never personal data
    pub fields: Vec<(&'static str, serde_json::Value)>,
}

impl Event {
    /// A line of this level and name, with no particulars yet
    #[must_use]
    pub fn new(level: Level, event: &'static str) -> Self {
        Self { level, event, fields: Vec::new() }
    }

    /// The same line with one more particular
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl Event {
    /// One of its particulars
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&serde_json::Value> {
        self.fields.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

impl serde::Serialize for Event {
    /// One flat object: `{"level":…,"event":…,` and the particulars `}`
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 2))?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("event", self.event)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What a workflow needs of its surroundings
///
/// Implementations: JavaScript (`wasm/host`), and the in-process Twenty of the `sandbox` crate. Futures need not be
/// `Send`: a process runs one workflow at a time on one thread.
pub trait Host {
    /// Sends a request and waits for the whole answer.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchError>>;

    /// Waits for at least this long.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// The current time
    fn now(&self) -> Timestamp;

    /// Writes a log line.
    fn log(&self, event: Event);

    /// Seconds that local time in the IANA zone `zone` is ahead of UTC at that instant, or nothing for a zone that
    /// this host does not know
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32>;

    /// What an earlier run kept under this name; nothing where there is no store
    fn recall(&self, key: &str) -> impl Future<Output = Option<String>> {
        let _ = key;
        ready(None)
    }

    /// Keeps a text for later runs, or forgets it; false where there is no store
    fn keep(&self, key: &str, value: Option<&str>) -> impl Future<Output = bool> {
        let _ = (key, value);
        ready(false)
    }

    /// Has another run started with this payload, after a while; false where that is not possible
    fn enqueue(&self, payload: &serde_json::Value, delay: Duration) -> impl Future<Output = bool> {
        let _ = (payload, delay);
        ready(false)
    }
}

impl<H: Host> Host for &H {
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchError>> {
        (**self).fetch(request)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        (**self).sleep(duration)
    }

    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn log(&self, event: Event) {
        (**self).log(event);
    }

    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        (**self).utc_offset(zone, at)
    }

    fn recall(&self, key: &str) -> impl Future<Output = Option<String>> {
        (**self).recall(key)
    }

    fn keep(&self, key: &str, value: Option<&str>) -> impl Future<Output = bool> {
        (**self).keep(key, value)
    }

    fn enqueue(&self, payload: &serde_json::Value, delay: Duration) -> impl Future<Output = bool> {
        (**self).enqueue(payload, delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither a donor's address nor a token travels in the words of a runtime.
    #[test]
    fn queries_in_reasons() {
        for (text, shown) in [
            ("connect ECONNREFUSED 127.0.0.1:9", "connect ECONNREFUSED 127.0.0.1:9"),
            ("Failed to parse URL from http://x/rest/a?filter=b c", "Failed to parse URL from http://x/rest/a?… c"),
            ("(https://x/?a=1&b=2), then \"http://y#z\": no", "(https://x/?…), then \"http://y#…\": no"),
            ("why? http://x/a", "why? http://x/a"),
            ("é://ü?ö", "é://ü?…"),
            ("", ""),
        ] {
            assert_eq!(without_queries(text), shown);
        }
    }

    #[test]
    fn a_request_never_prints_its_token() {
        let request = Request {
            method: Method::Get,
            url: "http://twenty.test/rest/gifts".into(),
            headers: vec![("authorization".into(), "Bearer secret".into())],
            body: None,
            timeout: Duration::from_secs(30),
        };
        assert!(!format!("{request:?}").contains("secret"));
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
    }
}
