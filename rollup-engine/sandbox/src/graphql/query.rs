//! The reading root fields: connections, single records, groups, duplicates.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::document::Selection;
use super::select;
use crate::aggregate::{Aggregate, Tally};
use crate::api_error::ApiError;
use crate::duplicates;
use crate::filter::{self, Condition, Dialect};
use crate::group;
use crate::list::Query;
use crate::order::Order;
use crate::render;
use crate::rest;
use crate::schema::{Object, Shape};
use crate::workspace::Workspace;

/// Rows where `first` is not given
const DEFAULT_ROWS: usize = 200;
/// Records that a group shows, and what asking for them may cost
const RECORDS_PER_GROUP: usize = 10;
const MAX_COMPLEXITY: usize = 2_000;

/// What a reading root field means
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    Many,
    One,
    GroupBy,
    Duplicates,
}

/// The object and the meaning of a reading root field
pub(crate) fn find(workspace: &Workspace, name: &str) -> Option<(usize, Reading)> {
    workspace.schema.objects.iter().enumerate().filter(|(_, object)| !object.is_gone).find_map(|(number, object)| {
        let meaning = if name == object.plural {
            Reading::Many
        } else if name == object.singular {
            Reading::One
        } else if name.strip_suffix("GroupBy") == Some(&object.plural) {
            Reading::GroupBy
        } else if name.strip_suffix("Duplicates") == Some(&object.singular) {
            Reading::Duplicates
        } else {
            return None;
        };
        Some((number, meaning))
    })
}

/// The `filter` argument, checked
pub(crate) fn condition(
    workspace: &Workspace,
    object: &Object,
    arguments: &Map<String, Value>,
) -> Result<Option<Condition>, ApiError> {
    match arguments.get("filter") {
        None | Some(Value::Null) => Ok(None),
        Some(filter) => filter::compile(workspace, object, filter, Dialect::GraphQl).map(Some),
    }
}

/// Refuses arguments that the field does not have.
pub(crate) fn check_arguments(root: &Selection, known: &[&str]) -> Result<(), ApiError> {
    match root.arguments.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(ApiError {
            sub_code: Some("INVALID_QUERY_INPUT"),
            ..ApiError::bad(format!("Argument not allowed: {name}"))
        }),
        None => Ok(()),
    }
}

/// Answers one reading root field.
pub(crate) fn run(
    workspace: &Workspace,
    (number, reading): (usize, Reading),
    root: &Selection,
    out: &mut String,
) -> Result<(), ApiError> {
    let object = workspace.schema.object(number).ok_or_else(|| ApiError::bad("object not found"))?;
    match reading {
        Reading::Many => connection(workspace, number, object, root, out),
        Reading::One => {
            check_arguments(root, &["filter"])?;
            select::check(workspace, object, root, false)?;
            let condition = condition(workspace, object, &root.arguments)?;
            let rows = workspace.matching(number, condition.as_ref(), false);
            let row = rows.first().ok_or_else(ApiError::not_found)?;
            select::record(workspace, object, *row, root, out);
            Ok(())
        }
        Reading::GroupBy => groups(workspace, number, object, root, out),
        Reading::Duplicates => {
            check_arguments(root, &["ids", "data"])?;
            let body = Value::Object(root.arguments.clone());
            let node = root.child("edges").and_then(|edges| edges.child("node"));
            let selected = |field: &str, part: &str| {
                let field = node.and_then(|node| node.child(field));
                field.is_some_and(|field| part.is_empty() || field.child(part).is_some())
            };
            let found = duplicates::find_by(workspace, number, &body, &selected)?;
            out.push('[');
            for (at, ids) in found.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                duplicate_list(workspace, number, object, ids, root, out);
            }
            out.push(']');
            Ok(())
        }
    }
}

fn duplicate_list(
    workspace: &Workspace,
    number: usize,
    object: &Object,
    ids: &[Uuid],
    root: &Selection,
    out: &mut String,
) {
    let rows: Vec<_> = ids.iter().filter_map(|id| Some((*id, workspace.table(number)?.get(*id)?))).collect();
    out.push('{');
    for (at, child) in root.below.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        render::key(&child.name, out);
        match child.name.as_str() {
            "totalCount" => out.push_str(&rows.len().to_string()),
            "edges" => {
                out.push('[');
                for (at, row) in rows.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    select::edge(workspace, object, *row, child, &Order::default(), out);
                }
                out.push(']');
            }
            "pageInfo" => {
                let cursors: Vec<String> = rows.iter().map(|(id, row)| Order::default().cursor(*id, row)).collect();
                let info = json!({
                    "hasNextPage": false,
                    "hasPreviousPage": false,
                    "startCursor": cursors.first(),
                    "endCursor": cursors.last(),
                });
                select::members(&info, child, out);
            }
            _ => out.push_str("null"),
        }
    }
    out.push('}');
}

fn whole(arguments: &Map<String, Value>, name: &str) -> Result<Option<usize>, ApiError> {
    let (label, code) = match name {
        "first" => ("First", "INVALID_ARGS_FIRST"),
        "last" => ("Last", "INVALID_ARGS_LAST"),
        _ => ("Offset", "INVALID_ARGS_OFFSET"),
    };
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok()).ok_or_else(|| ApiError {
                sub_code: Some(code),
                ..ApiError::bad(format!("{label} argument must be non-negative"))
            })?;
            Ok(Some(number))
        }
    }
}

fn read_query(workspace: &Workspace, number: usize, object: &Object, root: &Selection) -> Result<Query, ApiError> {
    check_arguments(root, &["filter", "orderBy", "first", "last", "before", "after", "offset"])?;
    let arguments = &root.arguments;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let (first, last) = (whole(arguments, "first")?, whole(arguments, "last")?);
    let (after, before) = (text("after"), text("before"));
    let clash = |a: bool, b: bool, names: &str| {
        if a && b { Err(ApiError::bad(format!("Cannot provide both {names}"))) } else { Ok(()) }
    };
    clash(first.is_some(), last.is_some(), "first and last")?;
    clash(before.is_some(), after.is_some(), "before and after")?;
    clash(before.is_some(), first.is_some(), "before and first")?;
    clash(after.is_some(), last.is_some(), "after and last")?;
    let condition = condition(workspace, object, arguments)?;
    let order = arguments.get("orderBy").filter(|order| !order.is_null()).cloned().unwrap_or_else(|| json!([]));
    let limit = first.or(last).unwrap_or(DEFAULT_ROWS);
    let mut query = rest::query(workspace, number, condition, &order, limit, (after, before))?;
    query.offset = whole(arguments, "offset")?.unwrap_or(0);
    query.from_end = last.is_some();
    Ok(query)
}

fn connection(
    workspace: &Workspace,
    number: usize,
    object: &Object,
    root: &Selection,
    out: &mut String,
) -> Result<(), ApiError> {
    let edges = root.child("edges");
    let node = edges.and_then(|edges| edges.child("node"));
    if edges.is_some() && node.is_none() {
        return Err(ApiError::database("Cannot read properties of undefined (reading 'id')"));
    }
    if let Some(node) = node {
        select::check(workspace, object, node, false)?;
    }
    let mut query = read_query(workspace, number, object, root)?;
    // NOTE: on GraphQL a cursor is made from what was selected, so an order by an unselected field is not in it.
    query.order.keep_in_cursor(|field, part| {
        let field = node.and_then(|node| node.child(field));
        field.is_some_and(|field| part.is_empty() || field.child(part).is_some())
    });
    let page = workspace.page(number, &query);
    let is_aggregate = |child: &&Selection| !matches!(child.name.as_str(), "edges" | "pageInfo" | "totalCount");
    let aggregates: Vec<Aggregate> =
        root.below.iter().filter(is_aggregate).filter_map(|child| Aggregate::named(object, &child.name)).collect();
    let mut tallies: Vec<Tally<'_>> = aggregates.iter().map(Tally::new).collect();
    if !tallies.is_empty() {
        for (id, row) in workspace.matching(number, query.condition.as_ref(), false) {
            for tally in &mut tallies {
                tally.add(id, row);
            }
        }
    }
    out.push('{');
    for (at, child) in root.below.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        render::key(&child.name, out);
        match child.name.as_str() {
            "totalCount" => out.push_str(&page.total.to_string()),
            "pageInfo" => {
                let info = json!({
                    "hasNextPage": page.has_next,
                    "hasPreviousPage": page.has_previous,
                    "startCursor": page.first,
                    "endCursor": page.last,
                });
                select::members(&info, child, out);
            }
            "edges" => {
                out.push('[');
                for (at, row) in page.rows.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    select::edge(workspace, object, *row, child, &query.order, out);
                }
                out.push(']');
            }
            name => match aggregates.iter().position(|aggregate| aggregate.name == name) {
                Some(at) => {
                    if let Some(tally) = tallies.get(at) {
                        tally.total().write_graphql(out);
                    }
                }
                None => out.push_str("null"),
            },
        }
    }
    out.push('}');
    Ok(())
}

/// Records in groups cost one for each group, and one more for each relation.
fn check_complexity(object: &Object, node: &Selection, limit: usize) -> Result<(), ApiError> {
    let relation = |child: &&Selection| {
        object
            .field(&child.name)
            .is_some_and(|field| matches!(field.shape, Shape::ManyToOne { .. } | Shape::OneToMany { .. }))
    };
    let complexity = 1 + (1 + node.below.iter().filter(relation).count()) * limit;
    if complexity <= MAX_COMPLEXITY {
        return Ok(());
    }
    Err(ApiError {
        sub_code: Some("TOO_COMPLEX_QUERY"),
        ..ApiError::bad(format!(
            "Query complexity is too high. Please, reduce the amount of relation fields requested. Query complexity: {complexity}. Maximum complexity: {MAX_COMPLEXITY}."
        ))
    })
}

fn groups(
    workspace: &Workspace,
    number: usize,
    object: &Object,
    root: &Selection,
    out: &mut String,
) -> Result<(), ApiError> {
    check_arguments(root, &["groupBy", "filter", "orderBy", "limit", "viewId", "omitNullValues"])?;
    let condition = condition(workspace, object, &root.arguments)?;
    let names: Vec<String> = root
        .below
        .iter()
        .map(|child| child.name.clone())
        .filter(|name| name != "groupByDimensionValues" && Aggregate::named(object, name).is_some())
        .collect();
    let mut request = group::Request::from_graphql(&root.arguments, names);
    if let Some(node) = root.child("edges").and_then(|edges| edges.child("node")) {
        select::check(workspace, object, node, false)?;
        check_complexity(object, node, request.limit)?;
        request.records = RECORDS_PER_GROUP;
    }
    let groups = group::run(workspace, number, condition.as_ref(), &request)?;
    out.push('[');
    for (at, group) in groups.groups.iter().enumerate() {
        out.push_str(if at > 0 { ",{" } else { "{" });
        for (at, child) in root.below.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            render::key(&child.name, out);
            if child.name == "groupByDimensionValues" {
                out.push('[');
                out.push_str(&group.values.join(","));
                out.push(']');
                continue;
            }
            if child.name == "edges" {
                let rows = group.ids.iter().filter_map(|id| Some((*id, workspace.table(number)?.get(*id)?)));
                out.push('[');
                for (at, row) in rows.enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    select::edge(workspace, object, row, child, &Order::default(), out);
                }
                out.push(']');
                continue;
            }
            let place = groups.names.iter().position(|name| *name == child.name);
            match place.and_then(|place| group.totals.get(place)) {
                Some(total) => total.write_graphql(out),
                None => out.push_str("null"),
            }
        }
        out.push('}');
    }
    out.push(']');
    Ok(())
}
