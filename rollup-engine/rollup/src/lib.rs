//! Keeps totals on parent records right, from the records below them.
//!
//! Values are always computed from the children as they are, never incremented: events are hints that can be lost,
//! doubled and reordered. It knows Twenty by way of the `twenty` crate, and nothing of JavaScript.

mod calculate;
pub mod calendar;
pub mod checkpoint;
pub mod compiled;
pub mod condition;
pub mod config;
pub mod definitions;
pub mod environment;
pub mod fold;
mod host;
pub mod ids;
mod memory;
pub mod moment;
pub mod plan;
pub mod pure;
pub mod report;
mod requested;
mod run;
#[cfg(any(test, feature = "schema"))]
pub mod shape;
mod sizes;
pub mod tally;
pub mod total;
pub mod trigger;

pub use calculate::{Options, calculate_rollups};
pub use host::RollupHost;
pub use pure::{TotalsOptions, compute_totals, validate_definitions};
pub use report::Report;
pub use sizes::SliceSizes;
