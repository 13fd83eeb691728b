//! Changes of records: create, upsert, update, delete, destroy, restore.
//!
//! Here stand the constraints of the database (ids, unique values, foreign keys) and what is atomic: a batch of
//! creates is, an upsert is not.

use std::sync::Arc;

use uuid::Uuid;

use crate::api_error::ApiError;
use crate::cell::Cell;
use crate::event::{Operation, emit};
use crate::input::{Draft, Given};
use crate::schema::{Object, PartKind};
use crate::table::{Actor, Row, Table};
use crate::workspace::Workspace;

/// Who writes, and when
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) actor: Arc<Actor>,
    pub(crate) now: i64,
}

/// Most records that one call may write
pub(crate) const MAX_BATCH_RECORDS: usize = 200;

impl Workspace {
    /// Creates all records, or none.
    pub(crate) fn create(&mut self, object: usize, drafts: Vec<Draft>, author: &Author) -> Result<Vec<Uuid>, ApiError> {
        let mut made = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match self.insert(object, draft, author) {
                Ok(id) => made.push(id),
                Err(error) => {
                    if let Some(table) = self.table_mut(object) {
                        for id in made {
                            table.remove(id);
                        }
                    }
                    return Err(error);
                }
            }
        }
        for id in &made {
            let row = self.table(object).and_then(|table| table.get(*id)).cloned();
            emit(self, object, Operation::Created, *id, None, row.as_ref(), author.now);
        }
        Ok(made)
    }

    fn insert(&mut self, object: usize, draft: Draft, author: &Author) -> Result<Uuid, ApiError> {
        let id = match draft.id {
            Given::Value(id) => id,
            Given::Null => {
                let table = self.schema.object(object).map(Object::table).unwrap_or_default();
                return Err(ApiError::database(format!(
                    "null value in column \"id\" of relation \"{table}\" violates not-null constraint"
                )));
            }
            Given::Absent => self.new_id(),
        };
        let position = match draft.position {
            Some(position) => position,
            None => self.table_mut(object).and_then(Table::lowest_position).map_or(1.0, |lowest| lowest - 1.0),
        };
        let mut row = Row {
            created_at: draft.created_at.unwrap_or(author.now),
            updated_at: draft.updated_at.unwrap_or(author.now),
            deleted_at: draft.deleted_at.value(),
            position,
            created_by: draft.created_by.unwrap_or_else(|| author.actor.clone()),
            updated_by: author.actor.clone(),
            cells: self.default_cells(object),
        };
        for (number, cell) in draft.cells {
            row.set(number, cell);
        }
        if self.table(object).is_some_and(|table| table.get(id).is_some()) {
            return Err(ApiError::duplicate(None));
        }
        self.check(object, id, &row)?;
        if let Some(table) = self.table_mut(object) {
            table.put(id, row);
        }
        Ok(id)
    }

    fn default_cells(&self, object: usize) -> Vec<Cell> {
        let Some(object) = self.schema.object(object) else { return Vec::new() };
        let mut cells = vec![Cell::Null; object.width];
        for field in object.fields.iter().filter(|field| !field.default_value.is_null()) {
            for part in &field.parts {
                let value =
                    if part.name.is_empty() { Some(&field.default_value) } else { field.default_value.get(part.name) };
                let (Some(value), crate::schema::Slot::Cell(number)) = (value, part.slot) else { continue };
                let cell = match (value, part.kind) {
                    (serde_json::Value::String(text), PartKind::Text | PartKind::Code | PartKind::Choice) => {
                        Cell::text(text.trim_matches('\''))
                    }
                    (value, _) => crate::input::coerce(field, part, &field.name, value).unwrap_or_default(),
                };
                if let Some(place) = cells.get_mut(number) {
                    *place = cell;
                }
            }
        }
        cells
    }

    /// Gives the default of a field that was just made to the rows that exist already.
    pub(crate) fn fill_default(&mut self, object: usize, name: &str) {
        let defaults = self.default_cells(object);
        let Some(field) = self.schema.object(object).and_then(|object| object.field(name)) else { return };
        if field.default_value.is_null() {
            return;
        }
        let cells: Vec<usize> = field
            .parts
            .iter()
            .filter_map(|part| if let crate::schema::Slot::Cell(cell) = part.slot { Some(cell) } else { None })
            .collect();
        let Some(table) = self.table_mut(object) else { return };
        let ids: Vec<Uuid> = table.rows().map(|(id, _)| id).collect();
        for id in ids {
            if let Some(mut row) = table.get(id).cloned() {
                for cell in &cells {
                    row.set(*cell, defaults.get(*cell).cloned().unwrap_or_default());
                }
                table.put(id, row);
            }
        }
    }

    fn duplicate(&self, object: usize, holder: Uuid) -> ApiError {
        ApiError::duplicate(self.schema.object(object).map(|object| (holder, object.singular.as_str())))
    }

    /// Unique values and foreign keys of a row that is about to be put
    fn check(&self, object: usize, id: Uuid, row: &Row) -> Result<(), ApiError> {
        let (Some(definition), Some(table)) = (self.schema.object(object), self.table(object)) else { return Ok(()) };
        for (cell, _) in definition.unique_cells() {
            let holder = row.cell(cell).unique_key().and_then(|key| table.holder(cell, &key));
            if let Some(holder) = holder.filter(|holder| *holder != id) {
                return Err(self.duplicate(object, holder));
            }
        }
        for (cell, target, field) in definition.links() {
            let Some(other) = row.link(cell) else { continue };
            let known = (target == object && other == id) || self.table(target).is_some_and(|t| t.get(other).is_some());
            if !known {
                return Err(ApiError::database(format!(
                    "insert or update on table \"{}\" violates foreign key constraint \"FK_{}\"",
                    definition.table(),
                    field.id.simple()
                )));
            }
        }
        Ok(())
    }

    /// Changes one record by its id, also one in the trash.
    pub(crate) fn update(
        &mut self,
        object: usize,
        id: Uuid,
        draft: &Draft,
        author: &Author,
        operation: Operation,
    ) -> Result<Uuid, ApiError> {
        let old = self.table(object).and_then(|table| table.get(id)).cloned().ok_or_else(ApiError::not_found)?;
        let new_id = draft.id.value().unwrap_or(id);
        if new_id != id && self.table(object).is_some_and(|table| table.get(new_id).is_some()) {
            return Err(ApiError::duplicate(None));
        }
        let mut row = old.clone();
        row.created_at = draft.created_at.unwrap_or(row.created_at);
        row.updated_at = draft.updated_at.unwrap_or(author.now);
        row.position = draft.position.unwrap_or(row.position);
        row.updated_by = author.actor.clone();
        match draft.deleted_at {
            Given::Value(time) => row.deleted_at = Some(time),
            Given::Null => row.deleted_at = None,
            // An upsert revives what is in the trash.
            Given::Absent if operation == Operation::Upserted => row.deleted_at = None,
            Given::Absent => {}
        }
        for (number, cell) in &draft.cells {
            row.set(*number, cell.clone());
        }
        self.check(object, id, &row)?;
        if let Some(table) = self.table_mut(object) {
            if new_id != id {
                table.remove(id);
            }
            table.put(new_id, row.clone());
        }
        emit(self, object, operation, new_id, Some(&old), Some(&row), author.now);
        Ok(new_id)
    }

    /// Writes each record under its id or a unique value, or creates it. Updates come first, one by one; what was
    /// written before a error stays written.
    pub(crate) fn upsert(&mut self, object: usize, drafts: Vec<Draft>, author: &Author) -> Result<Vec<Uuid>, ApiError> {
        let mut updates = Vec::new();
        let mut creates = Vec::new();
        for draft in drafts {
            match self.match_existing(object, &draft)? {
                Some(id) => updates.push((id, draft)),
                None => creates.push(draft),
            }
        }
        let mut written = Vec::with_capacity(updates.len() + creates.len());
        for (id, mut draft) in updates {
            draft.id = Given::Absent;
            draft.created_by = None;
            self.update(object, id, &draft, author, Operation::Upserted)?;
            if !written.contains(&id) {
                written.push(id);
            }
        }
        written.extend(self.create(object, creates, author)?);
        Ok(written)
    }

    /// The record that an upsert's row means
    fn match_existing(&self, object: usize, draft: &Draft) -> Result<Option<Uuid>, ApiError> {
        let (Some(definition), Some(table)) = (self.schema.object(object), self.table(object)) else { return Ok(None) };
        let mut found: Vec<(String, Uuid)> = Vec::new();
        if let Given::Value(id) = draft.id
            && table.get(id).is_some()
        {
            found.push((id.to_string(), id));
        }
        for (cell, _) in definition.unique_cells() {
            let key =
                draft.cells.iter().rev().find(|(number, _)| *number == cell).and_then(|(_, value)| value.unique_key());
            if let Some((key, id)) = key.and_then(|key| table.holder(cell, &key).map(|id| (key, id))) {
                found.push((key.to_string(), id));
            }
        }
        let mut ids: Vec<Uuid> = found.iter().map(|(_, id)| *id).collect();
        ids.dedup();
        match ids.as_slice() {
            [] => Ok(None),
            [id] => Ok(Some(*id)),
            _ => {
                let values: Vec<&str> = found.iter().map(|(value, _)| value.as_str()).collect();
                let message = format!(
                    "Multiple records found with the same unique field values for {}. Cannot determine which record to update.",
                    values.join(", ")
                );
                let sub_code = Some("UPSERT_MULTIPLE_MATCHING_RECORDS_CONFLICT");
                Err(ApiError { sub_code, ..ApiError::bad(message) })
            }
        }
    }

    /// Moves records to the trash, also those that are there already.
    pub(crate) fn soft_delete(&mut self, object: usize, ids: &[Uuid], author: &Author) {
        self.set_deleted(object, ids, Some(author.now), Operation::Deleted, author);
    }

    /// Takes records out of the trash.
    pub(crate) fn restore(&mut self, object: usize, ids: &[Uuid], author: &Author) {
        self.set_deleted(object, ids, None, Operation::Restored, author);
    }

    fn set_deleted(&mut self, object: usize, ids: &[Uuid], at: Option<i64>, operation: Operation, author: &Author) {
        for id in ids {
            let Some(old) = self.table(object).and_then(|table| table.get(*id)).cloned() else { continue };
            let row = Row { deleted_at: at, updated_at: author.now, ..old.clone() };
            if let Some(table) = self.table_mut(object) {
                table.put(*id, row.clone());
            }
            emit(self, object, operation, *id, Some(&old), Some(&row), author.now);
        }
    }

    /// Destroys one record. Its children lose their parent, without an event and without a new `updatedAt`.
    pub(crate) fn destroy(&mut self, object: usize, id: Uuid, tell: bool, now: i64) -> bool {
        let Some(row) = self.table_mut(object).and_then(|table| table.remove(id)) else { return false };
        for child in 0..self.schema.objects.len() {
            let cells: Vec<usize> = self
                .schema
                .object(child)
                .map(|definition| {
                    definition.links().filter(|(_, target, _)| *target == object).map(|link| link.0).collect()
                })
                .unwrap_or_default();
            for cell in cells {
                self.relink(child, cell, id, &Cell::Null, None);
            }
        }
        if tell {
            emit(self, object, Operation::Destroyed, id, Some(&row), None, now);
        }
        true
    }

    /// Points all children of `parent` elsewhere, in silence.
    pub(crate) fn relink(&mut self, child: usize, cell: usize, parent: Uuid, to: &Cell, updated_at: Option<i64>) {
        let Some(table) = self.table_mut(child) else { return };
        let ids: Vec<Uuid> = table.linked(cell, parent).collect();
        for id in ids {
            if let Some(mut row) = table.get(id).cloned() {
                row.set(cell, to.clone());
                row.updated_at = updated_at.unwrap_or(row.updated_at);
                table.put(id, row);
            }
        }
    }
}
