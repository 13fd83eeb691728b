//! A [`Host`] whose other end is a sandbox in the same process.
//!
//! Time is tokio's, so that a test with a paused clock passes an hour of throttling in milliseconds. Several hosts can
//! share one sandbox: an engine beside another caller.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use jiff::tz::TimeZone;
use ports::{
    Clock, Event, FetchError, Form, Http, KeyValue, Log, Request, Response, TimeZones, Timestamp, UnicodeForms,
    Wakeups, async_trait,
};
use serde_json::Value;
use tokio::sync::Notify;
use unicode_normalization::UnicodeNormalization as _;

use crate::faults::{Fault, Faults, refusal, shortened};
use crate::state::Sandbox;

/// What the platform keeps and starts for its functions; clones share it
#[derive(Clone, Debug, Default)]
pub struct Platform {
    /// Keys and values; nothing where there is no store
    store: Option<Rc<RefCell<BTreeMap<String, String>>>>,
    /// Runs that are to be started, in the order in which they were asked for; nothing where none can be
    jobs: Option<Rc<RefCell<Vec<Job>>>>,
}

/// A run that is to be started
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its payload
    pub payload: Value,
    /// Not before
    pub due: Timestamp,
}

impl Platform {
    /// One that keeps texts
    #[must_use]
    pub fn with_store(mut self) -> Self {
        self.store = Some(Rc::default());
        self
    }

    /// One that starts runs
    #[must_use]
    pub fn with_jobs(mut self) -> Self {
        self.jobs = Some(Rc::default());
        self
    }

    /// What is kept under a key
    #[must_use]
    pub fn kept(&self, key: &str) -> Option<String> {
        self.store.as_ref()?.borrow().get(key).cloned()
    }

    /// Keeps a text, or forgets it; false where there is no store.
    #[must_use]
    pub fn keep(&self, key: &str, value: Option<&str>) -> bool {
        let Some(store) = &self.store else { return false };
        let mut store = store.borrow_mut();
        match value {
            Some(value) => store.insert(key.to_owned(), value.to_owned()),
            None => store.remove(key),
        };
        true
    }

    /// Takes the runs that are to be started.
    #[must_use]
    pub fn take_jobs(&self) -> Vec<Job> {
        self.jobs.as_ref().map(|jobs| jobs.take()).unwrap_or_default()
    }
}

/// A host in front of a sandbox
#[derive(Debug)]
pub struct SandboxHost {
    sandbox: Rc<RefCell<Sandbox>>,
    faults: Faults,
    rng: RefCell<fastrand::Rng>,
    requests: Cell<u64>,
    graphql_calls: Cell<u64>,
    crashed: Cell<bool>,
    crash: Notify,
    base: Timestamp,
    start: tokio::time::Instant,
    log: RefCell<Vec<Event>>,
    platform: Platform,
}

impl SandboxHost {
    /// A host whose clock shows `base` now, and goes on with tokio's
    #[must_use]
    pub fn new(sandbox: Rc<RefCell<Sandbox>>, faults: Faults, base: Timestamp) -> Self {
        let rng = RefCell::new(fastrand::Rng::with_seed(faults.seed));
        Self {
            sandbox,
            faults,
            rng,
            requests: Cell::new(0),
            graphql_calls: Cell::new(0),
            crashed: Cell::new(false),
            crash: Notify::new(),
            base,
            start: tokio::time::Instant::now(),
            log: RefCell::new(Vec::new()),
            platform: Platform::default(),
        }
    }

    /// The same, on a platform that keeps and starts what that one does
    #[must_use]
    pub fn on(mut self, platform: &Platform) -> Self {
        self.platform = platform.clone();
        self
    }

    /// A further host on the same sandbox and the same clock
    #[must_use]
    pub fn beside(&self, faults: Faults) -> Self {
        Self {
            start: self.start,
            platform: self.platform.clone(),
            ..Self::new(self.sandbox.clone(), faults, self.base)
        }
    }

    /// The sandbox
    #[must_use]
    pub fn sandbox(&self) -> &Rc<RefCell<Sandbox>> {
        &self.sandbox
    }

    /// Number of requests that came through this host
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Number of them that were for GraphQL
    #[must_use]
    pub fn graphql_calls(&self) -> u64 {
        self.graphql_calls.get()
    }

    /// Whether the caller's death came
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.crashed.get()
    }

    /// Log lines so far
    #[must_use]
    pub fn log_lines(&self) -> Vec<Event> {
        self.log.borrow().clone()
    }

    /// Runs a future until it ends or the caller dies; nothing if it died. The future is dropped either way.
    pub async fn until_crash<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            result = pin!(run) => Some(result),
            () = self.crash.notified() => None,
        }
    }

    fn act(&self, request: &Request) -> Response {
        self.sandbox.borrow_mut().handle(request, self.now())
    }

    async fn wait_in_transit(&self) {
        let Some(latency) = self.faults.latency else { return };
        let share = self.rng.borrow_mut().f64();
        let whole = latency.min + latency.max.saturating_sub(latency.min).mul_f64(share);
        tokio::time::sleep(whole / 2).await;
    }

    fn refusal(&self, status: u16, request: &Request) -> Response {
        refusal(status, request, self.sandbox.borrow().settings().profile)
    }

    fn fault(&self, number: u64) -> Option<Fault> {
        let by_chance = || {
            let mut rng = self.rng.borrow_mut();
            self.faults.chance.iter().find(|(per_mille, _)| rng.u16(..1_000) < *per_mille).map(|(_, fault)| *fault)
        };
        self.faults.at.get(&number).copied().or_else(by_chance)
    }

    /// Counts a call of GraphQL, and says whether there is none any more.
    fn graphql_ended(&self, request: &Request) -> bool {
        if !request.url.ends_with("/graphql") {
            return false;
        }
        self.graphql_calls.set(self.graphql_calls.get() + 1);
        self.faults.graphql_ends.is_some_and(|ends| self.graphql_calls.get() >= ends)
    }

    async fn exchange(&self, number: u64, request: Request) -> Result<Response, FetchError> {
        let fault = self.fault(number);
        let ended = self.graphql_ended(&request);
        self.wait_in_transit().await;
        let response = match fault {
            None if ended => self.refusal(404, &request),
            None => self.act(&request),
            Some(Fault::Status(status)) => self.refusal(status, &request),
            Some(Fault::Unreachable) => return Err(unreachable("connection refused")),
            Some(Fault::LostReply) => {
                self.act(&request);
                self.wait_in_transit().await;
                return Err(unreachable("connection closed before the answer was complete"));
            }
            Some(Fault::LargeReply) => {
                self.act(&request);
                self.wait_in_transit().await;
                return Err(FetchError::TooLarge { max_bytes: ports::DEFAULT_MAX_RESPONSE_BYTES });
            }
            Some(Fault::HalfBatch(rows)) => {
                let response = self.refusal(500, &request);
                self.act(&shortened(request, rows));
                response
            }
        };
        self.wait_in_transit().await;
        Ok(response)
    }
}

#[async_trait(?Send)]
impl Http for SandboxHost {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        if let Some(crash) = self.faults.crash.filter(|crash| number >= crash.at) {
            if crash.acted && number == crash.at {
                self.act(&request);
            }
            self.crashed.set(true);
            self.crash.notify_one();
            return std::future::pending().await;
        }
        let timeout = request.timeout;
        match tokio::time::timeout(timeout, self.exchange(number, request)).await {
            Ok(result) => result,
            Err(_) => Err(unreachable("timed out")),
        }
    }
}

#[async_trait(?Send)]
impl Clock for SandboxHost {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        self.base + self.start.elapsed()
    }
}

impl Log for SandboxHost {
    fn log(&self, event: Event) {
        self.log.borrow_mut().push(event);
    }
}

impl TimeZones for SandboxHost {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        let zone = TimeZone::get(zone).ok()?;
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(zone.to_offset(at).seconds())
    }
}

impl UnicodeForms for SandboxHost {
    fn normalized(&self, text: &str, form: Form) -> String {
        match form {
            Form::Composed => text.nfc().collect(),
            Form::Decomposed => text.nfd().collect(),
        }
    }
}

#[async_trait(?Send)]
impl KeyValue for SandboxHost {
    async fn get(&self, key: &str) -> Option<String> {
        self.platform.kept(key)
    }

    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        self.platform.keep(key, value)
    }
}

#[async_trait(?Send)]
impl Wakeups for SandboxHost {
    async fn enqueue(&self, payload: &Value, delay: Duration) -> bool {
        let Some(jobs) = &self.platform.jobs else { return false };
        jobs.borrow_mut().push(Job { payload: payload.clone(), due: self.now() + delay });
        true
    }
}

fn unreachable(reason: &str) -> FetchError {
    FetchError::Unreachable { reason: reason.to_owned() }
}
