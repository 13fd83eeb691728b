//! Who waits, whose calls are under way, and whose turn it is: decided here, without waiting.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use super::budget::{Admission, Budget, RateLimit};
use super::waiting::{MAX_UNPROVEN_UNDER_WAY, POLL_INTERVAL, Priority, TooLate, UNPROVEN_WINDOW, WAITER_TTL, Waiting};
use ports::Timestamp;

/// The order of requests: by class, then by arrival
pub(super) type Ticket = (Priority, u64);

#[derive(Debug)]
pub(super) struct State {
    waiting: Waiting,
    pub(super) budget: Budget,
    max_webhook_share: u32,
    /// Time in which webhooks earn one token of their share back; nothing without a share or without a budget
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

/// A request that has a place
#[derive(Debug)]
pub(super) struct Entry {
    ticket: Ticket,
    /// Tokens that it is expected to need yet
    tokens_left: u32,
    pub(super) is_waiting: bool,
    /// Past this it is gone
    pub(super) alive_until: Timestamp,
    /// Of the caller that waits to be woken
    pub(super) waker: Option<Waker>,
}

/// What a request sees when it looks whether its turn has come
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Its call may go
    Go,
    /// It is first, and its call may go after this time
    Later(Duration),
    /// It is first, and a call that is under way has to end before
    AfterACall,
    /// Others wait before it
    NotFirst,
    /// It would be done too late, by this much
    TooLate(Duration),
}

impl Look {
    fn or_sooner(self, other: Self) -> Self {
        let time = |look| match look {
            Self::Go => Duration::ZERO,
            Self::AfterACall => POLL_INTERVAL,
            Self::Later(wait) => wait,
            Self::NotFirst | Self::TooLate(_) => Duration::MAX,
        };
        if time(self) <= time(other) { self } else { other }
    }
}

impl State {
    pub(super) fn new(limit: RateLimit, waiting: Waiting) -> Self {
        // Half of what the budget earns
        let interval = limit.requests_per_minute.map(|rate| Duration::from_mins(2) / rate.max(1));
        Self {
            waiting,
            budget: Budget::new(limit),
            max_webhook_share: limit.webhook_share,
            webhook_interval: interval.filter(|_| limit.webhook_share > 0),
            webhook_share_whole_at: Timestamp::default(),
            arrivals: 0,
            calls: 0,
            requests: Vec::new(),
            under_way: Vec::new(),
            latency: Duration::ZERO,
            unproven: VecDeque::new(),
            unproven_under_way: Vec::new(),
        }
    }

    /// The number of the next request
    pub(super) fn arrive(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    /// Requests that wait
    pub(super) fn waiting(&self) -> usize {
        self.requests.iter().filter(|entry| entry.is_waiting).count()
    }

    /// Calls under way
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Forgets requests that are gone and calls that outlived their time, where a runtime may drop them silently.
    pub(super) fn forget_lost(&mut self, now: Timestamp) {
        if self.waiting == Waiting::Woken {
            return;
        }
        self.requests.retain(|entry| entry.alive_until > now);
        while let Some(at) = self.under_way.iter().position(|(_, until)| *until < now) {
            self.under_way.swap_remove(at);
            self.budget.ended(now);
        }
        self.unproven_under_way.retain(|(_, until)| *until >= now);
    }

    /// The entry of a request; one that lost its place gets it back.
    fn entry(&mut self, ticket: Ticket, tokens_left: u32) -> &mut Entry {
        let at = self.requests.partition_point(|other| other.ticket < ticket);
        if self.requests.get(at).is_none_or(|other| other.ticket != ticket) {
            let alive_until = Timestamp::default();
            self.requests.insert(at, Entry { ticket, tokens_left, is_waiting: true, alive_until, waker: None });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found or inserted at this place")]
        let entry = &mut self.requests[at];
        entry.tokens_left = tokens_left;
        entry
    }

    /// The entry of a request that has a place
    pub(super) fn find(&mut self, ticket: Ticket) -> Option<&mut Entry> {
        self.requests.iter_mut().find(|entry| entry.ticket == ticket)
    }

    /// Takes a request's place away; gives whom to wake.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Vec<Waker> {
        self.requests.retain(|entry| entry.ticket != ticket);
        self.next_wakers()
    }

    /// Whoever may have become first: the first waiting request, and the first webhook, which may use its share
    fn next_wakers(&mut self) -> Vec<Waker> {
        let mut waiting = self.requests.iter_mut().filter(|entry| entry.is_waiting);
        let mut wakers = Vec::new();
        let first = waiting.next();
        let is_webhook = |entry: &Entry| entry.ticket.0 == Priority::Webhook;
        let needs_webhook = self.webhook_interval.is_some() && !first.as_deref().is_some_and(is_webhook);
        let webhook = waiting.find(|entry| needs_webhook && is_webhook(entry));
        for entry in first.into_iter().chain(webhook) {
            wakers.extend(entry.waker.take());
        }
        wakers
    }

    fn ahead_of(&self, ticket: Ticket) -> impl Iterator<Item = &Entry> {
        self.requests.iter().take_while(move |entry| entry.ticket < ticket)
    }

    /// Tokens that the webhooks' share holds
    fn webhook_share(&self, now: Timestamp) -> u32 {
        let Some(interval) = self.webhook_interval else { return 0 };
        let spent = self.webhook_share_whole_at.since(now).as_millis().div_ceil(interval.as_millis().max(1));
        // Half of a small budget stays with the others.
        let most = self.max_webhook_share.min(self.budget.capacity() / 2);
        most.saturating_sub(u32::try_from(spent).unwrap_or(u32::MAX))
    }

    fn spend_webhook_share(&mut self, now: Timestamp, tokens: u32) {
        if let Some(interval) = self.webhook_interval {
            let most = now + interval * self.max_webhook_share;
            self.webhook_share_whole_at = (self.webhook_share_whole_at.max(now) + interval * tokens).min(most);
        }
    }

    /// What a request's next call has to leave to others, and whether none of them waits for the same
    fn reserved(&self, ticket: Ticket, now: Timestamp) -> (u32, bool) {
        let mut reserved = if ticket.0 == Priority::Webhook { 0 } else { self.webhook_share(now) };
        let mut is_first = true;
        for entry in self.ahead_of(ticket) {
            reserved += entry.tokens_left.max(entry.is_waiting.into());
            is_first &= !entry.is_waiting;
        }
        (reserved, is_first)
    }

    /// The same within the webhooks' share; nothing if the share does not reach
    fn reserved_in_share(&self, ticket: Ticket, cost: u32, now: Timestamp) -> Option<(u32, bool)> {
        let (mut reserved, mut is_first) = (0, true);
        for entry in self.ahead_of(ticket).filter(|entry| entry.ticket.0 == Priority::Webhook) {
            reserved += entry.tokens_left.max(entry.is_waiting.into());
            is_first &= !entry.is_waiting;
        }
        (ticket.0 == Priority::Webhook && reserved + cost.max(1) <= self.webhook_share(now))
            .then_some((reserved, is_first))
    }

    /// Shows that a request waits, and looks whether its turn has come; `estimate` is the time by which all its calls
    /// must be done, where that is asked.
    pub(super) fn look(
        &mut self,
        ticket: Ticket,
        cost: u32,
        tokens: u32,
        now: Timestamp,
        estimate: Option<Timestamp>,
    ) -> Look {
        self.forget_lost(now);
        let entry = self.entry(ticket, tokens);
        entry.is_waiting = true;
        entry.alive_until = now + WAITER_TTL;
        if let Some(deadline) = estimate {
            let done_at = self.done_at(ticket, tokens, now);
            if done_at > deadline {
                return Look::TooLate(done_at.since(deadline));
            }
        }
        let mut look = Look::NotFirst;
        let ways = [Some(self.reserved(ticket, now)), self.reserved_in_share(ticket, cost, now)];
        for (reserved, _) in ways.into_iter().flatten().filter(|(_, is_first)| *is_first) {
            look = look.or_sooner(match self.budget.admission_after(now, reserved, cost) {
                Admission::Go => return Look::Go,
                Admission::Wait(wait) => Look::Later(wait),
                Admission::AfterACall => Look::AfterACall,
            });
        }
        look
    }

    /// When a request that needs so many tokens will be done, by the calls ahead of it
    fn done_at(&self, ticket: Ticket, tokens: u32, now: Timestamp) -> Timestamp {
        let (reserved, _) = self.reserved(ticket, now);
        let mut needed = reserved + tokens;
        if self.ahead_of(ticket).next().is_none() {
            // Waiting would not help a request that needs more than a small budget ever holds.
            needed = needed.min(self.budget.capacity());
        }
        let mut ready = self.budget.ready_at(now, needed);
        if let (Priority::Webhook, Some(interval)) = (ticket.0, self.webhook_interval) {
            let webhooks = self.ahead_of(ticket).filter(|entry| entry.ticket.0 == Priority::Webhook);
            let needed = webhooks.map(|entry| entry.tokens_left).sum::<u32>() + tokens;
            let earned_at = now + interval * needed.saturating_sub(self.webhook_share(now));
            ready = ready.min(self.budget.ready_at(now, needed).max(earned_at));
        }
        ready + self.latency * tokens
    }

    /// Notes that a call of a request starts, which has to end within `timeout`; gives its number, and whom to wake.
    pub(super) fn begin(
        &mut self,
        ticket: Ticket,
        cost: u32,
        tokens_left: u32,
        now: Timestamp,
        timeout: Duration,
    ) -> (u64, Vec<Waker>) {
        let until = now + timeout + WAITER_TTL;
        let entry = self.entry(ticket, tokens_left);
        entry.is_waiting = false;
        entry.alive_until = until;
        if ticket.0 == Priority::Webhook {
            self.spend_webhook_share(now, cost);
        }
        self.calls += 1;
        self.budget.began(now, cost);
        self.under_way.push((self.calls, until));
        (self.calls, self.next_wakers())
    }

    /// Notes that a call has its answer, or will have none; gives whom to wake.
    pub(super) fn end(&mut self, ticket: Ticket, number: u64, began: Timestamp, now: Timestamp) -> Vec<Waker> {
        if let Some(at) = self.under_way.iter().position(|(other, _)| *other == number) {
            self.under_way.swap_remove(at);
            self.budget.ended(now);
        }
        self.latency = (self.latency * 7 + now.since(began)) / 8;
        if let Some(entry) = self.find(ticket) {
            entry.alive_until = now + WAITER_TTL;
        }
        self.next_wakers()
    }

    /// Notes that a call was refused for the rate limit.
    pub(super) fn refused(&mut self, now: Timestamp, wait: Duration) {
        self.budget.refused(now, wait);
        // What was kept for webhooks is gone as well.
        self.spend_webhook_share(now, self.max_webhook_share);
    }

    /// Takes one of the calls that unproven tokens have in this minute.
    pub(super) fn spend_unproven(&mut self, now: Timestamp, per_minute: u32) -> Result<(), TooLate> {
        let unproven = &mut self.unproven;
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

    /// The number of an unproven token's call, if it may go, else how long to wait
    pub(super) fn begin_unproven(&mut self, now: Timestamp, timeout: Duration) -> Result<u64, Duration> {
        self.forget_lost(now);
        let is_quiet = self.waiting() == 0;
        match self.budget.admission(now, 0) {
            Admission::Go if is_quiet && self.unproven_under_way.len() < MAX_UNPROVEN_UNDER_WAY => {
                self.calls += 1;
                self.unproven_under_way.push((self.calls, now + timeout + WAITER_TTL));
                Ok(self.calls)
            }
            Admission::Wait(wait) => Err(wait),
            Admission::Go | Admission::AfterACall => Err(POLL_INTERVAL),
        }
    }

    /// Notes that an unproven token's call has ended.
    pub(super) fn end_unproven(&mut self, number: u64) {
        self.unproven_under_way.retain(|(other, _)| *other != number);
    }
}
