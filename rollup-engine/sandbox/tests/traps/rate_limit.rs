//! All keys of a workspace share 100 calls a minute; what is refused before the limit is free.

use std::time::Duration;

use ports::Method;
use sandbox::{Limits, Profile};
use serde_json::json;

use crate::scene::{Scene, json as body, request};

fn tired_out() -> Scene {
    let mut scene = Scene::with(Profile::V1, Limits::default());
    let guest = scene.sandbox.tokens().guest_token.clone();
    for call in 0..100 {
        scene.now = scene.now + Duration::from_millis(15);
        let token = if call % 2 == 0 { &scene.token } else { &guest };
        let answer = scene.sandbox.handle(&request(token, Method::Get, "/rest/gifts", None), scene.now);
        assert_eq!(answer.status, 200, "call {call}");
    }
    scene
}

#[test]
fn the_limit_is_the_workspaces() {
    let mut scene = tired_out();
    let ask = |scene: &mut Scene, method, path: &str, sent| {
        let request = request(&scene.token, method, path, sent);
        scene.sandbox.handle(&request, scene.now)
    };
    let refused = ask(&mut scene, Method::Get, "/rest/gifts", None);
    assert_eq!(refused.status, 429);
    assert_eq!(body(&refused)["messages"][0], "Limit reached (100 tokens per 60000 ms)");
    assert_eq!(refused.header("retry-after"), None);
    let graphql = ask(&mut scene, Method::Post, "/graphql", Some(json!({"query": "{ gifts { totalCount } }"})));
    assert_eq!((graphql.status, &body(&graphql)["errors"][0]["extensions"]["subCode"]), (200, &json!("LIMIT_REACHED")));
    for (path, status) in [("/rest/gifts?limit=-1", 400), ("/rest/nosuchs", 400), ("/rest/metadata/objects", 200)] {
        assert_eq!(ask(&mut scene, Method::Get, path, None).status, status, "{path} is free");
    }
    assert_eq!((scene.sandbox.usage().tokens, scene.sandbox.usage().refused), (100, 2));

    scene.now = scene.now + Duration::from_millis(600);
    assert_eq!(ask(&mut scene, Method::Get, "/rest/gifts", None).status, 200, "one token in 600 ms");
    scene.now = scene.now + Duration::from_millis(599);
    assert_eq!(ask(&mut scene, Method::Get, "/rest/gifts", None).status, 429, "and nothing before");
}

#[test]
fn each_workspace_has_its_limit() {
    let mut scene = tired_out();
    let direct = scene.sandbox.tokens().direct_token.clone();
    let answer = scene.sandbox.handle(&request(&direct, Method::Get, "/rest/people", None), scene.now);
    assert_eq!(answer.status, 200);
}

#[test]
fn an_app_is_not_counted() {
    let mut scene = tired_out();
    let app = scene.sandbox.mint_app_token();
    for _ in 0..600 {
        assert_eq!(scene.sandbox.handle(&request(&app, Method::Get, "/rest/gifts", None), scene.now).status, 200);
    }
}
