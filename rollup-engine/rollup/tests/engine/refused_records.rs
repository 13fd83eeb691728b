//! One record that Twenty does not take must not cost the others their totals.

use std::cell::Cell;
use std::time::Duration;

use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::json;
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, refusal, refusal_of, writes};

/// Refuses every write that holds a certain id, and batches of more than a certain size
fn picky(world: &EngineWorld, bad: &str, most: usize) -> InterceptHost<'static> {
    let bad = bad.to_owned();
    InterceptHost::new(world.host(Faults::none())).before(move |request| {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        if writes(request) && (body.contains(&bad) || request.url.contains(&bad)) {
            return Some(refusal_of(request, "a trigger of the workspace does not like it"));
        }
        let many = writes(request) && body.matches("\"id\":").count() > most;
        many.then(|| refusal_of(request, &format!("Maximum number of records to upsert is {most}.")))
    })
}

/// A refused batch is halved until the bad record is alone
#[tokio::test(start_paused = true)]
async fn refused_batch_is_halved() {
    for way in Way::BOTH {
        one_bad_record(&EngineWorld::with_gifts(Limits::default(), 150, 1_200).by(way)).await;
    }
}

async fn one_bad_record(world: &EngineWorld) {
    let bad = id("person", 77);
    let host = picky(world, &bad.to_string(), 200);
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Partial, 1), "{report:?}");
    assert_eq!(report.failures[0].id, bad);
    assert_eq!(
        report.failures[0].message,
        "PATCH /rest/people/{id}: refused (400): a trigger of the workspace does not like it"
    );
    assert!(world.wrong().iter().all(|wrong| wrong.contains(&bad.to_string())), "{:?}", world.wrong());
    assert_eq!(report.totals.updated + report.totals.unchanged + 1, report.totals.processed);
}

#[tokio::test(start_paused = true)]
async fn server_takes_fewer_rows() {
    for way in Way::BOTH {
        few_rows(&EngineWorld::with_gifts(Limits::default(), 150, 1_200).by(way)).await;
    }
}

async fn few_rows(world: &EngineWorld) {
    let host = picky(world, "never", 60);
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Ok, 0), "{report:?}");
    assert_eq!(world.wrong(), Vec::<String>::new());
    // One refusal teaches it; no batch is halved down.
    assert!(batches(&report) <= 5, "{:?}", report.requests);
}

#[tokio::test(start_paused = true)]
async fn half_batch_and_lost_reply() {
    for fault in [Fault::HalfBatch(40), Fault::LostReply, Fault::Status(502), Fault::Unreachable] {
        for way in Way::BOTH {
            let world = EngineWorld::with_gifts(Limits::default(), 150, 1_200).by(way);
            let at = first_write(&EngineWorld::with_gifts(Limits::default(), 150, 1_200).by(way)).await;
            let report =
                calculate_rollups(&world.host(Faults::none().at(at, fault)), &json!({}), &world.options()).await;
            assert_eq!((report.status, report.requests.retried), (Status::Ok, 1), "{fault:?}: {report:?}");
            assert_eq!(world.wrong(), Vec::<String>::new(), "{fault:?}");
            assert_eq!(report.totals.updated, 150);
        }
    }
}

/// Calls that wrote many people
fn batches(report: &Report) -> u64 {
    report.requests.by_endpoint["POST /rest/batch/people"] + report.requests.by_endpoint["POST /graphql createPeople"]
}

/// Number of the first request of a rebuild that writes
async fn first_write(world: &EngineWorld) -> u64 {
    let (requests, first) = (Cell::new(0), Cell::new(0));
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        requests.set(requests.get() + 1);
        if first.get() == 0 && writes(request) {
            first.set(requests.get());
        }
        None
    });
    calculate_rollups(&host, &json!({}), &world.options()).await;
    first.get()
}

/// What a batch wrote is counted also where another one, under way at the same time, has stopped the run.
#[tokio::test(start_paused = true)]
async fn token_revoked_while_writing() {
    let world = EngineWorld::with_gifts(Limits::off(), 700, 2_800);
    let is_first = Cell::new(true);
    let latency = Duration::from_millis(100);
    let host =
        InterceptHost::new(world.host(Faults::none().latency(latency, latency))).after(move |request, answer| {
            let is_revoked = writes(request) && is_first.replace(false);
            if is_revoked { refusal(401, "Token invalid.", Some("UNAUTHENTICATED")) } else { answer }
        });
    let totals = calculate_rollups(&host, &json!({}), &world.options()).await.totals;
    assert_eq!(totals.updated + totals.unchanged + totals.failed, totals.processed, "{totals:?}");
    assert!(totals.updated > 0, "{totals:?}");
}
