//! A definition that has been parsed.

use twenty::value::Value;

pub use crate::definition::fault::Fault;

/// What to compute for the parents of one relation
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Object that carries the totals, in the singular: `person`
    pub parent_object: String,
    /// Object that is counted, in the singular: `gift`
    pub child_object: String,
    /// Field of the child that holds the parent's id: `donorId`
    pub relation_field: String,
    /// Conditions that a child has to meet to be counted at all
    pub child_filters: Vec<Condition>,
    /// The totals
    pub aggregations: Vec<Aggregation>,
}

/// One total
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// How values become one
    pub kind: Kind,
    /// Path of the value in a child; a count needs none, and with one counts the children where it is not empty
    pub child_field: Option<String>,
    /// Path of the currency code that belongs to the value; makes the total an amount of money
    pub currency_field: Option<String>,
    /// Path of an amount that is taken off each value, such as what was refunded of a gift; an empty one takes nothing off
    pub subtract_field: Option<String>,
    /// Field of the parent that receives the total
    pub parent_field: String,
    /// Further conditions on a child, for this total alone
    pub filters: Vec<Condition>,
}

impl Definition {
    /// All conditions, each with its aggregation, if it is of one, and its place in the list there
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (Option<usize>, usize, &Condition)> {
        let of_children = self.child_filters.iter().enumerate().map(|(place, condition)| (None, place, condition));
        let of_aggregations = self.aggregations.iter().enumerate().flat_map(|(number, aggregation)| {
            aggregation.filters.iter().enumerate().map(move |(place, condition)| (Some(number), place, condition))
        });
        of_children.chain(of_aggregations)
    }
}

/// Where a condition stands in its definition: `aggregation 0, filters 1`
pub(crate) fn place_of_condition(aggregation: Option<usize>, place: usize) -> String {
    aggregation
        .map_or_else(|| format!("childFilters {place}"), |number| format!("aggregation {number}, filters {place}"))
}

impl Aggregation {
    /// Path whose codes tell a mixture of currencies: the one named, else the one beside an `amountMicros`
    #[must_use]
    pub fn code_path(&self) -> Option<String> {
        self.currency_field.clone().or_else(|| code_beside(self.child_field.as_deref()?))
    }
}

/// Path of the currency code that belongs to an amount
pub(crate) fn code_beside(path: &str) -> Option<String> {
    let composite = path.strip_suffix(".amountMicros")?;
    Some(format!("{composite}.currencyCode"))
}

/// How the values of the children become one
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Their sum
    Sum,
    /// How many there are
    Count,
    /// Their mean
    Avg,
    /// The least
    Min,
    /// The greatest
    Max,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Self); 5] =
        [("SUM", Self::Sum), ("COUNT", Self::Count), ("AVG", Self::Avg), ("MIN", Self::Min), ("MAX", Self::Max)];
}

/// A condition on a child
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Path of the value that is compared
    pub field: String,
    /// Path of an amount that is taken off the value before it is compared; an empty one takes nothing off
    pub subtract_field: Option<String>,
    /// The comparison
    pub operator: Operator,
    /// What it is compared with
    pub operand: Operand,
}

/// A comparison
///
/// Those of equality see an empty value as one of its own, so `notEquals` and `notIn` include it; the others never
/// hold for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The same
    Equals,
    /// Another, or none
    NotEquals,
    /// One of a list
    In,
    /// None of a list, or none at all
    NotIn,
    /// Greater or later
    Gt,
    /// Greater or later, or the same
    Gte,
    /// Less or earlier
    Lt,
    /// Less or earlier, or the same
    Lte,
}

impl Condition {
    /// In words: `gt 0`
    #[must_use]
    pub fn describe(&self) -> String {
        let of = |value: &Value| match value {
            Value::Text(text) => format!("`{text}`"),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => "empty".to_owned(),
        };
        let operator = Operator::ALL.iter().find(|(_, operator)| *operator == self.operator);
        let operand = match &self.operand {
            Operand::Value(value) => of(value),
            Operand::List(values) => values.iter().map(of).collect::<Vec<_>>().join(", "),
            Operand::DynamicDate(day) => {
                DynamicDate::ALL.iter().find(|(_, other)| other == day).map_or("", |(name, _)| *name).to_owned()
            }
        };
        format!("{} {operand}", operator.map_or("", |(name, _)| *name))
    }
}

impl Operator {
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("equals", Self::Equals),
        ("notEquals", Self::NotEquals),
        ("in", Self::In),
        ("notIn", Self::NotIn),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
    ];
}

/// The right side of a condition
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A value
    Value(Value),
    /// A list of values
    List(Vec<Value>),
    /// A day that moves with the calendar
    DynamicDate(DynamicDate),
}

/// A day that moves with the calendar of the configured time zone
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynamicDate {
    /// The day of the run
    Today,
    /// The first of this month
    StartOfMonth,
    /// 1 January of this year
    StartOfYear,
    /// First day of this fiscal year
    StartOfFiscalYear,
}

impl DynamicDate {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("today", Self::Today),
        ("startOfMonth", Self::StartOfMonth),
        ("startOfYear", Self::StartOfYear),
        ("startOfFiscalYear", Self::StartOfFiscalYear),
    ];
}
