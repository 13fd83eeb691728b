//! Reading many records: filter, order, cursor, limit, total.
//!
//! The page by id without a filter costs as many rows as it has; a filter on ids or unique values goes through the
//! indexes; everything else looks at every row.

use uuid::Uuid;

use crate::filter::Condition;
use crate::order::{Cursor, Order};
use crate::profile::Profile;
use crate::table::Row;
use crate::workspace::Workspace;

/// What is asked for
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) condition: Option<Condition>,
    pub(crate) order: Order,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    pub(crate) after: Option<Cursor>,
    pub(crate) before: Option<Cursor>,
    /// The page's last rows instead of the first (GraphQL `last`)
    pub(crate) from_end: bool,
}

/// One page
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<(Uuid, &'a Row)>,
    pub(crate) total: usize,
    /// Cursor of the first row, and of the last
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
}

impl Workspace {
    /// All rows that fit, by id. Rows in the trash count only if the condition speaks of `deletedAt`, or if
    /// `with_trash` says so.
    pub(crate) fn matching(&self, object: usize, condition: Option<&Condition>, with_trash: bool) -> Vec<(Uuid, &Row)> {
        let (Some(definition), Some(table)) = (self.schema.object(object), self.table(object)) else {
            return Vec::new();
        };
        let with_trash = with_trash || condition.is_some_and(|condition| condition.names_deleted);
        let Some(condition) = condition else {
            return table.rows().filter(|(_, row)| with_trash || row.deleted_at.is_none()).collect();
        };
        let fits = |id: Uuid, row: &Row| {
            (with_trash || row.deleted_at.is_none()) && condition.filter.matches(self, id, row) == Some(true)
        };
        match condition.filter.candidates(table, definition) {
            Some(ids) => {
                let rows = ids.into_iter().filter_map(|id| Some((id, table.get(id)?)));
                rows.filter(|(id, row)| fits(*id, row)).collect()
            }
            None => table.rows().filter(|(id, row)| fits(*id, row)).collect(),
        }
    }

    /// One page of rows
    pub(crate) fn page(&self, object: usize, query: &Query) -> Page<'_> {
        let back = query.before.is_some() || query.from_end;
        let (rows, total, more) = if query.condition.is_none() && query.order.is_by_id() {
            self.page_by_id(object, query, back)
        } else {
            self.page_by_order(object, query, back)
        };
        let cursor = |row: Option<(Uuid, &Row)>| row.map(|(id, row)| query.order.cursor(id, row));
        let newer = self.profile == Profile::V2;
        Page {
            first: cursor(rows.first().copied()),
            last: cursor(rows.last().copied()),
            has_next: if back { newer && query.before.is_some() } else { more },
            has_previous: if back { more } else { newer && query.after.is_some() },
            rows,
            total,
        }
    }

    fn page_by_id(&self, object: usize, query: &Query, back: bool) -> (Vec<(Uuid, &Row)>, usize, bool) {
        let Some(table) = self.table(object) else { return (Vec::new(), 0, false) };
        let live = |(_, row): &(Uuid, &Row)| row.deleted_at.is_none();
        let after = query.after.as_ref().and_then(Cursor::id);
        let before = query.before.as_ref().and_then(Cursor::id);
        let most = query.limit.saturating_add(1);
        let mut rows: Vec<(Uuid, &Row)> = match (before, after, back) {
            (Some(id), _, _) => table.rows_before(id).rev().filter(live).skip(query.offset).take(most).collect(),
            (None, Some(id), _) => table.rows_after(id).filter(live).skip(query.offset).take(most).collect(),
            (None, None, true) => table.rows().rev().filter(live).skip(query.offset).take(most).collect(),
            (None, None, false) => table.rows().filter(live).skip(query.offset).take(most).collect(),
        };
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        if back {
            rows.reverse();
        }
        (rows, table.live_count(), more)
    }

    fn page_by_order(&self, object: usize, query: &Query, back: bool) -> (Vec<(Uuid, &Row)>, usize, bool) {
        let mut rows = self.matching(object, query.condition.as_ref(), false);
        let total = rows.len();
        if !query.order.is_by_id() {
            rows.sort_by(|a, b| query.order.compare(self, *a, *b));
        }
        if let Some(cursor) = &query.after {
            rows.retain(|row| cursor.is_before(&query.order, self, *row, false));
        }
        if let Some(cursor) = &query.before {
            rows.retain(|row| cursor.is_before(&query.order, self, *row, true));
        }
        if back {
            rows.reverse();
        }
        let mut page: Vec<_> = rows.into_iter().skip(query.offset).take(query.limit.saturating_add(1)).collect();
        let more = page.len() > query.limit;
        page.truncate(query.limit);
        if back {
            page.reverse();
        }
        (page, total, more)
    }
}
