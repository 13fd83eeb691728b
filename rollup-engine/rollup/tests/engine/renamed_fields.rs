//! A missing field is not an empty one: what the workspace does not have is left out and reported, the rest runs.

use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, refusal};

fn definition() -> Value {
    json!({
        "parentObject": "person", "childObject": "gift", "relationField": "donorId",
        "aggregations": [
            { "type": "SUM", "childField": "amount.amountMicros", "currencyField": "amount.currencyCode", "parentField": "lifetimeGiftAmount" },
            { "type": "COUNT", "parentField": "lifetimeGiftCount" }
        ]
    })
}

/// Ada gave once, and her totals are stored from before.
async fn run(way: Way, definition: &Value, metadata: bool) -> (Report, Value) {
    let world = EngineWorld::new(Limits::default()).by(way);
    let stored =
        json!({ "lifetimeGiftAmount": { "amountMicros": 1_000_000, "currencyCode": "GBP" }, "lifetimeGiftCount": 7 });
    world.create("person", 1, &stored);
    let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
    world.create("gift", 1, &json!({ "donorId": id("person", 1), "amount": amount }));
    let options = world.configured(json!([definition]));
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        let forbidden = !metadata && request.url.contains("/rest/metadata/");
        forbidden.then(|| refusal(403, "no", Some("PERMISSION_DENIED")))
    });
    let report = calculate_rollups(&host, &json!({}), &options).await;
    let record = world.record("person", id("person", 1));
    (report, json!([record["lifetimeGiftAmount"]["amountMicros"], record["lifetimeGiftCount"]]))
}

/// With and without metadata only the proven totals are written
#[tokio::test(start_paused = true)]
async fn only_proven_totals_are_written() {
    let renamed = |pointer: &str| {
        let mut definition = definition();
        *definition.pointer_mut(pointer).unwrap() = json!("renamed");
        definition
    };
    let filter = |place: &str| {
        let mut definition = definition();
        let target = if place.is_empty() { &mut definition } else { definition.pointer_mut(place).unwrap() };
        let key = if place.is_empty() { "childFilters" } else { "filters" };
        target[key] = json!([{ "field": "renamed", "operator": "notEquals", "value": "x" }]);
        definition
    };
    for (definition, metadata, stored, aggregation, reason) in [
        (definition(), true, json!([5_000_000, 1]), None, ""),
        (definition(), false, json!([5_000_000, 1]), None, ""),
        (renamed("/relationField"), true, json!([1_000_000, 7]), None, "`gift` has no field `renamed`"),
        (renamed("/relationField"), false, json!([1_000_000, 7]), Some(0), "the children have no `renamed`"),
        (filter(""), true, json!([1_000_000, 7]), None, "`gift` has no field `renamed`"),
        (filter(""), false, json!([1_000_000, 7]), Some(0), "the children have no `renamed`"),
        (renamed("/aggregations/0/childField"), true, json!([1_000_000, 1]), Some(0), "`gift` has no field `renamed`"),
        (
            renamed("/aggregations/0/childField"),
            false,
            json!([1_000_000, 1]),
            Some(0),
            "the children have no `renamed`",
        ),
        (filter("/aggregations/1"), true, json!([5_000_000, 7]), Some(1), "`gift` has no field `renamed`"),
        (filter("/aggregations/1"), false, json!([5_000_000, 7]), Some(1), "the children have no `renamed`"),
        (
            renamed("/aggregations/1/parentField"),
            true,
            json!([5_000_000, 7]),
            Some(1),
            "`person` has no field `renamed`",
        ),
        (
            renamed("/aggregations/1/parentField"),
            false,
            json!([5_000_000, 7]),
            Some(1),
            "the parents have no `renamed`",
        ),
        (renamed("/childObject"), true, json!([1_000_000, 7]), None, "there is no object `renamed` here"),
    ] {
        for way in Way::BOTH {
            let (report, found) = run(way, &definition, metadata).await;
            assert_eq!(found, stored, "metadata {metadata}: {report:?}");
            match report.skipped.first() {
                None => assert_eq!(reason, ""),
                Some(skipped) => assert_eq!((skipped.aggregation, skipped.reason.as_str()), (aggregation, reason)),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn workspace_without_gifts() {
    let (report, _) = run(
        Way::GraphQl,
        &json!({
            "parentObject": "person", "childObject": "donation", "relationField": "donorId",
            "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }]
        }),
        true,
    )
    .await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("nothing_to_run")));
    assert_eq!(report.message.as_deref(), Some("no definition fits this workspace, see `skipped`"));
    assert_eq!(report.requests.total, 1);
}
