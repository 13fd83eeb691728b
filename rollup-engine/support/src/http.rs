//! Requests, answers and signatures in a word.

use std::time::Duration;

use hmac::{Hmac, Mac as _};
use ports::{FetchError, Method, Request, Response};
use sha2::Sha256;

/// An answer without headers
pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, headers: Vec::new(), body: body.into() }
}

/// A server that cannot be reached
pub fn unreachable(reason: &str) -> FetchError {
    FetchError::Unreachable { reason: reason.to_owned() }
}

/// A request without headers
pub fn get(url: &str) -> Request {
    let (method, url) = (Method::Get, url.to_owned());
    Request { method, url, headers: Vec::new(), body: None, timeout: Duration::from_secs(30) }
}

/// The HMAC of these parts in a row, as payment providers write it
pub fn hmac_hex(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}
