//! Gifts below zero, and gifts of days to come, under the default definitions.

use serde_json::json;

use super::common::{EngineWorld, Way, id};

async fn totals(way: Way, gifts: &[(i64, &str)]) -> serde_json::Value {
    let world = EngineWorld::new(sandbox::Limits::default()).with_parents(1).by(way);
    for (number, (pounds, day)) in (0..).zip(gifts) {
        world.create(
            "gift",
            number,
            &json!({
                "donorId": id("person", 0), "giftDate": day,
                "amount": { "amountMicros": pounds * 1_000_000, "currencyCode": "GBP" },
            }),
        );
    }
    world.run(&json!({})).await;
    assert_eq!(world.wrong(), Vec::<String>::new());
    world.record("person", id("person", 0))
}

#[tokio::test(start_paused = true)]
async fn reversal_lowers_sums_and_is_no_gift() {
    for way in Way::BOTH {
        let person = totals(way, &[(100, "2026-02-01"), (-30, "2026-03-01")]).await;
        assert_eq!(person["lifetimeGiftAmount"]["amountMicros"], 70_000_000);
        assert_eq!(person["yearToDateGiftAmount"]["amountMicros"], 70_000_000);
        assert_eq!((&person["lifetimeGiftCount"], &person["yearToDateGiftCount"]), (&json!(1), &json!(1)));
        assert_eq!(person["lastGiftDate"], "2026-02-01");
        let person = totals(way, &[(100, "2026-02-01"), (-100, "2026-02-01")]).await;
        assert_eq!(person["lifetimeGiftAmount"]["amountMicros"].as_i64().unwrap_or_default(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn this_year_ends_today() {
    for way in Way::BOTH {
        let person = totals(way, &[(10, "2026-01-15"), (10, "2026-12-01"), (10, "2027-12-01")]).await;
        assert_eq!((&person["yearToDateGiftCount"], &person["lastGiftDate"]), (&json!(1), &json!("2026-01-15")));
        assert_eq!(person["yearToDateGiftAmount"]["amountMicros"], 10_000_000);
        assert_eq!(person["lifetimeGiftCount"], 3);
        let person = totals(way, &[(10, "2027-12-01")]).await;
        assert_eq!((&person["firstGiftDate"], &person["lastGiftDate"]), (&json!(null), &json!(null)));
    }
}
