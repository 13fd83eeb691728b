//! The client's GraphQL calls against the sandbox, in both of its profiles, and against what a real server answered.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod a_refusal_in_a_200_is_waited_out;
mod both_languages_filter_alike;
mod errors_are_told_apart;
mod everything_is_read_in_one_call;
mod rows_are_written_and_answered_in_brief;
mod scene;
mod the_recordings_are_read;
