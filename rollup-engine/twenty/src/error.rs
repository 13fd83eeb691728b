//! What can go wrong with a call, in words that name the call, and a stable code for programs.

use serde_json::Value;

use crate::graphql::Failure;

/// Why a call brought no usable answer
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No complete answer came, however often it was tried
    #[error("{endpoint}: no answer: {reason}")]
    Unreachable {
        /// Method and path
        endpoint: String,
        /// What the runtime said
        reason: String,
    },
    /// The answer is larger than the host reads
    #[error("{endpoint}: the answer is larger than {max_bytes} bytes, the most that is read")]
    TooLarge {
        /// Method and path
        endpoint: String,
        /// The largest answer that is read
        max_bytes: u64,
    },
    /// The token is not valid
    #[error("{endpoint}: the token was refused ({status}): {message}")]
    Unauthorized {
        /// Method and path
        endpoint: String,
        /// HTTP status
        status: u16,
        /// What Twenty said
        message: String,
    },
    /// The token may not do this
    #[error("{endpoint}: not permitted ({status}): {message}")]
    Forbidden {
        /// Method and path
        endpoint: String,
        /// HTTP status
        status: u16,
        /// What Twenty said
        message: String,
    },
    /// There is no such record or route
    #[error("{endpoint}: not found: {message}")]
    NotFound {
        /// Method and path
        endpoint: String,
        /// What Twenty said
        message: String,
    },
    /// This server has no GraphQL, or none that knows what was asked; REST may
    #[error("{endpoint}: not supported ({status}): {message}")]
    Unsupported {
        /// Method, path and root field
        endpoint: String,
        /// HTTP status, or what REST would have answered
        status: u16,
        /// What the server said
        message: String,
    },
    /// Twenty understood the call and refused it
    #[error("{endpoint}: refused ({status}): {message}")]
    Refused {
        /// Method and path
        endpoint: String,
        /// HTTP status
        status: u16,
        /// What Twenty said
        message: String,
    },
    /// Twenty failed, however often it was tried
    #[error("{endpoint}: server error ({status}): {message}")]
    Server {
        /// Method and path
        endpoint: String,
        /// HTTP status
        status: u16,
        /// What Twenty said
        message: String,
    },
    /// The answer is not what Twenty sends
    #[error("{endpoint}: the answer could not be read: {reason}")]
    Malformed {
        /// Method and path
        endpoint: String,
        /// What is wrong with it
        reason: String,
    },
    /// The next attempt would come after the deadline of the run
    #[error("{endpoint}: the time of this run is used up")]
    OutOfTime {
        /// Method and path
        endpoint: String,
    },
    /// The call was to go out before a certain moment, and could not
    #[error("{endpoint}: what this write relies on was read too long ago")]
    Stale {
        /// Method and path
        endpoint: String,
    },
}

impl ApiError {
    /// Stable name of the kind of error, for programs
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::TooLarge { .. } => "answer_too_large",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Unsupported { .. } => "unsupported",
            Self::Refused { .. } => "refused",
            Self::Server { .. } => "server_error",
            Self::Malformed { .. } => "malformed_answer",
            Self::OutOfTime { .. } => "out_of_time",
            Self::Stale { .. } => "stale",
        }
    }

    /// Whether every other call with this token will fail as well
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::OutOfTime { .. } | Self::Unreachable { .. })
    }

    /// Whether the same could be asked over REST with better luck: the server does not take or know the GraphQL call
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported { .. })
    }

    /// A failure that GraphQL answered, by the status that REST would have given it
    pub(crate) fn from_failure(endpoint: String, failure: Failure) -> Self {
        let Failure { status, unsupported, message, .. } = failure;
        if unsupported {
            return Self::Unsupported { endpoint, status, message };
        }
        Self::of_status(endpoint, status, message.chars().take(MAX_LENGTH).collect())
    }

    fn of_status(endpoint: String, status: u16, message: String) -> Self {
        match status {
            // Twenty answers 403 to a missing and to a revoked key.
            401 => Self::Unauthorized { endpoint, status, message },
            403 => Self::Forbidden { endpoint, status, message },
            404 => Self::NotFound { endpoint, message },
            408 | 500..=599 => Self::Server { endpoint, status, message },
            _ => Self::Refused { endpoint, status, message },
        }
    }

    /// Reads what Twenty answered with this status, which is not a success
    #[must_use]
    pub fn from_answer(endpoint: String, status: u16, body: &[u8]) -> Self {
        let ErrorBody { message, code } = ErrorBody::read(body);
        match status {
            // A role without the right
            400 if code.as_deref() == Some("PERMISSION_DENIED") => Self::Forbidden { endpoint, status, message },
            // Over GraphQL a refusal is a 200: this one is no GraphQL server's.
            400 | 404 | 405 if endpoint.starts_with("POST /graphql") => Self::Unsupported { endpoint, status, message },
            _ => Self::of_status(endpoint, status, message),
        }
    }
}

/// Longest message kept, in characters; a validation error can list every field of a record
const MAX_LENGTH: usize = 300;

struct ErrorBody {
    message: String,
    code: Option<String>,
}

impl ErrorBody {
    /// Twenty has several envelopes: `messages` or `message`, with and without `code`.
    fn read(body: &[u8]) -> Self {
        let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
        let first = envelope.get("messages").and_then(|messages| messages.get(0));
        let message = first.or_else(|| envelope.get("message")).and_then(Value::as_str);
        let message = message.unwrap_or("no message").chars().take(MAX_LENGTH).collect();
        let code = envelope.get("code").and_then(Value::as_str).map(str::to_owned);
        Self { message, code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_envelope_of_twenty_is_understood() {
        for (status, body, code, message) in [
            (
                401,
                r#"{"statusCode":401,"messages":["Token invalid."],"error":"UNAUTHENTICATED"}"#,
                "unauthorized",
                "GET /rest/gifts: the token was refused (401): Token invalid.",
            ),
            (
                403,
                r#"{"statusCode":403,"messages":["This API Key is revoked"],"error":"FORBIDDEN_EXCEPTION"}"#,
                "forbidden",
                "GET /rest/gifts: not permitted (403): This API Key is revoked",
            ),
            (
                400,
                r#"{"statusCode":400,"error":"Error","messages":["Entity performing the request does not have permission"],"code":"PERMISSION_DENIED"}"#,
                "forbidden",
                "GET /rest/gifts: not permitted (400): Entity performing the request does not have permission",
            ),
            (
                404,
                r#"{"message":"Cannot GET /nope","error":"Not Found","statusCode":404}"#,
                "not_found",
                "GET /rest/gifts: not found: Cannot GET /nope",
            ),
            (500, "<html>", "server_error", "GET /rest/gifts: server error (500): no message"),
            (302, "", "refused", "GET /rest/gifts: refused (302): no message"),
        ] {
            let error = ApiError::from_answer("GET /rest/gifts".into(), status, body.as_bytes());
            assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        }
    }
}
