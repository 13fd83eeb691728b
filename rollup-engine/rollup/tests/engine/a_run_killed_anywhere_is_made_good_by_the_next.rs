//! The platform kills functions: at their time limit, at a deploy, for no stated reason.

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::json;

use super::common::{World, id, yesterday};

fn world() -> World {
    let world = World::with_gifts(Limits::default(), 300, 700);
    world.create("household", 0, &json!({ "name": "h" }));
    for number in 0..3 {
        world.patch("person", id("person", number), &json!({ "householdId": id("household", 0) }));
    }
    world.sandbox.borrow_mut().soft_delete("person", id("person", 7), yesterday()).unwrap();
    world
}

#[tokio::test(start_paused = true)]
async fn whatever_the_request_and_whether_or_not_it_was_carried_out() {
    let undisturbed = world();
    let host = undisturbed.host(Faults::none());
    calculate_rollups(&host, &json!({}), &undisturbed.options()).await;
    assert!(host.requests() > 10);
    let people = undisturbed.sandbox.borrow().ids("person").len();
    for at in 1..=host.requests() {
        for acted in [false, true] {
            let world = world();
            let host = world.host(Faults::none().crash(at, acted));
            let ended = host.until_crash(calculate_rollups(&host, &json!({}), &world.options())).await;
            assert!(ended.is_none(), "not killed at request {at}");
            let report = world.run(&json!({})).await;
            assert_eq!(report.status, Status::Ok, "killed at request {at}: {report:?}");
            assert_eq!(world.wrong(), Vec::<String>::new(), "killed at request {at}, acted {acted}");
            assert_eq!(world.sandbox.borrow().ids("person").len(), people, "a blank was made");
            assert!(world.record("person", id("person", 7))["deletedAt"].is_string(), "a deleted person came back");
        }
    }
}
