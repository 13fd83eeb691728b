//! Records written as a selection asks for them.
//!
//! A name that does not exist reads null. A relation to a record in the trash reads null, and then the id beside it too.

use serde_json::Value;
use uuid::Uuid;

use super::document::Selection;
use crate::api_error::ApiError;
use crate::cell::View;
use crate::names::pascal;
use crate::render;
use crate::schema::{Field, Object, Shape};
use crate::table::Row;
use crate::workspace::Workspace;

/// Refuses a list inside a list.
pub(crate) fn check(workspace: &Workspace, object: &Object, node: &Selection, in_list: bool) -> Result<(), ApiError> {
    for child in &node.below {
        let Some(field) = object.field(&child.name) else { continue };
        match &field.shape {
            Shape::OneToMany { target, .. } => {
                if in_list {
                    return Err(ApiError {
                        sub_code: Some("TOO_COMPLEX_QUERY"),
                        ..ApiError::bad(
                            "Query complexity is too high. One-to-Many relation cannot be nested in another One-to-Many relation.",
                        )
                    });
                }
                let inner = child.child("edges").and_then(|edges| edges.child("node"));
                if let (Some(target), Some(inner)) = (target.and_then(|t| workspace.schema.object(t)), inner) {
                    check(workspace, target, inner, true)?;
                }
            }
            Shape::ManyToOne { target, .. } => {
                if let Some(target) = target.and_then(|target| workspace.schema.object(target)) {
                    check(workspace, target, child, in_list)?;
                }
            }
            Shape::Plain | Shape::Composite => {}
        }
    }
    Ok(())
}

/// Writes one record.
pub(crate) fn record(
    workspace: &Workspace,
    object: &Object,
    (id, row): (Uuid, &Row),
    node: &Selection,
    out: &mut String,
) {
    out.push('{');
    for (at, child) in node.below.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        render::key(&child.name, out);
        if child.name == "__typename" {
            render::key(&pascal(&object.singular), out);
            out.pop();
        } else if let Some(field) = object.joined_by(&child.name) {
            join(workspace, field, (id, row), node, out);
        } else if let Some(field) = object.field(&child.name).filter(|field| field.is_active) {
            value(workspace, object, field, (id, row), child, out);
        } else {
            out.push_str("null");
        }
    }
    out.push('}');
}

/// The id of a relation
fn join(workspace: &Workspace, field: &Field, (id, row): (Uuid, &Row), node: &Selection, out: &mut String) {
    let view = field.single().map_or(View::Null, |part| row.view(id, part.slot));
    let target = match field.shape {
        Shape::ManyToOne { target, .. } => target,
        _ => None,
    };
    let is_gone = node.child(&field.name).is_some() && render::live_target(workspace, field, target, row).is_none();
    if is_gone { out.push_str("null") } else { view.write_json(out) }
}

fn value(
    workspace: &Workspace,
    object: &Object,
    field: &Field,
    (id, row): (Uuid, &Row),
    child: &Selection,
    out: &mut String,
) {
    match &field.shape {
        Shape::Composite if !child.below.is_empty() => {
            out.push('{');
            for (at, sub) in child.below.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                render::key(&sub.name, out);
                match field.part(&sub.name) {
                    Some(part) => render::part_value(part, id, row, out),
                    None => out.push_str("null"),
                }
            }
            out.push('}');
        }
        Shape::Plain | Shape::Composite => render::value(object, field, id, row, out),
        Shape::ManyToOne { target, .. } => {
            let target_object = target.and_then(|target| workspace.schema.object(target));
            match (target_object, render::live_target(workspace, field, *target, row)) {
                (Some(target), Some(parent)) => record(workspace, target, parent, child, out),
                _ => out.push_str("null"),
            }
        }
        Shape::OneToMany { target, slot } => {
            let children = render::children(workspace, (*target, *slot), id);
            nested(workspace, *target, &children, child, out);
        }
    }
}

/// A list below a record: `totalCount` counts what is shown
fn nested(
    workspace: &Workspace,
    target: Option<usize>,
    children: &[(Uuid, &Row)],
    selection: &Selection,
    out: &mut String,
) {
    out.push('{');
    for (at, child) in selection.below.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        render::key(&child.name, out);
        match (child.name.as_str(), target.and_then(|target| workspace.schema.object(target))) {
            ("totalCount", _) => out.push_str(&children.len().to_string()),
            ("edges", Some(object)) => {
                out.push('[');
                for (at, row) in children.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    edge(workspace, object, *row, child, &crate::order::Order::default(), out);
                }
                out.push(']');
            }
            ("edges", None) => out.push_str("[]"),
            ("pageInfo", _) => {
                let cursor = |row: Option<&(Uuid, &Row)>| {
                    row.map_or(Value::Null, |(id, row)| crate::order::Order::default().cursor(*id, row).into())
                };
                let info = serde_json::json!({
                    "hasNextPage": false,
                    "hasPreviousPage": false,
                    "startCursor": cursor(children.first()),
                    "endCursor": cursor(children.last()),
                });
                members(&info, child, out);
            }
            _ => out.push_str("null"),
        }
    }
    out.push('}');
}

/// One member of `edges`
pub(crate) fn edge(
    workspace: &Workspace,
    object: &Object,
    row: (Uuid, &Row),
    edges: &Selection,
    order: &crate::order::Order,
    out: &mut String,
) {
    out.push('{');
    for (at, child) in edges.below.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        render::key(&child.name, out);
        match child.name.as_str() {
            "node" => record(workspace, object, row, child, out),
            "cursor" => {
                render::key(&order.cursor(row.0, row.1), out);
                out.pop();
            }
            _ => out.push_str("null"),
        }
    }
    out.push('}');
}

/// Some members of an object
pub(crate) fn members(value: &Value, selection: &Selection, out: &mut String) {
    out.push('{');
    for (at, child) in selection.below.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        render::key(&child.name, out);
        out.push_str(&value.get(&child.name).unwrap_or(&Value::Null).to_string());
    }
    out.push('}');
}
