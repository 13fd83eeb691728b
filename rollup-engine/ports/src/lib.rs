//! What a workflow asks of the outside: small traits, one for each need.
//!
//! Deciding is plain code that is handed its input and the time. Whatever has an effect goes through one of these
//! traits, so that the same workflow runs on JavaScript in production and on an in-process Twenty with a virtual clock
//! in tests. A product asks for the traits that it uses: a caller of Twenty for [`Host`].
//!
//! The traits can be used as objects (`&dyn Host`), so that workflows are no generic functions. Their futures need not
//! be `Send`: a process runs on one thread.
//!
//! # Examples
//!
//! A host whose every request is answered alike, and whose clock stands still:
//!
//! ```
//! use std::time::Duration;
//!
//! use ports::{Clock, Event, FetchError, Host, Http, Log, Request, Response, Timestamp, async_trait};
//!
//! struct Stub;
//!
//! #[async_trait(?Send)]
//! impl Http for Stub {
//!     async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
//!         Ok(Response { status: 200, headers: Vec::new(), body: b"{}".to_vec() })
//!     }
//! }
//!
//! #[async_trait(?Send)]
//! impl Clock for Stub {
//!     fn now(&self) -> Timestamp {
//!         Timestamp::from_millis(0)
//!     }
//!
//!     async fn sleep(&self, _: Duration) {}
//! }
//!
//! impl Log for Stub {
//!     fn log(&self, _: Event) {}
//! }
//!
//! let host: &dyn Host = &Stub;
//! assert_eq!(host.now().to_string(), "1970-01-01T00:00:00.000Z");
//! ```

#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate wasm_tests;

pub mod clock;
pub mod http;
pub mod log;
pub mod store;
pub mod time;
pub mod unicode;

pub use async_trait::async_trait;
pub use clock::{Clock, TimeZones, local_date};
pub use http::{DEFAULT_MAX_RESPONSE_BYTES, FetchError, Http, Method, Request, Response};
pub use log::{Event, Level, Log};
pub use store::{KeyValue, Wakeups};
pub use time::Timestamp;
pub use unicode::{Form, UnicodeForms};

/// What a caller of Twenty needs
pub trait Host: Http + Clock + Log {}

impl<T: Http + Clock + Log + ?Sized> Host for T {}

/// What a service needs that goes by a charity's calendar days and compares people's names
pub trait ServiceHost: Host + TimeZones + UnicodeForms {}

impl<T: Host + TimeZones + UnicodeForms + ?Sized> ServiceHost for T {}
