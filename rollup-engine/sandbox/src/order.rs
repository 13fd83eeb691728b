//! Sort orders, and the cursors that go with them.
//!
//! A cursor holds the sort values of a row and its id, compared by value. Two faults of the real server are kept: once a
//! cursor's value is null nothing lies beyond it, and relation ids are left out of cursors.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::cell::{Cell, View};
use crate::input;
use crate::render;
use crate::schema::{Field, Object, Part, PartKind, Shape};
use crate::table::Row;
use crate::workspace::Workspace;

/// Directions of the API
pub(crate) const DIRECTIONS: [&str; 4] = ["AscNullsFirst", "AscNullsLast", "DescNullsFirst", "DescNullsLast"];

/// Direction of one sort key
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direction {
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

impl Direction {
    pub(crate) fn read(text: &str) -> Option<Self> {
        DIRECTIONS
            .contains(&text)
            .then(|| Self { descending: text.starts_with("Desc"), nulls_first: text.ends_with("First") })
    }

    /// Order of two values
    pub(crate) fn order(self, a: View<'_>, b: View<'_>) -> Ordering {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_first => Ordering::Less,
            (false, true) if !self.nulls_first => Ordering::Less,
            (true, false) | (false, true) => Ordering::Greater,
            (false, false) => {
                let order = a.order(b).unwrap_or(Ordering::Equal);
                if self.descending { order.reverse() } else { order }
            }
        }
    }
}

/// One sort key
#[derive(Clone, Debug)]
pub(crate) struct Key {
    field: Field,
    part: Part,
    /// Field of the related record, if the path goes through a relation
    through: Option<(Option<usize>, Part)>,
    direction: Direction,
    /// Whether cursors that are made leave the value out
    unselected: bool,
}

impl Key {
    /// Whether the value can stand in a cursor
    fn in_cursor(&self) -> bool {
        self.through.is_none() && !matches!(self.field.shape, Shape::ManyToOne { .. })
    }

    fn view<'a>(&self, workspace: &'a Workspace, id: Uuid, row: &'a Row) -> View<'a> {
        match &self.through {
            None => row.view(id, self.part.slot),
            Some((target, part)) => match render::live_target(workspace, &self.field, *target, row) {
                Some((id, row)) => row.view(id, part.slot),
                None => View::Null,
            },
        }
    }
}

/// A whole sort order; the id comes last, always ascending
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    keys: Vec<Key>,
}

impl Order {
    /// Checks a list of `{field: direction}`.
    pub(crate) fn compile(workspace: &Workspace, object: &Object, list: &Value) -> Result<Self, ApiError> {
        let one = [list.clone()];
        let items = list.as_array().map_or(&one[..], Vec::as_slice);
        let mut keys = Vec::new();
        for item in items {
            for (name, value) in item.as_object().into_iter().flatten() {
                if name != "id" {
                    keys.append(&mut keys_of(workspace, object, name, value)?);
                }
            }
        }
        Ok(Self { keys })
    }

    /// Whether rows come simply by id
    pub(crate) fn is_by_id(&self) -> bool {
        self.keys.is_empty()
    }

    /// Leaves values out of the cursors to be made, unless `selected` has their field and part.
    pub(crate) fn keep_in_cursor(&mut self, selected: impl Fn(&str, &str) -> bool) {
        for key in &mut self.keys {
            key.unselected = !selected(&key.field.name, key.part.name);
        }
    }

    /// Order of two rows
    pub(crate) fn compare(&self, workspace: &Workspace, a: (Uuid, &Row), b: (Uuid, &Row)) -> Ordering {
        for key in &self.keys {
            let order = key.direction.order(key.view(workspace, a.0, a.1), key.view(workspace, b.0, b.1));
            if order.is_ne() {
                return order;
            }
        }
        a.0.cmp(&b.0)
    }

    /// The cursor of a row
    pub(crate) fn cursor(&self, id: Uuid, row: &Row) -> String {
        let mut out = String::from("{");
        let keys: Vec<&Key> = self.keys.iter().filter(|key| key.in_cursor() && !key.unselected).collect();
        for (at, key) in keys.iter().enumerate() {
            let of_the_field = |other: &&&Key| other.field.name == key.field.name;
            if keys.iter().take(at).any(|other| of_the_field(&other)) {
                continue;
            }
            render::key(&key.field.name, &mut out);
            if key.part.name.is_empty() {
                render::part_value(&key.part, id, row, &mut out);
            } else {
                // All sub-fields of a composite stand in one object.
                for (number, key) in keys.iter().filter(of_the_field).enumerate() {
                    out.push(if number == 0 { '{' } else { ',' });
                    render::key(key.part.name, &mut out);
                    render::part_value(&key.part, id, row, &mut out);
                }
                out.push('}');
            }
            out.push(',');
        }
        render::key("id", &mut out);
        View::Id(id).write_json(&mut out);
        out.push('}');
        STANDARD.encode(out)
    }
}

/// The sort keys that a name stands for: several where a composite is sorted by several of its sub-fields, of which the
/// first in the alphabet counts first (the server: the first that was sent)
fn keys_of(workspace: &Workspace, object: &Object, name: &str, value: &Value) -> Result<Vec<Key>, ApiError> {
    let unknown = || ApiError::coded("FIELD_NOT_FOUND", format!("Field \"{name}\" does not exist or is not sortable"));
    let field = object.joined_by(name).or_else(|| object.field(name)).ok_or_else(unknown)?;
    let members = || value.as_object().filter(|members| !members.is_empty());
    let key = |part: &Part, direction: &Value| {
        let direction = direction.as_str().and_then(Direction::read).ok_or_else(unknown)?;
        Ok(Key { field: field.clone(), part: part.clone(), through: None, direction, unselected: false })
    };
    match &field.shape {
        Shape::OneToMany { .. } => Err(unknown()),
        Shape::ManyToOne { target, .. } if field.name == name => {
            let target_object = target.and_then(|target| workspace.schema.object(target)).ok_or_else(unknown)?;
            let part = field.single().ok_or_else(unknown)?;
            let mut keys = Vec::new();
            for (inner, value) in members().ok_or_else(unknown)? {
                for inner in keys_of(workspace, target_object, inner, value)? {
                    let through = Some((*target, inner.part));
                    keys.push(Key { field: field.clone(), part: part.clone(), through, ..inner });
                }
            }
            Ok(keys)
        }
        Shape::Composite => {
            let members = members().ok_or_else(|| {
                ApiError::coded(
                    "INVALID_QUERY_INPUT",
                    format!(
                        "Composite field \"{name}\" requires subfield ordering (e.g., {{ {name}: {{ subFieldName: 'AscNullsFirst' }} }})"
                    ),
                )
            })?;
            members.iter().map(|(sub, direction)| key(field.part(sub).ok_or_else(unknown)?, direction)).collect()
        }
        _ => Ok(vec![key(field.single().ok_or_else(unknown)?, value)?]),
    }
}

/// A decoded cursor, ready to be compared with rows
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// Values of the order's keys; nothing for a key that the cursor lacks
    values: Vec<Option<Cell>>,
    id: Option<Uuid>,
}

impl Cursor {
    /// Decodes a cursor for that order; other keys in it are left aside.
    pub(crate) fn read(order: &Order, text: &str) -> Result<Self, ApiError> {
        let invalid =
            || ApiError { sub_code: Some("INVALID_CURSOR"), ..ApiError::bad(format!("Invalid cursor: {text}")) };
        let bytes = STANDARD.decode(text).map_err(|_| invalid())?;
        let members: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let mut values = Vec::with_capacity(order.keys.len());
        for key in &order.keys {
            let mut value = members.get(&key.field.name).filter(|_| key.in_cursor());
            if !key.part.name.is_empty() {
                value = value.and_then(|value| value.get(key.part.name));
            }
            let cell = match value {
                // An empty text is compared as such, though it is stored as null.
                Some(Value::String(text)) if matches!(key.part.kind, PartKind::Text | PartKind::Code) => {
                    Some(Cell::Text(text.as_str().into()))
                }
                Some(value) => Some(input::coerce(&key.field, &key.part, &key.field.name, value)?),
                None => None,
            };
            values.push(cell);
        }
        let id = match members.get("id") {
            Some(id) => Some(id.as_str().and_then(|id| id.parse().ok()).ok_or_else(invalid)?),
            None => None,
        };
        Ok(Self { values, id })
    }

    /// The id, where nothing else counts
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// Whether the row lies beyond the cursor, in the order or (`back`) against it
    pub(crate) fn is_before(&self, order: &Order, workspace: &Workspace, (id, row): (Uuid, &Row), back: bool) -> bool {
        for (key, value) in order.keys.iter().zip(&self.values) {
            let Some(value) = value else { continue };
            let view = key.view(workspace, id, row);
            if let Some(ordering) = view.order(value.view()) {
                let forward = if key.direction.descending { ordering.is_lt() } else { ordering.is_gt() };
                if ordering.is_ne() {
                    return forward != back;
                }
            } else {
                // Null is neither equal nor beyond, but for the empty text, which is asked for as null.
                let is_empty = matches!(value, Cell::Text(text) if text.is_empty());
                if !(is_empty && view.is_null()) {
                    return false;
                }
            }
        }
        match self.id {
            Some(cursor) if back => id < cursor,
            Some(cursor) => id > cursor,
            None => true,
        }
    }
}

/// Nests a dotted path with its direction: `amount.amountMicros[DescNullsLast]`
pub(crate) fn read_rest(text: &str) -> Result<Value, ApiError> {
    let mut items = Vec::new();
    for item in text.split(',').filter(|item| !item.is_empty()) {
        let (path, direction) = match item.split_once('[') {
            Some((path, rest)) => (path, rest.strip_suffix(']').unwrap_or(rest)),
            None => (item, "AscNullsFirst"),
        };
        if Direction::read(direction).is_none() {
            let names: Vec<String> = DIRECTIONS.iter().map(|name| format!("'{name}'")).collect();
            return Err(ApiError::bad(format!(
                "'order_by' direction '{direction}' invalid. Allowed values are {}. eg: ?order_by=field_1[AscNullsFirst],field_2[DescNullsLast],field_3",
                names.join(", ")
            )));
        }
        let leaf = Value::from(direction);
        items.push(
            path.split('.').rev().fold(leaf, |inner, name| Value::Object(Map::from_iter([(name.to_owned(), inner)]))),
        );
    }
    Ok(Value::Array(items))
}
