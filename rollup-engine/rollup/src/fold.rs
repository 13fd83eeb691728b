//! Folding children into the tallies of their parents.
//!
//! A record that lacks a key which a definition names shows that the field was renamed or is hidden. That is not the
//! same as empty: the definition, or the one total, is dropped for the rest of the run instead of being zeroed.

use std::collections::HashMap;

use twenty::graphql::Group;
use twenty::page::Record;
use twenty::value::Value;
use uuid::Uuid;

use crate::calendar::Calendar;
use crate::compiled::{Column, GroupSet, Rollup, Tests, is_exact};
use crate::definitions::Kind;
use crate::ids::{ColumnId, IdList, Ids};
use crate::tally::{Grouped, Tally};
use crate::total::Total;

/// The tallies of all parents of one rollup
#[derive(Clone, Debug, Default)]
pub struct Fold {
    parents: HashMap<Uuid, IdList<ColumnId, Tally>>,
    /// Parent of each child, as it was read; in the order of the children, which is that of the pages
    owners: Vec<(Uuid, Uuid)>,
    /// The whole rollup, or single columns, that a record has shown to name a missing field
    missing: Option<String>,
    missing_columns: Vec<(ColumnId, String)>,
    undecided_parents: Ids,
}

impl Fold {
    /// Takes one child of whatever parent; the values are the record's, perhaps with its own totals put in place
    pub fn add(&mut self, rollup: &Rollup, record: &Record) {
        let relation = record.value(rollup.relation);
        if *relation == Value::Missing {
            self.missing.get_or_insert_with(|| rollup.relation_field.clone());
        }
        if let Some(test) = rollup.tests.iter().find(|test| *record.value(test.slot) == Value::Missing) {
            self.missing.get_or_insert_with(|| test.condition.field().to_owned());
        }
        // A child of no parent counts for none.
        let Some(parent) = relation.id() else { return };
        let owner = (record.id, parent);
        if let Err(place) = self.owners.binary_search(&owner) {
            self.owners.insert(place, owner);
        }
        if !meets(&rollup.tests, record) {
            return;
        }
        for (id, column) in rollup.columns.entries() {
            if let Some(path) = missing_path(column, record)
                && self.missing(id).is_none()
            {
                self.missing_columns.push((id, path));
            }
        }
        let tallies = self.parents.entry(parent).or_insert_with(|| empty_tallies(rollup));
        for (column, tally) in rollup.columns.iter().zip(tallies) {
            add_child(column, tally, record);
        }
    }

    /// Takes a group of children of one parent that the server has added up
    pub fn add_group(&mut self, rollup: &Rollup, set: &GroupSet, parent: Uuid, group: &Group) {
        let tallies = self.parents.entry(parent).or_insert_with(|| empty_tallies(rollup));
        let value = |place: Option<usize>| place.and_then(|place| group.values.get(place)).unwrap_or(&Value::Null);
        for inputs in &set.inputs {
            let column = &rollup.columns[inputs.column];
            let (sum, least, greatest) = (value(inputs.sum), value(inputs.least), value(inputs.greatest));
            if !is_exact(sum) {
                self.undecided_parents.insert(parent);
            }
            // A condition on the value itself may have been left out of the request.
            let mut extremes = [least, greatest].into_iter().filter(|value| !value.is_absent());
            if matches!(column.aggregation.kind, Kind::Min | Kind::Max) && !extremes.all(|value| allows(column, value))
            {
                self.undecided_parents.insert(parent);
            }
            let code = column.code.and_then(|_| group.dimensions.first());
            tallies[inputs.column].add_group(
                column.aggregation.kind,
                &Grouped { count: group.count, sum, least, greatest },
                code,
            );
        }
    }

    /// Adds the tallies of other parents
    pub fn join(&mut self, other: Self) {
        self.parents.extend(other.parents);
    }

    /// Parents whose groups do not tell enough, such as a sum that came as a rounded number: their children have to be
    /// read
    #[must_use]
    pub fn undecided_parents(&self) -> Ids {
        self.undecided_parents.clone()
    }

    /// What the children of this parent come to in this column
    #[must_use]
    pub fn total(&self, parent: Uuid, id: ColumnId, column: &Column, calendar: &Calendar) -> Total {
        let none = Tally::default();
        let tally = self.parents.get(&parent).map_or(&none, |tallies| &tallies[id]);
        Total::new(&column.aggregation, column.total_kind, tally, calendar)
    }

    /// The parent that a child had when it was read
    #[must_use]
    pub fn parent_of(&self, child: Uuid) -> Option<Uuid> {
        let place = self.owners.partition_point(|(other, _)| *other < child);
        self.owners.get(place).filter(|(other, _)| *other == child).map(|(_, parent)| *parent)
    }

    /// Whether any child was counted for this parent
    #[must_use]
    pub fn has_children(&self, parent: Uuid) -> bool {
        self.parents.contains_key(&parent)
    }

    /// Forgets this parent: its totals are settled.
    pub fn release(&mut self, parent: Uuid) {
        self.parents.remove(&parent);
    }

    /// Why this column, or the whole rollup, cannot be trusted
    #[must_use]
    pub fn missing(&self, id: ColumnId) -> Option<&str> {
        let column = || self.missing_columns.iter().find(|(column, _)| *column == id).map(|(_, path)| path.as_str());
        self.missing.as_deref().or_else(column)
    }
}

fn empty_tallies(rollup: &Rollup) -> IdList<ColumnId, Tally> {
    rollup.columns.iter().map(|_| Tally::default()).collect()
}

/// The path that a column names and the record does not have
fn missing_path(column: &Column, record: &Record) -> Option<String> {
    let lacks = |slot| *record.value(slot) == Value::Missing;
    if column.value.is_some_and(lacks) {
        return column.aggregation.child_field.clone();
    }
    if column.code.is_some_and(lacks) {
        return column.aggregation.code_path();
    }
    column.tests.iter().find(|test| lacks(test.slot)).map(|test| test.condition.field().to_owned())
}

/// Adds one child to one tally, if it meets the column's own conditions
fn add_child(column: &Column, tally: &mut Tally, record: &Record) {
    if !meets(&column.tests, record) {
        return;
    }
    let value = column.value.map(|slot| record.value(slot));
    // A count of a field counts where it is not empty.
    if value.is_some_and(Value::is_absent) {
        return;
    }
    let (kind, value) = (column.aggregation.kind, value.unwrap_or(&Value::Null));
    let code = column.code.map(|slot| record.value(slot));
    tally.add(kind, value, code);
    let Some((subtrahend, subtrahend_code)) = column.subtrahend else { return };
    match record.value(subtrahend).number() {
        Some(amount) if !amount.is_zero() => {
            // In the currency of the amount itself where it names none.
            let own = subtrahend_code.map(|slot| record.value(slot)).filter(|code| !code.is_absent());
            tally.add(kind, &Value::Number(amount.negated()), own.or(code));
        }
        None if !record.value(subtrahend).is_absent() => tally.add(kind, record.value(subtrahend), code),
        _ => {}
    }
}

/// Whether the column's conditions on its own value hold for this one
fn allows(column: &Column, value: &Value) -> bool {
    let own = column.tests.iter().filter(|test| Some(test.slot) == column.value && test.subtrahend.is_none());
    own.map(|test| &test.condition).all(|condition| condition.holds(value))
}

fn meets(tests: &Tests, record: &Record) -> bool {
    tests.iter().all(|test| test.holds(record))
}

/// What these children of one parent come to, column by column; a missing key counts as empty
#[must_use]
pub fn totals(rollup: &Rollup, children: &[Record], calendar: &Calendar) -> Vec<Total> {
    let counted: Vec<&Record> = children.iter().filter(|child| meets(&rollup.tests, child)).collect();
    let total = |column: &Column| {
        let mut tally = Tally::default();
        for child in &counted {
            add_child(column, &mut tally, child);
        }
        Total::new(&column.aggregation, column.total_kind, &tally, calendar)
    };
    rollup.columns.iter().map(total).collect()
}
