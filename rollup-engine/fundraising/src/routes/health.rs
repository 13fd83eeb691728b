//! `GET /health`: the process answers; nothing else is asked.

use super::Reply;
use crate::json::object;

/// It lives.
#[must_use]
pub fn alive() -> Reply {
    (200, object([("status", "ok".into())]))
}
