//! The server without a network: a request and the time go in, an answer comes out.
//!
//! Order of a record call: token, syntax, rate limit, schema, role, work. What is refused before the rate limit costs
//! nothing.

use ports::{Method, Request, Response, Timestamp};
use serde_json::{Value, json};

use crate::event::RecordEvent;
use crate::http::{self, Target};
use crate::limiter::{Limit, Limiter, Limits, Spender};
use crate::metadata;
use crate::refusal::Refusal;
use crate::rest;
use crate::subscriptions;
use crate::tokens::{self, Caller, TokenBook, Tokens};
use crate::usage::Usage;
use crate::webhook::Delivery;
use crate::workspace::Workspace;
use crate::write::Author;

/// Longest request line with headers, in bytes
const HEAD_MOST: usize = 16 * 1024;
/// Longest body, in bytes
const BODY_MOST: usize = 10 * 1024 * 1024;

/// Which Twenty is imitated
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 2.19, as recorded
    #[default]
    V1,
    /// Mid to late 2026 (2.40 and later), as published
    V2,
}

/// How a sandbox is set up
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which Twenty is imitated
    pub profile: Profile,
    /// Rate limits of the workspaces
    pub limits: Limits,
    /// Seed of all made-up ids and tokens
    pub seed: u64,
}

/// A Twenty in memory, with two workspaces
#[derive(Clone, Debug)]
pub struct Sandbox {
    settings: Settings,
    pub(crate) main: Workspace,
    second: Workspace,
    tokens: TokenBook,
    limiters: [Limiter; 2],
    app_limiter: Limiter,
    usage: Usage,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Sandbox {
    /// A sandbox with empty workspaces
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { profile, limits, seed } = settings;
        let limiter = || Limiter::new(profile, Spender::ApiKey, limits);
        let app_limits =
            Limits { short: None, long: limits.long.map(|limit| Limit { tokens: 500, per_ms: limit.per_ms }) };
        Self {
            settings,
            main: Workspace::new(profile, false, seed),
            second: Workspace::new(profile, true, seed.wrapping_add(1)),
            tokens: TokenBook::new(seed),
            limiters: [limiter(), limiter()],
            app_limiter: Limiter::new(profile, Spender::Application, app_limits),
            usage: Usage::default(),
        }
    }

    /// How it was set up
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The keys that it knows from the start
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens.named
    }

    /// A token that counts as an app's: not limited in v1, 500 a minute in v2
    pub fn mint_app_token(&mut self) -> String {
        self.tokens.mint_app()
    }

    /// What was asked of it since the last reset
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Starts counting anew.
    pub fn reset_usage(&mut self) {
        self.usage = Usage::default();
    }

    /// Takes the record events of the main workspace that nobody has taken yet.
    pub fn drain_events(&mut self) -> Vec<RecordEvent> {
        self.main.events.drain()
    }

    /// Number of the last record event
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.main.events.last()
    }

    /// Takes the webhook calls that are to be made.
    pub fn drain_deliveries(&mut self) -> Vec<Delivery> {
        let mut deliveries = std::mem::take(&mut self.main.outbox);
        deliveries.append(&mut self.second.outbox);
        deliveries
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        let head: usize =
            request.url.len() + request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
        if head > HEAD_MOST {
            return Response { status: 431, headers: Vec::new(), body: Vec::new() };
        }
        let target = Target::of(&request.url);
        let segments = target.segments();
        if let ["__sandbox", rest @ ..] = segments.as_slice() {
            return self.own(request.method, rest, &target);
        }
        if segments == ["healthz"] {
            return http::json(200, json!({"status": "ok", "info": {}, "error": {}, "details": {}}).to_string());
        }
        self.usage.count(request.method, &target);
        if request.body.as_ref().is_some_and(|body| body.len() > BODY_MOST) {
            return http::json(500, json!("request entity too large").to_string());
        }
        let answer = match segments.first() {
            Some(&"graphql") => return self.graphql(request, now),
            Some(&"rest") => self.rest(request, &target, now),
            _ => {
                let message = json!(format!("Cannot {} {}", request.method, target.path));
                Err(Refusal::framework(404, "Not Found", &message))
            }
        };
        match answer {
            Ok(response) if request.method == Method::Get && response.status == 200 => {
                http::with_etag(request, response)
            }
            Ok(response) => response,
            Err(refusal) => {
                if refusal.status == 429 {
                    self.count_refused();
                }
                http::refused(&refusal, self.settings.profile)
            }
        }
    }

    pub(crate) fn count_refused(&mut self) {
        self.usage.refused += 1;
    }

    fn rest(&mut self, request: &Request, target: &Target, now: Timestamp) -> Result<Response, Refusal> {
        let body = if matches!(request.method, Method::Get) { Value::Null } else { http::json_body(request)? };
        let caller = self.tokens.caller(request)?.ok_or_else(tokens::missing)?;
        let segments = target.segments();
        match segments.get(1) {
            Some(&"metadata") => {
                if !caller.may_write {
                    return Err(Refusal { status: 403, ..Refusal::forbidden() });
                }
                return metadata::handle(self.workspace(&caller), request.method, target, &body);
            }
            Some(&"webhooks") => {
                if !caller.may_write {
                    return Err(Refusal { status: 403, ..Refusal::forbidden() });
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

    pub(crate) fn caller(&self, request: &Request) -> Result<Option<Caller>, Refusal> {
        self.tokens.caller(request)
    }

    pub(crate) fn workspace(&mut self, caller: &Caller) -> &mut Workspace {
        if caller.workspace == 0 { &mut self.main } else { &mut self.second }
    }

    /// Takes one token from the caller's buckets, or refuses.
    pub(crate) fn charge(&mut self, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
        let limiter = match (caller.spender, self.settings.profile) {
            (Spender::Application, Profile::V1) => None,
            (Spender::Application, Profile::V2) => Some(&mut self.app_limiter),
            (Spender::ApiKey, _) => self.limiters.get_mut(caller.workspace),
        };
        if let Some(limiter) = limiter {
            limiter.charge(now.as_millis())?;
        }
        self.usage.tokens += 1;
        Ok(())
    }

    /// The sandbox's own calls, which no real server has
    fn own(&mut self, method: Method, path: &[&str], target: &Target) -> Response {
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
            _ => {
                let message = json!(format!("Cannot {method} {}", target.path));
                return http::refused(&Refusal::framework(404, "Not Found", &message), self.settings.profile);
            }
        };
        http::json(200, body.to_string())
    }
}
