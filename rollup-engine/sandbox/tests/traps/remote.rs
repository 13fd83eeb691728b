//! What Twenty's command line asks of a server before it keeps a token.

use ports::Method;
use serde_json::{Value, json};

use crate::scene::{self, Scene};

fn ask(scene: &mut Scene, token: &str, query: &str) -> Value {
    let request = scene::request(token, Method::Post, "/metadata", Some(json!({ "query": query })));
    let response = scene.sandbox.handle(&request, scene.now);
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn workspace_of_a_token() {
    let mut scene = Scene::new();
    let tokens = scene.sandbox.tokens().clone();
    let query = "query CurrentWorkspace { currentWorkspace { id } }";
    let id = |answer: Value| answer["data"]["currentWorkspace"]["id"].as_str().map(str::to_owned);
    let own = id(ask(&mut scene, &tokens.token, query)).unwrap();
    assert_eq!(own.len(), 36);
    assert_eq!(id(ask(&mut scene, &tokens.guest_token, query)).as_deref(), Some(own.as_str()));
    assert_ne!(id(ask(&mut scene, &tokens.direct_token, query)).unwrap(), own);
    for (token, code) in [("nobody", "UNAUTHENTICATED"), (&*tokens.revoked_token, "FORBIDDEN")] {
        let answer = ask(&mut scene, token, query);
        assert_eq!((&answer["errors"][0]["extensions"]["code"], answer.get("data")), (&json!(code), None), "{token}");
    }
}

/// Only what is selected is answered, and what the sandbox does not have is named.
#[test]
fn other_metadata_documents() {
    let mut scene = Scene::new();
    let token = scene.token.clone();
    let answer = ask(&mut scene, &token, "{ own: currentWorkspace { workspaceUrls { customUrl } } __typename }");
    assert_eq!(answer, json!({ "data": { "own": { "workspaceUrls": { "customUrl": null } }, "__typename": "Query" } }));
    let answer = ask(&mut scene, &token, "{ objects { edges { node { id } } } }");
    assert_eq!(answer, json!({ "errors": [{ "message": "Cannot query field \"objects\" on type \"Query\"." }] }));
    let answer = ask(&mut scene, &token, "mutation { currentWorkspace { id } }");
    assert_eq!(answer["errors"][0]["message"], "Cannot query field \"currentWorkspace\" on type \"Mutation\".");
}
