//! Calls to Twenty and to `GoCardless`.
//!
//! Every call waits for the rate limiter, has a time-out, and is repeated only where a repetition cannot do harm: a call that was
//! refused for the rate limit did nothing, and one that ended in an error or in silence may have done everything. Log
//! lines name the object that was called, never the query (it may hold an e-mail address), a token or a body.

use std::rc::Rc;
use std::time::Duration;

use ports::time::whole_millis;
use ports::{FetchError, Level, Method, Request, Response, ServiceHost, Timestamp};
use serde_json::Value;
use twenty::answer;
use twenty::exchange::{Attempt, Call, Exchanged, Terms, exchange};
use twenty::filter::encode;
use twenty::retry::{Outcome, RetryPolicy, SeededRandom, retry_after};
use twenty::target::Target;

use crate::cache::Mark;
use crate::callers::{Proof, TokenStatus};
use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::http::{Inbound, split_at_byte};
use crate::request::{Body, Field, Response as Answered};
use fundraising::characters::legible;
use fundraising::client_error::{ClientError, Status};
use fundraising::provider::gocardless::Resource;
use twenty::rate_limiter::{POLL_INTERVAL, Permit};

/// Attempts at one call
const MAX_ATTEMPTS: u32 = 3;
/// Longest time that one attempt may take
const TIMEOUT: Duration = Duration::from_secs(20);
/// A call with less time than this left is not worth starting
const MIN_TIME_LEFT: Duration = Duration::from_millis(50);
/// Longest time past the deadline for calls that leave in order what was begun: a refusal for the rate limit is over by
/// then, and payment providers have not given up yet
const CLOSING_TIME: Duration = Duration::from_secs(11);

/// Where the workspace's objects and fields are read, which Twenty does not count
const METADATA: &str = "metadata";

/// Version of `GoCardless`'s API whose answers are understood
const GOCARDLESS_VERSION: &str = "2015-07-06";
/// Longest time that one read from it may take
const GOCARDLESS_TIMEOUT: Duration = Duration::from_secs(5);

impl RequestContext<'_> {
    /// Calls Twenty; the target has the names of the model
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call(&self, target: Target, body: Option<Value>) -> Result<Value, Error> {
        // On the heap once, in place of a part of each handler's future.
        Box::pin(call(self, &target, body.as_ref())).await
    }

    /// Reads from Twenty, or from memory if the same token asked the same a moment ago; not for decisions
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&self, target: Target) -> Result<Value, Error> {
        Box::pin(read(self, &target)).await
    }

    /// Reads from Twenty, or from memory, what is passed on as it is once it is seen to have the field
    ///
    /// # Errors
    /// See [`Error`]; an answer without the field is one.
    pub async fn pass(&self, target: Target, field: Option<Field>) -> Result<Answered, Error> {
        Box::pin(pass(self, &target, field)).await
    }

    /// Reads a resource of `GoCardless`; null without a token, or if the token or the id is refused
    ///
    /// # Errors
    /// Whatever may be otherwise later.
    pub(crate) async fn read_gocardless(&self, resource: Resource) -> Result<Value, Error> {
        gocardless(self, &resource).await
    }
}

/// Calls Twenty; the target has the names of the model
///
/// # Errors
/// See [`Error`].
async fn call(cx: &RequestContext<'_>, target: &Target, body: Option<&Value>) -> Result<Value, Error> {
    let text = answer_text(cx, target, body).await?;
    let answer = declared(cx, target, &text)?;
    count_staged_gifts(cx, target, &answer);
    Ok(answer)
}

/// Reads from Twenty, or from memory if the same token asked the same a moment ago; not for decisions
///
/// # Errors
/// See [`Error`].
async fn read(cx: &RequestContext<'_>, target: &Target) -> Result<Value, Error> {
    let found = read_text(cx, target).await?;
    let answer = declared(cx, target, &found.text)?;
    if found.is_fresh() {
        count_staged_gifts(cx, target, &answer);
    }
    found.keep(cx, target);
    Ok(answer)
}

/// Reads as [`read`] does what is passed on as it is; it is checked, and not built anew, unless the workspace has names of
/// its own
///
/// # Errors
/// See [`Error`]; an answer without the field is one.
async fn pass(cx: &RequestContext<'_>, target: &Target, field: Option<Field>) -> Result<Answered, Error> {
    if cx.state.model().is_renamed() {
        let answer = read(cx, target).await?;
        return match field {
            Some(field) if !field.is_in(&answer) => Err(field.missing()),
            _ => Ok(Answered::json(200, answer)),
        };
    }
    let found = read_text(cx, target).await?;
    let is_as_expected = match field {
        Some(field) => field.is_in_text(&found.text),
        None => answer::is_json(&found.text),
    };
    if is_as_expected {
        found.keep(cx, target);
        return Ok(Answered { status: 200, body: Body::Passed(found.text) });
    }
    // An answer that is no JSON is another failure than one without the field.
    let answer = parsed(cx, target, &found.text)?;
    found.keep(cx, target);
    match field {
        Some(field) => Err(field.missing()),
        None => Ok(Answered::json(200, answer)),
    }
}

/// The text of an answer to a read
struct Found {
    text: Rc<Vec<u8>>,
    /// When the read began, among the writes; nothing if the text is from memory
    mark: Option<Mark>,
}

impl Found {
    /// Whether it is Twenty's, and not from memory
    fn is_fresh(&self) -> bool {
        self.mark.is_some()
    }

    /// Keeps it for the same read of the same token: once it is seen to be JSON, so that what cannot be read is asked again.
    fn keep(&self, cx: &RequestContext<'_>, target: &Target) {
        if let Some(mark) = self.mark {
            cx.state.cache.keep(mark, cx.caller, target.path(), &self.text, cx.now(), cache_time(cx));
        }
    }
}

/// How long a read may be answered from memory
fn cache_time(cx: &RequestContext<'_>) -> Duration {
    Duration::from_secs(cx.state.settings.cache_seconds.into())
}

/// The text of an answer, from memory if the same token asked the same a moment ago
async fn read_text(cx: &RequestContext<'_>, target: &Target) -> Result<Found, Error> {
    let cache = &cx.state.cache;
    let mark = cache.mark();
    if let Some(caller) = cx.caller
        && let TokenStatus::Refused(failure) = cx.state.callers.status(caller, cx.now())
    {
        return Err(failure);
    }
    if !cache_time(cx).is_zero()
        && let Some(text) = cache.find(cx.caller, target.path(), cx.now())
    {
        return Ok(Found { text, mark: None });
    }
    Ok(Found { text: Rc::new(answer_text(cx, target, None).await?), mark: Some(mark) })
}

/// What the text of an answer says, in the names of the model
fn declared(cx: &RequestContext<'_>, target: &Target, text: &[u8]) -> Result<Value, Error> {
    Ok(cx.state.model().declared_reply(target.path(), parsed(cx, target, text)?))
}

/// Counts the rows of staging in an answer, for the metrics
fn count_staged_gifts(cx: &RequestContext<'_>, target: &Target, answer: &Value) {
    if object_of(target.path()) == "giftStagings" {
        cx.state.metrics.count_staged_gifts(answer);
    }
}

/// Calls Twenty, as often as makes sense, for the text of its answer
async fn answer_text(cx: &RequestContext<'_>, target: &Target, body: Option<&Value>) -> Result<Vec<u8>, Error> {
    let is_closing = cx.is_closing();
    let Some(token) = cx.token.as_deref().or(cx.state.settings.api_key.as_deref()) else {
        return Err(ClientError::new(Status::ServiceUnavailable, "TWENTY_API_KEY not configured").into());
    };
    let call = UpstreamCall { cx, host: cx.host, target, body, token, is_closing, last_failure: None };
    if !target.writes() {
        return call.send().await;
    }
    cx.state.cache.wrote();
    let answer = call.send().await;
    cx.state.cache.wrote();
    answer
}

/// What the text of an answer says; null if there is none
fn parsed(cx: &RequestContext<'_>, target: &Target, text: &[u8]) -> Result<Value, Error> {
    if text.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(text).map_err(|_| {
        let fields = [("method", target.method().as_str().into()), ("object", object_of(target.path()).into())];
        cx.log(Level::Error, "response_unreadable", &fields);
        Error::malformed_as("unexpected Twenty response (not JSON)")
    })
}

/// How calls are repeated while a caller waits
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    max_attempts: MAX_ATTEMPTS,
    first_wait: Duration::from_millis(250),
    is_transient: |status| matches!(status, 500 | 502..=504),
};

/// One call
struct UpstreamCall<'a> {
    cx: &'a RequestContext<'a>,
    host: &'a dyn ServiceHost,
    target: &'a Target,
    body: Option<&'a Value>,
    token: &'a str,
    /// Whether it leaves in order what was begun
    is_closing: bool,
    /// What went wrong in the latest attempt
    last_failure: Option<Error>,
}

/// The right to make one attempt, held while it lasts
struct Pass<'a> {
    _permit: Permit<'a>,
    /// Of the caller's token, where this attempt proves it
    proof: Option<Proof<'a>>,
}

impl Call for UpstreamCall<'_> {
    type Received = Result<Response, Error>;
    type NotSent = Error;

    async fn attempt(&mut self, number: u32) -> Result<Attempt<Self::Received>, Error> {
        let (cx, host) = (self.cx, self.host);
        // What went wrong before says more than that there is no time for another attempt.
        let pass = self.pass().await.map_err(|stopped| self.last_failure.take().unwrap_or(stopped))?;
        let began = host.now();
        let timeout = TIMEOUT.min(self.deadline().since(began)).max(MIN_TIME_LEFT);
        let result = host.fetch(self.request(timeout)).await;
        let took = host.now().since(began);
        if let Ok(response) = &result {
            self.note_token_status(response);
        }
        let is_budgeted = pass.proof.is_none();
        drop(pass);

        let status = result.as_ref().map_or(0, |response| response.status);
        cx.state.metrics.count_call(self.target.method().as_str(), self.object(), status);
        let more = [("status", status.into()), ("durationMs", whole_millis(took).into())];
        self.log(Level::Debug, "request_attempted", number, &more);
        let outcome = Outcome::of(&result);
        let received = match result {
            Ok(response) if response.status < 400 => Ok(response),
            Ok(response) => {
                let asked = retry_after(response.header("retry-after"));
                Err(Error::from_answer(response.status, &response.body, asked))
            }
            Err(error @ FetchError::TooLarge { .. }) => Err(too_large("Twenty", &error)),
            Err(_) if took >= timeout => Err(ErrorKind::TimedOut.into()),
            Err(FetchError::Unreachable { reason }) => Err(ErrorKind::Unreachable { reason }.into()),
        };
        self.last_failure = received.as_ref().err().cloned();
        Ok(Attempt { outcome, received, is_budgeted })
    }

    fn repeats_throttled(&mut self, attempt: u32) -> bool {
        attempt < MAX_ATTEMPTS || self.is_closing
    }

    fn log_repetition(&self, number: u32, attempt: &Attempt<Self::Received>, wait: Duration) {
        let Err(failure) = &attempt.received else { return };
        let mut more = vec![("status", failure.upstream_status().into()), ("delayMs", whole_millis(wait).into())];
        more.extend(failure.cause().map(|reason| ("reason", reason.into())));
        self.log(Level::Warn, "request_retried", number, &more);
    }
}

impl<'a> UpstreamCall<'a> {
    fn object(&self) -> &'a str {
        object_of(self.target.path())
    }

    /// When its last attempt must have ended
    fn deadline(&self) -> Timestamp {
        self.cx.deadline + if self.is_closing { CLOSING_TIME } else { Duration::ZERO }
    }

    /// Sends it, as often as makes sense, for the text of its answer
    async fn send(mut self) -> Result<Vec<u8>, Error> {
        let cx = self.cx;
        // Half of the bits are enough to spread waiting times.
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is as random as the upper one")]
        let seed = cx.entropy as u64 ^ whole_millis(cx.now().since(Timestamp::from_millis(0)));
        let max_attempts = if is_repeatable(self.target, self.body) { MAX_ATTEMPTS } else { 1 };
        let terms = Terms {
            policy: RetryPolicy { max_attempts, ..RETRY_POLICY },
            cost: 1,
            limiter: &cx.state.limiter,
            clock: self.host,
            deadline: Some(self.deadline() - MIN_TIME_LEFT),
            random: &SeededRandom::new(seed),
        };
        let Exchanged { received, attempts, .. } = exchange(&mut self, terms).await?;
        match received {
            Ok(response) if response.status < 300 => {
                if attempts > 1 {
                    self.log(Level::Info, "request_recovered", attempts, &[]);
                }
                Ok(response.body)
            }
            Ok(response) => {
                self.log(Level::Error, "request_refused", attempts, &[("status", response.status.into())]);
                Err(Error::malformed_as("unexpected Twenty response (a redirect)"))
            }
            Err(failure) => {
                let event = match failure.kind() {
                    ErrorKind::Unreachable { .. } | ErrorKind::TimedOut => "request_unanswered",
                    _ if attempts >= MAX_ATTEMPTS => "retries_exhausted",
                    _ => "request_refused",
                };
                let mut more = vec![("status", failure.upstream_status().into()), ("code", failure.code().into())];
                more.extend(failure.cause().map(|reason| ("reason", reason.into())));
                // What is there already is found by its id: a repeat is no fault.
                let level = if failure.is_duplicate() { Level::Info } else { Level::Error };
                self.log(level, event, attempts, &more);
                Err(failure)
            }
        }
    }

    /// Waits for the right to make an attempt: a proven caller's comes with the request's turn, an unproven token's from
    /// the allowance of all of them.
    async fn pass(&self) -> Result<Pass<'a>, Error> {
        let (cx, host) = (self.cx, self.host);
        let deadline = self.deadline() - MIN_TIME_LEFT;
        let settings = &cx.state.settings;
        while let (Some(token), Some(_)) = (cx.caller, settings.requests_per_minute) {
            let now = host.now();
            match cx.state.callers.status(token, now) {
                TokenStatus::Proven => break,
                TokenStatus::Refused(failure) => return Err(failure),
                TokenStatus::BeingProven if now + POLL_INTERVAL > deadline => {
                    return Err(ErrorKind::NoPermit { retry_after: Duration::from_secs(1) }.into());
                }
                TokenStatus::BeingProven => host.sleep(POLL_INTERVAL).await,
                TokenStatus::Unproven => {
                    let proof = cx.state.callers.begin_proof(token, now, deadline + TIMEOUT);
                    let per_minute = settings.unproven_requests_per_minute;
                    let permit = cx.state.limiter.acquire_unproven(host, per_minute, deadline, TIMEOUT).await;
                    let pass = Pass { _permit: permit?, proof: Some(proof) };
                    cx.place.count_call();
                    return Ok(pass);
                }
            }
        }
        let permit = if self.object() == METADATA {
            cx.place.acquire_first(host, 0, deadline, TIMEOUT).await
        } else if self.is_closing {
            cx.place.acquire_first(host, 1, deadline, TIMEOUT).await
        } else {
            cx.place.acquire(host, 1, deadline, TIMEOUT).await
        };
        Ok(Pass { _permit: permit?, proof: None })
    }

    /// Notes what an answer says of the caller's token: Twenty refuses one with 401, and with 403 where records are asked
    /// for; any other answer is one to a token that it accepts.
    fn note_token_status(&self, response: &Response) {
        let guards = self.cx.state.settings.requests_per_minute.is_some();
        let Some(token) = self.cx.caller.filter(|_| guards && !(300..400).contains(&response.status)) else {
            return;
        };
        let (callers, now) = (&self.cx.state.callers, self.host.now());
        if response.status == 401 || (response.status == 403 && self.object() != METADATA) {
            callers.refused(token, Error::from_answer(response.status, &response.body, None), now);
        } else {
            callers.accepted(token, now);
        }
    }

    fn request(&self, timeout: Duration) -> Request {
        let (cx, path) = (self.cx, self.target.path());
        let model = cx.state.model();
        let mut headers = bearer(self.token);
        headers.push(("x-request-id".to_owned(), cx.request_id.clone()));
        if self.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let own_path = if model.is_renamed() { renamed(cx, path) } else { path.to_owned() };
        Request {
            method: self.target.method(),
            url: format!("{}{own_path}", cx.state.settings.base_url),
            headers,
            body: self.body.map(|body| serde_json::to_vec(&model.workspace_body(path, body)).unwrap_or_default()),
            timeout,
        }
    }

    fn log(&self, level: Level, event: &'static str, attempt: u32, more: &[(&'static str, Value)]) {
        let mut fields = vec![
            ("method", self.target.method().as_str().into()),
            ("object", self.object().into()),
            ("attempt", attempt.into()),
            ("maxAttempts", MAX_ATTEMPTS.into()),
        ];
        fields.extend_from_slice(more);
        self.cx.log(level, event, &fields);
    }
}

/// An answer that is not read to its end; what was asked may be done
fn too_large(whose: &str, error: &FetchError) -> Error {
    Error::malformed_as(&format!("unexpected {whose} response: {error} (FUNDRAISING_MAX_RESPONSE_BYTES)"))
}

fn bearer(token: &str) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), format!("Bearer {token}")), ("accept".to_owned(), "application/json".to_owned())]
}

/// The path in the workspace's own names
fn renamed(cx: &RequestContext<'_>, path: &str) -> String {
    let model = cx.state.model();
    let (route, query) = split_at_byte(path, b'?');
    let mut renamed = model.workspace_path(route);
    let inbound = Inbound { target: format!("?{query}"), ..Inbound::default() };
    for (index, (name, value)) in inbound.query().into_iter().enumerate() {
        let names_fields = name == "filter" || name == "order_by";
        let value = if names_fields { model.workspace_expression(route, &value) } else { value };
        renamed.push(if index == 0 { '?' } else { '&' });
        renamed.push_str(&name);
        renamed.push('=');
        renamed.push_str(&encode(&value));
    }
    renamed
}

/// Reads a resource of `GoCardless`; null without a token, or if the token or the id is refused
///
/// # Errors
/// Whatever may be otherwise later.
async fn gocardless(cx: &RequestContext<'_>, resource: &Resource) -> Result<Value, Error> {
    let host = cx.host;
    let Some(token) = &cx.state.settings.gocardless_token else { return Ok(Value::Null) };
    let left = cx.deadline.since(host.now());
    if left < MIN_TIME_LEFT {
        return Err(ErrorKind::TimedOut.into());
    }
    let mut headers = bearer(token);
    headers.push(("gocardless-version".into(), GOCARDLESS_VERSION.into()));
    let request = Request {
        method: Method::Get,
        url: format!("{}{}", cx.state.settings.gocardless_url, resource.path()),
        headers,
        body: None,
        timeout: GOCARDLESS_TIMEOUT.min(left),
    };
    let answer = host.fetch(request).await.map_err(|error| {
        let fields = [("list", resource.list().into()), ("reason", error.to_string().into())];
        host.log(cx.line(Level::Warn, "gocardless_read_failed", &fields));
        match error {
            FetchError::TooLarge { .. } => too_large("GoCardless", &error),
            FetchError::Unreachable { reason } => ErrorKind::Unreachable { reason }.into(),
        }
    })?;
    match answer.status {
        200..=299 => serde_json::from_slice(&legible(&answer.body))
            .map_err(|_| Error::malformed_as("unexpected GoCardless response (not JSON)")),
        // Asking again would not help: what the event says without it is kept.
        400 | 401 | 403 | 404 | 410 | 422 => {
            let fields = [("list", resource.list().into()), ("status", answer.status.into())];
            host.log(cx.line(Level::Warn, "gocardless_read_refused", &fields));
            Ok(Value::Null)
        }
        _ => Err(Error::busy(Duration::from_secs(10))),
    }
}

/// The first segment of a path: which records a call is about
pub(crate) fn object_of(path: &str) -> &str {
    let mut segments = path.split(['/', '?']).filter(|segment| !segment.is_empty() && *segment != "batch");
    segments.next().unwrap_or_default()
}

/// Whether a second execution does nothing that the first has not done
fn is_repeatable(target: &Target, body: Option<&Value>) -> bool {
    let has_own_id = body.is_some_and(|body| body.get("id").is_some_and(Value::is_string));
    target.method() != Method::Post || !target.writes() || has_own_id
}
