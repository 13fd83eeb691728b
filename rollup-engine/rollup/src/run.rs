//! One run: what it knows, and the ways to go about it.

mod drift;
mod explain;
mod groups;
mod read;
mod rebuild;
mod record;
mod settle;
mod slices;
mod survey;
mod targeted;
mod write;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::{Event, Level, Timestamp};
use twenty::error::ApiError;
use twenty::page::{Page, Record as Row};

use crate::calendar::Calendar;
use crate::checkpoint::{Checkpoint, Left};
use crate::compiled::{CompiledRollups, PathKind};
use crate::config::{Config, MixedCurrency};
use crate::fold::Fold;
use crate::host::RollupClient;
use crate::ids::{IdList, RollupId, SourceId};
use crate::plan::Spent;
use crate::sizes::SliceSizes;
use crate::trigger::Ids;
use record::Record;
pub(crate) use targeted::CONTINUATION_INTERVAL;

/// Why a run ends before its end
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The time is used up
    OutOfTime,
    /// The batch of parents that one run takes is done
    BatchDone,
    /// Every further call would fail as well
    Failed(ApiError),
}

impl Stop {
    /// The stop that an error is, where nothing can go on after it
    pub(crate) fn of_error(error: ApiError) -> Self {
        Self::of(&error).unwrap_or(Self::Failed(error))
    }

    /// Whether this error ends the run; others only cost the definitions that they concern
    fn of(error: &ApiError) -> Option<Self> {
        match error {
            ApiError::OutOfTime { .. } => Some(Self::OutOfTime),
            error if error.is_final() => Some(Self::Failed(error.clone())),
            _ => None,
        }
    }
}

/// How a run is to go about it
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunOptions {
    pub(crate) mixed_currency: MixedCurrency,
    /// Records a page of REST
    pub(crate) page_size: usize,
    /// Calls in flight at once
    pub(crate) concurrency: usize,
    /// Whether GraphQL may be used
    pub(crate) graphql: bool,
    /// Whether nothing is written
    pub(crate) dry: bool,
    /// Parents that a rebuild takes before it hands on
    pub(crate) parents_per_run: Option<usize>,
    /// Parents that are taken at a time
    pub(crate) sizes: SliceSizes,
    /// Fingerprint of the configuration
    pub(crate) fingerprint: u64,
}

impl RunOptions {
    pub(crate) fn new(config: &Config, concurrency: usize, sizes: SliceSizes, dry: bool) -> Self {
        Self {
            mixed_currency: config.mixed_currency,
            page_size: config.pacing.page_size(),
            concurrency,
            graphql: config.graphql,
            dry,
            parents_per_run: config.parents_per_run.and_then(|most| usize::try_from(most).ok()),
            sizes,
            fingerprint: config.fingerprint,
        }
    }
}

/// Parents to recompute, by the rollup that writes to them
pub(crate) type RollupTargets = IdList<RollupId, Ids>;

/// What is known of the fields of an object
#[derive(Debug, Default)]
struct Known {
    /// Whether the names are proven: GraphQL answers an unknown one with null
    proven: bool,
    /// Kind of value by place
    kinds: Vec<Option<PathKind>>,
    /// Records as they were last counted
    count: Option<u64>,
    /// The first page, read to see what is there, until a scan takes it up
    first_page: Option<(Page, Timestamp)>,
}

/// A run and what it has found out
pub(crate) struct Run<'a> {
    client: &'a RollupClient<'a>,
    program: &'a CompiledRollups,
    calendar: &'a Calendar,
    options: RunOptions,
    /// Whether the server has GraphQL, as far as is known
    graphql: Cell<bool>,
    known: IdList<SourceId, RefCell<Known>>,
    /// Rollups whose children the server adds up
    grouped: RefCell<Vec<RollupId>>,
    /// Tallies, one for each rollup
    folds: IdList<RollupId, RefCell<Fold>>,
    /// Parents in a slice that is found by the range of its ids; halved where that is refused or slow
    slice_size: Cell<usize>,
    /// Most rows in a batch; less than the usual on servers that say so
    batch_size: Cell<usize>,
    /// Single records that were refused in a row, by source
    refusals: IdList<SourceId, Cell<u32>>,
    /// When the run began, by our clock
    began: Timestamp,
    /// Whether parents are looked at for the second time, and so not counted again
    again: Cell<bool>,
    /// Whether anything was to be written
    wrote: Cell<bool>,
    spent: Cell<Spent>,
    /// Where a next run can go on: an object, and the cursor of the last parent that is done
    position: RefCell<Option<(SourceId, Option<String>)>>,
    /// Named parents that are not done
    rest: RefCell<RollupTargets>,
    /// Whether the rest was handed to another run
    continued: Cell<bool>,
    record: RefCell<Record>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        client: &'a RollupClient<'a>,
        program: &'a CompiledRollups,
        calendar: &'a Calendar,
        options: RunOptions,
    ) -> Self {
        let known = program.sources.iter().map(|source| {
            let kinds = source.kinds.clone();
            RefCell::new(Known { proven: !kinds.is_empty(), kinds, count: None, first_page: None })
        });
        Self {
            client,
            program,
            calendar,
            options,
            graphql: Cell::new(options.graphql),
            known: known.collect(),
            grouped: RefCell::default(),
            folds: program.rollups.iter().map(|_| RefCell::default()).collect(),
            slice_size: Cell::new(options.sizes.largest_slice),
            batch_size: Cell::new(twenty::client::MOST_RECORDS),
            refusals: program.sources.iter().map(|_| Cell::new(0)).collect(),
            began: client.host().now(),
            again: Cell::new(false),
            wrote: Cell::new(false),
            spent: Cell::default(),
            position: RefCell::default(),
            rest: RefCell::new(program.rollups.iter().map(|_| Ids::default()).collect()),
            continued: Cell::new(false),
            record: RefCell::new(Record::new(program)),
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

    /// What happened in Twenty at this time of ours or later has a later time there: by the server's clock where it
    /// tells it, as ours may be off
    fn server_time(&self, at: Timestamp) -> Timestamp {
        match self.client.server_time(at) {
            Some(server) => server - Duration::from_secs(2),
            None => at - Duration::from_mins(1),
        }
    }

    /// What happens in Twenty from here on happens in this run
    pub(crate) fn since(&self) -> Timestamp {
        self.server_time(self.began)
    }

    /// Where a next run can go on
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let left = if let Some((source, after)) = self.position.borrow().clone() {
            Left::From { object: self.name(source).to_owned(), after }
        } else {
            let mut parents: Vec<(String, Ids)> = Vec::new();
            for (rollup, ids) in self.program.rollups.iter().zip(&*self.rest.borrow()) {
                let name = self.name(rollup.parent);
                match parents.iter_mut().find(|(object, _)| object == name) {
                    Some((_, all)) => all.extend(ids.as_slice().iter().copied()),
                    None if ids.is_empty() => {}
                    None => parents.push((name.to_owned(), ids.clone())),
                }
            }
            if parents.is_empty() {
                return None;
            }
            Left::Parents(parents)
        };
        Some(Checkpoint { config: self.options.fingerprint, left })
    }

    /// Whether the rest was handed to another run
    pub(crate) fn continued(&self) -> bool {
        self.continued.get()
    }

    pub(crate) fn program(&self) -> &'a CompiledRollups {
        self.program
    }

    /// Objects whose records are children of any definition
    pub(crate) fn children_of_all(&self) -> Vec<SourceId> {
        let is_child = |source: &SourceId| self.program.rollups.iter().any(|rollup| rollup.child == *source);
        self.program.sources.ids().filter(is_child).collect()
    }

    /// Takes an error of reading an object: it ends the run, or the definitions that need the object.
    fn give_up(&self, source: SourceId, error: &ApiError) -> Result<(), Stop> {
        if let Some(stop) = Stop::of(error) {
            return Err(stop);
        }
        for (id, rollup) in self.program.rollups.entries() {
            if rollup.child == source || rollup.parent == source {
                self.record.borrow_mut().drop_rollup(id, error);
            }
        }
        Ok(())
    }

    /// Folds children into the tallies of these rollups.
    fn fold<'r>(&self, rollups: &[RollupId], children: impl IntoIterator<Item = &'r Row>) {
        for row in children {
            for &id in rollups {
                self.folds[id].borrow_mut().add(&self.program.rollups[id], row);
            }
        }
    }

    /// No parents, for each rollup
    fn no_targets(&self) -> RollupTargets {
        self.program.rollups.iter().map(|_| Ids::default()).collect()
    }

    fn spend(&self, add: impl FnOnce(&mut Spent)) {
        let mut spent = self.spent.get();
        add(&mut spent);
        self.spent.set(spent);
    }

    fn name(&self, source: SourceId) -> &str {
        &self.program.sources[source].names.singular
    }

    fn progress(&self, event: &'static str, source: SourceId, fields: &[(&'static str, u64)]) {
        let line = Event::new(Level::Info, event).with("object", self.name(source));
        self.client.host().log(fields.iter().fold(line, |line, (name, value)| line.with(name, *value)));
    }
}
