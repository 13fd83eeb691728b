//! One record that Twenty does not take must not cost the others their totals.

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Fault, Faults, Limits, SandboxHost};
use serde_json::{Value, json};
use std::time::Duration;
use twenty::{Event, Host, Method, Request, Response, Timestamp, Unreachable};

use super::common::{World, id};

/// Refuses every write that holds a certain id, and batches of more than a certain size
struct Picky {
    inner: SandboxHost,
    bad: String,
    most: usize,
}

impl Host for Picky {
    async fn fetch(&self, request: Request) -> Result<Response, Unreachable> {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        let refuse = |message: String| {
            let body = json!({ "statusCode": 400, "error": "BadRequestException", "messages": [message] });
            Ok(Response { status: 400, headers: vec![], body: body.to_string().into_bytes() })
        };
        if request.method != Method::Get && (body.contains(&self.bad) || request.url.contains(&self.bad)) {
            return refuse("a trigger of the workspace does not like it".into());
        }
        if body.matches("\"id\"").count() > self.most {
            return refuse(format!("Maximum number of records to upsert is {}.", self.most));
        }
        self.inner.fetch(request).await
    }
    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
    fn now(&self) -> Timestamp {
        self.inner.now()
    }
    fn log(&self, event: Event) {
        self.inner.log(event);
    }
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        self.inner.utc_offset(zone, at)
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_halved_until_the_bad_record_is_alone() {
    let world = World::with_gifts(Limits::default(), 150, 1_200);
    let bad = id("person", 77);
    let host = Picky { inner: world.host(Faults::none()), bad: bad.to_string(), most: 200 };
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Partial, 1), "{report:?}");
    assert_eq!(report.failures[0].id, bad);
    assert_eq!(
        report.failures[0].message,
        "PATCH /rest/people/{id}: refused (400): a trigger of the workspace does not like it"
    );
    assert!(world.wrong().iter().all(|wrong| wrong.contains(&bad.to_string())), "{:?}", world.wrong());
    assert_eq!(report.totals.updated + report.totals.unchanged + 1, report.totals.processed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_fewer_rows_gets_fewer() {
    let world = World::with_gifts(Limits::default(), 150, 1_200);
    let host = Picky { inner: world.host(Faults::none()), bad: "never".into(), most: 60 };
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Ok, 0), "{report:?}");
    assert_eq!(world.wrong(), Vec::<String>::new());
    // One refusal teaches it; no batch is halved down.
    assert!(report.requests.by_endpoint["POST /rest/batch/people"] <= 5, "{:?}", report.requests);
}

#[tokio::test(start_paused = true)]
async fn half_a_batch_and_a_lost_reply_are_sent_again() {
    for fault in [Fault::HalfBatch(40), Fault::LostReply, Fault::Status(502), Fault::Unreachable] {
        let world = World::with_gifts(Limits::default(), 150, 1_200);
        // Metadata, six pages of gifts, a page of people; the ninth call is the first write.
        let report = calculate_rollups(&world.host(Faults::none().at(9, fault)), &json!({}), &world.options()).await;
        assert_eq!((report.status, report.requests.retried), (Status::Ok, 1), "{fault:?}: {report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new(), "{fault:?}");
        assert_eq!(report.totals.updated, 150 - u64::from(Value::is_null(&json!(0))));
    }
}
