//! The record events that nobody has taken yet.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// Most events that wait to be read; the oldest go first
const MAX_EVENTS: usize = 20_000;

/// One change of one record
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordEvent {
    /// Number, counted from 1
    pub seq: u64,
    /// Object and operation: `gift.updated`
    pub name: String,
    /// The record
    pub record_id: Uuid,
    /// The object, at least `id` and `nameSingular`
    pub object_metadata: Value,
    /// `before`, `after`, `updatedFields` and `diff`, as far as the operation has them
    pub properties: Value,
}

/// The last events
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog {
    kept: VecDeque<RecordEvent>,
    last: u64,
}

impl EventLog {
    /// Number of the last event
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Events after that number
    pub(crate) fn after(&self, seq: u64) -> impl Iterator<Item = &RecordEvent> {
        self.kept.iter().filter(move |event| event.seq > seq)
    }

    /// Takes all events.
    pub(crate) fn drain(&mut self) -> Vec<RecordEvent> {
        self.kept.drain(..).collect()
    }

    /// Adds an event, and numbers it.
    pub(crate) fn push(&mut self, mut event: RecordEvent) {
        self.last += 1;
        event.seq = self.last;
        self.kept.push_back(event);
        if self.kept.len() > MAX_EVENTS {
            self.kept.pop_front();
        }
    }
}
