//! Roles and tokens: 400 for a missing right, 403 for a missing or revoked token, 401 for a garbled one.

use ports::Method;
use serde_json::json;

use crate::scene::{Scene, json as body, request};

#[test]
fn a_guest_may_only_read() {
    let mut scene = Scene::new();
    let named = scene.sandbox.tokens().clone();
    let ask = |scene: &mut Scene, token: &str, method, path: &str| {
        let response = scene.sandbox.handle(&request(token, method, path, None), scene.now);
        (response.status, body(&response))
    };
    assert_eq!(ask(&mut scene, &named.guest_token, Method::Get, "/rest/gifts").0, 200);
    let (status, refusal) = ask(&mut scene, &named.guest_token, Method::Post, "/rest/gifts");
    assert_eq!((status, &refusal["code"]), (400, &json!("PERMISSION_DENIED")));
    assert_eq!(ask(&mut scene, &named.guest_token, Method::Get, "/rest/metadata/objects").0, 403);
    assert_eq!(ask(&mut scene, &named.revoked_token, Method::Get, "/rest/gifts").0, 403);
    assert_eq!(ask(&mut scene, "x", Method::Get, "/rest/gifts").0, 401);
    assert_eq!(scene.sandbox.count("gift"), 0);
}

#[test]
fn long_head_or_body_is_refused() {
    let mut scene = Scene::new();
    assert_eq!(scene.send(Method::Get, &format!("/rest/gifts?filter={}", "x".repeat(17_000)), None).status, 431);
    let long = scene.send(Method::Post, "/rest/gifts", Some(json!({"name": "x".repeat(11 << 20)})));
    assert_eq!((long.status, body(&long)), (500, json!("request entity too large")));
}

#[test]
fn an_unchanged_page_is_not_sent_again() {
    let mut scene = Scene::new();
    scene.gift(None, 1, None);
    let first = scene.send(Method::Get, "/rest/gifts", None);
    let mut again = request(&scene.token, Method::Get, "/rest/gifts", None);
    again.headers.push(("if-none-match".into(), first.header("etag").unwrap().to_owned()));
    let second = scene.sandbox.handle(&again, scene.now);
    assert_eq!((second.status, second.body.len()), (304, 0));
    assert_eq!(scene.sandbox.usage().tokens, 2, "which costs a token all the same");
}
