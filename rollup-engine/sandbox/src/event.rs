//! Record events: what an app's functions and the webhooks are told of a change.
//!
//! Events are hints. The recorded server leaves some out, and so does this one: none for gifts whose donor was
//! destroyed or merged away, none for an upsert that changes only a composite field.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Profile;
use crate::render;
use crate::schema::Shape;
use crate::table::Row;
use crate::webhook;
use crate::workspace::Workspace;

/// Most events that wait to be read; the oldest go first
const KEPT: usize = 20_000;

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

    fn push(&mut self, mut event: RecordEvent) {
        self.last += 1;
        event.seq = self.last;
        self.kept.push_back(event);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }
}

/// What happened to a record
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Created,
    Updated,
    /// An update that an upsert made
    Upserted,
    Deleted,
    Restored,
    Destroyed,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated | Self::Upserted => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Destroyed => "destroyed",
        }
    }
}

/// Tells of one change. Nothing is told of an update that changed nothing.
pub(crate) fn emit(
    workspace: &mut Workspace,
    object_number: usize,
    operation: Operation,
    id: Uuid,
    before: Option<&Row>,
    after: Option<&Row>,
    now: i64,
) {
    let Some(object) = workspace.schema.object(object_number) else { return };
    let read = |row: Option<&Row>| row.map(|row| render::to_value(workspace, object, (id, row)));
    let (mut before, after) = (read(before), read(after));
    let mut properties = Map::new();
    let mut changed = None;
    if let (Some(old), Some(new)) = (before.as_mut(), after.as_ref()) {
        if operation == Operation::Upserted && workspace.profile == Profile::V1 {
            // The recorded server merges composite values into the old record before it compares.
            for field in object.fields.iter().filter(|field| field.shape == Shape::Composite) {
                if let (Some(members), Some(value)) = (old.as_object_mut(), new.get(&field.name)) {
                    members.insert(field.name.clone(), value.clone());
                }
            }
        }
        let (names, diff) = compare(object, old, new);
        if names.is_empty() {
            return;
        }
        changed = Some(names.clone());
        properties.insert("updatedFields".into(), json!(names));
        properties.insert("diff".into(), diff);
    }
    let record = after.clone().or_else(|| before.clone()).unwrap_or(Value::Null);
    if let Some(before) = before {
        properties.insert("before".into(), before);
    }
    if let Some(after) = after {
        properties.insert("after".into(), after);
    }
    let fields: Map<String, Value> = object.fields.iter().map(|field| (field.name.clone(), json!(field.id))).collect();
    let object_metadata = json!({
        "id": object.id,
        "nameSingular": object.singular,
        "namePlural": object.plural,
        "fieldIdByName": fields,
    });
    let name = format!("{}.{}", object.singular, operation.name());
    let metadata = json!({"id": object.id, "nameSingular": object.singular});
    webhook::queue(workspace, &name, &metadata, &record, changed.as_deref(), now);
    workspace.events.push(RecordEvent {
        seq: 0,
        name,
        record_id: id,
        object_metadata,
        properties: Value::Object(properties),
    });
}

/// Names of the fields that differ, a relation under both of its names, and what they were and are
fn compare(object: &crate::schema::Object, old: &Value, new: &Value) -> (Vec<String>, Value) {
    let mut names = Vec::new();
    let mut diff = Map::new();
    for field in &object.fields {
        if matches!(field.name.as_str(), "updatedAt" | "searchVector") {
            continue;
        }
        let key = match &field.shape {
            Shape::ManyToOne { join, .. } => join,
            Shape::OneToMany { .. } => continue,
            _ => &field.name,
        };
        let (was, is) = (old.get(key), new.get(key));
        if was == is {
            continue;
        }
        names.push(field.name.clone());
        if *key == field.name {
            diff.insert(field.name.clone(), json!({"before": was, "after": is}));
        } else {
            names.push(key.clone());
            diff.insert(field.name.clone(), json!({"before": {"id": was}, "after": {"id": is}}));
        }
    }
    (names, Value::Object(diff))
}
