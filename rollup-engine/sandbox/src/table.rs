//! The rows of one object, ordered by id, with indexes on relation ids and unique values.
//!
//! It enforces nothing: whether a value may be written is decided before (`write`). Rows in the trash stay in place
//! and are counted apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::cell::{Cell, View};
use crate::schema::{ActorPart, Slot};

/// Who wrote a record
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Actor {
    pub(crate) source: String,
    pub(crate) workspace_member: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) context: Value,
}

/// One record
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) position: f64,
    pub(crate) created_by: Arc<Actor>,
    pub(crate) updated_by: Arc<Actor>,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    /// The cell of that number; null where the column is younger than the row
    pub(crate) fn cell(&self, number: usize) -> &Cell {
        self.cells.get(number).unwrap_or(&Cell::Null)
    }

    pub(crate) fn set(&mut self, number: usize, value: Cell) {
        if self.cells.len() <= number {
            self.cells.resize(number + 1, Cell::Null);
        }
        if let Some(cell) = self.cells.get_mut(number) {
            *cell = value;
        }
    }

    /// The id in a relation's cell
    pub(crate) fn link(&self, number: usize) -> Option<Uuid> {
        match self.cell(number) {
            Cell::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The value in that place
    pub(crate) fn view(&self, id: Uuid, slot: Slot) -> View<'_> {
        match slot {
            Slot::Id => View::Id(id),
            Slot::CreatedAt => View::Time(self.created_at),
            Slot::UpdatedAt => View::Time(self.updated_at),
            Slot::DeletedAt => self.deleted_at.map_or(View::Null, View::Time),
            Slot::Position => View::Number(self.position),
            Slot::Search => View::Null,
            Slot::CreatedBy(part) => actor_part(&self.created_by, part),
            Slot::UpdatedBy(part) => actor_part(&self.updated_by, part),
            Slot::Cell(number) => self.cell(number).view(),
        }
    }
}

fn actor_part(actor: &Actor, part: ActorPart) -> View<'_> {
    match part {
        ActorPart::Source => View::Text(&actor.source),
        ActorPart::WorkspaceMember => actor.workspace_member.map_or(View::Null, View::Id),
        ActorPart::Name => View::Text(&actor.name),
        ActorPart::Context if actor.context.is_null() => View::Null,
        ActorPart::Context => View::Json(&actor.context),
    }
}

/// All records of one object
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<Uuid, Row>,
    trash: BTreeSet<Uuid>,
    /// For each relation's cell: (other record, this record)
    links: BTreeMap<usize, BTreeSet<(Uuid, Uuid)>>,
    /// For each unique cell: value to record
    unique: BTreeMap<usize, HashMap<Arc<str>, Uuid>>,
    /// The lowest position of the rows that are not in the trash; nothing if it has to be looked for again
    lowest: Option<f64>,
}

impl Table {
    pub(crate) fn get(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// The record, if it is not in the trash
    pub(crate) fn live(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(&id).filter(|row| row.deleted_at.is_none())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn live_count(&self) -> usize {
        self.rows.len() - self.trash.len()
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = (Uuid, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// Rows with an id above that one
    pub(crate) fn rows_after(&self, id: Uuid) -> impl DoubleEndedIterator<Item = (Uuid, &Row)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.rows.range((Excluded(id), Unbounded)).map(|(id, row)| (*id, row))
    }

    /// Rows with an id below that one
    pub(crate) fn rows_before(&self, id: Uuid) -> impl DoubleEndedIterator<Item = (Uuid, &Row)> {
        self.rows.range(..id).map(|(id, row)| (*id, row))
    }

    /// Ids in the trash
    pub(crate) fn trash(&self) -> impl Iterator<Item = Uuid> {
        self.trash.iter().copied()
    }

    /// Records whose relation in that cell is `other`, by id
    pub(crate) fn linked(&self, cell: usize, other: Uuid) -> impl Iterator<Item = Uuid> {
        self.links
            .get(&cell)
            .into_iter()
            .flat_map(move |links| links.range((other, Uuid::nil())..=(other, Uuid::max())))
            .map(|(_, id)| *id)
    }

    /// The record that has this value in a unique cell
    pub(crate) fn holder(&self, cell: usize, key: &str) -> Option<Uuid> {
        self.unique.get(&cell)?.get(key).copied()
    }

    /// The lowest position of the rows that are not in the trash
    pub(crate) fn lowest_position(&mut self) -> Option<f64> {
        if self.lowest.is_none() {
            let live = self.rows.values().filter(|row| row.deleted_at.is_none());
            self.lowest = live.map(|row| row.position).reduce(f64::min);
        }
        self.lowest
    }

    /// Begins to index a relation's cell.
    pub(crate) fn index_links(&mut self, cell: usize) {
        let links = self.rows.iter().filter_map(|(id, row)| Some((row.link(cell)?, *id))).collect();
        self.links.insert(cell, links);
    }

    /// Begins to index a unique cell.
    pub(crate) fn index_unique(&mut self, cell: usize) {
        let keys = self.rows.iter().filter_map(|(id, row)| Some((row.cell(cell).unique_key()?, *id))).collect();
        self.unique.insert(cell, keys);
    }

    /// Stops indexing a cell.
    pub(crate) fn drop_indexes(&mut self, cell: usize) {
        self.links.remove(&cell);
        self.unique.remove(&cell);
    }

    /// Puts a record in, in place of the one with that id.
    pub(crate) fn put(&mut self, id: Uuid, row: Row) {
        let lowest = self.lowest;
        let stays = |old: Row| old.position.total_cmp(&row.position).is_eq() && old.deleted_at.is_none();
        if self.remove(id).is_some_and(stays) && row.deleted_at.is_none() {
            self.lowest = lowest;
        }
        for (cell, links) in &mut self.links {
            if let Some(other) = row.link(*cell) {
                links.insert((other, id));
            }
        }
        for (cell, keys) in &mut self.unique {
            if let Some(key) = row.cell(*cell).unique_key() {
                keys.insert(key, id);
            }
        }
        if row.deleted_at.is_some() {
            self.trash.insert(id);
        } else if self.live_count() == 0 {
            self.lowest = Some(row.position);
        } else if let Some(lowest) = self.lowest {
            self.lowest = Some(lowest.min(row.position));
        }
        self.rows.insert(id, row);
    }

    /// Takes a record out.
    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Row> {
        let row = self.rows.remove(&id)?;
        for (cell, links) in &mut self.links {
            if let Some(other) = row.link(*cell) {
                links.remove(&(other, id));
            }
        }
        for (cell, keys) in &mut self.unique {
            if let Some(key) = row.cell(*cell).unique_key() {
                keys.remove(&key);
            }
        }
        self.trash.remove(&id);
        if row.deleted_at.is_none() && self.lowest.is_some_and(|lowest| row.position <= lowest) {
            self.lowest = None;
        }
        Some(row)
    }
}
