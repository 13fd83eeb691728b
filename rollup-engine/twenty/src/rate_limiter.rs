//! How many calls go to Twenty, and whose: one limiter for every call of a process.
//!
//! A budget decides when a call may go, and [`RateLimit`] says how large it is; here callers wait for it. A [`Place`]
//! belongs to a request and serves all its calls: the requests ahead keep what they still need of the budget, so that a
//! crowd ends with some requests done and not with all of them begun. Their order is that of [`Priority`], and within a
//! class that of arrival. A caller without a place has one for a single call.
//!
//! Callers wait in one of two ways. [`Waiting::Woken`]: each is woken by the one before it. [`Waiting::Polled`]: each
//! looks again by a timer of its own, for runtimes that drop a request silently or forbid one to run another's code. There,
//! a request that was not seen for a while loses its place, a call that outlived its time does not count as under way, and
//! a request that cannot be served in time is told so before its first call, by the number of calls ahead of it.
//!
//! Two kinds of callers have a share of their own. Webhooks may always use [`RateLimit::webhook_share`] tokens that people
//! and jobs leave them, and earn half of the budget back. Tokens that Twenty has not accepted yet make so many calls a
//! minute together, beside the budget, and only while no request waits.
//!
//! ```
//! use std::time::Duration;
//!
//! use ports::Clock;
//! use twenty::rate_limiter::{Priority, RateLimit, RateLimiter, TooLate, Waiting};
//!
//! /// Makes a call of one token, which may take 30 s, as soon as the budget allows it.
//! async fn call(limiter: &RateLimiter, clock: &dyn Clock) -> Result<(), TooLate> {
//!     let permit = limiter.acquire(clock, Priority::Job, 1, None, Duration::from_secs(30)).await?;
//!     // … the call …
//!     drop(permit);
//!     Ok(())
//! }
//!
//! let limiter = RateLimiter::new(RateLimit::default(), Waiting::Woken);
//! assert_eq!(limiter.allowance(), 80);
//! # let _ = call;
//! ```

mod budget;
mod state;
mod waiting;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod polled_tests;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod woken_tests;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use ports::{Clock, Timestamp};

use budget::Admission;
pub use budget::RateLimit;
use state::{Look, State, Ticket};
pub use waiting::{POLL_INTERVAL, Priority, TooLate, Waiting};

/// A polling request that waits for a known time still shows itself this often
const MAX_NAP: Duration = Duration::from_secs(1);
/// What a caller does after a look
enum Step {
    Go,
    /// Until another caller wakes it
    Park,
    Sleep(Duration),
    /// Coming again makes sense after this long
    GiveUp(Duration),
}

impl Waiting {
    fn step(self, look: Look, now: Timestamp, deadline: Option<Timestamp>) -> Step {
        let is_late = |wait: Duration| deadline.is_some_and(|deadline| now + wait > deadline);
        match (self, look) {
            (_, Look::TooLate(late)) => Step::GiveUp(late),
            (_, Look::Later(wait)) if is_late(wait) => Step::GiveUp(wait),
            (Self::Woken, Look::NotFirst) => Step::Park,
            (Self::Woken, _) if deadline.is_some_and(|deadline| now >= deadline) => Step::GiveUp(Duration::ZERO),
            (_, Look::Go) => Step::Go,
            (Self::Woken, Look::Later(wait)) => Step::Sleep(wait),
            (Self::Woken, Look::AfterACall) => Step::Park,
            (Self::Polled, Look::Later(wait)) => Step::Sleep(wait.min(MAX_NAP)),
            (Self::Polled, Look::NotFirst | Look::AfterACall) if is_late(POLL_INTERVAL) => Step::GiveUp(POLL_INTERVAL),
            (Self::Polled, Look::NotFirst | Look::AfterACall) => Step::Sleep(POLL_INTERVAL),
        }
    }
}

/// Requests waiting for Twenty, and calls under way
#[derive(Debug)]
pub struct RateLimiter {
    waiting: Waiting,
    state: RefCell<State>,
}

impl RateLimiter {
    /// A limiter with a fresh budget
    #[must_use]
    pub fn new(limit: RateLimit, waiting: Waiting) -> Self {
        Self { waiting, state: RefCell::new(State::new(limit, waiting)) }
    }

    /// Tokens that may be spent at once
    #[must_use]
    pub fn allowance(&self) -> u32 {
        self.state.borrow().budget.allowance()
    }

    /// Requests that wait
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting()
    }

    /// Calls under way
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.state.borrow().under_way()
    }

    /// When the next call may go, in milliseconds; nothing while one has to end first
    #[must_use]
    pub fn opens_in(&self, now: Timestamp) -> Option<u64> {
        match self.state.borrow().budget.admission(now, 1) {
            Admission::Go => Some(0),
            Admission::Wait(wait) => Some(ports::time::whole_millis(wait)),
            Admission::AfterACall => None,
        }
    }

    /// When this many tokens can have been spent, if nothing but the budget holds them up: an estimate
    #[must_use]
    pub fn ready_at(&self, now: Timestamp, tokens: u32) -> Timestamp {
        self.state.borrow().budget.ready_at(now, tokens)
    }

    /// A place for a request that is expected to need so many tokens; it is taken with the first of its calls
    #[must_use]
    pub fn place(&self, priority: Priority, tokens: u32) -> Place<'_> {
        Place {
            limiter: self,
            priority,
            arrival: Cell::new(None),
            tokens_left: Cell::new(tokens),
            has_called: Cell::new(false),
        }
    }

    /// Waits for the turn of a single call; see [`Place::acquire`]
    ///
    /// # Errors
    /// If the turn does not come before `deadline`.
    pub async fn acquire<'c>(
        &'c self,
        clock: &'c dyn Clock,
        priority: Priority,
        cost: u32,
        deadline: Option<Timestamp>,
        timeout: Duration,
    ) -> Result<Permit<'c>, TooLate> {
        self.place(priority, cost).acquire(clock, cost, deadline, timeout).await
    }

    /// Notes that a call was refused for the rate limit: no call passes before `wait` is over.
    pub fn refused(&self, now: Timestamp, wait: Duration) {
        self.state.borrow_mut().refused(now, wait);
    }

    /// Waits until a call of an unproven token may go, which must end within `timeout`: `per_minute` of them together, few
    /// at a time, and while no request waits for its turn.
    ///
    /// # Errors
    /// At once if the calls of this minute are spent, else if no moment comes before `deadline`.
    pub async fn acquire_unproven<'c>(
        &'c self,
        clock: &'c dyn Clock,
        per_minute: u32,
        deadline: Timestamp,
        timeout: Duration,
    ) -> Result<Permit<'c>, TooLate> {
        self.state.borrow_mut().spend_unproven(clock.now(), per_minute)?;
        loop {
            let now = clock.now();
            let begun = self.state.borrow_mut().begin_unproven(now, timeout);
            let wait = match begun {
                Ok(number) => return Ok(Permit { limiter: self, clock, ticket: None, number, began: now }),
                Err(wait) => wait,
            };
            if now + wait > deadline {
                return Err(TooLate::new(wait));
            }
            clock.sleep(wait.min(MAX_NAP)).await;
        }
    }
}

/// Wakes callers, once the limiter's state can be looked at again.
fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

/// A request's place in the order, for all its calls; given up when the request ends for whatever reason
#[derive(Debug)]
pub struct Place<'l> {
    limiter: &'l RateLimiter,
    priority: Priority,
    arrival: Cell<Option<u64>>,
    tokens_left: Cell<u32>,
    has_called: Cell<bool>,
}

impl<'l> Place<'l> {
    /// Says how many tokens are expected to be needed, before the first call.
    pub fn expect(&self, tokens: u32) {
        self.tokens_left.set(tokens);
    }

    /// Waits for the turn of the request's next call, which costs so many tokens and must end within `timeout`. One that
    /// the server does not count (a cost of 0) needs no allowance.
    ///
    /// # Errors
    /// If the turn does not come before `deadline`; of polling requests, for the first call, also if the request's last
    /// one would not.
    pub async fn acquire<'c>(
        &self,
        clock: &'c dyn Clock,
        cost: u32,
        deadline: impl Into<Option<Timestamp>>,
        timeout: Duration,
    ) -> Result<Permit<'c>, TooLate>
    where
        'l: 'c,
    {
        let deadline = deadline.into();
        let waiting = self.limiter.waiting;
        loop {
            let now = clock.now();
            match waiting.step(self.look(now, cost, deadline), now, deadline) {
                Step::Go => return Ok(self.begin(clock, cost, now, timeout)),
                Step::Park => self.until_woken().await,
                Step::Sleep(wait) => clock.sleep(wait).await,
                Step::GiveUp(late) => {
                    self.leave();
                    return Err(TooLate::new(late));
                }
            }
        }
    }

    fn look(&self, now: Timestamp, cost: u32, deadline: Option<Timestamp>) -> Look {
        let (ticket, tokens) = (self.ticket(), self.tokens_left.get().max(cost).max(1));
        let asks = self.limiter.waiting == Waiting::Polled && !self.has_called.get();
        self.limiter.state.borrow_mut().look(ticket, cost, tokens, now, deadline.filter(|_| asks))
    }

    async fn until_woken(&self) {
        let ticket = self.ticket();
        let mut is_parked = false;
        poll_fn(|context| {
            let mut state = self.limiter.state.borrow_mut();
            let Some(entry) = state.find(ticket) else { return Poll::Ready(()) };
            if is_parked && entry.waker.is_none() {
                return Poll::Ready(());
            }
            is_parked = true;
            entry.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits for the turn of a call that the order does not hold up: it goes before all others, but heeds a refusal and the
    /// number of calls under way like them. `cost` is 0 for one that Twenty does not count, and 1 for one that leaves in
    /// order what was begun: the budget may go into debt for it. It polls in both ways of waiting.
    ///
    /// # Errors
    /// If a refusal holds beyond `deadline`.
    pub async fn acquire_first<'c>(
        &self,
        clock: &'c dyn Clock,
        cost: u32,
        deadline: Timestamp,
        timeout: Duration,
    ) -> Result<Permit<'c>, TooLate>
    where
        'l: 'c,
    {
        loop {
            let now = clock.now();
            let admission = {
                let mut state = self.limiter.state.borrow_mut();
                state.forget_lost(now);
                state.budget.admission(now, 0)
            };
            let wait = match admission {
                Admission::Go => return Ok(self.begin(clock, cost, now, timeout)),
                Admission::Wait(wait) => wait,
                Admission::AfterACall => POLL_INTERVAL,
            };
            if now + wait > deadline {
                return Err(TooLate::new(wait));
            }
            clock.sleep(wait.min(MAX_NAP)).await;
        }
    }

    /// Notes that one of the request's calls goes out by another right.
    pub fn count_call(&self) {
        self.has_called.set(true);
        self.tokens_left.set(self.tokens_left.get().saturating_sub(1));
    }

    fn ticket(&self) -> Ticket {
        let arrival = self.arrival.get().unwrap_or_else(|| self.limiter.state.borrow_mut().arrive());
        self.arrival.set(Some(arrival));
        (self.priority, arrival)
    }

    fn begin<'c>(&self, clock: &'c dyn Clock, cost: u32, now: Timestamp, timeout: Duration) -> Permit<'c>
    where
        'l: 'c,
    {
        let ticket = self.ticket();
        self.has_called.set(self.has_called.get() || cost > 0);
        self.tokens_left.set(self.tokens_left.get().saturating_sub(cost));
        let begun = self.limiter.state.borrow_mut().begin(ticket, cost, self.tokens_left.get(), now, timeout);
        let (number, wakers) = begun;
        wake(wakers);
        Permit { limiter: self.limiter, clock, ticket: Some(ticket), number, began: now }
    }

    fn leave(&self) {
        if let Some(arrival) = self.arrival.get() {
            let wakers = self.limiter.state.borrow_mut().leave((self.priority, arrival));
            wake(wakers);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The right to have one call under way, until it is dropped
pub struct Permit<'c> {
    limiter: &'c RateLimiter,
    clock: &'c dyn Clock,
    /// Of the request; nothing for a call of an unproven token
    ticket: Option<Ticket>,
    number: u64,
    began: Timestamp,
}

impl std::fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        let mut state = self.limiter.state.borrow_mut();
        let wakers = if let Some(ticket) = self.ticket {
            state.end(ticket, self.number, self.began, now)
        } else {
            state.end_unproven(self.number);
            Vec::new()
        };
        drop(state);
        wake(wakers);
    }
}
