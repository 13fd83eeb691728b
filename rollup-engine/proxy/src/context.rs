//! One request as its rules see it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use fundraising::client_error::ClientError;
use fundraising::gift::plausible;
use fundraising::payload::Payload;
use ports::{Event, Level, ServiceHost, Timestamp, local_date};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::Date;
use twenty::rate_limiter::Priority;
use uuid::{Builder, Uuid};

use crate::callers::TokenHash;
use crate::http::Inbound;
use crate::state::AppState;
use twenty::rate_limiter::Place;

/// One request's context
pub struct RequestContext<'a> {
    /// The process
    pub state: &'a AppState,
    /// The outside of this request
    pub host: &'a dyn ServiceHost,
    /// The request's id
    pub request_id: String,
    /// The caller's token; without one the service's own is used
    pub token: Option<String>,
    /// How urgent the request is
    pub priority: Priority,
    /// When its caller stops waiting
    pub deadline: Timestamp,
    /// The token by which the caller is known; nothing for the service's own
    pub(crate) caller: Option<TokenHash>,
    /// Its place among the requests that wait for Twenty
    pub(crate) place: Place<'a>,
    pub(crate) entropy: u128,
    ids_made: Cell<u64>,
    is_closing: Cell<bool>,
    warnings: RefCell<Vec<&'static str>>,
}

impl std::fmt::Debug for RequestContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

impl<'a> RequestContext<'a> {
    /// The context of a request that comes in at this moment
    #[must_use]
    pub fn new(
        state: &'a AppState,
        host: &'a dyn ServiceHost,
        inbound: &Inbound,
        token: Option<String>,
        priority: Priority,
    ) -> Self {
        let is_own = token.is_none() || token == state.settings.api_key;
        let mut context = Self {
            state,
            host,
            request_id: String::new(),
            caller: token.as_deref().filter(|_| !is_own).map(TokenHash::of),
            token,
            priority,
            deadline: host.now() + timeout_for(priority),
            place: state.limiter.place(priority, 1),
            entropy: inbound.entropy,
            ids_made: Cell::new(0),
            is_closing: Cell::new(false),
            warnings: RefCell::default(),
        };
        context.request_id = request_id(inbound).unwrap_or_else(|| context.new_id().to_string());
        context
    }

    /// Runs work whose calls leave in order what was begun: they go before other requests' calls, and past the deadline.
    pub(crate) async fn closing<T>(&self, work: impl Future<Output = T>) -> T {
        let before = self.is_closing.replace(true);
        let result = work.await;
        self.is_closing.set(before);
        result
    }

    /// Whether the request's calls leave in order what was begun
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.get()
    }

    /// The current time
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// The day of an instant at the charity
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Option<Date> {
        local_date(self.host, &self.state.settings.time_zone, at)
    }

    /// The instant that a provider gives; this one where nobody can mean it, so that later words are heard all the same
    pub(crate) fn instant_or_now(&self, at: i64) -> i64 {
        let now = self.now();
        if plausible::refunded_at(at, now).is_ok() { at } else { now.as_millis() }
    }

    /// The body of a request that says a gift; an instant in the place of a day counts as its day at the charity
    pub(crate) fn gift_payload(&self, body: &[u8]) -> Result<Payload, ClientError> {
        Ok(Payload::parse(body)?.with_days(&|at| self.day_of(at)))
    }

    /// Writes a log line; never a token, never a donor's data.
    pub fn log(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) {
        if level >= self.state.settings.log_level {
            self.host.log(self.line(level, event, fields));
        }
    }

    /// Tells of a doubt about a gift that was made all the same: in the log, in the metrics, and in the answer.
    pub(crate) fn warn(&self, warning: &'static str) {
        self.log(Level::Warn, "gift_warning_raised", &[("warning", warning.into())]);
        self.state.metrics.count_warning(warning);
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The doubts that were told of
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        self.warnings.borrow().clone()
    }

    /// A log line with the request's id
    pub(crate) fn line(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) -> Event {
        let line = Event { level, event, fields: fields.to_vec() };
        line.with("requestId", self.request_id.as_str())
    }

    /// An id that nothing else has
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let number = self.ids_made.get() + 1;
        self.ids_made.set(number);
        let mut hash = Sha256::new();
        hash.update(self.entropy.to_be_bytes());
        hash.update(number.to_be_bytes());
        let mut bytes = [0; 16];
        for (byte, random) in bytes.iter_mut().zip(hash.finalize()) {
            *byte = random;
        }
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// How long a caller waits for its answer
const fn timeout_for(priority: Priority) -> Duration {
    match priority {
        Priority::Person => Duration::from_secs(25),
        // Payment providers give up between 10 and 20 s, and come again.
        Priority::Webhook => Duration::from_secs(9),
        Priority::Job => Duration::from_mins(2),
    }
}

/// The caller's own id for the request, if it can stand in a header and in a log line
pub(crate) fn request_id(inbound: &Inbound) -> Option<String> {
    let given = inbound.header("x-request-id")?.trim();
    let fits = (1..=128).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| given.to_owned())
}
