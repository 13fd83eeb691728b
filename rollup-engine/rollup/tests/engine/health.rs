//! What matters of a run is in the log and in the store, as the platform may lose its result.

use ports::KeyValue;
use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};

use super::common::{EngineWorld, id};

async fn health(world: &EngineWorld) -> Report {
    let host = world.host(Faults::none());
    let report =
        calculate_rollups(&host, &json!({ "requestContext": {}, "body": { "health": true } }), &world.options()).await;
    assert_eq!(report.requests.total, 0, "health asks the store alone");
    report
}

fn problems(report: &Report) -> Vec<&'static str> {
    report.health.as_ref().unwrap().problems.iter().map(|problem| problem.code).collect()
}

fn last_line(host: &sandbox::SandboxHost) -> ports::Event {
    host.log_lines().into_iter().rfind(|line| line.event == "rollups_calculated").unwrap()
}

/// Drift and skipped definitions of a rebuild outlive its report, in numbers and without a record's values
#[tokio::test(start_paused = true)]
async fn drift_outlives_the_report() {
    let world = EngineWorld::with_gifts(Limits::default(), 20, 90).with_store();
    assert_eq!(problems(&health(&world).await), ["nothing_known"]);
    let host = world.host(Faults::none());
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    let drift = report.drift.unwrap();
    let line = last_line(&host);
    let counts = json!({ "parents": drift.parents, "values": drift.values, "fields": drift.fields });
    assert_eq!(line.field("drift"), Some(&counts));
    assert_eq!(line.field("mode"), Some(&json!("full-rebuild")));
    assert_eq!(line.field("skipped"), Some(&serde_json::to_value(&report.skipped).unwrap()));
    assert!(!report.skipped.is_empty());

    let told = health(&world).await;
    assert_eq!((told.status, told.code.as_deref()), (Status::Partial, Some("unhealthy")));
    // The workspace lacks objects that only the built-in definitions name; here they were written out.
    assert_eq!(problems(&told), ["drift_found", "definitions_skipped"]);
    let kept = told.health.unwrap().rebuild.unwrap();
    assert_eq!(kept["drift"], counts);
    assert_eq!(kept["skipped"], serde_json::to_value(&report.skipped).unwrap());
    assert!(!kept.to_string().contains(&drift.examples[0].id.to_string()), "{kept}");

    // The next rebuild finds everything right.
    world.run(&json!({})).await;
    assert_eq!(problems(&health(&world).await), ["definitions_skipped"]);
    world.later(27 * 60);
    assert_eq!(problems(&health(&world).await), ["comparison_overdue", "definitions_skipped"]);
}

/// A run that failed, one that did not finish and one on events: each is kept until a complete one follows it
#[tokio::test(start_paused = true)]
async fn troubles_of_the_last_runs() {
    let world = EngineWorld::with_gifts(Limits::default(), 20, 90).with_store();
    world.run(&json!({})).await;
    world.run(&json!({})).await;
    world.later(5);
    let event = json!({ "name": "gift.created", "recordId": id("gift", 1),
                        "properties": { "after": { "donorId": id("person", 1) } } });
    let broken = || (1..=40).fold(Faults::none(), |faults, call| faults.at(call, Fault::Status(500)));
    for (payload, code) in
        [(event, "events_failed"), (json!({ "sweep": true }), "run_failed"), (json!({}), "run_failed")]
    {
        let report = calculate_rollups(&world.host(broken()), &payload, &world.options()).await;
        assert_eq!(report.status, Status::Error);
        let told = health(&world).await;
        assert!(problems(&told).contains(&code), "{payload}: {told:?}");
        assert!(told.message.unwrap().contains("server_error"));
    }
    let since = health(&world).await.health.unwrap().rebuild.unwrap()["partialSince"].clone();
    world.later(15);
    calculate_rollups(&world.host(broken()), &json!({}), &world.options()).await;
    assert_eq!(health(&world).await.health.unwrap().rebuild.unwrap()["partialSince"], since);
    world.later(15);
    for payload in [json!({ "sweep": true }), json!({})] {
        world.run(&payload).await;
    }
    assert_eq!(problems(&health(&world).await), ["definitions_skipped"]);
}

/// The app's small functions note here what they could not hand over
#[tokio::test(start_paused = true)]
async fn failed_hand_over() {
    let world = EngineWorld::with_gifts(Limits::default(), 20, 90).with_store();
    world.run(&json!({})).await;
    world.run(&json!({})).await;
    world.later(5);
    let host = world.host(Faults::none());
    let at = world.now.get().to_string();
    let note: Value = json!({ "at": at, "function": "sweep", "why": "HTTP 500", "count": 1 });
    host.set("rollups.hand-over", Some(&note.to_string())).await;
    let told = health(&world).await;
    assert_eq!(problems(&told), ["definitions_skipped", "hand_over_failed"]);
    assert!(told.message.unwrap().contains("`sweep` could not hand over: HTTP 500"));
    world.later(5);
    world.run(&json!({ "sweep": true })).await;
    assert_eq!(problems(&health(&world).await), ["definitions_skipped"]);
}

/// The role of an app may not read the data model: that is no warning
#[tokio::test(start_paused = true)]
async fn unreadable_metadata_is_no_warning() {
    use super::common::refusal;
    let world = EngineWorld::with_gifts(Limits::default(), 20, 90);
    let host = support::InterceptHost::new(world.host(Faults::none())).before(|request| {
        request.url.contains("/rest/metadata").then(|| refusal(403, "no", Some("PERMISSION_DENIED")))
    });
    assert_eq!(calculate_rollups(&host, &json!({}), &world.options()).await.status, Status::Ok);
    let lines = host.inner.log_lines();
    let told: Vec<_> = lines.iter().filter(|line| line.event == "metadata_refused").map(|line| line.level).collect();
    assert_eq!(told, [ports::Level::Info]);
    assert!(lines.iter().all(|line| line.level < ports::Level::Warn), "{lines:?}");
}
