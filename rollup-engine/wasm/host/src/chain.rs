//! The two promise methods that this crate lives on, with plain functions as callbacks.
//!
//! The callbacks that must outlive an instance are JavaScript's own functions, not closures of ours.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Thenable;

    #[wasm_bindgen(method)]
    fn then(this: &Thenable, callback: &JsValue) -> Thenable;

    #[wasm_bindgen(method, js_name = "catch")]
    fn or_else(this: &Thenable, callback: &Function) -> Thenable;
}

/// Calls `callback` with the promise's value, and `failed` with whatever the promise or the callback fails on.
pub(crate) fn then_or(promise: Promise, callback: &JsValue, failed: Option<&Function>) {
    let chained = promise.unchecked_into::<Thenable>().then(callback);
    if let Some(failed) = failed {
        let _end = chained.or_else(failed);
    }
}
