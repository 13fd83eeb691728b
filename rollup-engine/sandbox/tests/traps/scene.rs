//! What the scenarios share: a sandbox with gifts, a caller, and short ways to ask.

use std::time::Duration;

use ports::{Method, Request, Response, Timestamp};
use sandbox::{Limits, Profile, Sandbox, Settings};
use serde_json::Value;
use uuid::Uuid;

/// 2026-06-01T00:00:00Z
pub(crate) const START: Timestamp = Timestamp::from_millis(1_780_272_000_000);

/// A caller with all rights, a sandbox that does not limit it, and a clock that moves a second a call
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) token: String,
    pub(crate) now: Timestamp,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(Profile::V1, Limits::off())
    }

    pub(crate) fn with(profile: Profile, limits: Limits) -> Self {
        let mut sandbox = Sandbox::new(Settings { profile, limits, seed: 7 });
        sandbox.ensure_gift_schema();
        let token = sandbox.tokens().token.clone();
        Self { sandbox, token, now: START }
    }

    pub(crate) fn person(&mut self, first_name: &str) -> Uuid {
        let body = serde_json::json!({"name": {"firstName": first_name}});
        self.sandbox.create("person", &body, self.now).unwrap()
    }

    pub(crate) fn gift(&mut self, donor: Option<Uuid>, micros: i64, date: Option<&str>) -> Uuid {
        let body = serde_json::json!({
            "amount": {"amountMicros": micros, "currencyCode": "GBP"},
            "giftDate": date,
            "donorId": donor,
        });
        self.sandbox.create("gift", &body, self.now).unwrap()
    }

    pub(crate) fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Response {
        self.now = self.now + Duration::from_secs(1);
        let request = request(&self.token, method, path, body);
        self.sandbox.handle(&request, self.now)
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        json(&self.send(Method::Get, path, None))
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Value {
        json(&self.send(Method::Post, path, Some(body)))
    }

    pub(crate) fn patch(&mut self, path: &str, body: Value) -> Value {
        json(&self.send(Method::Patch, path, Some(body)))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Value {
        json(&self.send(Method::Delete, path, None))
    }

    pub(crate) fn graphql(&mut self, query: &str) -> Value {
        self.post("/graphql", serde_json::json!({"query": query}))
    }

    /// Names of the events since the last call
    pub(crate) fn events(&mut self) -> Vec<String> {
        self.sandbox.drain_events().into_iter().map(|event| event.name).collect()
    }
}

pub(crate) fn request(token: &str, method: Method, path: &str, body: Option<Value>) -> Request {
    Request {
        method,
        url: format!("http://twenty.test{path}"),
        headers: vec![("authorization".into(), format!("Bearer {token}"))],
        body: body.map(|body| body.to_string().into_bytes()),
        timeout: Duration::from_secs(30),
    }
}

pub(crate) fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}
