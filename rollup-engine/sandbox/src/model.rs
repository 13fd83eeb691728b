//! A workspace that has a given data model.
//!
//! A model is a JSON object of objects by singular name: `{"gift":{"plural":"gifts","fields":{"amount":"CURRENCY",
//! "donor":"person.gifts"},"totals":{…}}}`. A field is a type, with options behind a `SELECT`, or a relation: the object
//! on its one side and the list there.

use serde_json::Value;

use crate::state::Sandbox;

impl Sandbox {
    /// Makes whatever of this model is missing.
    pub fn ensure_model(&mut self, model: &Value) {
        let objects = || model.as_object().into_iter().flatten();
        for (singular, object) in objects() {
            let plural = object.get("plural").and_then(Value::as_str).unwrap_or(singular);
            // Each call is refused only where the thing exists already, which is as good.
            let _ = self.add_object(singular, plural);
        }
        for (singular, object) in objects() {
            let parts = ["fields", "totals"].into_iter().filter_map(|part| object.get(part)?.as_object());
            for (name, kind) in parts.flatten() {
                let kind = kind.as_str().unwrap_or_default();
                if let Some((target, list)) = kind.split_once('.') {
                    // The list may have the name of a standard one, which is always empty here.
                    if self.add_relation(singular, name, target, list).is_err() {
                        let _ = self.add_relation(singular, name, target, &format!("{list}By{name}"));
                    }
                } else {
                    let mut words = kind.split(' ');
                    let kind = words.next().unwrap_or_default();
                    let _ = self.add_field(singular, kind, name, &words.collect::<Vec<_>>());
                }
            }
        }
    }
}
