//! The service from its front channel, in front of a Twenty in memory: what it refuses, what it asks of Twenty, how it
//! waits, and what it does when Twenty is busy, slow or gone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod bursts;
mod busy;
mod edges;
mod households;
mod leaks;
mod lists;
mod payouts;
mod people;
mod read_cache;
mod retries;
mod scene;
mod strangers;
