//! The service from its front channel, in front of a Twenty in memory: what it refuses, what it asks of Twenty, how it
//! waits, and what it does when Twenty is busy, slow or gone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod a_busy_twenty_is_waited_for_or_said_so;
mod bursts;
mod each_call_is_repeated_only_where_that_does_no_harm;
mod edges_of_requests;
mod households_keep_their_members_and_addresses;
mod lists_are_what_was_asked_for;
mod nothing_of_one_request_leaks;
mod payouts_are_linked_in_bulk;
mod reads_are_answered_from_memory;
mod scene;
mod strangers;
