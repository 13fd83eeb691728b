//! The one gate through which every call of a process passes.
//!
//! The [`Budget`] decides when a call may go; the gate makes callers wait for it, the most urgent first: a person
//! before a webhook before a nightly job, and within a class in the order of arrival.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::budget::{Budget, Pace, Turn};
use ports::Host;
use ports::time::Timestamp;

/// How urgent a call is; the smaller goes first
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody waits for the answer
    Person,
    /// A payment provider waits, and would come again
    Webhook,
    /// Nobody waits
    Job,
}

/// The turn would come only after the caller's deadline
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLate;

/// A queue in front of a budget
#[derive(Debug)]
pub struct Gate {
    budget: RefCell<Budget>,
    queue: RefCell<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    arrivals: u64,
    /// In the order of their turn
    waiting: Vec<((Priority, u64), Option<Waker>)>,
}

impl Queue {
    fn is_first(&self, ticket: (Priority, u64)) -> bool {
        self.waiting.first().is_some_and(|(first, _)| *first == ticket)
    }

    fn waker_of(&mut self, ticket: (Priority, u64)) -> Option<&mut Option<Waker>> {
        self.waiting.iter_mut().find(|(other, _)| *other == ticket).map(|(_, waker)| waker)
    }

    fn wake_first(&mut self) {
        if let Some(waker) = self.waiting.first_mut().and_then(|(_, waker)| waker.take()) {
            waker.wake();
        }
    }
}

impl Gate {
    /// A gate with a fresh budget
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { budget: RefCell::new(Budget::new(pace)), queue: RefCell::default() }
    }

    /// Waits for the turn of this caller, whose call costs so many tokens, and gives the time that it waited. A call that
    /// the server does not count (a cost of 0) needs no allowance.
    ///
    /// # Errors
    /// If the turn cannot come before `deadline`.
    pub async fn enter<'a, H: Host>(
        &'a self,
        host: &'a H,
        priority: Priority,
        cost: u32,
        deadline: Option<Timestamp>,
    ) -> Result<(Permit<'a, H>, Duration), TooLate> {
        let arrived = host.now();
        let place = Place::take(self, priority);
        loop {
            if !self.queue.borrow().is_first(place.ticket) {
                place.until_woken().await;
                continue;
            }
            let now = host.now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Err(TooLate);
            }
            let turn = self.budget.borrow().turn(now, cost);
            match turn {
                Turn::Go => {
                    self.budget.borrow_mut().began(now, cost);
                    return Ok((Permit { gate: self, host }, now.since(arrived)));
                }
                Turn::Wait(wait) if deadline.is_some_and(|deadline| now + wait > deadline) => return Err(TooLate),
                Turn::Wait(wait) => host.sleep(wait).await,
                Turn::AfterACall => place.until_woken().await,
            }
        }
    }

    /// Requests that may go at once
    pub fn allowance(&self) -> u32 {
        self.budget.borrow().allowance()
    }

    /// Notes that a call was refused for the rate limit: nobody passes before `wait` is over.
    pub fn refused(&self, now: Timestamp, wait: Duration) {
        self.budget.borrow_mut().refused(now, wait);
    }
}

/// A place in the queue, given up when the caller stops waiting for whatever reason
struct Place<'a> {
    gate: &'a Gate,
    ticket: (Priority, u64),
}

impl<'a> Place<'a> {
    fn take(gate: &'a Gate, priority: Priority) -> Self {
        let mut queue = gate.queue.borrow_mut();
        queue.arrivals += 1;
        let ticket = (priority, queue.arrivals);
        let place = queue.waiting.partition_point(|(other, _)| *other < ticket);
        queue.waiting.insert(place, (ticket, None));
        Self { gate, ticket }
    }

    async fn until_woken(&self) {
        let mut parked = false;
        poll_fn(|context| {
            let mut queue = self.gate.queue.borrow_mut();
            let Some(waker) = queue.waker_of(self.ticket) else { return Poll::Ready(()) };
            if parked && waker.is_none() {
                return Poll::Ready(());
            }
            parked = true;
            *waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queue = self.gate.queue.borrow_mut();
        queue.waiting.retain(|(ticket, _)| *ticket != self.ticket);
        queue.wake_first();
    }
}

/// The right to have one call in flight, until it is dropped
#[derive(Debug)]
pub struct Permit<'a, H: Host> {
    gate: &'a Gate,
    host: &'a H,
}

impl<H: Host> Drop for Permit<'_, H> {
    fn drop(&mut self) {
        self.gate.budget.borrow_mut().ended(self.host.now());
        self.gate.queue.borrow_mut().wake_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join, join_all, join3};
    use ports::{Clock, Event, FetchError, Http, Log, Request, Response, async_trait};
    use std::rc::Rc;

    /// A clock that stands still unless somebody sleeps
    struct TestClock(tokio::time::Instant);

    #[async_trait(?Send)]
    impl Http for TestClock {
        async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
            Err(FetchError::Unreachable { reason: "not used".into() })
        }
    }

    #[async_trait(?Send)]
    impl Clock for TestClock {
        async fn sleep(&self, duration: Duration) {
            tokio::time::sleep(duration).await;
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(i64::try_from(self.0.elapsed().as_millis()).unwrap())
        }
    }

    impl Log for TestClock {
        fn log(&self, _: Event) {}
    }

    async fn call(gate: &Gate, host: &TestClock, priority: Priority, order: &RefCell<Vec<Priority>>) {
        let (permit, _) = gate.enter(host, priority, 1, None).await.unwrap();
        order.borrow_mut().push(priority);
        host.sleep(Duration::from_millis(100)).await;
        drop(permit);
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_goes_first() {
        let (host, order) = (TestClock(tokio::time::Instant::now()), RefCell::default());
        let gate = Gate::new(Pace { concurrency: 1, ..Pace::default() });
        join3(
            join(call(&gate, &host, Priority::Job, &order), call(&gate, &host, Priority::Job, &order)),
            call(&gate, &host, Priority::Webhook, &order),
            call(&gate, &host, Priority::Person, &order),
        )
        .await;
        assert_eq!(order.into_inner(), [Priority::Job, Priority::Person, Priority::Webhook, Priority::Job]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_urgent_caller_overtakes_one_that_sleeps_for_the_budget() {
        let (host, order) = (TestClock(tokio::time::Instant::now()), RefCell::default());
        let gate = Gate::new(Pace { burst: 1, requests_per_minute: Some(10), ..Pace::default() });
        let late = async {
            host.sleep(Duration::from_secs(1)).await;
            call(&gate, &host, Priority::Person, &order).await;
        };
        join3(call(&gate, &host, Priority::Job, &order), call(&gate, &host, Priority::Job, &order), late).await;
        assert_eq!(order.into_inner(), [Priority::Job, Priority::Person, Priority::Job]);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_in_flight_never_exceed_the_concurrency() {
        let host = TestClock(tokio::time::Instant::now());
        let gate = Gate::new(Pace { concurrency: 3, requests_per_minute: None, ..Pace::default() });
        let (running, most) = (Rc::new(RefCell::new(0)), RefCell::new(0));
        join_all((0..20_u64).map(|n| {
            let (gate, host, running, most) = (&gate, &host, &running, &most);
            async move {
                let (permit, _) = gate.enter(host, Priority::Job, 1, None).await.unwrap();
                *running.borrow_mut() += 1;
                let count = *running.borrow();
                most.replace_with(|most| (*most).max(count));
                host.sleep(Duration::from_millis(10 + n % 7)).await;
                *running.borrow_mut() -= 1;
                drop(permit);
            }
        }))
        .await;
        assert_eq!(most.into_inner(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_after_the_deadline_is_refused_at_once_and_leaves_the_queue() {
        let (host, order) = (TestClock(tokio::time::Instant::now()), RefCell::default());
        let gate = Gate::new(Pace { burst: 1, requests_per_minute: Some(10), ..Pace::default() });
        call(&gate, &host, Priority::Job, &order).await;
        let before = host.now();
        let refused = gate.enter(&host, Priority::Person, 1, Some(before + Duration::from_secs(2))).await;
        assert!(matches!(refused, Err(TooLate)));
        assert_eq!(host.now(), before);
        call(&gate, &host, Priority::Job, &order).await;
    }
}
