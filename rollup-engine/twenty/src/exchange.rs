//! One call and its attempts: the only loop that sends a call again.
//!
//! Here is decided whether another attempt follows, and after how long. The caller supplies what an attempt is: its
//! permit, its request and what its answer means.

use std::time::Duration;

use ports::{Clock, Timestamp};

use crate::rate_limiter::RateLimiter;
use crate::retry::{Outcome, RetryPolicy, SeededRandom, Verdict, wait_for_tokens};

/// A call as its caller makes it
pub trait Call {
    /// What an attempt brings: an answer, or why there is none
    type Received;
    /// Why an attempt was not sent: no permit in time, or a reason of the caller's
    type NotSent;

    /// Waits for a permit, sends the request and reads the answer; the first attempt has the number 1.
    fn attempt(&mut self, number: u32) -> impl Future<Output = Result<Attempt<Self::Received>, Self::NotSent>>;

    /// Whether the call is sent again after this attempt, which was refused for the rate limit
    fn repeats_throttled(&mut self, attempt: u32) -> bool;

    /// Logs that this attempt is not the last one, unless the deadline makes it so.
    fn log_repetition(&self, number: u32, attempt: &Attempt<Self::Received>, wait: Duration);
}

/// An attempt that was sent
#[derive(Debug)]
pub struct Attempt<R> {
    /// What decides whether another one follows
    pub outcome: Outcome,
    /// What it brought
    pub received: R,
    /// Whether its permit was one of the budget that all calls share: a refusal then holds all of them back
    pub is_budgeted: bool,
}

/// On what terms a call is made
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Which failures are worth another attempt
    pub policy: RetryPolicy,
    /// Tokens of the rate limit that each attempt costs
    pub cost: u32,
    /// Who learns of refusals
    pub limiter: &'a RateLimiter,
    /// The time
    pub clock: &'a dyn Clock,
    /// No attempt begins after this
    pub deadline: Option<Timestamp>,
    /// Spreads callers that failed together
    pub random: &'a SeededRandom,
}

impl std::fmt::Debug for Terms<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("policy", &self.policy).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// What a call ended with
#[derive(Debug, PartialEq, Eq)]
pub struct Exchanged<R> {
    /// What the last attempt brought
    pub received: R,
    /// How many attempts there were
    pub attempts: u32,
    /// Whether another attempt would have followed, had there been time or had the caller not given up
    pub is_cut_short: bool,
}

/// Makes a call, with as many attempts as make sense.
///
/// # Errors
/// An attempt could not be sent, the first one or a later one.
pub async fn exchange<C: Call>(call: &mut C, terms: Terms<'_>) -> Result<Exchanged<C::Received>, C::NotSent> {
    let Terms { policy, cost, limiter, clock, deadline, random } = terms;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let attempt = call.attempt(attempts).await?;
        let end = |received, is_cut_short| Ok(Exchanged { received, attempts, is_cut_short });
        let (wait, is_held_back) = match policy.judge(attempt.outcome, attempts, random.draw()) {
            Verdict::Accept => return end(attempt.received, false),
            Verdict::Retry(wait) => (wait, false),
            Verdict::Throttled(wait) => {
                let wait = wait_for_tokens(wait, cost, attempts);
                if attempt.is_budgeted {
                    limiter.refused(clock.now(), wait);
                }
                if !call.repeats_throttled(attempts) {
                    return end(attempt.received, true);
                }
                (wait, attempt.is_budgeted)
            }
        };
        call.log_repetition(attempts, &attempt, wait);
        if deadline.is_some_and(|deadline| clock.now() + wait > deadline) {
            return end(attempt.received, true);
        }
        // The limiter holds all calls back after a refusal, this one included.
        if !is_held_back {
            clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::VecDeque;

    use ports::async_trait;

    use super::*;
    use crate::rate_limiter::{Priority, RateLimit, Waiting};

    const OK: Outcome = Outcome::Answered { status: 200, retry_after: None };
    const UNAVAILABLE: Outcome = Outcome::Answered { status: 503, retry_after: None };
    const THROTTLED: Outcome = Outcome::Answered { status: 429, retry_after: Some(Duration::from_secs(30)) };

    /// A clock that stands still except for sleeping
    #[derive(Default)]
    struct TestClock {
        millis: Cell<i64>,
    }

    #[async_trait(?Send)]
    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.millis.get())
        }

        async fn sleep(&self, duration: Duration) {
            self.millis.set(self.millis.get() + i64::try_from(duration.as_millis()).unwrap());
        }
    }

    /// A host whose answers are written down beforehand, and a caller that keeps what it was told
    struct Scripted<'a> {
        clock: &'a TestClock,
        limiter: &'a RateLimiter,
        script: VecDeque<Outcome>,
        is_budgeted: bool,
        max_attempts: u32,
        sent_at: Vec<Duration>,
        logged: RefCell<Vec<u32>>,
    }

    impl Call for Scripted<'_> {
        type Received = Outcome;
        type NotSent = &'static str;

        async fn attempt(&mut self, number: u32) -> Result<Attempt<Outcome>, &'static str> {
            assert_eq!(usize::try_from(number), Ok(self.sent_at.len() + 1));
            if self.is_budgeted {
                let permit = self.limiter.acquire(self.clock, Priority::Job, 1, None, Duration::from_secs(1));
                drop(permit.await.unwrap());
            }
            let outcome = self.script.pop_front().ok_or("not sent")?;
            self.sent_at.push(self.clock.now().since(Timestamp::from_millis(0)));
            Ok(Attempt { outcome, received: outcome, is_budgeted: self.is_budgeted })
        }

        fn repeats_throttled(&mut self, attempt: u32) -> bool {
            attempt < self.max_attempts
        }

        fn log_repetition(&self, number: u32, _: &Attempt<Outcome>, _: Duration) {
            self.logged.borrow_mut().push(number);
        }
    }

    /// What a call with these answers ends with, when its attempts were sent, in seconds, and which were logged
    struct Seen {
        result: Result<Exchanged<Outcome>, &'static str>,
        sent_at: Vec<u64>,
        logged: Vec<u32>,
        /// Whether the limiter holds other calls back at the end
        holds_back: bool,
    }

    struct Case {
        script: Vec<Outcome>,
        policy: RetryPolicy,
        cost: u32,
        deadline: Option<u64>,
        is_budgeted: bool,
    }

    impl Case {
        fn new(script: &[Outcome]) -> Self {
            Self { script: script.to_vec(), policy: RetryPolicy::JOB, cost: 1, deadline: None, is_budgeted: true }
        }

        async fn run(self) -> Seen {
            let (clock, random) = (TestClock::default(), SeededRandom::new(1));
            let limiter = RateLimiter::new(RateLimit::default(), Waiting::Woken);
            let mut call = Scripted {
                clock: &clock,
                limiter: &limiter,
                script: self.script.into(),
                is_budgeted: self.is_budgeted,
                max_attempts: 3,
                sent_at: Vec::new(),
                logged: RefCell::default(),
            };
            let start = Timestamp::from_millis(0);
            let terms = Terms {
                policy: self.policy,
                cost: self.cost,
                limiter: &limiter,
                clock: &clock,
                deadline: self.deadline.map(|seconds| start + Duration::from_secs(seconds)),
                random: &random,
            };
            let result = exchange(&mut call, terms).await;
            Seen {
                result,
                sent_at: call.sent_at.iter().map(Duration::as_secs).collect(),
                logged: call.logged.take(),
                holds_back: limiter.opens_in(clock.now()) != Some(0),
            }
        }
    }

    fn ended(received: Outcome, attempts: u32, is_cut_short: bool) -> Exchanged<Outcome> {
        Exchanged { received, attempts, is_cut_short }
    }

    #[tokio::test]
    async fn success_at_once() {
        let seen = Case::new(&[OK]).run().await;
        assert_eq!((seen.result, seen.sent_at, seen.logged), (Ok(ended(OK, 1, false)), vec![0], vec![]));
    }

    /// The limiter holds the next attempt back, so that the loop need not sleep.
    #[tokio::test]
    async fn refusal_of_a_budgeted_attempt() {
        let seen = Case::new(&[THROTTLED, OK]).run().await;
        assert_eq!((seen.result, seen.sent_at, seen.logged), (Ok(ended(OK, 2, false)), vec![0, 30], vec![1]));
    }

    /// The token may be of another workspace: its refusal holds no other call back, and the loop sleeps itself.
    #[tokio::test]
    async fn refusal_outside_the_budget() {
        let mut case = Case::new(&[THROTTLED, OK]);
        case.is_budgeted = false;
        let seen = case.run().await;
        assert_eq!((seen.result, seen.sent_at), (Ok(ended(OK, 2, false)), vec![0, 30]));
        for is_budgeted in [true, false] {
            let mut case = Case::new(&[THROTTLED]);
            (case.is_budgeted, case.deadline) = (is_budgeted, Some(0));
            assert_eq!(case.run().await.holds_back, is_budgeted);
        }
    }

    /// The other calls are held back also when this one is given up.
    #[tokio::test]
    async fn refusals_until_the_caller_gives_up() {
        let seen = Case::new(&[THROTTLED; 4]).run().await;
        assert_eq!((seen.result, seen.sent_at), (Ok(ended(THROTTLED, 3, true)), vec![0, 30, 60]));
        assert_eq!((seen.logged, seen.holds_back), (vec![1, 2], true));
    }

    #[tokio::test]
    async fn refusal_of_several_tokens() {
        let mut case = Case::new(&[Outcome::Answered { status: 429, retry_after: Some(Duration::ZERO) }, OK]);
        case.cost = 20;
        assert_eq!(case.run().await.sent_at, [0, 12]);
    }

    #[tokio::test]
    async fn server_errors_until_the_policy_ends() {
        let seen = Case::new(&[UNAVAILABLE; 5]).run().await;
        assert_eq!((seen.result, seen.logged), (Ok(ended(UNAVAILABLE, 4, false)), vec![1, 2, 3]));
        assert!(!seen.holds_back);
    }

    /// What may have been carried out is not sent again.
    #[tokio::test]
    async fn server_error_of_an_unrepeatable_call() {
        for outcome in [UNAVAILABLE, Outcome::Unreachable, Outcome::Unreadable] {
            let mut case = Case::new(&[outcome, OK]);
            case.policy = RetryPolicy { max_attempts: 1, ..RetryPolicy::JOB };
            let seen = case.run().await;
            assert_eq!((seen.result, seen.logged), (Ok(ended(outcome, 1, false)), vec![]));
        }
        let mut case = Case::new(&[THROTTLED, OK]);
        case.policy = RetryPolicy { max_attempts: 1, ..RetryPolicy::JOB };
        assert_eq!(case.run().await.result, Ok(ended(OK, 2, false)));
    }

    #[tokio::test]
    async fn answer_too_large() {
        let seen = Case::new(&[Outcome::TooLarge, OK]).run().await;
        assert_eq!((seen.result, seen.logged), (Ok(ended(Outcome::TooLarge, 1, false)), vec![]));
    }

    /// An attempt that would begin after the deadline is not waited for.
    #[tokio::test]
    async fn deadline_before_the_next_attempt() {
        for outcome in [THROTTLED, UNAVAILABLE] {
            let mut case = Case::new(&[outcome, OK]);
            case.deadline = Some(0);
            let seen = case.run().await;
            assert_eq!((seen.result, seen.sent_at), (Ok(ended(outcome, 1, true)), vec![0]));
        }
    }

    #[tokio::test]
    async fn attempt_that_is_not_sent() {
        let seen = Case::new(&[UNAVAILABLE]).run().await;
        assert_eq!((seen.result, seen.logged), (Err("not sent"), vec![1]));
    }
}
