//! The writing root fields. Here `delete` always means the trash, and an empty filter means every record.

use serde_json::Value;
use uuid::Uuid;

use super::document::Selection;
use super::query::{check_arguments, condition};
use super::select;
use crate::api_error::ApiError;
use crate::duplicates;
use crate::event;
use crate::input;
use crate::names::pascal;
use crate::rest;
use crate::schema::Object;
use crate::table::Row;
use crate::workspace::Workspace;
use crate::write::Author;

/// What a writing root field does
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
    Destroy,
    Restore,
    Merge,
}

/// A writing root field
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing {
    object: usize,
    verb: Verb,
    many: bool,
}

/// The meaning of a writing root field
pub(crate) fn find(workspace: &Workspace, name: &str) -> Option<Writing> {
    let verbs = [
        ("create", Verb::Create),
        ("update", Verb::Update),
        ("delete", Verb::Delete),
        ("destroy", Verb::Destroy),
        ("restore", Verb::Restore),
        ("merge", Verb::Merge),
    ];
    verbs.iter().find_map(|(prefix, verb)| {
        let rest = name.strip_prefix(prefix)?;
        workspace.schema.objects.iter().enumerate().filter(|(_, object)| !object.is_gone).find_map(
            |(number, object)| {
                let many = if rest == pascal(&object.plural) {
                    true
                } else if rest == pascal(&object.singular) && *verb != Verb::Merge {
                    false
                } else {
                    return None;
                };
                Some(Writing { object: number, verb: *verb, many })
            },
        )
    })
}

/// Carries one writing root field out.
pub(crate) fn run(
    workspace: &mut Workspace,
    writing: Writing,
    root: &Selection,
    may_write: bool,
    author: &Author,
    out: &mut String,
) -> Result<(), ApiError> {
    let number = writing.object;
    let object = workspace.schema.object(number).cloned().ok_or_else(|| ApiError::bad("object not found"))?;
    check_arguments(root, &["data", "upsert", "id", "filter", "ids", "conflictPriorityIndex", "dryRun"])?;
    select::check(workspace, &object, root, false)?;
    let allowed = || if may_write { Ok(()) } else { Err(ApiError::forbidden()) };
    let data = || root.arguments.get("data").cloned().unwrap_or_default();
    let upsert = root.arguments.get("upsert") == Some(&Value::Bool(true));
    let rows: Vec<(Uuid, Row)> = match (writing.verb, writing.many) {
        (Verb::Create, many) => {
            let drafts = if many {
                rest::batch(workspace, number, &data())?
            } else {
                vec![input::read(workspace, &object, &data())?]
            };
            allowed()?;
            let ids = if upsert {
                workspace.upsert(number, drafts, author)?
            } else {
                workspace.create(number, drafts, author)?
            };
            rows(workspace, number, ids)
        }
        (Verb::Update, false) => {
            let id = id(root)?;
            let draft = input::read(workspace, &object, &data())?;
            allowed()?;
            let id = workspace.update(number, id, &draft, author, event::Operation::Updated)?;
            rows(workspace, number, vec![id])
        }
        (Verb::Update, true) => {
            let condition = condition(workspace, &object, &root.arguments)?;
            let draft = input::read(workspace, &object, &data())?;
            allowed()?;
            let ids = workspace.update_many(number, condition.as_ref(), &draft, author).map_err(|error| {
                if error.code == Some("TOO_MANY_RECORDS_TO_UPDATE") {
                    ApiError { sub_code: None, ..error }
                } else {
                    error
                }
            })?;
            rows(workspace, number, ids)
        }
        (Verb::Merge, _) => {
            allowed()?;
            vec![duplicates::merge(workspace, number, &Value::Object(root.arguments.clone()), author)?]
        }
        (verb, false) => {
            let id = id(root)?;
            allowed()?;
            let known = rows(workspace, number, vec![id]);
            if known.is_empty() {
                return Err(ApiError::not_found());
            }
            remove(workspace, number, verb, &[id], author);
            if verb == Verb::Destroy { known } else { rows(workspace, number, vec![id]) }
        }
        (verb, true) => {
            let condition = condition(workspace, &object, &root.arguments)?;
            allowed()?;
            if verb == Verb::Restore {
                let ids = workspace.restore_many(number, condition.as_ref(), author);
                rows(workspace, number, ids)
            } else {
                let ids = workspace.matching_ids(number, condition.as_ref());
                let known = rows(workspace, number, ids.clone());
                if verb == Verb::Destroy {
                    workspace.destroy_many(number, &ids, author.now);
                    known
                } else {
                    remove(workspace, number, verb, &ids, author);
                    rows(workspace, number, ids)
                }
            }
        }
    };
    let is_list = writing.many && writing.verb != Verb::Merge;
    write(workspace, &object, &rows, is_list, root, out);
    Ok(())
}

fn remove(workspace: &mut Workspace, number: usize, verb: Verb, ids: &[Uuid], author: &Author) {
    match verb {
        Verb::Delete => workspace.soft_delete(number, ids, author),
        Verb::Restore => workspace.restore(number, ids, author),
        _ => {
            for id in ids {
                workspace.destroy(number, *id, true, author.now);
            }
        }
    }
}

fn id(root: &Selection) -> Result<Uuid, ApiError> {
    let value = root.arguments.get("id").cloned().unwrap_or_default();
    input::uuid(&value)
        .ok_or_else(|| ApiError::data(format!("Invalid UUID value {} for field \"id\"", input::inspect(&value))))
}

fn rows(workspace: &Workspace, number: usize, ids: Vec<Uuid>) -> Vec<(Uuid, Row)> {
    let table = workspace.table(number);
    ids.into_iter().filter_map(|id| Some((id, table?.get(id)?.clone()))).collect()
}

fn write(
    workspace: &Workspace,
    object: &Object,
    rows: &[(Uuid, Row)],
    is_list: bool,
    root: &Selection,
    out: &mut String,
) {
    out.push_str(if is_list { "[" } else { "" });
    for (at, (id, row)) in rows.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        select::record(workspace, object, (*id, row), root, out);
    }
    out.push_str(match (is_list, rows.is_empty()) {
        (true, _) => "]",
        (false, true) => "null",
        (false, false) => "",
    });
}
