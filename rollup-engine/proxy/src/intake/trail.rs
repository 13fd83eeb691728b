//! The audit trail on a row: who did what to it, when, and what was known at that moment.
//!
//! It holds names of fields and ids, never names, addresses or notes: a trail is kept longer than those may be.

use ports::Timestamp;
use serde_json::{Map, Value, json};

use super::staged_gift::StagedGift;

/// More than any review needs; what is older than the first and the latest goes
const MAX_ENTRIES: usize = 200;

/// Who acts, and on whose behalf
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor<'a> {
    pub(crate) at: Timestamp,
    /// `person`, `webhook` or `job`
    pub(crate) by: &'static str,
    pub(crate) request_id: &'a str,
}

impl Actor<'_> {
    /// One entry
    pub(crate) fn entry(&self, action: &str, particulars: Value) -> Value {
        let mut entry = match particulars {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        entry.insert("action".into(), action.into());
        entry.insert("at".into(), self.at.to_string().into());
        entry.insert("by".into(), self.by.into());
        entry.insert("requestId".into(), self.request_id.into());
        Value::Object(entry)
    }
}

/// The row's trail with one more entry; nothing if the workspace keeps none
pub(crate) fn extended(row: &StagedGift, entry: Value) -> Option<Value> {
    if !row.is_own() {
        return None;
    }
    let mut entries = match row.get("auditTrail") {
        Some(Value::Array(entries)) => entries.clone(),
        // Twenty takes and returns objects only; the list is wrapped.
        Some(Value::Object(members)) => members.get("entries").and_then(Value::as_array).cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    if entries.len() >= MAX_ENTRIES {
        entries.drain(1..entries.len() + 2 - MAX_ENTRIES);
    }
    entries.push(entry);
    Some(wrapped(&entries))
}

/// A trail as it is stored
pub(crate) fn wrapped(entries: &[Value]) -> Value {
    json!({ "entries": entries })
}

/// Whether a trail has the entry with this mark
pub(crate) fn has(row: &StagedGift, mark: &str) -> bool {
    let entries = row.get("auditTrail").and_then(|trail| trail.get("entries")?.as_array());
    entries.into_iter().flatten().any(|entry| entry.get("mark").and_then(Value::as_str) == Some(mark))
}

/// How often the row failed since it was last changed
pub(crate) fn failures(row: &StagedGift) -> u32 {
    let entries = row.get("auditTrail").and_then(|trail| trail.get("entries")?.as_array());
    let actions = entries.into_iter().flatten().rev().filter_map(|entry| entry.get("action")?.as_str());
    let since_changed = actions.take_while(|action| !matches!(*action, "edited" | "merged"));
    since_changed.fold(0, |count, action| count + u32::from(action == "failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_trail_keeps_its_beginning() {
        let actor = Actor { at: Timestamp::from_millis(0), by: "person", request_id: "q" };
        let mut row = StagedGift::new(json!({ "auditTrail": null }));
        for number in 0..MAX_ENTRIES + 30 {
            let trail = extended(&row, actor.entry("edited", json!({ "number": number }))).unwrap();
            row = StagedGift::new(json!({ "auditTrail": trail }));
        }
        let entries = row.get("auditTrail").unwrap()["entries"].as_array().unwrap().clone();
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert_eq!(entries[0]["number"], 0);
        assert_eq!(entries[MAX_ENTRIES - 1]["number"], MAX_ENTRIES + 29);
        assert_eq!(entries[0]["at"], "1970-01-01T00:00:00.000Z");
        assert!(!has(&row, "m"));
        let marked = extended(&row, actor.entry("failed", json!({ "mark": "m" }))).unwrap();
        let marked = StagedGift::new(json!({ "auditTrail": marked }));
        assert!(has(&marked, "m"));
        assert_eq!((failures(&row), failures(&marked)), (0, 1));
        assert_eq!(extended(&StagedGift::new(json!({})), json!({})), None, "a workspace without the field");
    }
}
