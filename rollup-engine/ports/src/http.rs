//! HTTP: a request, its response, and who sends it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

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
///     ports::http::without_queries(reason),
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

/// Sends HTTP requests
#[async_trait(?Send)]
pub trait Http {
    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// [`FetchError`], if there is no complete answer.
    async fn fetch(&self, request: Request) -> Result<Response, FetchError>;
}

#[async_trait(?Send)]
impl<T: Http + ?Sized> Http for &T {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        (**self).fetch(request).await
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
    fn token_is_never_printed() {
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
