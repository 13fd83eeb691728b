use std::time::Duration;

use ports::Clock as _;
use sandbox::{Fault, Faults, Limits};
use serde_json::json;

use support::header;

use crate::scene::{Scene, run};

const OFF: &[(&str, &str)] = &[("FUNDRAISING_REQUESTS_PER_MINUTE", "off")];

#[test]
fn lost_create_is_not_repeated() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none().at(1, Fault::LostReply), OFF);
        let (status, body) = scene.ask("POST", "/households", Some(&json!({ "name": "A" }))).await;
        assert_eq!((status, &body["message"]), (502, &json!("Twenty could not be reached")));
        assert_eq!(scene.host.inner.sandbox().borrow().count("household"), 1);
    });
}

#[test]
fn reads_and_changes_three_attempts() {
    run(async {
        for fault in [Fault::Status(503), Fault::Unreachable] {
            let scene = Scene::new(Limits::off(), Faults::none().at(1, fault).at(2, fault), OFF);
            assert_eq!(scene.get("/gifts").await.0, 200);
            assert_eq!((scene.calls(), logged(&scene, "request_recovered").len()), (3, 1));
        }
        let faults = (1..=3).fold(Faults::none(), |faults, call| faults.at(call, Fault::Status(502)));
        let scene = Scene::new(Limits::off(), faults, OFF);
        assert_eq!((scene.get("/gifts").await.0, scene.calls()), (502, 3));
    });
}

/// An answer past the limit is a bad gateway with the size and the setting, and is not asked for again.
#[test]
fn large_answer_from_twenty() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none().at(1, Fault::LargeReply), OFF);
        let (status, body) = scene.get("/gifts").await;
        let message =
            "unexpected Twenty response: the answer is larger than 33554432 bytes (FUNDRAISING_MAX_RESPONSE_BYTES)";
        assert_eq!((status, &body["message"], scene.calls()), (502, &json!(message), 1));
        assert_eq!(logged(&scene, "request_refused"), [json!(message)]);
        let lines = scene.host.inner.log_lines();
        assert!(lines.iter().any(|line| line.event == "request_refused" && line.level == ports::Level::Error));
    });
}

/// Why Twenty could not be reached stands in the log, at each attempt, and is not told to the caller.
#[test]
fn reason_of_unreachable_call() {
    run(async {
        let faults = (1..=3).fold(Faults::none(), |faults, call| faults.at(call, Fault::Unreachable));
        let scene = Scene::new(Limits::off(), faults, OFF);
        let (status, body) = scene.get("/gifts").await;
        assert_eq!((status, &body["message"]), (502, &json!("Twenty could not be reached")));
        let reason = json!("connection refused");
        assert_eq!(logged(&scene, "request_retried"), [reason.clone(), reason.clone()]);
        assert_eq!(logged(&scene, "request_unanswered"), [reason]);
    });
}

/// The reasons in the log lines of this name
fn logged(scene: &Scene, event: &str) -> Vec<serde_json::Value> {
    let lines = scene.host.inner.log_lines().into_iter().filter(|line| line.event == event);
    lines.map(|line| line.field("reason").cloned().unwrap_or_default()).collect()
}

#[test]
fn create_is_repeated_after_429() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none().at(1, Fault::Status(429)), OFF);
        assert_eq!(scene.ask("POST", "/households", Some(&json!({ "name": "A" }))).await.0, 200);
        assert_eq!(scene.host.inner.sandbox().borrow().count("household"), 1);
    });
}

#[test]
fn silent_twenty_times_out() {
    run(async {
        let hour = Duration::from_hours(1);
        let scene = Scene::new(Limits::off(), Faults::none().latency(hour, hour), OFF);
        let began = scene.host.now();
        let (status, body) = scene.get("/gifts").await;
        assert_eq!((status, &body["message"]), (504, &json!("Twenty did not answer in time")));
        assert!(scene.host.now().since(began) <= Duration::from_secs(26));
    });
}

#[test]
fn rate_limited_caller_gets_retry_after() {
    run(async {
        let faults = (1..=9).fold(Faults::none(), |faults, call| faults.at(call, Fault::Status(429)));
        let scene = Scene::new(Limits::off(), faults, OFF);
        let answer = scene.answer("GET", "/gifts", None).await;
        assert_eq!((answer.status, header(&answer, "retry-after")), (429, Some("5")));
    });
}
