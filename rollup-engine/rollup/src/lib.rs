//! Keeps totals on parent records right, from the records below them.
//!
//! Values are always computed from the children as they are, never incremented: events are hints that can be lost,
//! doubled and reordered. It knows Twenty by way of the `twenty` crate, and nothing of JavaScript.

pub mod definitions;
