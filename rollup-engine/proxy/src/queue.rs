//! The way to Twenty for a process that answers many requests at once.
//!
//! The [`Budget`] decides when a call may go; here requests wait for it. A [`Place`] belongs to a request and serves all
//! its calls: the requests ahead keep what they still need of the budget, so that a burst ends with some requests done
//! and not with all of them begun. Their order is that of [`Priority`], and within a class that of arrival. A request
//! that cannot be served in time is told so before its first call, by the number of calls ahead of it.
//!
//! Two kinds of callers have a share of their own. Webhooks may always use [`MAX_WEBHOOK_SHARE`] tokens that people and
//! jobs leave them, and earn half of the budget back. Tokens that Twenty has not accepted yet make so many calls a minute
//! together, beside the budget, and only while no request waits.
//!
//! Waiters poll instead of being woken: some runtimes drop a request silently, others forbid one to run another's code.
//! So a request that was not seen for a while loses its place, and a call that outlived its time does not count as under
//! way.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use ports::{Clock, Timestamp};
use twenty::budget::{Budget, Pace, Turn};
use twenty::gate::Priority;

/// How often a waiting request looks whether its turn has come
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// A request that waits for a known time still shows itself this often
const MAX_NAP: Duration = Duration::from_secs(1);
/// A request that was not seen for so long is gone
const WAITER_TTL: Duration = Duration::from_secs(5);
/// Most tokens that are kept for webhooks: those of one whole payment
pub const MAX_WEBHOOK_SHARE: u32 = 8;
/// The span over which calls of unproven tokens are counted
const UNPROVEN_WINDOW: Duration = Duration::from_mins(1);
/// Most calls of unproven tokens under way at a time
const MAX_UNPROVEN_UNDER_WAY: usize = 2;

/// The turn would come only after the caller has gone
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are ahead; try again in {retry_after:?}")]
pub struct TooLate {
    /// When it makes sense to come again
    pub retry_after: Duration,
}

impl TooLate {
    fn new(retry_after: Duration) -> Self {
        Self { retry_after: retry_after.max(Duration::from_secs(1)) }
    }
}

/// Requests waiting for Twenty, and calls under way
#[derive(Debug)]
pub struct Queue {
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    budget: Budget,
    /// Time in which webhooks earn one token of their share back; nothing without a budget
    webhook_interval: Option<Duration>,
    /// When the webhooks' share is whole
    webhook_share_whole_at: Timestamp,
    arrivals: u64,
    calls: u64,
    /// In the order of their turn
    requests: Vec<Entry>,
    /// Number of the call, and when it must have ended
    under_way: Vec<(u64, Timestamp)>,
    /// How long a call takes, smoothed
    latency: Duration,
    /// When the latest calls of unproven tokens were let through
    unproven: VecDeque<Timestamp>,
    /// Those of them that are under way, as in `under_way`
    unproven_under_way: Vec<(u64, Timestamp)>,
}

type Ticket = (Priority, u64);

/// A request that has a place
#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    /// Calls that it is expected to make yet
    calls_left: u32,
    is_waiting: bool,
    /// Past this it is gone
    alive_until: Timestamp,
}

impl State {
    /// Forgets requests that are gone and calls that outlived their time.
    fn tidy(&mut self, now: Timestamp) {
        self.requests.retain(|entry| entry.alive_until > now);
        while let Some(at) = self.under_way.iter().position(|(_, until)| *until < now) {
            self.under_way.swap_remove(at);
            self.budget.ended(now);
        }
        self.unproven_under_way.retain(|(_, until)| *until >= now);
    }

    /// The entry of a request; one that lost its place gets it back.
    fn entry(&mut self, ticket: Ticket, calls_left: u32) -> &mut Entry {
        let at = self.requests.partition_point(|other| other.ticket < ticket);
        if self.requests.get(at).is_none_or(|other| other.ticket != ticket) {
            let entry = Entry { ticket, calls_left, is_waiting: true, alive_until: Timestamp::default() };
            self.requests.insert(at, entry);
        }
        #[expect(clippy::indexing_slicing, reason = "it was found or inserted at this place")]
        let entry = &mut self.requests[at];
        entry.calls_left = calls_left;
        entry
    }

    fn ahead_of(&self, ticket: Ticket) -> impl Iterator<Item = &Entry> {
        self.requests.iter().take_while(move |entry| entry.ticket < ticket)
    }

    /// Tokens that the webhooks' share holds
    fn webhook_share(&self, now: Timestamp) -> u32 {
        let Some(interval) = self.webhook_interval else { return 0 };
        let spent = self.webhook_share_whole_at.since(now).as_millis().div_ceil(interval.as_millis().max(1));
        // Half of a small budget stays with the others.
        let most = MAX_WEBHOOK_SHARE.min(self.budget.capacity() / 2);
        most.saturating_sub(u32::try_from(spent).unwrap_or(u32::MAX))
    }

    fn spend_webhook_share(&mut self, now: Timestamp, tokens: u32) {
        if let Some(interval) = self.webhook_interval {
            let most = now + interval * MAX_WEBHOOK_SHARE;
            self.webhook_share_whole_at = (self.webhook_share_whole_at.max(now) + interval * tokens).min(most);
        }
    }

    /// What a request's next call has to leave to others, and whether none of them waits for the same
    fn reserved(&self, ticket: Ticket, now: Timestamp) -> (u32, bool) {
        let mut reserved = if ticket.0 == Priority::Webhook { 0 } else { self.webhook_share(now) };
        let mut is_first = true;
        for entry in self.ahead_of(ticket) {
            reserved += entry.calls_left.max(entry.is_waiting.into());
            is_first &= !entry.is_waiting;
        }
        (reserved, is_first)
    }

    /// The same within the webhooks' share; nothing if the share does not reach
    fn reserved_in_share(&self, ticket: Ticket, now: Timestamp) -> Option<(u32, bool)> {
        let (mut reserved, mut is_first) = (0, true);
        for entry in self.ahead_of(ticket).filter(|entry| entry.ticket.0 == Priority::Webhook) {
            reserved += entry.calls_left.max(entry.is_waiting.into());
            is_first &= !entry.is_waiting;
        }
        (ticket.0 == Priority::Webhook && reserved < self.webhook_share(now)).then_some((reserved, is_first))
    }

    fn look(&mut self, ticket: Ticket, now: Timestamp) -> Look {
        let mut look = Look::NotFirst;
        let ways = [Some(self.reserved(ticket, now)), self.reserved_in_share(ticket, now)];
        for (reserved, _) in ways.into_iter().flatten().filter(|(_, is_first)| *is_first) {
            match self.budget.turn_after(now, reserved, 1) {
                Turn::Go => return Look::Go,
                Turn::Wait(wait) => look = look.or_sooner(Look::Later(wait)),
                Turn::AfterACall => look = look.or_sooner(Look::Later(POLL_INTERVAL)),
            }
        }
        look
    }

    /// When a request with so many calls to make will be done, by the calls ahead of it
    fn done_at(&self, ticket: Ticket, calls: u32, now: Timestamp) -> Timestamp {
        let (reserved, _) = self.reserved(ticket, now);
        let mut needed = reserved + calls;
        if self.ahead_of(ticket).next().is_none() {
            // Waiting would not help a request that needs more than a small budget ever holds.
            needed = needed.min(self.budget.capacity());
        }
        let mut ready = self.budget.ready_at(now, needed);
        if let (Priority::Webhook, Some(interval)) = (ticket.0, self.webhook_interval) {
            let webhooks = self.ahead_of(ticket).filter(|entry| entry.ticket.0 == Priority::Webhook);
            let needed = webhooks.map(|entry| entry.calls_left).sum::<u32>() + calls;
            let earned_at = now + interval * needed.saturating_sub(self.webhook_share(now));
            ready = ready.min(self.budget.ready_at(now, needed).max(earned_at));
        }
        ready + self.latency * calls
    }

    fn begin(&mut self, cost: u32, now: Timestamp, within: Duration) -> u64 {
        self.calls += 1;
        self.budget.began(now, cost);
        self.under_way.push((self.calls, now + within + WAITER_TTL));
        self.calls
    }
}

enum Look {
    Go,
    Later(Duration),
    NotFirst,
    /// By this much
    TooLate(Duration),
}

impl Look {
    fn or_sooner(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Later(one), Self::Later(two)) if one <= two => self,
            _ => other,
        }
    }
}

impl Queue {
    /// A queue with a fresh budget
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            state: RefCell::new(State {
                budget: Budget::new(pace),
                // Half of what the budget earns
                webhook_interval: pace.requests_per_minute.map(|rate| Duration::from_mins(2) / rate.max(1)),
                webhook_share_whole_at: Timestamp::default(),
                arrivals: 0,
                calls: 0,
                requests: Vec::new(),
                under_way: Vec::new(),
                latency: Duration::ZERO,
                unproven: VecDeque::new(),
                unproven_under_way: Vec::new(),
            }),
        }
    }

    /// Requests that wait
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().requests.iter().filter(|entry| entry.is_waiting).count()
    }

    /// Calls under way
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.state.borrow().under_way.len()
    }

    /// When the next call may go, in milliseconds; nothing while one has to end first
    #[must_use]
    pub fn opens_in(&self, now: Timestamp) -> Option<u64> {
        match self.state.borrow().budget.turn(now, 1) {
            Turn::Go => Some(0),
            Turn::Wait(wait) => Some(ports::time::whole_millis(wait)),
            Turn::AfterACall => None,
        }
    }

    /// A place for a request that is expected to make so many calls; it is taken with the first of them
    #[must_use]
    pub fn place(&self, priority: Priority, calls: u32) -> Place<'_> {
        Place {
            queue: self,
            priority,
            arrival: Cell::new(None),
            calls_left: Cell::new(calls),
            has_called: Cell::new(false),
        }
    }

    /// Notes that a call was refused for the rate limit: no call passes before `wait` is over.
    pub fn refused(&self, now: Timestamp, wait: Duration) {
        let mut state = self.state.borrow_mut();
        state.budget.refused(now, wait);
        // What was kept for webhooks is gone as well.
        state.spend_webhook_share(now, MAX_WEBHOOK_SHARE);
    }

    /// Waits until a call of an unproven token may go, which must have ended `within` that time: `per_minute` of them
    /// together, few at a time, and while no request waits for its turn.
    ///
    /// # Errors
    /// At once if the calls of this minute are spent, else if no moment comes before `deadline`.
    pub async fn acquire_unproven<'a>(
        &'a self,
        clock: &'a dyn Clock,
        per_minute: u32,
        deadline: Timestamp,
        within: Duration,
    ) -> Result<Permit<'a>, TooLate> {
        self.spend_unproven(clock.now(), per_minute)?;
        loop {
            let now = clock.now();
            let wait = match self.look_unproven(now, within) {
                Ok(number) => return Ok(Permit { queue: self, clock, ticket: None, number, began: now }),
                Err(wait) => wait,
            };
            if now + wait > deadline {
                return Err(TooLate::new(wait));
            }
            clock.sleep(wait.min(MAX_NAP)).await;
        }
    }

    /// Takes one of the calls of this minute.
    fn spend_unproven(&self, now: Timestamp, per_minute: u32) -> Result<(), TooLate> {
        let unproven = &mut self.state.borrow_mut().unproven;
        while unproven.front().is_some_and(|call| now.since(*call) >= UNPROVEN_WINDOW) {
            unproven.pop_front();
        }
        if unproven.len() >= usize::try_from(per_minute).unwrap_or(usize::MAX) {
            let oldest = unproven.front().copied().unwrap_or(now);
            return Err(TooLate::new((oldest + UNPROVEN_WINDOW).since(now)));
        }
        unproven.push_back(now);
        Ok(())
    }

    /// The number of the call, if it may go, else how long to wait
    fn look_unproven(&self, now: Timestamp, within: Duration) -> Result<u64, Duration> {
        let mut state = self.state.borrow_mut();
        state.tidy(now);
        let is_quiet = !state.requests.iter().any(|entry| entry.is_waiting);
        match state.budget.turn(now, 0) {
            Turn::Go if is_quiet && state.unproven_under_way.len() < MAX_UNPROVEN_UNDER_WAY => {
                state.calls += 1;
                let number = state.calls;
                state.unproven_under_way.push((number, now + within + WAITER_TTL));
                Ok(number)
            }
            Turn::Wait(wait) => Err(wait),
            Turn::Go | Turn::AfterACall => Err(POLL_INTERVAL),
        }
    }
}

/// A request's place in the queue, for all its calls; given up when the request ends for whatever reason
#[derive(Debug)]
pub struct Place<'q> {
    queue: &'q Queue,
    priority: Priority,
    arrival: Cell<Option<u64>>,
    calls_left: Cell<u32>,
    has_called: Cell<bool>,
}

impl Place<'_> {
    /// Says how many calls are expected, before the first of them.
    pub fn expect(&self, calls: u32) {
        self.calls_left.set(calls);
    }

    /// Waits for the turn of the request's next call, which must have ended `within` that time.
    ///
    /// # Errors
    /// If the turn does not come before `deadline`; for the first call also if the request's last one would not.
    pub async fn acquire<'a>(
        &'a self,
        clock: &'a dyn Clock,
        deadline: Timestamp,
        within: Duration,
    ) -> Result<Permit<'a>, TooLate> {
        loop {
            let now = clock.now();
            let wait = match self.look(now, deadline) {
                Look::Go => return Ok(self.begin(clock, 1, now, within)),
                Look::Later(wait) if now + wait <= deadline => wait,
                Look::NotFirst if now + POLL_INTERVAL <= deadline => POLL_INTERVAL,
                Look::Later(late) | Look::TooLate(late) => {
                    self.leave();
                    return Err(TooLate::new(late));
                }
                Look::NotFirst => {
                    self.leave();
                    return Err(TooLate::new(POLL_INTERVAL));
                }
            };
            clock.sleep(wait.min(MAX_NAP)).await;
        }
    }

    /// Shows that the request waits, and looks whether its turn has come.
    fn look(&self, now: Timestamp, deadline: Timestamp) -> Look {
        let (ticket, calls) = (self.ticket(), self.calls_left.get().max(1));
        let mut state = self.queue.state.borrow_mut();
        state.tidy(now);
        let entry = state.entry(ticket, calls);
        entry.is_waiting = true;
        entry.alive_until = now + WAITER_TTL;
        if !self.has_called.get() {
            let done_at = state.done_at(ticket, calls, now);
            if done_at > deadline {
                return Look::TooLate(done_at.since(deadline));
            }
        }
        state.look(ticket, now)
    }

    /// The turn of a call that the order does not hold up: it goes before all others, but heeds a refusal and the number of
    /// calls under way like them. `cost` is 0 for one that Twenty does not count, and 1 for one that leaves in order what was
    /// begun: the budget may go into debt for it.
    ///
    /// # Errors
    /// If a refusal holds beyond `deadline`.
    pub async fn acquire_first<'a>(
        &'a self,
        clock: &'a dyn Clock,
        cost: u32,
        deadline: Timestamp,
        within: Duration,
    ) -> Result<Permit<'a>, TooLate> {
        loop {
            let now = clock.now();
            let turn = {
                let mut state = self.queue.state.borrow_mut();
                state.tidy(now);
                state.budget.turn(now, 0)
            };
            let wait = match turn {
                Turn::Go => return Ok(self.begin(clock, cost, now, within)),
                Turn::Wait(wait) => wait,
                Turn::AfterACall => POLL_INTERVAL,
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
        self.calls_left.set(self.calls_left.get().saturating_sub(1));
    }

    fn ticket(&self) -> Ticket {
        let arrival = self.arrival.get().unwrap_or_else(|| {
            let mut state = self.queue.state.borrow_mut();
            state.arrivals += 1;
            state.arrivals
        });
        self.arrival.set(Some(arrival));
        (self.priority, arrival)
    }

    fn begin<'a>(&'a self, clock: &'a dyn Clock, cost: u32, now: Timestamp, within: Duration) -> Permit<'a> {
        let ticket = self.ticket();
        self.has_called.set(self.has_called.get() || cost > 0);
        self.calls_left.set(self.calls_left.get().saturating_sub(cost));
        let mut state = self.queue.state.borrow_mut();
        let entry = state.entry(ticket, self.calls_left.get());
        entry.is_waiting = false;
        entry.alive_until = now + within + WAITER_TTL;
        if self.priority == Priority::Webhook {
            state.spend_webhook_share(now, cost);
        }
        let number = state.begin(cost, now, within);
        Permit { queue: self.queue, clock, ticket: Some(ticket), number, began: now }
    }

    fn leave(&self) {
        if let Some(arrival) = self.arrival.get() {
            let ticket = (self.priority, arrival);
            self.queue.state.borrow_mut().requests.retain(|entry| entry.ticket != ticket);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The right to have one call under way, until it is dropped
pub struct Permit<'a> {
    queue: &'a Queue,
    clock: &'a dyn Clock,
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
        let mut state = self.queue.state.borrow_mut();
        let now = self.clock.now();
        let Some(ticket) = self.ticket else {
            state.unproven_under_way.retain(|(number, _)| *number != self.number);
            return;
        };
        if let Some(at) = state.under_way.iter().position(|(number, _)| *number == self.number) {
            state.under_way.swap_remove(at);
            state.budget.ended(now);
        }
        state.latency = (state.latency * 7 + now.since(self.began)) / 8;
        if let Some(entry) = state.requests.iter_mut().find(|entry| entry.ticket == ticket) {
            entry.alive_until = now + WAITER_TTL;
        }
    }
}

#[cfg(test)]
mod tests;
