//! In a run that writes nothing: the children whose own totals a total reads, as a rebuild would have put them right first.
//!
//! A rebuild computes totals over totals of the same object in rounds, and writes each of them before the next one reads
//! it. A comparison of named parents has nothing written to read, so what it has computed of the children stands in for
//! what they have stored.

use std::cell::{Cell, RefCell};

use ports::Timestamp;
use twenty::page::Record as Row;
use uuid::Uuid;

use super::Run;
use super::options::RollupTargets;
use super::rows::Rows;
use super::stop::Stop;
use super::targeted::Scope;
use crate::compiled::{CompiledRollups, settle_order};
use crate::ids::{IdList, Ids, RollupId, SourceId};

/// Children with their totals as they are computed
pub(super) struct Below {
    rows: IdList<SourceId, RefCell<Rows>>,
    /// Whether what is computed is kept
    keeps: Cell<bool>,
}

impl Below {
    pub(super) fn new(compiled: &CompiledRollups) -> Self {
        Self { rows: compiled.sources.iter().map(|_| RefCell::default()).collect(), keeps: Cell::new(false) }
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
}

impl Run<'_> {
    /// Keeps the totals that these rollups have put in place in a row, beside those that were computed before.
    pub(super) fn keep_below(&self, source: SourceId, settles: &[RollupId], row: &Row, read_at: Timestamp) {
        if !self.below.keeps.get() {
            return;
        }
        let mut kept = self.below.get(source, row.id).unwrap_or_else(|| row.clone());
        for column in settles.iter().flat_map(|index| self.compiled.rollups[*index].columns.iter()) {
            for slot in [Some(column.stored), column.stored_code].into_iter().flatten() {
                kept.replace(slot, row.value(slot).clone());
            }
        }
        self.below.rows[source].borrow_mut().insert(kept, read_at);
    }

    /// Computes what the totals of these parents read, from the bottom up, where their own computation would take it as it
    /// is stored.
    pub(super) async fn compute_below(&self, targets: &RollupTargets) -> Result<(), Stop> {
        let scope = Scope::new(self.compiled, settle_order(self.compiled));
        let (mut children, mut stored) = (self.compiled.no_targets(), self.compiled.no_targets());
        for (index, ids) in targets.entries() {
            let rollup = &self.compiled.rollups[index];
            if ids.is_empty() || rollup.needs.is_empty() {
                continue;
            }
            let below = self.reader.read_by(rollup.child, &rollup.relation_field, ids).await?.ids();
            for needed in &rollup.needs {
                children[*needed].extend(below.as_slice().iter().copied());
                if !scope.is_settled_first(rollup) {
                    stored[*needed].extend(below.as_slice().iter().copied());
                }
            }
        }
        if children.iter().any(|ids| !ids.is_empty()) {
            Box::pin(self.compute_below(&children)).await?;
        }
        if stored.iter().all(Ids::is_empty) {
            return Ok(());
        }
        // They are compared on the way, which is no matter of the run.
        let verifying = self.outcome.verifying.replace(true);
        self.below.keeps.set(true);
        let end = self.pass(&stored).await;
        self.below.keeps.set(false);
        self.outcome.verifying.set(verifying);
        end.map(drop)
    }
}
