//! Which request goes where.
//!
//! Paths match without regard to case and with or without a trailing `/`.

pub mod agreements;
pub mod appeals;
pub mod companies;
pub mod gifts;
pub mod gocardless;
pub mod health;
pub mod households;
pub mod metrics;
pub mod opportunities;
pub mod payouts;
pub mod people;
pub mod process;
pub mod query;
pub mod ready;
pub mod staging;
pub mod stripe;

use std::cell::OnceCell;

use serde_json::{Map, Value};
use twenty::RecordId;

use crate::failure::Failure;
use crate::gift::no_id;
use crate::http::{Inbound, decode_segment, may_hold_token, shown, split_at_byte};
use crate::intake::store;
use crate::json::at;
use crate::payload::Payload;
use crate::provider::gocardless::Notice;
use crate::refusal::{Refusal, Status};
use crate::scope::Scope;

/// What a route answers: status and body; a text is sent as it is
pub type Reply = (u16, Value);

/// A request as a route sees it
#[derive(Debug)]
pub struct Ask<'a> {
    /// As it came
    pub inbound: &'a Inbound,
    /// The ids in its path, decoded
    pub ids: Vec<String>,
    /// The parameters of its query, decoded, without the token
    pub query: Vec<(String, String)>,
    /// The events of a batch, once they are checked and read: a large one is not read anew at each run of the rules
    pub batch: OnceCell<Vec<Notice>>,
}

impl Ask<'_> {
    /// The id at this place of the path, counted from 0
    #[must_use]
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    /// The id at this place of the path, which must not be blank; `name` is how a refusal calls it
    ///
    /// # Errors
    /// It is blank.
    pub fn present_id(&self, at: usize, name: &str) -> Result<&str, Refusal> {
        let id = self.id(at).trim();
        if id.is_empty() { Err(Refusal::bad(format!("{name} must not be empty"))) } else { Ok(id) }
    }

    /// The id of a record at this place of the path; `name` is how a refusal calls it
    ///
    /// # Errors
    /// It is none.
    pub fn record_id(&self, at: usize, name: &str) -> Result<RecordId, Refusal> {
        record_id(name, self.id(at))
    }

    /// The body, if it is JSON by its type
    #[must_use]
    pub fn json(&self) -> &[u8] {
        let kind = self.inbound.header("content-type").unwrap_or_default();
        let kind = split_at_byte(kind, b';').0.trim();
        if kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json") { &self.inbound.body } else { b"" }
    }

    /// The caller's `Idempotency-Key`
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.inbound.header("idempotency-key").map(str::trim).filter(|key| !key.is_empty())
    }

    /// The body as an object; `otherwise` is what a list is told
    ///
    /// # Errors
    /// It is no JSON, or no object.
    pub fn object(&self, otherwise: &str) -> Result<Map<String, Value>, Refusal> {
        let payload = Payload::read(self.json(), otherwise)?;
        let mut object = Map::new();
        for (key, value) in payload.iter() {
            object.insert(key.to_owned(), value.clone());
        }
        Ok(object)
    }
}

/// A route by what it does
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// None
    Unknown,
    /// `GET /health`
    Health,
    /// `GET /ready`
    Ready,
    /// `GET /metrics`
    Metrics,
    /// `POST /gifts`
    GiftCreate,
    /// `GET /gifts`
    GiftList,
    /// `GET /gifts/:id`
    GiftGet,
    /// `PATCH /gifts/:id`
    GiftUpdate,
    /// `DELETE /gifts/:id`
    GiftDelete,
    /// `POST /people/duplicates`
    PeopleDuplicates,
    /// `GET /people/:id`
    PersonGet,
    /// `GET /companies/search`
    CompanySearch,
    /// `GET /opportunities/search`
    OpportunitySearch,
    /// `PATCH /opportunities/:id`
    OpportunityUpdate,
    /// `GET /households`
    HouseholdList,
    /// `POST /households`
    HouseholdCreate,
    /// `GET /households/:id`
    HouseholdGet,
    /// `PATCH /households/:id`
    HouseholdUpdate,
    /// `GET /households/:id/members`
    MemberList,
    /// `POST /households/:id/members`
    MemberAdd,
    /// `DELETE /households/:id/members/:contactId`
    MemberRemove,
    /// `POST /households/:id/copy-address`
    AddressCopy,
    /// `GET /appeals`
    AppealList,
    /// `POST /appeals`
    AppealCreate,
    /// `GET /appeals/:id`
    AppealGet,
    /// `PATCH /appeals/:id`
    AppealUpdate,
    /// `GET /appeals/:id/solicitation-snapshots`
    SnapshotList,
    /// `POST /appeals/:id/solicitation-snapshots`
    SnapshotCreate,
    /// `GET /recurring-agreements`
    AgreementList,
    /// `POST /recurring-agreements`
    AgreementCreate,
    /// `GET /recurring-agreements/:id`
    AgreementGet,
    /// `PATCH /recurring-agreements/:id`
    AgreementUpdate,
    /// `DELETE /recurring-agreements/:id`
    AgreementDelete,
    /// `GET /gift-payouts`
    PayoutList,
    /// `POST /gift-payouts`
    PayoutCreate,
    /// `GET /gift-payouts/:id`
    PayoutGet,
    /// `PATCH /gift-payouts/:id`
    PayoutUpdate,
    /// `POST /gift-payouts/:id/gifts/link`
    PayoutLink,
    /// `POST /gift-payouts/:id/gifts/unlink`
    PayoutUnlink,
    /// `GET /gift-staging`
    StagingList,
    /// `POST /gift-staging`
    StagingCreate,
    /// `POST /gift-staging/process`
    StagingProcessMany,
    /// `GET /gift-staging/:id`
    StagingGet,
    /// `PATCH /gift-staging/:id`
    StagingUpdate,
    /// `PATCH /gift-staging/:id/status`
    StagingStatus,
    /// `POST /gift-staging/:id/process`
    StagingProcess,
    /// `POST /webhooks/stripe`
    Stripe,
    /// `POST /webhooks/gocardless`
    GoCardless,
}

/// Method, pattern below the prefix (`:` is an id), and the route
const TABLE: &[(&str, &str, Route)] = &[
    ("POST", "gifts", Route::GiftCreate),
    ("GET", "gifts", Route::GiftList),
    ("GET", "gifts/:", Route::GiftGet),
    ("PATCH", "gifts/:", Route::GiftUpdate),
    ("DELETE", "gifts/:", Route::GiftDelete),
    ("POST", "people/duplicates", Route::PeopleDuplicates),
    ("GET", "people/:", Route::PersonGet),
    ("GET", "companies/search", Route::CompanySearch),
    ("GET", "opportunities/search", Route::OpportunitySearch),
    ("PATCH", "opportunities/:", Route::OpportunityUpdate),
    ("GET", "households", Route::HouseholdList),
    ("POST", "households", Route::HouseholdCreate),
    ("GET", "households/:", Route::HouseholdGet),
    ("PATCH", "households/:", Route::HouseholdUpdate),
    ("GET", "households/:/members", Route::MemberList),
    ("POST", "households/:/members", Route::MemberAdd),
    ("DELETE", "households/:/members/:", Route::MemberRemove),
    ("POST", "households/:/copy-address", Route::AddressCopy),
    ("GET", "appeals", Route::AppealList),
    ("POST", "appeals", Route::AppealCreate),
    ("GET", "appeals/:", Route::AppealGet),
    ("PATCH", "appeals/:", Route::AppealUpdate),
    ("GET", "appeals/:/solicitation-snapshots", Route::SnapshotList),
    ("POST", "appeals/:/solicitation-snapshots", Route::SnapshotCreate),
    ("GET", "recurring-agreements", Route::AgreementList),
    ("POST", "recurring-agreements", Route::AgreementCreate),
    ("GET", "recurring-agreements/:", Route::AgreementGet),
    ("PATCH", "recurring-agreements/:", Route::AgreementUpdate),
    ("DELETE", "recurring-agreements/:", Route::AgreementDelete),
    ("GET", "gift-payouts", Route::PayoutList),
    ("POST", "gift-payouts", Route::PayoutCreate),
    ("GET", "gift-payouts/:", Route::PayoutGet),
    ("PATCH", "gift-payouts/:", Route::PayoutUpdate),
    ("POST", "gift-payouts/:/gifts/link", Route::PayoutLink),
    ("POST", "gift-payouts/:/gifts/unlink", Route::PayoutUnlink),
    ("GET", "gift-staging", Route::StagingList),
    ("POST", "gift-staging", Route::StagingCreate),
    ("POST", "gift-staging/process", Route::StagingProcessMany),
    ("GET", "gift-staging/:", Route::StagingGet),
    ("PATCH", "gift-staging/:", Route::StagingUpdate),
    ("PATCH", "gift-staging/:/status", Route::StagingStatus),
    ("POST", "gift-staging/:/process", Route::StagingProcess),
    ("POST", "webhooks/stripe", Route::Stripe),
    ("POST", "webhooks/gocardless", Route::GoCardless),
    ("GET", "health", Route::Health),
    ("GET", "ready", Route::Ready),
    ("GET", "metrics", Route::Metrics),
];

impl Route {
    /// Method and pattern, for metrics and logs
    #[must_use]
    pub fn name(self) -> (&'static str, &'static str) {
        TABLE
            .iter()
            .find(|(_, _, route)| *route == self)
            .map_or(("", "unknown"), |(method, pattern, _)| (method, pattern))
    }

    /// Whether it reads a body
    pub(crate) fn takes_body(self) -> bool {
        matches!(self.name().0, "POST" | "PATCH")
    }

    /// Calls to Twenty that a request of this route makes as a rule, for one with an `Idempotency-Key` or without: what it
    /// keeps of the budget while it lasts
    pub(crate) const fn expected_calls(self, is_keyed: bool) -> u32 {
        match self {
            Self::GiftCreate if is_keyed => 7,
            Self::Stripe | Self::GoCardless => 7,
            Self::GiftCreate => 6,
            Self::MemberRemove | Self::AddressCopy => 4,
            Self::StagingProcess => 8,
            Self::MemberAdd | Self::StagingCreate | Self::StagingUpdate => 3,
            Self::StagingStatus => 2,
            _ => 1,
        }
    }

    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Health | Self::Ready | Self::Metrics)
    }
}

/// Where a request goes
#[derive(Debug)]
pub struct Way {
    /// To this route
    pub route: Route,
    /// With these ids
    pub ids: Result<Vec<String>, Refusal>,
    /// Whether it must bring a token
    pub needs_token: bool,
    /// Whether it proves itself by a signature, and no token of its own counts
    pub is_webhook: bool,
}

/// Finds the way of a request by its method and its encoded path; a `HEAD` goes where the `GET` goes.
#[must_use]
pub fn find(method: &str, path: &str) -> Way {
    let method = if method == "HEAD" { "GET" } else { method };
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let mut segments = trimmed.split('/').skip(1);
    let mut under_prefix = segments.clone();
    let has_prefix = ["api", "fundraising"]
        .iter()
        .all(|part| under_prefix.next().is_some_and(|segment| segment.eq_ignore_ascii_case(part)));
    if has_prefix {
        segments = under_prefix;
    }
    let is_webhook =
        has_prefix && segments.clone().next().is_some_and(|first| first.to_ascii_lowercase().starts_with("webhooks"));
    let needs_token = has_prefix && !is_webhook && method != "OPTIONS";
    let found = TABLE.iter().filter(|(own, _, route)| *own == method && route.is_open() != has_prefix);
    for (_, pattern, route) in found {
        if let Some(ids) = matched(pattern, segments.clone()) {
            let ids = ids.iter().map(|id| {
                decode_segment(id).ok_or_else(|| Refusal::bad(format!("Failed to decode param '{}'", shown(id))))
            });
            return Way { route: *route, ids: ids.collect(), needs_token, is_webhook };
        }
    }
    Way { route: Route::Unknown, ids: Ok(Vec::new()), needs_token, is_webhook }
}

fn matched<'a>(pattern: &str, mut segments: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let mut ids = Vec::new();
    for part in pattern.split('/') {
        let segment = segments.next()?;
        if part == ":" {
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
pub async fn run(scope: &Scope<'_>, route: Route, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let query = &ask.query;
    match route {
        Route::Unknown => Err(unknown(ask.inbound)),
        Route::Health => Ok(health::alive()),
        Route::Ready => Ok(ready::check(scope).await),
        Route::Metrics => Ok(metrics::show(scope)),
        Route::GiftCreate => gifts::create(scope, ask.json(), ask.key()).await,
        Route::GiftList => gifts::list(scope, &query::list(query)?).await,
        Route::GiftGet => gifts::get(scope, ask).await,
        Route::GiftUpdate => gifts::patch(scope, ask).await,
        Route::GiftDelete => gifts::delete(scope, ask).await,
        Route::PeopleDuplicates => people::duplicates(scope, ask).await,
        Route::PersonGet => people::get(scope, ask).await,
        Route::CompanySearch => companies::search(scope, ask).await,
        Route::OpportunitySearch => opportunities::search(scope, ask).await,
        Route::OpportunityUpdate => opportunities::update(scope, ask).await,
        Route::HouseholdList => households::list(scope, ask).await,
        Route::HouseholdCreate => households::create(scope, ask).await,
        Route::HouseholdGet => households::get(scope, ask).await,
        Route::HouseholdUpdate => households::update(scope, ask).await,
        Route::MemberList => households::members(scope, ask).await,
        Route::MemberAdd => households::add_member(scope, ask).await,
        Route::MemberRemove => households::remove_member(scope, ask).await,
        Route::AddressCopy => households::copy_address(scope, ask).await,
        Route::AppealList => appeals::list(scope, ask).await,
        Route::AppealCreate => appeals::create(scope, ask).await,
        Route::AppealGet => appeals::get(scope, ask).await,
        Route::AppealUpdate => appeals::update(scope, ask).await,
        Route::SnapshotList => appeals::snapshots(scope, ask).await,
        Route::SnapshotCreate => appeals::add_snapshot(scope, ask).await,
        Route::AgreementList => agreements::list(scope, ask).await,
        Route::AgreementCreate => agreements::create(scope, ask).await,
        Route::AgreementGet => agreements::get(scope, ask).await,
        Route::AgreementUpdate => agreements::update(scope, ask).await,
        Route::AgreementDelete => agreements::delete(scope, ask).await,
        Route::PayoutList => payouts::list(scope, ask).await,
        Route::PayoutCreate => payouts::create(scope, ask).await,
        Route::PayoutGet => payouts::get(scope, ask).await,
        Route::PayoutUpdate => payouts::update(scope, ask).await,
        Route::PayoutLink => payouts::link(scope, ask, true).await,
        Route::PayoutUnlink => payouts::link(scope, ask, false).await,
        Route::StagingList => staging::list(scope, query).await,
        Route::StagingCreate => staging::create(scope, ask.json(), ask.key()).await,
        Route::StagingProcessMany => process::many(scope, ask.json()).await,
        Route::StagingGet => staging::get(scope, ask).await,
        Route::StagingUpdate => staging::patch(scope, ask).await,
        Route::StagingStatus => staging::status(scope, ask).await,
        Route::StagingProcess => process::one(scope, ask).await,
        Route::Stripe => stripe::receive(scope, ask).await,
        Route::GoCardless => gocardless::receive(scope, ask).await,
    }
}

/// Says that there is no such route, without a token that stood in the query.
fn unknown(inbound: &Inbound) -> Failure {
    let (path, query) = split_at_byte(&inbound.target, b'?');
    let mut target = shown(path).to_owned();
    let mut mark = '?';
    for part in query.split('&').filter(|part| !part.is_empty() && !may_hold_token(part)) {
        target.push(mark);
        target.push_str(part);
        mark = '&';
    }
    Refusal::new(Status::NotFound, format!("Cannot {} {target}", inbound.method)).into()
}

/// Reads the id of a record; `name` is how a refusal calls it
///
/// # Errors
/// It is none.
pub(crate) fn record_id(name: &str, text: &str) -> Result<RecordId, Refusal> {
    text.parse().map_err(|_| no_id(name))
}

/// Takes an answer on if `data` holds what it should; `missing` is how a failure calls it.
pub(crate) fn having(answer: Value, key: &str, is_list: bool, missing: &str) -> Result<Value, Failure> {
    let value = at(&answer, &["data", key]);
    let fits = value.is_some_and(|value| if is_list { value.is_array() } else { store::has_id(value) });
    if fits { Ok(answer) } else { Err(Failure::malformed(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_without_regard_to_case_and_with_a_trailing_slash() {
        for (method, path, route, ids) in [
            ("GET", "/api/fundraising/gifts", Route::GiftList, &[][..]),
            ("GET", "/API/Fundraising/Gifts/", Route::GiftList, &[]),
            ("GET", "/api/fundraising/gifts/A%2Fb%20c", Route::GiftGet, &["A/b c"]),
            ("POST", "/api/fundraising/gift-staging/process", Route::StagingProcessMany, &[]),
            ("POST", "/api/fundraising/gift-staging/x/Process/", Route::StagingProcess, &["x"]),
            ("DELETE", "/api/fundraising/households/h/members/C", Route::MemberRemove, &["h", "C"]),
            ("GET", "/Health/", Route::Health, &[]),
            ("GET", "/api/fundraising/health", Route::Unknown, &[]),
            ("GET", "/gifts", Route::Unknown, &[]),
            ("PUT", "/api/fundraising/gifts/x", Route::Unknown, &[]),
            ("GET", "/api/fundraising/gifts/x/y", Route::Unknown, &[]),
            ("GET", "/api/fundraising//gifts", Route::Unknown, &[]),
        ] {
            let way = find(method, path);
            assert_eq!(
                (way.route, way.ids.unwrap()),
                (route, ids.iter().map(|id| (*id).to_owned()).collect()),
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

    #[test]
    fn every_route_has_a_name() {
        for (_, pattern, route) in TABLE {
            let _ = pattern;
            assert_ne!(route.name().1, "unknown");
        }
    }
}
