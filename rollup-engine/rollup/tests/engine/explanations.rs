//! An explanation says of each total what a dry run and a rebuild say of it.

use std::collections::BTreeSet;

use rollup::report::{Mode, Status};
use rollup::{Report, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use uuid::Uuid;

use super::common::{Chance, EngineWorld, Way, defaults, id, wrote_nothing};

fn ask(object: &str, id: Uuid) -> Value {
    json!({ "explain": { "parentObject": object, "id": id } })
}

/// The totals of an explanation: field, and whether it is right
fn verdicts(report: &Report) -> Vec<(String, Value)> {
    let explanation = json!(report.explanation);
    let definitions = explanation["definitions"].as_array().unwrap();
    let totals = definitions.iter().flat_map(|definition| definition["totals"].as_array().unwrap());
    totals.map(|total| (total["parentField"].as_str().unwrap().to_owned(), total["right"].clone())).collect()
}

fn total<'r>(explanation: &'r Value, field: &str) -> &'r Value {
    let definitions = explanation["definitions"].as_array().unwrap();
    let mut totals = definitions.iter().flat_map(|definition| definition["totals"].as_array().unwrap());
    totals.find(|total| total["parentField"] == field).unwrap()
}

/// A donor of a household whose stored totals are of long ago, and the household's are made of those
fn stale_household(way: Way) -> EngineWorld {
    let world = EngineWorld::new(Limits::default()).by(way);
    let stale = json!({ "lifetimeGiftCount": 5, "lastGiftDate": "2025-05-01" });
    world.create("household", 1, &stale);
    let mut ada = stale;
    ada["householdId"] = json!(id("household", 1));
    world.create("person", 1, &ada);
    let amount = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
    world.create("gift", 1, &json!({ "donorId": id("person", 1), "amount": amount, "giftDate": "2026-05-01" }));
    world
}

#[tokio::test(start_paused = true)]
async fn stale_members_make_no_household_right() {
    for way in Way::BOTH {
        let world = stale_household(way);
        let report = world.run(&ask("household", id("household", 1))).await;
        assert!(wrote_nothing(&report));
        assert_eq!((report.status, report.mode), (Status::Ok, Some(Mode::Explain)));
        let explanation = json!(report.explanation);
        let count = total(&explanation, "lifetimeGiftCount");
        assert_eq!((&count["stored"], &count["computed"], &count["right"]), (&json!(5), &json!(1), &json!(false)));
        assert_eq!(world.record("person", id("person", 1))["lifetimeGiftCount"], json!(5));
        world.run(&json!({})).await;
        let after = verdicts(&world.run(&ask("household", id("household", 1))).await);
        assert!(after.len() == 6 && after.iter().all(|(_, right)| *right == json!(true)), "{after:?}");
    }
}

/// A condition on a member's own total goes by what that total comes to
#[tokio::test(start_paused = true)]
async fn reasons_go_by_computed_members() {
    let world = stale_household(Way::GraphQl);
    let mut definitions = defaults();
    definitions[1]["childFilters"] = json!([{ "field": "lifetimeGiftCount", "operator": "gt", "value": 1 }]);
    let payload = ask("household", id("household", 1));
    let report = calculate_rollups(&world.host(Faults::none()), &payload, &world.configured(definitions)).await;
    let child = &json!(report.explanation)["definitions"][0]["children"][0];
    assert_eq!((&child["counted"], child["why"].as_str().unwrap().contains("is 1,")), (&json!(false), true), "{child}");
}

/// Amounts in several currencies have no right value: a rebuild leaves them, or empties them where it is told to
#[tokio::test(start_paused = true)]
async fn mixed_currencies_are_neither_right_nor_wrong() {
    for (setting, before, after) in [("leave", json!(null), json!(null)), ("clear", json!(false), json!(null))] {
        let world = EngineWorld::new(Limits::default());
        let stored = json!({ "amountMicros": 3_000_000, "currencyCode": "GBP" });
        world.create("person", 1, &json!({ "lifetimeGiftAmount": stored }));
        for (number, code) in [(1, "GBP"), (2, "USD")] {
            let amount = json!({ "amountMicros": 5_000_000, "currencyCode": code });
            let gift = json!({ "donorId": id("person", 1), "amount": amount, "giftDate": "2025-05-01" });
            world.create("gift", number, &gift);
        }
        let options = world.configured(json!({ "definitions": defaults(), "mixedCurrency": setting }));
        for expected in [before, after] {
            let host = world.host(Faults::none());
            let report = calculate_rollups(&host, &ask("person", id("person", 1)), &options).await;
            let explanation = json!(report.explanation);
            let amount = total(&explanation, "lifetimeGiftAmount");
            assert_eq!(amount["right"], expected, "{setting}: {amount}");
            assert_eq!(amount["computed"], json!("amounts in several currencies: GBP, USD"));
            calculate_rollups(&host, &json!({}), &options).await;
        }
    }
}

/// Over workspaces with totals that are wrong in all places, each explanation names as wrong what a dry run names
#[tokio::test(start_paused = true)]
async fn explanations_agree_with_a_dry_run() {
    for seed in 1..=6 {
        let world = random_world(seed).by(if seed % 2 == 0 { Way::GraphQl } else { Way::Rest });
        let host = world.host(Faults::none());
        calculate_rollups(&host, &json!({ "dryRun": true }), &world.options()).await;
        let text = |line: &ports::Event, name: &str| line.field(name).and_then(Value::as_str).unwrap().to_owned();
        let lines = host.log_lines();
        let found = lines.iter().filter(|line| line.event == "difference_found");
        let wrong: BTreeSet<_> =
            found.map(|line| (text(line, "object"), text(line, "id"), text(line, "field"))).collect();
        assert!(wrong.len() > 10, "{seed}: {}", wrong.len());
        let mut explained = BTreeSet::new();
        for (object, count) in [("person", 12), ("household", 3), ("appeal", 2)] {
            for number in 0..count {
                let parent = id(object, number);
                for (field, right) in verdicts(&world.run(&ask(object, parent)).await) {
                    if right == json!(false) {
                        explained.insert((object.to_owned(), parent.to_string(), field));
                    }
                }
            }
        }
        assert_eq!(explained, wrong, "seed {seed}");
    }
}

/// People in and out of households with gifts in two currencies, and stored totals of which some are right by chance
fn random_world(seed: u64) -> EngineWorld {
    let world = EngineWorld::new(Limits::off());
    let mut chance = Chance::new(seed);
    let money = |chance: &mut Chance| {
        let micros = i64::try_from(chance.below(3)).unwrap() * 5_000_000;
        json!({ "amountMicros": micros, "currencyCode": chance.one(&["GBP", "GBP", "GBP", "USD"]) })
    };
    let stored = |chance: &mut Chance| {
        json!({
            "lifetimeGiftAmount": money(chance), "lifetimeGiftCount": chance.below(4),
            "lastGiftDate": chance.one(&[json!("2026-05-01"), json!(null)]),
        })
    };
    for number in 0..3 {
        world.create("household", number, &stored(&mut chance));
    }
    for number in 0..2 {
        let raised = money(&mut chance);
        world.create("appeal", number, &json!({ "name": "a", "raisedAmount": raised }));
    }
    for number in 0..12 {
        let mut person = stored(&mut chance);
        if chance.below(3) > 0 {
            person["householdId"] = json!(id("household", chance.below(3).into()));
        }
        world.create("person", number, &person);
    }
    for number in 0..30 {
        let gift = json!({
            "donorId": id("person", chance.below(12).into()), "appealId": id("appeal", chance.below(2).into()),
            "amount": money(&mut chance), "giftDate": chance.one(&["2026-05-01", "2025-05-01", "2027-01-01"]),
        });
        world.create("gift", number, &gift);
        if chance.below(6) == 0 {
            world.sandbox.borrow_mut().soft_delete("gift", id("gift", number), world.now.get()).unwrap();
        }
    }
    world
}
