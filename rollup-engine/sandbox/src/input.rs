//! What a caller sends, turned into cells, or refused with the server's own words.
//!
//! It reads one record's values and nothing else: whether ids exist, whether values are unique and what is written
//! in the end is decided in `write`.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::cell::Cell;
use crate::dates;
use crate::schema::{Field, Object, Part, PartKind, Shape, Slot};
use crate::table::Actor;
use crate::workspace::Workspace;

/// A value that may be absent, or null
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

/// The values that a caller sent for one record
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) id: Given<Uuid>,
    pub(crate) created_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) deleted_at: Given<i64>,
    pub(crate) position: Option<f64>,
    pub(crate) created_by: Option<Arc<Actor>>,
    pub(crate) cells: Vec<(usize, Cell)>,
}

/// Reads one record's values.
pub(crate) fn read(workspace: &Workspace, object: &Object, body: &Value) -> Result<Draft, ApiError> {
    let mut draft = Draft::default();
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                read_member(workspace, object, name, value, &mut draft)?;
            }
        }
        Value::Array(items) if !items.is_empty() => return Err(unknown_field(object, "0")),
        _ => {}
    }
    Ok(draft)
}

/// The error of a name that the object does not have
pub(crate) fn unknown_field(object: &Object, name: &str) -> ApiError {
    ApiError::data(format!("Object {} doesn't have any \"{name}\" field.", object.singular))
}

fn read_member(
    workspace: &Workspace,
    object: &Object,
    name: &str,
    value: &Value,
    draft: &mut Draft,
) -> Result<(), ApiError> {
    if let Some(field) = object.joined_by(name) {
        return match field.single() {
            Some(part) => {
                store(draft, part.slot, coerce(field, part, name, value)?);
                Ok(())
            }
            None => Ok(()),
        };
    }
    let field = object.field(name).ok_or_else(|| unknown_field(object, name))?;
    match &field.shape {
        Shape::ManyToOne { target, .. } => {
            let Some(part) = field.single() else { return Ok(()) };
            if let Some(id) = connected(workspace, *target, field, value)? {
                store(draft, part.slot, id);
            }
            Ok(())
        }
        Shape::OneToMany { .. } => {
            Err(ApiError::data(format!("One-to-many relation \"{name}\" field does not support write operations.")))
        }
        Shape::Composite if field.kind == "ACTOR" => {
            if field.name == "createdBy" {
                draft.created_by = read_actor(value);
            }
            Ok(())
        }
        Shape::Composite => read_composite(field, value, draft),
        Shape::Plain => match field.single() {
            Some(part) => {
                store(draft, part.slot, coerce(field, part, name, value)?);
                Ok(())
            }
            None => Ok(()),
        },
    }
}

fn store(draft: &mut Draft, slot: Slot, cell: Cell) {
    match (slot, cell) {
        (Slot::Id, Cell::Id(id)) => draft.id = Given::Value(id),
        (Slot::Id, _) => draft.id = Given::Null,
        (Slot::CreatedAt, Cell::Time(time)) => draft.created_at = Some(time),
        (Slot::UpdatedAt, Cell::Time(time)) => draft.updated_at = Some(time),
        (Slot::DeletedAt, Cell::Time(time)) => draft.deleted_at = Given::Value(time),
        (Slot::DeletedAt, _) => draft.deleted_at = Given::Null,
        (Slot::Position, Cell::Number(position)) => draft.position = Some(position),
        (Slot::Cell(number), cell) => draft.cells.push((number, cell)),
        _ => {}
    }
}

/// A composite sent as null changes nothing; one sent in part changes the parts that were sent.
fn read_composite(field: &Field, value: &Value, draft: &mut Draft) -> Result<(), ApiError> {
    let members = match value {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        other => {
            return Err(ApiError::data(format!(
                "Invalid object value {} for field \"{}\"",
                inspect(other),
                field.name
            )));
        }
    };
    for (name, value) in members {
        let Some(part) = field.part(name) else {
            return Err(ApiError::data(format!(
                "Invalid subfield {name} for {} field \"{}\"",
                field.kind.to_lowercase().replace('_', " "),
                field.name
            )));
        };
        let path = format!("{}.{name}", field.name);
        let mut cell = coerce(field, part, &path, value)?;
        if field.kind == "EMAILS" {
            check_email(&path, &cell)?;
            cell = lower_cased(cell);
        }
        store(draft, part.slot, cell);
    }
    Ok(())
}

fn check_email(path: &str, cell: &Cell) -> Result<(), ApiError> {
    let Cell::Text(text) = cell else { return Ok(()) };
    let (local, domain) = text.split_once('@').unwrap_or_default();
    let is_address = !local.is_empty() && domain.contains('.') && !domain.contains('@') && !text.contains(' ');
    if is_address {
        Ok(())
    } else {
        Err(ApiError::data(format!("Invalid email address '{text}' for field \"{path}\"")))
    }
}

fn lower_cased(cell: Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::Text(text.to_lowercase().into()),
        Cell::Json(json) => {
            let lower = |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| text.to_lowercase().into());
            match json.as_array() {
                Some(items) => Cell::Json(Arc::new(items.iter().map(lower).collect())),
                None => Cell::Json(json),
            }
        }
        other => other,
    }
}

fn read_actor(value: &Value) -> Option<Arc<Actor>> {
    let members = value.as_object()?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    Some(Arc::new(Actor {
        source: text("source").unwrap_or("API").to_owned(),
        name: text("name").unwrap_or_default().to_owned(),
        workspace_member: text("workspaceMemberId").and_then(|id| id.parse().ok()),
        context: members.get("context").cloned().unwrap_or(Value::Null),
    }))
}

/// `{connect: {where: {…}}}` and `{disconnect: true}`; nothing where the relation is left as it is
fn connected(
    workspace: &Workspace,
    target: Option<usize>,
    field: &Field,
    value: &Value,
) -> Result<Option<Cell>, ApiError> {
    let refused = || ApiError::data(format!("Relation \"{}\" requires connect or disconnect operation", field.name));
    let Some(members) = value.as_object() else {
        return if value.is_null() { Ok(None) } else { Err(refused()) };
    };
    if members.get("disconnect") == Some(&Value::Bool(true)) {
        return Ok(Some(Cell::Null));
    }
    let wanted = members.get("connect").and_then(|connect| connect.get("where")).and_then(Value::as_object);
    let Some(wanted) = wanted else { return Err(refused()) };
    let found = target.and_then(|target| find_unique(workspace, target, wanted));
    found.map(|id| Some(Cell::Id(id))).ok_or_else(|| {
        ApiError::data(format!(
            "Expected 1 record to connect to {}, but found 0 for {}",
            field.name,
            Value::Object(wanted.clone())
        ))
    })
}

fn find_unique(workspace: &Workspace, target: usize, wanted: &Map<String, Value>) -> Option<Uuid> {
    let table = workspace.table(target)?;
    if let Some(id) = wanted.get("id") {
        let id = id.as_str()?.parse().ok()?;
        return table.live(id).map(|_| id);
    }
    workspace.schema.object(target)?.unique_cells().find_map(|(cell, field)| {
        let mut value = wanted.get(&field.name)?;
        if let Some(members) = value.as_object() {
            value = field
                .parts
                .iter()
                .find(|part| part.slot == Slot::Cell(cell))
                .and_then(|part| members.get(part.name))?;
        }
        let text = value.as_str()?;
        let text = if field.kind == "EMAILS" { text.to_lowercase() } else { text.to_owned() };
        table.holder(cell, &text)
    })
}

/// One value as the column keeps it.
pub(crate) fn coerce(field: &Field, part: &Part, path: &str, value: &Value) -> Result<Cell, ApiError> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let cell =
        match part.kind {
            PartKind::Text | PartKind::Code => text(path, value)?,
            PartKind::Micros => micros(path, value)?,
            PartKind::Number => number(path, value)?,
            PartKind::Bool => value.as_bool().map(Cell::Bool).ok_or_else(|| {
                ApiError::data(format!("Invalid boolean value {} for field \"{path}\"", inspect(value)))
            })?,
            PartKind::Id => Cell::Id(uuid(value).ok_or_else(|| {
                ApiError::data(format!("Invalid UUID value {} for field \"{path}\"", inspect(value)))
            })?),
            PartKind::Date => Cell::Date(value.as_str().and_then(dates::date).ok_or_else(|| {
                ApiError::data(format!(
                    "Invalid value {} for date field \"{path}\". Expected format: 'YYYY-MM-DD'",
                    inspect(value)
                ))
            })?),
            PartKind::Time => Cell::Time(value.as_str().and_then(dates::time).ok_or_else(|| {
                ApiError::data(format!(
                    "Invalid value {} for date-time field \"{path}\". Expected format: 'YYYY-MM-DDTHH:mm:ssZ'",
                    inspect(value)
                ))
            })?),
            PartKind::Choice => choice(field, value)?,
            PartKind::Choices => {
                let chosen =
                    texts(value).filter(|list| list.iter().all(|item| field.option_values().any(|o| o == &**item)));
                list(chosen.ok_or_else(|| {
                    ApiError::data(format!("Invalid value {} for multi select field \"{path}\"", inspect(value)))
                })?)
            }
            PartKind::Texts => list(texts(value).ok_or_else(|| {
                ApiError::data(format!("Invalid array value {} for field \"{path}\"", inspect(value)))
            })?),
            PartKind::JsonList => match value.as_array() {
                Some(items) if items.is_empty() => Cell::Null,
                _ => Cell::Json(Arc::new(value.clone())),
            },
            PartKind::Json => json(path, value)?,
        };
    Ok(cell)
}

/// A UUID of a valid version and variant
pub(crate) fn uuid(value: &Value) -> Option<Uuid> {
    let text = value.as_str().filter(|text| text.len() == 36)?;
    let id: Uuid = text.parse().ok()?;
    ((1..=8).contains(&id.get_version_num()) && id.get_variant() == uuid::Variant::RFC4122).then_some(id)
}

fn text(path: &str, value: &Value) -> Result<Cell, ApiError> {
    let Some(text) = value.as_str() else {
        return Err(ApiError::data(format!("Invalid string value {} for text field \"{path}\"", inspect(value))));
    };
    if text.contains('\0') {
        return Err(ApiError {
            status: 500,
            class: "InternalServerErrorException",
            ..ApiError::database("Data validation error.")
        });
    }
    Ok(Cell::text(text))
}

fn micros(path: &str, value: &Value) -> Result<Cell, ApiError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => Some(0.0),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()),
        _ => None,
    };
    number.map(Cell::Number).ok_or_else(|| ApiError::data(format!("Invalid number value NaN for field \"{path}\"")))
}

fn number(path: &str, value: &Value) -> Result<Cell, ApiError> {
    value
        .as_f64()
        .map(Cell::Number)
        .ok_or_else(|| ApiError::data(format!("Invalid number value {} for field \"{path}\"", inspect(value))))
}

fn choice(field: &Field, value: &Value) -> Result<Cell, ApiError> {
    match value.as_str() {
        Some(chosen) if field.option_values().any(|option| option == chosen) => Ok(Cell::Text(chosen.into())),
        _ => {
            let valid: Vec<&str> = field.option_values().collect();
            Err(ApiError::data(format!(
                "Invalid value {value} for field \"{}\". Valid values are: {}",
                field.name,
                valid.join(", ")
            )))
        }
    }
}

fn texts(value: &Value) -> Option<Vec<Arc<str>>> {
    value.as_array()?.iter().map(|item| item.as_str().map(Arc::from)).collect()
}

fn list(items: Vec<Arc<str>>) -> Cell {
    if items.is_empty() { Cell::Null } else { Cell::List(items.into()) }
}

fn json(path: &str, value: &Value) -> Result<Cell, ApiError> {
    let parsed = match value {
        Value::Object(_) | Value::Array(_) => Some(value.clone()),
        Value::String(text) => {
            serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array())
        }
        _ => None,
    };
    parsed
        .map(|value| Cell::Json(Arc::new(value)))
        .ok_or_else(|| ApiError::data(format!("Invalid object value {} for field \"{path}\"", inspect(value))))
}

/// A value as Node prints it inside an error text
pub(crate) fn inspect(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\'') => format!("\"{text}\""),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => format!("[ {} ]", items.iter().map(inspect).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let inner: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", inspect(value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
        other => other.to_string(),
    }
}
