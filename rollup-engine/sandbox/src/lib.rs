//! A Twenty in memory: the server that everything here is tested and shown against.
//!
//! [`Sandbox`] answers requests as the recorded server does, in every way that a client can get wrong: silent limits,
//! lost rows, ignored filters, upserts that revive and create, a rate limit that earns nothing back in between. It has
//! no clock, no I/O and no randomness but a seed; [`SandboxHost`] puts time, latency and faults around it for native
//! tests, and the binary puts HTTP around it for everybody else.
//!
//! It is not a Twenty: there is no user interface, no workflow, no search, and nothing is kept.
//!
//! # Examples
//!
//! ```
//! use std::{cell::RefCell, rc::Rc, time::Duration};
//!
//! use ports::{Http, Method, Request, Timestamp};
//! use sandbox::{Fault, Faults, Sandbox, SandboxHost};
//! use serde_json::json;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
//! let mut sandbox = Sandbox::with_gift_schema();
//! sandbox.create("gift", &json!({ "giftDate": "2026-03-05" }), now).unwrap();
//! let token = sandbox.tokens().token.clone();
//!
//! // The first request is lost on its way.
//! let host = SandboxHost::new(Rc::new(RefCell::new(sandbox)), Faults::none().at(1, Fault::Unreachable), now);
//! let request = Request {
//!     method: Method::Get,
//!     url: "http://twenty.test/rest/gifts".into(),
//!     headers: vec![("authorization".into(), format!("Bearer {token}"))],
//!     body: None,
//!     timeout: Duration::from_secs(10),
//! };
//! assert!(host.fetch(request.clone()).await.is_err());
//! assert_eq!(host.fetch(request).await.unwrap().status, 200);
//! # });
//! ```

mod aggregate;
mod api_error;
mod bulk;
mod cell;
mod dates;
mod direct;
mod duplicates;
mod event;
mod event_log;
mod exchange;
mod fault_rules;
mod faults;
mod filter;
mod filter_text;
mod graphql;
mod group;
mod host;
mod http;
mod input;
mod limiter;
mod list;
mod load;
mod metadata;
mod model;
mod names;
mod order;
mod profile;
mod render;
mod rest;
mod schema;
mod server;
mod standard;
mod state;
mod subscriptions;
mod table;
mod tokens;
mod usage;
mod webhook;
mod workspace;
mod write;

pub use direct::DirectError;
pub use event_log::RecordEvent;
pub use exchange::Exchange;
pub use faults::{Crash, Fault, Faults, Latency};
pub use host::{Job, Platform, SandboxHost};
pub use limiter::{Limit, Limits, UnknownLimits};
pub use load::LoadError;
pub use profile::Profile;
pub use state::{Sandbox, Settings};
pub use tokens::Tokens;
pub use usage::Usage;
pub use webhook::Delivery;
