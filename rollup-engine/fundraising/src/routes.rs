//! What each route does.
pub mod gifts;
pub mod process;
pub mod staging;
