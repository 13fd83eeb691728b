//! A rebuild in slices: a page of parents, their children, compare, write, and on to the next page.
//!
//! Each slice is complete in itself, so that a run may stop after any of them and another goes on from its cursor. Where
//! the server adds up all children of an object's parents, its slices are large: one page of parents, whose ids are in
//! order, and the groups of the children whose parents lie between the first of them and the last. Such a slice is
//! halved where the server refuses it or is slow, down to the usual size, at which the children are found by a list of
//! ids; and it is written in portions, after each of which another run can go on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::{Event, Level, Timestamp};
use serde_json::json;
use twenty::error::ApiError;
use twenty::page::Page;
use uuid::Uuid;

use super::targeted::Rows;
use super::{Run, Stop};
use crate::checkpoint::Left;
use crate::compiled::settle_order;
use crate::ids::SourceId;

/// An answer that takes longer makes the slices smaller that follow
const MAX_ANSWER_TIME: Duration = Duration::from_secs(10);

impl Run<'_> {
    /// Goes through the parents of all objects, children's totals before parents'.
    pub(super) async fn slice_by_slice(&self, from: Option<&Left>) -> Result<(), Stop> {
        let order = settle_order(self.program);
        let (mut place, mut after) = (0, None);
        if let Some(Left::From { object, after: cursor }) = from
            && let Some(begun) = order.iter().position(|source| self.program.name(*source) == object)
        {
            (place, after) = (begun, cursor.clone());
        }
        while let Some(&source) = order.get(place) {
            self.outcome.position.replace(Some((source, after.clone())));
            let parents = self.parents_a_slice(source);
            let page = match self.page_of_parents(source, after.as_deref(), parents).await {
                Ok((page, read_at)) => {
                    let makes_cursors = makes_cursors(&page);
                    let next = page.has_next_page.then_some(page.end_cursor).flatten();
                    let mut rows = Rows::default();
                    for row in page.records {
                        rows.insert(row, read_at);
                    }
                    Some((rows, next, makes_cursors))
                }
                Err(error) if error.is_unsupported() => continue,
                Err(error) if self.may_be_too_large(parents, &error) => {
                    self.halve_slices(parents, &error.to_string());
                    continue;
                }
                Err(error) => {
                    self.outcome.give_up(source, &error)?;
                    None
                }
            };
            let Some((rows, next, makes_cursors)) = page else {
                (place, after) = (place + 1, None);
                continue;
            };
            self.slice_of(source, rows, &order, makes_cursors).await?;
            if next.is_none() {
                place += 1;
            }
            after = next;
            let left = order.get(place).map(|source| (*source, after.clone()));
            let done = left.is_none();
            self.outcome.position.replace(left);
            if self.options.parents_per_run.is_some() && !done {
                return Err(Stop::BatchDone);
            }
        }
        if self.options.dry || !self.outcome.wrote.get() {
            return Ok(());
        }
        let children: Vec<SourceId> = self.program.sources.ids().collect();
        self.verify(&children).await
    }

    /// Parents of an object in one slice, as far as is known at this moment
    pub(super) fn parents_a_slice(&self, source: SourceId) -> usize {
        let usual = if self.reader.graphql.get() { self.options.sizes.smallest_slice } else { self.options.page_size };
        let asked = self.options.parents_per_run;
        if self.reader.by_graphql(source)
            && self.program.into_parent(source).all(|index| self.group_sets(index).is_some())
        {
            return asked.unwrap_or(usize::MAX).min(self.slice_size.get()).max(asked.unwrap_or(usual).min(usual));
        }
        asked.unwrap_or(usual)
    }

    /// A page of parents and the moment from which on its records may have changed: for a large one, which takes the
    /// server some seconds, that at which it was asked for
    async fn page_of_parents(
        &self,
        source: SourceId,
        after: Option<&str>,
        parents: usize,
    ) -> Result<(Page, Timestamp), ApiError> {
        let watch = self.watch();
        let (page, read_at) = self.reader.page(source, None, after, parents).await?;
        if parents <= self.options.sizes.smallest_slice {
            return Ok((page, read_at));
        }
        Ok((page, read_at - self.answer_time(watch, parents)))
    }

    /// Halves the slices to come where one of so many parents was too much for the server.
    pub(super) fn halve_slices(&self, parents: usize, reason: &str) {
        let half = (parents / 2).max(self.options.sizes.smallest_slice);
        if half < self.slice_size.get() {
            self.slice_size.set(half);
            self.client.host().log(
                Event::new(Level::Info, "slices_halved").with("parents", half as u64).with("reason", reason.to_owned()),
            );
        }
    }

    fn may_be_too_large(&self, parents: usize, error: &ApiError) -> bool {
        let other = matches!(error, ApiError::OutOfTime { .. } | ApiError::Unauthorized { .. });
        parents > self.options.sizes.smallest_slice && !other
    }

    /// Time and time spent waiting, for [`Self::answer_time`]
    pub(super) fn watch(&self) -> (Timestamp, Duration) {
        (self.client.host().now(), self.client.ledger().waited)
    }

    /// How long the server took since for a slice of so many parents; one for which it took too long is halved.
    pub(super) fn answer_time(&self, (began, waited): (Timestamp, Duration), parents: usize) -> Duration {
        let waited = self.client.ledger().waited.saturating_sub(waited);
        let took = self.client.host().now().since(began).saturating_sub(waited);
        if took > MAX_ANSWER_TIME {
            self.halve_slices(parents, "slow answers");
        }
        took
    }

    /// Where a next run goes on after this parent, all before it being done
    pub(super) fn go_on_after(&self, source: SourceId, parent: Uuid) {
        self.outcome.position.replace(Some((source, Some(cursor_of(parent)))));
    }
}

/// The cursor of a record in the order of the ids: Twenty compares it by value, and one can be made of any id
fn cursor_of(id: Uuid) -> String {
    STANDARD.encode(json!({ "id": id }).to_string())
}

/// Whether this server's cursors are those that [`cursor_of`] makes
fn makes_cursors(page: &Page) -> bool {
    let last = page.records.last().map(|row| cursor_of(row.id));
    last.is_some() && last == page.end_cursor
}
