//! Definitions made ready to run in one workspace: which paths to keep of which records, and where totals go.
//!
//! GraphQL answers an unknown field with null, so a renamed field would zero everybody. Each name is proven first, by the
//! workspace's metadata where it can be read: what is missing is left out and reported, the rest runs. (Where the
//! metadata cannot be read, the keys of the records prove the names while they are read: see [`crate::fold`].)

mod grouping;
mod kinds;
mod proof;
mod rollups;
mod skipped;
mod stages;

pub use grouping::{GroupSet, TotalInputs, exceptions_filter, group_sets, is_exact, needs_count};
pub use kinds::PathKind;
pub use proof::Workspace as ProvenBy;
pub use rollups::{ChildTest, Column, CompiledRollups, Rollup, Source, Tests};
pub use skipped::Skipped;
pub use stages::{Step, settle_order, stages};
