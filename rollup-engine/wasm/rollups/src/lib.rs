//! The rollup engine for JavaScript: objects and bytes in, plain objects out.
//!
//! It converts, and decides nothing. What the engine answers, the caller gets; only a call that makes no sense throws,
//! an `Error` with a `code`.
//!
//! # Examples
//!
//! ```js
//! import { calculateRollups } from 'twenty-rollups';
//!
//! const report = await calculateRollups({}, { apiUrl: 'https://crm.example.org', token, config: definitions });
//! ```

mod options;

use js_sys::Promise;
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;
use wasm_host::{JsHost, bytes, from_js, install_panic_hook, misuse, promise, to_js};

use crate::options::{RunOptions, totals_options};

#[wasm_bindgen(start)]
fn start() {
    install_panic_hook();
}

/// Recomputes what the payload asks for, and answers with the report of the run
///
/// # Errors
///
/// The payload is no plain data, or an option is unknown or of the wrong kind.
#[wasm_bindgen(unchecked_return_type = "Promise<object>")]
pub fn calculate_rollups(payload: &JsValue, options: &JsValue) -> Result<Promise, JsValue> {
    let payload: Json = from_js(payload, "invalid_payload", "payload")?;
    let RunOptions { host, engine } = RunOptions::read(options)?;
    Ok(promise(async move { to_js(&rollup::calculate_rollups(&host, &payload, &engine).await) }))
}

/// The totals of one parent, by field, from all its children: no network
///
/// # Errors
///
/// The definition, the records or an option is not as it should be.
#[wasm_bindgen(unchecked_return_type = "object")]
pub fn compute_totals(definition: &JsValue, records: &JsValue, options: &JsValue) -> Result<JsValue, JsValue> {
    let definition: Json = from_js(definition, "invalid_definition", "definition")?;
    let records = bytes(records, "invalid_records", "records")?;
    let options = totals_options(options)?;
    let totals = rollup::compute_totals(&JsHost::new(None, None), &definition, &records, &options)
        .map_err(|error| misuse(error.code(), &error.to_string()))?;
    to_js(&totals)
}

/// The built-in definitions, which run where nothing is configured
///
/// # Errors
///
/// The runtime cannot make objects.
#[wasm_bindgen(unchecked_return_type = "object[]")]
pub fn built_in_definitions() -> Result<JsValue, JsValue> {
    to_js(&rollup::config::built_in_definitions())
}

/// What is wrong with a configuration, or with a list of definitions
///
/// # Errors
///
/// It is no plain data.
#[wasm_bindgen(unchecked_return_type = "object")]
pub fn validate_definitions(configuration: &JsValue) -> Result<JsValue, JsValue> {
    let configuration: Json = from_js(configuration, "invalid_config", "configuration")?;
    to_js(&rollup::validate_definitions(&configuration))
}

/// The fields that a configuration, or a list of definitions, writes to and that a workspace lacks
///
/// # Errors
///
/// One of the two is no plain data.
#[wasm_bindgen(unchecked_return_type = "object")]
pub fn missing_fields(configuration: &JsValue, metadata: &JsValue) -> Result<JsValue, JsValue> {
    let configuration: Json = from_js(configuration, "invalid_config", "configuration")?;
    let metadata: Json = from_js(metadata, "invalid_metadata", "metadata")?;
    to_js(&rollup::missing_fields(&configuration, &metadata))
}
