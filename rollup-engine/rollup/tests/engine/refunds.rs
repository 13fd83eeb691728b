//! Totals are net of refunds, however the children are read; a gift that was refunded in full is not counted.

use sandbox::Limits;
use serde_json::{Value, json};

use super::common::{EngineWorld, id};

fn money(micros: impl Into<Option<i64>>) -> Value {
    let micros = micros.into();
    json!({ "amountMicros": micros, "currencyCode": micros.map(|_| "GBP") })
}

/// Three people: one without refunds, one with a part and a whole refunded, one with nothing left
fn world() -> EngineWorld {
    let world = EngineWorld::new(Limits::default());
    world.sandbox.borrow_mut().add_field("gift", "CURRENCY", "refundedAmount", &[]).unwrap();
    for number in 0..3 {
        world.create("person", number, &json!({}));
    }
    let gifts: [(u128, i64, Option<i64>, &str); 6] = [
        (0, 25_000_000, None, "2026-02-01"),
        (0, 10_000_000, Some(0), "2026-03-01"),
        (1, 40_000_000, Some(15_000_000), "2026-04-01"),
        (1, 70_000_000, Some(70_000_000), "2026-05-01"),
        (1, 5_000_000, None, "2025-06-01"),
        (2, 9_000_000, Some(9_000_000), "2026-07-01"),
    ];
    for (number, (donor, amount, refunded, date)) in (0..).zip(gifts) {
        let fields = json!({ "donorId": id("person", donor), "amount": money(amount), "giftDate": date,
            "refundedAmount": money(refunded) });
        world.create("gift", number, &fields);
    }
    world
}

fn stored(world: &EngineWorld, number: u128) -> (Value, Value, Value, Value) {
    let person = world.record("person", id("person", number));
    (
        person["lifetimeGiftAmount"]["amountMicros"].clone(),
        person["lifetimeGiftCount"].clone(),
        person["lastGiftDate"].clone(),
        person["yearToDateGiftAmount"]["amountMicros"].clone(),
    )
}

/// Whether the server adds up or the children are read
#[tokio::test(start_paused = true)]
async fn refunds_by_groups_and_by_reading() {
    for graphql in ["auto", "off"] {
        for more in [0, 20_000] {
            let world = world();
            // So many that their groups cost less than reading them.
            for number in 0..more {
                let fields = json!({ "amount": money(1_000_000), "giftDate": "2026-01-01" });
                world.create("gift", 100 + number, &fields);
            }
            let mut options = world.options();
            let defaults = include_str!("../../src/defaults.json");
            let config = format!(r#"{{"definitions":{defaults},"graphql":"{graphql}"}}"#);
            options.environment.set("ROLLUP_ENGINE_CONFIG", config);
            let host = world.host(sandbox::Faults::none());
            let report = rollup::calculate_rollups(&host, &json!({}), &options).await;
            assert_eq!(report.status, rollup::report::Status::Ok, "{report:?}");
            let grouped = report.plan.as_ref().is_some_and(|plan| plan.reading == Some(rollup::plan::Reading::GroupBy));
            assert_eq!(grouped, graphql == "auto" && more > 0, "{:?}", report.plan);
            assert_eq!(stored(&world, 0), (json!(35_000_000), json!(2), json!("2026-03-01"), json!(35_000_000)));
            assert_eq!(stored(&world, 1), (json!(30_000_000), json!(2), json!("2026-04-01"), json!(25_000_000)));
            let (amount, count, last, _) = stored(&world, 2);
            assert_eq!((amount.as_i64().unwrap_or(0), count.as_i64().unwrap_or(0), last), (0, 0, Value::Null));
        }
    }
}

/// A workspace without the field is told that nothing is subtracted
#[tokio::test(start_paused = true)]
async fn missing_refund_field_is_noted() {
    let world = EngineWorld::with_gifts(Limits::default(), 3, 9);
    let report = world.run(&json!({})).await;
    assert_eq!(world.wrong(), Vec::<String>::new());
    assert!(
        report.notes.contains(&"`gift` has no field `refundedAmount`: nothing is subtracted".to_owned()),
        "{report:?}"
    );
}
