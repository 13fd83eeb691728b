//! A workspace, and short ways to look into it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use ports::Timestamp;
use sandbox::{Faults, Limits, Platform, Sandbox, SandboxHost, Settings};
use serde_json::Value;
use uuid::Uuid;

/// Monday 2 March 2026, ten in the morning
pub fn ten() -> Timestamp {
    Timestamp::parse("2026-03-02T10:00:00Z").unwrap()
}

/// A workspace of the sandbox, with a token of all rights and a clock
#[derive(Debug)]
pub struct World {
    /// The workspace
    pub sandbox: Rc<RefCell<Sandbox>>,
    /// Its key
    pub token: String,
    /// What the platform keeps and starts for its functions
    pub platform: Platform,
    /// When a host's clock begins
    pub now: Cell<Timestamp>,
}

impl World {
    /// The workspace of this sandbox, at that time
    #[must_use]
    pub fn of(sandbox: Sandbox, now: Timestamp) -> Self {
        let token = sandbox.tokens().token.clone();
        Self { sandbox: Rc::new(RefCell::new(sandbox)), token, platform: Platform::default(), now: Cell::new(now) }
    }

    /// With the data model of fundraising, at ten and without a rate limit
    #[must_use]
    pub fn fundraising() -> Self {
        Self::with_model(&Self::model(), Limits::off())
    }

    /// With a data model of that shape, at ten
    #[must_use]
    pub fn with_model(model: &Value, limits: Limits) -> Self {
        let mut sandbox = Sandbox::new(Settings { limits, ..Settings::default() });
        sandbox.ensure_model(model);
        Self::of(sandbox, ten())
    }

    /// The data model of fundraising
    pub fn model() -> Value {
        serde_json::from_str(include_str!("../../model/model.json")).unwrap()
    }

    /// A workspace with the same records, on a platform of its own
    #[must_use]
    pub fn twin(&self) -> Self {
        Self::of(self.sandbox.borrow().clone(), self.now.get())
    }

    /// A way to it whose clock begins at the world's time
    pub fn host(&self, faults: Faults) -> SandboxHost {
        SandboxHost::new(self.sandbox.clone(), faults, self.now.get()).on(&self.platform)
    }

    /// Lets so much time pass until the next host begins.
    pub fn later(&self, minutes: u64) {
        self.now.set(self.now.get() + Duration::from_mins(minutes));
    }

    /// Creates a record without a request.
    pub fn create(&self, object: &str, fields: &Value) -> Uuid {
        self.sandbox.borrow_mut().create(object, fields, self.now.get()).unwrap()
    }

    /// Changes a record without a request, as staff do in Twenty.
    pub fn patch(&self, object: &str, id: Uuid, fields: &Value) {
        self.sandbox.borrow_mut().patch(object, id, fields, self.now.get()).unwrap();
    }

    /// A record, be it in the trash
    pub fn record(&self, object: &str, id: Uuid) -> Value {
        self.sandbox.borrow().record(object, id).unwrap()
    }

    /// The records that are not in the trash
    pub fn live(&self, object: &str) -> Vec<Value> {
        let records = self.sandbox.borrow().records(object);
        records.into_iter().filter(|record| record["deletedAt"].is_null()).collect()
    }

    /// The one record that there must be
    pub fn only(&self, object: &str) -> Value {
        let mut all = self.live(object);
        assert_eq!(all.len(), 1, "{object}: {all:#?}");
        all.remove(0)
    }
}
