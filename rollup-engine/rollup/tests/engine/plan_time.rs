//! The time that a plan promises, what a run says of the time that is left, and the waits that it tells of.

use std::cell::RefCell;
use std::time::Duration;

use ports::{Clock, Timestamp};
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;
use tokio::time::Instant;

use super::common::{EngineWorld, defaults, writes};

/// Whatever a server takes for an answer, up to a second, the rebuild takes no less and no more than its plan says
#[tokio::test(start_paused = true)]
async fn rebuild_keeps_to_the_time_of_its_plan() {
    for millis in [0, 100, 500, 1_000] {
        let world = EngineWorld::with_gifts(Limits::default(), 6_000, 6_000);
        let config = json!({ "definitions": [defaults()[0]], "pacing": { "burst": 10 } });
        let call = Duration::from_millis(millis);
        let host = world.host(Faults::none().latency(call, call));
        let report = calculate_rollups(&host, &json!({}), &world.configured(config)).await;
        assert_eq!((report.status, report.totals.updated > 5_000), (Status::Ok, true));
        let plan = json!(report.plan);
        let (least, most) = (plan["seconds"].as_u64().unwrap(), plan["secondsAtMost"].as_u64().unwrap());
        // The plan assumes that all parents differ, and a few of them are right already.
        let took = report.took_ms / 1_000 + 2;
        assert!(took >= least && took <= most + 2, "{millis} ms: {took} s, planned were {least} to {most}");
        assert!(most < 3 * least, "{millis} ms: {least} to {most} says nothing");
    }
}

/// The time left falls to nothing, and once writing is under way it is near the truth
#[tokio::test(start_paused = true)]
async fn time_left_is_measured_on_the_way() {
    let world = EngineWorld::with_gifts(Limits::default(), 6_000, 6_000);
    let config = json!({ "definitions": [defaults()[0]], "pacing": { "burst": 10 } });
    let began = Instant::now();
    let answered = RefCell::new(Vec::new());
    let slow = world.host(Faults::none().latency(Duration::from_secs(1), Duration::from_secs(1)));
    let host = InterceptHost::new(slow).after(|request, answer| {
        if writes(request) {
            answered.borrow_mut().push(began.elapsed().as_secs());
        }
        answer
    });
    let report = calculate_rollups(&host, &json!({}), &world.configured(config)).await;
    let lines = host.inner.log_lines();
    let told = lines.iter().filter(|line| line.event == "parents_written");
    let told = told.map(|line| line.field("secondsLeft").and_then(Value::as_u64).unwrap());
    let left: Vec<(u64, u64)> = answered.take().into_iter().zip(told).collect();
    assert!(left.len() > 20);
    let whole = report.took_ms / 1_000;
    for (after, left) in &left[left.len() / 4..] {
        let promised = after + left;
        assert!(promised.abs_diff(whole) <= whole / 4, "after {after} s of {whole} s: {left} s left; {left:?}");
    }
    assert!(left.last().unwrap().1 <= 1, "{left:?}");
}

/// Each wait for the rate limit is told with its end, before it begins
#[tokio::test(start_paused = true)]
async fn waits_for_the_rate_limit_are_logged() {
    let world = EngineWorld::with_gifts(Limits::default(), 4_000, 4_000);
    let config = json!({ "definitions": [defaults()[0]], "pacing": { "burst": 10 } });
    let waited = RefCell::new(Vec::new());
    let host = InterceptHost::new(world.host(Faults::none())).waiting(|wait| {
        waited.borrow_mut().push(u64::try_from(wait.as_millis()).unwrap());
        wait
    });
    let began = host.now();
    calculate_rollups(&host, &json!({}), &world.configured(config)).await;
    let lines = host.inner.log_lines();
    let told: Vec<_> = lines.iter().filter(|line| line.event == "request_held_back").collect();
    let millis: Vec<u64> = told.iter().map(|line| line.field("waitMs").and_then(Value::as_u64).unwrap()).collect();
    assert!(millis.len() >= 2, "{millis:?}");
    waited.borrow_mut().retain(|millis| *millis >= 1_000);
    assert_eq!(millis, *waited.borrow());
    for line in told {
        let until = Timestamp::parse(line.field("until").and_then(Value::as_str).unwrap()).unwrap();
        assert!(until > began && until <= host.now(), "{until}");
        assert!(line.field("endpoint").is_some());
    }
}
