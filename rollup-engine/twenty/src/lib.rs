//! Twenty's API, for any caller: what a request looks like, what an answer means, and how often one may ask.
//!
//! It knows nothing of rollups or of fundraising, and nothing of JavaScript.

pub mod client;
pub mod decimal;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod graphql;
mod json;
mod literal;
pub mod page;
pub mod rate_limiter;
pub mod record_id;
pub mod request_stats;
pub mod retry;
pub mod schema;
pub mod setting;
pub mod target;
pub mod value;

pub use record_id::RecordId;
