//! What a run leaves behind, in the caller's hands: values kept under a name, and further runs.
//!
//! Both are functions of JavaScript, may be promises, and may fail at any time. A failure means what having no such
//! function means, and is logged once: a run that cannot remember is slower, never wrong.

use std::cell::Cell;
use std::time::Duration;

use js_sys::Function;
use ports::time::timer_millis;
use ports::{Event, Level};
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;

use crate::convert::{Options, to_js};
use crate::exchange::reason;
use crate::promise::settled;

/// The answer, and the line to log
type Outcome<T> = (T, Option<Event>);

/// A store of texts under names
#[derive(Debug)]
pub struct Store {
    get: Function,
    set: Function,
    delete: Function,
    failure_logged: Cell<bool>,
}

impl Store {
    /// From an object with the functions `get`, `set` and `delete`, which may be methods
    ///
    /// # Errors
    ///
    /// One of them is missing, or no function.
    pub fn read(object: &Options) -> Result<Self, JsValue> {
        Ok(Self {
            get: object.method("get")?,
            set: object.method("set")?,
            delete: object.method("delete")?,
            failure_logged: Cell::default(),
        })
    }

    /// What is kept; nothing for anything but a text
    pub(crate) async fn get(&self, key: &str) -> Outcome<Option<String>> {
        let answer = call(&self.get, &key.into(), &JsValue::UNDEFINED).await;
        let (value, failure) = log_first_failure(answer, &self.failure_logged, "store_failed");
        (value.and_then(|value| value.as_string()), failure)
    }

    /// Keeps a text, or forgets what was kept; false if that failed
    pub(crate) async fn set(&self, key: &str, value: Option<&str>) -> Outcome<bool> {
        let answer = match value {
            Some(value) => call(&self.set, &key.into(), &value.into()).await,
            None => call(&self.delete, &key.into(), &JsValue::UNDEFINED).await,
        };
        let (done, failure) = log_first_failure(answer, &self.failure_logged, "store_failed");
        (done.is_some(), failure)
    }
}

/// Where further runs are asked for
#[derive(Debug)]
pub struct Queue {
    enqueue: Function,
    failure_logged: Cell<bool>,
}

impl Queue {
    /// With a function of a payload and a delay in milliseconds, whose answer `true` says that the run was taken on
    #[must_use]
    pub fn new(enqueue: Function) -> Self {
        Self { enqueue, failure_logged: Cell::default() }
    }

    /// Asks for a run; false if nobody took it on
    pub(crate) async fn add(&self, payload: &Json, delay: Duration) -> Outcome<bool> {
        let answer = match to_js(payload) {
            Ok(payload) => call(&self.enqueue, &payload, &timer_millis(delay).into()).await,
            Err(error) => Err(error),
        };
        let (taken, failure) = log_first_failure(answer, &self.failure_logged, "enqueue_failed");
        (taken == Some(JsValue::TRUE), failure)
    }
}

async fn call(function: &Function, first: &JsValue, second: &JsValue) -> Result<JsValue, JsValue> {
    settled(&function.call2(&JsValue::UNDEFINED, first, second)?).await
}

fn log_first_failure(
    answer: Result<JsValue, JsValue>,
    failure_logged: &Cell<bool>,
    event: &'static str,
) -> Outcome<Option<JsValue>> {
    match answer {
        Ok(value) => (Some(value), None),
        Err(_) if failure_logged.replace(true) => (None, None),
        Err(error) => (None, Some(Event::new(Level::Warn, event).with("message", reason(&error)))),
    }
}
