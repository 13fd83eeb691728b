//! Which request goes where.
//!
//! Paths match without regard to case and with or without a trailing `/`.

use std::pin::Pin;

use fundraising::client_error::{ClientError, Status};
use fundraising::provider::Provider;

use crate::context::RequestContext;
use crate::error::Error;
use crate::handlers::{
    agreements, appeals, companies, gifts, gocardless, health, households, metrics, opportunities, payouts, people,
    process, ready, staging, stripe,
};
use crate::http::{Inbound, decode_segment, may_hold_token, shown, split_at_byte};
use crate::request::{Request, Response};

/// Path under which all routes lie that are not open
const PREFIX: [&str; 2] = ["api", "fundraising"];

/// A handler's response to come
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + 'a>>;

/// What answers the requests of a route
pub type Handler = for<'a> fn(&'a RequestContext<'a>, &'a Request<'a>) -> Answer<'a>;

/// Who may call a route
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Callers with a token that Twenty accepts
    Caller,
    /// A payment provider, by its signature
    Webhook(Provider),
    /// Everybody; the route does not lie under the prefix
    Open,
}

/// One route
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// HTTP method
    pub method: &'static str,
    /// Path below the prefix; a segment that begins with `:` stands for an id
    pub pattern: &'static str,
    /// Who may call it
    pub access: Access,
    /// What answers it
    pub handler: Handler,
    expected_calls: u32,
    /// Likewise, of a request with an `Idempotency-Key`
    expected_calls_with_key: u32,
}

macro_rules! handler {
    ($function:path) => {
        |context, request| Box::pin($function(context, request))
    };
}

const fn route(method: &'static str, pattern: &'static str, access: Access, handler: Handler) -> Route {
    Route { method, pattern, access, handler, expected_calls: 1, expected_calls_with_key: 1 }
}

const fn get(pattern: &'static str, handler: Handler) -> Route {
    route("GET", pattern, Access::Caller, handler)
}

const fn post(pattern: &'static str, handler: Handler) -> Route {
    route("POST", pattern, Access::Caller, handler)
}

const fn patch(pattern: &'static str, handler: Handler) -> Route {
    route("PATCH", pattern, Access::Caller, handler)
}

const fn delete(pattern: &'static str, handler: Handler) -> Route {
    route("DELETE", pattern, Access::Caller, handler)
}

const fn webhook(pattern: &'static str, provider: Provider, handler: Handler) -> Route {
    route("POST", pattern, Access::Webhook(provider), handler)
}

const fn open(pattern: &'static str, handler: Handler) -> Route {
    route("GET", pattern, Access::Open, handler)
}

/// All routes; `calls` is how many calls to Twenty a request of the route makes as a rule, and `calls_with_key` how many
/// one with an `Idempotency-Key`, where what the key stands for is looked up first
pub const ROUTES: &[Route] = &[
    post("/gifts", handler!(gifts::create)).calls(6).calls_with_key(7),
    get("/gifts", handler!(gifts::list)),
    get("/gifts/:id", handler!(gifts::get)),
    patch("/gifts/:id", handler!(gifts::patch)),
    delete("/gifts/:id", handler!(gifts::delete)),
    post("/people/duplicates", handler!(people::duplicates)),
    get("/people/:id", handler!(people::get)),
    get("/companies/search", handler!(companies::search)),
    get("/opportunities/search", handler!(opportunities::search)),
    patch("/opportunities/:id", handler!(opportunities::update)),
    get("/households", handler!(households::list)),
    post("/households", handler!(households::create)),
    get("/households/:id", handler!(households::get)),
    patch("/households/:id", handler!(households::update)),
    get("/households/:id/members", handler!(households::members)),
    post("/households/:id/members", handler!(households::add_member)).calls(3),
    delete("/households/:id/members/:contactId", handler!(households::remove_member)).calls(4),
    post("/households/:id/copy-address", handler!(households::copy_address)).calls(4),
    get("/appeals", handler!(appeals::list)),
    post("/appeals", handler!(appeals::create)),
    get("/appeals/:id", handler!(appeals::get)),
    patch("/appeals/:id", handler!(appeals::update)),
    get("/appeals/:id/solicitation-snapshots", handler!(appeals::snapshots)),
    post("/appeals/:id/solicitation-snapshots", handler!(appeals::add_snapshot)),
    get("/recurring-agreements", handler!(agreements::list)),
    post("/recurring-agreements", handler!(agreements::create)),
    get("/recurring-agreements/:id", handler!(agreements::get)),
    patch("/recurring-agreements/:id", handler!(agreements::update)),
    delete("/recurring-agreements/:id", handler!(agreements::delete)),
    get("/gift-payouts", handler!(payouts::list)),
    post("/gift-payouts", handler!(payouts::create)),
    get("/gift-payouts/:id", handler!(payouts::get)),
    patch("/gift-payouts/:id", handler!(payouts::update)),
    post("/gift-payouts/:id/gifts/link", handler!(payouts::link)),
    post("/gift-payouts/:id/gifts/unlink", handler!(payouts::unlink)),
    get("/gift-staging", handler!(staging::list)),
    post("/gift-staging", handler!(staging::create)).calls(3),
    post("/gift-staging/process", handler!(process::many)),
    get("/gift-staging/:id", handler!(staging::get)),
    patch("/gift-staging/:id", handler!(staging::patch)).calls(3),
    patch("/gift-staging/:id/status", handler!(staging::status)).calls(2),
    post("/gift-staging/:id/process", handler!(process::one)).calls(8),
    webhook("/webhooks/stripe", Provider::Stripe, handler!(stripe::receive)).calls(7),
    webhook("/webhooks/gocardless", Provider::GoCardless, handler!(gocardless::receive)).calls(7),
    open("/health", handler!(health::alive)),
    open("/ready", handler!(ready::check)),
    open("/metrics", handler!(metrics::show)),
];

impl Route {
    const fn calls(mut self, expected: u32) -> Self {
        self.expected_calls = expected;
        self.expected_calls_with_key = expected;
        self
    }

    const fn calls_with_key(mut self, expected: u32) -> Self {
        self.expected_calls_with_key = expected;
        self
    }

    /// Whether it reads a body
    pub(crate) fn takes_body(&self) -> bool {
        matches!(self.method, "POST" | "PATCH")
    }

    /// Calls to Twenty that a request of this route makes as a rule: what it keeps of the budget while it lasts
    pub(crate) fn expected_calls(&self, is_keyed: bool) -> u32 {
        if is_keyed { self.expected_calls_with_key } else { self.expected_calls }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.access == Access::Open
    }

    /// Whether it is the route of this method and pattern
    pub(crate) fn is(&self, method: &str, pattern: &str) -> bool {
        self.method == method && self.pattern == pattern
    }
}

/// Where a request goes
#[derive(Debug)]
pub struct RouteMatch {
    /// To this route; nothing where there is none
    pub route: Option<&'static Route>,
    /// The ids in its path, decoded
    pub ids: Result<Vec<String>, ClientError>,
    /// Whether it must bring a token
    pub needs_token: bool,
    /// Whether it proves itself by a signature, and no token of its own counts
    pub is_webhook: bool,
}

impl RouteMatch {
    /// The route's access; that of a caller where there is no route
    pub(crate) fn access(&self) -> Access {
        self.route.map_or(Access::Caller, |route| route.access)
    }

    /// Whether it is the route of this method and pattern
    pub(crate) fn is(&self, method: &str, pattern: &str) -> bool {
        self.route.is_some_and(|route| route.is(method, pattern))
    }

    /// Method, and pattern without its first `/`, for metrics and logs
    #[must_use]
    pub fn name(&self) -> (&'static str, &'static str) {
        self.route.map_or(("", "unknown"), |route| (route.method, route.pattern.trim_start_matches('/')))
    }
}

/// Finds the route of a request by its method and its encoded path; a `HEAD` goes where the `GET` goes.
///
/// # Examples
///
/// ```
/// let found = proxy::router::find("GET", "/api/fundraising/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10");
/// assert_eq!(found.name(), ("GET", "gifts/:id"));
/// ```
#[must_use]
pub fn find(method: &str, path: &str) -> RouteMatch {
    let method = if method == "HEAD" { "GET" } else { method };
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let mut segments = trimmed.split('/').skip(1);
    let mut under_prefix = segments.clone();
    let has_prefix =
        PREFIX.iter().all(|part| under_prefix.next().is_some_and(|segment| segment.eq_ignore_ascii_case(part)));
    if has_prefix {
        segments = under_prefix;
    }
    let is_webhook =
        has_prefix && segments.clone().next().is_some_and(|first| first.to_ascii_lowercase().starts_with("webhooks"));
    let needs_token = has_prefix && !is_webhook && method != "OPTIONS";
    let candidates = ROUTES.iter().filter(|route| route.method == method && route.is_open() != has_prefix);
    for route in candidates {
        if let Some(ids) = matched(route.pattern, segments.clone()) {
            let ids = ids.iter().map(|id| {
                decode_segment(id).ok_or_else(|| ClientError::bad(format!("Failed to decode param '{}'", shown(id))))
            });
            return RouteMatch { route: Some(route), ids: ids.collect(), needs_token, is_webhook };
        }
    }
    RouteMatch { route: None, ids: Ok(Vec::new()), needs_token, is_webhook }
}

fn matched<'a>(pattern: &str, mut segments: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let mut ids = Vec::new();
    for part in pattern.split('/').skip(1) {
        let segment = segments.next()?;
        if part.starts_with(':') {
            ids.push(segment);
            if segment.is_empty() {
                return None;
            }
        } else if !segment.eq_ignore_ascii_case(part) {
            return None;
        }
    }
    segments.next().is_none().then_some(ids)
}

/// Answers a request.
///
/// # Errors
/// Whatever keeps it from being answered as asked.
pub async fn run(context: &RequestContext<'_>, found: &RouteMatch, request: &Request<'_>) -> Result<Response, Error> {
    match found.route {
        Some(route) => (route.handler)(context, request).await,
        None => Err(not_found(request.inbound)),
    }
}

/// There is no such route; a token that stands in the query is left out.
fn not_found(inbound: &Inbound) -> Error {
    let (path, query) = split_at_byte(&inbound.target, b'?');
    let mut target = shown(path).to_owned();
    let mut mark = '?';
    for part in query.split('&').filter(|part| !part.is_empty() && !may_hold_token(part)) {
        target.push(mark);
        target.push_str(part);
        mark = '&';
    }
    ClientError::new(Status::NotFound, format!("Cannot {} {target}", inbound.method)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths match without regard to case and with a trailing slash.
    #[test]
    fn paths_as_written() {
        for (method, path, route, ids) in [
            ("GET", "/api/fundraising/gifts", "GET gifts", &[][..]),
            ("GET", "/API/Fundraising/Gifts/", "GET gifts", &[]),
            ("GET", "/api/fundraising/gifts/A%2Fb%20c", "GET gifts/:id", &["A/b c"]),
            ("POST", "/api/fundraising/gift-staging/process", "POST gift-staging/process", &[]),
            ("POST", "/api/fundraising/gift-staging/x/Process/", "POST gift-staging/:id/process", &["x"]),
            (
                "DELETE",
                "/api/fundraising/households/h/members/C",
                "DELETE households/:id/members/:contactId",
                &["h", "C"],
            ),
            ("GET", "/Health/", "GET health", &[]),
            ("GET", "/api/fundraising/health", " unknown", &[]),
            ("GET", "/gifts", " unknown", &[]),
            ("PUT", "/api/fundraising/gifts/x", " unknown", &[]),
            ("GET", "/api/fundraising/gifts/x/y", " unknown", &[]),
            ("GET", "/api/fundraising//gifts", " unknown", &[]),
        ] {
            let found = find(method, path);
            let (method, pattern) = found.name();
            assert_eq!(
                (format!("{method} {pattern}"), found.ids.unwrap()),
                (route.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect()),
                "{path}"
            );
        }
    }

    #[test]
    fn only_webhooks_and_probes_need_no_token() {
        for (method, path, needed) in [
            ("GET", "/api/fundraising/no-such-thing", true),
            ("OPTIONS", "/api/fundraising/gifts", false),
            ("GET", "/API/fundraising/Webhooks/unknown", false),
            ("GET", "/health", false),
            ("GET", "/metrics", false),
        ] {
            assert_eq!(find(method, path).needs_token, needed, "{method} {path}");
        }
    }

    #[test]
    fn a_broken_escape_is_named() {
        let refusal = find("GET", "/api/fundraising/gifts/%E0%A4%A").ids.unwrap_err();
        assert_eq!(refusal.message, "Failed to decode param '%E0%A4%A'");
    }
}
