//! Fuzz targets: whatever is sent, nothing panics, every request is answered, and no secret or NUL goes where it must not.
//!
//! Each target has a corpus of readable inputs beside it, in `__fuzz__/<target>/corpus`. `cargo test` tries each of them as
//! it stands and then, for a few seconds, bends them at random. `cargo bolero test -p fundraising --test fuzz routes` lets a
//! fuzzer look for more; an input that fails is kept in `__fuzz__/<target>/crashes`, and is tried by `cargo test` from then
//! on. `BOLERO_RANDOM_TEST_TIME_MS` sets another time.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod ids;
mod parsers;
mod requests;
mod stub;
