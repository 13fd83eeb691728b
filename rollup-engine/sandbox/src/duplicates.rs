//! Finding duplicates, and merging records.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::cell::{Cell, View};
use crate::event::{Operation, emit};
use crate::input;
use crate::schema::{Field, Object, PartKind, Slot};
use crate::table::Row;
use crate::workspace::Workspace;
use crate::write::Author;

/// Most records that one merge takes
const MAX_MERGED_RECORDS: usize = 9;
/// Shorter values are not compared
const MIN_LENGTH: usize = 3;

/// The record itself, if it is there, and the values that its duplicates have
type Wanted = (Option<Uuid>, Vec<(Slot, Cell)>);

/// Sets of columns that make two records duplicates, if all of a set are equal
fn criteria(object: &Object) -> &'static [&'static [(&'static str, &'static str)]] {
    match object.singular.as_str() {
        "person" => &[
            &[("name", "firstName"), ("name", "lastName")],
            &[("linkedinLink", "primaryLinkUrl")],
            &[("emails", "primaryEmail")],
        ],
        "company" => &[&[("name", "")], &[("domainName", "primaryLinkUrl")]],
        _ => &[],
    }
}

/// Duplicates of the records named by `ids`, or of those described by `data`
pub(crate) fn find(workspace: &Workspace, number: usize, body: &Value) -> Result<Vec<Vec<Uuid>>, ApiError> {
    find_by(workspace, number, body, &|_, _| true)
}

/// The same, comparing only columns that `compared` lets through
pub(crate) fn find_by(
    workspace: &Workspace,
    number: usize,
    body: &Value,
    compared: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<Vec<Uuid>>, ApiError> {
    let (Some(object), Some(table)) = (workspace.schema.object(number), workspace.table(number)) else {
        return Ok(Vec::new());
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    match (body.get("ids").and_then(Value::as_array), body.get("data").and_then(Value::as_array)) {
        (Some(ids), _) => {
            for id in ids {
                let id = input::uuid(id).ok_or_else(|| {
                    ApiError::data(format!("Invalid UUID value {} for field \"id\"", input::inspect(id)))
                })?;
                if let Some(row) = table.live(id) {
                    let slots = slots(object);
                    wanted.push((Some(id), slots.map(|slot| (slot, row.view(id, slot).to_cell())).collect()));
                }
            }
        }
        (None, Some(data)) => {
            for item in data {
                let draft = input::read(workspace, object, item)?;
                let cells = draft.cells.into_iter().map(|(number, cell)| (Slot::Cell(number), cell));
                wanted.push((None, cells.collect()));
            }
        }
        (None, None) => return Err(ApiError::bad("You have to provide either \"data\" or \"ids\" argument")),
    }
    let search = |(own, values): &Wanted| -> Vec<Uuid> {
        let sets = sets(object, values, compared);
        table
            .rows()
            .filter(|(id, row)| Some(*id) != *own && row.deleted_at.is_none())
            .filter(|(id, row)| {
                sets.iter()
                    .any(|set| set.iter().all(|(slot, cell)| row.view(*id, *slot).same(cell.view()) == Some(true)))
            })
            .map(|(id, _)| id)
            .collect()
    };
    Ok(wanted.iter().map(search).collect())
}

fn slots(object: &Object) -> impl Iterator<Item = Slot> {
    let columns = criteria(object).iter().copied().flatten();
    columns.filter_map(|(field, part)| Some(object.field(field)?.part(part)?.slot))
}

/// The sets that can be compared: every value there, and long enough
fn sets(object: &Object, values: &[(Slot, Cell)], compared: &dyn Fn(&str, &str) -> bool) -> Vec<Vec<(Slot, Cell)>> {
    let value = |(field, part): &(&str, &str)| {
        let slot = object.field(field)?.part(part)?.slot;
        let (_, cell) = values.iter().find(|(known, _)| *known == slot)?;
        let long = matches!(cell, Cell::Text(text) if text.chars().count() >= MIN_LENGTH);
        (long && compared(field, part)).then(|| (slot, cell.clone()))
    };
    criteria(object).iter().filter_map(|set| set.iter().map(value).collect::<Option<Vec<_>>>()).collect()
}

/// Merges records into the one that has priority; that one, as it is afterwards
pub(crate) fn merge(
    workspace: &mut Workspace,
    number: usize,
    body: &Value,
    author: &Author,
) -> Result<(Uuid, Row), ApiError> {
    let ids = body.get("ids").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ids: Vec<Uuid> = ids.iter().filter_map(input::uuid).collect();
    if ids.len() < 2 {
        return Err(ApiError::bad("At least 2 record IDs are required for merge"));
    }
    if ids.len() > MAX_MERGED_RECORDS {
        return Err(ApiError::bad(format!("Maximum {MAX_MERGED_RECORDS} records can be merged at once")));
    }
    let priority = body.get("conflictPriorityIndex").and_then(Value::as_u64).unwrap_or(0);
    let priority = usize::try_from(priority).ok().and_then(|at| ids.get(at)).copied();
    let id = priority.ok_or_else(|| ApiError::bad("Invalid conflict priority index"))?;
    let Some(table) = workspace.table(number) else { return Err(ApiError::not_found()) };
    let rows = ids.iter().map(|id| table.live(*id).cloned().map(|row| (*id, row))).collect::<Option<Vec<_>>>();
    let rows = rows.ok_or_else(ApiError::not_found)?;
    let Some(old) = table.live(id).cloned() else { return Err(ApiError::not_found()) };
    let others: Vec<(Uuid, Row)> = rows.into_iter().filter(|(other, _)| *other != id).collect();
    let object = workspace.schema.object(number).cloned().ok_or_else(ApiError::not_found)?;
    let mut merged = merged_row(&object, &old, &others);
    merged.updated_at = author.now;
    merged.updated_by = author.actor.clone();
    if body.get("dryRun") == Some(&Value::Bool(true)) {
        return Ok((id, merged));
    }
    let links: Vec<(usize, usize)> = (0..workspace.schema.objects.len())
        .flat_map(|child| {
            let definition = workspace.schema.object(child);
            let cells: Vec<usize> = definition
                .map(|definition| definition.links().filter(|link| link.1 == number).map(|link| link.0).collect())
                .unwrap_or_default();
            cells.into_iter().map(move |cell| (child, cell))
        })
        .collect();
    for (other, _) in &others {
        for (child, cell) in &links {
            workspace.relink(*child, *cell, *other, &Cell::Id(id), Some(author.now));
        }
        workspace.destroy(number, *other, true, author.now);
    }
    if let Some(table) = workspace.table_mut(number) {
        table.put(id, merged.clone());
    }
    emit(workspace, number, Operation::Updated, id, Some(&old), Some(&merged), author.now);
    Ok((id, merged))
}

fn merged_row(object: &Object, priority: &Row, others: &[(Uuid, Row)]) -> Row {
    let mut merged = priority.clone();
    for field in &object.fields {
        if field.kind == "EMAILS" {
            merge_emails(field, &mut merged, others);
            continue;
        }
        let cells: Vec<usize> = field
            .parts
            .iter()
            .filter_map(|part| if let Slot::Cell(cell) = part.slot { Some(cell) } else { None })
            .collect();
        let is_empty = |row: &Row| cells.iter().all(|cell| *row.cell(*cell) == Cell::Null);
        let donor = others.iter().find(|(_, row)| !is_empty(row)).filter(|_| is_empty(&merged));
        if let Some((_, row)) = donor {
            for cell in &cells {
                merged.set(*cell, row.cell(*cell).clone());
            }
        }
    }
    merged
}

/// The priority's address stays the first one; all others become additional ones.
fn merge_emails(field: &Field, merged: &mut Row, others: &[(Uuid, Row)]) {
    let place = |kind: PartKind| {
        field.parts.iter().find(|part| part.kind == kind).and_then(|part| match part.slot {
            Slot::Cell(cell) => Some(cell),
            _ => None,
        })
    };
    let (Some(first), Some(more)) = (place(PartKind::Text), place(PartKind::JsonList)) else { return };
    let addresses = |row: &Row| -> Vec<String> {
        let mut all = Vec::new();
        if let View::Text(text) = row.cell(first).view() {
            all.push(text.to_owned());
        }
        if let View::Json(json) = row.cell(more).view() {
            all.extend(json.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
        all
    };
    let mut all = addresses(merged);
    for address in others.iter().flat_map(|(_, row)| addresses(row)) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    let mut all = all.into_iter();
    merged.set(first, all.next().map_or(Cell::Null, |address| Cell::text(&address)));
    let rest: Vec<Value> = all.map(Value::from).collect();
    merged.set(more, if rest.is_empty() { Cell::Null } else { Cell::Json(Arc::new(rest.into())) });
}
