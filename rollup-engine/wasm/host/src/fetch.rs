//! One HTTP request through JavaScript's `fetch`.
//!
//! The body crosses as bytes and is parsed in Rust. Redirects are not followed: a token must not travel to where an
//! answer points. Whatever is thrown or rejected is an `Unreachable` with the runtime's own words. An answer past the
//! limit is not read to its end: it would not fit into the module's memory, or push everything else out of it.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use ports::time::timer_millis;
use ports::{FetchError, Request, Response};
use wasm_bindgen::prelude::*;

use crate::settled::Settled;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = AbortSignal, js_name = timeout)]
    fn abort_after(millis: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(iterable: &JsValue) -> Result<Array, JsValue>;
}

/// What ends an exchange without an answer
enum Fault {
    /// JavaScript threw or rejected with this
    Thrown(JsValue),
    TooLarge,
}

impl From<JsValue> for Fault {
    fn from(error: JsValue) -> Self {
        Self::Thrown(error)
    }
}

/// Sends a request with this function, which takes what `fetch` takes and gives what it gives.
pub(crate) async fn send(fetch: &Function, request: Request, max_bytes: u64) -> Result<Response, FetchError> {
    exchange(fetch, &request, max_bytes).await.map_err(|fault| match fault {
        Fault::Thrown(error) => FetchError::Unreachable { reason: without_secrets(&reason(&error), &request) },
        Fault::TooLarge => FetchError::TooLarge { max_bytes },
    })
}

async fn exchange(fetch: &Function, request: &Request, max_bytes: u64) -> Result<Response, Fault> {
    let headers = Object::new();
    for (name, value) in &request.headers {
        set(&headers, name, &JsValue::from_str(value))?;
    }
    let init = Object::new();
    set(&init, "method", &JsValue::from_str(request.method.as_str()))?;
    set(&init, "headers", &headers)?;
    set(&init, "redirect", &JsValue::from_str("manual"))?;
    // The signal also ends the reading of the body.
    set(&init, "signal", &abort_after(timer_millis(request.timeout))?)?;
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
    let declared = headers.iter().find(|(name, _)| name == "content-length");
    let declared = declared.and_then(|(_, length)| length.trim().parse::<u64>().ok());
    let is_encoded = headers.iter().any(|(name, _)| name == "content-encoding");
    let stream = get(&answer, "body")?;
    if declared.is_some_and(|length| length > max_bytes) {
        cancel(&stream);
        return Err(Fault::TooLarge);
    }
    let body = match get_function(&stream, "getReader") {
        // Its length is not known before its end: what was packed may be a thousand times as long.
        Some(get_reader) if declared.is_none() || is_encoded => read(&get_reader.call0(&stream)?, max_bytes).await?,
        // The runtime holds the sender to its word, or it is an answer of the caller's own `fetch` without a stream.
        _ => whole(&answer, max_bytes).await?,
    };

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates, and an HTTP status has three digits"
    )]
    let status = status as u16;
    Ok(Response { status, headers, body })
}

/// All that a stream's reader gives
async fn read(reader: &JsValue, max_bytes: u64) -> Result<Vec<u8>, Fault> {
    let next: Function = get(reader, "read")?.dyn_into()?;
    let mut chunks = Vec::new();
    let mut length = 0_u64;
    loop {
        let step = Settled::new(&next.call0(reader)?).await?;
        if get(&step, "done")?.is_truthy() {
            break;
        }
        let chunk = bytes_of(&get(&step, "value")?)?;
        length += u64::from(chunk.length());
        if length > max_bytes {
            cancel(reader);
            return Err(Fault::TooLarge);
        }
        chunks.push(chunk);
    }
    // Copied at the end, in one piece: the module's memory grows once, and never shrinks.
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    for chunk in chunks {
        body.extend(chunk.to_vec());
    }
    Ok(body)
}

async fn whole(answer: &JsValue, max_bytes: u64) -> Result<Vec<u8>, Fault> {
    let buffer: Function = get(answer, "arrayBuffer")?.dyn_into()?;
    let buffer = Settled::new(&buffer.call0(answer)?).await?;
    let bytes = Uint8Array::new(&buffer);
    if u64::from(bytes.length()) > max_bytes {
        return Err(Fault::TooLarge);
    }
    Ok(bytes.to_vec())
}

fn bytes_of(chunk: &JsValue) -> Result<Uint8Array, Fault> {
    match chunk.dyn_ref::<Uint8Array>() {
        Some(bytes) => Ok(bytes.clone()),
        // Of another realm, as in a test runner's sandbox
        None if get(chunk, "byteLength")?.as_f64().is_some() => Ok(Uint8Array::new(chunk)),
        None => Err(Fault::Thrown(JsValue::from_str("the answer's body is not made of bytes"))),
    }
}

/// Ends a stream or its reader, so that the sender stops; it may be neither, and its answer does not matter.
fn cancel(stream: &JsValue) {
    if let Some(ending) = get_function(stream, "cancel").and_then(|cancel| cancel.call0(stream).ok()) {
        // So that a rejection is not an unhandled one.
        let _ = Promise::all_settled(&Array::of1(&ending));
    }
}

/// The words for the log: without the token, which Node quotes if it cannot stand in a header, and without the queries of
/// addresses, which hold donors' names, and which Deno quotes
fn without_secrets(reason: &str, request: &Request) -> String {
    let token = request.header("authorization").map(|value| value.trim_start_matches("Bearer ")).unwrap_or_default();
    if reason.contains("Bearer ") || !token.is_empty() && reason.contains(token) {
        return "the request could not be made with this token".to_owned();
    }
    ports::http::without_queries(reason)
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &JsValue::from_str(name), value).map(drop)
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
}

fn get_function(object: &JsValue, name: &str) -> Option<Function> {
    // `undefined` and `null` have no properties, and asking them throws.
    if !object.is_object() {
        return None;
    }
    get(object, name).ok()?.dyn_into().ok()
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
