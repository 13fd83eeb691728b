//! Webhooks end to end: signed bodies through the whole service onto a Twenty in memory, with everything that can break.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]
#![expect(clippy::needless_pass_by_value, reason = "events are made where they are used")]

mod orders;
mod parsers;
mod providers;
mod world;
