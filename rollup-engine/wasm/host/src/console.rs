//! Log lines and panic messages.
//!
//! One JSON line an event, on the console method of its level: hosts of functions keep stdout and stderr apart and read
//! a line as a record.

use std::panic::PanicHookInfo;

use ports::{Event, Level};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = console)]
    fn debug(line: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console)]
    fn log(line: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console)]
    fn warn(line: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console)]
    fn error(line: &str) -> Result<(), JsValue>;

    type RuntimeError;

    #[wasm_bindgen(constructor, js_namespace = WebAssembly)]
    fn new(message: &str) -> RuntimeError;
}

/// Writes an event as one JSON line.
pub(crate) fn log_to_console(event: &Event) {
    let Ok(line) = serde_json::to_string(event) else { return };
    // There is nowhere to complain about a console that fails.
    let _ = match event.level {
        Level::Debug => debug(&line),
        Level::Info => log(&line),
        Level::Warn => warn(&line),
        Level::Error => error(&line),
    };
}

/// Makes a panic say what and where, on the console and to the caller.
///
/// The hook ends by throwing what a trap throws, a `WebAssembly.RuntimeError`, with the message: a trap itself would
/// say `unreachable` and nothing else.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(on_panic));
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = what.unwrap_or("no message");
    let message = match info.location() {
        Some(place) => format!("{what} ({}:{})", place.file(), place.line()),
        None => what.to_owned(),
    };
    log_to_console(&Event::new(Level::Error, "engine_panicked").with("message", message.as_str()));
    wasm_bindgen::throw_val(RuntimeError::new(&message).into());
}
