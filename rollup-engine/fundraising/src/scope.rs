//! One request as its rules see it.

use std::cell::Cell;

use ports::{Event, Level, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use twenty::RecordId;
use twenty::gate::Priority;
use twenty::target::Target;
use uuid::{Builder, Uuid};

use crate::callers::TokenHash;
use crate::failure::Failure;
use crate::http::Inbound;
use crate::journal::{Journal, Learned, Question, To};
use crate::provider::gocardless::Resource;
use crate::proxy::Proxy;
use crate::queue::Place;
use crate::upstream::patience;

/// One request's context
#[derive(Debug)]
pub struct Scope<'a> {
    /// The process
    pub proxy: &'a Proxy,
    /// The request's id
    pub request_id: String,
    /// The caller's token; without one the service's own is used
    pub token: Option<String>,
    /// How urgent the request is
    pub priority: Priority,
    /// When its caller stops waiting
    pub deadline: Timestamp,
    /// The token by which the caller is known; nothing for the service's own
    pub(crate) caller: Option<TokenHash>,
    /// Its place in the queue for Twenty
    pub(crate) place: Place<'a>,
    pub(crate) entropy: u128,
    pub(crate) journal: Journal,
    /// Rows that were claimed and given up when the request began: each run of the rules must see the same
    pub(crate) given_up: Vec<RecordId>,
    is_closing: Cell<bool>,
}

impl<'a> Scope<'a> {
    /// The context of a request that came in at this moment
    #[must_use]
    pub fn new(proxy: &'a Proxy, now: Timestamp, inbound: &Inbound, token: Option<String>, priority: Priority) -> Self {
        let is_own = token.is_none() || token == proxy.settings.api_key;
        let mut scope = Self {
            proxy,
            request_id: String::new(),
            caller: token.as_deref().filter(|_| !is_own).map(TokenHash::of),
            token,
            priority,
            deadline: now + patience(priority),
            place: proxy.queue.place(priority, 1),
            entropy: inbound.entropy,
            journal: Journal::new(now, proxy.intake.known()),
            given_up: proxy.intake.given_up(),
            is_closing: Cell::new(false),
        };
        scope.request_id = request_id(inbound).unwrap_or_else(|| scope.new_id().to_string());
        scope
    }

    /// Calls Twenty; the target has the names of the model
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn call(&self, target: Target, body: Option<Value>) -> Result<Value, Failure> {
        self.journal.ask(Question { to: To::Twenty(target), body, is_closing: self.is_closing.get() })
    }

    /// Rules whose calls leave in order what was begun: they go before other requests' calls, and past the deadline.
    pub(crate) fn closing<T>(&self, rules: impl FnOnce() -> T) -> T {
        let before = self.is_closing.replace(true);
        let result = rules();
        self.is_closing.set(before);
        result
    }

    /// Reads from Twenty, or from memory if the same token asked the same a moment ago; not for decisions
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn read(&self, target: Target) -> Result<Value, Failure> {
        self.journal.ask(Question { to: To::Cache(target), body: None, is_closing: false })
    }

    /// Reads a resource of `GoCardless`; null without a token, or if the token or the id is refused
    ///
    /// # Errors
    /// Whatever may be otherwise later.
    pub(crate) fn read_gocardless(&self, resource: Resource) -> Result<Value, Failure> {
        self.journal.ask(Question { to: To::GoCardless(resource), body: None, is_closing: false })
    }

    /// Rules whose calls are forgotten once they are through; see [`Journal::part`]
    ///
    /// # Errors
    /// What the rules end in.
    pub(crate) fn part(&self, name: &str, rules: &dyn Fn() -> Result<Value, Failure>) -> Result<Value, Failure> {
        self.journal.part(name, rules)
    }

    /// The time: that of the latest answer
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.journal.now()
    }

    /// Writes a log line; never a token, never a donor's data.
    pub fn log(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) {
        self.journal.say(|| self.line(level, event, fields));
    }

    /// A log line with the request's id
    pub(crate) fn line(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) -> Event {
        let line = Event { level, event, fields: fields.to_vec() };
        line.with("requestId", self.request_id.as_str())
    }

    /// An id that nothing else has
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let mut hash = Sha256::new();
        hash.update(self.entropy.to_be_bytes());
        hash.update(self.journal.draw().to_be_bytes());
        let mut bytes = [0; 16];
        for (byte, random) in bytes.iter_mut().zip(hash.finalize()) {
            *byte = random;
        }
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Whether the run ended at a question: nothing that it does from here on may leave a mark
    pub(crate) fn is_waiting(&self) -> bool {
        self.journal.is_over()
    }

    /// Whether the workspace's rows keep an audit trail, as far as is known
    pub(crate) fn has_trail(&self) -> bool {
        self.journal.learned().has_trail
    }

    /// Notes whether they do.
    pub(crate) fn learn_trail(&self, has_trail: bool) {
        self.journal.learn(Learned { has_trail, ..self.journal.learned() });
    }

    /// Whether the workspace has rows, if that is known
    pub(crate) fn has_rows(&self) -> Option<bool> {
        self.journal.learned().has_rows
    }

    /// Notes whether it has.
    pub(crate) fn learn_rows(&self, has_rows: bool) {
        self.journal.learn(Learned { has_rows: Some(has_rows), ..self.journal.learned() });
    }
}

/// The caller's own id for the request, if it can stand in a header and in a log line
pub(crate) fn request_id(inbound: &Inbound) -> Option<String> {
    let given = inbound.header("x-request-id")?.trim();
    let fits = (1..=128).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| given.to_owned())
}
