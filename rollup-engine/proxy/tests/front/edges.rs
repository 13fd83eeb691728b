//! Tokens, targets, methods and characters that are not what a careful caller sends.

use proxy::http::Inbound;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use support::header;

use crate::scene::{Scene, run};

/// A token that cannot stand in a header is nobody's, and Twenty is not asked.
#[test]
fn tokens_with_control_characters() {
    run(async {
        let scene = Scene::calm();
        let token = scene.token.clone();
        for bad in ["\0", "\r\nx-evil: 1", "\n", "\u{7f}", "\u{1}", "\u{85}", "é", "%00", "%0d%0aX"] {
            for value in
                [format!("Bearer {token}{bad}"), format!("bearer {bad}{token}"), format!("Bearer {token}{bad}x")]
            {
                let mut request = scene.inbound("GET", "/gifts", None);
                request.headers[0].1.clone_from(&value);
                let answer = scene.proxy.handle(&scene.host, request).await;
                assert_eq!(answer.status, 401, "{value:?}");
            }
        }
        for bad in ["%00", "%0a", "%0D%0A", "%09", "%7f", "%C2%85", "\u{1}", "%2500", "%c3%a9", "a+b"] {
            for query in [format!("token={token}{bad}"), format!("token={bad}{token}"), format!("%74oken={bad}")] {
                let mut request = scene.inbound("GET", &format!("/gifts?{query}"), None);
                request.headers.remove(0);
                let answer = scene.proxy.handle(&scene.host, request).await;
                assert_eq!(answer.status, 401, "{query}");
            }
        }
        assert_eq!(scene.calls(), 0);
    });
}

#[test]
fn nul_in_a_body_or_a_query() {
    run(async {
        let scene = Scene::calm();
        for (method, path, body, place) in [
            ("POST", "/gifts", json!({ "notes": "a\0" }), "notes"),
            ("POST", "/gifts", json!({ "contact": { "firstName": "A\0", "lastName": "B" } }), "contact.firstName"),
            ("POST", "/gifts", json!({ "providerContext": "{\"a\":{\"b\":\"\\u0000\"}}" }), "providerContext.a.b"),
            (
                "PATCH",
                "/gifts/1f0e8a0c-0000-4000-8000-000000000001",
                json!({ "recurringMetadata": { "\0": 1 } }),
                "recurringMetadata.\\u0000",
            ),
            ("POST", "/households", json!({ "name": "\0" }), "name"),
            ("POST", "/people/duplicates", json!({ "firstName": "Ada", "lastName": "By\0" }), "lastName"),
            ("POST", "/appeals", json!({ "name": "x", "unknown": ["\0"] }), "unknown[0]"),
            ("POST", "/recurring-agreements", json!({ "name": "x\0" }), "name"),
            (
                "POST",
                "/gift-payouts/1f0e8a0c-0000-4000-8000-000000000001/gifts/link",
                json!({ "giftIds": ["a", "\0"] }),
                "giftIds[1]",
            ),
        ] {
            let (status, answer) = scene.ask(method, path, Some(&body)).await;
            assert_eq!(status, 400, "{body}");
            assert_eq!(answer["message"], format!("{place} must not contain NUL characters"));
        }
        let (status, _) = scene.get("/gifts?filter=name%5Beq%5D%3A%22%00%22").await;
        assert_eq!((status, scene.calls()), (400, 0));
    });
}

/// Whatever a token's parameter is called and however it is written, no answer shows it.
#[test]
fn tokens_in_any_spelling_of_the_query() {
    const SECRET: &str = "s3cr3t-value";
    run(async {
        let scene = Scene::calm();
        let names = [
            "token",
            "%74oken",
            "tok%65n",
            "%74%6F%6B%65%6E",
            "TOKEN",
            "Token",
            "%54oken",
            "%2574oken",
            "%252574oken",
            "+token",
            "token+",
            "%20token",
            "token%20",
            "token%00",
            "to%00ken",
            "access_token",
            "api-token",
            "token[]",
            "token%5B0%5D",
            "a;token",
            "x%26token",
            "x%3D1%26token",
            "%3Ftoken",
            "%23token",
            "token%3D",
        ];
        let paths = [
            "/api/fundraising/gifts",
            "/api/fundraising/gift-staging",
            "/api/fundraising/people/x",
            "/api/fundraising/nothing",
            "/nothing",
            "/",
            "/api/fundraising/gifts/%zz",
            "/api/fundraising/companies/search",
            "/api/fundraising/webhooks/none",
            "/metric",
            "/api/fundraising/opportunities/search",
        ];
        for name in names {
            for path in paths {
                for target in [
                    format!("{path}?{name}={SECRET}"),
                    format!("{path}?x=1&{name}={SECRET}&y=2"),
                    format!("{path}?{name}%3D{SECRET}"),
                    format!("{path}%3F{name}={SECRET}"),
                    format!("{path}%3F{name}%3D{SECRET}%zz"),
                    format!("{path};{name}={SECRET}"),
                    format!("http://host{path}?{name}={SECRET}"),
                ] {
                    for with_header in [false, true] {
                        let mut request = Inbound { target: target.clone(), ..scene.inbound("GET", "", None) };
                        if !with_header {
                            request.headers.remove(0);
                        }
                        let answer = scene.proxy.handle(&scene.host, request).await;
                        let body = String::from_utf8(answer.body).unwrap();
                        assert!(!body.contains("s3cr3t"), "{target}: {body}");
                        assert!(answer.headers.iter().all(|(_, value)| !value.contains("s3cr3t")), "{target}");
                    }
                }
            }
        }
        for request in scene.host.sent().iter() {
            assert!(!request.url.contains("s3cr3t"), "{}", request.url);
        }
        for line in scene.host.inner.log_lines() {
            assert!(!serde_json::to_string(&line).unwrap().contains("s3cr3t"));
        }
    });
}

#[test]
fn answers_that_no_cache_keeps() {
    run(async {
        let scene = Scene::calm();
        for path in ["/gifts", "/gifts/x", "/nothing", "/gift-staging"] {
            assert_eq!(header(&scene.answer("GET", path, None).await, "cache-control"), Some("no-store"), "{path}");
        }
        let health = Inbound { target: "/health".into(), ..scene.inbound("GET", "", None) };
        assert_eq!(header(&scene.proxy.handle(&scene.host, health).await, "cache-control"), None);
    });
}

#[test]
fn metrics_behind_a_token() {
    run(async {
        let open = Scene::calm();
        let closed = Scene::new(Limits::off(), Faults::none(), &[("FUNDRAISING_METRICS_TOKEN", " m-1 ")]);
        let cases = [
            (None, "", 401),
            (Some("Bearer m-1"), "", 200),
            (Some("bearer  m-1 "), "", 200),
            (Some("Bearer m-2"), "", 401),
            (Some("Bearer m-11"), "", 401),
            (Some("Basic m-1"), "", 401),
            (None, "?token=m-1", 200),
            (None, "?%74oken=m-1", 200),
            (None, "?token=m-1%00", 401),
            (None, "?token=", 401),
            (Some("Bearer x"), "?token=m-1", 401),
            (Some("Bearer"), "", 401),
        ];
        for method in ["GET", "HEAD"] {
            for (authorization, query, status) in cases {
                for (scene, status) in [(&closed, status), (&open, 200)] {
                    let headers = authorization.map(|value| ("authorization".to_owned(), value.to_owned()));
                    let request = Inbound {
                        method: method.into(),
                        target: format!("/metrics{query}"),
                        headers: headers.into_iter().collect(),
                        ..Inbound::default()
                    };
                    let answer = scene.proxy.handle(&scene.host, request).await;
                    assert_eq!(answer.status, status, "{authorization:?} {query}");
                }
            }
        }
        assert_eq!(closed.calls() + open.calls(), 0);
    });
}

/// `HEAD` is answered as `GET` is, without the body.
#[test]
fn head_of_get_routes() {
    run(async {
        let scene = Scene::calm();
        let person = scene.put("person", &json!({ "name": { "firstName": "Ada", "lastName": "Byron" } }));
        let targets = [
            "/health".into(),
            "/ready".into(),
            "/metrics".into(),
            "/api/fundraising/gifts".into(),
            "/api/fundraising/gifts?nonsense=1".into(),
            format!("/api/fundraising/people/{person}"),
            "/api/fundraising/households".into(),
            "/api/fundraising/nothing".into(),
            "/api/fundraising/webhooks/stripe".into(),
            "/nothing".into(),
        ];
        for target in targets {
            let asked = async |method: &str| {
                let request = Inbound { target: target.clone(), ..scene.inbound(method, "", None) };
                scene.proxy.handle(&scene.host, request).await
            };
            let (get, head) = (asked("GET").await, asked("HEAD").await);
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{target}");
            let names = |answer: &proxy::http::Outbound| {
                let names =
                    answer.headers.iter().filter(|(name, _)| name != "content-length" && name != "x-request-id");
                names.cloned().collect::<Vec<_>>()
            };
            assert_eq!(names(&head), names(&get), "{target}");
            if target != "/metrics" && !target.contains("nothing") && !target.contains("webhooks") {
                assert_eq!(header(&head, "content-length"), Some(get.body.len().to_string().as_str()), "{target}");
            }
        }
        let mut request = scene.inbound("HEAD", "/gifts", None);
        request.headers.clear();
        assert_eq!(scene.proxy.handle(&scene.host, request).await.status, 401);
    });
}

#[test]
fn absolute_form_targets() {
    run(async {
        let scene = Scene::calm();
        for target in
            ["http://proxy.test/api/fundraising/gifts?limit=1", "HTTPS://proxy.test:8443/api/fundraising/gifts?limit=1"]
        {
            let request = Inbound { target: target.into(), ..scene.inbound("GET", "", None) };
            let answer = scene.proxy.handle(&scene.host, request).await;
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!((answer.status, body["data"]["gifts"].is_array()), (200, true), "{target}");
        }
        let request = Inbound { target: "http://u:pw@proxy.test/nothing".into(), ..scene.inbound("GET", "", None) };
        let answer = scene.proxy.handle(&scene.host, request).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, &body["message"]), (404, &json!("Cannot GET /nothing")));
    });
}
