//! `ports::Host` on JavaScript.

use std::time::Duration;

use js_sys::{Date, Function, Promise, Reflect};
use ports::time::timer_millis;
use ports::{
    Clock, DEFAULT_MAX_RESPONSE_BYTES, Event, FetchError, Http, KeyValue, Log, Request, Response, TimeZones, Timestamp,
    Wakeups, async_trait,
};
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;

use crate::console::log_to_console;
use crate::convert::to_js;
use crate::fetch::send;
use crate::lasting::{Queue, Store};
use crate::settled::Settled;
use crate::zones;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(callback: &Function, millis: u32) -> Result<JsValue, JsValue>;
}

/// The outside of one call: where its requests and its log lines go, and what outlives it
pub struct World {
    fetch: Option<Function>,
    log: Option<Function>,
    store: Option<Store>,
    queue: Option<Queue>,
    max_response_bytes: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    /// With the caller's `fetch` and `log`, or the runtime's own
    #[must_use]
    pub fn new(fetch: Option<Function>, log: Option<Function>) -> Self {
        let global = || Reflect::get(&js_sys::global(), &"fetch".into()).ok()?.dyn_into().ok();
        Self {
            fetch: fetch.or_else(global),
            log,
            store: None,
            queue: None,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
        }
    }

    /// The same, with another limit for an answer's size
    #[must_use]
    pub fn reading_at_most(mut self, max_response_bytes: u64) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// The same, with what the caller has to keep things between runs, and to start further ones
    #[must_use]
    pub fn lasting(mut self, store: Option<Store>, queue: Option<Queue>) -> Self {
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
impl Http for World {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let Some(fetch) = &self.fetch else {
            let reason = "this runtime has no `fetch`: hand one in as the option `fetch`".to_owned();
            return Err(FetchError::Unreachable { reason });
        };
        send(fetch, request, self.max_response_bytes).await
    }
}

#[async_trait(?Send)]
impl Clock for World {
    async fn sleep(&self, duration: Duration) {
        // The timer calls the promise's own function, never one of ours: should the instance be replaced meanwhile,
        // there is nothing of the old one that the timer could call.
        let timer = Promise::new(&mut |resolve, reject| {
            if let Err(error) = set_timeout(&resolve, timer_millis(duration)) {
                let _ = reject.call1(&JsValue::UNDEFINED, &error);
            }
        });
        // A runtime that refuses a timer makes the wait short, not the run fail.
        let _ = Settled::new(&timer).await;
    }

    fn now(&self) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "a clock gives whole milliseconds, far below 2^53")]
        let millis = Date::now() as i64;
        Timestamp::from_millis(millis)
    }
}

impl Log for World {
    fn log(&self, event: Event) {
        match &self.log {
            // A log function that throws must not end the run.
            Some(log) => drop(to_js(&event).and_then(|event| log.call1(&JsValue::UNDEFINED, &event))),
            None => log_to_console(&event),
        }
    }
}

impl TimeZones for World {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        zones::offset(zone, at)
    }
}

#[async_trait(?Send)]
impl KeyValue for World {
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
impl Wakeups for World {
    async fn enqueue(&self, payload: &Json, delay: Duration) -> bool {
        let Some(queue) = &self.queue else { return false };
        let (taken, failure) = queue.add(payload, delay).await;
        self.warn(failure);
        taken
    }
}
