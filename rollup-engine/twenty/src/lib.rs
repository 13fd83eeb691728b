//! Twenty's API, for any caller: what a request looks like, what an answer means, and how often one may ask.
//!
//! It knows nothing of rollups or of fundraising, and nothing of JavaScript.

pub mod host;
pub mod time;

pub use host::{Event, Host, Level, Method, Request, Response, Unreachable};
pub use time::Timestamp;
