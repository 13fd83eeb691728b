//! What can go wrong between a caller and the server, as a plain value handed to the host.

use std::collections::BTreeMap;
use std::time::Duration;

use ports::{Request, Response};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::http::{self, Target};
use crate::profile::Profile;
use crate::tokens;

/// Something that goes wrong with one request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server answers with this status and does nothing: 401, 403, 404, 429, or 500 and above. 429 is worded as the rate limit, in v2
    /// with a `Retry-After` of 5 s.
    Status(u16),
    /// The request never arrives.
    Unreachable,
    /// The server does everything, and the answer never comes.
    LostReply,
    /// The server does everything, and the answer is larger than the host reads.
    LargeReply,
    /// The server writes only the first rows of a batch, then answers 500.
    HalfBatch(usize),
}

/// The caller dies at its n-th request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Number of the request, counted from 1
    pub at: u64,
    /// Whether the server still acts on that request
    pub acted: bool,
}

/// How long a request is under way, each time anew: half before the server acts, half after
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Shortest
    pub min: Duration,
    /// Longest
    pub max: Duration,
}

/// All faults of one host
///
/// # Examples
///
/// ```
/// use sandbox::{Fault, Faults};
///
/// // The third request gets a 500, the fifth acts and then ends the caller.
/// let faults = Faults::none().at(3, Fault::Status(500)).crash(5, true);
/// assert_eq!(faults.crash.unwrap().at, 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Time under way; none: answers come at once
    pub latency: Option<Latency>,
    /// Faults of certain requests, by their number, counted from 1
    pub at: BTreeMap<u64, Fault>,
    /// Faults that strike so many of a thousand requests, by chance
    pub chance: Vec<(u16, Fault)>,
    /// The caller's death
    pub crash: Option<Crash>,
    /// From its call of this number on, counted from 1, GraphQL is not found
    pub graphql_ends: Option<u64>,
    /// Seed of latency and chance
    pub seed: u64,
}

impl Faults {
    /// No faults
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, with this one at the n-th request
    #[must_use]
    pub fn at(mut self, request: u64, fault: Fault) -> Self {
        self.at.insert(request, fault);
        self
    }

    /// The same, with this one striking so many of a thousand requests
    #[must_use]
    pub fn by_chance(mut self, per_mille: u16, fault: Fault) -> Self {
        self.chance.push((per_mille, fault));
        self
    }

    /// The same, with the caller's death at the n-th request
    #[must_use]
    pub fn crash(mut self, at: u64, acted: bool) -> Self {
        self.crash = Some(Crash { at, acted });
        self
    }

    /// The same, on a server whose GraphQL is not found from its n-th call on
    #[must_use]
    pub fn graphql_ends(mut self, call: u64) -> Self {
        self.graphql_ends = Some(call);
        self
    }

    /// The same, with that time under way
    #[must_use]
    pub fn latency(mut self, min: Duration, max: Duration) -> Self {
        self.latency = Some(Latency { min, max });
        self
    }

    /// The same, with that seed
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// The answer to a request that the server does nothing for
pub(crate) fn refusal(status: u16, request: &Request, profile: Profile) -> Response {
    let error = |class: &str, message: &str| json!({ "statusCode": status, "error": class, "messages": [message] });
    let body = match status {
        401 | 403 => return http::error(&tokens::refused(status), profile),
        404 => {
            let message = json!(format!("Cannot {} {}", request.method, Target::of(&request.url).path));
            return http::error(&ApiError::framework(404, "Not Found", &message), profile);
        }
        429 => error("HttpException", "Limit reached (100 tokens per 60000 ms)"),
        _ => error("InternalServerErrorException", "Internal server error"),
    };
    let mut response = http::json(status, body.to_string());
    if status == 429 && profile == Profile::V2 {
        response.headers.push(("retry-after".into(), "5".into()));
    }
    response
}

/// The same request with only the first rows of its batch, in a REST body or in a GraphQL variable
pub(crate) fn shortened(mut request: Request, rows: usize) -> Request {
    let body = request.body.as_deref().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let Some(mut body) = body else { return request };
    match &mut body {
        Value::Array(items) => items.truncate(rows),
        Value::Object(members) => {
            let variables = members.get_mut("variables").and_then(Value::as_object_mut);
            for variable in variables.into_iter().flat_map(|variables| variables.values_mut()) {
                match variable.as_array_mut() {
                    Some(items) if items.iter().all(Value::is_object) => items.truncate(rows),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    request.body = Some(body.to_string().into_bytes());
    request
}
