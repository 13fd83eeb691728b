//! What a run has done so far, and where another one can go on.

use std::cell::{Cell, RefCell};

use ports::{Event, Level};
use serde_json::Value as Json;
use twenty::error::ApiError;

use super::options::{RollupTargets, RunOptions};
use super::record::Record;
use super::stop::Stop;
use crate::checkpoint::{Checkpoint, Remaining};
use crate::compiled::CompiledRollups;
use crate::host::RollupClient;
use crate::ids::{Ids, SourceId};
use crate::plan::Spent;

/// What a run has done
pub(crate) struct Outcome<'a> {
    pub(super) client: &'a RollupClient<'a>,
    pub(super) compiled: &'a CompiledRollups,
    pub(super) options: RunOptions,
    pub(super) record: RefCell<Record>,
    pub(super) spent: Cell<Spent>,
    /// Whether parents are compared for the second time, and so not counted again
    pub(super) verifying: Cell<bool>,
    /// Whether anything was to be written
    pub(super) wrote: Cell<bool>,
    /// Where a next run can go on: an object, and the cursor of the last parent that is done
    pub(super) position: RefCell<Option<(SourceId, Option<String>)>>,
    /// Named parents that are not done
    pub(super) rest: RefCell<RollupTargets>,
    /// Whether the rest was handed to another run
    pub(super) continued: Cell<bool>,
}

impl<'a> Outcome<'a> {
    pub(crate) fn new(client: &'a RollupClient<'a>, compiled: &'a CompiledRollups, options: RunOptions) -> Self {
        Self {
            client,
            compiled,
            options,
            record: RefCell::new(Record::new(compiled)),
            spent: Cell::default(),
            verifying: Cell::new(false),
            wrote: Cell::new(false),
            position: RefCell::default(),
            rest: RefCell::new(compiled.no_targets()),
            continued: Cell::new(false),
        }
    }

    pub(crate) fn into_record(self) -> Record {
        let mut record = self.record.into_inner();
        let writes = record.writes();
        if let Some(plan) = &mut record.plan {
            plan.spent = self.spent.get();
            plan.writes = (record.totals.processed > 0).then_some(writes);
        }
        record
    }

    /// Where a next run can go on
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let remaining = if let Some((source, after)) = self.position.borrow().clone() {
            Remaining::After { object: self.compiled.name(source).to_owned(), after }
        } else {
            let mut parents: Vec<(String, Ids)> = Vec::new();
            for (rollup, ids) in self.compiled.rollups.iter().zip(&*self.rest.borrow()) {
                let name = self.compiled.name(rollup.parent);
                match parents.iter_mut().find(|(object, _)| object == name) {
                    Some((_, all)) => all.extend(ids.as_slice().iter().copied()),
                    None if ids.is_empty() => {}
                    None => parents.push((name.to_owned(), ids.clone())),
                }
            }
            if parents.is_empty() {
                return None;
            }
            Remaining::Parents(parents)
        };
        Some(Checkpoint { config: self.options.fingerprint, remaining })
    }

    /// Records of an object as the survey counted them
    pub(super) fn counted(&self, source: SourceId) -> Option<u64> {
        let record = self.record.borrow();
        record.plan.as_ref()?.counts.get(self.compiled.name(source)).and_then(Json::as_u64)
    }

    /// Whether the rest was handed to another run
    pub(crate) fn continued(&self) -> bool {
        self.continued.get()
    }

    /// Takes an error of reading an object: it ends the run, or the definitions that need the object.
    pub(super) fn give_up(&self, source: SourceId, error: &ApiError) -> Result<(), Stop> {
        if let Some(stop) = Stop::of(error) {
            return Err(stop);
        }
        for (id, rollup) in self.compiled.rollups.entries() {
            if rollup.child == source || rollup.parent == source {
                self.record.borrow_mut().drop_rollup(id, error);
            }
        }
        Ok(())
    }

    pub(super) fn spend(&self, add: impl FnOnce(&mut Spent)) {
        let mut spent = self.spent.get();
        add(&mut spent);
        self.spent.set(spent);
    }

    /// Logs how far the work on an object has come.
    pub(super) fn progress(&self, event: &'static str, source: SourceId, fields: &[(&'static str, u64)]) {
        let line = Event::new(Level::Info, event).with("object", self.compiled.name(source));
        self.client.host().log(fields.iter().fold(line, |line, (name, value)| line.with(name, *value)));
    }
}
