//! Why a request could not be answered as asked, and what the caller is told.
//!
//! What Twenty said stands in a field of its own, `upstream`, so that `message` stays a sentence for people.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::http::Outbound;
use crate::refusal::{Refusal, Status};

/// A reason not to answer as asked
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This service says no
    Refused(Refusal),
    /// Twenty says no, or fails, and said so
    Upstream {
        /// HTTP status, 400 and above
        status: u16,
        /// Its `messages`
        messages: Vec<String>,
        /// When it makes sense to come again
        retry_after: Option<Duration>,
    },
    /// No complete answer came from Twenty, after all attempts; it may or may not have acted
    Unreachable,
    /// Time ran out before Twenty's answer came; it may or may not have acted
    TimedOut,
    /// Twenty answered with success, but not as it should; what it was asked to do may be done
    Malformed(String),
    /// The budget of calls leaves no turn before the caller would have gone
    Busy {
        /// When it makes sense to come again
        retry_after: Duration,
    },
}

impl Failure {
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
        Self::Upstream { status, messages, retry_after }
    }

    /// A success without what it should hold: `missing` is the name of the key
    #[must_use]
    pub fn malformed(missing: &str) -> Self {
        Self::Malformed(format!("unexpected Twenty response (missing {missing})"))
    }

    /// A success that cannot be used, in other words
    #[must_use]
    pub fn malformed_as(message: &str) -> Self {
        Self::Malformed(message.to_owned())
    }

    /// Status of Twenty's answer, if it was one that says no
    #[must_use]
    pub fn upstream_status(&self) -> Option<u16> {
        match self {
            Self::Upstream { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What Twenty said, if it said no
    #[must_use]
    pub fn messages(&self) -> &[String] {
        match self {
            Self::Upstream { messages, .. } => messages,
            _ => &[],
        }
    }

    /// Whether Twenty answered with success, but not as it should
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed(_))
    }

    /// Whether nothing is known of what Twenty did
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut | Self::Malformed(_) => true,
            Self::Upstream { status, .. } => *status >= 500,
            Self::Refused(_) | Self::Busy { .. } => false,
        }
    }

    /// Whether the same request may succeed later without any change
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut | Self::Malformed(_) | Self::Busy { .. } => true,
            Self::Upstream { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Refused(refusal) => refusal.status == Status::ServiceUnavailable,
        }
    }

    /// HTTP status of the answer
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal.status.code(),
            Self::Upstream { status, .. } => *status,
            Self::TimedOut => 504,
            Self::Unreachable | Self::Malformed(_) => 502,
            Self::Busy { .. } => 503,
        }
    }

    /// A short word for logs
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Upstream { .. } => "upstream_error",
            Self::TimedOut => "upstream_timeout",
            Self::Unreachable => "upstream_unreachable",
            Self::Malformed(_) => "upstream_malformed",
            Self::Busy { .. } => "busy",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            Self::Upstream { status: 429 | 503, retry_after, .. } => {
                Some(retry_after.unwrap_or(Duration::from_secs(5)))
            }
            _ => None,
        }
    }

    /// The answer
    #[must_use]
    pub fn to_outbound(&self) -> Outbound {
        let mut body = Map::new();
        if let Self::Refused(refusal) = self {
            body.insert("error".into(), refusal.status.name().into());
        }
        body.insert("statusCode".into(), self.status().into());
        body.insert("message".into(), self.to_string().into());
        if let Self::Upstream { messages, .. } = self {
            let messages = messages.iter().map(|message| Value::from(message.as_str())).collect();
            body.insert("upstream".into(), json!({ "messages": Value::Array(messages) }));
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
    Outbound {
        status,
        headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
        body: body.to_string().into_bytes(),
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.message),
            Self::Upstream { messages, .. } if messages.is_empty() => f.write_str("Twenty API request failed"),
            Self::Upstream { messages, .. } => {
                for (index, message) in messages.iter().enumerate() {
                    f.write_str(if index > 0 { "; " } else { "" })?;
                    f.write_str(message)?;
                }
                Ok(())
            }
            Self::TimedOut => f.write_str("Twenty did not answer in time"),
            Self::Unreachable => f.write_str("Twenty could not be reached"),
            Self::Malformed(message) => f.write_str(message),
            Self::Busy { .. } => f.write_str("Too many requests are waiting for Twenty; try again later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(failure: &Failure) -> Value {
        serde_json::from_slice(&failure.to_outbound().body).unwrap()
    }

    #[test]
    fn what_twenty_said_stands_in_a_field_of_its_own() {
        let text =
            br#"{"statusCode":400,"error":"BadRequestException","messages":["Object gift has no \"x\" field."]}"#;
        let failure = Failure::from_answer(400, text, None);
        assert_eq!(
            body(&failure),
            json!({ "statusCode": 400, "message": "Object gift has no \"x\" field.",
                "upstream": { "messages": ["Object gift has no \"x\" field."] } })
        );
        let silent = Failure::from_answer(500, b"<html>", None);
        assert_eq!(body(&silent)["message"], "Twenty API request failed");
    }

    #[test]
    fn who_should_come_again_is_told_when() {
        let header = |failure: &Failure| {
            let headers = failure.to_outbound().headers;
            headers.into_iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value)
        };
        let busy = Failure::Busy { retry_after: Duration::from_millis(5_200) };
        assert_eq!((busy.status(), header(&busy).as_deref()), (503, Some("6")));
        let limited = Failure::from_answer(429, b"", Some(Duration::ZERO));
        assert_eq!((limited.status(), header(&limited).as_deref()), (429, Some("1")));
        assert_eq!(header(&Failure::malformed("x")), None);
    }

    #[test]
    fn broken_answers_are_bad_gateways() {
        assert_eq!(Failure::malformed("gifts array").status(), 502);
        assert_eq!(Failure::Unreachable.status(), 502);
        assert_eq!(Failure::TimedOut.status(), 504);
        assert_eq!(Failure::malformed("missing gift").code(), "upstream_malformed");
    }
}
