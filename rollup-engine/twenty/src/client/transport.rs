//! How the client makes a call: its request, its permit, and what its answer means.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::time::whole_millis;
use ports::{Clock, Event, FetchError, Host, Level, Method, Request, Response, Timestamp, async_trait};

use crate::error::ApiError;
use crate::exchange::{Attempt, Call, Terms, exchange};
use crate::graphql::Failure;
use crate::page::PageError;
use crate::rate_limiter::{Priority, RateLimit, RateLimiter, Waiting};
use crate::request_stats::RequestStats;
use crate::retry::{Outcome, RetryPolicy, SeededRandom};
use crate::target::Target;

/// How long one attempt may take; an upsert of 200 records takes Twenty about 2 s
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long after the deadline a call that is under way may still end
const GRACE: Duration = Duration::from_secs(5);

/// Where a workspace is, and who asks
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// Address of the server, without a path: `https://crm.example.org`
    pub base_url: String,
    /// API key or app token
    pub token: String,
}

// The token never reaches a log.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// What a call asks for
#[derive(Clone, Debug)]
pub(super) struct RequestSpec {
    method: Method,
    /// Path without a query, record ids left out: how the call is named in reports and in errors
    route: String,
    /// Path and query as sent
    path: String,
    pub(super) body: Option<Vec<u8>>,
    /// What it costs of the rate limit, in tokens; 0 for a call that is not counted
    pub(super) cost: u32,
    /// The call must not go out after this
    pub(super) not_after: Option<Timestamp>,
}

impl RequestSpec {
    /// A call of the REST API; `route` is what follows `/rest/`, record ids left out
    pub(super) fn rest(target: &Target, route: &str) -> Self {
        let path = format!("/rest{}", target.path());
        Self { method: target.method(), route: format!("/rest/{route}"), path, body: None, cost: 1, not_after: None }
    }

    pub(super) fn graphql(name: &str) -> Self {
        let route = format!("/graphql {name}");
        Self { method: Method::Post, route, path: "/graphql".into(), body: None, cost: 1, not_after: None }
    }
}

/// What reads a successful answer, and says what failed all the same; it is called again for the answer to a repetition
pub(super) type Read<'r> = &'r mut dyn FnMut(&[u8]) -> Result<Option<Failure>, PageError>;

/// What an attempt brought
struct Received {
    response: Result<Response, FetchError>,
    /// What failed in spite of a status of success: that it cannot be read, or what it says itself
    failure: Result<Option<Failure>, PageError>,
}

impl Received {
    fn outcome(&self) -> Outcome {
        match (&self.response, &self.failure) {
            (Ok(_), Err(_)) => Outcome::Unreadable,
            (Ok(_), Ok(Some(failure))) => {
                Outcome::Answered { status: failure.status, retry_after: failure.retry_after }
            }
            (response, _) => Outcome::of(response),
        }
    }
}

/// A caller of one workspace
#[derive(Debug)]
pub struct Client<H> {
    host: H,
    connection: Connection,
    limiter: RateLimiter,
    priority: Priority,
    deadline: Option<Timestamp>,
    pub(super) stats: RefCell<RequestStats>,
    random: SeededRandom,
    /// The server's clock and ours at its first answer
    clocks: Cell<Option<(Timestamp, Timestamp)>>,
    max_throttles: Cell<Option<u64>>,
}

impl<H: Host> Client<H> {
    /// A caller with a fresh budget; `seed` spreads its waiting, and no call is repeated after `deadline`
    pub fn new(
        host: H,
        connection: Connection,
        limit: RateLimit,
        priority: Priority,
        deadline: Option<Timestamp>,
        seed: u64,
    ) -> Self {
        Self {
            host,
            connection,
            limiter: RateLimiter::new(limit, Waiting::Woken),
            priority,
            deadline,
            stats: RefCell::default(),
            random: SeededRandom::new(seed),
            clocks: Cell::new(None),
            max_throttles: Cell::new(None),
        }
    }

    /// The outside, for the clock and the log
    pub fn host(&self) -> &H {
        &self.host
    }

    /// What was spent so far
    pub fn stats(&self) -> RequestStats {
        self.stats.borrow().clone()
    }

    /// When calls have to end
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// What the server's clock showed at this time of ours, to the second, if the server has told its time
    pub fn server_time(&self, at: Timestamp) -> Option<Timestamp> {
        let (server, ours) = self.clocks.get()?;
        Some(if at >= ours { server + at.since(ours) } else { server - ours.since(at) })
    }

    /// Gives up after this many refusals for the rate limit, as if out of time: a later run continues.
    pub fn set_max_throttles(&self, max_throttles: Option<u64>) {
        self.max_throttles.set(max_throttles);
    }

    /// Requests that may go at once
    pub fn allowance(&self) -> u32 {
        self.limiter.allowance()
    }

    /// When this many requests can have gone, if nothing but the rate limit holds them up: an estimate
    pub fn ready_at(&self, requests: u32) -> Timestamp {
        self.limiter.ready_at(self.host.now(), requests)
    }

    /// Sends a call until its answer is worth keeping; `read` reads a successful one and says what failed all the same
    ///
    /// A success that cannot be read is repeated as a server error is, writes included: a row holds values and no
    /// differences, and `not_after` bounds the repetition as it does the first attempt.
    pub(super) async fn call(&self, spec: RequestSpec, read: Option<Read<'_>>) -> Result<Response, ApiError> {
        let terms = Terms {
            policy: RetryPolicy::JOB,
            cost: spec.cost,
            limiter: &self.limiter,
            clock: &self.host,
            deadline: self.deadline,
            random: &self.random,
        };
        let mut call = ClientCall::new(self, spec, read);
        let exchanged = exchange(&mut call, terms).await?;
        if exchanged.is_cut_short {
            return Err(call.out_of_time());
        }
        call.keep(exchanged.received)
    }
}

/// Waits of this length or longer for the rate limit are logged
const MIN_LOGGED_WAIT: Duration = Duration::from_secs(1);

/// The clock of a call that waits for the rate limiter: says for how long
struct LoggedWaits<'c, H> {
    client: &'c Client<H>,
    endpoint: &'c str,
}

#[async_trait(?Send)]
impl<H: Host> Clock for LoggedWaits<'_, H> {
    fn now(&self) -> Timestamp {
        self.client.host.now()
    }

    async fn sleep(&self, duration: Duration) {
        let host = &self.client.host;
        if duration >= MIN_LOGGED_WAIT {
            let event = Event::new(Level::Info, "request_held_back")
                .with("endpoint", self.endpoint)
                .with("waitMs", whole_millis(duration))
                .with("until", (host.now() + duration).to_string());
            host.log(event);
        }
        host.sleep(duration).await;
    }
}

/// A call under way
struct ClientCall<'c, 'r, H> {
    client: &'c Client<H>,
    spec: RequestSpec,
    /// Method and route
    endpoint: String,
    read: Option<Read<'r>>,
    /// When the latest attempt ended, or the call came in
    waits_since: Timestamp,
}

impl<'c, 'r, H: Host> ClientCall<'c, 'r, H> {
    fn new(client: &'c Client<H>, spec: RequestSpec, read: Option<Read<'r>>) -> Self {
        let endpoint = format!("{} {}", spec.method, spec.route);
        Self { client, spec, endpoint, read, waits_since: client.host.now() }
    }

    fn out_of_time(&self) -> ApiError {
        ApiError::OutOfTime { endpoint: self.endpoint.clone() }
    }

    fn request(&self) -> Request {
        let Client { host, connection, deadline, .. } = self.client;
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", connection.token)),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        if self.spec.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: self.spec.method,
            url: format!("{}{}", connection.base_url, self.spec.path),
            headers,
            body: self.spec.body.clone(),
            timeout: deadline.map_or(TIMEOUT, |deadline| TIMEOUT.min(deadline.since(host.now()) + GRACE)),
        }
    }

    /// The answer, or the error that it stands for
    fn keep(self, received: Received) -> Result<Response, ApiError> {
        let Self { client, endpoint, .. } = self;
        let response = match received.response {
            Err(FetchError::Unreachable { reason }) => return Err(ApiError::Unreachable { endpoint, reason }),
            Err(FetchError::TooLarge { max_bytes }) => return Err(ApiError::TooLarge { endpoint, max_bytes }),
            Ok(response) => response,
        };
        client.stats.borrow_mut().bytes += response.body.len() as u64;
        if client.clocks.get().is_none() {
            let server = response.header("date").and_then(Timestamp::parse_http_date);
            client.clocks.set(server.map(|server| (server, client.host.now())));
        }
        match (response.status, received.failure) {
            (_, Err(error)) => Err(ApiError::Malformed { endpoint, reason: error.to_string() }),
            (_, Ok(Some(failure))) => Err(ApiError::from_failure(endpoint, failure)),
            (200..=299, Ok(None)) => Ok(response),
            (status, Ok(None)) => Err(ApiError::from_answer(endpoint, status, &response.body)),
        }
    }
}

impl<H: Host> Call for ClientCall<'_, '_, H> {
    type Received = Received;
    type NotSent = ApiError;

    async fn attempt(&mut self, number: u32) -> Result<Attempt<Received>, ApiError> {
        let Client { host, limiter, priority, deadline, stats, .. } = self.client;
        let cost = self.spec.cost;
        let latest = self.spec.not_after.into_iter().chain(*deadline).min();
        let clock = LoggedWaits { client: self.client, endpoint: &self.endpoint };
        let permit = limiter.acquire(&clock, *priority, cost, latest, TIMEOUT).await;
        stats.borrow_mut().waited += host.now().since(self.waits_since);
        let permit = match permit {
            Ok(permit) => permit,
            Err(_) if latest == *deadline => return Err(self.out_of_time()),
            Err(_) => return Err(ApiError::Stale { endpoint: self.endpoint.clone() }),
        };
        stats.borrow_mut().sent(&self.endpoint, cost, number);
        let response = host.fetch(self.request()).await;
        drop(permit);

        let failure = match (&response, &mut self.read) {
            (Ok(response), Some(read)) if matches!(response.status, 200..=299) => read(&response.body),
            _ => Ok(None),
        };
        self.waits_since = host.now();
        let received = Received { response, failure };
        Ok(Attempt { outcome: received.outcome(), received, is_budgeted: true })
    }

    fn repeats_throttled(&mut self, _: u32) -> bool {
        let mut stats = self.client.stats.borrow_mut();
        stats.throttled += 1;
        self.client.max_throttles.get().is_none_or(|max| stats.throttled < max)
    }

    fn log_repetition(&self, number: u32, attempt: &Attempt<Received>, wait: Duration) {
        let status = match attempt.outcome {
            Outcome::Answered { status, .. } => status.into(),
            Outcome::Unreadable => "unreadable".into(),
            Outcome::Unreachable | Outcome::TooLarge => serde_json::Value::Null,
        };
        let mut event = Event::new(Level::Warn, "request_retried")
            .with("endpoint", self.endpoint.as_str())
            .with("attempt", number)
            .with("status", status)
            .with("waitMs", whole_millis(wait));
        if let Err(error) = &attempt.received.response {
            event = event.with("reason", error.to_string());
        }
        self.client.host.log(event);
    }
}
