//! What a caller is told when this service itself says no.
//!
//! The wording and the statuses are a contract with existing front ends. What Twenty refuses is not told from here.

use serde_json::{Value, json};

/// Why a request is refused, in HTTP's words
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// 400: the request cannot be right
    BadRequest,
    /// 404: there is no such record
    NotFound,
    /// 409: the request is well formed, but the record is not in a state that allows it
    Conflict,
    /// 498: the sender of a webhook did not prove who it is
    InvalidToken,
    /// 503: this service is not set up for the request
    ServiceUnavailable,
}

impl Status {
    /// The number
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::InvalidToken => 498,
            Self::ServiceUnavailable => 503,
        }
    }

    /// The name, as the `error` of a reply shows it
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::NotFound => "Not Found",
            Self::Conflict => "Conflict",
            Self::InvalidToken => "Invalid Token",
            Self::ServiceUnavailable => "Service Unavailable",
        }
    }
}

/// A request that is turned down, with the reason that the caller may see
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    /// HTTP status of the reply
    pub status: Status,
    /// What is wrong, naming the field and what was expected
    pub message: String,
    /// Names of the fields that differ from an earlier request, for programs
    pub fields: Vec<&'static str>,
}

impl ClientError {
    /// With this status and message
    #[must_use]
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), fields: Vec::new() }
    }

    /// A request that cannot be right
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::client_error::ClientError;
    ///
    /// let error = ClientError::bad("amount is required");
    /// assert_eq!((error.status.code(), error.message.as_str()), (400, "amount is required"));
    /// ```
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(Status::BadRequest, message)
    }

    /// A request that contradicts an earlier one in these fields
    #[must_use]
    pub fn conflict_in(fields: Vec<&'static str>, message: impl Into<String>) -> Self {
        Self { fields, ..Self::new(Status::Conflict, message) }
    }

    /// Body of the reply
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "message": self.message.as_str(),
            "error": self.status.name(),
            "statusCode": self.status.code(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_message_error_and_status_code() {
        assert_eq!(
            ClientError::bad("amount is required").to_json(),
            json!({ "message": "amount is required", "error": "Bad Request", "statusCode": 400 })
        );
        assert_eq!(ClientError::new(Status::ServiceUnavailable, "x").to_json()["error"], "Service Unavailable");
    }
}
