//! A workspace with the service's model, the service on it, and a small `GoCardless` beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;

use hmac::{Hmac, Mac};
use ports::{Clock, Event, FetchError, Http, Log, Request, Response, Timestamp, async_trait};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use sandbox::{Faults, SandboxHost};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::workspace::{Workspace, ten};

pub(crate) const STRIPE: &str = "whsec_test";
pub(crate) const GOCARDLESS: &str = "gc_secret";

/// The API of `GoCardless`, in front of a workspace
pub(crate) struct WithGoCardless<'a> {
    pub(crate) twenty: &'a SandboxHost,
    pub(crate) resources: &'a RefCell<BTreeMap<String, Value>>,
}

#[async_trait(?Send)]
impl Http for WithGoCardless<'_> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let Some(path) = request.url.strip_prefix("http://gocardless.test/") else {
            return self.twenty.fetch(request).await;
        };
        assert_eq!(request.header("gocardless-version"), Some("2015-07-06"));
        let answer =
            |status, body: Value| Response { status, headers: Vec::new(), body: body.to_string().into_bytes() };
        if request.header("authorization") != Some("Bearer gc_token") {
            return Ok(answer(401, json!({})));
        }
        let list = path.split('/').next().unwrap();
        Ok(match self.resources.borrow().get(path) {
            Some(Value::String(_)) => answer(500, json!({})),
            Some(resource) => answer(200, json!({ list: resource })),
            None => answer(404, json!({})),
        })
    }
}

#[async_trait(?Send)]
impl Clock for WithGoCardless<'_> {
    async fn sleep(&self, duration: std::time::Duration) {
        self.twenty.sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        self.twenty.now()
    }
}

impl Log for WithGoCardless<'_> {
    fn log(&self, event: Event) {
        self.twenty.log(event);
    }
}

pub(crate) struct World {
    workspace: Workspace,
    pub(crate) settings: Settings,
    pub(crate) resources: RefCell<BTreeMap<String, Value>>,
}

impl Deref for World {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

impl World {
    pub(crate) fn new(staging: bool) -> Self {
        Self::on(Workspace::new(), staging)
    }

    pub(crate) fn on(workspace: Workspace, staging: bool) -> Self {
        let settings = Settings {
            base_url: "http://twenty.test/rest".into(),
            api_key: Some(workspace.token.clone()),
            stripe_secret: Some(STRIPE.into()),
            gocardless_secret: Some(GOCARDLESS.into()),
            gocardless_token: Some("gc_token".into()),
            gocardless_url: "http://gocardless.test".into(),
            staging,
            requests_per_minute: None,
            cache_seconds: 0,
            ..Settings::default()
        };
        Self { workspace, settings, resources: RefCell::default() }
    }

    /// One request by one process, on this host
    pub(crate) async fn send(&self, host: &SandboxHost, request: Inbound) -> Outbound {
        self.send_to(&Service::new(self.settings.clone()), host, request).await
    }

    pub(crate) async fn send_to(&self, proxy: &Service, host: &SandboxHost, request: Inbound) -> Outbound {
        Box::pin(proxy.handle(&WithGoCardless { twenty: host, resources: &self.resources }, request)).await
    }

    pub(crate) async fn deliver(&self, event: &Value) -> u16 {
        self.send(&self.host(Faults::none()), signed(event)).await.status
    }

    /// Somebody changes a record in Twenty
    pub(crate) fn patch(&self, object: &str, id: &str, body: &Value) {
        self.sandbox.borrow_mut().patch(object, id.parse().unwrap(), body, ten()).unwrap();
    }

    /// Rows, the notes apart
    pub(crate) fn rows(&self) -> Vec<Value> {
        let is_note = |row: &Value| row["intakeSource"].as_str().is_some_and(|source| source.ends_with("_note"));
        self.live("giftStaging").into_iter().filter(|row| !is_note(row)).collect()
    }

    pub(crate) fn refunded(&self) -> i64 {
        self.only("gift")["refundedAmount"]["amountMicros"].as_i64().unwrap_or_default()
    }
}

pub(crate) fn sign(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

/// An event as its provider would send it: a batch is from `GoCardless`
pub(crate) fn signed(event: &Value) -> Inbound {
    let body = event.to_string().into_bytes();
    let (route, header) = if event.get("events").is_some() {
        ("gocardless", ("Webhook-Signature".to_owned(), sign(GOCARDLESS, &[&body])))
    } else {
        let now = (ten().as_millis() / 1_000).to_string();
        let signature = sign(STRIPE, &[now.as_bytes(), b".", &body]);
        ("stripe", ("Stripe-Signature".to_owned(), format!("t={now},v1={signature}")))
    };
    Inbound {
        method: "POST".into(),
        target: format!("/api/fundraising/webhooks/{route}"),
        headers: vec![("content-type".into(), "application/json".into()), header],
        body,
        entropy: 7,
    }
}

pub(crate) fn stripe(id: &str, kind: &str, at: i64, object: impl Into<Value>) -> Value {
    json!({ "id": id, "type": kind, "created": 1_772_400_000 + at, "data": { "object": object.into() } })
}

pub(crate) fn session(extra: impl Into<Value>) -> Value {
    let mut session = json!({
        "id": "cs_1", "mode": "payment", "payment_status": "paid", "amount_total": 2_500, "currency": "gbp",
        "payment_intent": "pi_1", "customer": "cus_1", "metadata": {},
        "customer_details": { "name": "Dora Kent", "email": "dora@example.org" },
    });
    for (key, value) in extra.into().as_object().unwrap() {
        session[key] = value.clone();
    }
    session
}

pub(crate) fn paid_session() -> Value {
    stripe("evt_1", "checkout.session.completed", 0, session(json!({})))
}

pub(crate) fn refund_total(id: &str, at: i64, minor: i64) -> Value {
    let charge = json!({ "id": "ch_1", "payment_intent": "pi_1", "amount_refunded": minor, "currency": "gbp" });
    stripe(id, "charge.refunded", at, charge)
}

pub(crate) fn invoice(id: &str, at: i64) -> Value {
    let object = json!({ "id": id, "amount_paid": 1_000, "currency": "gbp", "customer_name": "Dora Kent",
        "customer_email": "dora@example.org",
        "parent": { "subscription_details": { "subscription": "sub_1" } } });
    stripe(&format!("evt_{id}"), "invoice.paid", at, object)
}

pub(crate) fn batch(events: &[(&str, &str, i64)]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|(resource, action, at)| {
            let links = match *resource {
                "payments" if *action == "paid_out" => json!({ "payment": "PM1", "payout": "PO1" }),
                "payments" => json!({ "payment": "PM1" }),
                "refunds" => json!({ "refund": "RF1" }),
                "mandates" => json!({ "mandate": "MD1" }),
                "subscriptions" => json!({ "subscription": "SB1" }),
                _ => json!({ "payout": "PO1" }),
            };
            let created = Timestamp::from_millis(1_772_400_000_000 + at * 1_000).to_string();
            json!({ "id": format!("EV{at}"), "resource_type": resource, "action": action, "created_at": created, "links": links })
        })
        .collect();
    json!({ "events": events })
}

/// Fills the API with a payment of a customer
pub(crate) fn fill(world: &World) {
    let mut resources = world.resources.borrow_mut();
    let mut put = |path: &str, resource: Value| resources.insert(path.to_owned(), resource);
    put(
        "payments/PM1",
        json!({ "id": "PM1", "amount": 1_500, "currency": "GBP", "charge_date": "2026-03-01",
        "links": { "mandate": "MD1" } }),
    );
    put("mandates/MD1", json!({ "id": "MD1", "links": { "customer": "CU1" } }));
    put(
        "customers/CU1",
        json!({ "id": "CU1", "given_name": "Dora", "family_name": "Kent", "email": "dora@example.org" }),
    );
    put("refunds/RF1", json!({ "id": "RF1", "amount": 500, "currency": "GBP", "links": { "payment": "PM1" } }));
    put(
        "payouts/PO1",
        json!({ "id": "PO1", "amount": 1_400, "deducted_fees": 100, "currency": "GBP", "arrival_date": "2026-03-02" }),
    );
}
