//! How urgent a call is, how callers wait for their turn, and how long.

use std::time::Duration;

/// How often a polling request looks whether its turn has come
pub const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// A polling request that was not seen for so long is gone
pub(super) const WAITER_TTL: Duration = Duration::from_secs(5);
/// The span over which calls of unproven tokens are counted
pub(super) const UNPROVEN_WINDOW: Duration = Duration::from_mins(1);
/// Most calls of unproven tokens under way at a time
pub(super) const MAX_UNPROVEN_UNDER_WAY: usize = 2;

/// How urgent a call is; the smaller goes first
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A person waits for the answer
    Person,
    /// A payment provider waits, and would come again
    Webhook,
    /// No caller waits
    Job,
}

/// How callers wait for their turn
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Each is woken by the one before it
    Woken,
    /// Each looks again by a timer of its own
    Polled,
}

/// The turn would come only after the caller has gone
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are ahead; try again in {retry_after:?}")]
pub struct TooLate {
    /// When it makes sense to come again
    pub retry_after: Duration,
}

impl TooLate {
    pub(super) fn new(retry_after: Duration) -> Self {
        Self { retry_after: retry_after.max(Duration::from_secs(1)) }
    }
}
