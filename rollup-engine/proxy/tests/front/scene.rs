//! A service, a Twenty, and a clock that only moves when everybody waits.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use ports::{Clock, Event, FetchError, Http, Log, Request, Response, Timestamp, async_trait};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use sandbox::{Faults, Limits, Sandbox, SandboxHost};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// Stripe's signing secret, for scenes that set it; the service has its own key then
pub(crate) const STRIPE_SECRET: &str = "whsec_test";

pub(crate) struct Scene {
    pub(crate) proxy: Service,
    pub(crate) host: Recorder,
    pub(crate) token: String,
    count: std::cell::Cell<u128>,
}

/// A host that keeps what was sent
pub(crate) struct Recorder {
    pub(crate) inner: SandboxHost,
    pub(crate) sent: RefCell<Vec<Request>>,
    /// Status with which Twenty refuses every call, if it does; with one of success it answers with a page, and no JSON
    pub(crate) refuse_with: std::cell::Cell<Option<u16>>,
}

#[async_trait(?Send)]
impl Http for Recorder {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        self.sent.borrow_mut().push(request.clone());
        match self.refuse_with.get() {
            Some(status) => {
                let body = if status < 300 { b"<html>".to_vec() } else { Vec::new() };
                Ok(Response { status, headers: Vec::new(), body })
            }
            None => self.inner.fetch(request).await,
        }
    }
}

#[async_trait(?Send)]
impl Clock for Recorder {
    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

impl Log for Recorder {
    fn log(&self, event: Event) {
        self.inner.log(event);
    }
}

/// Runs a story on a paused clock.
pub(crate) fn run<F: Future<Output = ()>>(story: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, story);
}

impl Scene {
    pub(crate) fn new(limits: Limits, faults: Faults, env: &[(&str, &str)]) -> Self {
        let mut sandbox = Sandbox::new(sandbox::Settings { limits, ..sandbox::Settings::default() });
        let model: Value = serde_json::from_str(include_str!("../../../model/model.json")).unwrap();
        sandbox.ensure_model(&model);
        let token = sandbox.tokens().token.clone();
        let base = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        let inner = SandboxHost::new(Rc::new(RefCell::new(sandbox)), faults, base);
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
        let host = Recorder { inner, sent: RefCell::default(), refuse_with: std::cell::Cell::default() };
        Self { proxy: Service::new(settings.unwrap()), host, token, count: std::cell::Cell::new(1) }
    }

    pub(crate) fn calm() -> Self {
        Self::new(Limits::off(), Faults::none(), &[("FUNDRAISING_REQUESTS_PER_MINUTE", "off")])
    }

    pub(crate) fn inbound(&self, method: &str, path: &str, body: Option<&Value>) -> Inbound {
        self.count.set(self.count.get() + 1);
        Inbound {
            method: method.into(),
            target: format!("/api/fundraising{path}"),
            headers: vec![
                ("Authorization".into(), format!("Bearer {}", self.token)),
                ("content-type".into(), "application/json".into()),
            ],
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            entropy: self.count.get(),
        }
    }

    pub(crate) async fn answer(&self, method: &str, path: &str, body: Option<&Value>) -> Outbound {
        self.proxy.handle(&self.host, self.inbound(method, path, body)).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.answer(method, path, body).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
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
        let mut request = self.inbound("POST", "/webhooks/stripe", Some(&event));
        let signed_at = (self.host.now().as_millis() / 1_000).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(STRIPE_SECRET.as_bytes()).unwrap();
        for part in [signed_at.as_bytes(), b".", &request.body] {
            mac.update(part);
        }
        let signature = format!("t={signed_at},v1={}", hex::encode(mac.finalize().into_bytes()));
        request.headers =
            vec![("content-type".into(), "application/json".into()), ("stripe-signature".into(), signature)];
        self.proxy.handle(&self.host, request).await.status
    }

    pub(crate) fn put(&self, object: &str, record: &Value) -> Uuid {
        self.host.inner.sandbox().borrow_mut().create(object, record, self.host.now()).unwrap()
    }

    pub(crate) fn record(&self, object: &str, id: Uuid) -> Value {
        self.host.inner.sandbox().borrow().record(object, id).unwrap()
    }

    pub(crate) fn calls(&self) -> usize {
        self.host.sent.borrow().len()
    }
}

pub(crate) fn header<'a>(answer: &'a Outbound, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}
