//! `GET /ready`: whether the workspace has what the proxy reads and writes.
//!
//! It is apart from `/health`, which says that the process lives: a workspace that lacks a field needs a person, not a
//! restart. Reading the metadata costs no tokens, but it is large, so an answer is kept for a while.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::{Clock, Level, Timestamp};
use serde_json::Value;
use twenty::schema;
use twenty::target::{Query, Target};

use super::Reply;
use crate::failure::Failure;
use crate::json::object;
use crate::model::{Lack, Model};
use crate::queue::POLL_INTERVAL;
use crate::scope::Scope;

/// How long a good answer holds; a bad one is asked again sooner, since somebody is at work on it
const GOOD_FOR: Duration = Duration::from_mins(1);
const BAD_FOR: Duration = Duration::from_secs(5);

/// As many pages of 200 objects as a workspace can have
const MOST_PAGES: u32 = 20;

/// What is remembered between checks
#[derive(Debug, Default)]
pub struct Memory {
    /// The last answer, and until when it holds
    last: RefCell<Option<(Timestamp, u16, Value)>>,
    /// When the request that checks must have ended: the route is open, and a crowd of callers costs one check
    checking: Cell<Option<Timestamp>>,
}

impl Memory {
    /// Waits while another request checks: its answer serves this one too.
    async fn until_checked(&self, clock: &dyn Clock) {
        while self.checking.get().is_some_and(|until| clock.now() < until) {
            clock.sleep(POLL_INTERVAL).await;
        }
    }
}

/// Compares the workspace with the model: 200 if nothing is missing or nothing can be said, 503 with `missing` otherwise
#[must_use]
pub async fn check(scope: &Scope<'_>) -> Reply {
    let memory = &scope.proxy.ready;
    memory.until_checked(scope.host).await;
    let now = scope.now();
    let last = memory.last.borrow().clone().filter(|(until, ..)| now < *until);
    if let Some((_, status, body)) = last {
        return (status, body);
    }
    let model = scope.proxy.model();
    memory.checking.set(Some(scope.deadline));
    let (status, body) = compare(scope, model).await;
    let holds = if status == 200 { GOOD_FOR } else { BAD_FOR };
    memory.last.replace(Some((now + holds, status, body.clone())));
    memory.checking.set(None);
    (status, body)
}

async fn compare(scope: &Scope<'_>, model: &Model) -> Reply {
    if scope.proxy.settings.api_key.is_none() {
        return unchecked("TWENTY_API_KEY is not set, and nobody else's token is used for this");
    }
    let workspace = match objects(scope).await {
        Ok(workspace) => workspace,
        // The key is good for records, and may not read the data model.
        Err(failure) if matches!(failure.upstream_status(), Some(400 | 403)) => {
            return unchecked("the role of TWENTY_API_KEY may not read the data model");
        }
        Err(failure) => {
            return (503, object([("status", "unreachable".into()), ("message", failure.to_string().into())]));
        }
    };
    let lacks = model.lacks(&workspace);
    let missing: Vec<Value> = lacks.iter().map(Lack::to_json).collect();
    if missing.is_empty() {
        return (200, object([("status", "ready".into()), ("missing", missing.into())]));
    }
    scope.log(Level::Error, "model_incomplete", &[("missing", Value::Array(missing.clone()))]);
    (503, object([("status", "incomplete".into()), ("missing", missing.into())]))
}

fn unchecked(reason: &str) -> Reply {
    (200, object([("status", "unchecked".into()), ("reason", reason.into())]))
}

async fn objects(scope: &Scope<'_>) -> Result<Vec<schema::Object>, Failure> {
    let mut objects = Vec::new();
    let mut query = Query::default().with("limit", "200");
    for _ in 0..MOST_PAGES {
        let reply = scope.call(Target::objects(&query), None).await?;
        let page = schema::objects_of(&reply).ok_or_else(|| Failure::malformed("objects"))?;
        objects.extend(page.objects);
        let Some(next) = page.next else { break };
        query = Query::default().with("limit", "200").with("starting_after", next);
    }
    Ok(objects)
}
