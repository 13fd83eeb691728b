//! Stored totals that were wrong: how many, which, and some of them to look at.

use ports::{Event, Level};
use serde_json::{Map, Value as Json};
use twenty::page::Record as Row;
use twenty::value::Value;

use super::outcome::Outcome;
use crate::compiled::Column;
use crate::ids::SourceId;
use crate::report::{Example, MAX_EXAMPLES};
use crate::total::Total;

impl Outcome<'_> {
    /// Notes a stored total that is not the computed one; in a dry run it is told in the log as well.
    pub(super) fn record_difference(&self, source: SourceId, row: &Row, column: &Column, computed: &Total) {
        if self.verifying.get() {
            return;
        }
        let (object, field) = (self.compiled.name(source), &column.aggregation.parent_field);
        if self.options.dry {
            self.client.host().log(
                Event::new(Level::Info, "difference_found")
                    .with("object", object)
                    .with("id", row.id.to_string())
                    .with("field", field.as_str())
                    .with("stored", stored(column, row))
                    .with("computed", computed.to_json().unwrap_or_default()),
            );
        }
        let mut record = self.record.borrow_mut();
        let drift = &mut record.drift;
        drift.values += 1;
        let name = format!("{object}.{field}");
        let count = drift.fields.get(&name).and_then(Json::as_u64).unwrap_or(0) + 1;
        drift.fields.insert(name, count.into());
        if drift.examples.len() < MAX_EXAMPLES {
            drift.examples.push(Example {
                parent_object: object.to_owned(),
                id: row.id,
                field: field.clone(),
                stored: stored(column, row),
                computed: computed.to_json().unwrap_or_default(),
            });
        }
    }
}

/// The stored total of a parent as Twenty shows it
pub(super) fn stored(column: &Column, row: &Row) -> Json {
    let amount = plain(row.value(column.stored));
    if column.stored_code.is_none() {
        return amount;
    }
    let code = column.code_in(row);
    // A field that holds no object at all has the same to show for both of its parts.
    if matches!(row.value(column.stored), Value::Unreadable(_)) && row.value(column.stored) == code {
        return amount;
    }
    let mut money = Map::new();
    money.insert("amountMicros".to_owned(), amount);
    money.insert("currencyCode".to_owned(), plain(code));
    Json::Object(money)
}

/// A value as JSON; null for what has none, and what is no scalar as it was written
pub(super) fn plain(value: &Value) -> Json {
    match value {
        Value::Number(number) => number.to_json(),
        Value::Text(text) => (&**text).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Unreadable(json) => {
            serde_json::from_slice(json.as_bytes()).unwrap_or_else(|_| Json::String((**json).to_owned()))
        }
        Value::Missing | Value::Null | Value::Unknown => Json::Null,
    }
}
