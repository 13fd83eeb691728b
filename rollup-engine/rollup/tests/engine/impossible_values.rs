//! A condition whose value its field cannot have leaves no total wrong in silence.

use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;
use uuid::Uuid;

use super::common::{EngineWorld, Way, id, refusal};

/// Ada gave once; her count is stored from before, and gifts have a field of each kind
fn world(way: Way) -> EngineWorld {
    let world = EngineWorld::new(Limits::default()).by(way);
    {
        let mut sandbox = world.sandbox.borrow_mut();
        for (kind, name, options) in [
            ("NUMBER", "score", &[][..]),
            ("BOOLEAN", "paid", &[]),
            ("DATE_TIME", "cleared", &[]),
            ("TEXT", "note", &[]),
            ("SELECT", "channel", &["WEB", "POST"]),
            ("MULTI_SELECT", "tags", &["A", "B"]),
            ("RATING", "stars", &[]),
            ("ADDRESS", "place", &[]),
            ("EMAILS", "mails", &[]),
            ("LINKS", "site", &[]),
        ] {
            sandbox.add_field("gift", kind, name, options).unwrap();
        }
    }
    world.create("person", 1, &json!({ "lifetimeGiftCount": 7 }));
    world.create(
        "gift",
        1,
        &json!({ "donorId": id("person", 1), "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" },
                 "giftDate": "2026-03-05", "score": 3, "paid": true, "channel": "WEB", "note": "a" }),
    );
    world
}

fn definition(condition: &Value) -> Value {
    json!({
        "parentObject": "person", "childObject": "gift", "relationField": "donorId", "childFilters": [condition],
        "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }]
    })
}

fn is(field: &str, operator: &str, value: &Value) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

async fn run(world: &EngineWorld, definitions: Value, payload: &Value, metadata: bool) -> Report {
    let host = InterceptHost::new(world.host(Faults::none())).before(|request| {
        let forbidden = !metadata && request.url.contains("/rest/metadata/");
        forbidden.then(|| refusal(403, "no", Some("PERMISSION_DENIED")))
    });
    calculate_rollups(&host, payload, &world.configured(definitions)).await
}

fn count(world: &EngineWorld) -> Value {
    world.record("person", id("person", 1))["lifetimeGiftCount"].clone()
}

/// What the metadata prove to be impossible is left out with its place, and the rest runs
#[tokio::test(start_paused = true)]
async fn values_against_the_metadata() {
    let world = world(Way::GraphQl);
    for (condition, place) in [
        (
            is("score", "gt", &json!("many")),
            "childFilters 0, value: found `many`, expected a number: `gift.score` is a NUMBER",
        ),
        (is("score", "in", &json!([1, "2", "x"])), "childFilters 0, value 2: found `x`"),
        (is("paid", "equals", &json!("true")), "childFilters 0, value: found `true`, expected true or false"),
        (is("paid", "notEquals", &json!(1)), "childFilters 0, value: found the number 1"),
        (is("paid", "gt", &json!("a")), "childFilters 0, value: found `a`"),
        (is("giftDate", "equals", &json!("March")), "childFilters 0, value: found `March`, expected a day"),
        (is("giftDate", "notEquals", &json!(20_260_305)), "childFilters 0, value: found the number 20260305"),
        (
            is("giftDate", "in", &json!(["2026-03-05", "2026-03-05T00:00:00Z"])),
            "childFilters 0, value 1: found `2026-03-05T00:00:00Z`, which no day equals",
        ),
        (
            is("donorId", "equals", &json!("7F0B4A52-6A1C-4E0B-9D55-3A1F1D0C9A10")),
            "childFilters 0, value: found `7F0B4A52-6A1C-4E0B-9D55-3A1F1D0C9A10`, expected the id of a record, in lower",
        ),
        (
            is("donorId", "in", &json!(["7f0b4a526a1c4e0b9d553a1f1d0c9a10"])),
            "childFilters 0, value 0: found `7f0b4a526a1c4e0b9d553a1f1d0c9a10`, expected the id of a record",
        ),
        (is("cleared", "equals", &json!("5 March 2026")), "childFilters 0, value: found `5 March 2026`"),
        (is("note", "equals", &json!(5)), "childFilters 0, value: found the number 5, expected a text"),
        (is("note", "notEquals", &json!(false)), "childFilters 0, value: found false"),
        (is("channel", "equals", &json!("web")), "childFilters 0, value: found `web`, expected one of `WEB`, `POST`"),
        (is("channel", "notIn", &json!(["WEB", "FAX"])), "childFilters 0, value 1: found `FAX`"),
        (is("tags", "equals", &json!("C")), "childFilters 0, value: found `C`, expected one of `A`, `B`"),
        (is("tags", "notEquals", &json!("A")), "childFilters 0, field: its values are lists or objects"),
        (is("stars", "gt", &json!(3)), "childFilters 0, value: found the number 3, expected one of `RATING_1`"),
        (is("donorId", "equals", &json!("ada")), "childFilters 0, value: found `ada`, expected the id of a record"),
        (is("place.addressCity", "equals", &json!(5)), "childFilters 0, value: found the number 5"),
        (is("place.addressLat", "gt", &json!("north")), "childFilters 0, value: found `north`, expected a number"),
        (is("mails.primaryEmail", "equals", &json!(true)), "childFilters 0, value: found true"),
        (is("mails.additionalEmails", "equals", &json!("a@b.c")), "childFilters 0, field: its values are lists"),
        (is("site.primaryLinkUrl", "in", &json!(["a", 7])), "value"),
        (
            json!({ "field": "score", "operator": "gt", "dynamicValue": "today" }),
            "childFilters 0, dynamicValue: found a day",
        ),
        (
            json!({ "field": "note", "subtractField": "score", "operator": "gt", "value": "a" }),
            "childFilters 0, value: found `a`",
        ),
    ] {
        let twin = world.twin();
        let report = run(&twin, json!([definition(&condition)]), &json!({}), true).await;
        if report.code.as_deref() == Some("invalid_config") {
            assert!(report.message.as_ref().unwrap().contains(place), "{condition}: {report:?}");
            continue;
        }
        assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("nothing_to_run")), "{condition}");
        assert_eq!(report.skipped[0].code, "invalid_value", "{condition}");
        assert!(report.skipped[0].reason.starts_with(place), "{condition}: {}", report.skipped[0].reason);
        assert_eq!(count(&twin), 7);
    }
}

/// A part that a composite field does not have, and a composite field as a whole, are no values
#[tokio::test(start_paused = true)]
async fn parts_against_the_metadata() {
    let world = world(Way::GraphQl);
    for (field, reason) in [
        ("mails.primaryEmial", "`gift.mails` is a EMAILS and has no part `primaryEmial`"),
        ("place", "`gift.place` is a ADDRESS: name a part of it, such as `place.addressCity`"),
        ("channel.label", "`gift.channel` is a SELECT and has no part `label`"),
    ] {
        let report =
            run(&world.twin(), json!([definition(&is(field, "notEquals", &json!("x")))]), &json!({}), true).await;
        assert_eq!(report.skipped[0].reason, reason);
    }
}

/// Beside an impossible condition the other definitions run, and the run does not call itself whole
#[tokio::test(start_paused = true)]
async fn rest_beside_an_impossible_value() {
    let world = world(Way::GraphQl);
    let sound = json!({
        "parentObject": "person", "childObject": "gift", "relationField": "donorId",
        "aggregations": [
            { "type": "MAX", "childField": "giftDate", "parentField": "lastGiftDate" },
            { "type": "COUNT", "parentField": "yearToDateGiftCount", "filters": [is("channel", "equals", &json!("web"))] }
        ]
    });
    let definitions = json!([definition(&is("channel", "equals", &json!("web"))), sound]);
    let report = run(&world, definitions.clone(), &json!({}), true).await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Partial, Some("invalid_value")), "{report:?}");
    let places: Vec<_> = report.skipped.iter().map(|entry| (entry.definition, entry.aggregation)).collect();
    assert_eq!(places, [(0, None), (1, Some(1))]);
    assert!(report.skipped[1].reason.starts_with("filters 0, value: found `web`"), "{report:?}");
    let person = world.record("person", id("person", 1));
    assert_eq!((&person["lastGiftDate"], &person["lifetimeGiftCount"]), (&json!("2026-03-05"), &json!(7)));
}

/// An event, or a list of parents, whose definitions were all left out is not `ok`
#[tokio::test(start_paused = true)]
async fn named_parents_of_left_out_definitions() {
    let world = world(Way::GraphQl);
    let of_person = definition(&is("renamed", "equals", &json!("x")));
    let of_appeal = json!({
        "parentObject": "appeal", "childObject": "gift", "relationField": "appealId",
        "aggregations": [{ "type": "COUNT", "parentField": "giftCount" }]
    });
    let named = |id: Uuid| json!({ "requestContext": {}, "body": { "parentObject": "person", "ids": [id] } });
    let report = run(&world, json!([of_person, of_appeal]), &named(id("person", 1)), true).await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("nothing_to_run")), "{report:?}");
    assert_eq!(report.skipped[0].code, "not_in_workspace");
}

/// Without metadata the first records tell what they can, and the report says what was taken at its word
#[tokio::test(start_paused = true)]
async fn values_without_metadata() {
    for way in Way::BOTH {
        for condition in [
            is("score", "lt", &json!("many")),
            is("paid", "notEquals", &json!("no")),
            is("giftDate", "notEquals", &json!(5)),
        ] {
            let world = world(way);
            let report = run(&world, json!([definition(&condition)]), &json!({}), false).await;
            assert_eq!(count(&world), 7, "{condition}: {report:?}");
            assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("invalid_value")), "{report:?}");
            assert!(report.skipped[0].reason.starts_with("childFilters 0, value: found "), "{report:?}");
        }
        let world = world(way);
        let report = run(&world, json!([definition(&is("channel", "equals", &json!("web")))]), &json!({}), false).await;
        assert!(report.notes.iter().any(|note| note.contains("`gift.channel`")), "{report:?}");
    }
}
