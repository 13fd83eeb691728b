//! The fundraising proxy for JavaScript: one HTTP request in, one answer out.
//!
//! It converts, and decides nothing. A proxy is opened once with its settings and lives as long as the instance; each
//! request brings its own outside, since workerd ties what a request starts to that request.
//!
//! Header lists cross as lines of text, bodies as bytes.
//!
//! # Examples
//!
//! ```js
//! import { fetch } from 'twenty-rollups/fundraising';
//!
//! const response = await fetch(new Request('http://localhost/health'), { TWENTY_API_BASE_URL: 'https://crm.example.org/rest' });
//! ```

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise, Uint8Array};
use ports::{Clock as _, Event, Level, Log};
use proxy::head::{Class, Head};
use proxy::http::{Inbound, Outbound};
use proxy::service::{self, Service};
use proxy::settings::{SettingErrors, Settings, unknown_names};
use serde_json::{Map, Value};
use twenty::object::object;
use wasm_bindgen::prelude::*;
use wasm_host::{JsHost, install_panic_hook, misuse, promise};

thread_local! {
    /// By the number that [`open`] gave out; one for each set of settings
    static PROXIES: RefCell<Vec<Opened>> = const { RefCell::new(Vec::new()) };
}

/// A proxy, or why its settings make none
type Opened = Result<Rc<Service>, Rc<SettingErrors>>;

#[wasm_bindgen(start)]
fn start() {
    install_panic_hook();
}

/// Opens a proxy with the settings of an environment, a JSON object of texts, and gives its number. It logs names that
/// look like settings and are none, and settings that cannot be read; a proxy with such answers 503 to all but `/health`.
///
/// # Errors
///
/// The environment is no JSON object.
#[wasm_bindgen]
pub fn open(environment: &str) -> Result<u32, JsValue> {
    let environment = environment_of(environment)?;
    let host = JsHost::new(None, None);
    for (name, nearest) in unknown_names(environment.keys().map(String::as_str)) {
        let event = Event::new(Level::Warn, "setting_not_recognized").with("name", name);
        host.log(match nearest {
            Some(nearest) => event.with("nearest", nearest),
            None => event,
        });
    }
    let opened = match settings(&environment) {
        Ok(settings) => Ok(Rc::new(Service::new(settings))),
        Err(errors) => {
            for error in errors.iter() {
                let event = Event::new(Level::Error, "setting_refused").with("name", error.name());
                host.log(event.with("message", error.to_string()));
            }
            Err(Rc::new(errors))
        }
    };
    let number = PROXIES.with_borrow_mut(|proxies| {
        proxies.push(opened);
        proxies.len() - 1
    });
    u32::try_from(number).map_err(|_| misuse("invalid_environment", "environment: too many proxies"))
}

/// What is wrong with the settings of an environment, a JSON object of texts: one line each, for a server that refuses
/// to start; nothing if they can be read
///
/// # Errors
///
/// The environment is no JSON object.
#[wasm_bindgen]
pub fn setting_errors(environment: &str) -> Result<String, JsValue> {
    let environment = environment_of(environment)?;
    Ok(settings(&environment).err().map(|errors| errors.to_string()).unwrap_or_default())
}

fn environment_of(text: &str) -> Result<Map<String, Value>, JsValue> {
    serde_json::from_slice(text.as_bytes())
        .map_err(|error| misuse("invalid_environment", &format!("environment: {error}")))
}

fn settings(environment: &Map<String, Value>) -> Result<Settings, SettingErrors> {
    let settings = Settings::read(|name| environment.get(name)?.as_str().map(str::to_owned))?;
    let host = JsHost::new(None, None);
    settings.check_time_zone(&host, host.now())?;
    Ok(settings)
}

/// The environment names that a proxy reads, as a JSON list
#[wasm_bindgen]
#[must_use]
pub fn setting_names() -> String {
    let names = proxy::settings::NAMES.iter().map(|name| Value::from(*name));
    serde_json::to_string(&Value::Array(names.collect())).unwrap_or_default()
}

/// How much a server may take on at a time with the settings of this proxy, as a JSON object: `maxConnections`,
/// `maxRequests`, `maxBodyBytes`; null where they cannot be read, since nothing is taken on then
///
/// # Errors
///
/// There is no proxy of that number.
#[wasm_bindgen]
pub fn limits(proxy: u32) -> Result<String, JsValue> {
    let opened = opened(proxy)?;
    let settings = opened.as_ref().ok().map(|proxy| proxy.settings());
    Ok(to_text([
        ("maxConnections", settings.map(|settings| settings.max_connections).into()),
        ("maxRequests", settings.map(|settings| settings.max_requests).into()),
        ("maxBodyBytes", settings.map(|settings| settings.max_body_bytes).into()),
    ]))
}

/// What a server is to do with a request by its head, as `[class, maxBytes, declaredBytes]`: whose share of the process it
/// takes (0: a caller's, 1: a payment provider's, 2: none, as a probe's), how much of its body to read, and how long the body is to be,
/// the largest number if it does not say so.
///
/// `head` has the method, the target, and names and values of headers in turn, each on a line of its own.
///
/// # Errors
///
/// There is no proxy of that number, or a header has no value.
#[wasm_bindgen]
pub fn judge(proxy: u32, head: &str) -> Result<Vec<u32>, JsValue> {
    let opened = opened(proxy)?;
    let inbound = inbound(head)?;
    // Without settings everybody is refused, whatever the body says.
    let head = opened.map_or(Head::UNREAD, |proxy| proxy.head(inbound));
    let class = match head.class {
        Class::Caller => 0,
        Class::Webhook => 1,
        Class::Probe => 2,
    };
    Ok(vec![class, head.max_bytes, head.declared_bytes.unwrap_or(u32::MAX)])
}

/// Answers a request, with `[status, headers, body]`: headers are names and values in turn, each ended by a line break.
/// `head` is as [`judge`] takes it; `entropy` are 16 random bytes, that ids may be made of.
///
/// # Errors
///
/// As [`judge`].
#[wasm_bindgen(unchecked_return_type = "Promise<[number, string, Uint8Array]>")]
pub fn answer(proxy: u32, head: &str, body: Vec<u8>, entropy: &[u8]) -> Result<Promise, JsValue> {
    let opened = opened(proxy)?;
    let entropy = entropy.iter().take(16).fold(0, |bits: u128, byte| (bits << 8) | u128::from(*byte));
    let inbound = Inbound { body, entropy, ..inbound(head)? };
    Ok(promise(async move {
        let outbound = match opened {
            Ok(proxy) => {
                let host = JsHost::new(None, None).reading_at_most(proxy.settings().max_response_bytes);
                proxy.handle(&host, inbound).await
            }
            Err(errors) => service::refuse(&errors, &inbound),
        };
        Ok(parts(&outbound))
    }))
}

fn opened(number: u32) -> Result<Opened, JsValue> {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let proxy = PROXIES.with_borrow(|proxies| proxies.get(number).cloned());
    proxy.ok_or_else(|| misuse("invalid_proxy", "there is no proxy of this number"))
}

fn inbound(head: &str) -> Result<Inbound, JsValue> {
    let mut lines = head.split('\n').map(str::to_owned);
    let (method, target) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut headers = Vec::new();
    while let Some(name) = lines.next() {
        let value = lines.next().ok_or_else(|| misuse("invalid_headers", "headers: one has no value"))?;
        headers.push((name, value));
    }
    Ok(Inbound { method, target, headers, ..Inbound::default() })
}

fn to_text<const N: usize>(members: [(&str, Value); N]) -> String {
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(object(members)).to_string()
}

fn parts(outbound: &Outbound) -> JsValue {
    let mut headers = String::new();
    // What cannot stand in a header is left out: a line break in it would make it two.
    for (name, value) in outbound.headers.iter().filter(|(_, value)| !value.contains('\n')) {
        for part in [name, value] {
            headers.push_str(part);
            headers.push('\n');
        }
    }
    let body = Uint8Array::from(outbound.body.as_slice());
    Array::of3(&JsValue::from(outbound.status), &JsValue::from(headers), &body).into()
}
