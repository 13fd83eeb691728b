//! The modules together, as an intake uses them one after the other.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod a_stripe_signature_is_checked_as_recorded;
mod each_gift_goes_its_way;
mod processing_starts_as_recorded;
mod recorded;
mod the_recorded_intakes_are_met;
mod walk;
