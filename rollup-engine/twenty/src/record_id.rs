//! The id of a record, proven.

use std::fmt;
use std::str::FromStr;

use uuid::{Uuid, Variant};

/// The id of a record: a UUID as Twenty accepts it
///
/// Paths and filters are made of these alone, so that no text of a caller can change what a call is about.
///
/// ```
/// use twenty::RecordId;
///
/// let id: RecordId = " 7F0B4A52-6A1C-4E0B-9D55-3A1F1D0C9A10 ".parse().unwrap();
/// assert_eq!(id.to_string(), "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10");
/// assert!("../people".parse::<RecordId>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RecordId(Uuid);

/// A text that is no id of a record
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID such as 7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10")]
pub struct InvalidRecordId;

impl RecordId {
    /// The id as a UUID
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl FromStr for RecordId {
    type Err = InvalidRecordId;

    /// Reads an id, blanks around it aside: with its hyphens, in any case, of a version and variant that Twenty knows.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        // The parser also takes braces, URNs and ids without hyphens, which Twenty refuses.
        let id = Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        id.filter(|id| (1..=8).contains(&id.get_version_num()) && id.get_variant() == Variant::RFC4122)
            .map(Self)
            .ok_or(InvalidRecordId)
    }
}

impl From<Uuid> for RecordId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<RecordId> for serde_json::Value {
    fn from(id: RecordId) -> Self {
        id.to_string().into()
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Twenty refuses, and what changes a path, is no id.
    #[test]
    fn texts_that_are_no_ids() {
        for text in [
            "",
            ".",
            "/",
            "%2F",
            "7f0b4a526a1c4e0b9d553a1f1d0c9a10",
            "{7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10}",
            "urn:uuid:7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10",
            "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10/..",
            "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a1",
            "80000000-0000-0000-0000-000000000000",
            "00000000-0000-0000-0000-000000000000",
            "７f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10",
        ] {
            assert_eq!(text.parse::<RecordId>(), Err(InvalidRecordId), "{text}");
        }
    }
}
