//! Writing totals without reviving deleted records, creating blank ones or leaving a parent out.
//!
//! An upsert is the only call that gives many records different values, and it is a sharp tool: it revives deleted
//! records, makes blank ones of unknown ids, and is not atomic. So only parents that were just read as live go into
//! one; a single parent goes by PATCH, which does neither; and every row of the reply is checked for being the record
//! that was read.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::FutureExt;
use futures_util::stream::FuturesUnordered;
use ports::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::{Page, Projection};
use twenty::schema::Names;
use twenty::value::Value;
use uuid::Uuid;

use super::settle::{Change, Write};
use super::stop::Stop;
use super::writer::Writer;
use crate::compiled::{CompiledRollups, Source};
use crate::ids::SourceId;

/// How old the reading that says "live" may be when the write goes out; one second of ten is left for the call
const MAX_READING_AGE: Duration = Duration::from_secs(9);

/// How often parents are read again because their write could not go out in time; after that they go one by one
const MAX_STALE_READINGS: u32 = 5;

/// After so many single records in a row that Twenty refused, the rest of the object is not tried
const MAX_REFUSALS: u32 = 5;

/// Upserts of one object under way at once
const MAX_WRITERS: usize = 2;

impl Writer<'_> {
    /// Writes these parents of one object, in as few calls as possible, and notes what Twenty confirms.
    ///
    /// A batch that is refused is halved until the bad record is alone and named; the rest is written.
    pub(super) async fn write(&self, source: SourceId, mut writes: Vec<Write>) -> Result<(), Stop> {
        while !writes.is_empty() {
            writes = self.write_some(source, writes).await?;
        }
        Ok(())
    }

    /// Writes the first of these parents, with one reading of which of them are live if they have waited for too long;
    /// gives those that would need another one.
    pub(super) async fn write_some(&self, source: SourceId, mut writes: Vec<Write>) -> Result<Vec<Write>, Stop> {
        if self.options.dry || writes.is_empty() {
            return Ok(Vec::new());
        }
        self.outcome.wrote.set(true);
        if self.outcome.writing_since.get().is_none() {
            self.outcome.writing_since.set(Some(self.client.host().now()));
        }
        let mut readings = 0;
        loop {
            let queue = Queue::new(source, &self.compiled.sources[source], writes, self.batch_size.get());
            self.send_all(&queue).await?;
            let (sent, left) = queue.into_left();
            if sent || left.is_empty() {
                return Ok(left);
            }
            if readings == MAX_STALE_READINGS {
                let queue = Queue::new(source, &self.compiled.sources[source], left, 1);
                self.send_all(&queue).await?;
                return Ok(queue.into_left().1);
            }
            readings += 1;
            writes = left;
            let others = writes.split_off(writes.len().min(self.parents_per_reading(source)));
            writes = self.still_live(source, writes).await?;
            writes.extend(others);
        }
    }

    /// Parents that one reading serves: as many as can be written, by the rate limit, before it is too old
    pub(super) fn parents_per_reading(&self, source: SourceId) -> usize {
        let most = self.reader.max_ids(source).min(self.options.sizes.write_portion);
        let batch = self.batch_size.get();
        let too_old = self.client.ready_at(1) + MAX_READING_AGE;
        let in_time = |batches: &u32| self.client.ready_at(1 + batches) < too_old;
        (1..).take_while(in_time).take(most.div_ceil(batch)).count().max(1).saturating_mul(batch).min(most)
    }

    /// Sends the batches of a queue until it is empty, a batch is too old, or something has stopped the run.
    async fn send_all(&self, queue: &Queue<'_>) -> Result<(), Stop> {
        // An upsert of 200 takes Twenty a second; two at a time take it little more.
        let mut workers: FuturesUnordered<_> = (0..MAX_WRITERS).map(|_| self.send(queue).boxed_local()).collect();
        let mut result = Ok(());
        // What stops one of them lets the other end its call, and note what came of it.
        while let Some(end) = workers.next().await {
            result = result.and(end);
        }
        result
    }

    /// Takes batches from the queue and sends them one after the other.
    async fn send(&self, queue: &Queue<'_>) -> Result<(), Stop> {
        while let Some(mut batch) = queue.next(self.batch_size.get()) {
            let refusals = &self.refusals[queue.source];
            if refusals.get() >= MAX_REFUSALS {
                self.all_failed(queue.source, &batch, "not tried: too many records in a row were refused before it");
                continue;
            }
            let result = match batch.as_slice() {
                [] => continue,
                [one] => self.write_one(queue.object, one).await,
                many => self.write_many(queue.object, many).await,
            };
            if let Err(ApiError::Stale { .. }) = result {
                queue.is_stale.set(true);
                queue.put_back(batch);
                continue;
            }
            queue.sent.set(true);
            match result {
                Ok(()) => {
                    refusals.set(0);
                    let (written, of) = {
                        let record = self.outcome.record.borrow();
                        (record.totals.updated, record.drift.parents)
                    };
                    self.outcome.progress("parents_written", queue.source, &[("written", written), ("of", of)]);
                }
                Err(ApiError::Refused { message, .. }) if batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    match max_rows_in(&message) {
                        Some(most) if most < self.batch_size.get() => self.batch_size.set(most),
                        _ => {}
                    }
                    queue.put_back(half);
                    queue.put_back(batch);
                }
                Err(error) => {
                    if let ApiError::Refused { .. } = &error {
                        refusals.set(refusals.get() + 1);
                    }
                    self.not_written(queue.source, &batch, &error);
                    if let Some(stop) = Stop::of(&error) {
                        for batch in queue.batches.take() {
                            self.not_written(queue.source, &batch, &error);
                        }
                        return Err(stop);
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes parents that an error kept from being written; where only the time was short, the next run takes them.
    fn not_written(&self, source: SourceId, writes: &[Write], error: &ApiError) {
        if Stop::of(error) != Some(Stop::OutOfTime) {
            self.all_failed(source, writes, &error.to_string());
        }
    }

    fn all_failed(&self, source: SourceId, writes: &[Write], message: &str) {
        for write in writes {
            self.outcome.record.borrow_mut().failed(self.compiled.name(source), write.id, message);
        }
    }

    async fn write_one(&self, source: &Source, write: &Write) -> Result<(), ApiError> {
        let changes = Row { compiled: self.compiled, id: None, changes: &write.changes };
        self.outcome.spend(|spent| spent.writes += 1);
        match self.client.patch(&source.names, write.id, &changes, None, &Projection::default()).await {
            Ok(page) => {
                self.confirm(source, write, &page);
                Ok(())
            }
            Err(ApiError::NotFound { .. }) => {
                self.note_deleted(&source.names, write);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn write_many(&self, source: &Source, writes: &[Write]) -> Result<(), ApiError> {
        let row = |write| Row::new(self.compiled, write);
        let rows: Vec<Row<'_>> = writes.iter().map(row).collect();
        let oldest = writes.iter().map(|write| write.read_at).min();
        let mut keep = Projection::default();
        let created_at = keep.add("createdAt");
        let not_after = oldest.map(|read_at| read_at + MAX_READING_AGE);
        let page = self.upsert(&source.names, &rows, not_after, &keep).await?;
        self.outcome.spend(|spent| spent.writes += 1);
        let mut blanks = Vec::new();
        for write in writes {
            let made = page.records.iter().find(|record| record.id == write.id).map(|record| record.value(created_at));
            if made.is_some_and(|made| self.is_blank(write, made)) {
                blanks.push(write);
            } else {
                self.confirm(source, write, &page);
            }
        }
        // The parent was destroyed between the reading and the write: what stands there is a blank that the write made.
        for write in blanks {
            match self.client.destroy(&source.names, write.id).await {
                Ok(()) | Err(ApiError::NotFound { .. }) => self.note_deleted(&source.names, write),
                Err(error) => {
                    let message = format!("the write made a blank record, which could not be destroyed: {error}");
                    self.outcome.record.borrow_mut().failed(&source.names.singular, write.id, message);
                }
            }
        }
        Ok(())
    }

    /// By GraphQL, whose reply holds what is asked for, where REST repeats all of each record
    async fn upsert(
        &self,
        names: &Names,
        rows: &[Row<'_>],
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        if self.reader.graphql.get() {
            match self.client.upsert_graphql(names, rows, not_after, keep).await {
                Err(error) if self.reader.disable_graphql(&error) => {}
                result => return result,
            }
        }
        self.client.upsert(names, rows, not_after, keep).await
    }

    /// Whether a row of a reply was made by the write: created later than the one that was read, and in this run
    ///
    /// Anything else is taken for the record that was read, also if a user has changed its `createdAt`: what is
    /// destroyed is gone for good.
    fn is_blank(&self, write: &Write, made: &Value) -> bool {
        let instant = |value: &Value| value.text().and_then(Timestamp::parse);
        let (Some(made), Some(read)) = (instant(made), instant(&write.created_at)) else { return false };
        made > read && made >= self.reader.since()
    }

    fn confirm(&self, source: &Source, write: &Write, page: &Page) {
        let mut record = self.outcome.record.borrow_mut();
        if page.records.iter().any(|record| record.id == write.id) {
            record.updated(write.id, &write.rollups(), write.reset, self.outcome.verifying.get());
        } else {
            record.failed(&source.names.singular, write.id, "the reply to the write does not name this record");
        }
    }

    fn note_deleted(&self, names: &Names, write: &Write) {
        let note = format!("{} {} was deleted while its totals were computed", names.singular, write.id);
        self.outcome.record.borrow_mut().note(note);
    }

    /// Reads again which of these parents are live; the others need no write.
    async fn still_live(&self, source: SourceId, mut writes: Vec<Write>) -> Result<Vec<Write>, Stop> {
        let object = &self.compiled.sources[source];
        let (mut live, mut shortfalls) = (Vec::new(), 0);
        while !writes.is_empty() {
            let chunk = writes.split_off(writes.len().saturating_sub(self.reader.max_ids(source)));
            let filter = Filter::IdIn("id".into(), chunk.iter().map(|write| write.id).collect());
            let page = match self.ids_of(source, object, &filter, chunk.len()).await {
                Ok(page) => page,
                Err(error) if error.is_unsupported() => {
                    writes.extend(chunk);
                    continue;
                }
                Err(error) => {
                    self.not_written(source, &chunk, &error);
                    self.outcome.give_up(source, &error)?;
                    continue;
                }
            };
            let read_at = self.client.host().now();
            let mut cut_short = page.has_next_page && !page.records.is_empty();
            let counted = usize::try_from(page.total_count.unwrap_or(0)).unwrap_or(usize::MAX);
            if !page.has_next_page && page.records.len() < counted {
                shortfalls += 1;
                if shortfalls == MAX_STALE_READINGS {
                    let endpoint = format!("reading `{}`", object.names.singular);
                    let reason = format!("only {} of {counted} records came", page.records.len());
                    self.not_written(source, &chunk, &ApiError::Malformed { endpoint, reason });
                    self.outcome.record.borrow_mut().incomplete = true;
                    continue;
                }
                cut_short = true;
            }
            for write in chunk {
                let place = page.records.partition_point(|record| record.id < write.id);
                if page.records.get(place).is_some_and(|record| record.id == write.id) {
                    live.push(Write { read_at, ..write });
                } else if cut_short {
                    // Who stands on no page yet is not gone: the rest is asked for again.
                    writes.push(write);
                } else {
                    self.note_deleted(&object.names, &write);
                }
            }
        }
        Ok(live)
    }

    /// Ids of the live records among so many, in their order, as far as one page goes
    ///
    /// As with [`Self::page`], GraphQL that turns out not to serve is an error, and the same can be asked again.
    async fn ids_of(&self, source: SourceId, object: &Source, filter: &Filter, most: usize) -> Result<Page, ApiError> {
        self.outcome.spend(|spent| spent.rechecks += 1);
        let keep = Projection::default();
        let mut query = PageQuery { filter: Some(filter), after: None, limit: most };
        if !self.reader.uses_graphql(source) {
            query.limit = self.options.page_size;
            return self.client.list(&object.names, query, &keep).await;
        }
        self.reader.disable_graphql_on_error(self.client.list_graphql(&object.names, query, &keep).await)
    }
}

/// Parents that wait to be written
struct Queue<'a> {
    source: SourceId,
    object: &'a Source,
    /// The next one last
    batches: RefCell<Vec<Vec<Write>>>,
    /// Whether a batch was seen too long ago to be sent
    is_stale: Cell<bool>,
    /// Whether a batch was sent
    sent: Cell<bool>,
}

impl<'a> Queue<'a> {
    fn new(source: SourceId, object: &'a Source, writes: Vec<Write>, batch: usize) -> Self {
        let mut batches = Vec::new();
        let mut writes = writes.into_iter().peekable();
        while writes.peek().is_some() {
            batches.push(writes.by_ref().take(batch.max(1)).collect());
        }
        batches.reverse();
        let batches = RefCell::new(batches);
        Self { source, object, batches, is_stale: Cell::new(false), sent: Cell::new(false) }
    }

    /// The next parents, at most so many; nothing if all are taken, or have waited for too long
    fn next(&self, most: usize) -> Option<Vec<Write>> {
        if self.is_stale.get() {
            return None;
        }
        let mut batches = self.batches.borrow_mut();
        let mut batch = batches.pop()?;
        if batch.len() > most {
            let rest = batch.split_off(most.max(1));
            batches.push(rest);
        }
        Some(batch)
    }

    fn put_back(&self, batch: Vec<Write>) {
        self.batches.borrow_mut().push(batch);
    }

    /// Whether a batch was sent, and the parents that were not
    fn into_left(self) -> (bool, Vec<Write>) {
        (self.sent.get(), self.batches.into_inner().into_iter().rev().flatten().collect())
    }
}

/// The totals of one parent by field, as they go into a request
struct Row<'a> {
    compiled: &'a CompiledRollups,
    /// Where the request does not name the parent by itself
    id: Option<Uuid>,
    changes: &'a [Change],
}

impl<'a> Row<'a> {
    fn new(compiled: &'a CompiledRollups, write: &'a Write) -> Self {
        Self { compiled, id: Some(write.id), changes: &write.changes }
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            row.serialize_entry("id", id)?;
        }
        for Change { rollup, column, total } in self.changes {
            let column = &self.compiled.rollups[*rollup].columns[*column];
            row.serialize_entry(&column.aggregation.parent_field, total)?;
        }
        row.end()
    }
}

/// The number in `Maximum number of records to upsert is 60.`: older servers take fewer rows
fn max_rows_in(message: &str) -> Option<usize> {
    let number = message.strip_prefix("Maximum number of records to upsert is ")?;
    number.trim_end_matches('.').parse().ok().filter(|most| *most > 0)
}

#[cfg(test)]
mod tests {
    use super::max_rows_in;

    #[test]
    fn a_server_may_say_how_many_rows_it_takes() {
        assert_eq!(max_rows_in("Maximum number of records to upsert is 60."), Some(60));
        assert_eq!(max_rows_in("Maximum number of records to upsert is 0."), None);
        assert_eq!(max_rows_in("Invalid number value"), None);
    }
}
