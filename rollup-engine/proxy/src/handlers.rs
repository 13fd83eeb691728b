//! What each route does.

pub mod agreements;
pub mod appeals;
pub mod companies;
pub mod gifts;
pub mod gocardless;
pub mod health;
pub mod households;
pub mod metrics;
pub mod opportunities;
pub mod payouts;
pub mod people;
pub mod process;
pub mod query;
pub mod ready;
pub mod staging;
pub mod stripe;
