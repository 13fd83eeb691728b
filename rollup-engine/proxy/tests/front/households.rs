use serde_json::{Value, json};

use crate::scene::{Scene, run};

#[test]
fn address_is_translated_both_ways() {
    run(async {
        let scene = Scene::calm();
        let address = json!({ "line1": "1 High St", "city": "York", "postalCode": "YO1 1AA", "country": "GB" });
        let body = json!({ "name": "Byron", "mailingAddress": address });
        let (status, created) = scene.ask("POST", "/households", Some(&body)).await;
        assert_eq!((status, &created["mailingAddress"]), (200, &address), "{created}");
        let path = format!("/households/{}", created["id"].as_str().unwrap());
        assert_eq!(scene.get(&path).await.1["mailingAddress"], address);

        assert_eq!(scene.ask("PATCH", &path, Some(&json!({ "mailingAddress": {} }))).await.0, 400);
        let (_, cleared) = scene.ask("PATCH", &path, Some(&json!({ "mailingAddress": null }))).await;
        assert_eq!(cleared["mailingAddress"], Value::Null);
    });
}

#[test]
fn copied_address_keeps_other_households() {
    run(async {
        let scene = Scene::calm();
        let homes = ["A", "B"].map(|name| scene.put("household", &json!({ "name": name })));
        let settled = scene.put(
            "person",
            &json!({ "name": { "firstName": "Ada", "lastName": "B" }, "householdId": homes[1].to_string() }),
        );
        let free = scene.put("person", &json!({ "name": { "firstName": "Bob", "lastName": "B" } }));
        let path = format!("/households/{}/copy-address", homes[0]);
        for (person, home) in [(settled, homes[1]), (free, homes[0])] {
            let body = json!({ "contactId": person.to_string(), "mailingAddress": { "line1": "1 High St" } });
            let (status, shown) = scene.ask("POST", &path, Some(&body)).await;
            assert_eq!((status, &shown["householdId"]), (200, &json!(home.to_string())), "{shown}");
            assert_eq!(shown["mailingAddress"], json!({ "line1": "1 High St" }));
        }
    });
}

#[test]
fn only_members_can_be_removed() {
    run(async {
        let scene = Scene::calm();
        let homes = ["A", "B"].map(|name| scene.put("household", &json!({ "name": name })));
        let ada = scene.put("person", &json!({ "name": { "firstName": "Ada", "lastName": "B" } }));
        let body = json!({ "contactId": ada.to_string(), "makePrimary": true });
        assert_eq!(scene.ask("POST", &format!("/households/{}/members", homes[0]), Some(&body)).await.0, 200);
        assert_eq!(scene.record("household", homes[0])["primaryContactId"], json!(ada.to_string()));

        assert_eq!(scene.ask("DELETE", &format!("/households/{}/members/{ada}", homes[1]), None).await.0, 404);
        assert_eq!(scene.record("person", ada)["householdId"], json!(homes[0].to_string()));

        let (status, shown) = scene.ask("DELETE", &format!("/households/{}/members/{ada}", homes[0]), None).await;
        assert_eq!((status, &shown["householdId"]), (200, &Value::Null));
        assert_eq!(scene.record("household", homes[0])["primaryContactId"], Value::Null);
    });
}

#[test]
fn members_past_the_first_page() {
    run(async {
        let scene = Scene::calm();
        let home = scene.put("household", &json!({ "name": "A" }));
        for number in 0..150 {
            let household = if number % 50 == 0 { json!(home.to_string()) } else { Value::Null };
            scene.put(
                "person",
                &json!({ "name": { "firstName": "P", "lastName": number.to_string() }, "householdId": household }),
            );
        }
        let (status, body) = scene.get(&format!("/households/{home}/members")).await;
        assert_eq!((status, body["members"].as_array().unwrap().len()), (200, 3));

        let (_, page) = scene.get("/households?limit=1").await;
        assert_eq!(page.get("meta"), None);
        scene.put("household", &json!({ "name": "B" }));
        let (_, page) = scene.get("/households?limit=1").await;
        assert_eq!(page["meta"]["hasMore"], true);
        let path = format!("/households?limit=1&starting_after={}", page["meta"]["nextCursor"].as_str().unwrap());
        let (_, next) = scene.get(&path).await;
        assert_ne!(next["households"][0]["id"], page["households"][0]["id"]);
    });
}
