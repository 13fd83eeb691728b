//! Without definitions an installed engine is paused: it makes no request and keeps nothing.

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::json;
use support::InterceptHost;

use super::common::{EngineWorld, id};

#[tokio::test(start_paused = true)]
async fn no_definitions_no_request() {
    let world = EngineWorld::new(Limits::default()).with_store().with_jobs();
    world.create("person", 1, &json!({}));
    let event = json!({ "name": "gift.created", "recordId": id("gift", 1),
                        "properties": { "after": { "donorId": id("person", 1) } } });
    for config in [json!([]), json!({ "definitions": [], "timeZone": "Europe/London" })] {
        for payload in [json!({}), json!({ "sweep": true }), json!({ "plan": true }), event.clone()] {
            let host = InterceptHost::new(world.host(Faults::none()));
            let report = calculate_rollups(&host, &payload, &world.configured(config.clone())).await;
            assert_eq!((report.status, report.code.as_deref()), (Status::Noop, Some("paused")), "{payload}");
            assert_eq!(host.sent().len(), 0);
        }
    }
    let host = world.host(Faults::none());
    let report = calculate_rollups(&host, &json!({ "health": true }), &world.configured(json!([]))).await;
    let codes: Vec<_> = report.health.unwrap().problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["paused"], "a paused run left something");
}
