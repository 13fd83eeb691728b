//! `null` clears numbers and dates, and is ignored for a currency.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn currency_null_is_ignored() {
    let mut scene = Scene::new();
    let ada = scene.person("Ada");
    let path = format!("/rest/people/{ada}");
    let full =
        json!({"lifetimeGiftAmount": {"amountMicros": 4_000_000, "currencyCode": "GBP"}, "lifetimeGiftCount": 2});
    scene.patch(&path, full.clone());
    let nulls = json!({"lifetimeGiftAmount": null, "lifetimeGiftCount": null});
    let answer = scene.patch(&path, nulls)["data"]["updatePerson"].clone();
    assert_eq!(answer["lifetimeGiftAmount"], full["lifetimeGiftAmount"]);
    assert!(answer["lifetimeGiftCount"].is_null());

    let part = json!({"lifetimeGiftAmount": {"amountMicros": 5_000_000}});
    assert_eq!(scene.patch(&path, part)["data"]["updatePerson"]["lifetimeGiftAmount"]["currencyCode"], "GBP");
    let clear = json!({"lifetimeGiftAmount": {"amountMicros": null, "currencyCode": null}});
    let cleared = scene.patch(&path, clear.clone())["data"]["updatePerson"]["lifetimeGiftAmount"].clone();
    assert_eq!(cleared, clear["lifetimeGiftAmount"]);
}
