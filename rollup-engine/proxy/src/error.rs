//! Why a request could not be answered as asked, and what the caller is told.
//!
//! What Twenty said stands in a field of its own, `upstream`, so that `message` stays a sentence for people.

use std::time::Duration;

use serde_json::{Map, Value, json};
use twenty::filter::UnfilterableText;

use crate::http::Outbound;
use fundraising::client_error::ClientError;
use twenty::rate_limiter::TooLate;

/// A request that could not be answered as asked
///
/// One pointer, because nearly everything here may end in one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

/// Why a request could not be answered as asked; its text is what the caller is told
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// This service refuses the request
    #[error("{}", .0.message)]
    Client(ClientError),
    /// Twenty refused the call, or failed, and said so
    #[error("{}", upstream_message(messages))]
    Upstream {
        /// HTTP status, 400 and above
        status: u16,
        /// Its `messages`
        messages: Vec<String>,
        /// When it makes sense to come again
        retry_after: Option<Duration>,
    },
    /// No complete answer came from Twenty, after all attempts; it may or may not have acted
    #[error("Twenty could not be reached")]
    Unreachable {
        /// What the runtime said, for the log alone
        reason: String,
    },
    /// Time ran out before Twenty's answer came; it may or may not have acted
    #[error("Twenty did not answer in time")]
    TimedOut,
    /// Twenty answered with success, but not as it should; what it was asked to do may be done
    #[error("{0}")]
    Malformed(String),
    /// The budget leaves no permit before the caller would have gone
    #[error("{}", BUSY)]
    NoPermit {
        /// When it makes sense to come again
        retry_after: Duration,
    },
    /// A concurrent request changed the same record each time, or a service asked has no time
    #[error("{}", BUSY)]
    Busy {
        /// When it makes sense to come again
        retry_after: Duration,
    },
}

const BUSY: &str = "Too many requests are waiting for Twenty; try again later";

fn upstream_message(messages: &[String]) -> String {
    if messages.is_empty() { "Twenty API request failed".to_owned() } else { messages.join("; ") }
}

impl Error {
    /// What an answer with this status says
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut messages = Vec::new();
        for message in body.get("messages").and_then(Value::as_array).into_iter().flatten() {
            messages.extend(message.as_str().map(str::to_owned));
        }
        if messages.is_empty() {
            messages.extend(body.get("message").and_then(Value::as_str).map(str::to_owned));
        }
        ErrorKind::Upstream { status, messages, retry_after }.into()
    }

    /// It makes sense to come again after this long
    #[must_use]
    pub fn busy(retry_after: Duration) -> Self {
        ErrorKind::Busy { retry_after }.into()
    }

    /// Somebody else was at the same record each time that it was tried
    #[must_use]
    pub fn raced() -> Self {
        Self::busy(Duration::from_secs(5))
    }

    /// What it is
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// A success without what it should hold: `missing` is the name of the key
    #[must_use]
    pub fn malformed(missing: &str) -> Self {
        ErrorKind::Malformed(format!("unexpected Twenty response (missing {missing})")).into()
    }

    /// A success that cannot be used, in other words
    #[must_use]
    pub fn malformed_as(message: &str) -> Self {
        ErrorKind::Malformed(message.to_owned()).into()
    }

    /// Status of Twenty's answer, if it was one that says no
    #[must_use]
    pub fn upstream_status(&self) -> Option<u16> {
        match &*self.0 {
            ErrorKind::Upstream { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What Twenty said, if it said no
    #[must_use]
    pub fn messages(&self) -> &[String] {
        match &*self.0 {
            ErrorKind::Upstream { messages, .. } => messages,
            _ => &[],
        }
    }

    /// Whether Twenty has a record with that id, or with another unique value of it
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.messages().iter().any(|message| message.starts_with("A duplicate entry was detected"))
    }

    /// Whether Twenty answered with success, but not as it should
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(&*self.0, ErrorKind::Malformed(_))
    }

    /// Whether the call was not carried out because too many others were
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            &*self.0,
            ErrorKind::NoPermit { .. } | ErrorKind::Busy { .. } | ErrorKind::Upstream { status: 429, .. }
        )
    }

    /// HTTP status of the answer
    #[must_use]
    pub fn status(&self) -> u16 {
        match &*self.0 {
            ErrorKind::Client(refusal) => refusal.status.code(),
            ErrorKind::Upstream { status, .. } => *status,
            ErrorKind::TimedOut => 504,
            ErrorKind::Unreachable { .. } | ErrorKind::Malformed(_) => 502,
            ErrorKind::NoPermit { .. } | ErrorKind::Busy { .. } => 503,
        }
    }

    /// Why a call brought no answer that can be used, for logs: the runtime's words may name machines
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match &*self.0 {
            ErrorKind::Unreachable { reason } | ErrorKind::Malformed(reason) => Some(reason),
            _ => None,
        }
    }

    /// What happened, for logs: without Twenty's own words, which may quote a donor's address
    #[must_use]
    pub fn for_log(&self) -> String {
        match &*self.0 {
            ErrorKind::Upstream { status, .. } => format!("Twenty answered {status}"),
            _ => self.to_string(),
        }
    }

    /// A short word for logs
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Client(_) => "refused",
            ErrorKind::Upstream { .. } => "upstream_error",
            ErrorKind::TimedOut => "upstream_timeout",
            ErrorKind::Unreachable { .. } => "upstream_unreachable",
            ErrorKind::Malformed(_) => "upstream_malformed",
            ErrorKind::NoPermit { .. } | ErrorKind::Busy { .. } => "busy",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match &*self.0 {
            ErrorKind::NoPermit { retry_after } | ErrorKind::Busy { retry_after } => Some(*retry_after),
            ErrorKind::Upstream { status: 429 | 503, retry_after, .. } => {
                Some(retry_after.unwrap_or(Duration::from_secs(5)))
            }
            _ => None,
        }
    }

    /// The answer; `hint` says what else may be wrong with the request
    #[must_use]
    pub fn to_outbound(&self, hint: Option<&str>) -> Outbound {
        let mut body = Map::new();
        if let ErrorKind::Client(refusal) = &*self.0 {
            body.insert("error".into(), refusal.status.name().into());
        }
        body.insert("statusCode".into(), self.status().into());
        body.insert("message".into(), self.to_string().into());
        if let ErrorKind::Client(ClientError { fields, .. }) = &*self.0
            && !fields.is_empty()
        {
            body.insert("fields".into(), fields.as_slice().into());
        }
        if let ErrorKind::Upstream { messages, .. } = &*self.0 {
            body.insert("upstream".into(), json!({ "messages": messages }));
        }
        if let Some(hint) = hint {
            body.insert("hint".into(), hint.into());
        }
        let mut answer = json_answer(self.status(), &Value::Object(body));
        if let Some(wait) = self.retry_after() {
            // Whole seconds, and never the same instant again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            answer.headers.push(("retry-after".into(), seconds.max(1).to_string()));
        }
        answer
    }
}

/// An answer with a JSON body
pub(crate) fn json_answer(status: u16, body: &Value) -> Outbound {
    json_text_answer(status, serde_json::to_vec(body).unwrap_or_default())
}

/// An answer of JSON that is written already
pub(crate) fn json_text_answer(status: u16, body: Vec<u8>) -> Outbound {
    Outbound { status, headers: vec![("content-type".into(), "application/json; charset=utf-8".into())], body }
}

impl From<ClientError> for Error {
    fn from(refusal: ClientError) -> Self {
        ErrorKind::Client(refusal).into()
    }
}

impl From<TooLate> for Error {
    fn from(late: TooLate) -> Self {
        ErrorKind::NoPermit { retry_after: late.retry_after }.into()
    }
}

impl From<UnfilterableText> for Error {
    fn from(fault: UnfilterableText) -> Self {
        Self::malformed_as(&format!("a filter's word {fault}"))
    }
}

impl From<twenty::target::Unbounded> for Error {
    fn from(fault: twenty::target::Unbounded) -> Self {
        Self::malformed_as(&fault.to_string())
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(failure: &Error) -> Value {
        serde_json::from_slice(&failure.to_outbound(None).body).unwrap()
    }

    /// Twenty's own words may quote an address, and stay out of the log.
    #[test]
    fn twentys_words_stay_out_of_logs() {
        let failure = Error::from_answer(400, br#"{"messages":["Invalid e-mail dora@example.org"]}"#, None);
        assert_eq!((failure.for_log().as_str(), failure.messages().len()), ("Twenty answered 400", 1));
    }

    #[test]
    fn upstream_messages() {
        let text =
            br#"{"statusCode":400,"error":"BadRequestException","messages":["Object gift has no \"x\" field."]}"#;
        let failure = Error::from_answer(400, text, None);
        assert_eq!(
            body(&failure),
            json!({ "statusCode": 400, "message": "Object gift has no \"x\" field.",
                "upstream": { "messages": ["Object gift has no \"x\" field."] } })
        );
        let silent = Error::from_answer(500, b"<html>", None);
        assert_eq!(body(&silent)["message"], "Twenty API request failed");
    }

    #[test]
    fn who_should_come_again_is_told_when() {
        let header = |failure: &Error| {
            let headers = failure.to_outbound(None).headers;
            headers.into_iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value)
        };
        let busy = Error::from(ErrorKind::Busy { retry_after: Duration::from_millis(5_200) });
        assert_eq!((busy.status(), header(&busy).as_deref()), (503, Some("6")));
        let limited = Error::from_answer(429, b"", Some(Duration::ZERO));
        assert_eq!((limited.status(), header(&limited).as_deref()), (429, Some("1")));
        assert_eq!(header(&Error::malformed("x")), None);
    }

    #[test]
    fn broken_answers_are_bad_gateways() {
        assert_eq!(Error::malformed("gifts array").status(), 502);
        assert_eq!(Error::from(ErrorKind::Unreachable { reason: "refused".into() }).status(), 502);
        assert_eq!(Error::from(ErrorKind::TimedOut).status(), 504);
        assert_eq!(Error::malformed("missing gift").code(), "upstream_malformed");
    }
}
