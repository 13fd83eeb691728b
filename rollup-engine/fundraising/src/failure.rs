//! Why a request brought nothing, and what its caller is told.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::refusal::Refusal;

/// Why a request brought nothing
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Twenty answered with this status
    Upstream {
        /// HTTP status
        status: u16,
        /// What it said
        messages: Vec<String>,
        /// What it asked to wait
        retry_after: Option<Duration>,
    },
    /// Twenty did not answer
    Unreachable,
    /// Twenty's answer is not what it sends
    Malformed(String),
    /// The turn at Twenty would come too late
    Busy {
        /// When to come again
        retry_after: Duration,
    },
    /// This service says no
    Refused(Refusal),
}

impl Failure {
    /// An answer that lacks this
    #[must_use]
    pub fn malformed(missing: &str) -> Self {
        Self::Malformed(format!("unexpected Twenty response (missing {missing})"))
    }

    /// Twenty's status
    #[must_use]
    pub const fn upstream_status(&self) -> Option<u16> {
        match self {
            Self::Upstream { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What Twenty said
    #[must_use]
    pub fn messages(&self) -> &[String] {
        match self {
            Self::Upstream { messages, .. } => messages,
            _ => &[],
        }
    }

    /// Status and body of the reply
    #[must_use]
    pub fn to_reply(&self) -> (u16, Value) {
        let status = match self {
            Self::Upstream { status, .. } => *status,
            Self::Unreachable | Self::Malformed(_) => 502,
            Self::Busy { .. } => 503,
            Self::Refused(refusal) => return (refusal.status.code(), refusal.to_json()),
        };
        (status, json!({ "statusCode": status, "message": self.to_string(), "upstream": self.messages() }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream { messages, .. } => {
                f.write_str(messages.first().map_or("Twenty API request failed", |text| text))
            }
            Self::Unreachable => f.write_str("Twenty did not answer"),
            Self::Malformed(message) => f.write_str(message),
            Self::Busy { .. } => f.write_str("Twenty is busy"),
            Self::Refused(refusal) => f.write_str(&refusal.message),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
