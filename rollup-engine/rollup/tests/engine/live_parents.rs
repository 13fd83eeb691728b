//! An upsert revives deleted records and creates blank ones for unknown ids. The engine must do neither.

use std::cell::Cell;
use std::time::Duration;

use ports::Method;
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::json;
use support::InterceptHost;

use super::common::{EngineWorld, Way, defaults, id, noon, refusal, writes};

#[tokio::test(start_paused = true)]
async fn a_deleted_parent_is_not_touched() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        let gone = id("person", 3);
        world.sandbox.borrow_mut().soft_delete("person", gone, super::common::yesterday()).unwrap();
        world.run(&json!({})).await;
        let named = json!({ "requestContext": {}, "body": { "ids": [gone, id("person", 4), id("person", 999)] } });
        let report = world.run(&named).await;
        assert_eq!(report.status, Status::Ok);
        let record = world.record("person", gone);
        assert!(record["deletedAt"].is_string());
        assert!(record["lifetimeGiftCount"].is_null());
        assert!(world.sandbox.borrow().record("person", id("person", 999)).is_none());
    }
}

/// A blank that the write made is destroyed and reported
#[tokio::test(start_paused = true)]
async fn blank_record_is_destroyed() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        let gone = id("person", 3);
        let done = Cell::new(false);
        let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
            if writes(request) && !done.replace(true) {
                world.sandbox.borrow_mut().destroy("person", gone, noon()).unwrap();
            }
            None
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert!(world.sandbox.borrow().record("person", gone).is_none(), "{report:?}");
        let told = format!("person {gone} was deleted while its totals were computed");
        assert_eq!(report.notes.iter().filter(|note| **note == told).count(), 1, "{:?}", report.notes);
        assert_eq!((report.status, report.requests.by_endpoint["DELETE /rest/people/{id}"]), (Status::Ok, 1));
    }
}

/// What was read too long ago is read again before the write
#[tokio::test(start_paused = true)]
async fn stale_parents_are_read_again() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        let gone = id("person", 3);
        let done = Cell::new(false);
        // Deleted while the budget holds the write back
        let host = InterceptHost::new(world.host(Faults::none())).waiting(|duration| {
            if !done.replace(true) {
                world.sandbox.borrow_mut().soft_delete("person", gone, noon()).unwrap();
            }
            duration + Duration::from_secs(30)
        });
        // Gifts and people are read at once; the write has to wait for a minute.
        let pacing = json!({ "burst": 2, "concurrency": 1, "requestsPerMinute": 60 });
        let config = json!({ "definitions": [defaults()[0]], "pacing": pacing });
        let mut options = world.configured(config);
        options.environment.set("ROLLUP_ENGINE_REQUESTS_PER_MINUTE", "1");
        let report = calculate_rollups(&host, &json!({}), &options).await;
        let record = world.record("person", gone);
        assert!(record["deletedAt"].is_string(), "revived: {report:?}");
        assert!(report.requests.total > 0);
    }
}

/// A person whose date of creation was changed is not destroyed
#[tokio::test(start_paused = true)]
async fn changed_creation_date_is_kept() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        let done = Cell::new(false);
        let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
            if writes(request) && !done.replace(true) {
                let earlier = json!({ "createdAt": "2026-11-29T13:00:00.000Z" });
                world.sandbox.borrow_mut().patch("person", id("person", 3), &earlier, noon()).unwrap();
            }
            None
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert!(done.get());
        assert_eq!(report.status, Status::Ok);
        assert_eq!(world.wrong(), Vec::<String>::new());
        assert_eq!(report.requests.by_endpoint["DELETE /rest/people/{id}"], 0);
    }
}

/// A blank that cannot be destroyed is a failure of its own
#[tokio::test(start_paused = true)]
async fn undestroyed_blank_is_a_failure() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        let (gone, done) = (id("person", 3), Cell::new(false));
        let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
            if request.method == Method::Delete {
                return Some(refusal(400, "no", None));
            }
            if writes(request) && !done.replace(true) {
                world.sandbox.borrow_mut().destroy("person", gone, noon()).unwrap();
            }
            None
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert_eq!((report.status, report.totals.failed, report.failures[0].id), (Status::Partial, 1, gone));
        assert_eq!(report.totals.updated + report.totals.unchanged, 19, "{report:?}");
        assert_eq!(
            report.requests.by_endpoint["POST /rest/batch/people"]
                + report.requests.by_endpoint["POST /graphql createPeople"],
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn slow_pace_writes_one_by_one() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 8, 40).by(way);
        let mut options = world.configured(json!({ "definitions": defaults(), "pacing": { "burst": 1 } }));
        options.environment.set("ROLLUP_ENGINE_REQUESTS_PER_MINUTE", "3");
        let report = calculate_rollups(&world.host(Faults::none()), &json!({}), &options).await;
        assert_eq!((report.status, report.totals.failed), (Status::Ok, 0), "{report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}
