//! Changes of all records that fit a filter.
//!
//! They reach into the trash: a filter that does not speak of `deletedAt` also fits what was soft-deleted.

use uuid::Uuid;

use crate::api_error::ApiError;
use crate::event::Operation;
use crate::filter::Condition;
use crate::input::{Draft, Given};
use crate::workspace::Workspace;
use crate::write::{Author, MAX_BATCH_RECORDS};

impl Workspace {
    /// Ids of all rows that fit, the trash included
    pub(crate) fn matching_ids(&self, object: usize, condition: Option<&Condition>) -> Vec<Uuid> {
        self.matching(object, condition, true).into_iter().map(|(id, _)| id).collect()
    }

    /// Writes the same values to all rows that fit, unless they are too many.
    pub(crate) fn update_many(
        &mut self,
        object: usize,
        condition: Option<&Condition>,
        draft: &Draft,
        author: &Author,
    ) -> Result<Vec<Uuid>, ApiError> {
        let ids = self.matching_ids(object, condition);
        if ids.len() > MAX_BATCH_RECORDS {
            return Err(ApiError::too_many(MAX_BATCH_RECORDS));
        }
        let unique: Vec<usize> = self
            .schema
            .object(object)
            .map(|definition| definition.unique_cells().map(|(cell, _)| cell).collect())
            .unwrap_or_default();
        let sets_unique = draft.cells.iter().any(|(cell, value)| unique.contains(cell) && value.unique_key().is_some());
        if ids.len() > 1 && (sets_unique || draft.id != Given::Absent) {
            return Err(ApiError::duplicate(None));
        }
        for id in &ids {
            self.update(object, *id, draft, author, Operation::Updated)?;
        }
        Ok(ids)
    }

    /// Destroys rows. However many go, one event tells of one of them, and none of those that lay in the trash.
    pub(crate) fn destroy_many(&mut self, object: usize, ids: &[Uuid], now: i64) {
        let told = ids.iter().copied().find(|id| self.table(object).is_some_and(|table| table.live(*id).is_some()));
        for id in ids {
            self.destroy(object, *id, told == Some(*id), now);
        }
    }

    /// Restores all rows that fit, and names those that still fit afterwards.
    pub(crate) fn restore_many(&mut self, object: usize, condition: Option<&Condition>, author: &Author) -> Vec<Uuid> {
        let ids = self.matching_ids(object, condition);
        self.restore(object, &ids, author);
        let still_fits = |id: &Uuid| {
            let Some(row) = self.table(object).and_then(|table| table.get(*id)) else { return false };
            condition.is_none_or(|condition| condition.filter.matches(self, *id, row) == Some(true))
        };
        ids.into_iter().filter(still_fits).collect()
    }
}
