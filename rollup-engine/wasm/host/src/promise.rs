//! Promises and timers, by the packages made for them, and how a fault in them ends its own instance alone.
//!
//! `wasm-bindgen-futures` starts its tasks through `queueMicrotask`, waits for a promise by its `then`, and `gloo-timers`
//! starts timers by `setTimeout`. What throws in one of these would end a Node process, and leave the call's promise
//! pending for ever. The glue has its own of the three (`runtime.js` beside the glue tool): there a throw ends the
//! instance, and rejects the calls that are under way in it.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use js_sys::Promise;
use ports::time::timer_millis;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// The promise of a value, which may be one itself; a callback of this instance that throws ends the instance.
    #[wasm_bindgen(js_name = watchPromise)]
    fn watch(value: &JsValue) -> Promise;
}

/// Waits for a value, a promise or not.
///
/// # Errors
///
/// What the promise is rejected with.
pub(crate) async fn settled(value: &JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(watch(value)).await
}

/// Waits for at least this long, or for the longest time that a timer knows.
pub(crate) async fn sleep(duration: Duration) {
    TimeoutFuture::new(timer_millis(duration)).await;
}
