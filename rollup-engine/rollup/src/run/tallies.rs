//! The tallies of all rollups of a run.

use std::cell::RefCell;

use twenty::page::Record as Row;
use uuid::Uuid;

use crate::compiled::CompiledRollups;
use crate::fold::Fold;
use crate::ids::{IdList, RollupId};

/// The tallies of a run
pub(super) struct Tallies<'a> {
    compiled: &'a CompiledRollups,
    /// Rollups whose children the server adds up
    pub(super) grouped: RefCell<Vec<RollupId>>,
    /// One for each rollup
    pub(super) folds: IdList<RollupId, RefCell<Fold>>,
}

impl<'a> Tallies<'a> {
    pub(super) fn new(compiled: &'a CompiledRollups) -> Self {
        let folds = compiled.rollups.iter().map(|_| RefCell::default()).collect();
        Self { compiled, grouped: RefCell::default(), folds }
    }

    /// Folds children into the tallies of these rollups.
    pub(super) fn fold<'r>(&self, rollups: &[RollupId], children: impl IntoIterator<Item = &'r Row>) {
        for row in children {
            for &id in rollups {
                self.folds[id].borrow_mut().add(&self.compiled.rollups[id], row);
            }
        }
    }

    /// Forgets what the tallies of these rollups hold of these parents.
    pub(super) fn release(&self, rollups: &[RollupId], parents: &[Uuid]) {
        for rollup in rollups {
            for parent in parents {
                self.folds[*rollup].borrow_mut().release(*parent);
            }
        }
    }
}
