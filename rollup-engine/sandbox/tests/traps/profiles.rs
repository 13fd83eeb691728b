//! Profile v2: what newer versions answer differently.

use ports::Method;
use sandbox::{Limits, Profile};
use serde_json::json;

use crate::scene::{Scene, json as body, request};

fn newer() -> Scene {
    Scene::with(Profile::V2, Limits::off())
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let mut scene = Scene::with(Profile::V2, "2/60000".parse().unwrap());
    let ask = |scene: &mut Scene, token: &str| {
        scene.sandbox.handle(&request(token, Method::Get, "/rest/gifts", None), scene.now)
    };
    let token = scene.token.clone();
    assert_eq!([ask(&mut scene, &token).status, ask(&mut scene, &token).status], [200, 200]);
    let refused = ask(&mut scene, &token);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    assert_eq!(
        (&body(&refused)["error"], &body(&refused)["retryAfterSeconds"]),
        (&json!("RATE_LIMITED"), &json!(30.0))
    );
    assert_eq!(refused.header("x-ratelimit-limit"), Some("2"));
    let query = json!({"query": "{ gifts { totalCount } }"});
    let graphql = scene.sandbox.handle(&request(&token, Method::Post, "/graphql", Some(query)), scene.now);
    assert_eq!(body(&graphql)["errors"][0]["extensions"]["code"], "RATE_LIMITED");

    let app = scene.sandbox.mint_app_token();
    for call in 0..500 {
        assert_eq!(ask(&mut scene, &app).status, 200, "call {call}");
    }
    assert_eq!(ask(&mut scene, &app).status, 429, "500 a minute for an app");
}

#[test]
fn restoring_has_other_paths() {
    let mut scene = newer();
    let gift = scene.gift(None, 1, None);
    for path in [format!("/rest/gifts/{gift}/restore"), format!("/rest/gifts/restore?filter=id%5Beq%5D:{gift}")] {
        scene.sandbox.soft_delete("gift", gift, scene.now).unwrap();
        assert_eq!(scene.send(Method::Patch, &path, None).status, 200, "{path}");
        assert_eq!(scene.sandbox.count("gift"), 1);
    }
    assert_eq!(scene.send(Method::Patch, "/rest/restore/gifts", None).status, 400);
}

#[test]
fn a_bulk_update_needs_a_filter() {
    let mut scene = newer();
    let refused = scene.send(Method::Patch, "/rest/gifts", Some(json!({"status": "x"})));
    assert_eq!(refused.status, 400);
    assert_eq!(body(&refused)["messages"][0], "A non-empty filter is required for a bulk mutation");
}

#[test]
fn pages_tell_of_both_sides() {
    let mut scene = newer();
    for _ in 0..5 {
        scene.gift(None, 1, None);
    }
    let first = scene.get("/rest/gifts?limit=2");
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap().replace('=', "%3D");
    assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    assert_eq!(scene.get(&format!("/rest/gifts?limit=2&starting_after={cursor}"))["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(scene.get(&format!("/rest/gifts?limit=2&ending_before={cursor}"))["pageInfo"]["hasNextPage"], true);
}

#[test]
fn fields_can_be_chosen() {
    let mut scene = newer();
    let gift = scene.gift(None, 5, None);
    let answer = scene.get("/rest/gifts?fields=amount,donorId");
    let expected = json!({"id": gift, "amount": {"amountMicros": 5, "currencyCode": "GBP"}, "donorId": null});
    assert_eq!(answer["data"]["gifts"][0], expected);
    assert_eq!(scene.send(Method::Get, "/rest/gifts?fields=nope", None).status, 400);
}

#[test]
fn an_object_of_many_fields_is_cut() {
    let mut scene = newer();
    for number in 0..200 {
        scene.sandbox.add_field("gift", "NUMBER", &format!("extra{number}"), &[]).unwrap();
    }
    scene.gift(None, 5, None);
    let response = scene.send(Method::Get, "/rest/gifts", None);
    assert_eq!(response.header("x-twenty-fields-capped"), Some("true"));
    assert!(body(&response)["data"]["gifts"][0].get("extra199").is_none());
}

#[test]
fn an_upsert_of_an_amount_is_told() {
    let mut scene = newer();
    let gift = scene.gift(None, 1, None);
    scene.events();
    scene.post("/rest/batch/gifts?upsert=true", json!([{"id": gift, "amount": {"amountMicros": 2}}]));
    assert_eq!(scene.events(), ["gift.updated"]);
}
