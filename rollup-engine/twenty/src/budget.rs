//! How often a process may ask, in the rhythm that leaves most to the others.
//!
//! Twenty's bucket refills by `floor(elapsed / 600 ms)` since the last accepted call of *anybody*, so calls that are
//! evenly spaced just under 600 ms earn nothing and starve every other key of the workspace. Calls therefore go in
//! clumps: some at once, then a pause long enough that the bucket earns them all back. A call is one token, or as many
//! as a GraphQL document has root fields; what is said of calls here is meant of tokens.
//!
//! ```text
//!   burst            clump            clump
//!   ||||||||||||     ||||||||         ||||||||
//!               pause        pause            pause  → time
//! ```
//!
//! A clump of `n` calls is followed by the next one no sooner than `n` periods (a minute by the requests a minute)
//! after it began, and `n` refill times (620 ms at the default of 80 a minute) after its last answer. A refusal halves
//! the clump; each clump that passes grows the one after the next by one.

use std::time::Duration;

use ports::time::Timestamp;

/// How fast a process may go
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Requests a minute, at least 1; nothing for no limit
    pub requests_per_minute: Option<u32>,
    /// Requests that may go at once at the start, or after a long rest
    pub burst: u32,
    /// Calls in flight at once, at least 1
    pub concurrency: u32,
    /// Least time between the starts of two calls
    pub pause: Duration,
}

impl Default for Pace {
    /// What fits a workspace's default limit of 100 a minute, with a fifth left for everybody else
    fn default() -> Self {
        Self { requests_per_minute: Some(80), burst: 80, concurrency: 4, pause: Duration::ZERO }
    }
}

/// When the next call may go
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// At once
    Go,
    /// Not before this much time has passed
    Wait(Duration),
    /// Not before a call that is under way has ended
    AfterACall,
}

/// The state of one process's allowance
#[derive(Clone, Debug)]
pub struct Budget {
    pace: Pace,
    /// Tokens that may still be spent in the current clump; below zero after a call of more tokens than a clump has
    left: i64,
    /// Tokens in the next clump
    clump: u32,
    in_flight: u32,
    clump_began: Option<Timestamp>,
    last_began: Option<Timestamp>,
    last_ended: Option<Timestamp>,
    blocked_until: Option<Timestamp>,
    refused_in_clump: bool,
}

impl Budget {
    /// A budget whose first clump is the burst
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            left: pace.burst.max(1).into(),
            clump: full_clump(&pace),
            in_flight: 0,
            clump_began: None,
            last_began: None,
            last_ended: None,
            blocked_until: None,
            refused_in_clump: false,
        }
    }

    /// Calls that may still go at once
    #[must_use]
    pub fn allowance(&self) -> u32 {
        u32::try_from(self.left).unwrap_or(0)
    }

    /// When the next call of `cost` tokens may go, asked at `now`; one that the server does not count (a cost of 0) needs
    /// no allowance, but heeds a refusal and the concurrency like all others
    #[must_use]
    pub fn turn(&self, now: Timestamp, cost: u32) -> Turn {
        self.turn_after(now, 0, cost)
    }

    /// As [`Self::turn`], for a call that leaves `reserved` tokens to others
    #[must_use]
    pub fn turn_after(&self, now: Timestamp, reserved: u32, cost: u32) -> Turn {
        if self.in_flight >= self.pace.concurrency.max(1) {
            return Turn::AfterACall;
        }
        let mut earliest = now.max(self.blocked_until.unwrap_or(now));
        if let Some(began) = self.last_began {
            earliest = earliest.max(began + self.pace.pause);
        }
        // A call of more than there can ever be at once goes with the most, and its debt is earned back after it.
        let missing = i64::from(cost.min(self.capacity())) + i64::from(reserved) - self.left;
        if cost > 0 && missing > 0 && self.pace.requests_per_minute.is_some() {
            if self.in_flight > 0 {
                return Turn::AfterACall;
            }
            earliest = earliest.max(self.earned_at(self.in_clumps(missing)));
        }
        if earliest > now { Turn::Wait(earliest.since(now)) } else { Turn::Go }
    }

    /// When this many tokens can have been spent, if nothing but the budget holds them up: an estimate, since the calls
    /// under way end later than now
    #[must_use]
    pub fn ready_at(&self, now: Timestamp, tokens: u32) -> Timestamp {
        let earliest = now.max(self.blocked_until.unwrap_or(now));
        let missing = i64::from(tokens) - self.left;
        if missing <= 0 || self.pace.requests_per_minute.is_none() {
            return earliest;
        }
        let mut expected = self.clone();
        expected.clump_began.get_or_insert(now);
        if self.in_flight > 0 || self.last_ended.is_none() {
            expected.last_ended = Some(now);
        }
        earliest.max(expected.earned_at(self.in_clumps(missing)))
    }

    /// Tokens of as many whole clumps as bring this many
    fn in_clumps(&self, tokens: i64) -> u32 {
        let clumps = u32::try_from(tokens).unwrap_or(u32::MAX).div_ceil(self.clump);
        self.clump.saturating_mul(clumps)
    }

    /// Notes that a call starts; to be asked for with [`Budget::turn`] first.
    pub fn began(&mut self, now: Timestamp, cost: u32) {
        if cost > 0 && self.pace.requests_per_minute.is_some() {
            self.refill(now);
            self.left = self.left.saturating_sub(cost.into());
        }
        self.in_flight += 1;
        self.last_began = Some(now);
    }

    /// Notes that a call has its answer, or will have none.
    pub fn ended(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_ended = Some(now);
    }

    /// Notes that a call which has just ended was refused for the rate limit: nobody calls before `wait` is over.
    pub fn refused(&mut self, now: Timestamp, wait: Duration) {
        let until = now + wait;
        self.blocked_until = Some(self.blocked_until.map_or(until, |already| already.max(until)));
        self.left = self.left.min(0);
        if !self.refused_in_clump {
            self.refused_in_clump = true;
            self.clump = (self.clump / 2).max(1);
        }
    }

    /// Starts a clump if this call is its first.
    fn refill(&mut self, now: Timestamp) {
        if self.clump_began.is_none() {
            self.clump_began = Some(now);
        } else if self.in_flight == 0 {
            let most = i64::from(self.capacity());
            let mut earned: u32 = 0;
            while i64::from(earned) + self.left < most && self.earned_at(earned + self.clump) <= now {
                earned += self.clump;
            }
            if earned > 0 {
                self.left = (self.left + i64::from(earned)).min(most);
                if !self.refused_in_clump {
                    self.clump = (self.clump + 1).min(full_clump(&self.pace));
                }
                self.refused_in_clump = false;
                self.clump_began = Some(now);
            }
        }
    }

    /// Most tokens that there can be at once: a rest earns more than one clump, up to the burst, but not when another
    /// caller of the workspace was just seen
    #[must_use]
    pub fn capacity(&self) -> u32 {
        if self.refused_in_clump { self.clump } else { self.pace.burst.max(self.clump) }
    }

    /// When this many tokens have been earned back
    fn earned_at(&self, tokens: u32) -> Timestamp {
        // In milliseconds
        let period = 60_000_u64.div_ceil(u64::from(self.pace.requests_per_minute.unwrap_or(1).max(1)));
        // The server's own refill time is taken to be 4/5 of our period (600 ms of 750 ms), plus a margin.
        let refill = period * 4 / 5 + 20;
        let times = |millis: u64| Duration::from_millis(millis * u64::from(tokens));
        let by_rate = self.clump_began.map_or(Timestamp::default(), |began| began + times(period));
        let by_refill = self.last_ended.map_or(Timestamp::default(), |ended| ended + times(refill));
        by_rate.max(by_refill)
    }
}

/// Six seconds' worth of tokens: 8 at 80 a minute
fn full_clump(pace: &Pace) -> u32 {
    (pace.requests_per_minute.unwrap_or(0) / 10).clamp(1, pace.burst.max(1))
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
            match budget.turn(at(now), 1) {
                Turn::Go => {
                    budget.began(at(now), 1);
                    times.push(now);
                    now += call;
                    budget.ended(at(now));
                }
                Turn::Wait(wait) => now += i64::try_from(wait.as_millis()).unwrap(),
                Turn::AfterACall => panic!("nothing is under way"),
            }
        }
        times
    }

    #[test]
    fn a_burst_then_clumps_of_eight_every_six_seconds() {
        let mut budget = Budget::new(Pace { burst: 10, ..Pace::default() });
        let times = times(&mut budget, 26, 10, 0);
        assert_eq!(times[9], 90);
        // The burst is the first clump: eight more have to be earned back after its last answer.
        assert_eq!(times[10], 6_000);
        assert_eq!(times[17], 6_070);
        assert_eq!(times[18], 12_000);
    }

    #[test]
    fn slow_calls_still_get_their_pause() {
        let mut budget = Budget::new(Pace { burst: 8, ..Pace::default() });
        let times = times(&mut budget, 9, 1_000, 0);
        assert_eq!(times[7], 7_000);
        assert_eq!(times[8], 8_000 + 8 * 620);
    }

    #[test]
    fn a_rest_earns_the_burst_back() {
        let mut budget = Budget::new(Pace { burst: 40, ..Pace::default() });
        times(&mut budget, 40, 10, 0);
        assert_eq!(times(&mut budget, 40, 10, 60_000).last(), Some(&60_390));
    }

    #[test]
    fn the_next_clump_waits_for_the_calls_of_the_last() {
        let mut budget = Budget::new(Pace { burst: 2, ..Pace::default() });
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        assert_eq!(budget.turn(at(60_000), 1), Turn::AfterACall);
        budget.ended(at(60_000));
        assert_eq!(budget.turn(at(60_000), 1), Turn::AfterACall);
        budget.ended(at(60_001));
        assert!(matches!(budget.turn(at(60_001), 1), Turn::Wait(_)));
    }

    #[test]
    fn no_more_calls_are_in_flight_than_allowed() {
        let mut budget = Budget::new(Pace { concurrency: 2, requests_per_minute: None, ..Pace::default() });
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        assert_eq!(budget.turn(at(5), 1), Turn::AfterACall);
        budget.ended(at(5));
        assert_eq!(budget.turn(at(5), 1), Turn::Go);
    }

    #[test]
    fn calls_that_are_not_counted_need_no_allowance() {
        let mut budget = Budget::new(Pace { burst: 1, concurrency: 2, ..Pace::default() });
        budget.began(at(0), 1);
        assert_eq!(budget.turn(at(0), 1), Turn::AfterACall);
        assert_eq!(budget.turn(at(0), 0), Turn::Go);
        budget.began(at(0), 0);
        budget.ended(at(1));
        budget.ended(at(1));
        budget.refused(at(1), Duration::from_secs(5));
        assert_eq!(budget.turn(at(1), 0), Turn::Wait(Duration::from_secs(5)));
    }

    #[test]
    fn a_pause_between_calls_is_kept() {
        let pace = Pace { pause: Duration::from_millis(300), requests_per_minute: None, ..Pace::default() };
        assert_eq!(times(&mut Budget::new(pace), 3, 10, 0), [0, 300, 600]);
    }

    #[test]
    fn a_refusal_stops_everybody_and_halves_the_clumps_until_they_pass_again() {
        let mut budget = Budget::new(Pace::default());
        budget.began(at(0), 1);
        budget.began(at(0), 1);
        budget.ended(at(10));
        budget.refused(at(10), Duration::from_secs(5));
        assert_eq!(budget.turn(at(20), 1), Turn::AfterACall);
        budget.ended(at(20));
        budget.refused(at(20), Duration::from_secs(7));
        assert_eq!(budget.turn(at(20), 1), Turn::Wait(Duration::from_secs(7)));
        let times = times(&mut budget, 4 + 4 + 5 + 6, 10, 20);
        let gaps: Vec<_> = times.windows(2).filter(|pair| pair[1] - pair[0] > 1_000).map(|pair| pair[0]).collect();
        assert_eq!(times[0], 7_020);
        assert_eq!(gaps, [times[3], times[7], times[12]], "clumps of 4, 4, 5, 6: {times:?}");
    }

    #[test]
    fn a_call_of_several_tokens_waits_for_as_many() {
        let mut budget = Budget::new(Pace { burst: 10, ..Pace::default() });
        budget.began(at(0), 7);
        budget.ended(at(0));
        assert_eq!(budget.turn(at(0), 3), Turn::Go);
        // Three are left, and a clump is eight.
        assert_eq!(budget.turn(at(0), 8), Turn::Wait(Duration::from_secs(6)));
        budget.began(at(6_000), 8);
        assert_eq!(budget.turn(at(6_000), 3), Turn::AfterACall);
        budget.ended(at(6_000));
        assert_eq!((budget.turn(at(6_000), 2), budget.turn(at(6_000), 0)), (Turn::Go, Turn::Go));
        assert_eq!(budget.turn(at(6_000), 3), Turn::Wait(Duration::from_secs(6)));
    }

    #[test]
    fn a_call_of_more_than_there_can_be_at_once_goes_and_is_earned_back() {
        let mut budget = Budget::new(Pace { burst: 8, ..Pace::default() });
        assert_eq!(budget.turn(at(0), 20), Turn::Go);
        budget.began(at(0), 20);
        budget.ended(at(0));
        // Twelve are owed: two clumps pay them and leave four.
        assert_eq!(budget.turn(at(0), 1), Turn::Wait(Duration::from_secs(12)));
        assert_eq!(times(&mut budget, 5, 0, 0), [12_000, 12_000, 12_000, 12_000, 18_000]);
        budget.refused(at(18_000), Duration::ZERO);
        assert!(matches!(budget.turn(at(18_000), 20), Turn::Wait(_)), "also when a refusal has halved the clump");
        assert_eq!(budget.turn(at(24_000), 20), Turn::Go);
    }
}
