//! Keeps totals on parent records right, from the records below them.
//!
//! Values are always computed from the children as they are, never incremented: events are hints that can be lost,
//! doubled and reordered. It knows Twenty by way of the `twenty` crate, and nothing of JavaScript.
//!
//! ```
//! use std::{cell::RefCell, rc::Rc};
//!
//! use ports::Timestamp;
//! use rollup::{Options, calculate_rollups};
//! use sandbox::{Faults, Sandbox, SandboxHost, Settings};
//! use serde_json::json;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
//! let mut sandbox = Sandbox::new(Settings::default());
//! sandbox.ensure_gift_schema();
//! let donor = sandbox.create("person", &json!({}), now).unwrap();
//! let amount = json!({ "amountMicros": 25_000_000, "currencyCode": "GBP" });
//! sandbox.create("gift", &json!({ "donorId": donor, "amount": amount }), now).unwrap();
//!
//! let mut options = Options::default();
//! options.environment.set("TWENTY_API_URL", "http://twenty.test");
//! options.environment.set("TWENTY_API_KEY", sandbox.tokens().token.clone());
//! let host = SandboxHost::new(Rc::new(RefCell::new(sandbox)), Faults::none(), now);
//! let report = calculate_rollups(&host, &json!({}), &options).await;
//! assert_eq!(report.totals.updated, 1);
//! # });
//! ```

#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate wasm_tests;

mod calculate;
pub mod calendar;
pub mod checkpoint;
pub mod compiled;
pub mod condition;
pub mod config;
pub mod definition;
pub mod definitions;
pub mod environment;
pub mod fold;
mod health;
mod host;
pub mod ids;
pub mod moment;
mod persistent_state;
pub mod plan;
pub mod pure;
pub mod report;
mod request_id;
mod run;
#[cfg(any(test, feature = "schema"))]
pub mod shape;
mod sizes;
pub mod tally;
pub mod total;
pub mod trigger;

pub use calculate::{Options, calculate_rollups};
pub use host::RollupHost;
pub use pure::{TotalsOptions, compute_totals, missing_fields, validate_definitions};
pub use report::Report;
pub use sizes::SliceSizes;
