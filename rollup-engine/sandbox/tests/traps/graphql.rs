//! On GraphQL an unknown field is null, and every error is status 200.

use ports::Method;
use serde_json::json;

use crate::scene::Scene;

#[test]
fn unknown_fields_are_null() {
    let mut scene = Scene::new();
    scene.gift(None, 5_000_000, Some("2026-02-01"));
    let answer =
        scene.graphql("{ gifts { nope sumAmountAmountMicros edges { node { nada amount { amountMicros gone } } } } }");
    let node = json!({"nada": null, "amount": {"amountMicros": 5_000_000, "gone": null}});
    assert_eq!(
        answer,
        json!({"data": {"gifts": {"nope": null, "sumAmountAmountMicros": 5_000_000, "edges": [{"node": node}]}}})
    );
}

#[test]
fn every_error_is_status_200() {
    let mut scene = Scene::new();
    for (query, code) in [
        ("{ gifts(filter: {donorId: {eq: \"abc\"}}) { totalCount } }", "BAD_USER_INPUT"),
        ("mutation { updateGift(id: \"adf51cae-a898-46d5-be8c-ed3b2b0f6b34\", data: {}) { id } }", "NOT_FOUND"),
        ("{ a: gifts { totalCount } b: gifts { totalCount } }", "BAD_USER_INPUT"),
    ] {
        let response = scene.send(Method::Post, "/graphql", Some(json!({"query": query})));
        assert_eq!(response.status, 200);
        assert_eq!(crate::scene::json(&response)["errors"][0]["extensions"]["code"], code, "{query}");
    }
    let roots = ["gifts { totalCount }"; 21].join(" ");
    let refused = scene.graphql(&format!("{{ {roots} }}"));
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("root resolvers requested: 21"));
}

#[test]
fn empty_filter_deletes_everything() {
    let mut scene = Scene::new();
    scene.gift(None, 1, None);
    scene.gift(None, 1, None);
    let deleted = scene.graphql("mutation { deleteGifts(filter: {}) { id } }");
    assert_eq!(deleted["data"]["deleteGifts"].as_array().unwrap().len(), 2);
    assert_eq!(scene.sandbox.count("gift"), 0);
}
