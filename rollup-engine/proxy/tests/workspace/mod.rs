//! A workspace with the service's own model, and short ways to look into it.

use std::cell::RefCell;
use std::rc::Rc;

use ports::Timestamp;
use sandbox::{Faults, Limits, Sandbox, SandboxHost, Settings};
use serde_json::Value;

/// Monday 2 March 2026, ten in the morning
pub(crate) fn ten() -> Timestamp {
    Timestamp::parse("2026-03-02T10:00:00Z").unwrap()
}

pub(crate) struct Workspace {
    pub(crate) sandbox: Rc<RefCell<Sandbox>>,
    pub(crate) token: String,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self::of(&serde_json::from_str(include_str!("../../../model/model.json")).unwrap())
    }

    pub(crate) fn of(model: &Value) -> Self {
        let mut sandbox = Sandbox::new(Settings { limits: Limits::off(), ..Settings::default() });
        sandbox.ensure_model(model);
        let token = sandbox.tokens().token.clone();
        Self { sandbox: Rc::new(RefCell::new(sandbox)), token }
    }

    pub(crate) fn host(&self, faults: Faults) -> SandboxHost {
        SandboxHost::new(self.sandbox.clone(), faults, ten())
    }

    pub(crate) fn create(&self, object: &str, body: &Value) -> String {
        self.sandbox.borrow_mut().create(object, body, ten()).unwrap().to_string()
    }

    /// Records that are not in the trash
    pub(crate) fn live(&self, object: &str) -> Vec<Value> {
        let records = self.sandbox.borrow().records(object);
        records.into_iter().filter(|record| record["deletedAt"].is_null()).collect()
    }

    /// The one record that there must be
    pub(crate) fn only(&self, object: &str) -> Value {
        let mut all = self.live(object);
        assert_eq!(all.len(), 1, "{object}: {all:#?}");
        all.remove(0)
    }
}
