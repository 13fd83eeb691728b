//! How many calls a process may make, in the rhythm that leaves most of Twenty's rate limit to other callers.
//!
//! Twenty's bucket refills by `floor(elapsed / 600 ms)` since the last accepted call of *any* caller, so calls that are
//! evenly spaced just under 600 ms earn nothing and starve every other key of the workspace. Calls therefore go in
//! bursts: some at once, then a pause long enough that the bucket earns them all back. A call is one token, or as many
//! as a GraphQL document has root fields; what is said of calls here is meant of tokens.
//!
//! ```text
//!   opening burst    burst            burst
//!   ||||||||||||     ||||||||         ||||||||
//!               pause        pause            pause  → time
//! ```
//!
//! A burst of `n` calls is followed by the next one no sooner than `n` periods (a minute by the requests a minute)
//! after it began, and `n` refill times (620 ms at the default of 80 a minute) after its last answer. A refusal halves
//! the size of a burst; each burst that passes grows the one after the next by one.

use std::time::Duration;

use ports::time::Timestamp;

/// How many calls a process may make
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a minute, at least 1; nothing for no limit
    pub requests_per_minute: Option<u32>,
    /// Requests that may go at once at the start, or after a long rest
    pub burst: u32,
    /// Calls in flight at once, at least 1
    pub concurrency: u32,
    /// Least time between the starts of two calls
    pub pause: Duration,
    /// Most tokens that are kept for webhooks, which also earn half of the budget; 0 where a process has none
    pub webhook_share: u32,
}

impl Default for RateLimit {
    /// What fits a workspace's default limit of 100 a minute, with a fifth left for other callers
    fn default() -> Self {
        Self { requests_per_minute: Some(80), burst: 80, concurrency: 4, pause: Duration::ZERO, webhook_share: 0 }
    }
}

/// Whether a call may go
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// At once
    Go,
    /// Not before this much time has passed
    Wait(Duration),
    /// Not before a call that is under way has ended
    AfterACall,
}

/// The tokens of one process
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    limit: RateLimit,
    /// Tokens that may still be spent in the current burst; below zero after a call of more tokens than a burst has
    left: i64,
    /// Tokens in the next burst
    next_burst: u32,
    in_flight: u32,
    burst_began: Option<Timestamp>,
    last_began: Option<Timestamp>,
    last_ended: Option<Timestamp>,
    blocked_until: Option<Timestamp>,
    refused_in_burst: bool,
}

impl Budget {
    /// A budget that begins with its opening burst
    #[must_use]
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            left: limit.burst.max(1).into(),
            next_burst: full_burst(&limit),
            in_flight: 0,
            burst_began: None,
            last_began: None,
            last_ended: None,
            blocked_until: None,
            refused_in_burst: false,
        }
    }

    /// Calls that may still go at once
    #[must_use]
    pub(crate) fn allowance(&self) -> u32 {
        u32::try_from(self.left).unwrap_or(0)
    }

    /// Whether a call of `cost` tokens may go at `now`; one that the server does not count (a cost of 0) needs
    /// no allowance, but heeds a refusal and the concurrency like all others
    #[must_use]
    pub(crate) fn admission(&self, now: Timestamp, cost: u32) -> Admission {
        self.admission_after(now, 0, cost)
    }

    /// As [`Self::admission`], for a call that leaves `reserved` tokens to others
    #[must_use]
    pub(crate) fn admission_after(&self, now: Timestamp, reserved: u32, cost: u32) -> Admission {
        if self.in_flight >= self.limit.concurrency.max(1) {
            return Admission::AfterACall;
        }
        let mut earliest = now.max(self.blocked_until.unwrap_or(now));
        if let Some(began) = self.last_began {
            earliest = earliest.max(began + self.limit.pause);
        }
        // A call of more than there can ever be at once goes with the most, and its debt is earned back after it.
        let missing = i64::from(cost.min(self.capacity())) + i64::from(reserved) - self.left;
        if cost > 0 && missing > 0 && self.limit.requests_per_minute.is_some() {
            if self.in_flight > 0 {
                return Admission::AfterACall;
            }
            earliest = earliest.max(self.earned_at(self.in_bursts(missing)));
        }
        if earliest > now { Admission::Wait(earliest.since(now)) } else { Admission::Go }
    }

    /// When this many tokens can have been spent, if nothing but the budget holds them up: an estimate, since the calls
    /// under way end later than now
    #[must_use]
    pub(crate) fn ready_at(&self, now: Timestamp, tokens: u32) -> Timestamp {
        let earliest = now.max(self.blocked_until.unwrap_or(now));
        let missing = i64::from(tokens) - self.left;
        if missing <= 0 || self.limit.requests_per_minute.is_none() {
            return earliest;
        }
        let mut expected = self.clone();
        expected.burst_began.get_or_insert(now);
        if self.in_flight > 0 || self.last_ended.is_none() {
            expected.last_ended = Some(now);
        }
        earliest.max(expected.earned_at(self.in_bursts(missing)))
    }

    /// Tokens of as many whole bursts as bring this many
    fn in_bursts(&self, tokens: i64) -> u32 {
        let bursts = u32::try_from(tokens).unwrap_or(u32::MAX).div_ceil(self.next_burst);
        self.next_burst.saturating_mul(bursts)
    }

    /// Notes that a call starts; to be asked for with [`Budget::admission`] first.
    pub(crate) fn began(&mut self, now: Timestamp, cost: u32) {
        if cost > 0 && self.limit.requests_per_minute.is_some() {
            self.refill(now);
            self.left = self.left.saturating_sub(cost.into());
        }
        self.in_flight += 1;
        self.last_began = Some(now);
    }

    /// Notes that a call has its answer, or will have none.
    pub(crate) fn ended(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_ended = Some(now);
    }

    /// Notes that a call which has just ended was refused for the rate limit: no call may go before `wait` is over.
    pub(crate) fn refused(&mut self, now: Timestamp, wait: Duration) {
        let until = now + wait;
        self.blocked_until = Some(self.blocked_until.map_or(until, |already| already.max(until)));
        self.left = self.left.min(0);
        if !self.refused_in_burst {
            self.refused_in_burst = true;
            self.next_burst = (self.next_burst / 2).max(1);
        }
    }

    /// Starts a burst if this call is its first.
    fn refill(&mut self, now: Timestamp) {
        if self.burst_began.is_none() {
            self.burst_began = Some(now);
        } else if self.in_flight == 0 {
            let most = i64::from(self.capacity());
            let mut earned: u32 = 0;
            while i64::from(earned) + self.left < most && self.earned_at(earned + self.next_burst) <= now {
                earned += self.next_burst;
            }
            if earned > 0 {
                self.left = (self.left + i64::from(earned)).min(most);
                if !self.refused_in_burst {
                    self.next_burst = (self.next_burst + 1).min(full_burst(&self.limit));
                }
                self.refused_in_burst = false;
                self.burst_began = Some(now);
            }
        }
    }

    /// Most tokens that there can be at once: a rest earns more than one burst, up to the opening one, but not when another
    /// caller of the workspace was just seen
    #[must_use]
    pub(crate) fn capacity(&self) -> u32 {
        if self.refused_in_burst { self.next_burst } else { self.limit.burst.max(self.next_burst) }
    }

    /// When this many tokens have been earned back
    fn earned_at(&self, tokens: u32) -> Timestamp {
        // In milliseconds
        let period = 60_000_u64.div_ceil(u64::from(self.limit.requests_per_minute.unwrap_or(1).max(1)));
        // The server's own refill time is taken to be 4/5 of our period (600 ms of 750 ms), plus a margin.
        let refill = period * 4 / 5 + 20;
        let times = |millis: u64| Duration::from_millis(millis * u64::from(tokens));
        let by_rate = self.burst_began.map_or(Timestamp::default(), |began| began + times(period));
        let by_refill = self.last_ended.map_or(Timestamp::default(), |ended| ended + times(refill));
        by_rate.max(by_refill)
    }
}

/// Six seconds' worth of tokens: 8 at 80 a minute
fn full_burst(limit: &RateLimit) -> u32 {
    (limit.requests_per_minute.unwrap_or(0) / 10).clamp(1, limit.burst.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Runs calls one after the other, each taking `call` ms, and gives the times at which they began.
    fn times(budget: &mut Budget, calls: usize, call: i64, mut now: i64) -> Vec<i64> {
        let mut times = Vec::new();
        while times.len() < calls {
            match budget.admission(at(now), 1) {
                Admission::Go => {
                    budget.began(at(now), 1);
                    times.push(now);
                    now += call;
                    budget.ended(at(now));
                }
                Admission::Wait(wait) => now += i64::try_from(wait.as_millis()).unwrap(),
                Admission::AfterACall => panic!("nothing is under way"),
            }
        }
        times
    }

    #[test]
    fn bursts_of_eight_every_six_seconds() {
        let mut budget = Budget::new(RateLimit { burst: 10, ..RateLimit::default() });
        let times = times(&mut budget, 26, 10, 0);
        assert_eq!(times[9], 90);
        // After the opening burst eight more have to be earned back after its last answer.
        assert_eq!(times[10], 6_000);
        assert_eq!(times[17], 6_070);
        assert_eq!(times[18], 12_000);
    }

    #[test]
    fn pause_after_slow_calls() {
        let mut budget = Budget::new(RateLimit { burst: 8, ..RateLimit::default() });
        let times = times(&mut budget, 9, 1_000, 0);
        assert_eq!(times[7], 7_000);
        assert_eq!(times[8], 8_000 + 8 * 620);
    }

    #[test]
    fn opening_burst_earned_back_by_a_rest() {
        let mut budget = Budget::new(RateLimit { burst: 40, ..RateLimit::default() });
        times(&mut budget, 40, 10, 0);
        assert_eq!(times(&mut budget, 40, 10, 60_000).last(), Some(&60_390));
    }

    #[test]
    fn next_burst_after_the_last_answer() {
        let mut budget = Budget::new(RateLimit { burst: 2, ..RateLimit::default() });
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        assert_eq!(budget.admission(at(60_000), 1), Admission::AfterACall);
        budget.ended(at(60_000));
        assert_eq!(budget.admission(at(60_000), 1), Admission::AfterACall);
        budget.ended(at(60_001));
        assert!(matches!(budget.admission(at(60_001), 1), Admission::Wait(_)));
    }

    #[test]
    fn calls_in_flight() {
        let mut budget = Budget::new(RateLimit { concurrency: 2, requests_per_minute: None, ..RateLimit::default() });
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        assert_eq!(budget.admission(at(5), 1), Admission::AfterACall);
        budget.ended(at(5));
        assert_eq!(budget.admission(at(5), 1), Admission::Go);
    }

    #[test]
    fn calls_without_cost() {
        let mut budget = Budget::new(RateLimit { burst: 1, concurrency: 2, ..RateLimit::default() });
        budget.began(at(0), 1);
        assert_eq!(budget.admission(at(0), 1), Admission::AfterACall);
        assert_eq!(budget.admission(at(0), 0), Admission::Go);
        budget.began(at(0), 0);
        budget.ended(at(1));
        budget.ended(at(1));
        budget.refused(at(1), Duration::from_secs(5));
        assert_eq!(budget.admission(at(1), 0), Admission::Wait(Duration::from_secs(5)));
    }

    #[test]
    fn pause_between_calls() {
        let limit = RateLimit { pause: Duration::from_millis(300), requests_per_minute: None, ..RateLimit::default() };
        assert_eq!(times(&mut Budget::new(limit), 3, 10, 0), [0, 300, 600]);
    }

    #[test]
    fn smaller_bursts_after_a_refusal() {
        let mut budget = Budget::new(RateLimit::default());
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        budget.ended(at(10));
        budget.refused(at(10), Duration::from_secs(5));
        assert_eq!(budget.admission(at(20), 1), Admission::AfterACall);
        budget.ended(at(20));
        budget.refused(at(20), Duration::from_secs(7));
        assert_eq!(budget.admission(at(20), 1), Admission::Wait(Duration::from_secs(7)));
        let times = times(&mut budget, 4 + 4 + 5 + 6, 10, 20);
        let gaps: Vec<_> = times.windows(2).filter(|pair| pair[1] - pair[0] > 1_000).map(|pair| pair[0]).collect();
        assert_eq!(times[0], 7_020);
        assert_eq!(gaps, [times[3], times[7], times[12]], "bursts of 4, 4, 5, 6: {times:?}");
    }

    #[test]
    fn call_of_several_tokens() {
        let mut budget = Budget::new(RateLimit { burst: 10, ..RateLimit::default() });
        budget.began(at(0), 7);
        budget.ended(at(0));
        assert_eq!(budget.admission(at(0), 3), Admission::Go);
        // Three are left, and a burst is eight.
        assert_eq!(budget.admission(at(0), 8), Admission::Wait(Duration::from_secs(6)));
        budget.began(at(6_000), 8);
        assert_eq!(budget.admission(at(6_000), 3), Admission::AfterACall);
        budget.ended(at(6_000));
        assert_eq!((budget.admission(at(6_000), 2), budget.admission(at(6_000), 0)), (Admission::Go, Admission::Go));
        assert_eq!(budget.admission(at(6_000), 3), Admission::Wait(Duration::from_secs(6)));
    }

    #[test]
    fn call_larger_than_the_budget() {
        let mut budget = Budget::new(RateLimit { burst: 8, ..RateLimit::default() });
        assert_eq!(budget.admission(at(0), 20), Admission::Go);
        budget.began(at(0), 20);
        budget.ended(at(0));
        // Twelve are owed: two bursts pay them and leave four.
        assert_eq!(budget.admission(at(0), 1), Admission::Wait(Duration::from_secs(12)));
        assert_eq!(times(&mut budget, 5, 0, 0), [12_000, 12_000, 12_000, 12_000, 18_000]);
        budget.refused(at(18_000), Duration::ZERO);
        assert!(
            matches!(budget.admission(at(18_000), 20), Admission::Wait(_)),
            "also when a refusal has halved the burst"
        );
        assert_eq!(budget.admission(at(24_000), 20), Admission::Go);
    }
}
