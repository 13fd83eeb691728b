//! GraphQL documents and what comes back.
//!
//! One document reads more than REST allows: pages without a maximum, groups, counts of several objects; and a write
//! answers with the fields asked for alone. The price is that every error comes as HTTP 200, the rate limit included, and
//! that a field that does not exist reads as null. So an answer is judged by its `errors` before its status, and read in
//! one pass like a page of REST.
//!
//! Each root field is one token for the rate limiter, and may stand once in a document.

mod answer;
mod document;
mod groups;

pub(crate) use answer::{CountRoots, Failure, GroupsRoots, PageRoot, read_answer};
pub use document::MAX_ROOTS;
pub(crate) use document::{body, counts_document, groups_document, list_document, upsert_body};
pub use groups::{Dimension, Granularity, Group, GroupQuery, Groups};
