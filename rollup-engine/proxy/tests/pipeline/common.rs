//! A workspace with the service's own model, the service on it, and short ways to ask both.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use ports::{Host, Timestamp};
use proxy::Service;
use proxy::context::RequestContext;
use proxy::error::Error;
use proxy::http::Inbound;
use proxy::request::{Body, Request};
use proxy::router;
use proxy::settings::Settings;
use sandbox::{Faults, SandboxHost};
use serde_json::{Value, json};
use twenty::rate_limiter::Priority;

use crate::workspace::{Workspace, ten};

static REQUESTS: AtomicU64 = AtomicU64::new(1);

pub(crate) struct World {
    workspace: Workspace,
    pub(crate) settings: Settings,
}

impl Deref for World {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(Workspace::new())
    }

    pub(crate) fn on(workspace: Workspace) -> Self {
        let settings = Settings {
            base_url: "http://twenty.test/rest".into(),
            staging: true,
            auto_process: true,
            requests_per_minute: None,
            cache_seconds: 0,
            ..Settings::default()
        };
        Self { workspace, settings }
    }

    pub(crate) fn unstaged() -> Self {
        let mut world = Self::new();
        world.settings.staging = false;
        world
    }

    pub(crate) fn proxy(&self) -> Service {
        Service::new(self.settings.clone())
    }

    pub(crate) fn cx<'a>(&self, proxy: &'a Service, host: &'a dyn Host) -> RequestContext<'a> {
        let headers = vec![("x-request-id".to_owned(), "request-1".to_owned())];
        // Each request has chance of its own.
        let entropy = u128::from(REQUESTS.fetch_add(1, Ordering::Relaxed)) << 64;
        let inbound = Inbound { headers, entropy, ..Inbound::default() };
        RequestContext::new(proxy.state(), host, &inbound, Some(self.token.clone()), Priority::Person)
    }

    /// One request, without faults
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_on(&self.host(Faults::none()), method, path, &body).await
    }

    pub(crate) async fn ask_on(&self, host: &dyn Host, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let proxy = self.proxy();
        answer(route(&self.cx(&proxy, host), method, path, body, None).await)
    }

    pub(crate) fn actions(row: &Value) -> Vec<String> {
        let entries = row["auditTrail"]["entries"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) async fn route(
    cx: &RequestContext<'_>,
    method: &str,
    path: &str,
    body: &Value,
    key: Option<&str>,
) -> Result<(u16, Value), Error> {
    let (path, query) = match path {
        "gift-staging/stuck" => ("gift-staging", vec![("stuck".to_owned(), "true".to_owned())]),
        path => (path, Vec::new()),
    };
    let found = router::find(method, &format!("/api/fundraising/{path}"));
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let inbound = Inbound { method: method.to_owned(), headers, body, ..Inbound::default() };
    let request = Request { inbound: &inbound, ids: found.ids.clone()?, query };
    let response = router::run(cx, &found, &request).await?;
    let body = if let Body::Json(body) = response.body { body } else { Value::Null };
    Ok((response.status, body))
}

pub(crate) fn answer(result: Result<(u16, Value), Error>) -> (u16, Value) {
    result.unwrap_or_else(|failure| {
        let outbound = failure.to_outbound();
        (outbound.status, serde_json::from_slice(&outbound.body).unwrap())
    })
}

/// A gift by a new donor, with a reference
pub(crate) fn by_mail() -> Value {
    json!({
        "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" },
        "contact": { "firstName": "Mary", "lastName": "Seacole", "email": "mary@crimea.example" },
        "giftDate": "2026-02-14", "intakeSource": "portal", "externalId": "row-7",
    })
}

/// The same at some other time of day, for a host whose clock starts there
pub(crate) fn later(world: &World, minutes: i64) -> SandboxHost {
    let at = Timestamp::from_millis(ten().as_millis() + minutes * 60_000);
    SandboxHost::new(world.sandbox.clone(), Faults::none(), at)
}
