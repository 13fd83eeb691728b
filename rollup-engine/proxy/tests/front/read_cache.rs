use std::time::Duration;

use sandbox::{Faults, Limits};
use serde_json::json;

use crate::scene::{Scene, run};

const FIVE: &[(&str, &str)] = &[("FUNDRAISING_CACHE_SECONDS", "5"), ("FUNDRAISING_REQUESTS_PER_MINUTE", "off")];

#[test]
fn repeated_read_costs_one_call() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none(), FIVE);
        for _ in 0..20 {
            assert_eq!(scene.get("/appeals").await.0, 200);
        }
        assert_eq!(scene.calls(), 1);

        let (_, created) = scene.ask("POST", "/appeals", Some(&json!({ "name": "Spring" }))).await;
        let (_, list) = scene.get("/appeals").await;
        assert_eq!(list["data"]["appeals"][0]["id"], created["data"]["createAppeal"]["id"]);
        assert_eq!(scene.calls(), 3);

        tokio::time::sleep(Duration::from_secs(5)).await;
        scene.get("/appeals").await;
        assert_eq!(scene.calls(), 4);
    });
}

#[test]
fn cache_is_kept_by_token() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none(), FIVE);
        assert_eq!(scene.get("/appeals").await.0, 200);
        let mut other = scene.inbound("GET", "/appeals", None);
        other.headers = vec![("authorization".into(), "Bearer nonsense".into())];
        assert_eq!(scene.proxy.handle(&scene.host, other).await.status, 401);
    });
}

/// An answer that is no JSON is not kept: the next read asks Twenty again.
#[test]
fn unreadable_answers_are_not_kept() {
    run(async {
        let env = [FIVE, &[("FUNDRAISING_ENABLE_GIFT_STAGING", "on")]].concat();
        for path in ["/appeals", "/recurring-agreements", "/gift-staging"] {
            let scene = Scene::new(Limits::off(), Faults::none(), &env);
            scene.refuse_with.set(Some(200));
            assert_eq!(scene.get(path).await.0, 502, "{path}");
            scene.refuse_with.set(None);
            assert_eq!(scene.get(path).await.0, 200, "{path}");
            assert_eq!(scene.calls(), 2, "{path}");
        }
    });
}
