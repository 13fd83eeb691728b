//! The fundraising service on a workspace, with a small `GoCardless` beside it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;

use ports::{Request, Response, ServiceHost, Timestamp};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use sandbox::Faults;
use serde_json::{Value, json};

use crate::http::{answer, hmac_hex};
use crate::intercept_host::InterceptHost;
use crate::world::{World, ten};

/// Stripe's signing secret
pub const STRIPE_SECRET: &str = "whsec_test";
/// `GoCardless`'s signing secret
pub const GOCARDLESS_SECRET: &str = "gc_secret";

/// The service on a world: without a rate limit and without memory of what it read
#[derive(Debug)]
pub struct ServiceWorld {
    world: World,
    /// The service's settings
    pub settings: Settings,
    /// What `GoCardless` has, by path; a text in place of a resource is a fault of the server
    pub resources: RefCell<BTreeMap<String, Value>>,
    requests: Cell<u128>,
}

impl Deref for ServiceWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl ServiceWorld {
    /// On a workspace with the data model
    #[must_use]
    pub fn new(staging: bool) -> Self {
        Self::on(World::fundraising(), staging)
    }

    /// On this workspace
    #[must_use]
    pub fn on(world: World, staging: bool) -> Self {
        let settings = Settings {
            base_url: "http://twenty.test/rest".into(),
            api_key: Some(world.token.clone()),
            stripe_secret: Some(STRIPE_SECRET.into()),
            gocardless_secret: Some(GOCARDLESS_SECRET.into()),
            gocardless_token: Some("gc_token".into()),
            gocardless_url: "http://gocardless.test".into(),
            staging,
            requests_per_minute: None,
            cache_seconds: 0,
            ..Settings::default()
        };
        Self { world, settings, resources: RefCell::default(), requests: Cell::new(1) }
    }

    /// A process of the service that has just started
    pub fn service(&self) -> Service {
        Service::new(self.settings.clone())
    }

    /// A request of a caller with the workspace's key; null for no body
    pub fn inbound(&self, method: &str, path: &str, body: &Value) -> Inbound {
        let headers =
            [("authorization", format!("Bearer {}", self.token)), ("content-type", "application/json".into())];
        // Each request has chance of its own.
        self.requests.set(self.requests.get() + 1);
        Inbound {
            method: method.into(),
            target: format!("/api/fundraising/{path}"),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
            entropy: self.requests.get() << 64,
        }
    }

    /// One request to this process, by way of that host
    pub async fn send_to(&self, service: &Service, host: &dyn ServiceHost, request: Inbound) -> Outbound {
        let host = InterceptHost::new(host).before(|request| self.gocardless(request));
        Box::pin(service.handle(&host, request)).await
    }

    /// One request to a process of its own, by way of that host
    pub async fn send(&self, host: &dyn ServiceHost, request: Inbound) -> Outbound {
        self.send_to(&self.service(), host, request).await
    }

    /// The same, and the status and body of what is answered
    pub async fn ask_on(&self, host: &dyn ServiceHost, method: &str, path: &str, body: &Value) -> (u16, Value) {
        read(&self.send(host, self.inbound(method, path, body)).await)
    }

    /// The same, without faults
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_on(&self.host(Faults::none()), method, path, &body).await
    }

    /// Delivers a provider's event without faults, and gives the status of the answer.
    pub async fn deliver(&self, event: &Value) -> u16 {
        self.send(&self.host(Faults::none()), signed(event, ten())).await.status
    }

    fn gocardless(&self, request: &Request) -> Option<Response> {
        let path = request.url.strip_prefix("http://gocardless.test/")?;
        assert_eq!(request.header("gocardless-version"), Some("2015-07-06"));
        if request.header("authorization") != Some("Bearer gc_token") {
            return Some(answer(401, "{}"));
        }
        let list = path.split('/').next()?;
        Some(match self.resources.borrow().get(path) {
            Some(Value::String(_)) => answer(500, "{}"),
            Some(resource) => answer(200, json!({ list: resource }).to_string()),
            None => answer(404, "{}"),
        })
    }
}

/// The status and the body of an answer; null where it is no JSON
pub fn read(answer: &Outbound) -> (u16, Value) {
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// A header of an answer
pub fn header<'a>(answer: &'a Outbound, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// An event as its provider would send it then: a batch is from `GoCardless`
pub fn signed(event: &Value, at: Timestamp) -> Inbound {
    signed_bytes(event.to_string().into_bytes(), at)
}

/// The same of the bytes of an event, which need be no text
pub fn signed_bytes(body: Vec<u8>, at: Timestamp) -> Inbound {
    let is_batch = body.starts_with(b"{\"events\"");
    let (route, header) = if is_batch {
        ("gocardless", ("webhook-signature".to_owned(), hmac_hex(GOCARDLESS_SECRET, &[&body])))
    } else {
        let seconds = (at.as_millis() / 1_000).to_string();
        let signature = hmac_hex(STRIPE_SECRET, &[seconds.as_bytes(), b".", &body]);
        ("stripe", ("stripe-signature".to_owned(), format!("t={seconds},v1={signature}")))
    };
    Inbound {
        method: "POST".into(),
        target: format!("/api/fundraising/webhooks/{route}"),
        headers: vec![("content-type".into(), "application/json".into()), header],
        body,
        entropy: 7,
    }
}
