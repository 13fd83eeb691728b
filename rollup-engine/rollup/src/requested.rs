//! The call that caused a run: its id stands in every log line.

use std::time::Duration;

use serde_json::Value as Json;
use twenty::{Event, FetchError, Host, Request, Response, Timestamp};

/// A host that writes the id of the call into each line
#[derive(Debug)]
pub(crate) struct Requested<'a, H> {
    host: &'a H,
    id: Option<String>,
}

impl<'a, H> Requested<'a, H> {
    pub(crate) fn new(host: &'a H, payload: &Json) -> Self {
        let header = payload.get("headers").and_then(|headers| headers.get("x-request-id")).and_then(Json::as_str);
        let id = header.map(|id| id.trim().chars().take(100).collect()).filter(|id: &String| !id.is_empty());
        Self { host, id }
    }

    /// Id of the call, if it had one
    pub(crate) fn id(&self) -> Option<String> {
        self.id.clone()
    }
}

impl<H: Host> Host for Requested<'_, H> {
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchError>> {
        self.host.fetch(request)
    }
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        self.host.sleep(duration)
    }
    fn now(&self) -> Timestamp {
        self.host.now()
    }
    fn log(&self, event: Event) {
        self.host.log(match &self.id {
            Some(id) => event.with("requestId", id.as_str()),
            None => event,
        });
    }
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        self.host.utc_offset(zone, at)
    }
    fn recall(&self, key: &str) -> impl Future<Output = Option<String>> {
        self.host.recall(key)
    }
    fn keep(&self, key: &str, value: Option<&str>) -> impl Future<Output = bool> {
        self.host.keep(key, value)
    }
    fn enqueue(&self, payload: &Json, delay: Duration) -> impl Future<Output = bool> {
        self.host.enqueue(payload, delay)
    }
}
