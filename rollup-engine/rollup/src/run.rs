//! One run: what it knows, and the ways to go about it.

mod below;
mod drift;
mod explain;
mod groups;
pub(crate) mod options;
pub(crate) mod outcome;
mod read;
pub(crate) mod reader;
mod rebuild;
mod record;
mod rows;
mod settle;
mod slice_size;
mod slices;
pub(crate) mod stop;
mod survey;
mod tallies;
mod targeted;
mod verification;
mod write;
mod writer;

use std::cell::Cell;

use ports::Timestamp;

use crate::calendar::Calendar;
use crate::compiled::CompiledRollups;
use crate::host::RollupClient;
use crate::ids::SourceId;
use below::Below;
use options::RunOptions;
use outcome::Outcome;
use reader::Reader;
use tallies::Tallies;
use writer::Writer;

/// A run: what reads, adds up, writes and keeps account, and the ways to go about it
pub(crate) struct Run<'a> {
    client: &'a RollupClient<'a>,
    compiled: &'a CompiledRollups,
    calendar: &'a Calendar,
    options: RunOptions,
    reader: &'a Reader<'a>,
    tallies: Tallies<'a>,
    writer: Writer<'a>,
    outcome: &'a Outcome<'a>,
    below: Below<'a>,
    /// Parents in a slice that is found by the range of its ids; halved where that is refused or slow
    slice_size: Cell<usize>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(reader: &'a Reader<'a>, calendar: &'a Calendar) -> Self {
        let Reader { client, compiled, options, outcome, .. } = *reader;
        Self {
            client,
            compiled,
            calendar,
            options,
            reader,
            tallies: Tallies::new(compiled),
            writer: Writer::new(reader),
            outcome,
            below: Below::new(compiled),
            slice_size: Cell::new(options.sizes.largest_slice),
        }
    }

    /// What happens in Twenty from here on happens in this run
    pub(crate) fn since(&self) -> Timestamp {
        self.reader.since()
    }

    pub(crate) fn compiled(&self) -> &'a CompiledRollups {
        self.compiled
    }

    /// Objects whose records are children of any definition
    pub(crate) fn children_of_all(&self) -> Vec<SourceId> {
        let is_child = |source: &SourceId| self.compiled.rollups.iter().any(|rollup| rollup.child == *source);
        self.compiled.sources.ids().filter(is_child).collect()
    }
}
