//! One HTTP request and its whole answer, in one call to JavaScript.
//!
//! The body crosses as bytes, once each way, and is parsed in Rust; the rest crosses as lines of one text. Whatever is thrown or rejected is an `Unreachable`
//! with the runtime's own words. What is done on the other side (no redirect is followed, the time-out covers the body,
//! an answer past the limit is not read to its end) stands in `runtime.js` beside the glue tool.

use std::iter;

use js_sys::{Function, Reflect, Uint8Array};
use ports::time::timer_millis;
use ports::{FetchError, Request, Response};
use wasm_bindgen::prelude::*;

use crate::promise::settled;

const NOT_SENDABLE: &str = "the request could not be made with this token";

#[wasm_bindgen]
extern "C" {
    /// The promise of an answer, or of `null` for one that is larger than `max_bytes`
    #[wasm_bindgen(catch, js_name = exchangeWith)]
    fn exchange(
        fetch: Option<&Function>,
        request: &str,
        body: Option<Uint8Array>,
        timeout_millis: u32,
        max_bytes: f64,
    ) -> Result<JsValue, JsValue>;

    type Answer;

    #[wasm_bindgen(method, getter)]
    fn status(this: &Answer) -> u16;

    /// Names in lower case and values in turn, each ended by a line break
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Answer) -> String;

    #[wasm_bindgen(method, getter)]
    fn body(this: &Answer) -> Uint8Array;
}

/// Sends a request with the caller's own `fetch`, or as the loader sends requests.
pub(crate) async fn send(fetch: Option<&Function>, request: Request, max_bytes: u64) -> Result<Response, FetchError> {
    let answer = answer(fetch, &request, max_bytes)
        .await
        .map_err(|error| FetchError::Unreachable { reason: without_secrets(&reason(&error), &request) })?;
    if answer.is_null() {
        return Err(FetchError::TooLarge { max_bytes });
    }
    let answer = answer.unchecked_into::<Answer>();
    let lines = answer.headers();
    let mut lines = lines.lines().map(str::to_owned);
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.push((name, value));
    }
    Ok(Response { status: answer.status(), headers, body: answer.body().to_vec() })
}

async fn answer(fetch: Option<&Function>, request: &Request, max_bytes: u64) -> Result<JsValue, JsValue> {
    let mut lines = request.method.as_str().to_owned();
    for part in iter::once(&request.url).chain(request.headers.iter().flat_map(|(name, value)| [name, value])) {
        if part.contains('\n') {
            return Err(JsValue::from_str(NOT_SENDABLE));
        }
        lines.push('\n');
        lines.push_str(part);
    }
    let body = request.body.as_deref().map(Uint8Array::from);
    #[expect(clippy::cast_precision_loss, reason = "no answer has 2^53 bytes")]
    let max_bytes = max_bytes as f64;
    let promise = exchange(fetch, &lines, body, timer_millis(request.timeout), max_bytes)?;
    settled(&promise).await
}

/// The words for the log: without the token, which Node quotes if it cannot stand in a header, and without the queries of
/// addresses, which hold donors' names, and which Deno quotes
fn without_secrets(reason: &str, request: &Request) -> String {
    let token = request.header("authorization").map(|value| value.trim_start_matches("Bearer ")).unwrap_or_default();
    if reason.contains("Bearer ") || !token.is_empty() && reason.contains(token) {
        return NOT_SENDABLE.to_owned();
    }
    ports::http::without_queries(reason)
}

/// The runtime's words for a failure, with its cause: Node says `fetch failed` and keeps the why beneath
pub(crate) fn reason(error: &JsValue) -> String {
    let get = |value: &JsValue, name: &str| Reflect::get(value, &JsValue::from_str(name));
    let text = |value: &JsValue, name: &str| get(value, name).ok().and_then(|part| part.as_string());
    let words =
        |value: &JsValue| text(value, "message").filter(|message| !message.is_empty()).or_else(|| text(value, "code"));
    let message = words(error).or_else(|| error.as_string()).unwrap_or_else(|| "the request failed".to_owned());
    let cause = get(error, "cause").ok().and_then(|cause| words(&cause));
    match cause {
        Some(cause) if cause != message => format!("{message}: {cause}"),
        _ => message,
    }
}
