//! What a process keeps between requests.

use std::cell::{Cell, RefCell};

use model::Model;
use ports::{Clock, Timestamp};
use twenty::RecordId;
use twenty::rate_limiter::{POLL_INTERVAL, RateLimit, RateLimiter, Waiting};

use crate::cache::Cache;
use crate::callers::Callers;
use crate::live_people::LivePeople;
use crate::metrics::Metrics;
use crate::processed_events::ProcessedEvents;
use crate::request::Response;
use crate::settings::Settings;

/// Most tokens of the budget that are kept for webhooks: those of one whole payment
const MAX_WEBHOOK_SHARE: u32 = 8;

/// What a process keeps between requests
#[derive(Debug)]
pub struct AppState {
    /// How it is set up
    pub settings: Settings,
    /// What is learned of the workspace's rows
    pub workspace: WorkspaceMemory,
    /// Which calls go to Twenty, and when
    pub limiter: RateLimiter,
    /// Whose tokens Twenty accepts
    pub callers: Callers,
    /// Answers to reads
    pub cache: Cache,
    /// Who was seen live a moment ago
    pub(crate) live_people: LivePeople,
    /// What is counted
    pub metrics: Metrics,
    /// Events of payment providers that were carried out
    pub(crate) processed_events: ProcessedEvents,
    /// What was last found of the workspace's model
    pub(crate) readiness: ReadinessMemory,
}

impl AppState {
    /// A fresh one
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let limit = RateLimit { webhook_share: MAX_WEBHOOK_SHARE, ..RateLimit::default() };
        let limit = match settings.requests_per_minute {
            Some(rate) => RateLimit { requests_per_minute: Some(rate), burst: rate, concurrency: 8, ..limit },
            None => RateLimit { requests_per_minute: None, burst: u32::MAX, concurrency: u32::MAX, ..limit },
        };
        Self {
            settings,
            workspace: WorkspaceMemory::default(),
            // Some runtimes drop a request silently, others forbid one to run another's code.
            limiter: RateLimiter::new(limit, Waiting::Polled),
            callers: Callers::default(),
            cache: Cache::default(),
            live_people: LivePeople::default(),
            metrics: Metrics::default(),
            processed_events: ProcessedEvents::default(),
            readiness: ReadinessMemory::default(),
        }
    }

    /// The model in the workspace's own names
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.settings.model
    }
}

/// What a process learns of a workspace's rows, so that it asks once
#[derive(Debug, Default)]
pub struct WorkspaceMemory {
    /// Whether rows keep an audit trail: seen on any row that came back
    pub(crate) has_trail: Cell<bool>,
    /// Whether the workspace has rows, if that was asked
    pub(crate) has_rows: Cell<Option<bool>>,
    /// Rows that a worker of this process has left in `processing`, since Twenty refused the call that puts them back
    given_up: RefCell<Vec<RecordId>>,
}

/// Most such rows that are remembered; the claims of others expire
const MAX_GIVEN_UP: usize = 1_000;

impl WorkspaceMemory {
    /// The rows that no worker of this process is at, although they are claimed
    pub(crate) fn given_up(&self) -> Vec<RecordId> {
        self.given_up.borrow().clone()
    }

    /// Whether no worker of this process is at a row, although it is claimed
    pub(crate) fn is_given_up(&self, row: RecordId) -> bool {
        self.given_up.borrow().contains(&row)
    }

    /// Notes that a worker has left a row.
    pub(crate) fn gave_up(&self, row: RecordId) {
        let mut given_up = self.given_up.borrow_mut();
        if given_up.len() < MAX_GIVEN_UP && !given_up.contains(&row) {
            given_up.push(row);
        }
    }

    /// Notes that a row was taken up again.
    pub(crate) fn took_up(&self, row: RecordId) {
        self.given_up.borrow_mut().retain(|other| *other != row);
    }
}

/// What is remembered between checks of the data model
#[derive(Debug, Default)]
pub struct ReadinessMemory {
    /// The last answer, and until when it holds
    pub(crate) last: RefCell<Option<(Timestamp, Response)>>,
    /// When the request that checks must have ended: the route is open, and a crowd of callers costs one check
    pub(crate) checking: Cell<Option<Timestamp>>,
}

impl ReadinessMemory {
    /// Waits while another request checks: its answer serves this one too.
    pub(crate) async fn until_checked(&self, clock: &dyn Clock) {
        while self.checking.get().is_some_and(|until| clock.now() < until) {
            clock.sleep(POLL_INTERVAL).await;
        }
    }
}
