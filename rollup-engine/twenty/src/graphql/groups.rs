//! What a group-by asks for, and the groups that come back.

use uuid::Uuid;

use crate::filter::Filter;
use crate::value::Value;

/// Which children to group, and what to add up
///
/// # Examples
///
/// ```
/// use twenty::graphql::GroupQuery;
///
/// let aggregates = ["sumAmountAmountMicros".to_owned(), "maxGiftDate".to_owned()];
/// let query = GroupQuery {
///     by: "donorId",
///     code: Some("amount.currencyCode"),
///     aggregates: &aggregates,
///     limit: 5_000,
///     ..GroupQuery::default()
/// };
/// assert!(query.filter.is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct GroupQuery<'a> {
    /// Field of the record: `donorId`
    pub by: &'a str,
    /// Path of the currency code as a second dimension: `amount.currencyCode`
    pub code: Option<&'a str>,
    /// Which children
    pub filter: Option<&'a Filter>,
    /// Such as `sumAmountAmountMicros`, `minGiftDate`; one that does not exist reads as null
    pub aggregates: &'a [String],
    /// Groups at most: Twenty leaves the others out without a word
    pub limit: usize,
    /// Whether to ask for the count of all records that match as well, which costs a token more
    pub counted: bool,
}

/// The children of one record, or of one record in one currency
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The record; none for children without one, and for those of a deleted record
    pub id: Option<Uuid>,
    /// The second dimension's value, missing if there is none
    pub code: Value,
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
