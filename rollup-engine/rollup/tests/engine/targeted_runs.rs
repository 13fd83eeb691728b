//! An event costs what it touches, and nothing more.

use rollup::calculate_rollups;
use rollup::report::{Mode, Status};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};

use super::common::{EngineWorld, Way, id};

fn event(before: &Value, after: &Value) -> Value {
    json!({ "name": "gift.updated", "recordId": id("gift", 0), "properties": { "before": before, "after": after } })
}

#[tokio::test(start_paused = true)]
async fn one_event_costs_three_requests() {
    let world = EngineWorld::with_gifts(Limits::default(), 50, 300);
    world.run(&json!({})).await;
    let donor = json!({ "donorId": id("person", 0) });
    world.patch("gift", id("gift", 0), &json!({ "amount": { "amountMicros": 99_000_000, "currencyCode": "GBP" } }));
    let report = world.run(&event(&donor, &donor)).await;
    assert_eq!((report.status, report.mode), (Status::Ok, Some(Mode::Targeted)));
    assert_eq!((report.totals.processed, report.totals.updated), (1, 1));
    // The metadata costs nothing of the limit.
    assert_eq!(report.requests.total - report.requests.unmetered, 3, "{:?}", report.requests);
    assert_eq!(world.wrong(), Vec::<String>::new());
    let again = world.run(&event(&donor, &donor)).await;
    assert_eq!((again.totals.updated, again.requests.total - again.requests.unmetered), (0, 2));
}

/// Both parents of a moved gift are right and the last gift resets
#[tokio::test(start_paused = true)]
async fn moved_gift_updates_both_parents() {
    for way in Way::BOTH {
        let world = EngineWorld::new(Limits::default()).by(way);
        for number in 0..2 {
            world.create("person", number, &json!({}));
        }
        let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
        world.create("gift", 0, &json!({ "donorId": id("person", 0), "amount": amount, "giftDate": "2026-01-01" }));
        world.run(&json!({})).await;
        let moved = json!({ "donorId": id("person", 1) });
        world.patch("gift", id("gift", 0), &moved);
        let report = world.run(&event(&json!({ "donorId": id("person", 0) }), &moved)).await;
        assert_eq!((report.totals.updated, report.totals.reset), (2, 1), "{report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new());
        let reset = world.record("person", id("person", 0));
        assert_eq!(reset["lifetimeGiftAmount"], json!({ "amountMicros": 0, "currencyCode": null }));
        assert_eq!((&reset["lifetimeGiftCount"], &reset["lastGiftDate"]), (&json!(0), &json!(null)));
    }
}

#[tokio::test(start_paused = true)]
async fn gift_reaches_the_household() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 10, 60).by(way);
        world.create("household", 0, &json!({ "name": "h" }));
        for number in 0..3 {
            world.patch("person", id("person", number), &json!({ "householdId": id("household", 0) }));
        }
        world.run(&json!({})).await;
        let amount = json!({ "amountMicros": 7_000_000, "currencyCode": "GBP" });
        let gift = json!({ "donorId": id("person", 1), "amount": amount, "giftDate": "2026-11-29" });
        world.create("gift", 500, &gift);
        let report = world.run(&event(&json!(null), &gift)).await;
        assert_eq!(world.wrong(), Vec::<String>::new());
        // Two parent objects: people and households
        assert!(report.requests.total - report.requests.unmetered <= 6, "{:?}", report.requests);
        assert_eq!(report.totals.updated, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn event_without_parents_is_free() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 5, 10).by(way);
        let report = world.run(&event(&json!({ "donorId": null }), &json!({ "donorId": null }))).await;
        assert_eq!((report.status, report.requests.total), (Status::Noop, 0));
    }
}

/// Two hundred events of two hundred donors are one batch
#[tokio::test(start_paused = true)]
async fn batch_of_200_events() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 200, 200).by(way);
        let events: Vec<Value> = (0..200)
            .map(|number| json!({ "recordId": id("gift", number), "properties": { "after": { "donorId": id("person", number) } } }))
            .collect();
        let report = world.run(&json!({ "name": "gift.created", "events": events })).await;
        assert_eq!(report.requests.total - report.requests.unmetered, 3, "{:?}", report.requests);
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}

/// Totals over totals of the same object come in rounds
#[tokio::test(start_paused = true)]
async fn totals_over_own_object() {
    let world = EngineWorld::new(Limits::default());
    {
        let mut sandbox = world.sandbox.borrow_mut();
        sandbox.add_relation("company", "parent", "company", "branches").unwrap();
        sandbox.add_field("company", "NUMBER", "branchGiftCount", &[]).unwrap();
    }
    // Top, middle, leaf; a gift to the middle and two to the leaf.
    world.create("company", 0, &json!({ "name": "top" }));
    world.create("company", 1, &json!({ "name": "middle", "parentId": id("company", 0) }));
    world.create("company", 2, &json!({ "name": "leaf", "parentId": id("company", 1) }));
    for (number, company) in [(0, 1), (1, 2), (2, 2)] {
        world.create("gift", number, &json!({ "companyId": id("company", company) }));
    }
    let definitions = json!([
        { "parentObject": "company", "childObject": "company", "relationField": "parentId",
          "aggregations": [{ "type": "SUM", "childField": "lifetimeGiftCount", "parentField": "branchGiftCount" }] },
        { "parentObject": "company", "childObject": "gift", "relationField": "companyId",
          "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }] },
    ]);
    let options = world.configured(definitions);
    let counts = || [0, 1, 2].map(|number| world.record("company", id("company", number))["branchGiftCount"].clone());
    let rebuild = calculate_rollups(&world.host(Faults::none()), &json!({}), &options).await;
    assert_eq!((rebuild.status, counts()), (Status::Ok, [json!(1), json!(2), json!(null)]));
    world.create("gift", 3, &json!({ "companyId": id("company", 1) }));
    let company = json!({ "companyId": id("company", 1) });
    calculate_rollups(&world.host(Faults::none()), &event(&company, &company), &options).await;
    assert_eq!(counts(), [json!(2), json!(2), json!(null)]);
}

#[tokio::test(start_paused = true)]
async fn older_run_does_not_win() {
    for way in Way::BOTH {
        let world = EngineWorld::new(Limits::default()).by(way);
        world.create("person", 0, &json!({}));
        let donor = json!({ "donorId": id("person", 0) });
        let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
        let gift = json!({ "donorId": id("person", 0), "amount": amount });
        world.create("gift", 0, &gift);
        // Its first write is refused for the rate limit; while it waits another run counts a second gift.
        let host = world.host(Faults::none().at(4, Fault::Status(429)));
        let options = world.options();
        let payload = event(&donor, &donor);
        let older = calculate_rollups(&host, &payload, &options);
        let newer = async {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            world.create("gift", 1, &gift);
            world.run(&event(&donor, &donor)).await
        };
        let (older, newer) = futures_util::future::join(older, newer).await;
        assert_eq!((older.status, newer.status, older.requests.throttled), (Status::Ok, Status::Ok, 1));
        assert_eq!(world.record("person", id("person", 0))["lifetimeGiftCount"], json!(2));
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}
