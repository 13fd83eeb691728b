//! `GET /health`: the process answers; nothing else is asked.

use serde_json::json;

use super::Reply;

/// It lives.
#[must_use]
pub fn alive() -> Reply {
    (200, json!({ "status": "ok" }))
}
