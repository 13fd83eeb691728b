//! The modules together, as an intake uses them one after the other.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod gifts;
mod intakes;
mod processing;
mod recorded;
mod signatures;
mod walk;
