//! Slices of many parents, whose children the server adds up by the range of the parents' ids: what it refuses or answers
//! slowly is halved, down to the size at which the children are found by a list of ids.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::{Request, Response};
use rollup::report::Status;
use rollup::{Options, Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, noon, refusal_of, rows_written, wrote_nothing};

/// 100 donors with 300 gifts, of which some are refunded in part
fn world(parents: usize) -> EngineWorld {
    let world = EngineWorld::with_gifts(Limits::off(), 100, 300).by(Way::LargeSlices(parents));
    world.sandbox.borrow_mut().add_field("gift", "CURRENCY", "refundedAmount", &[]).unwrap();
    for number in 0..300 {
        let refunded = if number < 20 { 1_000_000 } else { 0 };
        let fields = json!({ "refundedAmount": { "amountMicros": refunded, "currencyCode": "GBP" } });
        world.patch("gift", id("gift", number), &fields);
    }
    world
}

/// All people, but for the moment of their last change
fn people(world: &EngineWorld) -> Vec<Value> {
    let mut people = world.sandbox.borrow().records("person");
    for person in &mut people {
        person.as_object_mut().unwrap().remove("updatedAt");
        person.as_object_mut().unwrap().remove("updatedBy");
    }
    people
}

/// What a run that reads everything at once stores
async fn expected(template: &EngineWorld) -> Vec<Value> {
    let whole = template.twin().by(Way::GraphQl);
    assert_eq!(whole.run(&json!({})).await.status, Status::Ok);
    people(&whole)
}

fn body(request: &Request) -> String {
    String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned()
}

/// Whether a request compares the ids of parents
fn names_a_range(request: &Request) -> bool {
    body(request).contains("donorId:{gte:")
}

/// The least number of calls that a run makes of those that compare ids
async fn ranges_of(world: &EngineWorld) -> (u64, Report) {
    let ranges = Cell::new(0);
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        ranges.set(ranges.get() + u64::from(names_a_range(request)));
        None
    });
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    (ranges.get(), report)
}

/// The requests follow from the size of the slices, and are at most those that the plan names
#[tokio::test(start_paused = true)]
async fn requests_by_size() {
    for (parents, slices) in [(100, 1), (50, 2), (25, 4)] {
        let world = world(parents);
        let (ranges, first) = ranges_of(&world).await;
        // Two sets of groups and the exceptions of each slice
        assert_eq!((first.status, first.totals.updated, ranges), (Status::Ok, 100, slices * 3), "{first:?}");
        assert_eq!(people(&world), expected(&world).await);
        let (_, again) = ranges_of(&world).await;
        assert!(wrote_nothing(&again), "{again:?}");
        let plan = again.plan.unwrap();
        assert!((plan.spent.reads..=plan.spent.reads * 3 / 2).contains(&plan.reads), "{plan:?}");
    }
}

/// A server that refuses each comparison of ids: what was done without it is done again
#[tokio::test(start_paused = true)]
async fn refused_ranges() {
    let world = world(80);
    let refused = Cell::new(0);
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        names_a_range(request).then(|| {
            refused.set(refused.get() + 1);
            refusal_of(request, "Operator \"gte\" is not valid for field \"donorId\"")
        })
    });
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.updated), (Status::Ok, 100), "{report:?}");
    // 80, 40 and no more: slices of 20 list their parents' ids.
    assert_eq!(refused.get(), 2);
    assert_eq!(people(&world), expected(&world).await);
}

/// One refusal, unreadably large answer or silence at each call of a run
#[tokio::test(start_paused = true)]
async fn one_failure_at_each_call() {
    let template = world(60);
    let expected = expected(&template).await;
    for failure in 0..3 {
        for at in 1.. {
            let world = template.twin();
            let faults = match failure {
                0 => Faults::none().at(at, Fault::LargeReply),
                1 => (at..at + 4).fold(Faults::none(), |faults, at| faults.at(at, Fault::Unreachable)),
                _ => (at..at + 4).fold(Faults::none(), |faults, at| faults.at(at, Fault::Status(500))),
            };
            let host = world.host(faults);
            let report = calculate_rollups(&host, &json!({}), &world.options()).await;
            let reached = host.requests() >= at;
            // What a failed call was to write or to read is left to the next run.
            if report.status != Status::Ok {
                world.later(20);
                assert_eq!(world.run(&json!({})).await.status, Status::Ok, "failure {failure} at {at}: {report:?}");
            }
            assert_eq!(people(&world), expected, "failure {failure} at {at}: {report:?}");
            if !reached {
                assert!(at > 8, "{at} calls");
                break;
            }
        }
    }
}

/// A refusal at each call that reads a slice costs a smaller slice and nothing else
#[tokio::test(start_paused = true)]
async fn one_refusal_at_each_reading() {
    let template = world(60);
    let expected = expected(&template).await;
    for at in 1.. {
        let world = template.twin();
        let readings = Cell::new(0);
        let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
            let reads_a_slice = names_a_range(request) || body(request).contains("people(first:60");
            readings.set(readings.get() + u32::from(reads_a_slice));
            (reads_a_slice && readings.get() == at).then(|| refusal_of(request, "Query too complex"))
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert_eq!((report.status, report.totals.updated), (Status::Ok, 100), "at {at}: {report:?}");
        assert_eq!(people(&world), expected, "at {at}: {report:?}");
        if readings.get() < at {
            assert!(at > 6, "{at} readings");
            return;
        }
    }
}

/// A server that answers for 30 parents and not for more
#[tokio::test(start_paused = true)]
async fn halving_to_what_the_server_takes() {
    let world = world(100);
    let sizes = RefCell::new(Vec::new());
    let host = InterceptHost::new(world.host(Faults::none())).after(|_, answer| {
        let answered: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let groups = answered["data"]["giftsGroupBy"].as_array().map_or(0, Vec::len);
        if groups > 0 {
            sizes.borrow_mut().push(groups);
        }
        if groups > 30 { Response { status: 500, headers: vec![], body: b"{}".to_vec() } } else { answer }
    });
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.updated), (Status::Ok, 100), "{report:?}");
    assert_eq!(people(&world), expected(&world).await);
    let halvings: Vec<_> = host.inner.log_lines().into_iter().filter(|line| line.event == "slices_halved").collect();
    assert_eq!(halvings.len(), 2, "{halvings:?}");
}

/// Answers of more than ten seconds make the next slices smaller
#[tokio::test(start_paused = true)]
async fn halving_after_slow_answers() {
    let world = world(80);
    let slow = Faults::none().latency(Duration::from_secs(12), Duration::from_secs(12));
    let host = world.host(slow);
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.updated), (Status::Ok, 100), "{report:?}");
    assert_eq!(people(&world), expected(&world).await);
    let halvings = host.log_lines().into_iter().filter(|line| line.event == "slices_halved").count();
    assert_eq!(halvings, 2);
}

/// Rebuilds in runs of that length, on a slow server that takes so many rows a call, until all is done: a run goes on from the
/// checkpoint of the one before, and nothing is written twice.
async fn rebuild_in_runs(time_limit: Duration, max_rows: usize) {
    let world = world(90).with_store();
    let written = RefCell::new(Vec::new());
    let mut checkpoints = Vec::new();
    for run in 0.. {
        assert!(run < 20, "there is no end of it");
        let slow = Faults::none().latency(Duration::from_secs(3), Duration::from_secs(3));
        let host = InterceptHost::new(world.host(slow)).before(|request| {
            let rows = rows_written(request);
            if rows.len() > max_rows {
                return Some(refusal_of(request, &format!("Maximum number of records to upsert is {max_rows}.")));
            }
            written.borrow_mut().extend(rows.into_iter().map(|row| row["id"].to_string()));
            None
        });
        let options = Options { time_limit: Some(time_limit), ..world.options() };
        let report = calculate_rollups(&host, &json!({}), &options).await;
        world.later(20);
        if report.status == Status::Ok {
            break;
        }
        checkpoints.push(report.checkpoint.unwrap()["after"].clone());
    }
    let within = checkpoints.iter().filter(|cursor| cursor.is_string()).count();
    assert!(within >= 1, "{checkpoints:?}");
    let count = written.borrow().len();
    written.borrow_mut().sort();
    written.borrow_mut().dedup();
    assert_eq!((count, written.borrow().len()), (100, 100), "{checkpoints:?}");
    assert_eq!(people(&world), expected(&world).await);
}

/// A run that is stopped within a slice hands on a checkpoint there, and what it wrote is not written again
#[tokio::test(start_paused = true)]
async fn going_on_within_a_slice() {
    rebuild_in_runs(Duration::from_secs(38), usize::MAX).await;
}

/// A server that takes few rows a call, and its time for each: what is left of a portion is read again together with the
/// parents behind it, and a run that is stopped between hands on a checkpoint before it
#[tokio::test(start_paused = true)]
async fn going_on_within_a_portion() {
    rebuild_in_runs(Duration::from_secs(42), 3).await;
}

/// A person who comes between the first id and the last while the slice is read is none of the slice's parents
#[tokio::test(start_paused = true)]
async fn a_parent_that_comes_meanwhile() {
    let world = world(100);
    let came = Cell::new(false);
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        if names_a_range(request) && !came.replace(true) {
            let mut sandbox = world.sandbox.borrow_mut();
            sandbox.create("person", &json!({ "id": id("person", 500) }), noon()).unwrap();
            let gift =
                json!({ "donorId": id("person", 500), "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" } });
            sandbox.create("gift", &gift, noon()).unwrap();
        }
        None
    });
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!(report.status, Status::Ok, "{report:?}");
    assert_eq!(people(&world), expected(&world).await);
}
