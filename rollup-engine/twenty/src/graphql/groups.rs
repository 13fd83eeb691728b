//! What a group-by asks for, and the groups that come back.

use uuid::Uuid;

use crate::filter::Filter;
use crate::value::Value;

/// Which children to group, and what to add up
///
/// # Examples
///
/// ```
/// use twenty::graphql::{Dimension, Granularity, GroupQuery};
///
/// let aggregates = ["sumAmountAmountMicros".to_owned(), "maxGiftDate".to_owned()];
/// let dimensions = [
///     Dimension::Value("amount.currencyCode"),
///     Dimension::Period { path: "giftDate", granularity: Granularity::Year, time_zone: None },
/// ];
/// let query = GroupQuery {
///     by: "donorId",
///     dimensions: &dimensions,
///     aggregates: &aggregates,
///     limit: 5_000,
///     ..GroupQuery::default()
/// };
/// assert!(query.filter.is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct GroupQuery<'a> {
    /// Field of the record: `donorId`. Twenty groups by a value of a related record (`donor.jobTitle`), but not by an id
    /// that one has of another (`donor.householdId`)
    pub by: &'a str,
    /// What else to group by
    pub dimensions: &'a [Dimension<'a>],
    /// Which children
    pub filter: Option<&'a Filter>,
    /// Such as `sumAmountAmountMicros`, `minGiftDate`; one that does not exist reads as null
    pub aggregates: &'a [String],
    /// Groups at most: Twenty leaves the others out without a word
    pub limit: usize,
    /// Whether to ask for the count of all records that match as well, which costs a token more
    pub counted: bool,
}

/// What children are grouped by
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension<'a> {
    /// The value at a path: `amount.currencyCode`, `status`; an empty one, also an empty text, is [`Value::Null`]
    ///
    /// A number that is an amount comes as a text, others as a number; a date comes as it stands.
    Value(&'a str),
    /// The period in which a date or an instant lies
    Period {
        /// Its path
        path: &'a str,
        /// How long a period is
        granularity: Granularity,
        /// Where days begin, as `Europe/London`: needed for an instant, and nothing to a date
        time_zone: Option<&'a str>,
    },
}

/// A period of the calendar; as a value of a group, its first day
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// A day
    Day,
    /// From Monday
    Week,
    /// A month
    Month,
    /// From January, April, July or October
    Quarter,
    /// A year from January
    Year,
}

impl Granularity {
    /// Its name in Twenty
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
            Self::Year => "YEAR",
        }
    }
}

/// The children of one record, or those of them that have the same value in each dimension
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The record; none for children without one, and for those of a deleted record
    pub id: Option<Uuid>,
    /// In the order of the dimensions: a scalar, or [`Value::Null`]; of a period a day, as `2026-04-01`
    pub dimensions: Box<[Value]>,
    /// Number of children
    pub count: u64,
    /// In the order of the aggregates; sums and averages are doubles, and rounded past 2^53
    pub values: Box<[Value]>,
}

/// All groups of a query
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// In the order of the reply
    pub groups: Vec<Group>,
    /// Number of children over all groups, also those past the limit, if it was asked for
    pub total_count: Option<u64>,
}
