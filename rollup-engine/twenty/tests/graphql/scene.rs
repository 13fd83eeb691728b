//! A workspace with gifts, and clients for it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ports::{Clock, Event, FetchError, Host, Http, Log, Request, Response, Timestamp, async_trait};
use sandbox::{Faults, Limits, Profile, Sandbox, SandboxHost, Settings};
use serde_json::{Value, json};
use twenty::client::{Client, Connection};
use twenty::page::Projection;
use twenty::rate_limiter::Priority;
use twenty::rate_limiter::RateLimit;
use twenty::schema::Names;
use uuid::Uuid;

pub(crate) const PROFILES: [Profile; 2] = [Profile::V1, Profile::V2];

pub(crate) fn start() -> Timestamp {
    Timestamp::parse("2026-06-01T00:00:00Z").unwrap()
}

pub(crate) fn person() -> Names {
    Names::new("person", "people")
}

pub(crate) fn gift() -> Names {
    Names::new("gift", "gifts")
}

pub(crate) fn projection(paths: &[&str]) -> Projection {
    let mut projection = Projection::default();
    for path in paths {
        projection.add(path);
    }
    projection
}

pub(crate) struct Scene {
    pub(crate) sandbox: Rc<RefCell<Sandbox>>,
    pub(crate) token: String,
}

impl Scene {
    pub(crate) fn new(profile: Profile, limits: Limits) -> Self {
        let mut sandbox = Sandbox::new(Settings { profile, limits, seed: 7 });
        sandbox.ensure_gift_schema();
        let token = sandbox.tokens().token.clone();
        Self { sandbox: Rc::new(RefCell::new(sandbox)), token }
    }

    pub(crate) fn create(&self, object: &str, body: &Value) -> Uuid {
        self.sandbox.borrow_mut().create(object, body, start()).unwrap()
    }

    pub(crate) fn people(&self, count: usize) -> Vec<Uuid> {
        (0..count).map(|number| self.create("person", &json!({ "jobTitle": format!("Donor {number}") }))).collect()
    }

    pub(crate) fn gift(&self, donor: Uuid, micros: i64, currency: &str, date: &str) -> Uuid {
        let amount = json!({ "amountMicros": micros, "currencyCode": currency });
        self.create("gift", &json!({ "donorId": donor, "amount": amount, "giftDate": date }))
    }

    pub(crate) fn client(&self) -> Client<SandboxHost> {
        self.client_with(Faults::none(), RateLimit { requests_per_minute: None, ..RateLimit::default() }, &self.token)
    }

    pub(crate) fn client_with(&self, faults: Faults, pace: RateLimit, token: &str) -> Client<SandboxHost> {
        client(SandboxHost::new(self.sandbox.clone(), faults, start()), pace, token)
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.sandbox.borrow().usage().tokens
    }
}

pub(crate) fn client<H: Host>(host: H, pace: RateLimit, token: &str) -> Client<H> {
    let connection = Connection { base_url: "http://twenty.test".into(), token: token.into() };
    Client::new(host, connection, pace, Priority::Job, None, 7)
}

/// Answers every call with this status and body
pub(crate) struct Always {
    status: u16,
    body: String,
    began: tokio::time::Instant,
}

#[async_trait(?Send)]
impl Http for Always {
    async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
        Ok(Response { status: self.status, headers: vec![], body: self.body.clone().into_bytes() })
    }
}

#[async_trait(?Send)]
impl Clock for Always {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        start() + self.began.elapsed()
    }
}

impl Log for Always {
    fn log(&self, _: Event) {}
}

pub(crate) fn always(status: u16, body: &str) -> Client<Always> {
    let host = Always { status, body: body.to_owned(), began: tokio::time::Instant::now() };
    client(host, RateLimit { requests_per_minute: None, ..RateLimit::default() }, "secret")
}
