//! How rules wait for Twenty without being futures.
//!
//! Everything that decides is a plain function over a [`Scope`]. It asks Twenty as if the answer were there. While it is
//! not, the run ends: the question is noted, every further question fails at once, and what the run did is thrown away.
//! The question is then put to Twenty, and the rules run again from the start with one more answer in the journal.
//!
//! ```text
//! run 1: read the body ─ find the giver? ·························· ends, the question goes out
//! run 2: read the body ─ find the giver ─ make the gift? ·········· ends, the question goes out
//! run 3: read the body ─ find the giver ─ make the gift ─ a reply
//! ```
//!
//! A run costs microseconds and a call milliseconds, and as futures the same rules take 58 kB more of the module: a
//! state machine for each function that waits, with its own way of being dropped at each place where it may wait.
//!
//! It holds while a run depends on nothing but the request and the journal. So rules have no clock of their own
//! ([`Scope::now`] is the moment of the latest answer), draw ids from the request's chance, log through the scope, which
//! says each line once, and look at the process through what the scope saw of it at the start. A run that asks something
//! else than the journal says is a mistake in the rules: it is answered with 500 before anything more is written.

use std::cell::{Cell, RefCell};

use serde_json::Value;
use twenty::{Event, Host, Method, Timestamp};

use crate::failure::{Failure, Reason};
use crate::scope::Scope;
use crate::upstream;

/// Where a question goes
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// To Twenty
    Twenty(Method),
    /// To Twenty, or to what was answered a moment ago
    Cache,
    /// To `GoCardless`
    GoCardless,
    /// Nowhere: it stands for the questions of a part that was answered whole
    Part,
}

/// What is asked
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    pub(crate) to: To,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// A question that was answered, and how far the run was
#[derive(Debug)]
struct Entry {
    question: Question,
    answer: Result<Value, Failure>,
    at: Timestamp,
    drawn: u64,
    said: usize,
}

/// What a request asked so far, and how far its rules have read
#[derive(Debug)]
pub(crate) struct Journal {
    entries: RefCell<Vec<Entry>>,
    open: RefCell<Option<Question>>,
    read: Cell<usize>,
    began: Timestamp,
    now: Cell<Timestamp>,
    drawn: Cell<u64>,
    drawn_before: Cell<u64>,
    said: Cell<usize>,
    said_before: Cell<usize>,
    lines: RefCell<Vec<Event>>,
    is_broken: Cell<bool>,
}

impl Journal {
    /// An empty one
    pub(crate) fn new(began: Timestamp) -> Self {
        Self {
            entries: RefCell::default(),
            open: RefCell::default(),
            read: Cell::new(0),
            began,
            now: Cell::new(began),
            drawn: Cell::new(0),
            drawn_before: Cell::new(0),
            said: Cell::new(0),
            said_before: Cell::new(0),
            lines: RefCell::default(),
            is_broken: Cell::new(false),
        }
    }

    /// The moment of the latest answer
    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Whether the run has come to a question without an answer: nothing that it does from here on counts
    pub(crate) fn is_open(&self) -> bool {
        self.open.borrow().is_some()
    }

    /// A number that the request has not drawn before
    pub(crate) fn draw(&self) -> u64 {
        let number = self.drawn.get() + 1;
        if !self.is_open() {
            self.drawn.set(number);
        }
        number
    }

    /// Takes a log line, unless an earlier run said it
    pub(crate) fn say(&self, line: Event) {
        if self.is_open() {
            return;
        }
        self.said.set(self.said.get() + 1);
        if self.said.get() > self.said_before.get() {
            self.said_before.set(self.said.get());
            self.lines.borrow_mut().push(line);
        }
    }

    /// The answer to a question, or the end of the run
    pub(crate) fn ask(&self, question: Question) -> Result<Value, Failure> {
        if self.is_broken.get() {
            return Err(Reason::Diverged.into());
        }
        if self.is_open() {
            return Err(Reason::Waiting.into());
        }
        if let Some(answer) = self.next(&question) {
            return answer;
        }
        self.open.replace(Some(question));
        Err(Reason::Waiting.into())
    }

    /// A part of the rules that is kept as one answer once it is through: what was asked in it is forgotten then. Without
    /// it the last of a hundred rows would be preceded by the questions of all others at each of its runs.
    pub(crate) fn part(&self, name: &str, rules: &dyn Fn() -> Result<Value, Failure>) -> Result<Value, Failure> {
        if self.is_open() {
            return Err(Reason::Waiting.into());
        }
        let question = Question { to: To::Part, path: name.to_owned(), body: None };
        let from = self.read.get();
        let is_through = self.entries.borrow().get(from).is_some_and(|entry| entry.question.to == To::Part);
        if is_through && let Some(answer) = self.next(&question) {
            return answer;
        }
        let answer = rules();
        if !self.is_open() {
            self.entries.borrow_mut().truncate(from);
            self.keep(question, answer.clone(), self.now.get());
            self.read.set(from + 1);
        }
        answer
    }

    fn next(&self, question: &Question) -> Option<Result<Value, Failure>> {
        let entries = self.entries.borrow();
        let entry = entries.get(self.read.get())?;
        debug_assert_eq!(entry.question, *question, "the rules ask something else than before");
        if (entry.question.to, &entry.question.path) != (question.to, &question.path) {
            self.is_broken.set(true);
            return Some(Err(Reason::Diverged.into()));
        }
        self.read.set(self.read.get() + 1);
        self.now.set(entry.at);
        self.drawn.set(entry.drawn);
        self.said.set(entry.said);
        Some(entry.answer.clone())
    }

    fn keep(&self, question: Question, answer: Result<Value, Failure>, at: Timestamp) {
        let entry = Entry { question, answer, at, drawn: self.drawn.get(), said: self.said.get() };
        self.entries.borrow_mut().push(entry);
    }

    fn rewind(&self) {
        self.read.set(0);
        self.now.set(self.began);
        self.drawn.set(self.drawn_before.get());
        self.said.set(0);
    }
}

/// Lets rules run until they have a reply, asking what they ask.
///
/// # Errors
/// What the rules end in.
pub async fn settle<H: Host, T>(
    scope: &Scope<'_>,
    host: &H,
    rules: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let journal = &scope.journal;
    // What was drawn before is not drawn by the rules.
    journal.drawn_before.set(journal.drawn.get());
    loop {
        journal.rewind();
        scope.look_anew();
        let reply = rules();
        for line in journal.lines.take() {
            host.log(line);
        }
        if journal.is_broken.get() {
            return Err(Reason::Diverged.into());
        }
        let Some(question) = journal.open.take() else { return reply };
        let answer = upstream::answer(scope, host, &question).await;
        journal.keep(question, answer, host.now());
    }
}
