//! Carrying a charged request out.

use ports::Response;
use serde_json::Value;
use uuid::Uuid;

use super::plan::{Action, Plan};
use super::records::Records;
use crate::api_error::ApiError;
use crate::duplicates;
use crate::event::Operation;
use crate::filter::{self, Condition, Dialect};
use crate::group;
use crate::http;
use crate::input;
use crate::list::Query;
use crate::names::pascal;
use crate::order::{Cursor, Order};
use crate::profile::Profile;
use crate::render;
use crate::schema::Object;
use crate::workspace::Workspace;
use crate::write::{Author, MAX_BATCH_RECORDS};

/// Fields of a very wide object that newer servers send without being asked
const MAX_UNREQUESTED_FIELDS: usize = 200;

/// One call that is being carried out
struct Call<'a> {
    workspace: &'a mut Workspace,
    number: usize,
    object: Object,
    condition: Option<Condition>,
    depth: u8,
    fields: Option<Vec<String>>,
    may_write: bool,
    author: &'a Author,
}

/// Carries a charged request out.
pub(crate) fn run(
    workspace: &mut Workspace,
    plan: Plan,
    may_write: bool,
    author: &Author,
) -> Result<Response, ApiError> {
    let object = workspace.schema.object(plan.object).cloned().ok_or_else(|| ApiError::bad("object not found"))?;
    let condition = match &plan.filter {
        Some(filter) => Some(filter::compile(workspace, &object, filter, Dialect::Rest)?),
        None => None,
    };
    let unknown = |name: &&String| object.field(name).is_none() && object.joined_by(name).is_none();
    if let Some(name) = plan.fields.iter().flatten().find(unknown) {
        return Err(input::unknown_field(&object, name));
    }
    let (number, depth, mut fields) = (plan.object, plan.depth, plan.fields);
    let is_capped =
        workspace.profile == Profile::V2 && fields.is_none() && object.fields.len() > MAX_UNREQUESTED_FIELDS;
    if is_capped {
        fields = Some(object.fields.iter().take(MAX_UNREQUESTED_FIELDS).map(|field| field.name.clone()).collect());
    }
    let call = Call { workspace, number, object, condition, depth, fields, may_write, author };
    let mut response = call.run(plan.action)?;
    if is_capped {
        response.headers.push(("x-twenty-fields-capped".into(), "true".into()));
    }
    Ok(response)
}

impl Call<'_> {
    fn run(self, action: Action) -> Result<Response, ApiError> {
        let number = self.number;
        match action {
            Action::List { order, limit, after, before } => {
                let query = query(self.workspace, number, self.condition.clone(), &order, limit, (after, before))?;
                let mut page = self.workspace.page(number, &query);
                if query.before.is_some() {
                    // NOTE: when paging back, the recorded server names the page's last row as its start.
                    std::mem::swap(&mut page.first, &mut page.last);
                }
                Ok(http::json(200, self.records().page(&self.object.plural, &page)))
            }
            Action::Get(id) => {
                if self.workspace.table(number).is_none_or(|table| table.live(id).is_none()) {
                    return Err(ApiError::not_found());
                }
                Ok(self.records().single(200, &self.object.singular, id))
            }
            Action::GroupBy(request) => {
                let groups = group::run(self.workspace, number, self.condition.as_ref(), &request)?;
                Ok(http::json(200, groups.to_rest()))
            }
            Action::Duplicates(body) => {
                let found = duplicates::find(self.workspace, number, &body)?;
                Ok(http::json(200, self.records().duplicates(&self.object.singular, &found)))
            }
            Action::Create { body, upsert } => {
                let drafts = vec![input::read(self.workspace, &self.object, &body)?];
                self.create(drafts, upsert, false)
            }
            Action::Batch { body, upsert } => {
                let drafts = batch(self.workspace, number, &body)?;
                self.create(drafts, upsert, true)
            }
            Action::Update { id, body } => {
                let draft = input::read(self.workspace, &self.object, &body)?;
                self.allowed()?;
                let id = self.workspace.update(number, id, &draft, self.author, Operation::Updated)?;
                Ok(self.records().single(200, &self.one("update"), id))
            }
            Action::UpdateMany { body } => self.update_many(&body),
            Action::Delete { id, soft } => self.delete(id, soft),
            Action::DeleteMany { soft } => self.delete_many(soft),
            Action::Restore(Some(id)) => {
                self.allowed()?;
                self.known(id)?;
                self.workspace.restore(number, &[id], self.author);
                Ok(self.records().single(200, &self.one("restore"), id))
            }
            Action::Restore(None) => {
                self.allowed()?;
                let ids = self.workspace.restore_many(number, self.condition.as_ref(), self.author);
                Ok(http::json(200, self.records().under(&self.many("restore"), &ids)))
            }
            Action::Merge(body) => {
                self.allowed()?;
                let (id, row) = duplicates::merge(self.workspace, number, &body, self.author)?;
                let mut out = format!("{{\"data\":{{\"{}\":", self.one("merge"));
                render::record(self.workspace, &self.object, (id, &row), self.depth, self.fields.as_deref(), &mut out);
                out.push_str("}}");
                Ok(http::json(200, out))
            }
        }
    }

    fn create(self, drafts: Vec<input::Draft>, upsert: bool, many: bool) -> Result<Response, ApiError> {
        self.allowed()?;
        let ids = if upsert {
            self.workspace.upsert(self.number, drafts, self.author)?
        } else {
            self.workspace.create(self.number, drafts, self.author)?
        };
        match (many, ids.first()) {
            (false, Some(id)) => Ok(self.records().single(201, &self.one("create"), *id)),
            _ => Ok(http::json(201, self.records().under(&self.many("create"), &ids))),
        }
    }

    fn update_many(self, body: &Value) -> Result<Response, ApiError> {
        if self.workspace.profile == Profile::V2 && self.condition.is_none() {
            return Err(ApiError::bad("A non-empty filter is required for a bulk mutation"));
        }
        let draft = input::read(self.workspace, &self.object, body)?;
        self.allowed()?;
        let ids = self.workspace.update_many(self.number, self.condition.as_ref(), &draft, self.author)?;
        Ok(http::json(200, self.records().under(&self.many("update"), &ids)))
    }

    fn delete(self, id: Uuid, soft: bool) -> Result<Response, ApiError> {
        self.allowed()?;
        self.known(id)?;
        let name = self.one("delete");
        if soft {
            self.workspace.soft_delete(self.number, &[id], self.author);
            return Ok(self.records().single(200, &name, id));
        }
        self.workspace.destroy(self.number, id, true, self.author.now);
        Ok(http::json(200, format!("{{\"data\":{{\"{name}\":{{\"id\":\"{id}\"}}}}}}")))
    }

    fn delete_many(self, soft: bool) -> Result<Response, ApiError> {
        if self.condition.is_none() {
            let verb = if soft { "delete" } else { "destroy" };
            return Err(ApiError::bad(format!(
                "Filters are mandatory for bulk {verb} operations. Please provide at least one filter to prevent accidental deletion of all records."
            )));
        }
        self.allowed()?;
        let ids = self.workspace.matching_ids(self.number, self.condition.as_ref());
        let name = self.many("delete");
        if soft {
            self.workspace.soft_delete(self.number, &ids, self.author);
            return Ok(http::json(200, self.records().under(&name, &ids)));
        }
        self.workspace.destroy_many(self.number, &ids, self.author.now);
        let list: Vec<String> = ids.iter().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
        Ok(http::json(200, format!("{{\"data\":{{\"{name}\":[{}]}}}}", list.join(","))))
    }

    fn records(&self) -> Records<'_> {
        Records { workspace: self.workspace, object: self.number, depth: self.depth, only: self.fields.as_deref() }
    }

    fn allowed(&self) -> Result<(), ApiError> {
        if self.may_write { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// Refuses an id that no record has, the trash included.
    fn known(&self, id: Uuid) -> Result<(), ApiError> {
        let table = self.workspace.table(self.number);
        if table.is_some_and(|table| table.get(id).is_some()) { Ok(()) } else { Err(ApiError::not_found()) }
    }

    fn one(&self, verb: &str) -> String {
        format!("{verb}{}", pascal(&self.object.singular))
    }

    fn many(&self, verb: &str) -> String {
        format!("{verb}{}", pascal(&self.object.plural))
    }
}

/// Checks a batch: a list, not too long, every row readable
pub(crate) fn batch(workspace: &Workspace, number: usize, body: &Value) -> Result<Vec<input::Draft>, ApiError> {
    let Some(rows) = body.as_array() else {
        return Err(ApiError::thrown("TypeError", "args.data.forEach is not a function"));
    };
    if rows.len() > MAX_BATCH_RECORDS {
        return Err(ApiError {
            sub_code: Some("TOO_MANY_RECORDS_TO_UPDATE"),
            ..ApiError::bad(format!("Maximum number of records to upsert is {MAX_BATCH_RECORDS}."))
        });
    }
    let object = workspace.schema.object(number).ok_or_else(|| ApiError::bad("object not found"))?;
    rows.iter().map(|row| input::read(workspace, object, row)).collect()
}

/// Puts a query together from its checked parts.
pub(crate) fn query(
    workspace: &Workspace,
    number: usize,
    condition: Option<Condition>,
    order: &Value,
    limit: usize,
    (after, before): (Option<String>, Option<String>),
) -> Result<Query, ApiError> {
    if after.is_some() && before.is_some() {
        return Err(ApiError::bad("Cannot provide both before and after"));
    }
    let object = workspace.schema.object(number).ok_or_else(|| ApiError::bad("object not found"))?;
    let order = Order::compile(workspace, object, order)?;
    let read = |text: Option<String>| text.map(|text| Cursor::read(&order, &text)).transpose();
    let (after, before) = (read(after)?, read(before)?);
    Ok(Query { condition, order, limit, after, before, ..Query::default() })
}
