//! `ports::Host` on JavaScript.

use std::time::Duration;

use js_sys::{Date, Function, JsString};
use ports::{
    Clock, DEFAULT_MAX_RESPONSE_BYTES, Event, FetchError, Form, Http, KeyValue, Log, Request, Response, TimeZones,
    Timestamp, UnicodeForms, Wakeups, async_trait,
};
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;

use crate::console::log_to_console;
use crate::convert::to_js;
use crate::exchange::send;
use crate::promise;
use crate::store::{Queue, Store};
use crate::time_zone;

/// The outside of one call: where its requests and its log lines go, and what outlives it
pub struct JsHost {
    fetch: Option<Function>,
    log: Option<Function>,
    store: Option<Store>,
    queue: Option<Queue>,
    max_response_bytes: u64,
}

impl std::fmt::Debug for JsHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsHost").finish_non_exhaustive()
    }
}

impl JsHost {
    /// With the caller's `fetch` and `log`, or the loader's way to send requests and the console
    #[must_use]
    pub fn new(fetch: Option<Function>, log: Option<Function>) -> Self {
        Self { fetch, log, store: None, queue: None, max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES }
    }

    /// The same, with another limit for an answer's size
    #[must_use]
    pub fn reading_at_most(mut self, max_response_bytes: u64) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// The same, with what the caller has to keep things between runs, and to start further ones
    #[must_use]
    pub fn with_services(mut self, store: Option<Store>, queue: Option<Queue>) -> Self {
        self.store = store;
        self.queue = queue;
        self
    }

    /// Tells of a failure that the run goes on without
    fn warn(&self, failure: Option<Event>) {
        if let Some(event) = failure {
            self.log(event);
        }
    }
}

#[async_trait(?Send)]
impl Http for JsHost {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        send(self.fetch.as_ref(), request, self.max_response_bytes).await
    }
}

#[async_trait(?Send)]
impl Clock for JsHost {
    async fn sleep(&self, duration: Duration) {
        promise::sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "a clock gives whole milliseconds, far below 2^53")]
        let millis = Date::now() as i64;
        Timestamp::from_millis(millis)
    }
}

impl Log for JsHost {
    fn log(&self, event: Event) {
        match &self.log {
            // A log function that throws must not end the run.
            Some(log) => drop(to_js(&event).and_then(|event| log.call1(&JsValue::UNDEFINED, &event))),
            None => log_to_console(&event),
        }
    }
}

impl TimeZones for JsHost {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        time_zone::offset(zone, at)
    }
}

impl UnicodeForms for JsHost {
    fn normalized(&self, text: &str, form: Form) -> String {
        // Plain letters have one form, and no call into JavaScript is needed for them.
        if text.is_ascii() { text.to_owned() } else { JsString::from(text).normalize(form.as_str()).into() }
    }
}

#[async_trait(?Send)]
impl KeyValue for JsHost {
    async fn get(&self, key: &str) -> Option<String> {
        let (value, failure) = self.store.as_ref()?.get(key).await;
        self.warn(failure);
        value
    }

    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        let Some(store) = &self.store else { return false };
        let (kept, failure) = store.set(key, value).await;
        self.warn(failure);
        kept
    }
}

#[async_trait(?Send)]
impl Wakeups for JsHost {
    async fn enqueue(&self, payload: &Json, delay: Duration) -> bool {
        let Some(queue) = &self.queue else { return false };
        let (taken, failure) = queue.add(payload, delay).await;
        self.warn(failure);
        taken
    }
}
