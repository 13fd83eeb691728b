//! `GET /health`: the process answers; nothing else is asked.

use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Request, Response};
use serde_json::json;

/// It lives.
///
/// # Errors
/// None.
pub async fn alive(_: &RequestContext<'_>, _: &Request<'_>) -> Result<Response, Error> {
    Ok(status())
}

/// The response
#[must_use]
pub fn status() -> Response {
    Response::json(200, json!({ "status": "ok" }))
}
