//! An upsert revives what was soft-deleted, creates blanks for unknown ids, and keeps what it wrote before it failed.

use ports::Method;
use serde_json::{Value, json};

use crate::scene::{Scene, json as body};

const UNKNOWN: &str = "adf51cae-a898-46d5-be8c-ed3b2b0f6b34";

fn upsert(scene: &mut Scene, rows: Value) -> (u16, Value) {
    let response = scene.send(Method::Post, "/rest/batch/people?upsert=true", Some(rows));
    (response.status, body(&response))
}

#[test]
fn an_upsert_revives_and_creates() {
    let mut scene = Scene::new();
    let ada = scene.person("Ada");
    scene.sandbox.soft_delete("person", ada, scene.now).unwrap();
    let (status, answer) =
        upsert(&mut scene, json!([{"id": UNKNOWN, "lifetimeGiftCount": 1}, {"id": ada, "lifetimeGiftCount": 2}]));
    assert_eq!(status, 201);
    let rows = &answer["data"]["createPeople"];
    assert_eq!(rows[0]["id"], ada.to_string(), "updated rows come first");
    assert!(rows[0]["deletedAt"].is_null(), "revived");
    assert_eq!(rows[0]["name"]["firstName"], "Ada", "what was not sent stays");
    assert_eq!((&rows[1]["id"], &rows[1]["name"]["firstName"]), (&json!(UNKNOWN), &json!("")), "a blank");
}

#[test]
fn failed_upsert_keeps_first_rows() {
    let mut scene = Scene::new();
    let (ada, bob, cyd) = (scene.person("Ada"), scene.person("Bob"), scene.person("Cyd"));
    let rows = json!([
        {"id": ada, "lifetimeGiftCount": 122},
        {"id": bob, "companyId": UNKNOWN},
        {"id": cyd, "lifetimeGiftCount": 123},
    ]);
    assert_eq!(upsert(&mut scene, rows).0, 400);
    let count = |scene: &Scene, id| scene.sandbox.record("person", id).unwrap()["lifetimeGiftCount"].clone();
    assert_eq!(count(&scene, ada), 122);
    assert!(count(&scene, cyd).is_null());
}

#[test]
fn a_plain_batch_is_all_or_nothing() {
    let mut scene = Scene::new();
    let rows = json!([{"jobTitle": "one"}, {"companyId": UNKNOWN}]);
    assert_eq!(scene.send(Method::Post, "/rest/batch/people", Some(rows)).status, 400);
    assert_eq!(scene.sandbox.count("person"), 0);
    let many: Vec<Value> = (0..201).map(|_| json!({})).collect();
    let refused = scene.post("/rest/batch/people", json!(many));
    assert_eq!(refused["messages"][0], "Maximum number of records to upsert is 200.");
}

#[test]
fn repeated_id_last_row_wins() {
    let mut scene = Scene::new();
    let ada = scene.person("Ada");
    let (_, answer) = upsert(&mut scene, json!([{"id": ada, "jobTitle": "first"}, {"id": ada, "jobTitle": "second"}]));
    let rows = answer["data"]["createPeople"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["jobTitle"]), (1, &json!("second")));
}

#[test]
fn ambiguous_upsert_is_refused() {
    let mut scene = Scene::new();
    let ada = scene.person("Ada");
    scene.post("/rest/people", json!({"emails": {"primaryEmail": "bob@example.org"}}));
    let (status, answer) = upsert(&mut scene, json!([{"id": ada, "emails": {"primaryEmail": "bob@example.org"}}]));
    assert_eq!(status, 400);
    assert!(answer["messages"][0].as_str().unwrap().contains("Cannot determine which record to update"));
}
