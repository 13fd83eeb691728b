//! The limiter against a slow and obvious model: random arrivals, costs and refusals, in both ways of waiting.
//!
//! The model keeps the whole history. A call may go when a fresh budget that is told the whole history lets it go, and
//! who goes is looked up in the list of all that wait.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake};

use proptest::prelude::*;

use super::budget::Budget;
use super::*;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A request of some calls, one after the other
#[derive(Clone, Debug)]
struct Script {
    arrives_after: i64,
    priority: Priority,
    /// Its calls: cost, duration, and for how long Twenty then refuses all
    calls: Vec<(u32, i64, Option<u64>)>,
    /// From its arrival on
    patience: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Began(u32),
    Ended,
    Refused(u64),
}

#[derive(Debug, Default)]
struct Model {
    history: Vec<(i64, Change)>,
    waiting: BTreeSet<(Priority, usize)>,
    /// For how long the first one could have gone
    idle_since: Option<i64>,
    late: usize,
}

impl Model {
    fn budget(&self, limit: RateLimit) -> Budget {
        let mut budget = Budget::new(limit);
        for (at, change) in &self.history {
            let at = Timestamp::from_millis(*at);
            match change {
                Change::Began(cost) => budget.began(at, *cost),
                Change::Ended => budget.ended(at),
                Change::Refused(wait) => budget.refused(at, Duration::from_millis(*wait)),
            }
        }
        budget
    }

    /// A window of so many milliseconds that ends with the latest call holds no more than a full budget, what is
    /// earned meanwhile, and what one large call overdraws.
    fn check_windows(&self, limit: RateLimit, max_cost: u32) {
        let Some(rate) = limit.requests_per_minute else { return };
        let refill = 60_000 / i64::from(rate) * 4 / 5 + 20;
        let Some((end, _)) = self.history.last() else { return };
        let mut spent = 0;
        for (at, change) in self.history.iter().rev() {
            if let Change::Began(cost) = change {
                spent += i64::from(*cost);
                let earned = (end - at) / refill;
                let most = i64::from(limit.burst.max(rate / 10)) + i64::from(max_cost) + earned;
                assert!(spent <= most, "{spent} tokens in {} ms, {most} are allowed: {:?}", end - at, self.history);
            }
        }
    }
}

/// Time that the test moves, and who sleeps
#[derive(Default)]
struct TestClock {
    now: Cell<i64>,
    sleeping: RefCell<Vec<(i64, Waker)>>,
}

#[ports::async_trait(?Send)]
impl Clock for TestClock {
    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.sleeping.borrow_mut().push((until.as_millis(), context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.get())
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct World {
    clock: TestClock,
    limit: RateLimit,
    limiter: RateLimiter,
    model: RefCell<Model>,
    max_cost: u32,
}

impl World {
    async fn request(self: Rc<Self>, number: usize, script: Script) {
        let (clock, limiter, model) = (&self.clock, &self.limiter, &self.model);
        let me = (script.priority, number);
        let deadline = script.patience.map(|patience| clock.now() + Duration::from_millis(patience));
        let tokens = script.calls.iter().map(|(cost, ..)| cost).sum();
        let is_single = script.calls.len() == 1;
        let place = limiter.place(script.priority, tokens);
        for (cost, lasts, refusal) in script.calls {
            let asked = clock.now.get();
            model.borrow_mut().waiting.insert(me);
            let permit = if is_single {
                limiter.acquire(clock, script.priority, cost, deadline, TIMEOUT).await
            } else {
                place.acquire(clock, cost, deadline, TIMEOUT).await
            };
            let now = clock.now.get();
            {
                let mut seen = model.borrow_mut();
                seen.waiting.remove(&me);
                if permit.is_err() {
                    assert!(deadline.is_some());
                    seen.late += 1;
                    return;
                }
                self.check_order(&seen, me);
                assert!(deadline.is_none_or(|deadline| now <= deadline.as_millis()) || now == asked, "too late");
                let allowed = seen.budget(self.limit).admission(clock.now(), cost);
                assert_eq!(allowed, Admission::Go, "{me:?} at {now}: {:?}", seen.history);
                seen.history.push((now, Change::Began(cost)));
                seen.check_windows(self.limit, self.max_cost);
            }
            clock.sleep(Duration::from_millis(lasts.unsigned_abs())).await;
            let now = clock.now.get();
            drop(permit);
            model.borrow_mut().history.push((now, Change::Ended));
            if let Some(wait) = refusal {
                limiter.refused(clock.now(), Duration::from_millis(wait));
                model.borrow_mut().history.push((now, Change::Refused(wait)));
            }
        }
    }

    /// No request of its class or of a more urgent one waited before it; only webhooks overtake, by their share.
    fn check_order(&self, model: &Model, me: (Priority, usize)) {
        let overtakes = self.limit.webhook_share > 0 && me.0 == Priority::Webhook;
        let mut before = model.waiting.iter().filter(|other| **other < me);
        assert!(before.all(|other| overtakes && other.0 < me.0), "{me:?} overtakes {:?}", model.waiting);
    }

    /// The first request does not wait for longer than its way of waiting takes to notice that it may go.
    fn check_progress(&self, single: bool) {
        let mut model = self.model.borrow_mut();
        let now = self.clock.now.get();
        // What is left may be reserved for others.
        if !single || self.limit.webhook_share > 0 || model.waiting.is_empty() {
            return;
        }
        let may_go = model.budget(self.limit).admission(self.clock.now(), self.max_cost) == Admission::Go;
        let since = if may_go { model.idle_since.unwrap_or(now) } else { now };
        model.idle_since = may_go.then_some(since);
        match self.limiter.waiting {
            Waiting::Woken => assert!(!may_go, "no call goes at {now}: {:?}", model.waiting),
            Waiting::Polled => assert!(now - since <= 1_000, "no call goes from {since} to {now}: {:?}", model.waiting),
        }
    }
}

type Task = (Pin<Box<dyn Future<Output = ()>>>, Arc<Flag>);

/// Runs all requests to their end, and polls a request only where it was woken; gives how many were told that it is too late.
fn run(limit: RateLimit, waiting: Waiting, scripts: &[Script]) -> usize {
    let max_cost = scripts.iter().flat_map(|script| &script.calls).map(|call| call.0).max().unwrap_or(0);
    let single = scripts.iter().all(|script| script.calls.len() == 1);
    let world = Rc::new(World {
        clock: TestClock::default(),
        limit,
        limiter: RateLimiter::new(limit, waiting),
        model: RefCell::default(),
        max_cost,
    });
    let mut tasks: Vec<Task> = Vec::new();
    let mut arrivals = scripts.iter().cloned().enumerate().peekable();
    let mut next_arrival = scripts.first().map_or(0, |script| script.arrives_after);
    loop {
        let now = world.clock.now.get();
        assert!(now < 24 * 3_600_000, "a request starves: {:?}", world.model.borrow().waiting);
        while let Some((number, script)) = arrivals.next_if(|_| next_arrival <= now) {
            let flag = Arc::new(Flag::default());
            flag.0.store(true, Ordering::Relaxed);
            tasks.push((Box::pin(Rc::clone(&world).request(number, script)), flag));
            next_arrival += arrivals.peek().map_or(0, |(_, script)| script.arrives_after);
        }
        world.clock.sleeping.borrow_mut().retain(|(until, waker)| {
            let is_due = *until <= now;
            if is_due {
                waker.wake_by_ref();
            }
            !is_due
        });
        while tasks.iter().any(|(_, flag)| flag.0.load(Ordering::Relaxed)) {
            tasks.retain_mut(|(task, flag)| {
                let was_woken = flag.0.swap(false, Ordering::Relaxed);
                !was_woken || task.as_mut().poll(&mut Context::from_waker(&Arc::clone(flag).into())).is_pending()
            });
        }
        world.check_progress(single);
        let next = world.clock.sleeping.borrow().iter().map(|(until, _)| *until).min();
        let arrival = arrivals.peek().map(|_| next_arrival);
        match next.into_iter().chain(arrival).min() {
            Some(next) => world.clock.now.set(next),
            None => break,
        }
    }
    assert!(tasks.is_empty(), "nobody wakes {:?}", world.model.borrow().waiting);
    assert_eq!((world.limiter.waiting(), world.limiter.under_way()), (0, 0));
    world.model.borrow().late
}

fn limits() -> impl Strategy<Value = RateLimit> {
    let rates = prop_oneof![Just(None), Just(Some(60)), Just(Some(80)), Just(Some(600))];
    let pauses = prop_oneof![4 => Just(0), 1 => 1..400_u64];
    (rates, 1..20_u32, 1..5_u32, pauses).prop_map(|(requests_per_minute, burst, concurrency, pause)| RateLimit {
        requests_per_minute,
        burst,
        concurrency,
        pause: Duration::from_millis(pause),
        webhook_share: 0,
    })
}

fn scripts(most_calls: usize, most_cost: u32) -> impl Strategy<Value = Vec<Script>> {
    let refusal = prop_oneof![9 => Just(None), 1 => (0..8_000_u64).prop_map(Some)];
    let call = (0..=most_cost, 0..900_i64, refusal);
    let priority = prop_oneof![Just(Priority::Person), Just(Priority::Webhook), Just(Priority::Job)];
    let patience = prop_oneof![2 => Just(None), 1 => (1..30_000_u64).prop_map(Some)];
    let gap = prop_oneof![Just(0), 1..60_i64, 1..3_000_i64];
    let script = (gap, priority, prop::collection::vec(call, 1..=most_calls), patience);
    let script = script.prop_map(|(arrives_after, priority, calls, patience)| Script {
        arrives_after,
        priority,
        calls,
        patience,
    });
    prop::collection::vec(script, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Single calls, as the rollups' client makes them, whatever they cost.
    #[test]
    fn single_calls_of_woken_callers(limit in limits(), scripts in scripts(1, 9)) {
        run(limit, Waiting::Woken, &scripts);
    }

    /// Requests with places, as the proxy's are.
    #[test]
    fn requests_of_polling_callers(limit in limits(), share in 0..9_u32, scripts in scripts(6, 1)) {
        run(RateLimit { webhook_share: share, ..limit }, Waiting::Polled, &scripts);
    }

    /// Each way of waiting with what the other one is used for.
    #[test]
    fn other_uses_of_both_ways(limit in limits(), share in 0..9_u32, scripts in scripts(4, 3)) {
        for waiting in [Waiting::Woken, Waiting::Polled] {
            run(RateLimit { webhook_share: share, ..limit }, waiting, &scripts);
        }
    }
}
