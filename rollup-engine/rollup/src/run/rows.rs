//! Records by their ids, or by the id of their parent.

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ports::Timestamp;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::Record as Row;
use uuid::Uuid;

use super::read::{MAX_GRAPHQL_PAGE, Reading};
use super::reader::Reader;
use super::stop::Stop;
use crate::ids::{Ids, SourceId};

/// Rows that were read, with the moment of reading; in the order of their ids and each once
#[derive(Clone, Debug, Default)]
pub(super) struct Rows(pub(super) Vec<(Row, Timestamp)>);

impl Rows {
    pub(super) fn insert(&mut self, row: Row, read_at: Timestamp) {
        let place = self.0.partition_point(|(other, _)| other.id < row.id);
        match self.0.get_mut(place) {
            Some(slot) if slot.0.id == row.id => *slot = (row, read_at),
            _ => self.0.insert(place, (row, read_at)),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (row, read_at) in other.0 {
            self.insert(row, read_at);
        }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Row> {
        let place = self.0.binary_search_by_key(&id, |(row, _)| row.id).ok()?;
        self.0.get(place).map(|(row, _)| row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().map(|(row, _)| row)
    }

    pub(super) fn ids(&self) -> Ids {
        self.rows().map(|row| row.id).collect()
    }
}

impl Reader<'_> {
    /// Live records of an object whose field is one of these ids; none if the object cannot be read
    pub(super) async fn read_by(&self, source: SourceId, field: &str, ids: &Ids) -> Result<Rows, Stop> {
        let mut left = ids.as_slice();
        let mut reading = FuturesUnordered::new();
        let mut rows = Rows::default();
        loop {
            // The gate would hold back more than that; what is not begun costs no memory.
            while reading.len() < self.options.concurrency && !left.is_empty() {
                let (chunk, others) = self.portion(source, left);
                reading.push(self.read_ids(source, field, chunk).boxed_local());
                left = others;
            }
            match reading.next().await {
                None => return Ok(rows),
                Some(Ok(chunk)) => rows.add(chunk),
                Some(Err(error)) => return self.outcome.give_up(source, &error).map(|()| Rows::default()),
            }
        }
    }

    /// The records of ids that one call may name; in several calls, should GraphQL fall away before
    async fn read_ids(&self, source: SourceId, field: &str, ids: &[Uuid]) -> Result<Rows, ApiError> {
        let mut rows = Rows::default();
        let mut left = ids;
        while !left.is_empty() {
            let (chunk, others) = self.portion(source, left);
            let filter = Filter::IdIn(field.to_owned(), chunk.to_vec());
            let mut of_chunk = Rows::default();
            let mut after = None::<String>;
            let (mut reading, mut readings) = (Reading::default(), 1);
            while chunk.len() <= self.max_ids(source) {
                let (page, read_at) = match self.page(source, Some(&filter), after.as_deref(), MAX_GRAPHQL_PAGE).await {
                    Err(error) if error.is_unsupported() => continue,
                    page => page?,
                };
                reading.add_page(&page);
                for row in page.records {
                    of_chunk.insert(row, read_at);
                }
                if !page.has_next_page {
                    if self.is_short(source, &reading, readings)? {
                        (reading, readings, after) = (Reading::default(), readings + 1, None);
                        of_chunk = Rows::default();
                        continue;
                    }
                    rows.add(of_chunk);
                    left = others;
                    break;
                }
                after = page.end_cursor;
            }
        }
        Ok(rows)
    }
}
