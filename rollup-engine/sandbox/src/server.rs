//! The server without a network: a request and the time go in, an answer comes out.
//!
//! Order of a record call: token, syntax, rate limit, schema, role, work. What is refused before the rate limit costs
//! nothing.

use ports::{Method, Request, Response, Timestamp};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::event_log::RecordEvent;
use crate::graphql;
use crate::http::{self, Target};
use crate::metadata;
use crate::rest;
use crate::state::Sandbox;
use crate::subscriptions;
use crate::tokens;
use crate::write::Author;

/// Longest request line with headers, in bytes
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Longest body, in bytes
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

impl Sandbox {
    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        let head: usize =
            request.url.len() + request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
        if head > MAX_HEAD_BYTES {
            return Response { status: 431, headers: Vec::new(), body: Vec::new() };
        }
        let target = Target::of(&request.url);
        let segments = target.segments();
        if let ["__sandbox", rest @ ..] = segments.as_slice() {
            return self.handle_sandbox_call(request.method, rest, &target);
        }
        if segments == ["__faults"] {
            return self.handle_faults_call(request, &target);
        }
        if segments == ["healthz"] {
            return http::json(200, json!({"status": "ok", "info": {}, "error": {}, "details": {}}).to_string());
        }
        self.usage.count(request.method, &target);
        if request.body.as_ref().is_some_and(|body| body.len() > MAX_BODY_BYTES) {
            return http::json(500, json!("request entity too large").to_string());
        }
        let answer = match segments.first() {
            Some(&"graphql") => return graphql::answer(self, request, now),
            Some(&"metadata") if request.method == Method::Post => return graphql::answer_metadata(self, request),
            Some(&"rest") => self.rest(request, &target, now),
            _ => return self.not_found(request.method, &target),
        };
        match answer {
            Ok(response) if request.method == Method::Get && response.status == 200 => {
                http::with_etag(request, response)
            }
            Ok(response) => response,
            Err(error) => {
                if error.status == 429 {
                    self.count_refused();
                }
                http::error(&error, self.settings().profile)
            }
        }
    }

    fn rest(&mut self, request: &Request, target: &Target, now: Timestamp) -> Result<Response, ApiError> {
        let body = if matches!(request.method, Method::Get) { Value::Null } else { http::json_body(request)? };
        let caller = self.caller(request)?.ok_or_else(tokens::missing)?;
        let segments = target.segments();
        match segments.get(1) {
            Some(&"metadata") => {
                if !caller.may_write {
                    return Err(ApiError { status: 403, ..ApiError::forbidden() });
                }
                return metadata::handle(self.workspace(&caller), request.method, target, &body);
            }
            Some(&"webhooks") => {
                if !caller.may_write {
                    return Err(ApiError { status: 403, ..ApiError::forbidden() });
                }
                let path = segments.get(2..).unwrap_or_default();
                return subscriptions::handle(self.workspace(&caller), request.method, path, &body);
            }
            _ => {}
        }
        let plan = rest::plan(self.workspace(&caller), request.method, target, body)?;
        self.charge(&caller, now)?;
        let author = Author { actor: caller.actor.clone(), now: now.as_millis() };
        rest::run(self.workspace(&caller), plan, caller.may_write, &author)
    }

    /// The sandbox's own calls, which no real server has
    fn handle_sandbox_call(&mut self, method: Method, path: &[&str], target: &Target) -> Response {
        let body = match (method, path) {
            (Method::Get, ["requests"]) => json!(self.usage),
            (Method::Post, ["requests", "reset"]) => {
                self.reset_usage();
                json!(self.usage)
            }
            (Method::Get, ["events"]) => {
                let after = target.param("after").and_then(|seq| seq.parse().ok()).unwrap_or(0);
                let events: Vec<&RecordEvent> = self.main.events.after(after).collect();
                let next = events.last().map_or(self.main.events.last(), |event| event.seq);
                json!({"events": events, "next": next})
            }
            (Method::Post, ["app-token"]) => json!({"token": self.mint_app_token()}),
            _ => return self.not_found(method, target),
        };
        http::json(200, body.to_string())
    }

    /// Sets, shows or takes away the faults of requests over a network
    fn handle_faults_call(&mut self, request: &Request, target: &Target) -> Response {
        let result = match request.method {
            Method::Get => Ok(()),
            Method::Post => self.fault_rules.replace(request.body.as_deref().unwrap_or_default()),
            Method::Delete => {
                self.fault_rules.clear();
                Ok(())
            }
            method => return self.not_found(method, target),
        };
        match result {
            Ok(()) => http::json(200, self.fault_rules.to_json().to_string()),
            Err(message) => {
                let error = ApiError::framework(400, "Bad Request", &json!(message));
                http::error(&error, self.settings().profile)
            }
        }
    }

    fn not_found(&self, method: Method, target: &Target) -> Response {
        let message = json!(format!("Cannot {method} {}", target.path));
        http::error(&ApiError::framework(404, "Not Found", &message), self.settings().profile)
    }
}
