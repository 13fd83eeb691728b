//! Counts of requests and tokens, for reports that state what a job costs.

use std::collections::BTreeMap;

use ports::Method;
use serde::Serialize;

use crate::http::Target;

/// What was asked of the server since the last reset
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Requests, the refused ones included
    pub total: u64,
    /// Requests that the rate limit refused, in whole or in part
    pub refused: u64,
    /// Tokens charged
    pub tokens: u64,
    /// Requests by method and path, ids written as `:id`
    pub by_endpoint: BTreeMap<String, u64>,
}

impl Usage {
    pub(crate) fn count(&mut self, method: Method, target: &Target) {
        self.total += 1;
        let path: Vec<&str> = target
            .segments()
            .into_iter()
            .map(|part| if part.parse::<uuid::Uuid>().is_ok() { ":id" } else { part })
            .collect();
        *self.by_endpoint.entry(format!("{method} /{}", path.join("/"))).or_default() += 1;
    }
}
