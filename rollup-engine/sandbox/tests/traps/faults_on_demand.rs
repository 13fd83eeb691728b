//! Requests over a network that go wrong as `POST /__faults` says.

use std::time::Duration;

use ports::{Method, Request, Response};
use sandbox::{Exchange, Profile};
use serde_json::{Value, json};

use crate::scene::{self, Scene};

fn ask_for(scene: &mut Scene, faults: &Value) {
    let request = scene::request("", Method::Post, "/__faults", Some(json!({ "faults": faults })));
    assert_eq!(answered(scene, &request).status, 200);
}

fn exchange(scene: &mut Scene, request: &Request) -> Exchange {
    scene.now = scene.now + Duration::from_secs(1);
    scene.sandbox.exchange(request, scene.now)
}

fn answered(scene: &mut Scene, request: &Request) -> Response {
    match exchange(scene, request) {
        Exchange::Answer { response, after: Duration::ZERO } => response,
        other => panic!("{other:?}"),
    }
}

fn two_gifts(scene: &Scene) -> Request {
    let gift = || json!({ "amount": { "amountMicros": 1_000_000, "currencyCode": "GBP" } });
    scene::request(&scene.token, Method::Post, "/rest/batch/gifts", Some(json!([gift(), gift()])))
}

/// What each fault answers, and whether the server acted.
#[test]
fn each_kind_of_fault() {
    for (fault, acted) in [
        (json!({ "fault": "unreachable" }), 0),
        (json!({ "fault": "lostReply" }), 2),
        (json!({ "fault": "halfBatch", "rows": 1 }), 1),
        (json!({ "fault": "largeReply" }), 2),
        (json!({ "fault": "slow", "ms": 1500 }), 2),
        (json!({ "fault": "status", "status": 503 }), 0),
    ] {
        let mut scene = Scene::new();
        ask_for(&mut scene, &json!([fault]));
        let request = two_gifts(&scene);
        let got = match exchange(&mut scene, &request) {
            Exchange::Closed => "closed".to_owned(),
            Exchange::Answer { response, after } => {
                let length = if response.body.len() > 1024 * 1024 { "large" } else { "small" };
                format!("{} {length} {}", response.status, after.as_millis())
            }
        };
        let expected = match fault["fault"].as_str().unwrap() {
            "unreachable" | "lostReply" => "closed",
            "halfBatch" => "500 small 0",
            "largeReply" => "201 large 0",
            "slow" => "201 small 1500",
            _ => "503 small 0",
        };
        assert_eq!((got.as_str(), scene.sandbox.count("gift")), (expected, acted), "{fault}");
    }
}

/// Statuses are worded as the server words them.
#[test]
fn statuses_in_the_servers_words() {
    let mut scene = Scene::with(Profile::V2, sandbox::Limits::off());
    for (fault, class, retry_after) in [
        (json!({ "fault": "status", "status": 401 }), "UNAUTHENTICATED", None),
        (json!({ "fault": "status", "status": 403 }), "FORBIDDEN_EXCEPTION", None),
        (json!({ "fault": "status", "status": 404 }), "Not Found", None),
        (json!({ "fault": "status", "status": 429 }), "HttpException", Some("5")),
        (json!({ "fault": "status", "status": 429, "retryAfterSeconds": 2 }), "HttpException", Some("2")),
        (
            json!({ "fault": "status", "status": 503, "retryAfterSeconds": 1 }),
            "InternalServerErrorException",
            Some("1"),
        ),
    ] {
        ask_for(&mut scene, &json!([fault]));
        let request = scene::request(&scene.token, Method::Get, "/rest/gifts", None);
        let response = answered(&mut scene, &request);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((json!(response.status), &body["error"]), (fault["status"].clone(), &json!(class)));
        let headers: Vec<&str> = response
            .headers
            .iter()
            .filter(|(name, _)| name == "retry-after")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(headers, Vec::from_iter(retry_after), "{fault}");
    }
}

/// The sandbox's own calls never go wrong, and the faults can be seen and taken away.
#[test]
fn own_calls_never_fail() {
    let mut scene = Scene::new();
    ask_for(&mut scene, &json!([{ "fault": "unreachable" }]));
    let call = |method, path: &str| scene::request("", method, path, None);
    assert_eq!(answered(&mut scene, &call(Method::Get, "/__sandbox/requests")).status, 200);
    assert_eq!(answered(&mut scene, &call(Method::Get, "/healthz")).status, 200);
    let request = scene::request(&scene.token, Method::Get, "/rest/gifts", None);
    assert_eq!(exchange(&mut scene, &request), Exchange::Closed);
    let shown = answered(&mut scene, &call(Method::Get, "/__faults")).body;
    assert_eq!(
        serde_json::from_slice::<Value>(&shown).unwrap(),
        json!({ "faults": [{ "fault": "unreachable", "struck": 1 }] })
    );
    assert_eq!(answered(&mut scene, &call(Method::Put, "/__faults")).status, 404);
    let wrong = scene::request("", Method::Post, "/__faults", Some(json!({ "faults": [{ "fault": "slow" }] })));
    let refused = answered(&mut scene, &wrong);
    assert_eq!(refused.status, 400);
    assert!(String::from_utf8(refused.body).unwrap().contains("faults[0].ms: expected with `slow`"));
    assert_eq!(answered(&mut scene, &call(Method::Delete, "/__faults")).body, br#"{"faults":[]}"#);
    assert_eq!(answered(&mut scene, &request).status, 200);
}
