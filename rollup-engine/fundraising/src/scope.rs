//! One request's way to Twenty.
//!
//! Every call passes the queue, has a time-out, and is repeated only where a repetition cannot do harm: a call that was
//! refused for the rate limit did nothing, and one that ended in an error or in silence may have done everything. Log
//! lines name the object that was called, never the query (it may hold an e-mail address), a token or a body.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use twenty::filter::encode;
use twenty::gate::Priority;
use twenty::retry::{Outcome, Sequence, Verdict, judge, retry_after};
use twenty::time::whole_millis;
use twenty::{Event, Host, Level, Method, Request, Response, Timestamp};
use uuid::{Builder, Uuid};

use crate::failure::{Failure, Reason};
use crate::http::{Inbound, split_at_byte};
use crate::proxy::Proxy;
use crate::refusal::{Refusal, Status};

/// Attempts at one call
const MOST_ATTEMPTS: u32 = 3;
/// Longest time that one attempt may take
const TIMEOUT: Duration = Duration::from_secs(20);
/// A call with less time than this left is not worth starting
const LEAST_TIME: Duration = Duration::from_millis(50);

/// How long a caller waits for its answer
#[must_use]
pub const fn patience(priority: Priority) -> Duration {
    match priority {
        Priority::Person => Duration::from_secs(25),
        // Payment providers give up between 10 and 20 s, and come again.
        Priority::Webhook => Duration::from_secs(9),
        Priority::Job => Duration::from_mins(2),
    }
}

/// What is waited for; in a box of its own, so that whoever waits carries a pointer and not the states of all below
pub type Pending<'a, T = Value> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// One request's context
#[derive(Debug)]
pub struct Scope<'a, H> {
    /// The process
    pub proxy: &'a Proxy,
    /// The outside
    pub host: &'a H,
    /// The request's id
    pub request_id: String,
    /// The caller's token; without one the service's own is used
    pub token: Option<String>,
    /// How urgent the request is
    pub priority: Priority,
    /// When its caller stops waiting
    pub deadline: Timestamp,
    entropy: u128,
    drawn: Cell<u64>,
    random: RefCell<Sequence>,
}

impl<'a, H: Host> Scope<'a, H> {
    /// The context of a request that came in at this moment
    #[must_use]
    pub fn new(proxy: &'a Proxy, host: &'a H, inbound: &Inbound, token: Option<String>, priority: Priority) -> Self {
        // Half of the bits are enough to spread waiting times.
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is as random as the upper one")]
        let random = RefCell::new(Sequence::new(inbound.entropy as u64));
        let deadline = host.now() + patience(priority);
        let entropy = inbound.entropy;
        let mut scope = Self {
            proxy,
            host,
            request_id: String::new(),
            token,
            priority,
            deadline,
            entropy,
            drawn: Cell::new(0),
            random,
        };
        scope.request_id = request_id(inbound).unwrap_or_else(|| scope.new_id().to_string());
        scope
    }

    /// Calls Twenty; `path` is what follows the base, `/gifts?depth=0`, with the names of the model
    ///
    /// # Errors
    /// See [`Failure`]. After one that [is uncertain](Failure::is_uncertain), Twenty may have acted.
    pub fn call(&self, method: Method, path: String, body: Option<Value>) -> Pending<'_> {
        Box::pin(async move {
            let writes = method != Method::Get && !is_question(&path);
            if writes {
                self.proxy.cache.wrote();
            }
            let answer = self.attempts(method, &path, body.as_ref()).await;
            if writes {
                self.proxy.cache.wrote();
            }
            let answer = self.proxy.model()?.reply(&path, answer?);
            if object_of(&path) == "giftStagings" {
                self.proxy.metrics.saw_rows(&answer);
            }
            Ok(answer)
        })
    }

    /// Reads from Twenty, or from memory if the same token asked the same a moment ago; not for decisions
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn read(&self, path: String) -> Pending<'_> {
        let lasts = Duration::from_secs(self.proxy.settings.cache_seconds.into());
        if lasts.is_zero() {
            return self.call(Method::Get, path, None);
        }
        Box::pin(async move {
            let cache = &self.proxy.cache;
            let token = self.token.as_deref().unwrap_or_default();
            if let Some(answer) = cache.find(token, &path, self.host.now()) {
                return Ok(answer);
            }
            let mark = cache.mark();
            let answer = self.call(Method::Get, path.clone(), None).await?;
            cache.keep(mark, token, &path, &answer, self.host.now(), lasts);
            Ok(answer)
        })
    }

    /// Writes a log line; never a token, never a donor's data.
    pub fn log(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) {
        let line = Event { level, event, fields: fields.to_vec() };
        self.host.log(line.with("requestId", self.request_id.as_str()));
    }

    /// An id that nothing else has
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.drawn.set(self.drawn.get() + 1);
        let mut hash = Sha256::new();
        hash.update(self.entropy.to_be_bytes());
        hash.update(self.drawn.get().to_be_bytes());
        let mut bytes = [0; 16];
        for (byte, random) in bytes.iter_mut().zip(hash.finalize()) {
            *byte = random;
        }
        Builder::from_random_bytes(bytes).into_uuid()
    }

    async fn attempts(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let Some(token) = self.token.as_deref().or(self.proxy.settings.api_key.as_deref()) else {
            return Err(Refusal::new(Status::ServiceUnavailable, "TWENTY_API_KEY not configured").into());
        };
        let repeatable = is_repeatable(method, path, body);
        let mut last: Option<Failure> = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.attempt(method, path, body, token, attempt).await;
            let (outcome, failure) = match result {
                // There is no more time: what went wrong before says more than that.
                Ok(Err(busy)) => return Err(last.unwrap_or(busy)),
                Ok(Ok(response)) if response.status < 400 => {
                    return self.read_success(method, path, &response, attempt);
                }
                Ok(Ok(response)) => {
                    let asked = retry_after(response.header("retry-after"));
                    let outcome = Outcome::Answered { status: response.status, retry_after: asked };
                    (outcome, Failure::from_answer(response.status, &response.body, asked))
                }
                Err(silence) => (Outcome::Unreachable, silence),
            };
            let Some(wait) = self.wait_after(outcome, attempt, repeatable) else {
                self.log_failure(method, path, attempt, &failure);
                return Err(failure);
            };
            self.log(
                Level::Warn,
                "twenty_proxy_retry",
                &[
                    ("method", method.as_str().into()),
                    ("object", object_of(path).into()),
                    ("attempt", attempt.into()),
                    ("maxAttempts", MOST_ATTEMPTS.into()),
                    ("status", failure.upstream_status().into()),
                    ("delayMs", whole_millis(wait).into()),
                ],
            );
            if self.host.now() + wait + LEAST_TIME > self.deadline {
                self.log_failure(method, path, attempt, &failure);
                return Err(failure);
            }
            // After a refusal the queue holds everybody back, this call included.
            if !matches!(outcome, Outcome::Answered { status: 429, .. }) {
                self.host.sleep(wait).await;
            }
            last = Some(failure);
        }
    }

    /// One attempt: an answer, no answer, or no turn
    async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        token: &str,
        attempt: u32,
    ) -> Result<Result<Response, Failure>, Failure> {
        let permit = self.proxy.queue.enter(self.host, self.priority, self.deadline - LEAST_TIME, TIMEOUT).await;
        let permit = match permit {
            Ok(permit) => permit,
            Err(too_late) => return Ok(Err(Failure::busy(too_late.retry_after))),
        };
        let began = self.host.now();
        let timeout = TIMEOUT.min(self.deadline.since(began)).max(LEAST_TIME);
        let request = match self.request(method, path, body, token, timeout) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(failure)),
        };
        let result = self.host.fetch(request).await;
        let ended = self.host.now();
        drop(permit);

        let status = result.as_ref().map_or(0, |response| response.status);
        self.proxy.metrics.called(method.as_str(), object_of(path), status);
        self.log(
            Level::Debug,
            "twenty_proxy_attempt",
            &[
                ("method", method.as_str().into()),
                ("object", object_of(path).into()),
                ("attempt", attempt.into()),
                ("maxAttempts", MOST_ATTEMPTS.into()),
                ("status", status.into()),
                ("durationMs", whole_millis(ended.since(began)).into()),
            ],
        );
        result
            .map(Ok)
            .map_err(|_| if ended.since(began) >= timeout { Reason::TimedOut } else { Reason::Unreachable }.into())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        token: &str,
        timeout: Duration,
    ) -> Result<Request, Failure> {
        let model = self.proxy.model()?;
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("accept".to_owned(), "application/json".to_owned()),
            ("x-request-id".to_owned(), self.request_id.clone()),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let own_path = if self.proxy.settings.model.is_some() { self.renamed(path)? } else { path.to_owned() };
        Ok(Request {
            method,
            url: format!("{}{own_path}", self.proxy.settings.base_url),
            headers,
            body: body.map(|body| crate::json::bytes(&model.body(path, body))),
            timeout,
        })
    }

    /// The path in the workspace's own names
    fn renamed(&self, path: &str) -> Result<String, Failure> {
        let model = self.proxy.model()?;
        let (route, query) = split_at_byte(path, b'?');
        let mut renamed = model.path(route);
        let inbound = Inbound { target: format!("?{query}"), ..Inbound::default() };
        for (index, (name, value)) in inbound.query().into_iter().enumerate() {
            let names_fields = name == "filter" || name == "order_by";
            let value = if names_fields { model.expression(route, &value) } else { value };
            renamed.push(if index == 0 { '?' } else { '&' });
            renamed.push_str(&name);
            renamed.push('=');
            renamed.push_str(&encode(&value));
        }
        Ok(renamed)
    }

    /// How long to wait before the next attempt; nothing if there is none
    fn wait_after(&self, outcome: Outcome, attempt: u32, repeatable: bool) -> Option<Duration> {
        let random = self.random.borrow_mut().draw();
        match outcome {
            Outcome::Answered { status: 429, .. } => {
                // The others are held back also when this call is given up.
                let Verdict::Throttled(wait) = judge(outcome, attempt, random) else { return None };
                self.proxy.queue.refused(self.host.now(), wait);
                (attempt < MOST_ATTEMPTS).then_some(wait)
            }
            Outcome::Answered { status: 500 | 502..=504, .. } | Outcome::Unreachable => {
                let asked = match outcome {
                    Outcome::Answered { retry_after, .. } => retry_after,
                    Outcome::Unreachable => None,
                };
                let base = 250 * u64::from(attempt);
                let wait = asked.unwrap_or(Duration::from_millis(base + random % (base / 2)));
                (attempt < MOST_ATTEMPTS && repeatable).then_some(wait)
            }
            Outcome::Answered { .. } => None,
        }
    }

    fn read_success(&self, method: Method, path: &str, response: &Response, attempt: u32) -> Result<Value, Failure> {
        if attempt > 1 {
            self.log(
                Level::Info,
                "twenty_proxy_success",
                &[("method", method.as_str().into()), ("object", object_of(path).into()), ("attempt", attempt.into())],
            );
        }
        if response.body.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&response.body).map_err(|_| {
            self.log(
                Level::Error,
                "twenty_proxy_parse_error",
                &[
                    ("method", method.as_str().into()),
                    ("object", object_of(path).into()),
                    ("status", response.status.into()),
                ],
            );
            Failure::malformed_as("unexpected Twenty response (not JSON)")
        })
    }

    fn log_failure(&self, method: Method, path: &str, attempt: u32, failure: &Failure) {
        let event = match failure.reason() {
            Reason::Unreachable | Reason::TimedOut => "twenty_proxy_network_error",
            _ if attempt >= MOST_ATTEMPTS => "twenty_proxy_exhausted_retries",
            _ => "twenty_proxy_http_error",
        };
        self.log(
            Level::Error,
            event,
            &[
                ("method", method.as_str().into()),
                ("object", object_of(path).into()),
                ("attempt", attempt.into()),
                ("maxAttempts", MOST_ATTEMPTS.into()),
                ("status", failure.upstream_status().into()),
                ("code", failure.code().into()),
            ],
        );
    }
}

/// The caller's own id for the request, if it can stand in a header and in a log line
fn request_id(inbound: &Inbound) -> Option<String> {
    let given = inbound.header("x-request-id")?.trim();
    let fits = (1..=128).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| given.to_owned())
}

/// The first segment of a path: which records a call is about
fn object_of(path: &str) -> &str {
    let mut segments = path.split(['/', '?']).filter(|segment| !segment.is_empty() && *segment != "batch");
    segments.next().unwrap_or_default()
}

/// A POST that only asks
fn is_question(path: &str) -> bool {
    split_at_byte(path, b'?').0.ends_with("/duplicates")
}

/// Whether a second execution does nothing that the first has not done
fn is_repeatable(method: Method, path: &str, body: Option<&Value>) -> bool {
    method != Method::Post || is_question(path) || body.is_some_and(|body| body.get("id").is_some_and(Value::is_string))
}
