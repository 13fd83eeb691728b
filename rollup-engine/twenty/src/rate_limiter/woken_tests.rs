//! The limiter whose callers wake each other.

use std::rc::Rc;

use super::*;
use futures_util::future::{join, join_all, join3};
use ports::Clock;
use support::StubHost;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A clock that stands still unless a caller sleeps
fn clock() -> StubHost<'static> {
    StubHost::offline().in_tokio_time()
}

async fn call(limiter: &RateLimiter, host: &StubHost<'_>, priority: Priority, order: &RefCell<Vec<Priority>>) {
    let permit = limiter.acquire(host, priority, 1, None, TIMEOUT).await.unwrap();
    order.borrow_mut().push(priority);
    host.sleep(Duration::from_millis(100)).await;
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn order_of_classes() {
    let (host, order) = (clock(), RefCell::default());
    let limiter = RateLimiter::new(RateLimit { concurrency: 1, ..RateLimit::default() }, Waiting::Woken);
    join3(
        join(call(&limiter, &host, Priority::Job, &order), call(&limiter, &host, Priority::Job, &order)),
        call(&limiter, &host, Priority::Webhook, &order),
        call(&limiter, &host, Priority::Person, &order),
    )
    .await;
    assert_eq!(order.into_inner(), [Priority::Job, Priority::Person, Priority::Webhook, Priority::Job]);
}

#[tokio::test(start_paused = true)]
async fn urgent_caller_before_a_sleeping_one() {
    let (host, order) = (clock(), RefCell::default());
    let limiter =
        RateLimiter::new(RateLimit { burst: 1, requests_per_minute: Some(10), ..RateLimit::default() }, Waiting::Woken);
    let late = async {
        host.sleep(Duration::from_secs(1)).await;
        call(&limiter, &host, Priority::Person, &order).await;
    };
    join3(call(&limiter, &host, Priority::Job, &order), call(&limiter, &host, Priority::Job, &order), late).await;
    assert_eq!(order.into_inner(), [Priority::Job, Priority::Person, Priority::Job]);
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_within_concurrency() {
    let host = clock();
    let limiter = RateLimiter::new(
        RateLimit { concurrency: 3, requests_per_minute: None, ..RateLimit::default() },
        Waiting::Woken,
    );
    let (running, most) = (Rc::new(RefCell::new(0)), RefCell::new(0));
    join_all((0..20_u64).map(|n| {
        let (limiter, host, running, most) = (&limiter, &host, &running, &most);
        async move {
            let permit = limiter.acquire(host, Priority::Job, 1, None, TIMEOUT).await.unwrap();
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
async fn turn_after_the_deadline() {
    let (host, order) = (clock(), RefCell::default());
    let limiter =
        RateLimiter::new(RateLimit { burst: 1, requests_per_minute: Some(10), ..RateLimit::default() }, Waiting::Woken);
    call(&limiter, &host, Priority::Job, &order).await;
    let before = host.now();
    let refused = limiter.acquire(&host, Priority::Person, 1, Some(before + Duration::from_secs(2)), TIMEOUT).await;
    assert!(matches!(refused, Err(TooLate { .. })));
    assert_eq!(host.now(), before);
    call(&limiter, &host, Priority::Job, &order).await;
}
