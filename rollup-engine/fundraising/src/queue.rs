//! The way to Twenty for a process that answers many requests at once.
//!
//! The [`Budget`] decides when a call may go; here callers wait for it, the most urgent first: a person before a webhook
//! before a job, and within a class in the order of arrival. It differs from [`twenty::gate::Gate`] in that nobody wakes
//! anybody: each waiting caller looks again by a timer of its own. Some runtimes drop a request whose client has gone
//! without a word, and others forbid one request to run another's code. So a caller who was not seen for a while loses
//! its place, and a call that outlived its time no longer counts as under way.

use std::cell::RefCell;
use std::time::Duration;

use twenty::budget::{Budget, Pace, Turn};
use twenty::gate::Priority;
use twenty::{Host, Timestamp};

/// How often a waiting caller looks whether its turn has come
const GLANCE: Duration = Duration::from_millis(20);
/// A caller that waits for a known time still shows itself this often
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// Who was not seen for so long is gone
const GONE_AFTER: Duration = Duration::from_secs(5);

/// The turn would come only after the caller has gone
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLate {
    /// When it makes sense to come again
    pub retry_after: Duration,
}

/// Callers waiting for Twenty, and calls under way
#[derive(Debug)]
pub struct Queue {
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    budget: Budget,
    arrivals: u64,
    /// In the order of their turn
    waiting: Vec<Waiting>,
    /// Number of the call, and when it must have ended
    under_way: Vec<(u64, Timestamp)>,
}

#[derive(Debug)]
struct Waiting {
    ticket: (Priority, u64),
    seen: Timestamp,
}

impl State {
    /// Forgets who is gone.
    fn tidy(&mut self, now: Timestamp) {
        self.waiting.retain(|waiting| now.since(waiting.seen) < GONE_AFTER);
        while let Some(at) = self.under_way.iter().position(|(_, until)| *until < now) {
            self.under_way.swap_remove(at);
            self.budget.ended(now);
        }
    }

    /// Whether it is this caller's turn; one that lost its place gets it back.
    fn is_first(&mut self, ticket: (Priority, u64), now: Timestamp) -> bool {
        self.tidy(now);
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            waiting.seen = now;
        } else {
            let place = self.waiting.partition_point(|other| other.ticket < ticket);
            self.waiting.insert(place, Waiting { ticket, seen: now });
        }
        self.waiting.first().is_some_and(|first| first.ticket == ticket)
    }
}

impl Queue {
    /// A queue with a fresh budget
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        let state = State { budget: Budget::new(pace), arrivals: 0, waiting: Vec::new(), under_way: Vec::new() };
        Self { state: RefCell::new(state) }
    }

    /// Callers that wait
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting.len()
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
            Turn::Wait(wait) => Some(twenty::time::whole_millis(wait)),
            Turn::AfterACall => None,
        }
    }

    /// Waits for the turn of this caller; the call must have ended `within` that time.
    ///
    /// # Errors
    /// If the turn does not come before `deadline`.
    pub async fn enter<'a, H: Host>(
        &'a self,
        host: &'a H,
        priority: Priority,
        deadline: Timestamp,
        within: Duration,
    ) -> Result<Permit<'a, H>, TooLate> {
        let place = Place { queue: self, ticket: self.take_ticket(priority) };
        loop {
            let now = host.now();
            let wait = match self.look(place.ticket, now, within) {
                Look::Go(number) => return Ok(Permit { queue: self, host, number }),
                Look::Later(wait) => wait,
                Look::NotFirst => GLANCE,
            };
            if now + wait > deadline {
                return Err(TooLate { retry_after: wait.max(Duration::from_secs(1)) });
            }
            host.sleep(wait.min(LONGEST_NAP)).await;
        }
    }

    fn take_ticket(&self, priority: Priority) -> (Priority, u64) {
        let mut state = self.state.borrow_mut();
        state.arrivals += 1;
        (priority, state.arrivals)
    }

    fn look(&self, ticket: (Priority, u64), now: Timestamp, within: Duration) -> Look {
        let mut state = self.state.borrow_mut();
        if !state.is_first(ticket, now) {
            return Look::NotFirst;
        }
        match state.budget.turn(now, 1) {
            Turn::Go => {
                state.budget.began(now, 1);
                state.under_way.push((ticket.1, now + within + GONE_AFTER));
                Look::Go(ticket.1)
            }
            Turn::Wait(wait) => Look::Later(wait),
            Turn::AfterACall => Look::Later(GLANCE),
        }
    }

    /// Notes that a call was refused for the rate limit: nobody passes before `wait` is over.
    pub fn refused(&self, now: Timestamp, wait: Duration) {
        self.state.borrow_mut().budget.refused(now, wait);
    }
}

enum Look {
    Go(u64),
    Later(Duration),
    NotFirst,
}

/// A place in the queue, given up when the caller stops waiting for whatever reason
struct Place<'a> {
    queue: &'a Queue,
    ticket: (Priority, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.state.borrow_mut().waiting.retain(|waiting| waiting.ticket != self.ticket);
    }
}

/// The right to have one call under way, until it is dropped
#[derive(Debug)]
pub struct Permit<'a, H: Host> {
    queue: &'a Queue,
    host: &'a H,
    number: u64,
}

impl<H: Host> Drop for Permit<'_, H> {
    fn drop(&mut self) {
        let mut state = self.queue.state.borrow_mut();
        if let Some(at) = state.under_way.iter().position(|(number, _)| *number == self.number) {
            state.under_way.swap_remove(at);
            state.budget.ended(self.host.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use twenty::{Event, Request, Response, Unreachable};

    /// A clock that the test moves
    #[derive(Default)]
    struct Clock(Cell<i64>);

    impl Clock {
        fn pass(&self, millis: i64) {
            self.0.set(self.0.get() + millis);
        }
    }

    impl Host for Clock {
        async fn fetch(&self, _: Request) -> Result<Response, Unreachable> {
            Err(Unreachable { reason: String::new() })
        }

        async fn sleep(&self, duration: Duration) {
            let until = self.now() + duration;
            std::future::poll_fn(|_| if self.now() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.get())
        }

        fn log(&self, _: Event) {}

        fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> {
            None
        }
    }

    fn one_at_a_time() -> Queue {
        Queue::new(Pace { requests_per_minute: None, concurrency: 1, ..Pace::default() })
    }

    const LATER: Timestamp = Timestamp::from_millis(60_000);
    const WITHIN: Duration = Duration::from_secs(20);

    #[test]
    fn people_go_before_webhooks_before_jobs() {
        let (clock, queue) = (Clock::default(), one_at_a_time());
        let mut context = Context::from_waker(Waker::noop());
        let mut first = pin!(queue.enter(&clock, Priority::Job, LATER, WITHIN));
        let Poll::Ready(Ok(permit)) = first.as_mut().poll(&mut context) else { panic!("nobody is there") };
        let mut job = pin!(queue.enter(&clock, Priority::Job, LATER, WITHIN));
        let mut webhook = pin!(queue.enter(&clock, Priority::Webhook, LATER, WITHIN));
        let mut person = pin!(queue.enter(&clock, Priority::Person, LATER, WITHIN));
        assert!(job.as_mut().poll(&mut context).is_pending());
        assert!(webhook.as_mut().poll(&mut context).is_pending());
        assert!(person.as_mut().poll(&mut context).is_pending());
        drop(permit);
        clock.pass(20);
        assert!(job.as_mut().poll(&mut context).is_pending());
        assert!(webhook.as_mut().poll(&mut context).is_pending());
        let Poll::Ready(Ok(permit)) = person.as_mut().poll(&mut context) else { panic!("a person waits") };
        drop(permit);
        clock.pass(20);
        assert!(job.as_mut().poll(&mut context).is_pending());
        assert!(webhook.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_request_that_was_forgotten_holds_nobody_up() {
        let (clock, queue) = (Clock::default(), one_at_a_time());
        let mut context = Context::from_waker(Waker::noop());
        let mut lost = Box::pin(queue.enter(&clock, Priority::Person, LATER, WITHIN));
        let Poll::Ready(Ok(permit)) = lost.as_mut().poll(&mut context) else { panic!("nobody is there") };
        // The runtime drops the request without running any of its code: one in the middle of a call, one in the queue.
        std::mem::forget(permit);
        let mut waiting = Box::pin(queue.enter(&clock, Priority::Person, LATER, WITHIN));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        std::mem::forget(waiting);

        let mut job = pin!(queue.enter(&clock, Priority::Job, LATER, WITHIN));
        for _ in 0..24 {
            assert!(job.as_mut().poll(&mut context).is_pending());
            clock.pass(1_000);
        }
        clock.pass(2_000);
        assert!(job.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn who_cannot_be_served_in_time_is_told_at_once() {
        let clock = Clock::default();
        let queue = Queue::new(Pace { burst: 1, ..Pace::default() });
        let mut context = Context::from_waker(Waker::noop());
        let soon = Timestamp::from_millis(1_000);
        let mut first = pin!(queue.enter(&clock, Priority::Person, soon, WITHIN));
        let Poll::Ready(Ok(permit)) = first.as_mut().poll(&mut context) else { panic!("nobody is there") };
        drop(permit);
        queue.refused(clock.now(), Duration::from_secs(7));
        let mut second = pin!(queue.enter(&clock, Priority::Person, soon, WITHIN));
        let Poll::Ready(Err(late)) = second.as_mut().poll(&mut context) else { panic!("it would be too late") };
        assert_eq!(late.retry_after, Duration::from_secs(7));
        assert_eq!(queue.waiting(), 0);
    }
}
