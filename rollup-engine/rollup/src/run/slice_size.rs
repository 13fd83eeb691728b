//! How many parents a slice has, and where another run can go on within one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::{Event, Level, Timestamp};
use serde_json::json;
use twenty::error::ApiError;
use twenty::page::Page;
use uuid::Uuid;

use super::Run;
use crate::ids::SourceId;

/// An answer that takes longer makes the slices smaller that follow
const MAX_ANSWER_TIME: Duration = Duration::from_secs(10);

impl Run<'_> {
    /// Parents of an object in one slice, as far as is known at this moment
    pub(super) fn parents_per_slice(&self, source: SourceId) -> usize {
        let usual = if self.reader.graphql.get() { self.options.sizes.smallest_slice } else { self.options.page_size };
        let asked = self.options.parents_per_run;
        if self.reader.uses_graphql(source)
            && self.compiled.into_parent(source).all(|index| self.group_sets(index).is_some())
        {
            return asked.unwrap_or(usize::MAX).min(self.slice_size.get()).max(asked.unwrap_or(usual).min(usual));
        }
        asked.unwrap_or(usual)
    }

    /// A page of parents and the moment from which on its records may have changed: for a large one, which takes the
    /// server some seconds, that at which it was asked for
    pub(super) async fn page_of_parents(
        &self,
        source: SourceId,
        after: Option<&str>,
        parents: usize,
    ) -> Result<(Page, Timestamp), ApiError> {
        let watch = self.start_timer();
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

    pub(super) fn may_be_too_large(&self, parents: usize, error: &ApiError) -> bool {
        let other = matches!(error, ApiError::OutOfTime { .. } | ApiError::Unauthorized { .. });
        parents > self.options.sizes.smallest_slice && !other
    }

    /// Time and time spent waiting, for [`Self::answer_time`]
    pub(super) fn start_timer(&self) -> (Timestamp, Duration) {
        (self.client.host().now(), self.client.stats().waited)
    }

    /// How long the server took since for a slice of so many parents; one for which it took too long is halved.
    pub(super) fn answer_time(&self, (began, waited): (Timestamp, Duration), parents: usize) -> Duration {
        let waited = self.client.stats().waited.saturating_sub(waited);
        let took = self.client.host().now().since(began).saturating_sub(waited);
        if took > MAX_ANSWER_TIME {
            self.halve_slices(parents, "slow answers");
        }
        took
    }

    /// Notes that a next run goes on after this id, all parents up to it being done.
    pub(super) fn go_on_after(&self, source: SourceId, parent: Uuid) {
        self.outcome.position.replace(Some((source, Some(cursor_of(parent)))));
    }
}

/// The id before this one, of a record or of none
pub(super) fn before(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_sub(1))
}

/// The cursor of a record in the order of the ids: Twenty compares it by value, and one can be made of any id
fn cursor_of(id: Uuid) -> String {
    STANDARD.encode(json!({ "id": id }).to_string())
}

/// Whether this server's cursors are those that [`cursor_of`] makes
pub(super) fn makes_cursors(page: &Page) -> bool {
    let last = page.records.last().map(|row| cursor_of(row.id));
    last.is_some() && last == page.end_cursor
}
