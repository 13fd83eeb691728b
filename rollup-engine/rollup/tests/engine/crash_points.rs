//! The platform kills functions: at their time limit, at a deploy, for no stated reason. Wherever that happens, and
//! whether or not the server still acts on the last request, the next runs end where an undisturbed one would have.

use std::cell::RefCell;
use std::collections::HashMap;

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, rows_written, yesterday};

/// What the platform offers to a run that is to go on
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// Nothing: the caller hands the checkpoint of the report on, or begins again
    None,
    /// A store: each tick is a run without a payload
    Store,
    /// Jobs: each run is started by the one before
    Jobs,
}

/// 300 donors with 3,000 gifts, ten of them in three households, one of them deleted, with totals that are wrong
fn world(way: Way) -> EngineWorld {
    let world = EngineWorld::with_gifts(Limits::default(), 300, 3_000).by(way);
    for number in 0..3 {
        world.create("household", number, &json!({ "name": "h" }));
    }
    for number in 0..10 {
        world.patch("person", id("person", number), &json!({ "householdId": id("household", number % 3) }));
    }
    let stored = json!({ "lifetimeGiftCount": 77 });
    world.patch("person", id("person", 7), &stored);
    world.patch("person", id("person", 8), &stored);
    world.sandbox.borrow_mut().soft_delete("person", id("person", 7), yesterday()).unwrap();
    world
}

/// Values that were written, by id and field: nothing changes meanwhile, so each is written as one value only
#[derive(Default)]
struct Written(RefCell<HashMap<String, Value>>);

impl Written {
    fn see(&self, row: &Value) {
        for (field, value) in row.as_object().unwrap().iter().filter(|(field, _)| *field != "id") {
            let before = self.0.borrow_mut().insert(format!("{} {field}", row["id"]), value.clone());
            assert!(before.as_ref().is_none_or(|before| before == value), "{} {field}: {before:?}, {value}", row["id"]);
        }
    }
}

/// Runs until one ends well, killed once; the number of requests
async fn to_the_end(world: &EngineWorld, memory: Memory, kill: Option<(u64, bool)>, again: bool) -> u64 {
    let (written, mut payload, mut requests) = (Written::default(), json!({}), 0);
    for _ in 0..40 {
        let faults = match kill.filter(|(at, _)| *at > requests) {
            Some((at, acted)) => Faults::none().crash(at - requests, acted),
            None => Faults::none(),
        };
        let host = InterceptHost::new(world.host(faults)).before(|request| {
            for row in &rows_written(request) {
                written.see(row);
            }
            None
        });
        let options = world.options();
        let run = calculate_rollups(&host, &payload, &options);
        let report = host.inner.until_crash(run).await;
        requests += host.inner.requests();
        // Long enough for a lease to expire whose run is dead
        world.later(20);
        payload = match report {
            None if again => payload,
            None => json!({}),
            Some(report) if report.status == Status::Ok => return requests,
            Some(report) => {
                assert_eq!(report.code.as_deref(), Some("batch_done"), "{report:?}");
                match memory {
                    Memory::None => json!({ "checkpoint": report.checkpoint.unwrap() }),
                    Memory::Store => json!({}),
                    Memory::Jobs => {
                        assert!(report.continued);
                        world.platform.take_jobs().pop().unwrap().payload
                    }
                }
            }
        };
    }
    panic!("there is no end of it");
}

async fn killed_anywhere(way: Way, memory: Memory) {
    let template = world(way);
    let blank = [template.sandbox.borrow().ids("person"), template.sandbox.borrow().ids("household")];
    let fresh = || match memory {
        Memory::None => template.twin(),
        Memory::Store => template.twin().with_store(),
        Memory::Jobs => template.twin().with_jobs(),
    };
    let requests = to_the_end(&fresh(), memory, None, false).await;
    assert!(requests >= 8, "{requests}");
    for at in 1..=requests {
        // Without a payload of its own, the next run is the same either way.
        let again: &[bool] =
            if memory == Memory::None && way != Way::GraphQl && way != Way::Rest { &[false, true] } else { &[false] };
        for (acted, &again) in [false, true].into_iter().flat_map(|acted| again.iter().map(move |again| (acted, again)))
        {
            let world = fresh();
            to_the_end(&world, memory, Some((at, acted)), again).await;
            let told = format!("{way:?}, {memory:?}, killed at request {at} of {requests}, acted {acted}");
            assert_eq!(world.wrong(), Vec::<String>::new(), "{told}");
            let sandbox = world.sandbox.borrow();
            assert_eq!([sandbox.ids("person"), sandbox.ids("household")], blank, "a blank was made: {told}");
            let deleted = sandbox.record("person", id("person", 7)).unwrap();
            assert!(deleted["deletedAt"].is_string() && deleted["lifetimeGiftCount"] == 77, "revived: {told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_through_graphql() {
    killed_anywhere(Way::GraphQl, Memory::Store).await;
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_through_rest() {
    killed_anywhere(Way::Rest, Memory::None).await;
}

/// A rebuild of a hundred parents a run whose caller hands the checkpoint on
#[tokio::test(start_paused = true)]
async fn slices_continued_by_caller() {
    killed_anywhere(Way::Slices(100), Memory::None).await;
}

/// Slices that are found by the range of their ids, of several sizes
#[tokio::test(start_paused = true)]
async fn large_slices() {
    for (parents, memory) in [(90, Memory::Store), (400, Memory::Store), (90, Memory::None)] {
        killed_anywhere(Way::LargeSlices(parents), memory).await;
    }
}

/// A rebuild of a hundred parents a tick
#[tokio::test(start_paused = true)]
async fn slices_continued_by_tick() {
    killed_anywhere(Way::Slices(100), Memory::Store).await;
}

/// A rebuild of a hundred parents a job
#[tokio::test(start_paused = true)]
async fn slices_continued_by_job() {
    killed_anywhere(Way::Slices(100), Memory::Jobs).await;
}
