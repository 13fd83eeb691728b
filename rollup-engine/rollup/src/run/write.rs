//! Writing totals so that nobody is revived, created or forgotten.
//!
//! An upsert is the only call that gives many records different values, and it is a sharp tool: it revives deleted
//! records, makes blank ones of unknown ids, and is not atomic. So only parents that were just read as live go into
//! one; a single parent goes by PATCH, which does neither; and every row of the reply is checked for being the record
//! that was read.

use std::time::Duration;

use serde_json::Value as Json;
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::{Page, Projection};
use twenty::schema::Names;
use twenty::value::Value;
use twenty::{Host, Timestamp};

use super::settle::Write;
use super::{Run, Stop};
use crate::program::Source;

/// How old the reading that says "live" may be when the write goes out; one second of ten is left for the call
const FRESH: Duration = Duration::from_secs(9);

/// How often parents are read again because their write could not go out in time; after that they go one by one
const MOST_READINGS: u32 = 5;

/// After so many single records in a row that Twenty refused, the rest of the object is not tried
const MOST_REFUSALS: u32 = 5;

impl<H: Host> Run<'_, H> {
    /// Writes these parents of one object, in as few calls as possible, and notes what Twenty confirms.
    ///
    /// A batch that is refused is halved until the bad record is alone and named; the rest is written.
    pub(super) async fn write(&self, source: usize, writes: Vec<Write>) -> Result<(), Stop> {
        let Some(object) = self.program.sources.get(source) else { return Ok(()) };
        let mut queue: Vec<(Vec<Write>, u32)> = vec![(writes, 0)];
        while let Some((mut batch, readings)) = queue.pop() {
            let size = self.batch_size.get();
            while batch.len() > size {
                let rest = batch.split_off(batch.len() - size);
                queue.push((rest, readings));
            }
            let refusals = self.refusals.get(source);
            if refusals.is_some_and(|refusals| refusals.get() >= MOST_REFUSALS) {
                for write in &batch {
                    let message = "not tried: too many records in a row were refused before it";
                    self.record.borrow_mut().failed(self.name(source), write.id, message);
                }
                continue;
            }
            let result = match batch.as_slice() {
                [] => continue,
                [one] => self.write_one(object, one).await,
                many => self.write_many(object, many).await,
            };
            match result {
                Ok(()) => {
                    if let Some(refusals) = refusals {
                        refusals.set(0);
                    }
                }
                Err(ApiError::Stale { .. }) if readings == MOST_READINGS => {
                    queue.extend(batch.into_iter().map(|write| (vec![write], readings)));
                }
                Err(ApiError::Stale { .. }) if readings < MOST_READINGS => {
                    let live = self.still_live(source, batch).await?;
                    queue.push((live, readings + 1));
                }
                Err(ApiError::Refused { message, .. }) if batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    match most_rows(&message) {
                        Some(most) if most < size => self.batch_size.set(most),
                        _ => {}
                    }
                    queue.push((half, readings));
                    queue.push((batch, readings));
                }
                Err(error) => {
                    if let (ApiError::Refused { .. }, Some(refusals)) = (&error, refusals) {
                        refusals.set(refusals.get() + 1);
                    }
                    let stop = Stop::of(&error);
                    for write in batch.iter().chain(queue.iter().flat_map(|(batch, _)| batch)) {
                        self.record.borrow_mut().failed(self.name(source), write.id, error.to_string());
                        if stop.is_none() && batch.last().is_some_and(|last| last.id == write.id) {
                            break;
                        }
                    }
                    if let Some(stop) = stop {
                        return Err(stop);
                    }
                }
            }
        }
        Ok(())
    }

    async fn write_one(&self, source: &Source, write: &Write) -> Result<(), ApiError> {
        let changes = Json::Object(write.changes.clone());
        match self.client.patch(&source.names, write.id, &changes, None, &Projection::default()).await {
            Ok(page) => {
                self.confirm(source, write, &page);
                Ok(())
            }
            Err(ApiError::NotFound { .. }) => {
                self.gone(&source.names, write);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn write_many(&self, source: &Source, writes: &[Write]) -> Result<(), ApiError> {
        let rows: Vec<Json> = writes.iter().map(row).collect();
        let oldest = writes.iter().map(|write| write.read_at).min();
        let mut keep = Projection::default();
        keep.add("createdAt");
        let page = self.client.upsert(&source.names, &rows, oldest.map(|read_at| read_at + FRESH), &keep).await?;
        let mut blanks = Vec::new();
        for write in writes {
            let made = page.records.iter().find(|record| record.id == write.id).map(|record| record.value(0));
            if made.is_some_and(|made| self.is_blank(write, made)) {
                blanks.push(write);
            } else {
                self.confirm(source, write, &page);
            }
        }
        // The parent was destroyed between the reading and the write: what stands there is a blank that the write made.
        for write in blanks {
            match self.client.destroy(&source.names, write.id).await {
                Ok(()) | Err(ApiError::NotFound { .. }) => self.gone(&source.names, write),
                Err(error) => {
                    let message = format!("the write made a blank record, which could not be destroyed: {error}");
                    self.record.borrow_mut().failed(&source.names.singular, write.id, message);
                }
            }
        }
        Ok(())
    }

    /// Whether a row of a reply was made by the write: created later than the one that was read, and in this run
    ///
    /// Anything else is taken for the record that was read, also if somebody has changed its `createdAt`: what is
    /// destroyed is gone for good.
    fn is_blank(&self, write: &Write, made: &Value) -> bool {
        let instant = |value: &Value| value.text().and_then(Timestamp::parse);
        let (Some(made), Some(read)) = (instant(made), instant(&write.created_at)) else { return false };
        made > read && made >= self.since()
    }

    fn confirm(&self, source: &Source, write: &Write, page: &Page) {
        let mut record = self.record.borrow_mut();
        if page.records.iter().any(|record| record.id == write.id) {
            record.updated(write.id, &write.rollups, write.reset, self.again.get());
        } else {
            record.failed(&source.names.singular, write.id, "the reply to the write does not name this record");
        }
    }

    fn gone(&self, names: &Names, write: &Write) {
        let note = format!("{} {} was deleted while its totals were computed", names.singular, write.id);
        self.record.borrow_mut().note(note);
    }

    /// Reads again which of these parents are live; the others need no write.
    async fn still_live(&self, source: usize, writes: Vec<Write>) -> Result<Vec<Write>, Stop> {
        let Some(object) = self.program.sources.get(source) else { return Ok(Vec::new()) };
        let mut live = Vec::new();
        for chunk in writes.chunks(self.page_size.max(1)) {
            let filter = Filter::IdIn("id".into(), chunk.iter().map(|write| write.id).collect());
            let query = PageQuery { filter: Some(&filter), after: None, limit: self.page_size };
            let page = match self.client.list(&object.names, query, &Projection::default()).await {
                Ok(page) => page,
                Err(error) => {
                    for write in chunk {
                        self.record.borrow_mut().failed(&object.names.singular, write.id, error.to_string());
                    }
                    self.give_up(source, &error)?;
                    continue;
                }
            };
            let read_at = self.client.host().now();
            for write in chunk {
                if page.records.iter().any(|record| record.id == write.id) {
                    live.push(Write { read_at, ..write.clone() });
                } else {
                    self.gone(&object.names, write);
                }
            }
        }
        Ok(live)
    }
}

fn row(write: &Write) -> Json {
    let mut row = write.changes.clone();
    row.insert("id".to_owned(), Json::String(write.id.to_string()));
    Json::Object(row)
}

/// The number in `Maximum number of records to upsert is 60.`: older servers take fewer rows
fn most_rows(message: &str) -> Option<usize> {
    let number = message.strip_prefix("Maximum number of records to upsert is ")?;
    number.trim_end_matches('.').parse().ok().filter(|most| *most > 0)
}

#[cfg(test)]
mod tests {
    use super::most_rows;

    #[test]
    fn a_server_may_say_how_many_rows_it_takes() {
        assert_eq!(most_rows("Maximum number of records to upsert is 60."), Some(60));
        assert_eq!(most_rows("Maximum number of records to upsert is 0."), None);
        assert_eq!(most_rows("Invalid number value"), None);
    }
}
