//! The webhook subscriptions: list, make, change, delete.
//!
//! They hold from the next event on; the real server takes up to ten seconds to notice.

use ports::{Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::http::{self, require, text};
use crate::webhook::Hook;
use crate::workspace::Workspace;

/// Answers one call to the webhook subscriptions; `path` is what comes after `webhooks`.
pub(crate) fn handle(
    workspace: &mut Workspace,
    method: Method,
    path: &[&str],
    body: &Value,
) -> Result<Response, ApiError> {
    let unknown = || ApiError { message: "Webhook not found".to_owned(), ..ApiError::not_found() };
    let place = |workspace: &Workspace, id: &str| {
        let id: Option<Uuid> = id.parse().ok();
        workspace.hooks.iter().position(|hook| Some(hook.id) == id).ok_or_else(unknown)
    };
    match (method, path) {
        (Method::Get, []) => {
            let hooks: Vec<Value> = workspace.hooks.iter().map(Hook::to_json).collect();
            Ok(http::json(200, json!(hooks).to_string()))
        }
        (Method::Get, [id]) => {
            let hook = workspace.hooks.get(place(workspace, id)?).map(Hook::to_json).unwrap_or_default();
            Ok(http::json(200, hook.to_string()))
        }
        (Method::Post, []) => {
            require(body, &["targetUrl"])?;
            let secret = match body.get("secret").and_then(Value::as_str) {
                Some(secret) => secret.to_owned(),
                None => workspace.new_hex(32),
            };
            let mut hook = Hook {
                id: workspace.new_id(),
                target_url: String::new(),
                operations: vec!["*.*".to_owned()],
                description: None,
                secret,
            };
            change_hook(&mut hook, body);
            let answer = hook.to_json();
            workspace.hooks.push(hook);
            Ok(http::json(201, answer.to_string()))
        }
        (Method::Patch | Method::Put, [id]) => {
            let place = place(workspace, id)?;
            let hook = workspace.hooks.get_mut(place).ok_or_else(unknown)?;
            change_hook(hook, body);
            Ok(http::json(200, hook.to_json().to_string()))
        }
        (Method::Delete, [id]) => {
            let place = place(workspace, id)?;
            workspace.hooks.remove(place);
            Ok(Response {
                status: 200,
                headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
                body: b"true".to_vec(),
            })
        }
        _ => Err(ApiError::bad("Query path invalid")),
    }
}

fn change_hook(hook: &mut Hook, body: &Value) {
    if let Some(url) = text(body, "targetUrl") {
        url.clone_into(&mut hook.target_url);
    }
    if let Some(operations) = body.get("operations").and_then(Value::as_array) {
        hook.operations = operations.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if let Some(description) = body.get("description") {
        hook.description = description.as_str().map(str::to_owned);
    }
    if let Some(secret) = body.get("secret").and_then(Value::as_str) {
        secret.clone_into(&mut hook.secret);
    }
}
