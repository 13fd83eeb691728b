//! The service of one process: a request in, an answer out.

use std::rc::Rc;

use fundraising::client_error::{ClientError, Status};
use fundraising::signature;
use ports::time::whole_millis;
use ports::{Level, ServiceHost};
use serde_json::json;
use twenty::rate_limiter::Priority;
use uuid::Builder;

use crate::context::{RequestContext, request_id};
use crate::error::{Error, json_answer, json_text_answer};
use crate::handlers::{health, process};
use crate::head::{self, Head};
use crate::http::{Inbound, Outbound};
use crate::request::{Body, Request, Response, is_json};
use crate::router::{self, Access, RouteMatch};
use crate::settings::{SettingErrors, Settings};
use crate::state::AppState;

/// The service of one process: it answers requests
#[derive(Debug)]
pub struct Service {
    state: AppState,
}

impl Service {
    /// A fresh one
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { state: AppState::new(settings) }
    }

    /// What it keeps between requests
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// How it is set up
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.state.settings
    }

    /// What a server is to do with a request by its head: its body is not looked at
    ///
    /// # Examples
    ///
    /// ```
    /// use proxy::Service;
    /// use proxy::http::Inbound;
    /// use proxy::settings::Settings;
    ///
    /// let service = Service::new(Settings::read(|_| None).unwrap());
    /// let gift = |headers| Inbound {
    ///     method: "POST".into(),
    ///     target: "/api/fundraising/gifts".into(),
    ///     headers,
    ///     ..Inbound::default()
    /// };
    /// assert_eq!(service.head(gift(Vec::new())).max_bytes, 0);
    /// assert_eq!(service.head(gift(vec![("authorization".into(), "Bearer key".into())])).max_bytes, 100 * 1024);
    /// ```
    #[must_use]
    pub fn head(&self, request: Inbound) -> Head {
        let request = request.in_origin_form();
        let found = router::find(&request.method, request.path());
        let token = bearer(&request).or_else(|| query_token(&request.query()));
        Head::of(&request, &found, token.is_some_and(|token| is_sendable(&token)), &self.state.settings)
    }

    /// Answers a request; the host is the outside of this request alone.
    pub async fn handle(&self, host: &dyn ServiceHost, request: Inbound) -> Outbound {
        let began = host.now();
        let request = request.in_origin_form();
        let mut query = request.query();
        let found = router::find(&request.method, request.path());
        let credentials = self.credentials(&request, &query, &found);
        let token = credentials.as_ref().ok().cloned().flatten();
        let cx = RequestContext::new(&self.state, host, &request, token, priority(&request, &found));
        let is_keyed = request.header("idempotency-key").is_some();
        cx.place.expect(found.route.map_or(1, |route| route.expected_calls(is_keyed)));

        let mut answer = match credentials {
            Err(message) => json_answer(401, &json!({ "message": message })),
            Ok(_) if head::is_too_large(&request, found.access()) => {
                json_answer(413, &json!({ "statusCode": 413, "message": "request entity too large" }))
            }
            Ok(_) => {
                query.retain(|(name, _)| name != "token");
                match respond(&cx, &found, &request, query).await {
                    Ok(response) => outbound(response),
                    // Without its body a request lacks whatever the route needs, and would be told of that alone.
                    Err(error) => error.to_outbound(is_unread(&request, &found).then_some(NOT_JSON)),
                }
            }
        };
        let (method, pattern) = found.name();
        self.state.metrics.count_answer(method, pattern, answer.status);
        if self.state.settings.log_level <= Level::Debug {
            let fields = [
                ("method", method.into()),
                ("route", pattern.into()),
                ("status", answer.status.into()),
                ("durationMs", whole_millis(host.now().since(began)).into()),
            ];
            cx.log(Level::Debug, "request_answered", &fields);
        }
        answer.headers.push(("x-request-id".into(), cx.request_id.clone()));
        if found.access() != Access::Open {
            // Donors' data stays out of caches between here and the caller.
            answer.headers.push(("cache-control".into(), "no-store".into()));
        }
        if request.method == "HEAD" {
            answer.headers.push(("content-length".into(), answer.body.len().to_string()));
            answer.body.clear();
        }
        answer
    }

    /// The caller's token, if the route goes by it; else why the request is refused
    fn credentials(
        &self,
        request: &Inbound,
        query: &[(String, String)],
        found: &RouteMatch,
    ) -> Result<Option<String>, &'static str> {
        let presented = bearer(request).or_else(|| query_token(query));
        if let Some(secret) = self.state.settings.metrics_token.as_deref().filter(|_| found.is("GET", "/metrics")) {
            let is_right = presented.as_deref().is_some_and(|token| signature::is_secret(token, secret));
            return match presented {
                _ if is_right => Ok(None),
                None => Err("Missing authentication token"),
                Some(_) => Err("Invalid authentication token"),
            };
        }
        // Webhooks and `/ready` use the service token, never the caller's.
        let is_own = found.is_webhook || found.is("GET", "/ready");
        match presented {
            None if found.needs_token => Err("Missing authentication token"),
            Some(token) if found.needs_token && !is_sendable(&token) => Err("Invalid authentication token"),
            token => Ok(token.filter(|_| !is_own)),
        }
    }
}

const NOT_JSON: &str = "the body was not read: its content-type is not application/json";

/// Whether the body was sent as something that the route does not read
fn is_unread(request: &Inbound, found: &RouteMatch) -> bool {
    !request.body.is_empty() && found.access() == Access::Caller && !is_json(request)
}

fn priority(request: &Inbound, found: &RouteMatch) -> Priority {
    if found.is_webhook {
        Priority::Webhook
    } else if found.is("POST", "/gift-staging/process") && process::is_job(&request.body) {
        Priority::Job
    } else {
        Priority::Person
    }
}

async fn respond(
    cx: &RequestContext<'_>,
    found: &RouteMatch,
    inbound: &Inbound,
    query: Vec<(String, String)>,
) -> Result<Response, Error> {
    let ids = found.ids.clone()?;
    let texts = query.iter().flat_map(|(name, value)| [name, value]).chain(&ids);
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err(ClientError::bad("the path and the query must not contain NUL characters").into());
    }
    router::run(cx, found, &Request { inbound, ids, query }).await
}

/// Answers a request where the settings cannot be read: 503 with their names, and `/health` as ever. Values stay out of
/// the answer, which anybody may read.
#[must_use]
pub fn refuse(errors: &SettingErrors, request: &Inbound) -> Outbound {
    let path = request.clone().in_origin_form();
    let mut answer = if router::find(&request.method, path.path()).is("GET", "/health") {
        outbound(health::status())
    } else {
        let message = format!("{} cannot be read", errors.names());
        json_answer(503, &ClientError::new(Status::ServiceUnavailable, message).to_json())
    };
    let id = request_id(request).unwrap_or_else(|| Builder::from_u128(request.entropy).into_uuid().to_string());
    answer.headers.push(("x-request-id".into(), id));
    answer
}

fn outbound(Response { status, body }: Response) -> Outbound {
    match body {
        Body::Empty => Outbound { status, ..Outbound::default() },
        Body::Text(text) => Outbound {
            status,
            headers: vec![("content-type".into(), "text/plain; version=0.0.4; charset=utf-8".into())],
            body: text.into_bytes(),
        },
        Body::Json(body) => json_answer(status, &body),
        Body::Passed(text) => json_text_answer(status, Rc::unwrap_or_clone(text)),
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
