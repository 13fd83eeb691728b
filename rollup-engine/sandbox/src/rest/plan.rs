//! Reading a request, before it is charged.

use ports::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::filter_text;
use crate::group;
use crate::http::Target;
use crate::input;
use crate::order;
use crate::profile::Profile;
use crate::workspace::Workspace;

/// Rows of a page by default
const PAGE: usize = 60;

/// A request that was understood, and not yet charged
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) object: usize,
    pub(super) action: Action,
    pub(super) filter: Option<Value>,
    pub(super) depth: u8,
    pub(super) fields: Option<Vec<String>>,
}

/// What a request asks for
#[derive(Clone, Debug)]
pub(super) enum Action {
    List { order: Value, limit: usize, after: Option<String>, before: Option<String> },
    Get(Uuid),
    Create { body: Value, upsert: bool },
    Batch { body: Value, upsert: bool },
    Update { id: Uuid, body: Value },
    UpdateMany { body: Value },
    Delete { id: Uuid, soft: bool },
    DeleteMany { soft: bool },
    Restore(Option<Uuid>),
    GroupBy(group::Request),
    Duplicates(Value),
    Merge(Value),
}

/// Reads a request.
pub(crate) fn plan(workspace: &Workspace, method: Method, target: &Target, body: Value) -> Result<Plan, ApiError> {
    let segments = target.segments();
    let path: Vec<&str> = segments.iter().skip(1).copied().collect();
    let is_newer = workspace.profile == Profile::V2;
    let flag = |name: &str| target.param(name) == Some("true");
    let object = |name: &str| find_object(workspace, name);
    let (object, action) = match (method, path.as_slice()) {
        (Method::Get, [plural]) => (object(plural)?, list_action(target)?),
        (Method::Get, [plural, "groupBy"]) => (object(plural)?, Action::GroupBy(group::Request::from_rest(target)?)),
        (Method::Get, [plural, id]) => (object(plural)?, Action::Get(record_id(id)?)),
        (Method::Post, ["batch", plural]) => (object(plural)?, Action::Batch { body, upsert: flag("upsert") }),
        (Method::Post, [plural]) => (object(plural)?, Action::Create { body, upsert: flag("upsert") }),
        (Method::Post, [plural, "duplicates"]) => (object(plural)?, Action::Duplicates(body)),
        (Method::Patch, ["restore", plural]) if !is_newer => (object(plural)?, Action::Restore(None)),
        (Method::Patch, [plural, "restore"]) if is_newer => (object(plural)?, Action::Restore(None)),
        (Method::Patch, [plural, id, "restore"]) if is_newer => {
            (object(plural)?, Action::Restore(Some(record_id(id)?)))
        }
        (Method::Patch, [plural, "merge"]) => (object(plural)?, Action::Merge(body)),
        (Method::Patch | Method::Put, [plural, id]) => (object(plural)?, Action::Update { id: record_id(id)?, body }),
        (Method::Patch | Method::Put, [plural]) => (object(plural)?, Action::UpdateMany { body }),
        (Method::Delete, [plural, id]) => {
            (object(plural)?, Action::Delete { id: record_id(id)?, soft: flag("soft_delete") })
        }
        (Method::Delete, [plural]) => (object(plural)?, Action::DeleteMany { soft: flag("soft_delete") }),
        // NOTE: the recorded server strips every `/rest` from a path, also the one in `/restore`.
        (_, [first, id, "restore"]) if *first != "restore" => {
            return Err(ApiError::bad(format!("'{id}ore' is not a valid UUID")));
        }
        _ => {
            return Err(ApiError::bad(format!(
                "Query path '{}' invalid. Valid examples: /rest/companies/id or /rest/companies or /rest/batch/companies",
                target.path
            )));
        }
    };
    let filter = match target.param("filter") {
        Some(text) => Some(filter_text::parse(text)?),
        None => None,
    };
    let fields = target.param("fields").filter(|_| is_newer).map(|text| text.split(',').map(str::to_owned).collect());
    Ok(Plan { object, action, filter, depth: depth(target)?, fields })
}

fn find_object(workspace: &Workspace, name: &str) -> Result<usize, ApiError> {
    workspace.schema.by_plural(name).ok_or_else(|| {
        let plural = workspace.schema.by_singular(name).and_then(|number| workspace.schema.object(number));
        ApiError::bad(match plural {
            Some(object) => format!("object '{name}' not found. Did you mean '{}'?", object.plural),
            None => format!("object '{name}' not found. eg: companies"),
        })
    })
}

fn record_id(text: &str) -> Result<Uuid, ApiError> {
    input::uuid(&Value::from(text)).ok_or_else(|| ApiError::bad(format!("'{text}' is not a valid UUID")))
}

fn depth(target: &Target) -> Result<u8, ApiError> {
    match target.param("depth") {
        None | Some("0") => Ok(0),
        Some("1") => Ok(1),
        Some(other) => Err(ApiError::bad(format!("'depth={other}' parameter invalid. Allowed values are 0, 1"))),
    }
}

fn list_action(target: &Target) -> Result<Action, ApiError> {
    Ok(Action::List {
        order: order::read_rest(target.param("order_by").unwrap_or_default())?,
        limit: target.limit(PAGE)?,
        after: target.param("starting_after").map(str::to_owned),
        before: target.param("ending_before").map(str::to_owned),
    })
}
