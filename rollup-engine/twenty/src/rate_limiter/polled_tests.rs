//! The limiter whose callers poll, each request with a place.

use super::*;
use ports::{Clock, Event, FetchError, Http, Log, Request, Response, async_trait};
use std::pin::{Pin, pin};
use std::task::Context;

/// A clock that the test moves
#[derive(Default)]
struct TestClock(Cell<i64>);

impl TestClock {
    fn pass(&self, millis: i64) {
        self.0.set(self.0.get() + millis);
    }
}

#[async_trait(?Send)]
impl Http for TestClock {
    async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
        Err(FetchError::Unreachable { reason: String::new() })
    }
}

#[async_trait(?Send)]
impl Clock for TestClock {
    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        poll_fn(|_| if self.now() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.get())
    }
}

impl Log for TestClock {
    fn log(&self, _: Event) {}
}

/// With the share of webhooks that the proxy gives them
fn polled(limit: RateLimit) -> RateLimiter {
    RateLimiter::new(RateLimit { webhook_share: 8, ..limit }, Waiting::Polled)
}

fn one_at_a_time() -> RateLimiter {
    polled(RateLimit { requests_per_minute: None, concurrency: 1, ..RateLimit::default() })
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const LATER: Timestamp = Timestamp::from_millis(60_000);
const WITHIN: Duration = Duration::from_secs(20);

/// A person goes before a webhook before a job.
#[test]
fn order_of_classes() {
    let (clock, limiter) = (TestClock::default(), one_at_a_time());
    let places =
        [Priority::Job, Priority::Job, Priority::Webhook, Priority::Person].map(|class| limiter.place(class, 1));
    let mut first = pin!(places[0].acquire(&clock, 1, LATER, WITHIN));
    let Poll::Ready(Ok(permit)) = poll(first.as_mut()) else { panic!("the limiter is fresh") };
    let mut job = pin!(places[1].acquire(&clock, 1, LATER, WITHIN));
    let mut webhook = pin!(places[2].acquire(&clock, 1, LATER, WITHIN));
    let mut person = pin!(places[3].acquire(&clock, 1, LATER, WITHIN));
    assert!(
        poll(job.as_mut()).is_pending() && poll(webhook.as_mut()).is_pending() && poll(person.as_mut()).is_pending()
    );
    drop(permit);
    clock.pass(20);
    assert!(poll(job.as_mut()).is_pending() && poll(webhook.as_mut()).is_pending());
    let Poll::Ready(Ok(permit)) = poll(person.as_mut()) else { panic!("a person waits") };
    drop(permit);
    clock.pass(20);
    assert!(poll(job.as_mut()).is_pending());
    assert!(poll(webhook.as_mut()).is_ready());
}

/// A runtime may drop a request without running any of its code.
#[test]
fn silently_dropped_requests() {
    let (clock, limiter) = (TestClock::default(), one_at_a_time());
    let lost = Box::leak(Box::new(limiter.place(Priority::Person, 1)));
    let Poll::Ready(Ok(permit)) = poll(pin!(lost.acquire(&clock, 1, LATER, WITHIN))) else { panic!("nobody is there") };
    std::mem::forget(permit);
    let waiting = Box::leak(Box::new(limiter.place(Priority::Person, 1)));
    let mut waiting = Box::pin(waiting.acquire(&clock, 1, LATER, WITHIN));
    assert!(poll(waiting.as_mut()).is_pending());
    std::mem::forget(waiting);

    let place = limiter.place(Priority::Job, 1);
    let mut job = pin!(place.acquire(&clock, 1, LATER, WITHIN));
    for _ in 0..25 {
        assert!(poll(job.as_mut()).is_pending());
        clock.pass(1_000);
    }
    clock.pass(1_000);
    assert!(poll(job.as_mut()).is_ready());
}

/// Makes one call that ends at once, if its turn has come.
fn call(clock: &TestClock, place: &Place<'_>, seconds: i64) -> Result<bool, TooLate> {
    match poll(pin!(place.acquire(clock, 1, Timestamp::from_millis(seconds * 1_000), WITHIN))) {
        Poll::Ready(permit) => permit.map(|_| true),
        Poll::Pending => Ok(false),
    }
}

/// Of two requests of six calls each, a budget of eight serves the first whole before the second begins.
#[test]
fn turn_of_a_whole_request() {
    let clock = TestClock::default();
    let limiter = polled(RateLimit { burst: 8, requests_per_minute: Some(80), ..RateLimit::default() });
    let (one, two) = (limiter.place(Priority::Webhook, 6), limiter.place(Priority::Webhook, 6));
    assert_eq!(call(&clock, &one, 25), Ok(true));
    assert_eq!((call(&clock, &two, 25), call(&clock, &two, 25)), (Ok(true), Ok(true)), "two are left over");
    assert_eq!(call(&clock, &two, 25), Ok(false));
    for _ in 0..5 {
        assert_eq!(call(&clock, &one, 25), Ok(true));
    }
    assert_eq!(call(&clock, &two, 25), Ok(false));
    clock.pass(6_000);
    assert_eq!(call(&clock, &two, 25), Ok(true));
}

/// Whether a request can be served is told before its first call, by the calls ahead; once begun it is let on.
#[test]
fn refusal_by_calls_ahead() {
    let clock = TestClock::default();
    let limiter = polled(RateLimit { burst: 8, requests_per_minute: Some(80), ..RateLimit::default() });
    let places: Vec<_> = (0..9).map(|_| limiter.place(Priority::Job, 6)).collect();
    let answers: Vec<_> = places.iter().map(|place| call(&clock, place, 25)).collect();
    // Four are kept for webhooks: four at once, and eight more every six seconds until 24 s.
    let told = answers.iter().map(Result::is_ok).collect::<Vec<_>>();
    assert_eq!(told, [true, true, true, true, true, true, false, false, false]);
    assert!(answers[8].unwrap_err().retry_after <= Duration::from_secs(11));
    assert_eq!(limiter.waiting(), 5);
    drop(places);
    assert_eq!(limiter.waiting(), 0);
}

/// A burst of people leaves webhooks what one payment needs, and half of what comes after.
#[test]
fn share_of_webhooks() {
    let clock = TestClock::default();
    let limiter = polled(RateLimit { burst: 80, requests_per_minute: Some(80), ..RateLimit::default() });
    let people: Vec<_> = (0..80).map(|_| limiter.place(Priority::Person, 1)).collect();
    let served = people.iter().filter(|person| call(&clock, person, 25) == Ok(true)).count();
    assert_eq!(served, 72);
    let webhook = limiter.place(Priority::Webhook, 7);
    for _ in 0..7 {
        assert_eq!(call(&clock, &webhook, 9), Ok(true));
    }
    clock.pass(6_000);
    let served = people.iter().skip(72).filter(|person| call(&clock, person, 25) == Ok(true)).count();
    assert_eq!(served, 4);
    assert_eq!(call(&clock, &webhook, 15), Ok(true));
}

/// A request that needs more calls than a small budget holds is begun where nothing is gained by waiting.
#[test]
fn request_larger_than_budget() {
    for class in [Priority::Person, Priority::Webhook, Priority::Job] {
        let clock = TestClock::default();
        let limiter = polled(RateLimit { burst: 2, requests_per_minute: Some(2), ..RateLimit::default() });
        let place = limiter.place(class, 7);
        assert_eq!(call(&clock, &place, 9), Ok(true), "{class:?}");
        assert!(call(&clock, &place, 9).is_err() || class == Priority::Webhook);
        assert!(call(&clock, &limiter.place(class, 7), 9).is_err(), "the second is told at once");
    }
}

/// A refusal for the rate limit is heeded by all, and told at once where it outlasts the caller.
#[test]
fn refusal_by_twenty() {
    let clock = TestClock::default();
    let limiter = polled(RateLimit::default());
    limiter.refused(clock.now(), Duration::from_secs(7));
    let place = limiter.place(Priority::Person, 1);
    assert_eq!(call(&clock, &place, 1).unwrap_err().retry_after, Duration::from_secs(6));
    assert_eq!(limiter.waiting(), 0);
    let mut closing = pin!(place.acquire_first(&clock, 1, Timestamp::from_millis(9_000), WITHIN));
    assert!(poll(closing.as_mut()).is_pending());
    for _ in 0..7 {
        clock.pass(1_000);
        let _ = poll(closing.as_mut());
    }
    assert!(poll(pin!(place.acquire_first(&clock, 1, LATER, WITHIN))).is_ready());
}

/// Unproven tokens have their calls of a minute together, two at a time, and wait while known callers do.
#[test]
fn allowance_of_unproven_tokens() {
    let (clock, limiter) = (TestClock::default(), polled(RateLimit { concurrency: 1, ..RateLimit::default() }));
    let end = Timestamp::from_millis(90_000);
    let pass = || {
        poll(pin!(limiter.acquire_unproven(&clock, 10, end, WITHIN))).map(|pass| pass.map_err(|late| late.retry_after))
    };
    {
        let both = (pass(), pass());
        assert!(both.0.is_ready() && both.1.is_ready());
        assert!(pass().is_pending(), "two are under way");
    }
    for _ in 0..7 {
        assert!(matches!(pass(), Poll::Ready(Ok(_))));
    }
    clock.pass(15_000);
    assert!(matches!(pass(), Poll::Ready(Err(retry_after)) if retry_after == Duration::from_secs(45)));
    clock.pass(45_000);

    let places = [limiter.place(Priority::Job, 1), limiter.place(Priority::Job, 1)];
    let mut first = pin!(places[0].acquire(&clock, 1, end, WITHIN));
    let Poll::Ready(Ok(permit)) = poll(first.as_mut()) else { panic!("the budget is fresh") };
    assert_eq!(call(&clock, &places[1], 90), Ok(false));
    let mut unproven = pin!(limiter.acquire_unproven(&clock, 10, end, WITHIN));
    assert!(poll(unproven.as_mut()).is_pending());
    drop(permit);
    clock.pass(20);
    assert!(poll(unproven.as_mut()).is_pending());
    assert_eq!(call(&clock, &places[1], 90), Ok(true));
    clock.pass(20);
    assert!(poll(unproven.as_mut()).is_ready());
}
