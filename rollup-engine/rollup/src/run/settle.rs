//! From tallies to the write that a parent needs, if it needs one.

use ports::Timestamp;
use twenty::page::Record as Row;
use twenty::value::Value;
use uuid::Uuid;

use super::Run;
use super::drift::stored;
use super::outcome::ExplainedTotal;
use crate::compiled::Column;
use crate::config::MixedCurrency;
use crate::ids::{ColumnId, RollupId, SourceId};
use crate::report::MixedCurrencyParent;
use crate::tally::CODE_SEPARATOR;
use crate::total::{Total, TotalKind};

/// What a parent is to be given
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) id: Uuid,
    /// `createdAt` as it was read: another one in the reply to a write means that the write made a new record
    pub(super) created_at: Value,
    pub(super) changes: Vec<Change>,
    /// When the parent was last seen to be live
    pub(super) read_at: Timestamp,
    /// Whether no child is left
    pub(super) reset: bool,
}

/// A total to be stored
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) rollup: RollupId,
    pub(super) column: ColumnId,
    pub(super) total: Total,
}

impl Write {
    /// Rollups that changed something
    pub(super) fn rollups(&self) -> Vec<RollupId> {
        let mut rollups: Vec<RollupId> = self.changes.iter().map(|change| change.rollup).collect();
        rollups.dedup();
        rollups
    }
}

impl Run<'_> {
    /// Computes and compares the totals of one parent, and puts them in place in the row, for totals that read it as a
    /// child.
    pub(super) fn settle(
        &self,
        source: SourceId,
        settles: &[RollupId],
        row: &mut Row,
        read_at: Timestamp,
    ) -> Option<Write> {
        let mut write = Write {
            id: row.id,
            created_at: row.value(self.compiled.sources[source].created_at).clone(),
            changes: Vec::new(),
            read_at,
            reset: true,
        };
        let (mut mixed, mut unknown, mut compared) = (false, None, false);
        for &index in settles {
            if self.outcome.record.borrow().is_dropped(index) {
                continue;
            }
            let (rollup, fold) = (&self.compiled.rollups[index], &self.tallies.folds[index]);
            if !self.outcome.verifying.get() {
                self.outcome.record.borrow_mut().processed(index);
            }
            write.reset &= !fold.borrow().has_children(row.id);
            for (id, column) in rollup.columns.entries() {
                let Some(total) = self.total(index, id, column, row) else { continue };
                compared = true;
                let field = &column.aggregation.parent_field;
                let wanted = match &total {
                    Total::Mixed(codes) => {
                        mixed = true;
                        self.outcome.record.borrow_mut().mixed(MixedCurrencyParent {
                            parent_object: self.compiled.name(source).to_owned(),
                            id: row.id,
                            field: field.clone(),
                            currencies: codes.clone(),
                        });
                        (self.options.mixed_currency == MixedCurrency::Clear).then(|| empty(column.total_kind))
                    }
                    Total::Unknown => {
                        unknown = Some(field.clone());
                        None
                    }
                    total => Some(total.clone()),
                };
                let wanted = wanted.filter(|wanted| !wanted.is_stored(row.value(column.stored), column.code_in(row)));
                if let Some(explained) = &mut *self.outcome.explained.borrow_mut()
                    && (explained.source, explained.id) == (source, row.id)
                {
                    explained.totals.push(ExplainedTotal {
                        rollup: index,
                        column: id,
                        stored: stored(column, row),
                        computed: total.clone(),
                        differs: wanted.is_some(),
                    });
                }
                if let Some(wanted) = wanted {
                    self.outcome.record_difference(source, row, column, &wanted);
                    write.changes.push(Change { rollup: index, column: id, total: wanted });
                }
                put_in_place(column, &total, row);
            }
            fold.borrow_mut().release(row.id);
        }
        self.below.keep(source, settles, row, read_at);
        let mut record = self.outcome.record.borrow_mut();
        if !compared {
            return None;
        }
        if !self.outcome.verifying.get() {
            record.totals.processed += 1;
            record.totals.mixed_currency += u64::from(mixed);
        }
        if let Some(field) = &unknown {
            let reason = format!("`{field}`: a value is not a number, or the sum is out of range");
            record.failed(self.compiled.name(source), row.id, reason);
        }
        if !write.changes.is_empty() && !self.outcome.verifying.get() {
            record.differs(source);
        }
        if write.changes.is_empty() {
            record.totals.unchanged += u64::from(unknown.is_none() && !self.outcome.verifying.get());
            return None;
        }
        Some(write)
    }

    /// The total of one column; none, and a note of it, where a field is not there
    fn total(&self, index: RollupId, id: ColumnId, column: &Column, row: &Row) -> Option<Total> {
        let fold = self.tallies.folds[index].borrow();
        if let Some(field) = fold.missing(id) {
            let reason = format!("the children have no `{field}`");
            self.outcome.record.borrow_mut().missing(index, id, reason);
            return None;
        }
        if *row.value(column.stored) == Value::Missing {
            let reason = format!("the parents have no `{}`", column.aggregation.parent_field);
            self.outcome.record.borrow_mut().missing(index, id, reason);
            return None;
        }
        Some(fold.total(row.id, id, column, self.calendar))
    }
}

/// What empties a field
fn empty(total_kind: TotalKind) -> Total {
    if total_kind == TotalKind::Money { Total::Money(None, None) } else { Total::Empty }
}

/// Puts a total where the row keeps the stored one. A mixture is handed on as its codes, so that a total over it is
/// one as well.
fn put_in_place(column: &Column, total: &Total, row: &mut Row) {
    let (amount, code) = match total {
        Total::Empty => (Value::Null, Value::Null),
        Total::Number(number) => (Value::Number(*number), Value::Null),
        Total::Text(text) => (Value::Text(text.clone()), Value::Null),
        Total::Money(amount, code) => {
            (amount.map_or(Value::Null, Value::Number), code.clone().map_or(Value::Null, Value::Text))
        }
        Total::Mixed(codes) if column.stored_code.is_some() => {
            (Value::Unknown, Value::Text(codes.join(&*CODE_SEPARATOR.to_string()).into()))
        }
        Total::Mixed(_) | Total::Unknown => (Value::Unknown, Value::Null),
    };
    row.replace(column.stored, amount);
    if let Some(slot) = column.stored_code {
        row.replace(slot, code);
    }
}
