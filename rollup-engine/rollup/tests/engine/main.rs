//! The engine on an in-process Twenty in virtual time, one behaviour a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod broken_replies;
mod chains;
mod chosen;
mod common;
mod concurrency;
mod continuation;
mod crash_points;
mod explanations;
mod failure_messages;
mod forbidden_objects;
mod health;
mod impossible_values;
mod large_slices;
mod live_parents;
mod mixed_currencies;
mod overlapping_runs;
mod paused;
mod plan_time;
mod random_histories;
mod rate_limit;
mod reading_equivalence;
mod refunds;
mod refused_records;
mod renamed_fields;
mod rest_fallback;
mod reversals;
mod stored_kinds;
mod sweep;
mod targeted_runs;
mod throttling;
mod verification;
