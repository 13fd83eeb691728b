//! Events are hints: an upsert of a composite alone, and gifts moved by a merge, send none.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn composite_upsert_sends_no_event() {
    let mut scene = Scene::new();
    let gift = scene.gift(None, 1_000_000, None);
    let amount = |micros: i64| json!({"amountMicros": micros, "currencyCode": "GBP"});
    scene.events();
    scene.post("/rest/batch/gifts?upsert=true", json!([{"id": gift, "amount": amount(2_000_000)}]));
    assert!(scene.events().is_empty());
    scene.post("/rest/batch/gifts?upsert=true", json!([{"id": gift, "amount": amount(3_000_000), "status": "paid"}]));
    let events = scene.sandbox.drain_events();
    let properties = &events[0].properties;
    assert_eq!(properties["updatedFields"], json!(["status"]));
    assert_eq!(properties["before"]["amount"], properties["after"]["amount"]);
    scene.patch(&format!("/rest/gifts/{gift}"), json!({"amount": amount(4_000_000)}));
    assert_eq!(scene.sandbox.drain_events()[0].properties["diff"]["amount"]["before"], amount(3_000_000));
}

#[test]
fn a_moved_gift_names_both_donors() {
    let mut scene = Scene::new();
    let (ada, bob) = (scene.person("Ada"), scene.person("Bob"));
    let gift = scene.gift(Some(ada), 1, None);
    scene.events();
    scene.patch(&format!("/rest/gifts/{gift}"), json!({"donorId": bob}));
    let event = scene.sandbox.drain_events().remove(0);
    assert_eq!((event.name.as_str(), event.record_id), ("gift.updated", gift));
    assert_eq!(event.object_metadata["nameSingular"], "gift");
    let properties = event.properties;
    assert_eq!(properties["updatedFields"], json!(["donor", "donorId"]));
    assert_eq!(properties["diff"]["donor"], json!({"before": {"id": ada}, "after": {"id": bob}}));
    assert_eq!(properties["before"]["donorId"], ada.to_string());

    scene.patch(&format!("/rest/gifts/{gift}"), json!({"donorId": bob}));
    assert!(scene.events().is_empty(), "the same value again");
}

#[test]
fn gifts_moved_by_a_merge_send_nothing() {
    let mut scene = Scene::new();
    let (keep, gone) = (scene.person("Eli"), scene.person("Eli"));
    scene.patch(&format!("/rest/people/{gone}"), json!({"jobTitle": "Teacher", "lifetimeGiftCount": 2}));
    let gift = scene.gift(Some(gone), 1, None);
    let before = scene.sandbox.record("gift", gift).unwrap();
    scene.events();
    let merged = scene.patch("/rest/people/merge", json!({"ids": [keep, gone], "conflictPriorityIndex": 0}));
    assert_eq!(merged["data"]["mergePerson"]["jobTitle"], "Teacher");
    assert_eq!(scene.events(), ["person.destroyed", "person.updated"]);
    let after = scene.sandbox.record("gift", gift).unwrap();
    assert_eq!(after["donorId"], keep.to_string());
    assert_ne!(after["updatedAt"], before["updatedAt"]);
}

#[test]
fn trash_and_restore_say_so() {
    let mut scene = Scene::new();
    let gift = scene.gift(None, 1, None);
    scene.delete(&format!("/rest/gifts/{gift}?soft_delete=true"));
    scene.patch(&format!("/rest/restore/gifts?filter=id%5Beq%5D:{gift}"), json!({}));
    scene.delete(&format!("/rest/gifts/{gift}"));
    assert_eq!(scene.events(), ["gift.created", "gift.deleted", "gift.restored", "gift.destroyed"]);
}

#[test]
fn one_event_tells_of_a_bulk_destroy() {
    let mut scene = Scene::new();
    let gifts: Vec<_> = (0..3).map(|_| scene.gift(None, 1, None).to_string()).collect();
    scene.delete(&format!("/rest/gifts/{}?soft_delete=true", gifts[0]));
    scene.events();
    scene.delete(&format!("/rest/gifts?filter=id%5Bin%5D:%5B{}%5D", gifts.join(",")));
    assert_eq!(scene.events(), ["gift.destroyed"]);
    assert_eq!(scene.sandbox.count("gift"), 0);
}
