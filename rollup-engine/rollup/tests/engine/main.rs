//! The engine on an in-process Twenty in virtual time, one behaviour a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod a_429_without_retry_after_waits_five_seconds;
mod a_mixture_of_currencies_is_left_alone;
mod a_renamed_field_zeroes_nobody;
mod a_run_goes_on_where_the_one_before_stopped;
mod a_run_killed_anywhere_is_made_good_by_the_next;
mod a_single_refused_record_is_named;
mod broken_replies;
mod calls_in_flight_stay_within_the_concurrency;
mod common;
mod each_failure_has_its_message;
mod each_way_of_reading_gives_the_same_values;
mod every_history_ends_as_the_oracle_says;
mod graphql_may_go_at_any_call;
mod impossible_values;
mod large_slices;
mod nobody_is_revived_or_created;
mod nobody_is_starved;
mod only_the_named_parents_and_those_above_them;
mod overlapping_runs_end_right;
mod refunds_are_taken_off;
mod stored_values_of_other_kinds;
mod the_second_look_sees_what_changed_meanwhile;
mod what_nobody_told_is_seen_all_the_same;
