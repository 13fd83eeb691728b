//! A rebuild takes a minute; people go on working meanwhile.

use std::cell::Cell;
use std::time::Duration;

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits, SandboxHost};
use serde_json::json;
use twenty::{Event, Host, Request, Response, Timestamp, Unreachable};

use super::common::{World, id};

/// Changes gifts after a certain request
struct Working {
    inner: SandboxHost,
    after: u64,
    done: Cell<bool>,
}

impl Host for Working {
    async fn fetch(&self, request: Request) -> Result<Response, Unreachable> {
        let answer = self.inner.fetch(request).await;
        if self.inner.requests() >= self.after && !self.done.replace(true) {
            let mut sandbox = self.inner.sandbox().borrow_mut();
            let now = self.now();
            let amount = json!({ "amountMicros": 123_000_000, "currencyCode": "GBP" });
            sandbox.patch("gift", id("gift", 5), &json!({ "amount": amount }), now).unwrap();
            sandbox.soft_delete("gift", id("gift", 6), now).unwrap();
            let gift = json!({ "id": id("gift", 9_000), "donorId": id("person", 8), "amount": amount });
            sandbox.create("gift", &gift, now).unwrap();
        }
        answer
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
async fn whatever_the_moment_the_end_is_right() {
    let latency = || Faults::none().latency(Duration::from_millis(20), Duration::from_millis(80));
    let undisturbed = World::with_gifts(Limits::default(), 50, 900);
    let host = undisturbed.host(latency());
    calculate_rollups(&host, &json!({}), &undisturbed.options()).await;
    // The last request is the second look itself.
    for after in 1..host.requests() {
        let world = World::with_gifts(Limits::default(), 50, 900);
        let host = Working { inner: world.host(latency()), after, done: Cell::new(false) };
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert!(host.done.get());
        assert_eq!((report.status, report.totals.processed), (Status::Ok, 50), "{report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new(), "after request {after}");
    }
}
