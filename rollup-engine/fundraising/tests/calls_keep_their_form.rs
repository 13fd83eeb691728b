//! No sequence of requests makes the service send Twenty a path outside the allowed forms.
//!
//! Callers, payment providers and Twenty itself give ids that are none: dots, slashes, escapes, queries, brackets of the
//! filter language. Twenty's answers are made up, so that rows and records hold such ids too. The forms are written down
//! here anew, and not taken from the code that makes the paths.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use fundraising::http::Inbound;
use fundraising::proxy::Proxy;
use fundraising::settings::Settings;
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use twenty::{Event, Host, Request, Response, Timestamp, Unreachable};

const NOON: i64 = 1_780_272_000_000;
const SECRET: &str = "whsec_forms";
const BASE: &str = "http://twenty.test/rest";
const GOOD: [&str; 2] = ["5d95a5ea-e730-4ebb-8ade-a8b2023da9ce", "26ac8b5e-1680-4141-ac69-46d0ef673dd0"];

/// Texts in the place of an id
const HOSTILE: [&str; 24] = [
    ".",
    "..",
    "/",
    "%2e",
    "%2F",
    "%252F",
    "../people",
    "./",
    "?",
    "?filter=id[is]:NOT_NULL",
    "#",
    "x?soft_delete=false",
    "x],or(id[is]:NOT_NULL",
    "\"),or(id[is]:NOT_NULL",
    "{5d95a5ea-e730-4ebb-8ade-a8b2023da9ce}",
    "urn:uuid:5d95a5ea-e730-4ebb-8ade-a8b2023da9ce",
    "5d95a5eae7304ebb8adea8b2023da9ce",
    "5d95a5ea-e730-4ebb-8ade-a8b2023da9ce/..",
    "5d95a5ea-e730-4ebb-8ade-a8b2023da9ce?",
    "batch",
    "duplicates",
    "\u{ff0e}",
    "日本",
    "1",
];

/// Objects of the model, in the singular and in the plural
const OBJECTS: [(&str, &str); 9] = [
    ("gift", "gifts"),
    ("giftStaging", "giftStagings"),
    ("person", "people"),
    ("company", "companies"),
    ("household", "households"),
    ("opportunity", "opportunities"),
    ("appeal", "appeals"),
    ("recurringAgreement", "recurringAgreements"),
    ("giftPayout", "giftPayouts"),
];
const READ_OR_MADE: [&str; 2] = ["giftAidDeclarations", "solicitationSnapshots"];

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

fn is_plural(word: &str) -> bool {
    OBJECTS.iter().any(|(_, plural)| *plural == word) || READ_OR_MADE.contains(&word)
}

/// The ids that a filter begins with, and the rest of it
fn named(filter: &str) -> Option<(&str, &str)> {
    match filter.strip_prefix("and(id[in]:[") {
        Some(rest) => rest.split_once(']'),
        None => filter.strip_prefix("and(id[eq]:\"")?.split_once('"'),
    }
}

/// `and(id[in]:[…],…)` or `and(id[eq]:"…",…)`, with nothing but ids between the brackets and no way out of the `and`
fn names_ids(filter: &str) -> bool {
    let Some((ids, rest)) = named(filter) else { return false };
    let depths = rest.chars().scan(1, |depth, letter| {
        *depth += i32::from(letter == '(') - i32::from(letter == ')');
        Some(*depth)
    });
    let depths: Vec<i32> = depths.collect();
    let (last, inner) = depths.split_last().unwrap();
    ids.split(',').all(is_uuid) && *last == 0 && inner.iter().all(|depth| *depth > 0)
}

/// Whether a call is one of the forms that the service may use
fn is_allowed(method: &str, url: &str) -> bool {
    let Some(path) = url.strip_prefix(BASE) else { return false };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let inbound = Inbound { target: format!("/?{query}"), ..Inbound::default() };
    let query = inbound.query();
    let is_only = |name: &str| query.len() == 1 && query[0].0 == name;
    match (method, words.as_slice()) {
        ("GET", ["metadata", "objects"]) => true,
        ("GET" | "POST", [plural]) => is_plural(plural) && (method == "GET" || query.is_empty()),
        ("GET", [plural, id]) => is_plural(plural) && is_uuid(id),
        ("POST", ["people", "duplicates"]) => is_only("depth"),
        ("PATCH", [plural, id]) => is_plural(plural) && is_uuid(id) && query.is_empty(),
        ("PATCH", [plural]) => is_plural(plural) && is_only("filter") && names_ids(&query[0].1),
        ("DELETE", [plural, id]) => {
            is_plural(plural) && is_uuid(id) && (query.is_empty() || (is_only("soft_delete") && query[0].1 == "true"))
        }
        _ => false,
    }
}

/// A Twenty and a `GoCardless` whose answers hold ids that are none
struct Liar {
    draws: RefCell<Vec<usize>>,
    drawn: Cell<usize>,
    sent: RefCell<Vec<(String, String)>>,
}

impl Liar {
    fn draw(&self) -> usize {
        let draws = self.draws.borrow();
        self.drawn.set(self.drawn.get() + 1);
        draws[self.drawn.get() % draws.len()]
    }

    fn id(&self) -> String {
        let all: Vec<&str> = GOOD.iter().chain(&GOOD).chain(&GOOD).chain(&HOSTILE).copied().collect();
        all[self.draw() % all.len()].to_owned()
    }

    fn record(&self) -> Value {
        let states = ["ready_for_process", "pending", "processing", "processed", "process_failed"];
        let mut record = json!({
            "updatedAt": "2026-03-01T12:00:00.000Z", "createdAt": "2026-03-01T12:00:00.000Z", "deletedAt": null,
            "processingStatus": states[self.draw() % states.len()], "status": "active",
            "amount": { "amountMicros": 20_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-01",
            "donorFirstName": "Ada", "donorLastName": "Byron", "donorEmail": "ada@example.org",
            "emails": { "primaryEmail": "ada@example.org" }, "providerPaymentId": self.id(),
        });
        for name in ["id", "donorId", "householdId", "primaryContactId"] {
            record[name] = self.id().into();
        }
        for name in ["companyId", "recurringAgreementId", "giftPayoutId", "opportunityId", "giftId"] {
            if self.draw() % 3 == 0 {
                record[name] = self.id().into();
            }
        }
        let mut payload = record.clone();
        payload["donorId"] = self.id().into();
        record["rawPayload"] = payload.to_string().into();
        if self.draw() % 2 == 0 {
            record["auditTrail"] = json!({ "entries": [] });
        }
        record
    }

    fn answer(&self) -> Value {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        let mut data = json!({});
        for (one, many) in OBJECTS {
            data[one] = self.record();
            data[many] = json!([self.record()]);
            for operation in ["create", "update", "delete", "deleted"] {
                data[format!("{operation}{}", capital(one))] = self.record();
                data[format!("{operation}{}", capital(many))] = json!([self.record()]);
            }
        }
        json!({ "data": data })
    }
}

impl Host for Liar {
    async fn fetch(&self, request: Request) -> Result<Response, Unreachable> {
        let method = request.method.as_str().to_owned();
        let body = if let Some(path) = request.url.strip_prefix("http://gocardless.test/") {
            let (list, id) = path.split_once('/').unwrap();
            let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            assert!(method == "GET" && is_plain && !id.is_empty(), "{method} {}", request.url);
            json!({ list: { "id": id, "amount": 1_000, "currency": "GBP", "metadata": { "recurringAgreementId": self.id() },
                "links": { "mandate": self.id(), "customer": self.id(), "subscription": self.id(), "payment": self.id() } } })
        } else {
            let is_question = request.url.contains("/duplicates");
            self.sent.borrow_mut().push((method, request.url));
            match (is_question, self.draw() % 7) {
                (true, _) => json!({ "data": [{ "personDuplicates": [self.record()] }] }),
                (false, 0) => {
                    let body = json!({ "messages": ["A duplicate entry was detected"] }).to_string().into_bytes();
                    return Ok(Response { status: 400, headers: vec![], body });
                }
                (false, 1) => {
                    return Ok(Response { status: 404, headers: vec![], body: b"{}".to_vec() });
                }
                _ => self.answer(),
            }
        };
        Ok(Response { status: 200, headers: vec![], body: body.to_string().into_bytes() })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOON)
    }

    fn log(&self, _: Event) {}

    fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> {
        None
    }
}

fn proxy(staging: bool) -> Proxy {
    Proxy::new(Settings::read(|name| {
        let value = match name {
            "TWENTY_API_BASE_URL" => BASE,
            "TWENTY_API_KEY" => "key",
            "STRIPE_WEBHOOK_SECRET" | "GOCARDLESS_WEBHOOK_SECRET" => SECRET,
            "GOCARDLESS_ACCESS_TOKEN" => "gc_token",
            "GOCARDLESS_API_URL" => "http://gocardless.test",
            "FUNDRAISING_ENABLE_GIFT_STAGING" if staging => "true",
            "FUNDRAISING_GIFT_AID" => "true",
            "FUNDRAISING_REQUESTS_PER_MINUTE" => "off",
            "FUNDRAISING_CACHE_SECONDS" => "0",
            _ => return None,
        };
        Some(value.to_owned())
    }).unwrap())
}

fn hex_mac(parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

fn ids() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(GOOD.to_vec()).prop_map(str::to_owned),
        3 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,12}|[./%?#\\[\\]\"(),]{0,6}",
    ]
}

/// As a caller may write an id in a path: as it is, encoded, or encoded twice
fn in_a_path() -> impl Strategy<Value = String> {
    (ids(), 0..3_usize).prop_map(|(id, times)| (0..times).fold(id, |id, _| twenty::filter::encode(&id)))
}

fn requests() -> impl Strategy<Value = Inbound> {
    let routes = prop::sample::select(vec![
        ("POST", "gifts"),
        ("GET", "gifts?filter={q}&limit=1"),
        ("GET", "gifts/{p}"),
        ("PATCH", "gifts/{p}"),
        ("DELETE", "gifts/{p}"),
        ("POST", "people/duplicates"),
        ("GET", "people/{p}?depth={q}"),
        ("GET", "companies/search?search={q}"),
        ("GET", "opportunities/search?companyId={q}&stage={q}&orderBy={q}"),
        ("PATCH", "opportunities/{p}"),
        ("POST", "households"),
        ("GET", "households/{p}"),
        ("PATCH", "households/{p}"),
        ("GET", "households/{p}/members?filter={q}"),
        ("POST", "households/{p}/members"),
        ("DELETE", "households/{p}/members/{p}"),
        ("POST", "households/{p}/copy-address"),
        ("GET", "appeals/{p}"),
        ("PATCH", "appeals/{p}"),
        ("GET", "appeals/{p}/solicitation-snapshots"),
        ("POST", "appeals/{p}/solicitation-snapshots"),
        ("POST", "recurring-agreements"),
        ("PATCH", "recurring-agreements/{p}"),
        ("DELETE", "recurring-agreements/{p}"),
        ("GET", "gift-payouts?status={q}"),
        ("POST", "gift-payouts"),
        ("PATCH", "gift-payouts/{p}"),
        ("POST", "gift-payouts/{p}/gifts/link"),
        ("POST", "gift-payouts/{p}/gifts/unlink"),
        ("GET", "gift-staging?recurringAgreementId={q}&giftBatchId={q}&search={q}&cursor={q}"),
        ("POST", "gift-staging"),
        ("POST", "gift-staging/process"),
        ("GET", "gift-staging/{p}"),
        ("PATCH", "gift-staging/{p}"),
        ("PATCH", "gift-staging/{p}/status"),
        ("POST", "gift-staging/{p}/process"),
        ("POST", "webhooks/stripe"),
        ("POST", "webhooks/gocardless"),
    ]);
    let texts = prop::collection::vec(ids(), 12);
    (routes, in_a_path(), in_a_path(), texts, any::<u128>(), any::<[bool; 8]>()).prop_map(
        |((method, route), one, other, texts, entropy, with)| {
            let target = route.replacen("{p}", &one, 1).replacen("{p}", &other, 1);
            let target = target.replace("{q}", &twenty::filter::encode(&texts[0]));
            let body = body(route, &texts, with).to_string().into_bytes();
            let at = (NOON / 1_000).to_string();
            let stripe = format!("t={at},v1={}", hex_mac(&[at.as_bytes(), b".", &body]));
            let headers = vec![
                ("authorization".into(), "Bearer caller".into()),
                ("content-type".into(), "application/json".into()),
                ("stripe-signature".into(), stripe),
                ("webhook-signature".into(), hex_mac(&[&body])),
            ];
            Inbound { method: method.into(), target: format!("/api/fundraising/{target}"), headers, body, entropy }
        },
    )
}

/// A body that gets past the other checks of any route
fn body(route: &str, texts: &[String], with: [bool; 8]) -> Value {
    let id = |at: usize| Value::from(texts[at].as_str());
    if route == "webhooks/stripe" {
        let kinds = ["checkout.session.completed", "invoice.paid", "customer.subscription.updated", "charge.refunded"];
        let kind = kinds[usize::from(with[0]) * 2 + usize::from(with[1])];
        return json!({ "id": id(1), "type": kind, "created": 1_780_272_000, "data": { "object": {
            "id": "cs_1", "mode": if with[2] { "payment" } else { "subscription" }, "payment_status": "paid",
            "status": "active", "payment_intent": id(2), "subscription": id(3), "amount_total": 2_000,
            "amount_paid": 2_000, "amount_refunded": 500, "currency": "gbp",
            "customer_details": { "name": "Ada Byron", "email": "ada@example.org" },
            "metadata": { "recurringAgreementId": id(4), "contactId": id(5) } } } });
    }
    if route == "webhooks/gocardless" {
        let (resource, action) = [("payments", "confirmed"), ("mandates", "cancelled")][usize::from(with[0])];
        return json!({ "events": [{ "id": id(1), "created_at": "2026-03-02T10:00:00Z", "resource_type": resource,
            "action": action, "links": { "payment": "PM1", "mandate": id(2), "payout": id(3) } }] });
    }
    let mut body = json!({
        "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" }, "giftDate": "2026-01-15", "name": "Spring",
        "countSolicited": 5, "stage": "NEW", "mailingAddress": null, "makePrimary": true, "limit": 5,
        "processingStatus": "ready_for_process", "firstName": "Ada", "lastName": "Byron", "contactId": id(1),
    });
    let members = ["donorId", "companyId", "recurringAgreementId", "giftPayoutId", "opportunityId", "primaryContactId"];
    for (at, name) in members.into_iter().enumerate() {
        if with[at] {
            body[name] = id(at + 2);
        }
    }
    if with[6] {
        body["ids"] = json!([id(8), id(9)]);
        body["contact"] = json!({ "firstName": "Ada", "lastName": "Byron", "email": "ada@example.org" });
    }
    if with[7] {
        body["giftIds"] = json!([id(10), id(11)]);
        body["giftIntent"] = "grant".into();
    }
    if route == "gift-payouts" || route == "people/duplicates" {
        body.as_object_mut().unwrap().remove("amount");
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// No sequence of requests makes the client send a path outside the allowed forms.
    #[test]
    fn paths_stay_within_the_allowed_forms(
        requests in prop::collection::vec(requests(), 1..6),
        draws in prop::collection::vec(any::<usize>(), 97),
        staging: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let host = Liar { draws: RefCell::new(draws), drawn: Cell::new(0), sent: RefCell::default() };
        let proxy = proxy(staging);
        runtime.block_on(async {
            for request in requests {
                proxy.handle(&host, request).await;
            }
        });
        for (method, url) in host.sent.take() {
            prop_assert!(is_allowed(&method, &url), "{} {}", method, url);
        }
    }
}

/// The check itself can fail.
#[test]
fn forms_that_are_not_allowed() {
    let id = GOOD[0];
    let filter = |filter: &str| format!("{BASE}/gifts?filter={}", twenty::filter::encode(filter));
    for (method, url) in [
        ("PATCH", format!("{BASE}/gifts")),
        ("PATCH", format!("{BASE}/gifts/.")),
        ("PATCH", format!("{BASE}/gifts/%2F")),
        ("PATCH", filter("and(status[eq]:a)")),
        ("PATCH", filter(&format!("and(id[in]:[{id}]),or(id[is]:NOT_NULL)"))),
        ("PATCH", filter(&format!("or(id[in]:[{id}],id[is]:NOT_NULL)"))),
        ("DELETE", format!("{BASE}/gifts?filter=x")),
        ("DELETE", format!("{BASE}/gifts/{id}?soft_delete=false")),
        ("GET", format!("{BASE}/gifts/{id}/../..")),
        ("POST", format!("{BASE}/gifts/{id}")),
        ("PUT", format!("{BASE}/gifts/{id}")),
    ] {
        assert!(!is_allowed(method, &url), "{method} {url}");
    }
    assert!(is_allowed("PATCH", &filter(&format!("and(id[in]:[{id}],and(a[is]:NULL,b[eq]:\"x\"))"))));
}
