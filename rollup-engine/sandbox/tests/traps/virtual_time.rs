//! A host's clock is tokio's: paused, it jumps from sleep to sleep.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ports::{Clock, Http, Method, TimeZones};
use sandbox::{Fault, Faults, Sandbox, SandboxHost};

use crate::scene::{START, request};

pub(crate) fn host(faults: Faults) -> (SandboxHost, String) {
    let sandbox = Sandbox::with_gift_schema();
    let token = sandbox.tokens().token.clone();
    (SandboxHost::new(Rc::new(RefCell::new(sandbox)), faults, START), token)
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_throttling_costs_no_time() {
    let (host, token) = host(Faults::none().latency(Duration::from_millis(20), Duration::from_millis(90)));
    let mut refused = 0;
    while host.now().since(START) < Duration::from_secs(3_601) {
        let answer = host.fetch(request(&token, Method::Get, "/rest/gifts", None)).await.unwrap();
        if answer.status == 429 {
            refused += 1;
            host.sleep(Duration::from_secs(5)).await;
        }
    }
    assert!(refused > 100, "{refused}");
    let usage = host.sandbox().borrow().usage().clone();
    assert_eq!(usage.refused, refused);
    assert_eq!(usage.by_endpoint["GET /rest/gifts"], usage.total);
    assert_eq!(usage.tokens, usage.total - refused);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_was_acted_upon() {
    let (host, token) =
        host(Faults::none().at(1, Fault::LostReply).at(2, Fault::Unreachable).at(3, Fault::Status(503)));
    for _ in 0..2 {
        assert!(host.fetch(request(&token, Method::Post, "/rest/gifts", None)).await.is_err());
    }
    let third = host.fetch(request(&token, Method::Post, "/rest/gifts", None)).await.unwrap();
    assert_eq!(third.status, 503);
    assert_eq!(host.sandbox().borrow().count("gift"), 1, "only the first one arrived");
}

#[tokio::test(start_paused = true)]
async fn half_a_batch_stays_written() {
    let (host, token) = host(Faults::none().at(1, Fault::HalfBatch(2)));
    let rows = serde_json::json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    let answer = host.fetch(request(&token, Method::Post, "/rest/batch/gifts?upsert=true", Some(rows))).await.unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(host.sandbox().borrow().count("gift"), 2);
}

#[tokio::test(start_paused = true)]
async fn local_time_by_zone_database() {
    let (host, _) = host(Faults::none());
    assert_eq!(host.utc_offset("Europe/London", START), Some(3_600));
    assert_eq!(host.utc_offset("Mars/Base", START), None);
}
