//! The outside world as JavaScript has it, for both WebAssembly modules.
//!
//! It implements `ports::Host` with `fetch`, timers, the clock, `Intl` and the console, runs futures as promises, and
//! converts values. It decides nothing: no retry, no budget, no default that a caller could want otherwise.
//!
//! Two rules shape it. Whatever JavaScript throws at the engine is caught and becomes a value, because an exception that
//! flies through WebAssembly frames leaves the instance in an unknown state. And whatever the engine itself breaks on (a
//! panic, a full stack) reaches the caller as a rejected promise, never as an uncaught error of the process.
//!
//! # Examples
//!
//! ```ignore
//! // The boundary of a product: an async function over the ports becomes a promise.
//! #[wasm_bindgen]
//! pub fn calculate_rollups(payload: &JsValue, options: &JsValue) -> Result<Promise, JsValue> {
//!     let payload: Json = from_js(payload, "invalid_payload", "payload")?;
//!     let RunOptions { host, engine } = RunOptions::read(options)?;
//!     Ok(promise(async move { to_js(&rollup::calculate_rollups(&host, &payload, &engine).await) }))
//! }
//! ```

mod console;
mod convert;
mod exchange;
mod js_host;
mod promise;
mod store;
mod time_zone;

pub use console::install_panic_hook;
pub use convert::{Options, bytes, from_js, misuse, random_seed, stringify, to_js};
pub use js_host::JsHost;
pub use ports::DEFAULT_MAX_RESPONSE_BYTES;
pub use store::{Queue, Store};
pub use wasm_bindgen_futures::future_to_promise as promise;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
