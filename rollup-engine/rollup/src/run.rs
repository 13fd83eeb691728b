//! One run: what it knows, and the ways to go about it.

mod drift;
mod explain;
mod groups;
pub(crate) mod outcome;
mod read;
pub(crate) mod reader;
mod rebuild;
mod record;
mod settle;
mod slices;
mod survey;
mod tallies;
mod targeted;
mod write;
mod writer;

use std::cell::Cell;

use ports::Timestamp;
use twenty::error::ApiError;

use crate::calendar::Calendar;
use crate::compiled::CompiledRollups;
use crate::config::{Config, MixedCurrency};
use crate::host::RollupClient;
use crate::ids::{IdList, RollupId, SourceId};
use crate::sizes::SliceSizes;
use crate::trigger::Ids;
use outcome::Outcome;
use reader::Reader;
use tallies::Tallies;
pub(crate) use targeted::CONTINUATION_INTERVAL;
use writer::Writer;

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

/// A run: what reads, adds up, writes and keeps account, and the ways to go about it
pub(crate) struct Run<'a> {
    client: &'a RollupClient<'a>,
    program: &'a CompiledRollups,
    calendar: &'a Calendar,
    options: RunOptions,
    reader: &'a Reader<'a>,
    tallies: Tallies<'a>,
    writer: Writer<'a>,
    outcome: &'a Outcome<'a>,
    /// Parents in a slice that is found by the range of its ids; halved where that is refused or slow
    slice_size: Cell<usize>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(reader: &'a Reader<'a>, calendar: &'a Calendar) -> Self {
        let Reader { client, program, options, outcome, .. } = *reader;
        Self {
            client,
            program,
            calendar,
            options,
            reader,
            tallies: Tallies::new(program),
            writer: Writer::new(reader),
            outcome,
            slice_size: Cell::new(options.sizes.largest_slice),
        }
    }

    /// What happens in Twenty from here on happens in this run
    pub(crate) fn since(&self) -> Timestamp {
        self.reader.since()
    }

    pub(crate) fn program(&self) -> &'a CompiledRollups {
        self.program
    }

    /// Objects whose records are children of any definition
    pub(crate) fn children_of_all(&self) -> Vec<SourceId> {
        let is_child = |source: &SourceId| self.program.rollups.iter().any(|rollup| rollup.child == *source);
        self.program.sources.ids().filter(is_child).collect()
    }
}
