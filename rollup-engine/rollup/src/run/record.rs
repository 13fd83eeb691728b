//! What a run has done so far, in counts and names.

use serde_json::Value as Json;
use twenty::error::ApiError;
use uuid::Uuid;

use crate::compiled::{CompiledRollups, Skipped};
use crate::definitions::Definition;
use crate::ids::{ColumnId, IdList, Ids, RollupId, SourceId};
use crate::plan::{MAX_BATCH, Plan};
use crate::report::{Detail, Drift, Failure, MAX_NAMED, MixedCurrencyParent, Totals};

/// The record of one run
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) totals: Totals,
    /// Processed and updated, by rollup
    counts: IdList<RollupId, (u64, u64)>,
    /// Rollups that cannot go on, with the code and the words of what stopped them
    dropped: IdList<RollupId, Option<(String, String)>>,
    /// Whether something was left out that the workspace has
    pub(crate) incomplete: bool,
    /// Parents that were written, each counted once
    written: Ids,
    /// Columns that name a missing field
    missing: Vec<(RollupId, ColumnId, String)>,
    pub(crate) mixtures: Vec<MixedCurrencyParent>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) notes: Vec<String>,
    /// Parents that differ, by source
    differing: IdList<SourceId, u64>,
    /// Of a rebuild
    pub(crate) plan: Option<Plan>,
    pub(crate) drift: Drift,
    pub(crate) explanation: Option<Json>,
}

impl Record {
    pub(crate) fn new(compiled: &CompiledRollups) -> Self {
        Self {
            totals: Totals::default(),
            counts: compiled.rollups.iter().map(|_| (0, 0)).collect(),
            dropped: compiled.rollups.iter().map(|_| None).collect(),
            incomplete: false,
            written: Ids::default(),
            missing: Vec::new(),
            mixtures: Vec::new(),
            failures: Vec::new(),
            notes: compiled.notes.clone(),
            differing: compiled.sources.iter().map(|_| 0).collect(),
            plan: None,
            drift: Drift::default(),
            explanation: None,
        }
    }

    /// Notes a parent with a wrong value.
    pub(super) fn differs(&mut self, source: SourceId) {
        self.drift.parents += 1;
        self.differing[source] += 1;
    }

    /// Records of an object as the survey counted them
    pub(super) fn counted(&self, object: &str) -> Option<u64> {
        self.plan.as_ref()?.counts.get(object).and_then(Json::as_u64)
    }

    /// Upserts that all parents need that differ
    pub(super) fn writes(&self) -> u64 {
        self.differing.iter().map(|count| count.div_ceil(MAX_BATCH)).sum()
    }

    pub(super) fn processed(&mut self, rollup: RollupId) {
        self.counts[rollup].0 += 1;
    }

    /// Notes that a parent was written; `again` if it was counted before, as right or as written.
    pub(super) fn updated(&mut self, id: Uuid, rollups: &[RollupId], reset: bool, again: bool) {
        if self.written.contains(id) {
            return;
        }
        self.written.insert(id);
        self.totals.updated += 1;
        self.totals.reset += u64::from(reset);
        if again {
            self.totals.unchanged = self.totals.unchanged.saturating_sub(1);
        }
        for rollup in rollups {
            self.counts[*rollup].1 += 1;
        }
    }

    pub(super) fn failed(&mut self, parent_object: &str, id: Uuid, message: impl Into<String>) {
        self.totals.failed += 1;
        if self.failures.len() < MAX_NAMED {
            self.failures.push(Failure { parent_object: parent_object.to_owned(), id, message: message.into() });
        }
    }

    pub(super) fn mixed(&mut self, mixture: MixedCurrencyParent) {
        if self.mixtures.len() < MAX_NAMED {
            self.mixtures.push(mixture);
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) && self.notes.len() < MAX_NAMED {
            self.notes.push(note);
        }
    }

    pub(super) fn drop_rollup(&mut self, rollup: RollupId, error: &ApiError) {
        if let slot @ None = &mut self.dropped[rollup] {
            *slot = Some((error.code().to_owned(), error.to_string()));
            // What is not there, or not for this token, is left out on purpose; what fails is not.
            let absent =
                matches!(error, ApiError::Refused { .. } | ApiError::NotFound { .. } | ApiError::Forbidden { .. });
            self.incomplete |= !absent;
        }
    }

    /// Notes that the records have shown a value to be impossible that a rollup compares a field with.
    pub(super) fn impossible_value(&mut self, rollup: RollupId, reason: String) {
        self.incomplete = true;
        self.dropped[rollup].get_or_insert_with(|| (Skipped::INVALID_VALUE.to_owned(), reason));
    }

    /// Notes that not all children of a rollup could be read.
    pub(super) fn cut_short(&mut self, rollup: RollupId, reason: String) {
        self.incomplete = true;
        self.dropped[rollup].get_or_insert_with(|| ("incomplete_reading".to_owned(), reason));
    }

    pub(super) fn is_dropped(&self, rollup: RollupId) -> bool {
        self.dropped[rollup].is_some()
    }

    pub(super) fn missing(&mut self, rollup: RollupId, column: ColumnId, reason: String) {
        let entry = (rollup, column, reason);
        if !self.missing.contains(&entry) {
            self.missing.push(entry);
        }
    }

    /// The error that stopped every rollup, if every one was stopped
    pub(crate) fn all_dropped(&self) -> Option<(String, String)> {
        if self.dropped.iter().all(Option::is_some) { self.dropped.iter().next().cloned().flatten() } else { None }
    }

    /// What was left out while running
    pub(crate) fn skipped(&self, compiled: &CompiledRollups) -> Vec<Skipped> {
        let number = |rollup: RollupId| compiled.rollups[rollup].number;
        let column = |rollup: RollupId, column: ColumnId| compiled.rollups[rollup].columns[column].number;
        let whole = self.dropped.entries().filter_map(|(rollup, dropped)| {
            let (code, reason) = dropped.clone()?;
            Some(Skipped { definition: number(rollup), aggregation: None, code, reason })
        });
        let parts = self.missing.iter().map(|(rollup, index, reason)| Skipped {
            definition: number(*rollup),
            aggregation: Some(column(*rollup, *index)),
            code: Skipped::MISSING_FIELD.to_owned(),
            reason: reason.clone(),
        });
        whole.chain(parts).collect()
    }

    /// Counts by definition, those that did not run included
    pub(crate) fn details(&self, compiled: &CompiledRollups, definitions: &[Definition]) -> Vec<Detail> {
        let counts =
            |number: usize| compiled.rollups.find(|rollup| rollup.number == number).map(|rollup| self.counts[rollup]);
        let detail = |(number, definition): (usize, &Definition)| {
            let (processed, updated) = counts(number).unwrap_or_default();
            Detail {
                parent_object: definition.parent_object.clone(),
                child_object: definition.child_object.clone(),
                relation_field: definition.relation_field.clone(),
                processed,
                updated,
            }
        };
        definitions.iter().enumerate().map(detail).collect()
    }
}
