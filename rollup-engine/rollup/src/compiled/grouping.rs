//! Which totals the server can add up itself, with the same result as reading every child.
//!
//! Twenty groups records by a relation and gives count, sum, least and greatest of each group, in one request for all
//! parents. That replaces reading the children wherever both sides provably mean the same:
//! - conditions that compare numbers, dates and plain texts; a condition that includes empty values says so to the server;
//! - counts; least and greatest of amounts, numbers and dates; sums and means of amounts, which the database keeps as
//!   exact decimals. Sums of NUMBER fields are doubles there, which round where ours do not;
//! - the currency is a dimension of its own, so that mixtures are seen.
//!
//! Children that the server would take otherwise than we do, and that are few, are read beside the groups: those with a
//! subtraction, and reversals (amounts below zero) where some totals take them and others do not.
//!
//! Everything else is read child by child.

use ports::time::format_date;
use twenty::decimal::Decimal;
use twenty::filter::{Comparator, Filter};
use twenty::value::Value;

use super::kinds::PathKind;
use super::rollups::{Column, Rollup};
use crate::calendar::Calendar;
use crate::definitions::{Aggregation, Condition, Definition, DynamicDate, Kind, Operand, Operator};
use crate::ids::ColumnId;
use crate::moment::Moment;

/// Integers below this are the same as doubles
const EXACT: f64 = 9_007_199_254_740_992.0;

/// One request: the groups of the children that meet one set of conditions
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSet {
    /// What a child must meet; nothing for all
    pub filter: Option<Filter>,
    /// Path of the currency code that is the second dimension
    pub code: Option<String>,
    /// Names of the aggregates, as Twenty calls them
    pub aggregates: Vec<String>,
    /// Totals that come from these groups
    pub inputs: Vec<TotalInputs>,
}

/// What a total takes from a group
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalInputs {
    /// The total
    pub column: ColumnId,
    /// Places of sum, least and greatest among the aggregates; a count needs none
    pub sum: Option<usize>,
    /// The least
    pub least: Option<usize>,
    /// The greatest
    pub greatest: Option<usize>,
}

/// How the totals of a rollup come from groups; nothing if one of them cannot
#[must_use]
pub fn group_sets(
    rollup: &Rollup,
    kind_of: &dyn Fn(&str) -> Option<PathKind>,
    calendar: &Calendar,
) -> Option<Vec<GroupSet>> {
    if !rollup.needs.is_empty() {
        return None;
    }
    let definition = &rollup.definition;
    let mut sets: Vec<GroupSet> = Vec::new();
    let plain = ordinary_filters(definition, kind_of)?;
    for (id, column) in rollup.columns.entries() {
        let (filter, code) = conditions(definition, column, kind_of, calendar, &plain)?;
        // A count or a date needs no currency and goes with any set of the same conditions.
        let same = |set: &GroupSet| set.filter == filter && (code.is_none() || set.code == code || set.code.is_none());
        let place = sets.iter().position(same).unwrap_or_else(|| {
            sets.push(GroupSet { filter: filter.clone(), code: None, aggregates: Vec::new(), inputs: Vec::new() });
            sets.len() - 1
        });
        let set = sets.get_mut(place)?;
        if code.is_some() {
            set.code = code;
        }
        let inputs = inputs(id, column, set, kind_of)?;
        set.inputs.push(inputs);
    }
    Some(sets)
}

/// Amounts that a definition takes off its children's, each path once
fn subtracted(definition: &Definition) -> Vec<&str> {
    let mut paths: Vec<&str> = Vec::new();
    let of_aggregations = definition.aggregations.iter();
    let conditions =
        definition.child_filters.iter().chain(of_aggregations.clone().flat_map(|aggregation| &aggregation.filters));
    let all = conditions
        .map(|condition| &condition.subtract_field)
        .chain(of_aggregations.map(|aggregation| &aggregation.subtract_field));
    for path in all.flatten() {
        if !paths.contains(&path.as_str()) {
            paths.push(path);
        }
    }
    paths
}

/// Amounts of which some totals take those above zero alone, and the others sum or compare what there is
///
/// Without the amounts below zero all of them come from the same groups.
fn signed<'a>(definition: &'a Definition, kind_of: &dyn Fn(&str) -> Option<PathKind>) -> Vec<&'a str> {
    let is_positive = |aggregation: &'a Aggregation, path: &str| {
        aggregation.filters.iter().any(|condition| condition.field == path && is_above_zero(condition))
    };
    let takes_what_there_is = |aggregation: &Aggregation, path: &str| {
        aggregation.kind != Kind::Count && aggregation.child_field.as_deref() == Some(path)
    };
    let mut paths: Vec<&str> = Vec::new();
    for condition in definition.aggregations.iter().flat_map(|aggregation| &aggregation.filters) {
        let path = condition.field.as_str();
        let fits = |aggregation| is_positive(aggregation, path) || takes_what_there_is(aggregation, path);
        if is_above_zero(condition)
            && kind_of(path) == Some(PathKind::Micros)
            && !paths.contains(&path)
            && definition.aggregations.iter().all(fits)
        {
            paths.push(path);
        }
    }
    paths
}

fn is_above_zero(condition: &Condition) -> bool {
    let zero = Value::Number(Decimal::ZERO);
    condition.operator == Operator::Gt && matches!(&condition.operand, Operand::Value(value) if *value == zero)
}

/// Filters for the children that the server adds up; the few others are read.
fn ordinary_filters(definition: &Definition, kind_of: &dyn Fn(&str) -> Option<PathKind>) -> Option<Vec<Filter>> {
    let mut filters = Vec::new();
    for path in subtracted(definition) {
        match kind_of(path)? {
            PathKind::Micros => {}
            PathKind::Absent => continue,
            _ => return None,
        }
        filters.push(Filter::Or(vec![Filter::Empty(path.to_owned()), compare_with_zero(path, Comparator::Eq)]));
    }
    filters.extend(signed(definition, kind_of).into_iter().map(|path| compare_with_zero(path, Comparator::Gte)));
    Some(filters)
}

/// Filter for the children that are read beside the groups; none where the server adds up all
#[must_use]
pub fn exceptions_filter(definition: &Definition, kind_of: &dyn Fn(&str) -> Option<PathKind>) -> Option<Filter> {
    let mut filters = Vec::new();
    for path in subtracted(definition).into_iter().filter(|path| kind_of(path) == Some(PathKind::Micros)) {
        filters.push(compare_with_zero(path, Comparator::Neq));
    }
    filters.extend(signed(definition, kind_of).into_iter().map(|path| compare_with_zero(path, Comparator::Lt)));
    if filters.is_empty() { None } else { Some(Filter::Or(filters)) }
}

/// Says `> 0` once, where conditions come to that: totals of the same meaning share their groups.
fn merge_signs(parts: &mut Vec<Filter>, path: &str) {
    let at_least = compare_with_zero(path, Comparator::Gte);
    let above = compare_with_zero(path, Comparator::Gt);
    let other = compare_with_zero(path, Comparator::Neq);
    let other_or_empty = Filter::Or(vec![other.clone(), Filter::Empty(path.to_owned())]);
    let is_other = |part: &Filter| *part == other || *part == other_or_empty;
    if !parts.contains(&at_least) || !parts.iter().any(|part| *part == above || is_other(part)) {
        return;
    }
    parts.retain(|part| *part != at_least && *part != above && !is_other(part));
    parts.push(above);
}

fn compare_with_zero(path: &str, comparator: Comparator) -> Filter {
    Filter::Compare { path: path.to_owned(), comparator, value: Value::Number(Decimal::ZERO) }
}

/// The conditions of one total as the server understands them, and the path of its currency code
fn conditions(
    definition: &Definition,
    column: &Column,
    kind_of: &dyn Fn(&str) -> Option<PathKind>,
    calendar: &Calendar,
    plain: &[Filter],
) -> Option<(Option<Filter>, Option<String>)> {
    let aggregation = &column.aggregation;
    let all = || definition.child_filters.iter().chain(&aggregation.filters);
    let mut parts = plain.to_vec();
    for condition in all().filter(|condition| !is_checked_later(aggregation, condition)) {
        let part = push(condition, kind_of(&condition.field)?, calendar)?;
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let mut code = None;
    if let Some(path) = &aggregation.child_field {
        kind_of(path).filter(|kind| *kind != PathKind::Absent)?;
        // The mean divides by the values that are there, and a count of a field counts them.
        let implied = || {
            all().any(|condition| {
                condition.field == *path
                    && matches!(condition.operator, Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte)
            })
        };
        if matches!(aggregation.kind, Kind::Avg | Kind::Count) && !implied() {
            parts.push(Filter::Present(path.clone()));
        }
        if aggregation.kind != Kind::Count {
            code = aggregation.code_path();
        }
    }
    for path in signed(definition, kind_of) {
        merge_signs(&mut parts, path);
    }
    if let Some(path) = &code
        && kind_of(path) != Some(PathKind::Text)
    {
        return None;
    }
    let filter = if parts.is_empty() { None } else { Some(Filter::And(parts)) };
    Some((filter, code))
}

/// Whether a condition is left out of the request, and the answer is looked at instead ([`crate::fold::Fold::add_group`])
///
/// A last gift until today is the last gift, but for the few donors with one of a later day.
fn is_checked_later(aggregation: &Aggregation, condition: &Condition) -> bool {
    matches!(aggregation.kind, Kind::Min | Kind::Max)
        && aggregation.child_field.as_ref() == Some(&condition.field)
        && condition.operator == Operator::Lte
        && condition.operand == Operand::DynamicDate(DynamicDate::Today)
}

fn inputs(
    id: ColumnId,
    column: &Column,
    set: &mut GroupSet,
    kind_of: &dyn Fn(&str) -> Option<PathKind>,
) -> Option<TotalInputs> {
    let mut inputs = TotalInputs { column: id, sum: None, least: None, greatest: None };
    let kind = column.aggregation.kind;
    if kind == Kind::Count {
        return Some(inputs);
    }
    let path = column.aggregation.child_field.as_deref()?;
    let of = kind_of(path)?;
    let mut place = |operation: &str| {
        let name = aggregate_name(operation, path);
        Some(set.aggregates.iter().position(|other| *other == name).unwrap_or_else(|| {
            set.aggregates.push(name);
            set.aggregates.len() - 1
        }))
    };
    match (kind, of) {
        (Kind::Sum | Kind::Avg, PathKind::Micros) => {
            (inputs.sum, inputs.least, inputs.greatest) = (place("sum"), place("min"), place("max"));
        }
        // Whether an amount other than zero is among them tells a mixture of currencies.
        (Kind::Min | Kind::Max, PathKind::Micros) => (inputs.least, inputs.greatest) = (place("min"), place("max")),
        (Kind::Min, PathKind::Number | PathKind::Date) => inputs.least = place("min"),
        (Kind::Max, PathKind::Number | PathKind::Date) => inputs.greatest = place("max"),
        _ => return None,
    }
    Some(inputs)
}

/// `sum` of `amount.amountMicros` is `sumAmountAmountMicros`
fn aggregate_name(operation: &str, path: &str) -> String {
    let mut name = operation.to_owned();
    for part in path.split('.') {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// A condition as a filter of the same meaning, if there is one
fn push(condition: &Condition, kind: PathKind, calendar: &Calendar) -> Option<Filter> {
    let path = &condition.field;
    let compare = |comparator, value| Filter::Compare { path: path.clone(), comparator, value };
    // An empty value is another than any; Twenty's `neq` does not see it.
    let or_empty = |filter| Filter::Or(vec![filter, Filter::Empty(path.clone())]);
    let each = |values: &[Value]| -> Option<Vec<Filter>> {
        let mut filters = Vec::new();
        for value in values {
            filters.push(compare(Comparator::Eq, operand(value, kind)?));
        }
        (!filters.is_empty()).then_some(filters)
    };
    let one = match &condition.operand {
        Operand::List(values) => {
            let filters = each(values)?;
            return match condition.operator {
                Operator::In => Some(Filter::Or(filters)),
                Operator::NotIn => Some(or_empty(Filter::Not(Box::new(Filter::Or(filters))))),
                _ => None,
            };
        }
        Operand::DynamicDate(_) if kind != PathKind::Date => return None,
        Operand::DynamicDate(day) => Value::Text(format_date(calendar.day(*day)).into()),
        Operand::Value(Value::Null) => {
            return match condition.operator {
                Operator::Equals => Some(Filter::Empty(path.clone())),
                Operator::NotEquals => Some(Filter::Present(path.clone())),
                _ => None,
            };
        }
        Operand::Value(value) => operand(value, kind)?,
    };
    match condition.operator {
        Operator::Equals => Some(compare(Comparator::Eq, one)),
        Operator::NotEquals => Some(or_empty(compare(Comparator::Neq, one))),
        _ if !matches!(kind, PathKind::Micros | PathKind::Number | PathKind::Date) => None,
        Operator::Gt => Some(compare(Comparator::Gt, one)),
        Operator::Gte => Some(compare(Comparator::Gte, one)),
        Operator::Lt => Some(compare(Comparator::Lt, one)),
        Operator::Lte => Some(compare(Comparator::Lte, one)),
        Operator::In | Operator::NotIn => None,
    }
}

/// A value that both sides compare alike with values of this kind
fn operand(value: &Value, kind: PathKind) -> Option<Value> {
    let fits = match (kind, value) {
        (PathKind::Micros | PathKind::Number, Value::Number(number)) => number.to_f64().abs() < EXACT,
        (PathKind::Boolean, Value::Bool(_)) => true,
        (PathKind::Date, Value::Text(text)) => {
            matches!(Moment::read(text), Some(moment @ Moment::Date(_)) if moment.day().is_some())
        }
        // What reads like a number or a date is compared as one by us.
        (PathKind::Text, Value::Text(text)) => {
            !text.is_empty() && value.number().is_none() && Moment::read(text).is_none()
        }
        _ => false,
    };
    fits.then(|| value.clone())
}

/// Whether a sum that came as a double is the exact one
#[must_use]
pub fn is_exact(sum: &Value) -> bool {
    sum.is_absent() || sum.number().is_some_and(|sum| sum.rounded(0) == sum && sum.to_f64().abs() < EXACT)
}

/// Whether the number of records has to be asked for along with these groups, to see that none were cut: not where a
/// wider set of the same dimensions tells
#[must_use]
pub fn needs_count(sets: &[GroupSet], number: usize) -> bool {
    let parts = |set: &GroupSet| match &set.filter {
        Some(Filter::And(parts)) => parts.clone(),
        _ => Vec::new(),
    };
    let Some(set) = sets.get(number) else { return false };
    let conditions = parts(set);
    !sets.iter().enumerate().any(|(other, wider)| {
        let fewer = parts(wider);
        let covers =
            fewer.iter().all(|part| conditions.contains(part)) && (wider.code == set.code || set.code.is_none());
        other != number && covers && (fewer.len() < conditions.len() || other < number)
    })
}
