//! What is known of the writing: how many rows the server takes, and which objects it refuses.

use std::cell::Cell;

use super::options::RunOptions;
use super::outcome::Outcome;
use super::reader::Reader;
use crate::compiled::CompiledRollups;
use crate::host::RollupClient;
use crate::ids::{IdList, SourceId};

/// Writes totals to parents
pub(super) struct Writer<'a> {
    pub(super) client: &'a RollupClient<'a>,
    pub(super) compiled: &'a CompiledRollups,
    pub(super) options: RunOptions,
    pub(super) reader: &'a Reader<'a>,
    pub(super) outcome: &'a Outcome<'a>,
    /// Most rows in a batch; less than the usual on servers that say so
    pub(super) batch_size: Cell<usize>,
    /// Single records that were refused in a row, by source
    pub(super) refusals: IdList<SourceId, Cell<u32>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(reader: &'a Reader<'a>) -> Self {
        let Reader { client, compiled, options, outcome, .. } = *reader;
        Self {
            client,
            compiled,
            options,
            reader,
            outcome,
            batch_size: Cell::new(twenty::client::MAX_RECORDS),
            refusals: compiled.sources.iter().map(|_| Cell::new(0)).collect(),
        }
    }
}
