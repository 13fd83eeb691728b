//! Records without HTTP, tokens and limits: for tests that set a scene, and for oracles that look at everything.
//!
//! Changes made here cause the same events and webhook calls as those made over the API, and the same refusals.

use ports::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::event::Operation;
use crate::input;
use crate::names::pascal;
use crate::render;
use crate::standard::{self, FieldPlan};
use crate::state::Sandbox;
use crate::tokens::system_actor;
use crate::write::Author;

/// A refused change, in the server's words
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DirectError(String);

impl From<ApiError> for DirectError {
    fn from(error: ApiError) -> Self {
        Self(error.message)
    }
}

impl Sandbox {
    fn object(&self, name: &str) -> Result<usize, DirectError> {
        let schema = &self.main.schema;
        let number = schema.by_singular(name).or_else(|| schema.by_plural(name));
        number.ok_or_else(|| DirectError(format!("object `{name}` not found")))
    }

    /// Creates a record from the body that the API takes; its id
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::Timestamp;
    /// use sandbox::Sandbox;
    /// use serde_json::json;
    ///
    /// let mut sandbox = Sandbox::with_gift_schema();
    /// let id = sandbox.create("gift", &json!({ "giftDate": "2026-03-05" }), Timestamp::from_millis(0)).unwrap();
    /// assert_eq!(sandbox.record("gift", id).unwrap()["giftDate"], "2026-03-05");
    /// ```
    ///
    /// # Errors
    ///
    /// What the API would refuse, and an unknown object.
    pub fn create(&mut self, object: &str, body: &Value, now: Timestamp) -> Result<Uuid, DirectError> {
        let number = self.object(object)?;
        let draft = self.draft(number, body)?;
        let ids = self.main.create(number, vec![draft], &author(now))?;
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// Changes a record as `PATCH` does, also one in the trash.
    ///
    /// # Errors
    ///
    /// What the API would refuse, and an unknown object or record.
    pub fn patch(&mut self, object: &str, id: Uuid, body: &Value, now: Timestamp) -> Result<(), DirectError> {
        let number = self.object(object)?;
        let draft = self.draft(number, body)?;
        self.main.update(number, id, &draft, &author(now), Operation::Updated)?;
        Ok(())
    }

    /// Moves a record to the trash.
    ///
    /// # Errors
    ///
    /// An unknown object or record.
    pub fn soft_delete(&mut self, object: &str, id: Uuid, now: Timestamp) -> Result<(), DirectError> {
        let number = self.with_record(object, id)?;
        self.main.soft_delete(number, &[id], &author(now));
        Ok(())
    }

    /// Takes a record out of the trash.
    ///
    /// # Errors
    ///
    /// An unknown object or record.
    pub fn restore(&mut self, object: &str, id: Uuid, now: Timestamp) -> Result<(), DirectError> {
        let number = self.with_record(object, id)?;
        self.main.restore(number, &[id], &author(now));
        Ok(())
    }

    /// Destroys a record; its children lose their parent without an event.
    ///
    /// # Errors
    ///
    /// An unknown object or record.
    pub fn destroy(&mut self, object: &str, id: Uuid, now: Timestamp) -> Result<(), DirectError> {
        let number = self.with_record(object, id)?;
        self.main.destroy(number, id, true, now.as_millis());
        Ok(())
    }

    fn with_record(&self, object: &str, id: Uuid) -> Result<usize, DirectError> {
        let number = self.object(object)?;
        let is_known = self.main.table(number).is_some_and(|table| table.get(id).is_some());
        if is_known { Ok(number) } else { Err(DirectError(format!("{object} `{id}` not found"))) }
    }

    fn draft(&self, number: usize, body: &Value) -> Result<input::Draft, DirectError> {
        let object = self.main.schema.object(number).ok_or_else(|| DirectError("object not found".to_owned()))?;
        Ok(input::read(&self.main, object, body)?)
    }

    /// A record as `GET` shows it at depth 0, also one in the trash
    #[must_use]
    pub fn record(&self, object: &str, id: Uuid) -> Option<Value> {
        let number = self.object(object).ok()?;
        let row = self.main.table(number)?.get(id)?;
        Some(render::to_value(&self.main, self.main.schema.object(number)?, (id, row)))
    }

    /// All records, by id, those in the trash included (their `deletedAt` tells them apart)
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<Value> {
        let Ok(number) = self.object(object) else { return Vec::new() };
        let (Some(definition), Some(table)) = (self.main.schema.object(number), self.main.table(number)) else {
            return Vec::new();
        };
        table.rows().map(|row| render::to_value(&self.main, definition, row)).collect()
    }

    /// Ids of all records, by id, those in the trash included
    #[must_use]
    pub fn ids(&self, object: &str) -> Vec<Uuid> {
        let number = self.object(object).ok();
        let table = number.and_then(|number| self.main.table(number));
        table.map(|table| table.rows().map(|(id, _)| id).collect()).unwrap_or_default()
    }

    /// Number of records that are not in the trash
    #[must_use]
    pub fn count(&self, object: &str) -> usize {
        let number = self.object(object).ok();
        number.and_then(|number| self.main.table(number)).map_or(0, crate::table::Table::live_count)
    }

    /// Adds a custom object with the fields that each one has.
    ///
    /// # Errors
    ///
    /// A name that is taken.
    pub fn add_object(&mut self, singular: &str, plural: &str) -> Result<(), DirectError> {
        if self.object(singular).is_ok() || self.object(plural).is_ok() {
            return Err(DirectError(format!("object `{singular}`: the name is taken")));
        }
        let labels = [singular, plural].map(pascal);
        standard::custom_object(&mut self.main, [singular, plural, &labels[0], &labels[1]]);
        Ok(())
    }

    /// Adds a field of a type as the metadata API names it. `options` are the values of a `SELECT` or `MULTI_SELECT`.
    ///
    /// # Errors
    ///
    /// An unknown object or type, or a name that is taken.
    pub fn add_field(&mut self, object: &str, kind: &str, name: &str, options: &[&str]) -> Result<(), DirectError> {
        let number = self.without_field(object, name)?;
        let options: Vec<Value> = options
            .iter()
            .enumerate()
            .map(|(position, value)| json!({"value": value, "label": value, "position": position, "color": "green"}))
            .collect();
        let label = pascal(name);
        let plan = FieldPlan {
            options: if options.is_empty() { Value::Null } else { json!(options) },
            ..FieldPlan::new(kind, name, &label)
        };
        standard::plain_field(&mut self.main, number, &plan)
            .ok_or_else(|| DirectError(format!("field `{name}`: unknown type `{kind}`")))
    }

    /// Adds a many-to-one relation `name` (with the column `<name>Id`), and the list `inverse` on the other side.
    ///
    /// # Examples
    ///
    /// ```
    /// use sandbox::Sandbox;
    ///
    /// let mut sandbox = Sandbox::default();
    /// sandbox.add_object("household", "households").unwrap();
    /// sandbox.add_relation("person", "household", "household", "members").unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// An unknown object, or a name that is taken.
    pub fn add_relation(&mut self, object: &str, name: &str, target: &str, inverse: &str) -> Result<(), DirectError> {
        let number = self.without_field(object, name)?;
        let target = self.without_field(target, inverse)?;
        let labels = [name, inverse].map(pascal);
        standard::relation(&mut self.main, number, (name, &labels[0]), target, (inverse, &labels[1]), true)
            .ok_or_else(|| DirectError(format!("relation `{name}`: could not be made")))
    }

    /// The object's number, if it has no field of that name
    fn without_field(&self, object: &str, name: &str) -> Result<usize, DirectError> {
        let number = self.object(object)?;
        if self.main.schema.object(number).is_some_and(|object| object.field(name).is_some()) {
            return Err(DirectError(format!("field `{name}` of {object}: the name is taken")));
        }
        Ok(number)
    }
}

pub(crate) fn author(now: Timestamp) -> Author {
    Author { actor: system_actor(), now: now.as_millis() }
}
