//! A role that may not read every object that the definitions name: what it may read is put right, and the rest is told.

use ports::{Request, Response};
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::json;
use support::{InterceptHost, answer};

use super::common::{EngineWorld, Way, refusal};

const DENIED: &str = "Entity performing the request does not have permission";

/// Twenty's refusal of a call about this object, in the language of the call
fn denied(request: &Request, singular: &str, plural: &str) -> Option<Response> {
    if !request.url.ends_with("/graphql") {
        return request.url.contains(&format!("/{plural}")).then(|| refusal(400, DENIED, Some("PERMISSION_DENIED")));
    }
    let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
    let error = json!({ "message": DENIED, "extensions": { "code": "FORBIDDEN", "subCode": "PERMISSION_DENIED" } });
    let names = [singular, plural]
        .iter()
        .any(|name| body.contains(&format!("{name}(")) || body.contains(&format!("{plural}GroupBy")));
    names.then(|| answer(200, json!({ "data": null, "errors": [error] }).to_string()))
}

/// With payouts, and staged gifts that are counted for them
fn world(way: Way) -> EngineWorld {
    let world = EngineWorld::with_gifts(Limits::default(), 30, 200).by(way);
    {
        let mut sandbox = world.sandbox.borrow_mut();
        sandbox.add_object("giftPayout", "giftPayouts").unwrap();
        for (kind, name) in [
            ("CURRENCY", "matchedGrossAmount"),
            ("CURRENCY", "matchedFeeAmount"),
            ("NUMBER", "matchedGiftCount"),
            ("NUMBER", "pendingStagingCount"),
        ] {
            sandbox.add_field("giftPayout", kind, name, &[]).unwrap();
        }
        sandbox.add_relation("gift", "giftPayout", "giftPayout", "gifts").unwrap();
        sandbox.add_field("gift", "CURRENCY", "feeAmount", &[]).unwrap();
        sandbox.add_object("giftStaging", "giftStagings").unwrap();
        sandbox.add_field("giftStaging", "TEXT", "processingStatus", &[]).unwrap();
        sandbox.add_relation("giftStaging", "giftPayout", "giftPayout", "giftStagings").unwrap();
    }
    world.create("giftPayout", 1, &json!({ "name": "p" }));
    world.create("giftStaging", 1, &json!({ "processingStatus": "pending" }));
    world.create("household", 1, &json!({ "name": "h" }));
    world
}

/// A run for named parents that may not be read does not say that all is well
#[tokio::test(start_paused = true)]
async fn forbidden_targets_are_told() {
    for way in Way::BOTH {
        let world = world(way);
        let host = || {
            InterceptHost::new(world.host(Faults::none())).before(|request| denied(request, "household", "households"))
        };
        let household = super::common::id("household", 1);
        let payload = json!({ "requestContext": {}, "body": { "parentObject": "household", "ids": [household] } });
        let report = calculate_rollups(&host(), &payload, &world.options()).await;
        assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("nothing_to_run")), "{report:#?}");
        let mut built_in = world.options();
        built_in.environment.set("ROLLUP_ENGINE_CONFIG", "");
        let report = calculate_rollups(&host(), &payload, &built_in).await;
        assert_eq!((report.status, report.code.as_deref()), (Status::Noop, Some("nothing_to_run")), "{report:#?}");
    }
}

/// Whichever side of a definition is forbidden, and whether or not the data model may be read, the run ends `ok`: the
/// definitions stand in `skipped`, and all others were computed and written.
#[tokio::test(start_paused = true)]
async fn forbidden_objects_are_skipped() {
    for way in [Way::GraphQl, Way::Rest] {
        for (singular, plural, definitions) in [
            ("giftStaging", "giftStagings", vec![6]),
            ("giftPayout", "giftPayouts", vec![5, 6]),
            ("household", "households", vec![1]),
            ("appeal", "appeals", vec![3]),
        ] {
            for metadata in [true, false] {
                let world = world(way);
                let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
                    let hidden = !metadata && request.url.contains("/rest/metadata");
                    if hidden {
                        return Some(refusal(403, DENIED, Some("PERMISSION_DENIED")));
                    }
                    denied(request, singular, plural)
                });
                let report = calculate_rollups(&host, &json!({}), &world.options()).await;
                let place = format!("{way:?}, {singular}, metadata {metadata}: {report:#?}");
                assert_eq!(report.status, Status::Ok, "{place}");
                assert!(report.totals.updated > 0, "{place}");
                let forbidden = report.skipped.iter().filter(|skipped| skipped.code == "forbidden");
                assert_eq!(forbidden.map(|skipped| skipped.definition).collect::<Vec<_>>(), definitions, "{place}");
                let wrong: Vec<_> = world.wrong().into_iter().filter(|line| !line.starts_with(singular)).collect();
                assert_eq!(wrong, Vec::<String>::new(), "{place}");
            }
        }
    }
}
