//! The rate limit of a workspace is shared by every caller of it.

use std::time::Duration;

use futures_util::future::join;
use ports::{Clock, Http, Method, Request};
use rollup::report::Status;
use rollup::{Options, calculate_rollups};
use sandbox::{Faults, Limits, SandboxHost};
use serde_json::json;

use super::common::EngineWorld;

/// A big workspace for the default budget: some 130 requests to read, and as many parents to write as there are
fn big() -> EngineWorld {
    EngineWorld::with_gifts(Limits::default(), 6_000, 16_000).by_rest()
}

fn slow_server(seed: u64) -> Faults {
    Faults::none().latency(Duration::from_millis(40), Duration::from_millis(400)).seed(seed)
}

fn get(world: &EngineWorld) -> Request {
    Request {
        method: Method::Get,
        url: "http://twenty.test/rest/gifts?limit=1".into(),
        headers: vec![("authorization".into(), format!("Bearer {}", world.token))],
        body: None,
        timeout: Duration::from_secs(30),
    }
}

/// Calls in a fixed rhythm until told to stop; answers how many calls were made, and how many were refused.
async fn call_every(
    host: &SandboxHost,
    world: &EngineWorld,
    period: Duration,
    stop: &std::cell::Cell<bool>,
) -> (u32, u32) {
    let (mut calls, mut refused) = (0, 0);
    while !stop.get() {
        host.sleep(period).await;
        calls += 1;
        refused += u32::from(host.fetch(get(world)).await.unwrap().status == 429);
    }
    (calls, refused)
}

async fn rebuild_beside(world: &EngineWorld, faults: Faults, period: Duration) -> (rollup::Report, (u32, u32)) {
    let host = world.host(faults);
    let other = host.beside(Faults::none());
    let stop = std::cell::Cell::new(false);
    let rebuild = async {
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        stop.set(true);
        report
    };
    join(rebuild, call_every(&other, world, period, &stop)).await
}

#[tokio::test(start_paused = true)]
async fn alone_the_engine_is_never_refused() {
    for faults in [Faults::none(), slow_server(1)] {
        let world = big();
        let report = calculate_rollups(&world.host(faults), &json!({}), &world.options()).await;
        assert_eq!((report.status, report.requests.throttled), (Status::Ok, 0), "{:?}", report.requests);
        assert!(report.requests.total > 140, "{:?}", report.requests);
        assert_eq!(world.wrong(), Vec::<String>::new());
        assert_eq!(world.sandbox.borrow().usage().refused, 0);
    }
}

/// Another key that calls ten times a minute is not refused
#[tokio::test(start_paused = true)]
async fn second_key_is_not_throttled() {
    for (seed, phase) in [(1, 0), (2, 1_700), (3, 3_300)] {
        let world = big();
        tokio::time::sleep(Duration::from_millis(phase)).await;
        let (report, (calls, refused)) = rebuild_beside(&world, slow_server(seed), Duration::from_secs(6)).await;
        assert_eq!(report.status, Status::Ok, "{report:?}");
        assert!(calls >= 5, "{calls}");
        assert_eq!(refused, 0, "of {calls}, while the engine itself was refused {} times", report.requests.throttled);
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}

/// A caller that eats half the bucket slows the engine and loses it nothing
#[tokio::test(start_paused = true)]
async fn busy_second_caller() {
    let alone = big();
    let undisturbed = calculate_rollups(&alone.host(slow_server(5)), &json!({}), &alone.options()).await;
    let world = big();
    let (report, _) = rebuild_beside(&world, slow_server(5), Duration::from_millis(1_200)).await;
    assert_eq!((report.status, report.totals.failed), (Status::Ok, 0), "{report:?}");
    assert!(report.requests.throttled > 0, "{:?}", report.requests);
    assert!(report.took_ms > undisturbed.took_ms, "{} and {} ms", report.took_ms, undisturbed.took_ms);
    assert_eq!(world.wrong(), Vec::<String>::new());
}

/// When the time runs out the run ends as partial and the next ones finish
#[tokio::test(start_paused = true)]
async fn partial_run_is_finished_by_next_runs() {
    let world = big();
    let limited = Options { time_limit: Some(Duration::from_secs(40)), ..world.options() };
    let report = calculate_rollups(&world.host(slow_server(6)), &json!({}), &limited).await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Partial, Some("out_of_time")), "{report:?}");
    assert!(report.took_ms < 40_000, "{}", report.took_ms);
    assert!(report.totals.updated > 0);
    let report = world.run(&json!({})).await;
    assert_eq!(report.status, Status::Ok);
    assert_eq!(world.wrong(), Vec::<String>::new());
}
