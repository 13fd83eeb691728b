//! The fundraising service in front of Twenty: a request in, a response out.
//!
//! [`head`] says whether a request's body is read, [`service`] takes an [`http`] request in, and [`router`] finds its
//! handler. Handlers are async functions over a [`context::RequestContext`]. Calls to Twenty wait for the [rate limiter](twenty::rate_limiter),
//! or, for one of the [`callers`] not known yet, for the allowance of those; reads may be answered by the [`cache`].
//! [`error`] is what the caller is told when it did not work. Decisions are the crate `fundraising`'s. Nothing here
//! knows JavaScript.
//!
//! # Examples
//!
//! ```
//! use std::{cell::RefCell, rc::Rc};
//!
//! use ports::Timestamp;
//! use proxy::http::Inbound;
//! use proxy::settings::Settings;
//! use proxy::Service;
//! use sandbox::{Faults, Sandbox, SandboxHost};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let sandbox = Sandbox::with_gift_schema();
//! let token = sandbox.tokens().token.clone();
//! let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
//! let host = SandboxHost::new(Rc::new(RefCell::new(sandbox)), Faults::none(), now);
//!
//! let url = |name: &str| (name == "TWENTY_API_BASE_URL").then(|| "http://twenty.test/rest".to_owned());
//! let service = Service::new(Settings::read(url).unwrap());
//! let request = Inbound {
//!     method: "GET".into(),
//!     target: "/api/fundraising/gifts?limit=5".into(),
//!     headers: vec![("authorization".into(), format!("Bearer {token}"))],
//!     ..Inbound::default()
//! };
//! assert_eq!(service.handle(&host, request).await.status, 200);
//!
//! let stranger = Inbound { method: "GET".into(), target: "/api/fundraising/gifts".into(), ..Inbound::default() };
//! assert_eq!(service.handle(&host, stranger).await.status, 401);
//! # });
//! ```

pub mod cache;
pub mod callers;
pub mod context;
pub mod error;
mod few;
pub mod handlers;
pub mod head;
pub mod http;
pub mod intake;
mod live_people;
pub mod metrics;
mod payment_facts;
pub mod payments;
mod payout_amounts;
pub mod processed_events;
pub mod request;
pub mod router;
pub mod service;
pub mod settings;
pub mod state;
mod subject;
mod upstream;

pub use service::Service;
pub use state::AppState;
