//! A host around another one.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::time::Duration;

use ports::{
    Clock, Event, FetchError, Form, Http, KeyValue, Log, Request, Response, TimeZones, Timestamp, UnicodeForms,
    Wakeups, async_trait,
};
use sandbox::SandboxHost;
use serde_json::Value;

type Before<'a> = Box<dyn Fn(&mut Request) -> Option<Response> + 'a>;
type After<'a> = Box<dyn Fn(&Request, Response) -> Response + 'a>;
type Waiting<'a> = Box<dyn Fn(Duration) -> Duration + 'a>;

/// Sees each request, answer and wait of another host, and may change them; keeps the requests
pub struct InterceptHost<'a, H = SandboxHost> {
    /// The host that it stands before
    pub inner: H,
    before: Before<'a>,
    after: After<'a>,
    waiting: Waiting<'a>,
    sent: RefCell<Vec<Request>>,
}

impl<'a, H> InterceptHost<'a, H> {
    /// Changes nothing yet
    pub fn new(inner: H) -> Self {
        Self {
            inner,
            before: Box::new(|_| None),
            after: Box::new(|_, answer| answer),
            waiting: Box::new(|duration| duration),
            sent: RefCell::default(),
        }
    }

    /// Sees each request before it goes out; may change it, or answer in the server's place.
    #[must_use]
    pub fn before(self, look: impl Fn(&mut Request) -> Option<Response> + 'a) -> Self {
        Self { before: Box::new(look), ..self }
    }

    /// Sees each answer, and may change it.
    #[must_use]
    pub fn after(self, look: impl Fn(&Request, Response) -> Response + 'a) -> Self {
        Self { after: Box::new(look), ..self }
    }

    /// Sees each wait, and may make it longer.
    #[must_use]
    pub fn waiting(self, look: impl Fn(Duration) -> Duration + 'a) -> Self {
        Self { waiting: Box::new(look), ..self }
    }

    /// The requests so far, as the caller made them
    pub fn sent(&self) -> Ref<'_, Vec<Request>> {
        self.sent.borrow()
    }

    /// The same, which are forgotten
    pub fn take_sent(&self) -> Vec<Request> {
        self.sent.take()
    }
}

impl<H> fmt::Debug for InterceptHost<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterceptHost").field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[async_trait(?Send)]
impl<H: Http> Http for InterceptHost<'_, H> {
    async fn fetch(&self, mut request: Request) -> Result<Response, FetchError> {
        self.sent.borrow_mut().push(request.clone());
        if let Some(answer) = (self.before)(&mut request) {
            return Ok(answer);
        }
        let answer = self.inner.fetch(request.clone()).await?;
        Ok((self.after)(&request, answer))
    }
}

#[async_trait(?Send)]
impl<H: Clock> Clock for InterceptHost<'_, H> {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep((self.waiting)(duration)).await;
    }
}

impl<H: Log> Log for InterceptHost<'_, H> {
    fn log(&self, event: Event) {
        self.inner.log(event);
    }
}

impl<H: TimeZones> TimeZones for InterceptHost<'_, H> {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        self.inner.utc_offset(zone, at)
    }
}

impl<H: UnicodeForms> UnicodeForms for InterceptHost<'_, H> {
    fn normalized(&self, text: &str, form: Form) -> String {
        self.inner.normalized(text, form)
    }
}

#[async_trait(?Send)]
impl<H: KeyValue> KeyValue for InterceptHost<'_, H> {
    async fn get(&self, key: &str) -> Option<String> {
        self.inner.get(key).await
    }

    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        self.inner.set(key, value).await
    }
}

#[async_trait(?Send)]
impl<H: Wakeups> Wakeups for InterceptHost<'_, H> {
    async fn enqueue(&self, payload: &Value, delay: Duration) -> bool {
        self.inner.enqueue(payload, delay).await
    }
}
