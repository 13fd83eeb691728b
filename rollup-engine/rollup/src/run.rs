//! One run: what it knows, and the two ways to go about it.

mod rebuild;
mod record;
mod settle;
mod targeted;
mod write;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use twenty::client::Client;
use twenty::error::ApiError;
use twenty::page::Record as Row;
use twenty::{Event, Host, Level, Timestamp};

use crate::calendar::Calendar;
use crate::config::MixedCurrency;
use crate::fold::Fold;
use crate::program::Program;
use record::Record;

/// Why a run ends before its end
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The time is used up
    OutOfTime,
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

/// A run and what it has found out
#[derive(Debug)]
pub(crate) struct Run<'a, H> {
    client: &'a Client<H>,
    program: &'a Program,
    calendar: &'a Calendar,
    mixed_currency: MixedCurrency,
    page_size: usize,
    concurrency: usize,
    /// Tallies, one for each rollup
    folds: Vec<RefCell<Fold>>,
    /// Most rows in a batch; less than the usual on servers that say so
    batch_size: Cell<usize>,
    /// Single records that were refused in a row, by source
    refusals: Vec<Cell<u32>>,
    /// When the run began, by our clock
    began: Timestamp,
    /// Whether parents are looked at for the second time, and so not counted again
    again: Cell<bool>,
    record: RefCell<Record>,
}

impl<'a, H: Host> Run<'a, H> {
    pub(crate) fn new(
        client: &'a Client<H>,
        program: &'a Program,
        calendar: &'a Calendar,
        mixed_currency: MixedCurrency,
        page_size: usize,
        concurrency: usize,
    ) -> Self {
        Self {
            client,
            program,
            calendar,
            mixed_currency,
            page_size,
            concurrency,
            folds: program.rollups.iter().map(|_| RefCell::default()).collect(),
            batch_size: Cell::new(twenty::client::MOST_RECORDS),
            refusals: program.sources.iter().map(|_| Cell::new(0)).collect(),
            began: client.host().now(),
            again: Cell::new(false),
            record: RefCell::new(Record::new(program)),
        }
    }

    pub(crate) fn into_record(self) -> Record {
        self.record.into_inner()
    }

    /// What happens in Twenty from here on happens in this run; by the server's clock where it tells it, as ours may be
    /// off
    fn since(&self) -> Timestamp {
        match self.client.first_answer() {
            Some(answer) => answer - Duration::from_secs(2),
            None => self.began - Duration::from_mins(1),
        }
    }

    /// Takes an error of reading an object: it ends the run, or the definitions that need the object.
    fn give_up(&self, source: usize, error: &ApiError) -> Result<(), Stop> {
        if let Some(stop) = Stop::of(error) {
            return Err(stop);
        }
        for (index, rollup) in self.program.rollups.iter().enumerate() {
            if rollup.child == source || rollup.parent == source {
                self.record.borrow_mut().drop_rollup(index, error);
            }
        }
        Ok(())
    }

    /// Folds children into the tallies of these rollups.
    fn fold<'r>(&self, rollups: &[usize], children: impl IntoIterator<Item = &'r Row>) {
        for row in children {
            for &index in rollups {
                if let (Some(rollup), Some(fold)) = (self.program.rollups.get(index), self.folds.get(index)) {
                    fold.borrow_mut().take(rollup, row);
                }
            }
        }
    }

    fn progress(&self, event: &'static str, source: usize, fields: &[(&'static str, u64)]) {
        let name = self.program.sources.get(source).map_or("", |source| &source.names.singular);
        let line = Event::new(Level::Info, event).with("object", name);
        self.client.host().log(fields.iter().fold(line, |line, (name, value)| line.with(name, *value)));
    }
}
