//! What a client can get wrong with a Twenty, one behaviour a file.

#[cfg(test)]
mod a_crashed_caller_is_dropped_where_it_stood;
#[cfg(test)]
mod a_currency_set_to_null_stays_as_it_is;
#[cfg(test)]
mod a_filter_given_twice_is_no_filter;
#[cfg(test)]
mod a_guest_may_only_read;
#[cfg(test)]
mod an_hour_of_throttling_costs_no_time;
#[cfg(test)]
mod an_upsert_revives_and_creates;
#[cfg(test)]
mod delete_destroys_unless_told_otherwise;
#[cfg(test)]
mod depth_one_hides_donors_in_the_trash_and_cuts_lists;
#[cfg(test)]
mod events_leave_things_out;
#[cfg(test)]
mod gifts_are_loaded_from_csv;
#[cfg(test)]
mod graphql_answers_unknown_fields_with_null;
#[cfg(test)]
mod groups_are_cut_without_a_word;
#[cfg(test)]
mod newer_servers_differ;
#[cfg(test)]
mod not_equal_never_matches_null;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod sorting_by_a_nullable_field_loses_rows;
#[cfg(test)]
mod the_limit_is_the_workspaces;
#[cfg(test)]
mod webhooks_are_signed;
