//! In a run that writes nothing: the children whose own totals a total reads, as a rebuild would have put them right first.
//!
//! A rebuild computes totals over totals of the same object in rounds, and writes each of them before the next one reads
//! it. A comparison of named parents has nothing written to read, so what it has computed of the children stands in for
//! what they have stored.

use std::cell::{Cell, RefCell};

use ports::Timestamp;
use twenty::page::Record as Row;
use uuid::Uuid;

use super::rows::Rows;
use crate::compiled::CompiledRollups;
use crate::ids::{IdList, RollupId, SourceId};

/// Children with their totals as they are computed
pub(super) struct Below<'a> {
    compiled: &'a CompiledRollups,
    rows: IdList<SourceId, RefCell<Rows>>,
    /// Whether what is computed is kept
    keeps: Cell<bool>,
}

impl<'a> Below<'a> {
    pub(super) fn new(compiled: &'a CompiledRollups) -> Self {
        let rows = compiled.sources.iter().map(|_| RefCell::default()).collect();
        Self { compiled, rows, keeps: Cell::new(false) }
    }

    /// Whether records of this object were computed
    pub(super) fn has(&self, source: SourceId) -> bool {
        !self.rows[source].borrow().0.is_empty()
    }

    /// A record with its totals as they were computed
    pub(super) fn get(&self, source: SourceId, id: Uuid) -> Option<Row> {
        self.rows[source].borrow().get(id).cloned()
    }

    /// Puts what was computed in the place of what is stored.
    pub(super) fn put_into(&self, source: SourceId, rows: &mut Rows) {
        let computed = self.rows[source].borrow();
        for (row, _) in &mut rows.0 {
            if let Some(other) = computed.get(row.id) {
                *row = other.clone();
            }
        }
    }

    /// From here on, until it is called with `false`, what is computed is kept.
    pub(super) fn keep_all(&self, keeps: bool) {
        self.keeps.set(keeps);
    }

    /// Keeps the totals that these rollups have put in place in a row, beside those that were computed before.
    pub(super) fn keep(&self, source: SourceId, settles: &[RollupId], row: &Row, read_at: Timestamp) {
        if !self.keeps.get() {
            return;
        }
        let mut kept = self.get(source, row.id).unwrap_or_else(|| row.clone());
        for column in settles.iter().flat_map(|index| self.compiled.rollups[*index].columns.iter()) {
            for slot in [Some(column.stored), column.stored_code].into_iter().flatten() {
                kept.replace(slot, row.value(slot).clone());
            }
        }
        self.rows[source].borrow_mut().insert(kept, read_at);
    }
}
