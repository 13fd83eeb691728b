//! A repeated or misspelt `filter` is ignored: the list is whole, and a bulk update changes every record.

use ports::Method;
use serde_json::json;

use crate::scene::{Scene, json as body};

#[test]
fn a_filter_given_twice_is_no_filter() {
    let mut scene = Scene::new();
    let ada = scene.person("Ada");
    let bob = scene.person("Bob");
    scene.gift(Some(ada), 1, None);
    scene.gift(Some(bob), 1, None);
    let one = format!("filter=donorId%5Beq%5D:{ada}");
    assert_eq!(scene.get(&format!("/rest/gifts?{one}"))["totalCount"], 1);
    assert_eq!(scene.get(&format!("/rest/gifts?{one}&{one}"))["totalCount"], 2);
    assert_eq!(scene.get(&format!("/rest/gifts?{}", one.replace("filter", "filters")))["totalCount"], 2);

    scene.sandbox.soft_delete("person", bob, scene.now).unwrap();
    let filter = "filter=name.firstName%5Beq%5D:Ada";
    let changed = scene.patch(&format!("/rest/people?{filter}&{filter}"), json!({"jobTitle": "everybody"}));
    assert_eq!(changed["data"]["updatePeople"].as_array().unwrap().len(), 2, "those in the trash too");
}

#[test]
fn bulk_update_changes_at_most_200() {
    let mut scene = Scene::new();
    for _ in 0..201 {
        scene.gift(None, 1, None);
    }
    let refused = scene.send(Method::Patch, "/rest/gifts", Some(json!({"status": "x"})));
    assert_eq!((refused.status, &body(&refused)["code"]), (400, &json!("TOO_MANY_RECORDS_TO_UPDATE")));
    assert_eq!(scene.get("/rest/gifts?filter=status%5Beq%5D:x")["totalCount"], 0);
}

#[test]
fn space_after_comma_is_kept() {
    let mut scene = Scene::new();
    let gift = scene.gift(None, 1, None);
    let other = scene.gift(None, 1, None);
    let list = |comma: &str| format!("/rest/gifts?filter=id%5Bin%5D:%5B\"{gift}\"{comma}\"{other}\"%5D");
    assert_eq!(scene.get(&list(","))["totalCount"], 2);
    let refused = scene.get(&list(",%20"));
    assert_eq!(refused["messages"][0], format!("Invalid UUID value ' \"{other}\"' for field \"id\""));
}
