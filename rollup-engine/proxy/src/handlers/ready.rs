//! `GET /ready`: whether the workspace has what the proxy reads and writes.
//!
//! It is apart from `/health`, which says that the process lives: a workspace that lacks a field needs a person, not a
//! restart. Reading the metadata costs no tokens, but it is large, so an answer is kept for a while.

use std::time::Duration;

use ports::Level;
use serde_json::{Value, json};
use twenty::schema;
use twenty::target::{Query, Target};

use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Request, Response};
use model::{MissingField, Model};

/// How long a good answer holds; a bad one is asked again sooner, since staff are mending the workspace
const GOOD_FOR: Duration = Duration::from_mins(1);
const BAD_FOR: Duration = Duration::from_secs(5);

/// As many pages of 200 objects as a workspace can have
const MAX_PAGES: u32 = 20;

/// Compares the workspace with the model: 200 if nothing is missing or nothing can be said, 503 with `missing` otherwise
///
/// # Errors
/// None.
pub async fn check(cx: &RequestContext<'_>, _: &Request<'_>) -> Result<Response, Error> {
    let memory = &cx.state.readiness;
    memory.until_checked(cx.host).await;
    let now = cx.now();
    let last = memory.last.borrow().clone().filter(|(until, _)| now < *until);
    if let Some((_, response)) = last {
        return Ok(response);
    }
    let model = cx.state.model();
    memory.checking.set(Some(cx.deadline));
    let response = compare(cx, model).await;
    let holds = if response.status == 200 { GOOD_FOR } else { BAD_FOR };
    memory.last.replace(Some((now + holds, response.clone())));
    memory.checking.set(None);
    Ok(response)
}

async fn compare(cx: &RequestContext<'_>, model: &Model) -> Response {
    if cx.state.settings.api_key.is_none() {
        return unchecked("TWENTY_API_KEY is not set, and nobody else's token is used for this");
    }
    let workspace = match objects(cx).await {
        Ok(workspace) => workspace,
        // The key is good for records, and may not read the data model.
        Err(failure) if matches!(failure.upstream_status(), Some(400 | 403)) => {
            return unchecked("the role of TWENTY_API_KEY may not read the data model");
        }
        Err(failure) => {
            return Response::json(503, json!({ "status": "unreachable", "message": failure.to_string() }));
        }
    };
    let missing_fields = model.missing_fields(&workspace);
    let missing: Vec<Value> = missing_fields.iter().map(MissingField::to_json).collect();
    if missing.is_empty() {
        return Response::json(200, json!({ "status": "ready", "missing": missing }));
    }
    cx.log(Level::Error, "model_found_incomplete", &[("missing", Value::Array(missing.clone()))]);
    Response::json(503, json!({ "status": "incomplete", "missing": missing }))
}

fn unchecked(reason: &str) -> Response {
    Response::json(200, json!({ "status": "unchecked", "reason": reason }))
}

async fn objects(cx: &RequestContext<'_>) -> Result<Vec<schema::Object>, Error> {
    let mut objects = Vec::new();
    let mut query = Query::default().with("limit", "200");
    for _ in 0..MAX_PAGES {
        let reply = cx.call(Target::objects(&query), None).await?;
        let page = schema::objects_of(&reply).ok_or_else(|| Error::malformed("objects"))?;
        objects.extend(page.objects);
        let Some(next) = page.next else { break };
        query = Query::default().with("limit", "200").with("starting_after", next);
    }
    Ok(objects)
}
