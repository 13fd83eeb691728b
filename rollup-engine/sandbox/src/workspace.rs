//! One workspace: its schema, its records, and what leaves it (events and webhook calls).

use uuid::{Builder, Uuid};

use crate::event_log::EventLog;
use crate::profile::Profile;
use crate::schema::{Field, Object, Schema, Shape};
use crate::table::Table;
use crate::webhook::{Delivery, Hook};

/// One workspace
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) id: Uuid,
    pub(crate) profile: Profile,
    /// Whether metadata calls answer with bare objects
    pub(crate) direct: bool,
    pub(crate) schema: Schema,
    tables: Vec<Table>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) events: EventLog,
    pub(crate) outbox: Vec<Delivery>,
    rng: fastrand::Rng,
}

impl Workspace {
    /// A workspace without objects
    pub(crate) fn new(profile: Profile, direct: bool, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            id: random_id(&mut rng),
            profile,
            direct,
            schema: Schema::default(),
            tables: Vec::new(),
            hooks: Vec::new(),
            events: EventLog::default(),
            outbox: Vec::new(),
            rng,
        }
    }

    /// A made-up id
    pub(crate) fn new_id(&mut self) -> Uuid {
        random_id(&mut self.rng)
    }

    /// Made-up bytes as hex digits
    pub(crate) fn new_hex(&mut self, bytes: usize) -> String {
        let bytes: Vec<u8> = std::iter::repeat_with(|| self.rng.u8(..)).take(bytes).collect();
        hex::encode(bytes)
    }

    pub(crate) fn table(&self, object: usize) -> Option<&Table> {
        self.tables.get(object)
    }

    pub(crate) fn table_mut(&mut self, object: usize) -> Option<&mut Table> {
        self.tables.get_mut(object)
    }

    /// Adds an object; its number
    pub(crate) fn add_object(&mut self, object: Object) -> usize {
        self.schema.objects.push(object);
        self.tables.push(Table::default());
        self.schema.objects.len() - 1
    }

    /// Adds a field whose columns are placed already, and begins to index it where that is needed.
    pub(crate) fn add_field(&mut self, object: usize, field: Field) {
        let link = matches!(field.shape, Shape::ManyToOne { .. });
        let cell = |field: &Field| match field.parts.first().map(|part| part.slot) {
            Some(crate::schema::Slot::Cell(cell)) => Some(cell),
            _ => None,
        };
        if let (true, Some(cell), Some(table)) = (link, cell(&field), self.tables.get_mut(object)) {
            table.index_links(cell);
        }
        let is_unique = field.is_unique;
        if let Some(target) = self.schema.objects.get_mut(object) {
            target.fields.push(field);
        }
        if is_unique {
            let cells: Vec<usize> = self
                .schema
                .object(object)
                .map(|object| object.unique_cells().map(|(cell, _)| cell).collect())
                .unwrap_or_default();
            if let (Some(cell), Some(table)) = (cells.last(), self.tables.get_mut(object)) {
                table.index_unique(*cell);
            }
        }
    }

    /// Removes an object with its records, and the relations that point to it.
    pub(crate) fn drop_object(&mut self, number: usize) {
        if let Some(table) = self.tables.get_mut(number) {
            *table = Table::default();
        }
        if let Some(object) = self.schema.objects.get_mut(number) {
            object.is_gone = true;
        }
        for at in 0..self.schema.objects.len() {
            let points_there = |field: &Field| match &field.shape {
                Shape::ManyToOne { target, .. } | Shape::OneToMany { target, .. } => *target == Some(number),
                _ => false,
            };
            let gone: Vec<String> = self
                .schema
                .object(at)
                .map(|object| object.fields.iter().filter(|f| points_there(f)).map(|f| f.name.clone()).collect())
                .unwrap_or_default();
            for name in gone {
                self.drop_field(at, &name);
            }
        }
    }

    /// Removes a field; its cells stay behind, unread.
    pub(crate) fn drop_field(&mut self, object: usize, name: &str) -> Option<Field> {
        let target = self.schema.objects.get_mut(object)?;
        let at = target.fields.iter().position(|field| field.name == name)?;
        let field = target.fields.remove(at);
        if let Some(table) = self.tables.get_mut(object) {
            for part in &field.parts {
                if let crate::schema::Slot::Cell(cell) = part.slot {
                    table.drop_indexes(cell);
                }
            }
        }
        Some(field)
    }
}

fn random_id(rng: &mut fastrand::Rng) -> Uuid {
    Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}
