//! The call that caused a run: its id stands in every log line.

use std::time::Duration;

use ports::{
    Clock, Event, FetchError, Http, KeyValue, Log, Request, Response, TimeZones, Timestamp, Wakeups, async_trait,
};
use serde_json::Value as Json;

use crate::host::RollupHost;

/// A host that writes the id of the call into each line
pub(crate) struct WithRequestId<'a> {
    host: &'a dyn RollupHost,
    id: Option<String>,
}

impl<'a> WithRequestId<'a> {
    pub(crate) fn new(host: &'a dyn RollupHost, payload: &Json) -> Self {
        let header = payload.get("headers").and_then(|headers| headers.get("x-request-id")).and_then(Json::as_str);
        let id = header.map(|id| id.trim().chars().take(100).collect()).filter(|id: &String| !id.is_empty());
        Self { host, id }
    }

    /// Id of the call, if it had one
    pub(crate) fn id(&self) -> Option<String> {
        self.id.clone()
    }
}

#[async_trait(?Send)]
impl Http for WithRequestId<'_> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        self.host.fetch(request).await
    }
}

#[async_trait(?Send)]
impl Clock for WithRequestId<'_> {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }
}

impl Log for WithRequestId<'_> {
    fn log(&self, event: Event) {
        self.host.log(match &self.id {
            Some(id) => event.with("requestId", id.as_str()),
            None => event,
        });
    }
}

impl TimeZones for WithRequestId<'_> {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        self.host.utc_offset(zone, at)
    }
}

#[async_trait(?Send)]
impl KeyValue for WithRequestId<'_> {
    async fn get(&self, key: &str) -> Option<String> {
        self.host.get(key).await
    }

    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        self.host.set(key, value).await
    }
}

#[async_trait(?Send)]
impl Wakeups for WithRequestId<'_> {
    async fn enqueue(&self, payload: &Json, delay: Duration) -> bool {
        self.host.enqueue(payload, delay).await
    }
}
