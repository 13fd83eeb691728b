//! Runs of some definitions alone, and of some records.

use rollup::report::{Mode, Status};
use rollup::{Options, Report, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use super::common::{EngineWorld, Way, id, wrote_nothing};

/// Ada, of a household, gave to an appeal; so did Bob, of none. No total is right.
fn world(way: Way) -> EngineWorld {
    let world = EngineWorld::new(Limits::default()).by(way);
    world.create("household", 1, &json!({}));
    world.create("appeal", 1, &json!({ "name": "a" }));
    world.create("person", 1, &json!({ "householdId": id("household", 1) }));
    world.create("person", 2, &json!({}));
    for number in [1, 2] {
        let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
        let gift = json!({
            "donorId": id("person", number), "appealId": id("appeal", 1), "amount": amount, "giftDate": "2026-05-01",
        });
        world.create("gift", number, &gift);
    }
    world
}

fn only(world: &EngineWorld, numbers: &[usize]) -> Options {
    Options { only: Some(numbers.to_vec()), ..world.options() }
}

async fn run(world: &EngineWorld, payload: &Value, options: &Options) -> Report {
    calculate_rollups(&world.host(Faults::none()), payload, options).await
}

/// The fields that a dry run found wrong
fn wrong_fields(report: &Report) -> Vec<String> {
    let drift = json!(report.drift);
    drift["fields"].as_object().unwrap().keys().map(|field| field.split('.').next().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_definition_alone() {
    for way in Way::BOTH {
        let world = world(way);
        let report = run(&world, &json!({}), &only(&world, &[3])).await;
        assert_eq!((report.status, report.totals.processed, report.totals.updated), (Status::Ok, 1, 1));
        assert_eq!(report.skipped, []);
        assert_eq!(report.details[3].updated, 1);
        assert_eq!(world.record("appeal", id("appeal", 1))["giftCount"], json!(2));
        assert_eq!(world.record("person", id("person", 1))["lifetimeGiftCount"], json!(null));
    }
}

/// A household's totals are made of people's: those are put right as well, or it would add up stale ones
#[tokio::test(start_paused = true)]
async fn definitions_that_one_needs_run_with_it() {
    for way in [Way::GraphQl, Way::Rest, Way::LargeSlices(8)] {
        let world = world(way);
        let dry = run(&world, &json!({ "dryRun": true }), &only(&world, &[1])).await;
        let mut found = wrong_fields(&dry);
        found.dedup();
        assert_eq!(found, ["household", "person"], "{way:?}");
        let report = run(&world, &json!({}), &only(&world, &[1])).await;
        assert_eq!((report.status, report.totals.updated), (Status::Ok, 3));
        assert_eq!(world.record("household", id("household", 1))["lifetimeGiftCount"], json!(1));
        assert_eq!(world.record("appeal", id("appeal", 1))["giftCount"], json!(null));
    }
}

/// It is another configuration: nothing goes on from its checkpoint, and it is no comparison of everything
#[tokio::test(start_paused = true)]
async fn some_definitions_are_not_everything() {
    let world = world(Way::Slices(1)).with_store().with_jobs();
    let report = run(&world, &json!({}), &only(&world, &[0])).await;
    assert!(!report.continued, "a job would know no selection");
    let checkpoint = report.checkpoint.unwrap();
    let whole = run(&world, &json!({ "checkpoint": checkpoint }), &world.options()).await;
    assert_ne!(whole.checkpoint.as_ref().map(|next| &next["config"]), Some(&checkpoint["config"]));
    assert_eq!(whole.checkpoint.unwrap()["object"], json!("person"), "from the beginning");

    let world = self::world(Way::GraphQl).with_store();
    assert_eq!(run(&world, &json!({}), &only(&world, &[0])).await.status, Status::Ok);
    world.later(30);
    assert_eq!(json!(run(&world, &json!({}), &world.options()).await.drift)["since"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn number_without_a_definition() {
    let world = world(Way::GraphQl);
    let report = run(&world, &json!({}), &only(&world, &[0, 7])).await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("invalid_options")));
    assert!(report.message.unwrap().contains("definition 7, and there are 7"));
}

/// Named records are compared without a write, and then written, with what lies above them
#[tokio::test(start_paused = true)]
async fn named_records() {
    for way in Way::BOTH {
        let world = world(way);
        let named = json!({ "parentObject": "person", "ids": [id("person", 1)] });
        let mut looked = named.clone();
        looked["dryRun"] = json!(true);
        let dry = world.run(&looked).await;
        assert!(wrote_nothing(&dry));
        assert_eq!((dry.status, dry.mode, dry.totals.processed), (Status::Ok, Some(Mode::DryRun), 2));
        assert_eq!(json!(dry.drift)["parents"], json!(2), "Ada and her household");
        let report = world.run(&named).await;
        assert_eq!((report.status, report.mode, report.totals.updated), (Status::Ok, Some(Mode::Targeted), 2));
        assert_eq!(world.record("person", id("person", 1))["lifetimeGiftCount"], json!(1));
        assert_eq!(world.record("person", id("person", 2))["lifetimeGiftCount"], json!(null));
        assert_eq!(json!(world.run(&looked).await.drift)["values"], json!(0));
    }
}

/// A record that is named and not there is told of; one that an event names may be gone by then
#[tokio::test(start_paused = true)]
async fn named_records_that_are_not_there() {
    let world = world(Way::GraphQl);
    let named = json!({ "parentObject": "person", "ids": [id("person", 1), id("person", 9)] });
    let report = world.run(&named).await;
    assert_eq!((report.status, report.totals.updated), (Status::Ok, 2));
    let absent = format!("there is no person {}, or it is deleted", id("person", 9));
    assert!(report.notes.contains(&absent), "{:?}", report.notes);
    let event = json!({
        "name": "gift.deleted", "recordId": id("gift", 9),
        "properties": { "before": { "donorId": id("person", 9) }, "after": {} },
    });
    assert!(!world.run(&event).await.notes.contains(&absent));
}

/// A slow comparison of named records is no reason to compare them again
#[tokio::test(start_paused = true)]
async fn named_records_on_a_slow_server() {
    let world = world(Way::GraphQl);
    let host = world.host(Faults::none().latency(std::time::Duration::from_secs(2), std::time::Duration::from_secs(2)));
    let payload = json!({ "dryRun": true, "parentObject": "person", "ids": [id("person", 2)] });
    let report = calculate_rollups(&host, &payload, &world.options()).await;
    assert_eq!((report.totals.processed, report.requests.tokens), (1, 2), "{:?}", report.requests);
}
