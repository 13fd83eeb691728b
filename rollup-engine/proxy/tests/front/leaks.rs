use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use support::header;

use crate::scene::{Scene, run};

#[test]
fn request_id_is_passed_on() {
    run(async {
        let scene = Scene::calm();
        let mut request = scene.inbound("GET", "/gifts", None);
        request.headers.push(("X-Request-Id".into(), "  trace-1 ".into()));
        let answer = scene.proxy.handle(&scene.host, request).await;
        assert_eq!(header(&answer, "x-request-id"), Some("trace-1"));
        assert_eq!(scene.host.sent()[0].header("x-request-id"), Some("trace-1"));
        assert!(scene.host.inner.log_lines().iter().all(|line| line.field("requestId") == Some(&json!("trace-1"))));

        for odd in ["x".repeat(129), "a\u{7}b".into(), "two words".into()] {
            let mut request = scene.inbound("GET", "/gifts", None);
            request.headers.push(("x-request-id".into(), odd.clone()));
            let answer = scene.proxy.handle(&scene.host, request).await;
            let made = header(&answer, "x-request-id").unwrap();
            assert!(made.parse::<uuid::Uuid>().is_ok_and(|id| id.get_version_num() == 4), "{odd}: {made}");
        }
    });
}

#[test]
fn query_token_is_not_shown() {
    run(async {
        let scene = Scene::calm();
        for path in ["/gifts?limit=2&token=", "/no-such-thing?x=1&token="] {
            let mut request = scene.inbound("GET", &format!("{path}{}", scene.token), None);
            request.headers.clear();
            let answer = scene.proxy.handle(&scene.host, request).await;
            assert!(!String::from_utf8(answer.body).unwrap().contains(&scene.token));
        }
        let sent = scene.host.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].url.ends_with("/gifts?limit=2"), "{}", sent[0].url);
        assert_eq!(sent[0].header("authorization"), Some(format!("Bearer {}", scene.token).as_str()));
        let lines = scene.host.inner.log_lines();
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| !serde_json::to_string(line).unwrap().contains(&scene.token)));
    });
}

/// Lines below the level that is set are not written.
#[test]
fn log_level() {
    run(async {
        for (level, lines) in [("debug", 2), ("info", 0), ("error", 0)] {
            let env = [("FUNDRAISING_REQUESTS_PER_MINUTE", "off"), ("FUNDRAISING_LOG_LEVEL", level)];
            let scene = Scene::new(Limits::off(), Faults::none(), &env);
            scene.get("/gifts").await;
            assert_eq!(scene.host.inner.log_lines().len(), lines, "{level}");
        }
    });
}

#[test]
fn donor_search_is_not_logged() {
    run(async {
        let scene = Scene::calm();
        scene.get("/gifts?filter=donorEmail%5Beq%5D%3A%22ada%40example.org%22").await;
        scene
            .ask(
                "POST",
                "/people/duplicates",
                Some(&json!({ "firstName": "Ada", "lastName": "Byron", "email": "ada@example.org" })),
            )
            .await;
        for line in scene.host.inner.log_lines() {
            let line = serde_json::to_string(&line).unwrap();
            assert!(!line.contains("example.org") && !line.contains("Byron"), "{line}");
        }
    });
}

#[test]
fn body_limit_and_json_only() {
    run(async {
        let scene = Scene::calm();
        let large = json!({ "name": "n".repeat(102_400) });
        assert_eq!(scene.ask("POST", "/households", Some(&large)).await.0, 413);
        let mut form = scene.inbound("POST", "/households", None);
        form.headers[1].1 = "application/x-www-form-urlencoded".into();
        form.body = b"name=A".to_vec();
        let answer = scene.proxy.handle(&scene.host, form).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, &body["message"]), (400, &json!("name is required")));
        assert_eq!(body["hint"], "the body was not read: its content-type is not application/json");
        assert_eq!(scene.ask("POST", "/households", Some(&json!({}))).await.1.get("hint"), None);
        assert_eq!(scene.calls(), 0);
    });
}

#[test]
fn upstream_messages_stand_apart() {
    run(async {
        let scene = Scene::calm();
        let (status, body) = scene.ask("POST", "/recurring-agreements", Some(&json!({ "nonsense": 1 }))).await;
        assert_eq!(status, 400);
        assert_eq!(body["upstream"]["messages"][0], body["message"]);
        assert!(body["message"].as_str().unwrap().contains("nonsense"), "{body}");
        assert_eq!(
            scene
                .ask("POST", "/people/duplicates", Some(&json!({ "firstName": "Ada", "lastName": "By", "depth": 2 })))
                .await
                .0,
            400
        );
    });
}
