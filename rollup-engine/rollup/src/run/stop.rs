//! Why a run ends before its end.

use twenty::error::ApiError;

/// Why a run ends before its end
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The time is used up
    OutOfTime,
    /// The batch of parents that one run takes is done
    BatchDone,
    /// Every further call would fail as well
    Failed(ApiError),
}

impl Stop {
    /// The stop that an error is, where nothing can go on after it
    pub(crate) fn of_error(error: ApiError) -> Self {
        Self::of(&error).unwrap_or(Self::Failed(error))
    }

    /// Whether this error ends the run; others only cost the definitions that they concern
    pub(super) fn of(error: &ApiError) -> Option<Self> {
        match error {
            ApiError::OutOfTime { .. } => Some(Self::OutOfTime),
            error if error.is_final() => Some(Self::Failed(error.clone())),
            _ => None,
        }
    }
}
