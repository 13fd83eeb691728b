//! The definition language: what a workspace says about its totals.
//!
//! A configuration is read once, and everything that is wrong with it is said at once, each fault by its place. After that
//! nothing in a definition can be wrong but what only the workspace can tell: whether it has such objects and fields.

mod circles;
pub mod events;
mod expression;
pub mod fault;
pub(crate) mod field_kind;
pub mod model;
pub mod order;
pub mod parse;
pub mod presets;
mod reader;
pub mod targets;
pub(crate) mod values;
pub(crate) mod words;
