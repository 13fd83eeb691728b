//! Records as JSON text, written straight into the answer.

use std::fmt::Write as _;

use serde_json::Value;
use uuid::Uuid;

use crate::cell::{View, write_number, write_text};
use crate::schema::{Field, Object, Part, PartKind, Shape, Slot};
use crate::table::Row;
use crate::workspace::Workspace;

/// Most records of a one-to-many list that come along with a record
pub(crate) const MAX_NESTED_RECORDS: usize = 60;

/// Writes a whole record; `depth` 1 adds the records it is related to.
pub(crate) fn record(
    workspace: &Workspace,
    object: &Object,
    (id, row): (Uuid, &Row),
    depth: u8,
    only: Option<&[String]>,
    out: &mut String,
) {
    out.push('{');
    let mut first = true;
    for field in object.fields.iter().filter(|field| field.is_active) {
        let join = match &field.shape {
            Shape::ManyToOne { join, .. } => Some(join),
            _ => None,
        };
        if let Some(only) = only {
            let wanted = |name: &String| *name == field.name || join == Some(name);
            if field.name != "id" && !only.iter().any(wanted) {
                continue;
            }
        }
        match &field.shape {
            Shape::Plain | Shape::Composite => {
                comma(&mut first, out);
                key(&field.name, out);
                value(object, field, id, row, out);
            }
            Shape::ManyToOne { target, join } => {
                comma(&mut first, out);
                let parent = if depth == 0 { None } else { live_target(workspace, field, *target, row) };
                key(join, out);
                match (depth, field.single(), parent) {
                    (0, Some(part), _) => row.view(id, part.slot).write_json(out),
                    (_, _, Some((parent, _))) => View::Id(parent).write_json(out),
                    _ => out.push_str("null"),
                }
                if depth > 0 {
                    out.push(',');
                    key(&field.name, out);
                    match (target.and_then(|target| workspace.schema.object(target)), parent) {
                        (Some(target), Some(parent)) => record(workspace, target, parent, depth - 1, None, out),
                        _ => out.push_str("null"),
                    }
                }
            }
            Shape::OneToMany { target, slot } => {
                if depth > 0 {
                    comma(&mut first, out);
                    key(&field.name, out);
                    nested_list(workspace, (*target, *slot), id, depth - 1, out);
                }
            }
        }
    }
    out.push('}');
}

fn comma(first: &mut bool, out: &mut String) {
    if !std::mem::take(first) {
        out.push(',');
    }
}

/// `"name":`
pub(crate) fn key(name: &str, out: &mut String) {
    write_text(name, out);
    out.push(':');
}

/// The record that a relation points to, unless it is in the trash
pub(crate) fn live_target<'a>(
    workspace: &'a Workspace,
    field: &Field,
    target: Option<usize>,
    row: &Row,
) -> Option<(Uuid, &'a Row)> {
    let Slot::Cell(cell) = field.single()?.slot else { return None };
    let id = row.link(cell)?;
    Some((id, workspace.table(target?)?.live(id)?))
}

/// Live records whose relation is this one, by id, at most [`MAX_NESTED_RECORDS`]
pub(crate) fn children(
    workspace: &Workspace,
    (target, slot): (Option<usize>, usize),
    parent: Uuid,
) -> Vec<(Uuid, &Row)> {
    let Some(table) = target.and_then(|target| workspace.table(target)) else { return Vec::new() };
    table.linked(slot, parent).filter_map(|id| Some((id, table.live(id)?))).take(MAX_NESTED_RECORDS).collect()
}

fn nested_list(workspace: &Workspace, place: (Option<usize>, usize), parent: Uuid, depth: u8, out: &mut String) {
    out.push('[');
    if let Some(object) = place.0.and_then(|target| workspace.schema.object(target)) {
        for (at, child) in children(workspace, place, parent).into_iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            record(workspace, object, child, depth, None, out);
        }
    }
    out.push(']');
}

/// Writes the value of a field that is not a relation.
pub(crate) fn value(object: &Object, field: &Field, id: Uuid, row: &Row, out: &mut String) {
    if field.shape == Shape::Composite {
        out.push('{');
        for (at, part) in field.parts.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            key(part.name, out);
            part_value(part, id, row, out);
        }
        out.push('}');
    } else if let Some(part) = field.parts.first() {
        if part.slot == Slot::Search {
            search_vector(object, id, row, out);
        } else {
            part_value(part, id, row, out);
        }
    }
}

/// Writes one column, as it reads.
pub(crate) fn part_value(part: &Part, id: Uuid, row: &Row, out: &mut String) {
    match (row.view(id, part.slot), part.kind) {
        (View::Null, PartKind::Text) => out.push_str("\"\""),
        (View::Null, PartKind::Choices | PartKind::Texts | PartKind::JsonList) => out.push_str("[]"),
        (View::Number(number), PartKind::Micros) => write_number(number.trunc(), out),
        (view, _) => view.write_json(out),
    }
}

/// The words of the record's name, sorted, with their places
fn search_vector(object: &Object, id: Uuid, row: &Row, out: &mut String) {
    let mut words: Vec<(String, usize)> = Vec::new();
    for part in object.field("name").into_iter().flat_map(|field| &field.parts) {
        if let View::Text(text) = row.view(id, part.slot) {
            for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
                words.push((word.to_lowercase(), words.len() + 1));
            }
        }
    }
    words.sort();
    let mut text = String::new();
    for (word, place) in words {
        let _ = write!(text, "{}'{word}':{place}", if text.is_empty() { "" } else { " " });
    }
    write_text(&text, out);
}

/// A whole record as a value, for events and for tests
pub(crate) fn to_value(workspace: &Workspace, object: &Object, record_: (Uuid, &Row)) -> Value {
    let mut out = String::new();
    record(workspace, object, record_, 0, None, &mut out);
    serde_json::from_str(&out).unwrap_or(Value::Null)
}
