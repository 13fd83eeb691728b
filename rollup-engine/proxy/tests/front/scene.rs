//! A process of the service, a Twenty, and a clock that only moves when everybody waits.

use std::cell::Cell;
use std::rc::Rc;

use ports::{Clock as _, Timestamp};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::{InterceptHost, ServiceWorld, World, answer, read, signed};
use uuid::Uuid;

pub(crate) struct Scene {
    world: ServiceWorld,
    pub(crate) proxy: Service,
    pub(crate) host: InterceptHost<'static>,
    pub(crate) token: String,
    /// Status with which Twenty refuses every call, if it does; with one of success it answers with a page, and no JSON
    pub(crate) refuse_with: Rc<Cell<Option<u16>>>,
}

/// Runs a story on a paused clock.
pub(crate) fn run<F: Future<Output = ()>>(story: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, story);
}

impl Scene {
    pub(crate) fn new(limits: Limits, faults: Faults, env: &[(&str, &str)]) -> Self {
        let world = World::with_model(&World::model(), limits);
        world.now.set(Timestamp::parse("2026-03-01T12:00:00Z").unwrap());
        let token = world.token.clone();
        let settings = Settings::read(|name| {
            let given = env.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            given.or_else(|| match name {
                "TWENTY_API_KEY" if env.iter().any(|(other, _)| *other == "STRIPE_WEBHOOK_SECRET") => {
                    Some(token.clone())
                }
                "TWENTY_API_BASE_URL" => Some("http://twenty.test/rest".to_owned()),
                // The tests look at every line.
                "FUNDRAISING_LOG_LEVEL" => Some("debug".to_owned()),
                // The tests change records behind the service's back.
                "FUNDRAISING_CACHE_SECONDS" => Some("0".to_owned()),
                _ => None,
            })
        });
        let refuse_with = Rc::new(Cell::new(None));
        let refusal = Rc::clone(&refuse_with);
        let host = InterceptHost::new(world.host(faults))
            .before(move |_| refusal.get().map(|status| answer(status, if status < 300 { "<html>" } else { "" })));
        let mut world = ServiceWorld::on(world, false);
        world.settings = settings.unwrap();
        Self { proxy: world.service(), world, host, token, refuse_with }
    }

    pub(crate) fn calm() -> Self {
        Self::new(Limits::off(), Faults::none(), &[("FUNDRAISING_REQUESTS_PER_MINUTE", "off")])
    }

    pub(crate) fn inbound(&self, method: &str, path: &str, body: Option<&Value>) -> Inbound {
        self.world.inbound(method, path.trim_start_matches('/'), body.unwrap_or(&Value::Null))
    }

    pub(crate) async fn answer(&self, method: &str, path: &str, body: Option<&Value>) -> Outbound {
        self.proxy.handle(&self.host, self.inbound(method, path, body)).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        read(&self.answer(method, path, body).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    /// Delivers a payment as Stripe does, and gives the answer's status.
    pub(crate) async fn pay(&self, number: usize) -> u16 {
        let event = json!({ "id": format!("evt_{number}"), "type": "checkout.session.completed", "created": 1_772_366_400,
            "data": { "object": {
                "id": format!("cs_{number}"), "mode": "payment", "payment_status": "paid", "amount_total": 2_500,
                "currency": "gbp", "payment_intent": format!("pi_{number}"), "metadata": {},
                "customer_details": { "name": "Wendy Hook", "email": format!("hook{number}@example.org") } } } });
        self.proxy.handle(&self.host, signed(&event, self.host.now())).await.status
    }

    pub(crate) fn put(&self, object: &str, record: &Value) -> Uuid {
        self.host.inner.sandbox().borrow_mut().create(object, record, self.host.now()).unwrap()
    }

    pub(crate) fn record(&self, object: &str, id: Uuid) -> Value {
        self.world.record(object, id)
    }

    pub(crate) fn calls(&self) -> usize {
        self.host.sent().len()
    }
}
