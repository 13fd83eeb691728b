//! What a run has done so far, and where another one can go on.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::time::whole_millis;
use ports::{Event, Level, Timestamp};
use serde_json::Value as Json;
use twenty::error::ApiError;
use uuid::Uuid;

use super::options::{RollupTargets, RunOptions};
use super::record::Record;
use super::stop::Stop;
use crate::checkpoint::{Checkpoint, Remaining};
use crate::compiled::CompiledRollups;
use crate::host::RollupClient;
use crate::ids::{ColumnId, Ids, RollupId, SourceId};
use crate::plan::{MAX_BATCH, PARENTS_A_RECHECK, RequestRate, Spent};
use crate::total::Total;

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
    /// The parent that is explained, and its totals as they were compared
    pub(super) explained: RefCell<Option<Explained>>,
    /// How fast requests may go, once there is a plan
    pub(super) pace: Cell<Option<RequestRate>>,
    /// Whether it is worth a note that a named record is not there: a caller named it, and no event
    pub(crate) notes_absent: Cell<bool>,
    /// When the first write was begun
    pub(super) writing_since: Cell<Option<Timestamp>>,
}

/// A parent whose totals are kept as they are compared
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) source: SourceId,
    pub(super) id: Uuid,
    pub(super) totals: Vec<ExplainedTotal>,
}

/// A total of it
#[derive(Debug)]
pub(super) struct ExplainedTotal {
    pub(super) rollup: RollupId,
    pub(super) column: ColumnId,
    pub(super) stored: Json,
    pub(super) computed: Total,
    /// Whether a rebuild would write another value
    pub(super) differs: bool,
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
            explained: RefCell::default(),
            pace: Cell::new(None),
            notes_absent: Cell::new(false),
            writing_since: Cell::new(None),
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
        self.record.borrow().counted(self.compiled.name(source))
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
        let mut line = Event::new(Level::Info, event).with("object", self.compiled.name(source));
        for (name, value) in fields {
            line = line.with(name, *value);
        }
        if let Some(left) = self.time_left() {
            line = line.with("secondsLeft", whole_millis(left).div_ceil(1_000));
        }
        self.client.host().log(line);
    }

    /// Time that the rest of the plan takes: by the rate limit, and by the time that writing has taken so far
    fn time_left(&self) -> Option<Duration> {
        let pace = self.pace.get()?;
        let record = self.record.borrow();
        let plan = record.plan.as_ref()?;
        let spent = self.spent.get();
        let reads = plan.reads.saturating_sub(spent.reads);
        let writes = if self.options.dry { 0 } else { self.writes_left(&record) };
        let now = self.client.host().now();
        let requests = u32::try_from(reads + writes).unwrap_or(u32::MAX);
        let by_rate = self.client.ready_at(requests).since(now);
        let written = u32::try_from(spent.writes + spent.rechecks).unwrap_or(u32::MAX);
        let by_server = match self.writing_since.get() {
            Some(since) if written > 0 => now.since(since) / written * u32::try_from(writes).unwrap_or(u32::MAX),
            _ => pace.server_time(reads, writes),
        };
        Some(by_rate.max(by_server))
    }

    /// Requests to write what differs, going by the parents that were compared so far
    fn writes_left(&self, record: &Record) -> u64 {
        let is_parent = |source: &SourceId| self.compiled.into_parent(*source).next().is_some();
        let parents: u64 = self
            .compiled
            .sources
            .ids()
            .filter(is_parent)
            .filter_map(|source| record.counted(self.compiled.name(source)))
            .sum();
        let (compared, differing) = (record.totals.processed, record.drift.parents);
        let expected = (differing * parents.max(compared)).checked_div(compared).unwrap_or(parents);
        let left = expected.saturating_sub(record.totals.updated);
        left.div_ceil(MAX_BATCH) + left.div_ceil(PARENTS_A_RECHECK)
    }
}
