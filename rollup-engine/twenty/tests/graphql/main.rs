//! The client's GraphQL calls against the sandbox, in both of its profiles, and against what a real server answered.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod errors;
mod filters;
mod groupings;
mod paths;
mod reads;
mod recordings;
mod refusals;
mod scene;
mod writes;
