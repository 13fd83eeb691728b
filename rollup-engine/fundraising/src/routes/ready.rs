//! `GET /ready`: whether the workspace has what the service reads and writes.

use serde_json::json;
use twenty::Host;

use super::Reply;
use crate::failure::Failure;
use crate::scope::Scope;

/// Checks what is needed.
///
/// # Errors
/// The setting of names cannot be right.
pub async fn check<H: Host>(scope: &Scope<'_, H>) -> Result<Reply, Failure> {
    scope.proxy.model()?;
    Ok((200, json!({ "status": "ready" })))
}
