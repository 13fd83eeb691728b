//! Twenty 2.19 refuses without saying for how long; newer servers say it.

use ports::{Http, Method, Request};
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Fault, Faults, Limits, Profile, SandboxHost};
use serde_json::json;
use std::time::Duration;

use super::common::{EngineWorld, noon};

/// The waits after each refusal, as they are logged
fn waits(host: &SandboxHost) -> Vec<u64> {
    let repeated = host.log_lines().into_iter().filter(|line| line.event == "request_retried");
    repeated.map(|line| line.field("waitMs").unwrap().as_u64().unwrap()).collect()
}

/// Five to ten seconds pass before the engine calls again
#[tokio::test(start_paused = true)]
async fn five_to_ten_seconds_of_silence() {
    let world = EngineWorld::with_gifts(Limits::default(), 20, 60);
    let host = world.host(Faults::none().at(2, Fault::Status(429)));
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.requests.throttled, report.requests.retried), (Status::Ok, 1, 1));
    let waits = waits(&host);
    assert!(matches!(waits[..], [5_000..=10_000]) && report.took_ms >= waits[0], "{waits:?} in {}", report.took_ms);
    assert_eq!(world.wrong(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_honoured() {
    let world = EngineWorld::on(Profile::V2);
    world.create("person", 1, &json!({}));
    // Another caller has just emptied the bucket.
    let host = SandboxHost::new(world.sandbox.clone(), Faults::none(), noon());
    for _ in 0..120 {
        let request = Request {
            method: Method::Get,
            url: "http://twenty.test/rest/gifts?limit=1".into(),
            headers: vec![("authorization".into(), format!("Bearer {}", world.token))],
            body: None,
            timeout: Duration::from_secs(30),
        };
        host.fetch(request).await.unwrap();
    }
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!(report.status, Status::Ok, "{report:?}");
    assert!(report.requests.throttled >= 1, "{:?}", report.requests);
    // A token comes back in 600 ms, a document of five in 3 s, and that is what the server says: no five seconds are
    // waited.
    assert!(waits(&host).iter().all(|wait| *wait < 5_000), "{:?}", waits(&host));
}
