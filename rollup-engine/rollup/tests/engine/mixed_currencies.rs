//! Currencies are never added together silently.

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use super::common::{EngineWorld, Way, defaults, id};

/// Ada gave pounds and dollars, Bob pounds; both live in one household.
fn world(way: Way) -> EngineWorld {
    let world = EngineWorld::new(Limits::default()).by(way);
    world.create("household", 1, &json!({ "name": "h" }));
    let stored = json!({ "amountMicros": 3_000_000, "currencyCode": "GBP" });
    for number in [1, 2] {
        let person = json!({ "householdId": id("household", 1), "lifetimeGiftAmount": stored });
        world.create("person", number, &person);
    }
    for (number, donor, code) in [(1, 1, "GBP"), (2, 1, "USD"), (3, 2, "GBP")] {
        let amount = json!({ "amountMicros": 5_000_000, "currencyCode": code });
        world.create(
            "gift",
            number,
            &json!({ "donorId": id("person", donor), "amount": amount, "giftDate": "2026-05-01" }),
        );
    }
    world
}

fn fields(world: &EngineWorld, object: &str, number: u128) -> (Value, Value, Value) {
    let record = world.record(object, id(object, number));
    let [amount, count, date] =
        ["lifetimeGiftAmount", "lifetimeGiftCount", "lastGiftDate"].map(|field| record[field].clone());
    (amount, count, date)
}

/// The amount stays and count and dates are written
#[tokio::test(start_paused = true)]
async fn mixed_amount_is_left() {
    for way in Way::BOTH {
        let (whole, targeted) = (world(way), world(way));
        let report = whole.run(&json!({})).await;
        targeted
            .run(&json!({ "requestContext": {}, "body": { "parentObject": "person", "ids": [id("person", 2)] } }))
            .await;
        for world in [&whole, &targeted] {
            let bob = json!({ "amountMicros": 5_000_000, "currencyCode": "GBP" });
            assert_eq!(fields(world, "person", 2), (bob, json!(1), json!("2026-05-01")));
            // A sum over a mixture is one as well: the household is not told Bob's pounds alone.
            let nothing = json!({ "amountMicros": null, "currencyCode": null });
            assert_eq!(fields(world, "household", 1), (nothing, json!(3), json!("2026-05-01")));
            let ada = json!({ "amountMicros": 3_000_000, "currencyCode": "GBP" });
            assert_eq!(fields(world, "person", 1), (ada, json!(2), json!("2026-05-01")));
        }
        assert_eq!((report.status, report.totals.mixed_currency), (Status::Ok, 2));
        let named: Vec<_> = report
            .mixed_currency
            .iter()
            .map(|mixture| (mixture.parent_object.as_str(), mixture.field.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                ("person", "lifetimeGiftAmount"),
                ("person", "yearToDateGiftAmount"),
                ("household", "lifetimeGiftAmount"),
                ("household", "yearToDateGiftAmount")
            ]
        );
        assert_eq!(report.mixed_currency[0].currencies, ["GBP".into(), "USD".into()]);
        // Nothing is written twice.
        assert_eq!(whole.run(&json!({})).await.totals.updated, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn mixture_behind_a_filter() {
    for way in Way::BOTH {
        let world = world(way);
        let mut definitions = defaults();
        definitions[1]["childFilters"] =
            json!([{ "field": "lifetimeGiftAmount.amountMicros", "operator": "gt", "value": 0 }]);
        let options = world.configured(definitions);
        let report = calculate_rollups(&world.host(Faults::none()), &json!({}), &options).await;
        let nothing = json!({ "amountMicros": null, "currencyCode": null });
        assert_eq!(fields(&world, "household", 1), (nothing, json!(3), json!("2026-05-01")));
        assert_eq!(report.totals.mixed_currency, 2);
    }
}

/// The amount is emptied where that is configured
#[tokio::test(start_paused = true)]
async fn mixed_amount_is_cleared() {
    for way in Way::BOTH {
        let world = world(way);
        let options = world.configured(json!({ "definitions": defaults(), "mixedCurrency": "clear" }));
        calculate_rollups(&world.host(Faults::none()), &json!({}), &options).await;
        let nothing = json!({ "amountMicros": null, "currencyCode": null });
        assert_eq!(fields(&world, "person", 1), (nothing, json!(2), json!("2026-05-01")));
        let again = calculate_rollups(&world.host(Faults::none()), &json!({}), &options).await;
        assert_eq!(again.totals.updated, 0);
    }
}
