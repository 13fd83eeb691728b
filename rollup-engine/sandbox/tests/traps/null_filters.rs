//! `neq` and `not` leave null rows out, and an empty text is null.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn not_equal_never_matches_null() {
    let mut scene = Scene::new();
    for status in ["received", "refunded", ""] {
        scene.post("/rest/gifts", json!({"status": status}));
    }
    for (filter, matches) in [
        ("status%5Bneq%5D:refunded", 1),
        ("not(status%5Beq%5D:refunded)", 1),
        ("or(status%5Bneq%5D:refunded,status%5Bis%5D:NULL)", 2),
        ("status%5Beq%5D:\"\"", 1),
        ("status%5Bin%5D:[\"received\",\"\"]", 1),
    ] {
        assert_eq!(scene.get(&format!("/rest/gifts?filter={filter}"))["totalCount"], matches, "{filter}");
    }
}

#[test]
fn stored_differs_from_sent() {
    let mut scene = Scene::new();
    let stored =
        |scene: &mut Scene, gift: serde_json::Value| scene.post("/rest/gifts", gift)["data"]["createGift"].clone();
    let gift = stored(&mut scene, json!({"giftDate": "03/05/2026", "amount": {"amountMicros": "12500000.5"}}));
    assert_eq!((&gift["giftDate"], &gift["amount"]["amountMicros"]), (&json!("2026-03-05"), &json!(12_500_000)));
    let big = stored(&mut scene, json!({"amount": {"amountMicros": "9007199254740993"}}));
    assert_eq!(big["amount"]["amountMicros"], 9_007_199_254_740_992_i64);
    assert_eq!(
        scene.post("/rest/gifts", json!({"foo": 1}))["messages"][0],
        "Object gift doesn't have any \"foo\" field."
    );
}

#[test]
fn mistyped_values_are_refused() {
    let mut scene = Scene::new();
    scene.sandbox.add_field("gift", "SELECT", "giftType", &["GRANT"]).unwrap();
    for (body, message) in [
        (json!({"giftType": ""}), "Invalid value \"\" for field \"giftType\". Valid values are: GRANT"),
        (
            json!({"giftDate": "2026-02-30"}),
            "Invalid value '2026-02-30' for date field \"giftDate\". Expected format: 'YYYY-MM-DD'",
        ),
        (json!({"amount": {"currencyCode": 5}}), "Invalid string value 5 for text field \"amount.currencyCode\""),
        (
            json!({"donorId": "80000000-0000-0000-0000-000000000000"}),
            "Invalid UUID value '80000000-0000-0000-0000-000000000000' for field \"donorId\"",
        ),
        (json!({"amount": 5}), "Invalid object value 5 for field \"amount\""),
    ] {
        let refused = scene.post("/rest/gifts", body);
        assert_eq!((&refused["statusCode"], &refused["messages"][0]), (&json!(400), &json!(message)));
    }
    let refused = scene.post("/rest/people", json!({"emails": {"primaryEmail": "nobody"}}));
    assert_eq!(refused["statusCode"], 400);
    assert_eq!(scene.post("/rest/gifts", json!({"name": "a\0b"}))["statusCode"], 500);
    assert_eq!(scene.sandbox.count("gift"), 0);
}
