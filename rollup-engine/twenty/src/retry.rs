//! Whether a failed call is worth repeating, and after how long.
//!
//! A pure rule over what came back. The caller holds the count of attempts, the clock and the deadline.

use std::cell::Cell;
use std::time::Duration;

use crate::decimal::Decimal;
use ports::time::whole_millis;
use ports::{FetchError, Response};

/// Longest wait that a `Retry-After` is honoured for; a longer one is cut to this and tried again
const MAX_WAIT: Duration = Duration::from_mins(2);

/// Which failures are worth another attempt; refusals for the rate limit always are
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts at a call that fails for another reason than the rate limit; 1 for one that must not be carried out twice
    pub max_attempts: u32,
    /// Wait after the first failure; it doubles with each further one
    pub first_wait: Duration,
    /// Whether an answer with this status may be followed by a better one
    pub is_transient: fn(u16) -> bool,
}

/// What came back from one attempt
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status; its `Retry-After`, if it had one
    Answered {
        /// HTTP status; 429 also stands for a refusal that GraphQL puts into a 200
        status: u16,
        /// What the server asks to wait
        retry_after: Option<Duration>,
    },
    /// A success whose body is not what was asked for: cut short, empty, or of another shape
    Unreadable,
    /// No complete answer
    Unreachable,
    /// An answer larger than the host reads: the same call would bring the same
    TooLarge,
}

impl Outcome {
    /// What came back, judged by its status alone
    #[must_use]
    pub fn of(result: &Result<Response, FetchError>) -> Self {
        match result {
            Ok(response) => {
                Self::Answered { status: response.status, retry_after: retry_after(response.header("retry-after")) }
            }
            Err(FetchError::Unreachable { .. }) => Self::Unreachable,
            Err(FetchError::TooLarge { .. }) => Self::TooLarge,
        }
    }
}

/// What to do about it
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take the answer as it is, good or bad
    Accept,
    /// The rate limit was reached: wait, all callers, and send it again
    Throttled(Duration),
    /// Wait and send it again
    Retry(Duration),
}

impl RetryPolicy {
    /// For work that no person waits for
    pub const JOB: Self = Self {
        max_attempts: 4,
        first_wait: Duration::from_secs(1),
        is_transient: |status| matches!(status, 408 | 500..=599),
    };

    /// Judges the outcome of the attempt with this number (the first is 1).
    ///
    /// Refusals for the rate limit are repeated without end: the caller and its deadline bound them. `random` is any number
    /// from a seeded sequence; it spreads callers that failed together.
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::retry::{Outcome, RetryPolicy, Verdict};
    ///
    /// let server_error = Outcome::Answered { status: 503, retry_after: None };
    /// assert!(matches!(RetryPolicy::JOB.judge(server_error, 1, 0), Verdict::Retry(_)));
    /// let missing = Outcome::Answered { status: 404, retry_after: None };
    /// assert_eq!(RetryPolicy::JOB.judge(missing, 1, 0), Verdict::Accept);
    /// ```
    #[must_use]
    pub fn judge(&self, outcome: Outcome, attempt: u32, random: u64) -> Verdict {
        let asked = match outcome {
            Outcome::Answered { status: 429, retry_after } => {
                return Verdict::Throttled(match retry_after {
                    Some(asked) => asked.min(MAX_WAIT) + jitter(Duration::from_millis(250), random),
                    // Twenty did not say how long: 5 to 10 s. The bucket earns one token in 600 ms, and a caller that polls
                    // faster than that takes what the other callers would have had.
                    None => Duration::from_secs(5) + jitter(Duration::from_secs(5), random),
                });
            }
            Outcome::Answered { status, retry_after } if (self.is_transient)(status) => retry_after.unwrap_or_default(),
            Outcome::Unreadable | Outcome::Unreachable => Duration::ZERO,
            Outcome::Answered { .. } | Outcome::TooLarge => return Verdict::Accept,
        };
        if attempt >= self.max_attempts {
            return Verdict::Accept;
        }
        let wait = self.first_wait * (1 << attempt.saturating_sub(1).min(5));
        Verdict::Retry(asked.min(MAX_WAIT).max(wait) + jitter(wait / 2, random))
    }
}

/// The wait after a refusal of a call of so many tokens, where it would be `wait` for one
///
/// The limiter takes the tokens one by one and keeps those of a document that it refuses: sent again as soon as there is
/// one, such a call would eat what it needs for ever. So it waits for all of them, and longer each time, as the
/// server may earn them slower than thought.
#[must_use]
pub fn wait_for_tokens(wait: Duration, cost: u32, attempt: u32) -> Duration {
    if cost < 2 {
        return wait;
    }
    let earned = Duration::from_millis(620).saturating_mul(cost);
    wait.saturating_mul(attempt).min(MAX_WAIT).max(wait).max(earned)
}

/// Reads a `Retry-After` in seconds, also with decimals; a date is ignored, as Twenty sends none
#[must_use]
pub fn retry_after(header: Option<&str>) -> Option<Duration> {
    let seconds = Decimal::parse(header?.trim())?;
    Duration::try_from_secs_f64(seconds.to_f64()).ok()
}

fn jitter(width: Duration, random: u64) -> Duration {
    Duration::from_millis(random % whole_millis(width).saturating_add(1))
}

/// A repeatable sequence of numbers from a seed (splitmix64)
#[derive(Debug)]
pub struct SeededRandom(Cell<u64>);

impl SeededRandom {
    /// The sequence of this seed
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Its next number
    pub fn draw(&self) -> u64 {
        let mut mixed = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(mixed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answered(status: u16, seconds: Option<u64>) -> Outcome {
        Outcome::Answered { status, retry_after: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn lasting_errors_are_not_retried() {
        for status in [200, 201, 304, 400, 401, 403, 404, 409, 422] {
            assert_eq!(RetryPolicy::JOB.judge(answered(status, None), 1, 7), Verdict::Accept, "{status}");
        }
    }

    #[test]
    fn server_errors_four_attempts() {
        for outcome in [answered(500, None), answered(503, None), Outcome::Unreadable, Outcome::Unreachable] {
            let waits: Vec<_> = (1..=4).map(|attempt| RetryPolicy::JOB.judge(outcome, attempt, 0)).collect();
            assert_eq!(
                waits,
                [
                    Verdict::Retry(Duration::from_secs(1)),
                    Verdict::Retry(Duration::from_secs(2)),
                    Verdict::Retry(Duration::from_secs(4)),
                    Verdict::Accept
                ]
            );
        }
        assert_eq!(RetryPolicy::JOB.judge(answered(503, Some(9)), 1, 0), Verdict::Retry(Duration::from_secs(9)));
    }

    /// A call with one attempt is repeated after a refusal for the rate limit alone.
    #[test]
    fn unrepeatable_calls() {
        let once = RetryPolicy { max_attempts: 1, ..RetryPolicy::JOB };
        for outcome in [answered(500, None), Outcome::Unreadable, Outcome::Unreachable] {
            assert_eq!(once.judge(outcome, 1, 0), Verdict::Accept);
        }
        assert!(matches!(once.judge(answered(429, None), 1, 0), Verdict::Throttled(_)));
    }

    #[test]
    fn call_waits_for_all_its_tokens() {
        let seconds = Duration::from_secs;
        assert_eq!(wait_for_tokens(seconds(5), 1, 9), seconds(5));
        assert_eq!(wait_for_tokens(seconds(1), 20, 1), Duration::from_millis(12_400));
        assert_eq!(
            [1, 2, 3].map(|attempt| wait_for_tokens(seconds(30), 2, attempt)),
            [seconds(30), seconds(60), seconds(90)]
        );
        assert_eq!([4, 5, 1_000].map(|attempt| wait_for_tokens(seconds(30), 2, attempt)), [seconds(120); 3]);
        assert_eq!(wait_for_tokens(seconds(121), 2, 7), seconds(121));
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(retry_after(Some("12")), Some(Duration::from_secs(12)));
        assert_eq!(retry_after(Some(" 0.6 ")), Some(Duration::from_millis(600)));
        for header in [None, Some("soon"), Some("-1"), Some("Wed, 21 Oct 2026 07:28:00 GMT")] {
            assert_eq!(retry_after(header), None);
        }
    }

    proptest! {
        #[test]
        fn wait_after_429(random: u64, attempt in 1..1000_u32) {
            let Verdict::Throttled(wait) = RetryPolicy::JOB.judge(answered(429, None), attempt, random) else { panic!() };
            prop_assert!((5_000..=10_000).contains(&wait.as_millis()));
            let Verdict::Throttled(wait) = RetryPolicy::JOB.judge(answered(429, Some(12)), attempt, random) else { panic!() };
            prop_assert!((12_000..=12_250).contains(&wait.as_millis()));
            let Verdict::Throttled(wait) = RetryPolicy::JOB.judge(answered(429, Some(86_400)), attempt, random) else { panic!() };
            prop_assert!(wait <= Duration::from_secs(121));
        }
    }
}
