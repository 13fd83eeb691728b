//! Totals over totals of the same object: what a comparison says of them is what a rebuild makes of them.

use std::collections::BTreeMap;

use rollup::report::Status;
use rollup::{Options, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, defaults, id};

/// Each person was brought by the one before, and carries the gifts of the people whom they brought, of those whom these
/// brought, and of the household that all belong to
fn world(way: Way) -> (EngineWorld, Options) {
    let world = EngineWorld::new(Limits::off()).by(way);
    {
        let mut sandbox = world.sandbox.borrow_mut();
        sandbox.add_relation("person", "broughtBy", "person", "brought").unwrap();
        for field in ["broughtCount", "broughtByBroughtCount"] {
            sandbox.add_field("person", "NUMBER", field, &[]).unwrap();
        }
    }
    world.create("household", 1, &json!({ "lifetimeGiftCount": 4 }));
    for number in 0..5 {
        let mut person = json!({ "householdId": id("household", 1), "lifetimeGiftCount": 7, "broughtCount": 7 });
        if number > 0 {
            person["broughtById"] = json!(id("person", number - 1));
        }
        world.create("person", number, &person);
        let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
        let gift = json!({ "donorId": id("person", number), "amount": amount, "giftDate": "2026-05-01" });
        world.create("gift", number, &gift);
    }
    let sum = |child: &str, parent: &str| {
        json!({ "parentObject": "person", "childObject": "person", "relationField": "broughtById",
                "aggregations": [{ "type": "SUM", "childField": child, "parentField": parent }] })
    };
    let definitions = json!([
        defaults()[0],
        sum("lifetimeGiftCount", "broughtCount"),
        sum("broughtCount", "broughtByBroughtCount"),
        { "parentObject": "household", "childObject": "person", "relationField": "householdId",
          "aggregations": [{ "type": "SUM", "childField": "broughtCount", "parentField": "lifetimeGiftCount" }] },
    ]);
    let options = world.configured(definitions);
    (world, options)
}

fn counts(world: &EngineWorld) -> Vec<(Value, Value)> {
    let zero = |value: &Value| if value.is_null() { json!(0) } else { value.clone() };
    let person = |number| world.record("person", id("person", number));
    (0..5).map(person).map(|person| (zero(&person["broughtCount"]), zero(&person["broughtByBroughtCount"]))).collect()
}

/// A dry run finds what the rebuild then writes, and after it nothing
#[tokio::test(start_paused = true)]
async fn dry_run_agrees_with_the_rebuild() {
    for way in Way::BOTH {
        let (world, options) = world(way);
        let dry = calculate_rollups(&world.host(Faults::none()), &json!({ "dryRun": true }), &options).await;
        assert_eq!((dry.status, dry.skipped.len()), (Status::Ok, 0), "{dry:?}");
        let twin = world.twin();
        let host = InterceptHost::new(twin.host(Faults::none()));
        for _ in 0..2 {
            calculate_rollups(&host, &json!({}), &options).await;
        }
        assert_eq!(counts(&twin), [(1, 1), (1, 1), (1, 1), (1, 0), (0, 0)].map(|(a, b)| (json!(a), json!(b))));
        let mut changed = BTreeMap::new();
        for (object, numbers) in [("person", 0..5), ("household", 1..2)] {
            for number in numbers {
                let (before, after) =
                    (world.record(object, id(object, number)), twin.record(object, id(object, number)));
                for field in ["broughtCount", "broughtByBroughtCount", "lifetimeGiftCount"] {
                    let number = |value: &Value| value.as_i64().unwrap_or(0);
                    if number(&before[field]) != number(&after[field]) {
                        *changed.entry(format!("{object}.{field}")).or_insert(0_u64) += 1;
                    }
                }
            }
        }
        let fields = dry.drift.unwrap().fields;
        for (field, count) in changed {
            assert_eq!(fields.get(&field).and_then(Value::as_u64), Some(count), "{way:?} {field}: {fields:?}");
        }
    }
}

/// An explanation finds wrong what the rebuild then changes, and right what it leaves
#[tokio::test(start_paused = true)]
async fn explanations_agree_with_the_rebuild() {
    for way in Way::BOTH {
        let (world, options) = world(way);
        let twin = world.twin();
        let host = twin.host(Faults::none());
        for _ in 0..2 {
            calculate_rollups(&host, &json!({}), &options).await;
        }
        for (object, numbers) in [("person", 0..5), ("household", 1..2)] {
            for number in numbers {
                let parent = id(object, number);
                let ask = json!({ "explain": { "parentObject": object, "id": parent } });
                let report = calculate_rollups(&world.host(Faults::none()), &ask, &options).await;
                let explanation = json!(report.explanation);
                let definitions = explanation["definitions"].as_array().unwrap();
                for total in definitions.iter().flat_map(|definition| definition["totals"].as_array().unwrap()) {
                    let field = total["parentField"].as_str().unwrap();
                    let number_in = |world: &EngineWorld| world.record(object, parent)[field].as_i64().unwrap_or(0);
                    if total["computed"].is_number() {
                        let computed = total["computed"].as_i64();
                        let place = format!("{way:?} {object} {number} {field}: {total}");
                        assert_eq!(computed, Some(number_in(&twin)), "{place}");
                        assert_eq!(total["right"], json!(computed == Some(number_in(&world))), "{place}");
                    }
                }
            }
        }
    }
}
