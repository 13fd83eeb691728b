//! A workspace with gifts, and clients for it.

use std::ops::Deref;

use ports::{Host, Timestamp};
use sandbox::{Faults, Limits, Profile, Sandbox, SandboxHost, Settings};
use serde_json::json;
use support::{StubHost, World};
use twenty::client::{Client, Connection};
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

pub(crate) struct Scene(World);

impl Deref for Scene {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Scene {
    pub(crate) fn new(profile: Profile, limits: Limits) -> Self {
        let mut sandbox = Sandbox::new(Settings { profile, limits, seed: 7 });
        sandbox.ensure_gift_schema();
        Self(World::of(sandbox, start()))
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
        client(self.host(faults), pace, token)
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.sandbox.borrow().usage().tokens
    }
}

pub(crate) fn client<H: Host>(host: H, pace: RateLimit, token: &str) -> Client<H> {
    let connection = Connection { base_url: "http://twenty.test".into(), token: token.into() };
    Client::new(host, connection, pace, Priority::Job, None, 7)
}

pub(crate) fn always(status: u16, body: &str) -> Client<StubHost<'static>> {
    client(
        StubHost::always(status, body).in_tokio_time(),
        RateLimit { requests_per_minute: None, ..RateLimit::default() },
        "secret",
    )
}
