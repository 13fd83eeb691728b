//! What the tests of the other crates share; no product contains it.
//!
//! | what | for |
//! |---|---|
//! | [`StubHost`] | a host that answers by a closure, on a clock of its own |
//! | [`InterceptHost`] | a host around another one: sees each request, answer and wait, and may change them |
//! | [`World`] | a workspace of the sandbox, its token and its clock |
//! | `ServiceWorld` | the fundraising service on a world; feature `service` |
//! | [`recorded`] | the recordings beside the project |
//! | [`bend`] | inputs of the fuzz targets |
//!
//! # Examples
//!
//! ```
//! use ports::{Clock as _, Http as _};
//! use sandbox::Faults;
//! use support::{InterceptHost, World, answer, get};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let world = World::fundraising();
//! let host = InterceptHost::new(world.host(Faults::none()))
//!     .before(|request| request.url.ends_with("/gifts").then(|| answer(503, "")));
//! assert_eq!(host.fetch(get("http://twenty.test/rest/gifts")).await.unwrap().status, 503);
//! assert_eq!(host.sent().len(), 1);
//! # }
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test stops at the first surprise"
)]

pub mod bend;
mod intercept_host;
pub mod recorded;
#[cfg(feature = "service")]
mod service_world;
mod stub_host;
mod world;

use std::time::Duration;

use hmac::{Hmac, Mac as _};
use ports::{FetchError, Method, Request, Response};
use sha2::Sha256;

pub use intercept_host::InterceptHost;
#[cfg(feature = "service")]
pub use service_world::{GOCARDLESS_SECRET, STRIPE_SECRET, ServiceWorld, header, read, signed};
pub use stub_host::StubHost;
pub use world::{World, ten};

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
