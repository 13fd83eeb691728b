//! Gifts on their way through a Twenty in memory, with whatever can go wrong on it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod changes;
mod channels;
mod common;
mod keys;
mod once;
mod review;
