//! A host without a server.

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::time::Duration;

use ports::{
    Clock, Event, FetchError, Form, Http, KeyValue, Log, Request, Response, TimeZones, Timestamp, UnicodeForms,
    Wakeups, async_trait,
};

use crate::http::{answer, unreachable};

type Answer<'a> = Box<dyn Fn(&Request) -> Result<Response, FetchError> + 'a>;

/// What time passes on
enum Time {
    /// A wait moves the clock and takes no time
    Own(Cell<Timestamp>),
    /// Tokio's clock, which tests pause: callers that wait at the same time wake in their order
    Tokio(Timestamp, tokio::time::Instant),
}

/// A host that answers by a closure, and keeps what it was asked and told
///
/// Its clock begins with June 2026 in UTC. Each request takes a millisecond of it, and each wait at least one,
/// so that no caller waits for ever.
pub struct StubHost<'a> {
    answer: Answer<'a>,
    time: Time,
    utc_offset: Option<i32>,
    sent: RefCell<Vec<Request>>,
    lines: RefCell<Vec<Event>>,
}

impl<'a> StubHost<'a> {
    /// Answers with what the closure says
    pub fn new(answer: impl Fn(&Request) -> Result<Response, FetchError> + 'a) -> Self {
        Self {
            answer: Box::new(answer),
            time: Time::Own(Cell::new(Self::START)),
            utc_offset: None,
            sent: RefCell::default(),
            lines: RefCell::default(),
        }
    }

    /// When its clock begins
    pub const START: Timestamp = Timestamp::from_millis(1_780_272_000_000);

    /// Answers every request alike
    pub fn always(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(move |_| Ok(answer(status, body.clone())))
    }

    /// Has no network
    #[must_use]
    pub fn offline() -> Self {
        Self::new(|_| Err(unreachable("no network here")))
    }

    /// The same, whose clock begins then
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { time: Time::Own(Cell::new(now)), ..self }
    }

    /// The same on tokio's clock, for callers that wait at the same time
    #[must_use]
    pub fn in_tokio_time(self) -> Self {
        let now = self.now();
        Self { time: Time::Tokio(now, tokio::time::Instant::now()), ..self }
    }

    /// The same, where every time zone is so many seconds ahead of UTC
    #[must_use]
    pub fn with_utc_offset(self, seconds: i32) -> Self {
        Self { utc_offset: Some(seconds), ..self }
    }

    /// The requests so far
    pub fn sent(&self) -> Ref<'_, Vec<Request>> {
        self.sent.borrow()
    }

    /// The log lines so far
    pub fn lines(&self) -> Ref<'_, Vec<Event>> {
        self.lines.borrow()
    }
}

impl fmt::Debug for StubHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubHost").field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[async_trait(?Send)]
impl Http for StubHost<'_> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        if let Time::Own(now) = &self.time {
            now.set(now.get() + Duration::from_millis(1));
        }
        let answer = (self.answer)(&request);
        self.sent.borrow_mut().push(request);
        answer
    }
}

#[async_trait(?Send)]
impl Clock for StubHost<'_> {
    fn now(&self) -> Timestamp {
        match &self.time {
            Time::Own(now) => now.get(),
            Time::Tokio(base, start) => *base + start.elapsed(),
        }
    }

    async fn sleep(&self, duration: Duration) {
        match &self.time {
            Time::Own(now) => now.set(now.get() + duration.max(Duration::from_millis(1))),
            Time::Tokio(..) => tokio::time::sleep(duration).await,
        }
    }
}

impl Log for StubHost<'_> {
    fn log(&self, event: Event) {
        self.lines.borrow_mut().push(event);
    }
}

impl TimeZones for StubHost<'_> {
    fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> {
        self.utc_offset
    }
}

impl UnicodeForms for StubHost<'_> {
    fn normalized(&self, text: &str, _: Form) -> String {
        text.to_owned()
    }
}

impl KeyValue for StubHost<'_> {}

impl Wakeups for StubHost<'_> {}
