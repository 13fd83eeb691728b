//! The service of one process: a request in, an answer out.

use std::cell::OnceCell;

use ports::time::whole_millis;
use ports::{Host, Level};
use serde_json::Value;
use twenty::budget::Pace;
use twenty::gate::Priority;
use uuid::Builder;

use crate::cache::Cache;
use crate::callers::Callers;
use crate::done::Done;
use crate::failure::json_answer;
use crate::head::{self, Head};
use crate::http::{Inbound, Outbound};
use crate::json::object;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::queue::Queue;
use crate::refusal::{Refusal, Status};
use crate::routes::{self, Ask, Reply, Route, process};
use crate::scope::{Scope, request_id};
use crate::settings::{SettingErrors, Settings};
use crate::signature;

/// One process of the service
#[derive(Debug)]
pub struct Proxy {
    /// How it is set up
    pub settings: Settings,
    /// What is learned of the workspace's rows
    pub intake: crate::intake::Memory,
    /// The way to Twenty
    pub queue: Queue,
    /// Whose tokens Twenty accepts
    pub callers: Callers,
    /// Answers to reads
    pub cache: Cache,
    /// What is counted
    pub metrics: Metrics,
    /// Events that were carried out
    pub(crate) done: Done,
    /// What was last found of the workspace's model
    pub(crate) ready: routes::ready::Memory,
}

impl Proxy {
    /// A fresh one
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let pace = match settings.requests_per_minute {
            Some(rate) => Pace { requests_per_minute: Some(rate), burst: rate, concurrency: 8, ..Pace::default() },
            None => Pace { requests_per_minute: None, burst: u32::MAX, concurrency: u32::MAX, ..Pace::default() },
        };
        Self {
            settings,
            intake: crate::intake::Memory::default(),
            queue: Queue::new(pace),
            callers: Callers::default(),
            cache: Cache::default(),
            metrics: Metrics::default(),
            done: Done::default(),
            ready: routes::ready::Memory::default(),
        }
    }

    /// The model in the workspace's own names
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.settings.model
    }

    /// What a server is to do with a request by its head: its body is not looked at
    #[must_use]
    pub fn head(&self, request: Inbound) -> Head {
        let request = request.in_origin_form();
        let way = routes::find(&request.method, request.path());
        let token = bearer(&request).or_else(|| query_token(&request.query()));
        Head::of(&request, &way, token.is_some_and(|token| is_sendable(&token)), &self.settings)
    }

    /// Answers a request; the host is the outside of this request alone.
    pub async fn handle(&self, host: &dyn Host, request: Inbound) -> Outbound {
        let began = host.now();
        let request = request.in_origin_form();
        let path = request.path().to_owned();
        let query = request.query();
        let way = routes::find(&request.method, &path);
        // Webhooks and `/ready` use the service token, never the caller's.
        let is_own = way.is_webhook || way.route == Route::Ready;
        let presented = bearer(&request).or_else(|| query_token(&query));
        let unusable = match &presented {
            None => Some("Missing authentication token"),
            Some(token) if !is_sendable(token) => Some("Invalid authentication token"),
            Some(_) => None,
        };
        let metrics_token = self.settings.metrics_token.as_deref().filter(|_| way.route == Route::Metrics);
        let is_refused = match metrics_token {
            Some(secret) => !presented.as_deref().is_some_and(|token| signature::is_secret(token, secret)),
            None => way.needs_token && unusable.is_some(),
        };
        let token = if is_own || metrics_token.is_some() { None } else { presented };
        let priority = if way.is_webhook {
            Priority::Webhook
        } else if way.route == Route::StagingProcessMany && process::is_job(&request.body) {
            Priority::Job
        } else {
            Priority::Person
        };
        let scope = Scope::new(self, host, &request, token, priority);
        scope.place.expect(way.route.expected_calls(request.header("idempotency-key").is_some()));

        let mut answer = if is_refused {
            let message = unusable.unwrap_or("Invalid authentication token");
            json_answer(401, &object([("message", message.into())]))
        } else if head::is_too_large(&request, way.route) {
            json_answer(413, &object([("statusCode", 413.into()), ("message", "request entity too large".into())]))
        } else {
            let query: Vec<_> = query.into_iter().filter(|(name, _)| name != "token").collect();
            let has_nul = query.iter().any(|(name, value)| name.contains('\0') || value.contains('\0'));
            let nul = Refusal::bad("the path and the query must not contain NUL characters");
            let is_fit = |ids: &Vec<String>| !has_nul && !ids.iter().any(|id| id.contains('\0'));
            let result = match way.ids.and_then(|ids| if is_fit(&ids) { Ok(ids) } else { Err(nul) }) {
                Ok(ids) => {
                    let ask = Ask { inbound: &request, ids, query, batch: OnceCell::new() };
                    routes::run(&scope, way.route, &ask).await
                }
                Err(refusal) => Err(refusal.into()),
            };
            match result {
                Ok(reply) => outbound(reply),
                Err(failure) => failure.to_outbound(),
            }
        };
        let (method, pattern) = way.route.name();
        self.metrics.answered(method, pattern, answer.status);
        host.log(scope.line(
            Level::Debug,
            "fundraising_request",
            &[
                ("method", method.into()),
                ("route", pattern.into()),
                ("status", answer.status.into()),
                ("durationMs", whole_millis(host.now().since(began)).into()),
            ],
        ));
        answer.headers.push(("x-request-id".into(), scope.request_id.clone()));
        if !way.route.is_open() {
            // Donors' data stays out of caches between here and the caller.
            answer.headers.push(("cache-control".into(), "no-store".into()));
        }
        if request.method == "HEAD" {
            answer.headers.push(("content-length".into(), answer.body.len().to_string()));
            answer.body.clear();
        }
        answer
    }
}

/// Answers a request where the settings cannot be read: 503 with their names, and `/health` as ever. Values stay out of
/// the answer, which anybody may read.
#[must_use]
pub fn refuse(errors: &SettingErrors, request: &Inbound) -> Outbound {
    let path = request.clone().in_origin_form();
    let mut answer = if routes::find(&request.method, path.path()).route == Route::Health {
        outbound(routes::health::alive())
    } else {
        let message = format!("{} cannot be read", errors.names());
        json_answer(503, &Refusal::new(Status::ServiceUnavailable, message).to_json())
    };
    let id = request_id(request).unwrap_or_else(|| Builder::from_u128(request.entropy).into_uuid().to_string());
    answer.headers.push(("x-request-id".into(), id));
    answer
}

fn outbound((status, body): Reply) -> Outbound {
    match body {
        Value::Null if status == 204 => Outbound { status, ..Outbound::default() },
        // Only `/metrics` answers with a text.
        Value::String(text) => Outbound {
            status,
            headers: vec![("content-type".into(), "text/plain; version=0.0.4; charset=utf-8".into())],
            body: text.into_bytes(),
        },
        body => json_answer(status, &body),
    }
}

fn bearer(request: &Inbound) -> Option<String> {
    let header = request.header("authorization")?.trim_matches([' ', '\t']);
    let scheme = header.get(..6).filter(|scheme| scheme.eq_ignore_ascii_case("bearer"))?;
    let rest = header.get(scheme.len()..)?;
    let token = rest.trim_matches([' ', '\t']);
    (rest.starts_with([' ', '\t']) && !token.is_empty()).then(|| token.to_owned())
}

fn query_token(query: &[(String, String)]) -> Option<String> {
    let tokens = query.iter().filter(|(name, _)| name == "token").map(|(_, value)| value.trim_matches(' '));
    tokens.into_iter().find(|token| !token.is_empty()).map(str::to_owned)
}

/// Whether a token can stand in a header: visible ASCII, also where its escapes are decoded
fn is_sendable(token: &str) -> bool {
    let hides_control = percent_encoding::percent_decode_str(token).any(|byte| byte.is_ascii_control());
    !hides_control && token.bytes().all(|byte| byte.is_ascii_graphic())
}
