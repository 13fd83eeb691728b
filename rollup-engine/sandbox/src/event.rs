//! Record events: what an app's functions and the webhooks are told of a change.
//!
//! Events are hints. The recorded server leaves some out, and so does this one: none for gifts whose donor was
//! destroyed or merged away, none for an upsert that changes only a composite field.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::event_log::RecordEvent;
use crate::profile::Profile;
use crate::render;
use crate::schema::Shape;
use crate::table::Row;
use crate::webhook::{Hook, Notice};
use crate::workspace::Workspace;

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
    let notice = Notice {
        workspace: workspace.id,
        event: &name,
        object_metadata: &metadata,
        record: &record,
        updated_fields: changed.as_deref(),
        now,
    };
    queue_deliveries(workspace, &notice);
    workspace.events.push(RecordEvent {
        seq: 0,
        name,
        record_id: id,
        object_metadata,
        properties: Value::Object(properties),
    });
}

/// Queues the calls to the webhooks that want this event.
fn queue_deliveries(workspace: &mut Workspace, notice: &Notice<'_>) {
    let hooks: Vec<Hook> = workspace.hooks.iter().filter(|hook| hook.wants(notice.event)).cloned().collect();
    for hook in hooks {
        let nonce = if hook.is_signed() { workspace.new_hex(16) } else { String::new() };
        workspace.outbox.push(hook.delivery(notice, nonce));
    }
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
