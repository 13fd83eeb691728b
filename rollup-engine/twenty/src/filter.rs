//! Twenty's filter language, in the one form that cannot be misread.
//!
//! A misspelt or repeated `filter` parameter is ignored by Twenty and the call runs unfiltered with status 200. So there
//! is one filter a request, wrapped in one root `and(…)`, without spaces, percent-encoded. Values are ids, numbers and
//! instants: brackets and commas inside a text would break Twenty's parser even when quoted, so there is no way to put
//! free text in here.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::time::Timestamp;

/// What may stand in a query value as it is: what RFC 3986 calls unreserved
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes the value of a query parameter
#[must_use]
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// A condition on records
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The id at this path is one of these; must not be empty, as Twenty refuses an empty list
    IdIn(String, Vec<Uuid>),
    /// The instant at this path is this one or a later one
    Since(String, Timestamp),
    /// The path is empty
    Empty(String),
    /// The path is not empty
    Present(String),
    /// All of them
    And(Vec<Filter>),
    /// At least one of them
    Or(Vec<Filter>),
}

impl Filter {
    /// A condition that changes nothing but brings the soft-deleted records into the reply
    #[must_use]
    pub fn with_deleted() -> Self {
        Self::Or(vec![Self::Empty("deletedAt".into()), Self::Present("deletedAt".into())])
    }

    /// The value of the `filter` parameter, not yet percent-encoded
    #[must_use]
    pub fn to_parameter(&self) -> String {
        match self {
            Self::And(_) => self.to_string(),
            _ => format!("and({self})"),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, filters: &[Self]| {
            filters.iter().enumerate().try_for_each(|(index, filter)| {
                if index > 0 {
                    f.write_str(",")?;
                }
                write!(f, "{filter}")
            })
        };
        match self {
            Self::IdIn(path, ids) => {
                write!(f, "{path}[in]:[")?;
                for (index, id) in ids.iter().enumerate() {
                    write!(f, "{}{id}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Since(path, time) => write!(f, "{path}[gte]:{time}"),
            Self::Empty(path) => write!(f, "{path}[is]:NULL"),
            Self::Present(path) => write!(f, "{path}[is]:NOT_NULL"),
            Self::And(filters) => {
                f.write_str("and(")?;
                list(f, filters)?;
                f.write_str(")")
            }
            Self::Or(filters) => {
                f.write_str("or(")?;
                list(f, filters)?;
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_one_root_and_without_spaces() {
        let ids = vec![Uuid::from_u128(0xA << 124), Uuid::from_u128(0xB << 124)];
        assert_eq!(
            Filter::IdIn("donorId".into(), ids).to_parameter(),
            "and(donorId[in]:[a0000000-0000-0000-0000-000000000000,b0000000-0000-0000-0000-000000000000])"
        );
        let changed = Filter::And(vec![
            Filter::Since("updatedAt".into(), Timestamp::from_millis(1_795_382_817_641)),
            Filter::with_deleted(),
        ]);
        assert_eq!(
            changed.to_parameter(),
            "and(updatedAt[gte]:2026-11-22T21:26:57.641Z,or(deletedAt[is]:NULL,deletedAt[is]:NOT_NULL))"
        );
        assert_eq!(encode("and(a[is]:NULL,b+c)"), "and%28a%5Bis%5D%3ANULL%2Cb%2Bc%29");
    }
}
