//! What callers say of days, and what they change on gifts that are there.

use serde_json::{Value, json};
use support::ServiceWorld;

use super::common::{by_mail, staged, unstaged};

fn id_of(world: &ServiceWorld, object: &str) -> String {
    world.only(object)["id"].as_str().unwrap().to_owned()
}

/// A refund entered by hand takes the gift's Gift Aid, and one that is taken back restores it.
#[tokio::test(start_paused = true)]
async fn refund_by_hand_moves_gift_aid() {
    let mut world = unstaged();
    world.settings.gift_aid = true;
    let donor = world.create("person", &json!({ "name": { "firstName": "Mary", "lastName": "Seacole" } }));
    let declaration = json!({ "status": "ACTIVE", "declarationDate": "2020-01-01", "personId": donor });
    world.create("giftAidDeclaration", &declaration);
    let mut gift = by_mail();
    gift["contactId"] = json!(donor);
    gift.as_object_mut().unwrap().remove("contact");
    assert_eq!(world.ask("POST", "gifts", gift).await.0, 200);
    let path = format!("gifts/{}", id_of(&world, "gift"));
    let verdict = |world: &ServiceWorld| {
        let gift = world.only("gift");
        ["giftAidStatus", "giftAidReasonCode"].map(|key| gift[key].as_str().unwrap_or_default().to_owned())
    };
    let claimable = ["CLAIMABLE".to_owned(), "valid_declaration_present".to_owned()];
    let refunded = ["NOT_CLAIMABLE".to_owned(), "gift_refunded_or_reversed".to_owned()];
    assert_eq!(verdict(&world), claimable);
    let pounds = |micros: i64| json!({ "amountMicros": micros, "currencyCode": "GBP" });
    for (change, expected) in [
        (json!({ "refundedAmount": pounds(5_000_000), "refundDate": "2026-02-20" }), &refunded),
        (json!({ "notes": "called" }), &refunded),
        (json!({ "refundedAmount": pounds(0), "refundDate": null }), &claimable),
        (json!({ "refundDate": "2026-02-20" }), &claimable),
        (json!({ "refundedAmount": pounds(25_000_000) }), &refunded),
        (json!({ "refundedAmount": null }), &claimable),
    ] {
        let (status, answer) = world.ask("PATCH", &path, change.clone()).await;
        assert_eq!((status, &verdict(&world)), (200, expected), "{change}: {answer}");
    }
    // What the caller says of the verdict itself stays, and so does everything where no Gift Aid is claimed.
    let own = json!({ "refundedAmount": pounds(5_000_000), "giftAidStatus": "NEEDS_REVIEW" });
    assert_eq!(world.ask("PATCH", &path, own).await.0, 200);
    assert_eq!(verdict(&world)[0], "NEEDS_REVIEW");
    world.settings.gift_aid = false;
    world.ask("PATCH", &path, json!({ "refundedAmount": pounds(6_000_000) })).await;
    assert_eq!(verdict(&world)[0], "NEEDS_REVIEW");
}

/// Another day and another donor are decided about anew.
#[tokio::test(start_paused = true)]
async fn changed_gift_is_decided_anew() {
    let mut world = unstaged();
    world.settings.gift_aid = true;
    let [ann, bob] = ["Ann", "Bob"]
        .map(|name| world.create("person", &json!({ "name": { "firstName": name, "lastName": "Oak" } })).to_string());
    let declaration = json!({ "status": "ACTIVE", "declarationDate": "2026-01-01", "personId": ann });
    world.create("giftAidDeclaration", &declaration);
    let mut gift = by_mail();
    gift["contactId"] = json!(ann);
    gift["giftAidEligible"] = json!(true);
    gift.as_object_mut().unwrap().remove("contact");
    assert_eq!(world.ask("POST", "gifts", gift).await.0, 200);
    let path = format!("gifts/{}", id_of(&world, "gift"));
    for (change, expected) in [
        (json!({ "giftDate": "2025-12-31" }), "NEEDS_REVIEW"),
        (json!({ "giftDate": "2026-01-02" }), "CLAIMABLE"),
        (json!({ "contactId": bob }), "NEEDS_REVIEW"),
        (json!({ "contactId": ann }), "CLAIMABLE"),
        (json!({ "paymentMethod": "Payroll Giving" }), "NOT_CLAIMABLE"),
        (json!({ "paymentMethod": "cash", "notes": "a cheque after all" }), "CLAIMABLE"),
        (json!({ "giftDate": "2025-12-31", "giftAidStatus": "CLAIMABLE" }), "CLAIMABLE"),
    ] {
        let (status, answer) = world.ask("PATCH", &path, change.clone()).await;
        assert_eq!((status, &world.only("gift")["giftAidStatus"]), (200, &json!(expected)), "{change}: {answer}");
    }
    let manual = json!({ "giftAidDecisionSource": "MANUAL_OVERRIDE" });
    world.ask("PATCH", &path, manual).await;
    world.ask("PATCH", &path, json!({ "contactId": bob })).await;
    assert_eq!(world.only("gift")["giftAidStatus"], "CLAIMABLE", "a person decided");
}

/// What went back of a gift is at most the gift, and in its currency.
#[tokio::test(start_paused = true)]
async fn refund_by_hand_is_of_the_gift() {
    let world = unstaged();
    assert_eq!(world.ask("POST", "gifts", by_mail()).await.0, 200);
    let path = format!("gifts/{}", id_of(&world, "gift"));
    let money = |micros: i64, code: &str| json!({ "amountMicros": micros, "currencyCode": code });
    for (change, status) in [
        (json!({ "refundedAmount": money(25_010_000, "GBP") }), 400),
        (json!({ "refundedAmount": money(5_000_000, "EUR") }), 400),
        (json!({ "refundedAmount": money(-5_000_000, "GBP") }), 400),
        (json!({ "refundedAmount": money(10_000_000, "GBP"), "amount": money(9_000_000, "GBP") }), 400),
        (json!({ "refundedAmount": money(25_000_000, "GBP") }), 200),
        (json!({ "refundedAmount": money(30_000_000, "GBP"), "amount": money(30_000_000, "GBP") }), 200),
        (json!({ "refundedAmount": money(0, "GBP") }), 200),
    ] {
        assert_eq!(world.ask("PATCH", &path, change.clone()).await.0, status, "{change}");
    }
    let nobody = "gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";
    let (status, answer) = world.ask("PATCH", nobody, json!({ "refundedAmount": money(1_000_000, "GBP") })).await;
    assert_eq!(status, 404, "Twenty's own refusal: {answer}");
    assert!(answer["upstream"].is_object(), "{answer}");
}

/// An instant in the place of a day is its day at the charity.
#[tokio::test(start_paused = true)]
async fn instants_in_the_place_of_days() {
    for (zone, instant, day) in [
        ("UTC", "2026-02-14T21:26:57Z", "2026-02-14"),
        ("Europe/London", "2025-06-14T23:30:00.000Z", "2025-06-15"),
        ("America/New_York", "2026-02-14T03:30:00Z", "2026-02-13"),
        ("Pacific/Auckland", " 2026-02-13T12:00:00+01:00 ", "2026-02-14"),
        ("UTC", "2026-02-14", "2026-02-14"),
    ] {
        let mut world = unstaged();
        world.settings.time_zone = zone.into();
        let mut gift = by_mail();
        gift["giftDate"] = json!(instant);
        assert_eq!(world.ask("POST", "gifts", gift.clone()).await.0, 200, "{instant}");
        assert_eq!(world.only("gift")["giftDate"], day, "{zone} {instant}");
        // The same gift told by its day is a repeat.
        gift["giftDate"] = json!(day);
        assert_eq!(world.ask("POST", "gifts", gift).await.1["meta"]["repeated"], true, "{instant}");
        let path = format!("gifts/{}", id_of(&world, "gift"));
        let (status, answer) = world.ask("PATCH", &path, json!({ "giftDate": instant })).await;
        assert_eq!((status, &world.only("gift")["giftDate"]), (200, &json!(day)), "{answer}");

        let mut world = staged();
        world.settings.time_zone = zone.into();
        let mut gift = by_mail();
        gift["giftDate"] = json!(instant);
        gift["expectedAt"] = json!(instant);
        assert_eq!(world.ask("POST", "gift-staging", gift).await.0, 201, "{instant}");
        let row = world.only("giftStaging");
        assert_eq!((&row["giftDate"], &row["expectedAt"]), (&json!(day), &json!(day)));
        let path = format!("gift-staging/{}", id_of(&world, "giftStaging"));
        let (status, answer) = world.ask("PATCH", &path, json!({ "giftDate": instant })).await;
        assert_eq!((status, &world.only("giftStaging")["giftDate"]), (200, &json!(day)), "{answer}");
    }
    let world = unstaged();
    for text in ["2026-02-14T21:26:57", "2026-02-30T10:00:00Z", "2026-02-14T25:00:00Z", "14/02/2026T10:00:00Z"] {
        let mut gift = by_mail();
        gift["giftDate"] = json!(text);
        let (status, answer) = world.ask("POST", "gifts", gift).await;
        assert_eq!((status, world.live("gift").len()), (400, 0), "{text}: {answer}");
    }
    for text in ["1899-12-31T12:00:00Z", "2031-01-01T00:00:00Z"] {
        let mut gift = by_mail();
        gift["giftDate"] = json!(text);
        assert_eq!(world.ask("POST", "gifts", gift).await.0, 400, "{text}");
    }
    assert_eq!(world.ask("POST", "gifts", Value::Null).await.0, 400);
}
