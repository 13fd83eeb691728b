//! Deadlines, checkpoints, the lease, and the patience of runs that events start.

use std::time::Duration;

use rollup::report::{Mode, Status};
use rollup::{Options, Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, defaults, id, refusal};

/// Too much for one run on a server that takes two seconds for an answer
fn big() -> EngineWorld {
    EngineWorld::with_gifts(Limits::off(), 1_000, 4_000).by_rest()
}

async fn limited(world: &EngineWorld, payload: &Value) -> Report {
    let slow = Faults::none().latency(Duration::from_secs(2), Duration::from_secs(2));
    let options = Options { time_limit: Some(Duration::from_mins(1)), ..world.options() };
    let report = calculate_rollups(&world.host(slow), payload, &options).await;
    assert!(report.took_ms < 60_000, "{}", report.took_ms);
    world.later(5);
    report
}

/// A run without time hands on through a job a store or its caller
#[tokio::test(start_paused = true)]
async fn out_of_time_run_is_continued() {
    for (world, memory) in [(big().with_jobs(), 0), (big().with_store(), 1), (big(), 2)] {
        let mut payload = json!({});
        let mut runs = 0;
        loop {
            let report = limited(&world, &payload).await;
            runs += 1;
            if report.status == Status::Ok {
                break;
            }
            assert!(runs < 30, "{report:?}");
            assert_eq!((report.status, report.code.as_deref()), (Status::Partial, Some("out_of_time")), "{report:?}");
            assert_eq!(report.continued, memory == 0, "run {runs}: {report:?}");
            payload = match memory {
                0 => world.platform.take_jobs().pop().unwrap().payload,
                1 => {
                    assert!(world.platform.kept("rollups.checkpoint").is_some());
                    json!({})
                }
                _ => json!({ "checkpoint": report.checkpoint.unwrap() }),
            };
        }
        assert!(runs > 1, "one run was enough");
        assert_eq!(world.wrong(), Vec::<String>::new());
        assert_eq!(world.platform.kept("rollups.checkpoint"), None);
    }
}

/// A checkpoint of another configuration is not followed
#[tokio::test(start_paused = true)]
async fn checkpoint_of_another_configuration() {
    for way in [Way::Slices(10), Way::GraphQl] {
        let world = EngineWorld::with_gifts(Limits::default(), 30, 90).by(Way::Slices(10)).with_store();
        let first = world.run(&json!({})).await;
        assert_eq!(first.code.as_deref(), Some("batch_done"));
        let checkpoint = json!({ "checkpoint": first.checkpoint });
        let kept = world.platform.kept("rollups.checkpoint");
        assert!(kept.is_some());
        // The parents of the first batch go wrong, and the configuration changes.
        for number in 0..30 {
            world.patch("person", id("person", number), &json!({ "lifetimeGiftCount": 99 }));
        }
        let world = world.by(way);
        let config = json!({ "definitions": defaults(), "timeZone": "Europe/London" });
        let options = world.configured(config);
        for start in [json!({}), checkpoint] {
            let mut payload = start;
            loop {
                let report = calculate_rollups(&world.host(Faults::none()), &payload, &options).await;
                world.later(1);
                match report.checkpoint {
                    Some(checkpoint) => payload = json!({ "checkpoint": checkpoint }),
                    None => break,
                }
            }
            assert_eq!(world.wrong(), Vec::<String>::new());
            for number in 0..30 {
                world.patch("person", id("person", number), &json!({ "lifetimeGiftCount": 99 }));
            }
            assert!(world.platform.keep("rollups.checkpoint", kept.as_deref()));
        }
    }
}

/// A run that makes no headway is not started again
#[tokio::test(start_paused = true)]
async fn run_without_progress_is_not_continued() {
    let named = json!({ "requestContext": {}, "body": { "parentObject": "person", "ids": [id("person", 3)] } });
    for payload in [json!({}), named] {
        continue_until_no_job(payload).await;
    }
}

async fn continue_until_no_job(mut payload: Value) {
    let world = EngineWorld::with_gifts(Limits::default(), 30, 90).with_jobs();
    let slow = || Faults::none().latency(Duration::from_secs(40), Duration::from_secs(40));
    let options = Options { time_limit: Some(Duration::from_secs(100)), ..world.options() };
    for round in 0..10 {
        let report = calculate_rollups(&world.host(slow()), &payload, &options).await;
        assert_ne!(report.status, Status::Ok);
        world.later(20);
        let Some(job) = world.platform.take_jobs().pop() else {
            assert!(!report.continued && round > 0, "{report:?}");
            return;
        };
        payload = job.payload;
    }
    panic!("it starts itself for ever");
}

/// A lease keeps runs over everything apart until it expires
#[tokio::test(start_paused = true)]
async fn lease_excludes_other_rebuilds() {
    let world = EngineWorld::with_gifts(Limits::default(), 30, 90).with_store();
    let until = (world.now.get() + Duration::from_mins(10)).as_millis();
    assert!(world.platform.keep("rollups.lease", Some(&format!("{until} 42"))));
    for payload in [json!({}), json!({ "sweep": true })] {
        let report = world.run(&payload).await;
        assert_eq!(
            (report.status, report.code.as_deref(), report.requests.total),
            (Status::Noop, Some("another_run"), 0)
        );
    }
    // Runs that only look, and those for named parents, do not wait.
    assert_eq!(world.run(&json!({ "dryRun": true })).await.status, Status::Ok);
    let named = json!({ "requestContext": {}, "body": { "ids": [id("person", 3)] } });
    assert_eq!(world.run(&named).await.totals.updated, 1);
    world.later(11);
    let report = world.run(&json!({})).await;
    assert_eq!((report.status, report.totals.updated), (Status::Ok, 29), "{report:?}");
    assert_eq!(world.platform.kept("rollups.lease"), None);
}

/// A lease lasts as long as its run may
#[tokio::test(start_paused = true)]
async fn lease_duration() {
    let world = EngineWorld::with_gifts(Limits::default(), 30, 90).with_store();
    let host = world.host(Faults::none().crash(2, false));
    let options = Options { time_limit: Some(Duration::from_mins(2)), ..world.options() };
    assert!(host.until_crash(calculate_rollups(&host, &json!({}), &options)).await.is_none());
    world.later(1);
    assert_eq!(world.run(&json!({})).await.status, Status::Noop);
    world.later(1);
    assert_eq!(world.run(&json!({})).await.status, Status::Ok);
}

fn gift_event(world: &EngineWorld) -> Value {
    let gift = json!({ "donorId": id("person", 1), "amount": { "amountMicros": 7_000_000, "currencyCode": "GBP" } });
    world.create("gift", 500, &gift);
    json!({ "name": "gift.created", "recordId": id("gift", 500), "properties": { "after": gift } })
}

/// An event run that is refused twice leaves the rest to a later run
#[tokio::test(start_paused = true)]
async fn throttled_event_run_is_continued_later() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30).with_jobs();
    world.run(&json!({})).await;
    let event = gift_event(&world);
    let refused = InterceptHost::new(world.host(Faults::none())).before(|request| {
        (!request.url.contains("/metadata/")).then(|| refusal(429, "Limit reached (100 tokens per 60000 ms)", None))
    });
    let report = calculate_rollups(&refused, &event, &world.options()).await;
    assert_eq!((report.status, report.continued, report.requests.throttled), (Status::Partial, true, 2), "{report:?}");
    let jobs = world.platform.take_jobs();
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].due >= world.now.get() + Duration::from_mins(1));
    world.later(2);
    let report = world.run(&jobs[0].payload).await;
    assert_eq!(
        (report.status, report.mode, report.totals.updated),
        (Status::Ok, Some(Mode::Targeted), 1),
        "{report:?}"
    );
    assert_eq!(world.wrong(), Vec::<String>::new());
}

/// Without jobs an event run waits
#[tokio::test(start_paused = true)]
async fn event_run_waits_without_jobs() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30);
    world.run(&json!({})).await;
    let event = gift_event(&world);
    let faults = [2, 3, 4].into_iter().fold(Faults::none(), |faults, at| faults.at(at, Fault::Status(429)));
    let report = calculate_rollups(&world.host(faults), &event, &world.options()).await;
    assert_eq!((report.status, report.continued, report.requests.throttled), (Status::Ok, false, 3), "{report:?}");
    assert_eq!(world.wrong(), Vec::<String>::new());
}
