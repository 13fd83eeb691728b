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
//! says each line once, and know of the workspace's rows what was known when the request began and what it learned since.
//! A run that asks something else than the journal says is a mistake in the rules: it is answered with 500 before anything
//! more is written.

use std::cell::{Cell, RefCell};

use ports::{Event, Host, Level, Timestamp};
use serde_json::Value;
use twenty::target::Target;

use crate::failure::{Failure, Reason};
use crate::provider::gocardless::Resource;
use crate::scope::Scope;
use crate::upstream::{self, object_of};

/// Where a question goes
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// To Twenty
    Twenty(Target),
    /// To Twenty, or to what was answered a moment ago
    Cache(Target),
    /// To `GoCardless`
    GoCardless(Resource),
    /// Nowhere: it stands for the questions of a part of this name that was answered whole
    Part(String),
}

impl To {
    /// What it is about, for logs: never an id
    fn object(&self) -> &str {
        match self {
            Self::Twenty(target) | Self::Cache(target) => object_of(target.path()),
            Self::GoCardless(_) => "gocardless",
            Self::Part(_) => "part",
        }
    }
}

/// What is asked
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    pub(crate) to: To,
    pub(crate) body: Option<Value>,
    /// Whether it leaves in order what was begun: it may go out past the deadline
    pub(crate) is_closing: bool,
}

/// A question that was answered, and how far the run was
#[derive(Debug)]
struct Entry {
    question: Question,
    answer: Result<Value, Failure>,
    then: Place,
}

/// How far a run is, apart from what it asked
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The moment of the latest answer
    now: Timestamp,
    /// Numbers drawn
    drawn: u64,
    /// Log lines said
    said: usize,
    learned: Learned,
}

/// What is known of the workspace's rows
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    /// Whether they keep an audit trail: seen on any row that came back
    pub(crate) has_trail: bool,
    /// Whether there are any, if that was asked
    pub(crate) has_rows: Option<bool>,
}

/// What a request asked so far, and how far its rules have read
#[derive(Debug)]
pub(crate) struct Journal {
    entries: RefCell<Vec<Entry>>,
    open: RefCell<Option<Question>>,
    /// Entries that the run has read
    read: Cell<usize>,
    /// Where each run begins
    start: Cell<Place>,
    /// Where the run is
    here: Cell<Place>,
    /// Log lines that any run said
    said: Cell<usize>,
    /// Those of them that are not written yet
    lines: RefCell<Vec<Event>>,
    /// What was asked in the place of something else
    broken: RefCell<Option<Question>>,
}

impl Journal {
    /// An empty one, of a request that begins with this much known
    pub(crate) fn new(began: Timestamp, known: Learned) -> Self {
        let start = Place { now: began, drawn: 0, said: 0, learned: known };
        Self {
            entries: RefCell::default(),
            open: RefCell::default(),
            read: Cell::new(0),
            start: Cell::new(start),
            here: Cell::new(start),
            said: Cell::new(0),
            lines: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    /// The moment of the latest answer
    pub(crate) fn now(&self) -> Timestamp {
        self.here.get().now
    }

    /// Whether the run has come to a question without an answer, or to one that it should not ask: nothing that it does
    /// from here on counts
    pub(crate) fn is_over(&self) -> bool {
        self.open.borrow().is_some() || self.broken.borrow().is_some()
    }

    /// How the rules are told
    fn end(&self) -> Failure {
        if self.broken.borrow().is_some() { Reason::Diverged } else { Reason::Waiting }.into()
    }

    /// What is known of the workspace's rows at this point of the run
    pub(crate) fn learned(&self) -> Learned {
        self.here.get().learned
    }

    /// Notes what was learned of them.
    pub(crate) fn learn(&self, learned: Learned) {
        if !self.is_over() {
            self.here.set(Place { learned, ..self.here.get() });
        }
    }

    /// A number that the request has not drawn before
    pub(crate) fn draw(&self) -> u64 {
        let here = self.here.get();
        let drawn = here.drawn + 1;
        if !self.is_over() {
            self.here.set(Place { drawn, ..here });
        }
        drawn
    }

    /// Takes a log line, unless an earlier run said it
    pub(crate) fn say(&self, line: impl FnOnce() -> Event) {
        if self.is_over() {
            return;
        }
        let here = self.here.get();
        let said = here.said + 1;
        self.here.set(Place { said, ..here });
        if said > self.said.get() {
            self.said.set(said);
            self.lines.borrow_mut().push(line());
        }
    }

    /// The answer to a question, or the end of the run
    pub(crate) fn ask(&self, question: Question) -> Result<Value, Failure> {
        if self.is_over() {
            return Err(self.end());
        }
        if let Some(answer) = self.next(&question) {
            return answer;
        }
        self.open.replace(Some(question));
        Err(self.end())
    }

    /// A part of the rules that is kept as one answer once it is through: what was asked in it is forgotten then. Without
    /// it the last of a hundred rows would be preceded by the questions of all others at each of its runs. A part within
    /// another has another name.
    pub(crate) fn part(&self, name: &str, rules: &dyn Fn() -> Result<Value, Failure>) -> Result<Value, Failure> {
        if self.is_over() {
            return Err(self.end());
        }
        let question = Question { to: To::Part(name.to_owned()), body: None, is_closing: false };
        let from = self.read.get();
        let is_through = self.entries.borrow().get(from).is_some_and(|entry| entry.question == question);
        if is_through && let Some(answer) = self.next(&question) {
            return answer;
        }
        let answer = rules();
        if self.is_over() {
            // Rules may have taken that for an answer.
            return Err(self.end());
        }
        self.entries.borrow_mut().truncate(from);
        self.keep(question, answer.clone(), self.now());
        self.read.set(from + 1);
        answer
    }

    fn next(&self, question: &Question) -> Option<Result<Value, Failure>> {
        let entries = self.entries.borrow();
        let entry = entries.get(self.read.get())?;
        debug_assert_eq!(entry.question, *question, "the rules ask something else than before");
        // Where debug assertions are off, a body that differs is not looked for: it costs time, and the path has the id.
        if entry.question.to != question.to {
            self.broken.replace(Some(question.clone()));
            return Some(Err(self.end()));
        }
        self.read.set(self.read.get() + 1);
        self.here.set(entry.then);
        Some(entry.answer.clone())
    }

    fn keep(&self, question: Question, answer: Result<Value, Failure>, now: Timestamp) {
        let then = Place { now, ..self.here.get() };
        self.entries.borrow_mut().push(Entry { question, answer, then });
    }

    fn rewind(&self) {
        self.read.set(0);
        self.here.set(self.start.get());
    }

    /// The line about rules that contradict themselves: what they asked, and what they had asked before
    fn contradiction(&self) -> Option<[(&'static str, Value); 2]> {
        let broken = self.broken.borrow();
        let entries = self.entries.borrow();
        let (asked, before) = (broken.as_ref()?, entries.get(self.read.get())?);
        Some([("asked", asked.to.object().into()), ("before", before.question.to.object().into())])
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
    journal.start.set(journal.here.get());
    loop {
        journal.rewind();
        let reply = rules();
        for line in journal.lines.take() {
            host.log(line);
        }
        if let Some(fields) = journal.contradiction() {
            host.log(scope.line(Level::Error, "rules_diverged", &fields));
            return Err(journal.end());
        }
        let Some(question) = journal.open.take() else {
            scope.proxy.intake.learn(journal.start.get().learned, journal.learned());
            return reply;
        };
        let answer = upstream::answer(scope, host, &question).await;
        journal.keep(question, answer, host.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Inbound;
    use crate::proxy::Proxy;
    use crate::settings::Settings;
    use ports::{Clock, Http, Log, async_trait};
    use ports::{FetchError, Level, Request, Response};
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;
    use twenty::gate::Priority;
    use twenty::target::Query;

    /// A Twenty that answers each question with its number, a second later than the one before
    #[derive(Default)]
    struct Numbers {
        asked: RefCell<Vec<String>>,
        lines: RefCell<Vec<Value>>,
    }

    #[async_trait(?Send)]
    impl Http for Numbers {
        async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
            let mut asked = self.asked.borrow_mut();
            let place = request.url.strip_prefix("/steps?at=").unwrap();
            asked.push(percent_encoding::percent_decode_str(place).decode_utf8().unwrap().into_owned());
            let body = json!({ "number": asked.len() }).to_string().into_bytes();
            Ok(Response { status: 200, headers: vec![], body })
        }
    }

    #[async_trait(?Send)]
    impl Clock for Numbers {
        async fn sleep(&self, _: Duration) {}

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(i64::try_from(self.asked.borrow().len()).unwrap() * 1_000)
        }
    }

    impl Log for Numbers {
        fn log(&self, event: Event) {
            if event.event == "step" {
                self.lines.borrow_mut().push(event.field("at").unwrap().clone());
            }
        }
    }

    /// A question about this place
    fn to_place(place: &str) -> Target {
        Target::list("steps", &Query::default().with("at", place))
    }

    fn proxy() -> Proxy {
        Proxy::new(Settings {
            base_url: String::new(),
            api_key: Some("k".into()),
            requests_per_minute: None,
            cache_seconds: 0,
            ..Settings::default()
        })
    }

    fn settled(host: &Numbers, rules: impl Fn(&Scope<'_>) -> Result<Value, Failure>) -> Result<Value, Failure> {
        let proxy = proxy();
        let scope = Scope::new(&proxy, host.now(), &Inbound::default(), None, Priority::Person);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(settle(&scope, host, || rules(&scope)))
    }

    /// What rules may do
    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        Say,
        Draw,
        Part(Vec<Step>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let leaf = prop_oneof![3 => Just(Step::Ask), 1 => Just(Step::Say), 1 => Just(Step::Draw)];
        let step = leaf.prop_recursive(2, 12, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Step::Part));
        prop::collection::vec(step, 0..8)
    }

    /// The steps as rules; each leaves what it saw
    fn rules(scope: &Scope<'_>, steps: &[Step], path: &str) -> Result<Value, Failure> {
        let mut seen = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let at = format!("{path}/{at}");
            match step {
                Step::Ask => {
                    let answer = scope.call(to_place(&at), None)?;
                    seen.push(json!([answer["number"], scope.now().as_millis()]));
                }
                Step::Say => scope.log(Level::Info, "step", &[("at", at.into())]),
                Step::Draw => seen.push(scope.new_id().to_string().into()),
                Step::Part(inner) => seen.push(scope.part(&at, &|| rules(scope, inner, &at))?),
            }
        }
        Ok(seen.into())
    }

    /// The same with every answer at once
    fn straight(
        scope: &Scope<'_>,
        steps: &[Step],
        path: &str,
        asked: &mut Vec<String>,
        said: &mut Vec<Value>,
    ) -> Value {
        let mut seen = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let at = format!("{path}/{at}");
            match step {
                Step::Ask => {
                    asked.push(at);
                    seen.push(json!([asked.len(), asked.len() * 1_000]));
                }
                Step::Say => said.push(at.into()),
                Step::Draw => seen.push(scope.new_id().to_string().into()),
                Step::Part(inner) => seen.push(straight(scope, inner, &at, asked, said)),
            }
        }
        seen.into()
    }

    proptest! {
        #[test]
        fn runs_anew_come_to_what_one_run_with_all_answers_comes_to(steps in steps()) {
            let host = Numbers::default();
            let reply = settled(&host, |scope| rules(scope, &steps, "")).unwrap();
            let proxy = proxy();
            let scope = Scope::new(&proxy, Timestamp::from_millis(0), &Inbound::default(), None, Priority::Person);
            let (mut asked, mut said) = (Vec::new(), Vec::new());
            prop_assert_eq!(reply, straight(&scope, &steps, "", &mut asked, &mut said));
            prop_assert_eq!(&*host.asked.borrow(), &asked, "each question goes out once, in order");
            prop_assert_eq!(&*host.lines.borrow(), &said, "each line is said once, in order");
        }
    }

    #[test]
    fn what_runs_after_an_open_question_leaves_no_mark() {
        let host = Numbers::default();
        let reply = settled(&host, |scope| {
            // Rules may well go on after a failure.
            let first = scope.call(to_place("/first"), None);
            scope.learn_rows(first.is_err());
            scope.log(Level::Info, "step", &[("at", first.is_ok().into())]);
            scope.call(to_place("/second"), None)?;
            Ok(first.is_ok().into())
        });
        assert_eq!(reply, Ok(json!(true)));
        assert_eq!(*host.asked.borrow(), ["/first", "/second"]);
        assert_eq!(*host.lines.borrow(), [json!(true)]);
    }

    #[test]
    fn a_part_that_is_through_is_not_run_again() {
        let host = Numbers::default();
        let runs = Cell::new(0);
        settled(&host, |scope| {
            scope.part("rows", &|| {
                runs.set(runs.get() + 1);
                scope.call(to_place("/a"), None)?;
                scope.call(to_place("/b"), None)
            })?;
            for at in 0..9 {
                scope.call(to_place(&format!("/{at}")), None)?;
            }
            Ok(Value::Null)
        })
        .unwrap();
        assert_eq!((runs.get(), host.asked.borrow().len()), (3, 11));
    }

    #[test]
    fn a_part_that_took_waiting_for_an_answer_is_not_through() {
        let host = Numbers::default();
        let noted = Cell::new(0);
        let reply = settled(&host, |scope| {
            scope.part("event", &|| {
                // It goes on whatever the call comes to.
                let _ = scope.call(to_place("/a"), None);
                if !scope.is_waiting() {
                    noted.set(noted.get() + 1);
                }
                Ok(json!("done"))
            })
        });
        assert_eq!((reply, noted.get()), (Ok(json!("done")), 1));
        assert_eq!(*host.asked.borrow(), ["/a"]);
    }

    #[test]
    fn what_a_part_learned_is_known_after_it_and_to_later_requests() {
        let host = Numbers::default();
        let proxy = proxy();
        let ask = |scope: &Scope<'_>| {
            for part in ["one", "two"] {
                scope.part(part, &|| {
                    if scope.has_rows().is_none() {
                        scope.call(to_place("/metadata"), None)?;
                        scope.learn_rows(true);
                    }
                    scope.call(to_place(&format!("/{part}")), None)
                })?;
            }
            Ok(Value::Null)
        };
        for asked in [&["/metadata", "/one", "/two"][..], &["/metadata", "/one", "/two", "/one", "/two"]] {
            let scope = Scope::new(&proxy, host.now(), &Inbound::default(), None, Priority::Person);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(settle(&scope, &host, || ask(&scope))).unwrap();
            assert_eq!(*host.asked.borrow(), asked);
        }
    }

    #[test]
    fn what_was_learned_in_one_run_is_not_known_at_the_start_of_the_next() {
        let host = Numbers::default();
        let reply = settled(&host, |scope| {
            if scope.has_rows().is_none() {
                scope.call(to_place("/metadata"), None)?;
                scope.learn_rows(true);
            }
            scope.call(to_place("/rows"), None)?;
            Ok(scope.has_rows().into())
        });
        assert_eq!(reply, Ok(json!(true)));
        assert_eq!(*host.asked.borrow(), ["/metadata", "/rows"]);
    }

    #[test]
    #[should_panic(expected = "the rules ask something else than before")]
    fn rules_that_contradict_themselves_are_found_by_tests() {
        let runs = Cell::new(0);
        let _ = settled(&Numbers::default(), |scope| {
            runs.set(runs.get() + 1);
            scope.call(to_place(&format!("/{}", runs.get())), None)
        });
    }
}
