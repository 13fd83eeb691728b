//! Twenty's API, for any caller: what a request looks like, what an answer means, and how often one may ask.
//!
//! It knows nothing of rollups or of fundraising, and nothing of JavaScript.
//!
//! # Examples
//!
//! A page of gifts, read from [a Twenty in memory](../sandbox/index.html):
//!
//! ```
//! use std::{cell::RefCell, rc::Rc};
//!
//! use ports::Timestamp;
//! use sandbox::{Faults, Sandbox, SandboxHost};
//! use serde_json::json;
//! use twenty::client::{Client, Connection, PageQuery};
//! use twenty::page::Projection;
//! use twenty::rate_limiter::{Priority, RateLimit};
//! use twenty::schema::Names;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
//! let mut sandbox = Sandbox::with_gift_schema();
//! sandbox.create("gift", &json!({ "giftDate": "2026-03-05" }), now).unwrap();
//! let connection = Connection { base_url: "http://twenty.test".into(), token: sandbox.tokens().token.clone() };
//! let host = SandboxHost::new(Rc::new(RefCell::new(sandbox)), Faults::none(), now);
//!
//! let client = Client::new(&host, connection, RateLimit::default(), Priority::Job, None, 1);
//! let mut fields = Projection::default();
//! let gift_date = fields.add("giftDate");
//! let query = PageQuery { limit: 200, ..PageQuery::default() };
//! let page = client.list(&Names::new("gift", "gifts"), query, &fields).await.unwrap();
//! assert_eq!(page.records[0].value(gift_date).text(), Some("2026-03-05"));
//! assert_eq!(client.stats().total, 1);
//! # });
//! ```

#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate wasm_tests;

pub mod answer;
pub mod client;
pub mod decimal;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod graphql;
mod json;
mod literal;
pub mod object;
pub mod page;
pub mod rate_limiter;
pub mod record_id;
pub mod request_stats;
pub mod retry;
pub mod schema;
pub mod setting;
pub mod target;
pub mod value;

pub use record_id::RecordId;
