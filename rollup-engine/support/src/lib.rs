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
mod http;
mod intercept_host;
pub mod recorded;
#[cfg(feature = "service")]
mod service_world;
mod stub_host;
mod world;

pub use http::{answer, get, hmac_hex, unreachable};
pub use intercept_host::InterceptHost;
#[cfg(feature = "service")]
pub use service_world::{GOCARDLESS_SECRET, STRIPE_SECRET, ServiceWorld, header, read, signed, signed_bytes};
pub use stub_host::StubHost;
pub use world::{World, ten};
