//! The fundraising service in front of Twenty: a request in, a response out.
//!
//! [`head`] says whether a request's body is read, [`service`] takes an [`http`] request in, and [`router`] finds its
//! handler. Handlers are async functions over a [`context::RequestContext`]. Calls to Twenty wait for the [rate limiter](twenty::rate_limiter),
//! or, for one of the [`callers`] not known yet, for the allowance of those; reads may be answered by the [`cache`].
//! [`error`] is what the caller is told when it did not work. Decisions are the crate `fundraising`'s. Nothing here
//! knows JavaScript.

pub mod cache;
pub mod callers;
pub mod context;
pub mod error;
pub mod handlers;
pub mod head;
pub mod http;
pub mod intake;
pub mod metrics;
mod payment_facts;
pub mod payments;
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
