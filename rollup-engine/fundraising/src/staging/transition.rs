//! Events on one row: whether they may happen, and what is then to be written.
//!
//! A row is handed in as it was read just before. That nobody else changed it meanwhile is for the write to make sure.

use std::time::Duration;

use ports::Timestamp;
use serde_json::{Map, Value};

use super::state::{Event, State};
use crate::client_error::{ClientError, Status};
use twenty::object::object;

/// A claim older than this is taken to have no worker any more
///
/// Where it has one after all, the two make one gift together, since its id follows from the row.
pub const CLAIM_TIMEOUT: Duration = Duration::from_mins(1);

/// What a decision needs to know of a row
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentState<'a> {
    /// Its `processingStatus`
    pub state: State,
    /// The gift that was made of it
    pub gift_id: Option<&'a str>,
}

/// What is to be written on a row
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `processingStatus`
    pub state: State,
    /// `validationStatus`, if it changes
    pub validation: Option<&'static str>,
    /// `dedupeStatus`, if it changes
    pub dedupe: Option<&'static str>,
    /// Whether what was found earlier (`errorDetail`, `processingDiagnostics`) no longer holds
    pub voids_diagnostics: bool,
}

impl Change {
    /// The statuses as a body of `PATCH /giftStagings/:id`
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let statuses = [
            ("processingStatus", Some(self.state.as_str())),
            ("validationStatus", self.validation),
            ("dedupeStatus", self.dedupe),
        ];
        object(statuses.into_iter().filter_map(|(key, word)| Some((key.to_owned(), word?.into()))))
    }
}

/// Lets an event happen
///
/// # Examples
///
/// ```
/// use fundraising::staging::{Event, CurrentState, State, transition};
///
/// let row = CurrentState { state: State::Pending, gift_id: None };
/// assert_eq!(transition(row, Event::Release).unwrap().state, State::ReadyForProcess);
/// assert!(transition(row, Event::Claim).is_err());
/// ```
///
/// # Errors
/// 409 if the row's state does not allow it.
pub fn transition(row: CurrentState<'_>, event: Event) -> Result<Change, ClientError> {
    if !event.sources().contains(&row.state) {
        return Err(event.refused_in(row.state));
    }
    if event != Event::Post
        && let Some(gift) = row.gift_id
    {
        // Whatever its status says, making a second gift of it would double the money.
        return Err(ClientError::new(Status::Conflict, format!("a gift was made of this row already: `{gift}`")));
    }
    let (validation, dedupe) = match event {
        Event::Edit => (Some("pending"), Some("pending")),
        Event::Post => (Some("passed"), Some("passed")),
        Event::FailValidation => (Some("failed"), None),
        Event::SuspectDuplicate => (None, Some("needs_review")),
        Event::BlockDuplicate => (None, Some("failed")),
        _ => (None, None),
    };
    Ok(Change { state: event.target(), validation, dedupe, voids_diagnostics: event == Event::Edit })
}

/// Why a row is not processed now
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody is at it
    Locked,
    /// No reviewer let it go
    NotReady,
}

impl Reason {
    /// The `reason` of a reply
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::NotReady => "not_ready",
        }
    }
}

/// What a request to process a row comes to
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission<'a> {
    /// It may be claimed
    Claimable,
    /// It is this gift already
    Processed(&'a str),
    /// Not now
    Deferred(Reason),
}

/// Answers a request to process a row
///
/// A row whose gift is known is processed, even if its status was not written: so a second call mends it.
///
/// # Examples
///
/// ```
/// use fundraising::staging::{Admission, CurrentState, State, admit};
///
/// assert_eq!(admit(CurrentState { state: State::ReadyForProcess, gift_id: None }), Admission::Claimable);
/// assert_eq!(admit(CurrentState { state: State::Processed, gift_id: Some("g") }), Admission::Processed("g"));
/// ```
#[must_use]
pub fn admit(row: CurrentState<'_>) -> Admission<'_> {
    match (row.state, row.gift_id) {
        (State::Processed | State::Processing, Some(gift)) => Admission::Processed(gift),
        (State::Processing, None) => Admission::Deferred(Reason::Locked),
        (state, None) if Event::Claim.sources().contains(&state) => Admission::Claimable,
        _ => Admission::Deferred(Reason::NotReady),
    }
}

/// Whether a row has been `processing` for so long that [`Event::Expire`] is due
///
/// First look whether the gift was made: then [`Event::Post`] is due instead.
#[must_use]
pub fn claim_expired(claimed_at: Timestamp, now: Timestamp) -> bool {
    now.since(claimed_at) > CLAIM_TIMEOUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const fn row(state: State) -> CurrentState<'static> {
        CurrentState { state, gift_id: None }
    }

    #[test]
    fn the_documented_way_is_open() {
        let mut at = row(State::initial(false));
        for (event, expected) in [
            (Event::Release, "ready_for_process"),
            (Event::Claim, "processing"),
            (Event::Fail, "process_failed"),
            (Event::Claim, "processing"),
            (Event::Expire, "process_failed"),
            (Event::Edit, "pending"),
            (Event::SuspectDuplicate, "dedupe_review"),
            (Event::Release, "ready_for_process"),
            (Event::Claim, "processing"),
            (Event::Post, "processed"),
        ] {
            let change = transition(at, event).unwrap();
            assert_eq!(change.state.as_str(), expected, "{event:?}");
            at.state = change.state;
        }
    }

    #[test]
    fn refusal_names_allowed_states() {
        let refusal = transition(row(State::Pending), Event::Claim).unwrap_err();
        assert_eq!(refusal.status, Status::Conflict);
        assert_eq!(
            refusal.message,
            "a staged gift in processingStatus `pending` cannot be claimed; \
             expected one of `ready_for_process`, `process_failed`"
        );
        for (state, event) in [
            (State::Processed, Event::Edit),
            (State::Processing, Event::Edit),
            (State::Processing, Event::Cancel),
            (State::Processing, Event::Claim),
            (State::Cancelled, Event::Return),
            (State::ValidationFailed, Event::Release),
            (State::ReadyForProcess, Event::Post),
        ] {
            assert!(transition(row(state), event).is_err(), "{state:?} {event:?}");
        }
    }

    #[test]
    fn statuses_follow_the_event() {
        let body = |state, event| Value::Object(transition(row(state), event).unwrap().to_json());
        assert_eq!(
            body(State::Processing, Event::Post),
            json!({ "processingStatus": "processed", "validationStatus": "passed", "dedupeStatus": "passed" })
        );
        assert_eq!(body(State::Pending, Event::Release), json!({ "processingStatus": "ready_for_process" }));
        assert_eq!(
            body(State::ReadyForProcess, Event::Edit),
            json!({ "processingStatus": "pending", "validationStatus": "pending", "dedupeStatus": "pending" })
        );
        assert!(transition(row(State::ReadyForProcess), Event::Edit).unwrap().voids_diagnostics);
        assert!(!transition(row(State::ReadyForProcess), Event::Return).unwrap().voids_diagnostics);
    }

    #[test]
    fn row_with_gift_is_processed() {
        let with_gift = |state| CurrentState { state, gift_id: Some("g") };
        for event in Event::ALL.into_iter().filter(|event| *event != Event::Post) {
            for state in event.sources() {
                assert!(transition(with_gift(*state), event).is_err(), "{state:?} {event:?}");
            }
        }
        assert!(transition(with_gift(State::Processing), Event::Post).is_ok());
        assert!(transition(row(State::Processed), Event::Expire).is_ok(), "a lost gift id can be mended");
    }

    #[test]
    fn process_answers_by_state() {
        assert_eq!(admit(row(State::ReadyForProcess)), Admission::Claimable);
        assert_eq!(admit(row(State::ProcessFailed)), Admission::Claimable);
        assert_eq!(admit(row(State::Processing)), Admission::Deferred(Reason::Locked));
        assert_eq!(admit(row(State::Pending)), Admission::Deferred(Reason::NotReady));
        assert_eq!(admit(row(State::Processed)), Admission::Deferred(Reason::NotReady));
        let done = |state| admit(CurrentState { state, gift_id: Some("g") });
        assert_eq!(done(State::Processed), Admission::Processed("g"));
        assert_eq!(done(State::Processing), Admission::Processed("g"));
        assert_eq!(done(State::ReadyForProcess), Admission::Deferred(Reason::NotReady));
    }

    #[test]
    fn claim_expires() {
        let (claimed, minute) = (Timestamp::from_millis(0), Duration::from_mins(1));
        assert!(!claim_expired(claimed, claimed + minute));
        assert!(claim_expired(claimed, claimed + minute + Duration::from_millis(1)));
        assert!(!claim_expired(claimed + minute, claimed), "a clock that is behind");
    }

    proptest! {
        #[test]
        fn no_history_makes_two_gifts(events in proptest::collection::vec(0..Event::ALL.len(), 0..40), auto: bool) {
            let (mut state, mut gift_id, mut gifts) = (State::initial(auto), None, 0);
            for index in events {
                let event = Event::ALL[index];
                if let Ok(change) = transition(CurrentState { state, gift_id }, event) {
                    state = change.state;
                    if event == Event::Post {
                        gifts += 1;
                        gift_id = Some("g");
                    }
                }
            }
            prop_assert!(gifts <= 1);
            prop_assert_eq!(state == State::Processed, gifts == 1);
        }
    }
}
