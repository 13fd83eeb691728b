//! One HTTP request through JavaScript's `fetch`.
//!
//! The body crosses as bytes and is parsed in Rust. Redirects are not followed: a token must not travel to where an
//! answer points. Whatever is thrown or rejected is an `Unreachable` with the runtime's own words.

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use twenty::{Request, Response, Unreachable};
use wasm_bindgen::prelude::*;

use crate::settled::Settled;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = AbortSignal, js_name = timeout)]
    fn abort_after(millis: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(iterable: &JsValue) -> Result<Array, JsValue>;
}

/// Sends a request with this function, which takes what `fetch` takes and gives what it gives.
pub(crate) async fn send(fetch: &Function, request: Request) -> Result<Response, Unreachable> {
    exchange(fetch, request).await.map_err(|error| Unreachable { reason: reason(&error) })
}

async fn exchange(fetch: &Function, request: Request) -> Result<Response, JsValue> {
    let headers = Object::new();
    for (name, value) in &request.headers {
        set(&headers, name, &JsValue::from_str(value))?;
    }
    let init = Object::new();
    set(&init, "method", &JsValue::from_str(request.method.as_str()))?;
    set(&init, "headers", &headers)?;
    set(&init, "redirect", &JsValue::from_str("manual"))?;
    // The signal also ends the reading of the body.
    set(&init, "signal", &abort_after(request.timeout.as_secs_f64() * 1_000.0)?)?;
    if let Some(body) = &request.body {
        set(&init, "body", &Uint8Array::from(body.as_slice()))?;
    }

    // Called with no `this`: workerd refuses its `fetch` as a method of anything else.
    let answer = fetch.call2(&JsValue::UNDEFINED, &JsValue::from_str(&request.url), &init)?;
    let answer = Settled::new(&answer).await?;

    let status = get(&answer, "status")?.as_f64().unwrap_or_default();
    let mut headers = Vec::new();
    for pair in array_from(&get(&answer, "headers")?)?.iter() {
        let pair = array_from(&pair)?;
        if let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
            headers.push((name.to_ascii_lowercase(), value));
        }
    }
    let buffer: Function = get(&answer, "arrayBuffer")?.dyn_into()?;
    let buffer = Settled::new(&buffer.call0(&answer)?).await?;
    let body = Uint8Array::new(&buffer).to_vec();

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates, and an HTTP status has three digits"
    )]
    let status = status as u16;
    Ok(Response { status, headers, body })
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &JsValue::from_str(name), value).map(drop)
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
}

/// The runtime's words for a failure, with its cause: Node says `fetch failed` and keeps the why beneath
pub(crate) fn reason(error: &JsValue) -> String {
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
