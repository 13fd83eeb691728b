//! The states of a staged gift, and the events between them.

use State::{
    Cancelled, DedupeReview, DuplicateBlocked, Pending, ProcessFailed, Processed, Processing, ReadyForProcess,
    ValidationFailed,
};

use crate::client_error::{ClientError, Status};

/// `processingStatus` of a row
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Waiting for a reviewer; a row without a status is here
    #[default]
    Pending,
    /// A reviewer let it go
    ReadyForProcess,
    /// A worker makes a gift of it
    Processing,
    /// It is a gift: the end
    Processed,
    /// Making a gift of it failed
    ProcessFailed,
    /// What it says cannot be right
    ValidationFailed,
    /// It is there already
    DuplicateBlocked,
    /// It may be there already
    DedupeReview,
    /// It will never be a gift: the end
    Cancelled,
}

/// All states, by their words in Twenty
const STATES: [(State, &str); 9] = [
    (Pending, "pending"),
    (ReadyForProcess, "ready_for_process"),
    (Processing, "processing"),
    (Processed, "processed"),
    (ProcessFailed, "process_failed"),
    (ValidationFailed, "validation_failed"),
    (DuplicateBlocked, "duplicate_blocked"),
    (DedupeReview, "dedupe_review"),
    (Cancelled, "cancelled"),
];

impl State {
    /// The word in Twenty
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("pending", |(_, word)| word)
    }

    /// Reads the word; none at all is `pending`
    ///
    /// # Errors
    /// A word that names no state.
    pub fn read(word: Option<&str>) -> Result<Self, ClientError> {
        let Some(word) = word.map(str::trim).filter(|word| !word.is_empty()) else { return Ok(Pending) };
        STATES.iter().find(|(_, known)| *known == word).map(|(state, _)| *state).ok_or_else(|| {
            let words: Vec<_> = STATES.iter().map(|(_, word)| format!("`{word}`")).collect();
            ClientError::bad(format!("processingStatus `{word}` must be one of {}", words.join(", ")))
        })
    }

    /// The state in which a row is made: one that processes itself is claimed from the start
    #[must_use]
    pub const fn initial(may_auto_process: bool) -> Self {
        if may_auto_process { Processing } else { Pending }
    }
}

/// What can happen to a row
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A reviewer changed what it says: all verdicts on it are void
    Edit,
    /// A reviewer puts it back
    Return,
    /// A reviewer lets it go
    Release,
    /// A reviewer drops it
    Cancel,
    /// A check found that it cannot be right
    FailValidation,
    /// A check found something like it
    SuspectDuplicate,
    /// A check found the same gift
    BlockDuplicate,
    /// A worker takes it, alone
    Claim,
    /// The worker made the gift
    Post,
    /// The worker could not
    Fail,
    /// The worker ran out of calls before it made the gift
    PutBack,
    /// The worker was not heard of again
    Expire,
}

impl Event {
    /// Every event
    pub const ALL: [Self; 12] = [
        Self::Edit,
        Self::Return,
        Self::Release,
        Self::Cancel,
        Self::FailValidation,
        Self::SuspectDuplicate,
        Self::BlockDuplicate,
        Self::Claim,
        Self::Post,
        Self::Fail,
        Self::PutBack,
        Self::Expire,
    ];

    /// The states in which it may happen
    #[must_use]
    pub const fn sources(self) -> &'static [State] {
        match self {
            Self::Edit | Self::Return => {
                &[Pending, ReadyForProcess, ProcessFailed, ValidationFailed, DuplicateBlocked, DedupeReview]
            }
            Self::Release => &[Pending, ReadyForProcess, ProcessFailed, DuplicateBlocked, DedupeReview],
            Self::Cancel => {
                &[Pending, ReadyForProcess, ProcessFailed, ValidationFailed, DuplicateBlocked, DedupeReview, Cancelled]
            }
            Self::FailValidation => &[Pending, ReadyForProcess, ProcessFailed, ValidationFailed],
            Self::SuspectDuplicate => &[Pending, ReadyForProcess, ProcessFailed, DedupeReview],
            Self::BlockDuplicate => &[Pending, ReadyForProcess, ProcessFailed, DedupeReview, DuplicateBlocked],
            Self::Claim => &[ReadyForProcess, ProcessFailed],
            Self::Post | Self::PutBack => &[Processing],
            // A payload that cannot be read fails before anybody claims it.
            Self::Fail => &[ReadyForProcess, ProcessFailed, Processing],
            // Processed without a known gift is a write that was lost half-way.
            Self::Expire => &[Processing, Processed],
        }
    }

    /// The state to which it leads
    #[must_use]
    pub const fn target(self) -> State {
        match self {
            Self::Edit | Self::Return => Pending,
            Self::Release | Self::PutBack => ReadyForProcess,
            Self::Cancel => Cancelled,
            Self::FailValidation => ValidationFailed,
            Self::SuspectDuplicate => DedupeReview,
            Self::BlockDuplicate => DuplicateBlocked,
            Self::Claim => Processing,
            Self::Post => Processed,
            Self::Fail | Self::Expire => ProcessFailed,
        }
    }

    /// What a row is, once this happened to it
    const fn participle(self) -> &'static str {
        match self {
            Self::Edit => "edited",
            Self::Return => "returned",
            Self::Release => "released",
            Self::Cancel => "cancelled",
            Self::FailValidation => "marked as invalid",
            Self::SuspectDuplicate => "marked as a possible duplicate",
            Self::BlockDuplicate => "blocked as a duplicate",
            Self::Claim => "claimed",
            Self::Post => "posted",
            Self::Fail => "marked as failed",
            Self::PutBack => "put back",
            Self::Expire => "taken from its worker",
        }
    }

    /// The event by which a reviewer sets a status
    ///
    /// # Errors
    /// A word that names no state, and a state that only processing itself sets.
    pub fn asked_for(status: &str) -> Result<Self, ClientError> {
        match State::read(Some(status))? {
            Pending => Ok(Self::Return),
            ReadyForProcess => Ok(Self::Release),
            Cancelled => Ok(Self::Cancel),
            ValidationFailed => Ok(Self::FailValidation),
            DedupeReview => Ok(Self::SuspectDuplicate),
            DuplicateBlocked => Ok(Self::BlockDuplicate),
            state @ (Processing | Processed | ProcessFailed) => Err(ClientError::bad(format!(
                "processingStatus `{}` is set by processing, not by hand",
                state.as_str()
            ))),
        }
    }

    pub(super) fn refused_in(self, state: State) -> ClientError {
        let sources: Vec<_> = self.sources().iter().map(|state| format!("`{}`", state.as_str())).collect();
        ClientError::new(
            Status::Conflict,
            format!(
                "a staged gift in processingStatus `{}` cannot be {}; expected one of {}",
                state.as_str(),
                self.participle(),
                sources.join(", ")
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_word_of_its_own() {
        for (state, word) in STATES {
            assert_eq!(state.as_str(), word);
            assert_eq!(State::read(Some(word)), Ok(state));
        }
        assert_eq!(State::read(None), Ok(Pending));
        assert_eq!(State::read(Some(" ")), Ok(Pending));
        assert!(
            State::read(Some("posted")).unwrap_err().message.starts_with("processingStatus `posted` must be one of")
        );
    }

    #[test]
    fn what_processing_sets_is_not_set_by_hand() {
        for word in ["processing", "processed", "process_failed"] {
            assert_eq!(
                Event::asked_for(word).unwrap_err().message,
                format!("processingStatus `{word}` is set by processing, not by hand")
            );
        }
        for word in
            ["pending", "ready_for_process", "cancelled", "validation_failed", "dedupe_review", "duplicate_blocked"]
        {
            assert_eq!(Event::asked_for(word).unwrap().target().as_str(), word);
        }
    }

    #[test]
    fn both_ends_are_ends() {
        for event in Event::ALL {
            let leaves_cancelled = event.sources().contains(&Cancelled) && event.target() != Cancelled;
            assert!(!leaves_cancelled, "{event:?}");
            assert!(!event.sources().contains(&Processed) || event == Event::Expire, "{event:?}");
        }
    }

    #[test]
    fn states_can_reach_processed() {
        for (start, _) in STATES.into_iter().filter(|(state, _)| *state != Cancelled) {
            let mut reached = vec![start];
            for _ in STATES {
                for event in Event::ALL {
                    if event.sources().iter().any(|source| reached.contains(source))
                        && !reached.contains(&event.target())
                    {
                        reached.push(event.target());
                    }
                }
            }
            assert!(reached.contains(&Processed), "{start:?}");
        }
    }
}
