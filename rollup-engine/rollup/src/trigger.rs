//! What a run is asked to do, told from the shape of its payload.
//!
//! Nothing in a payload names its trigger: an empty object is the cron, `requestContext` is the route, `events` or
//! `recordId` a record event. A payload of no known shape is refused; it must not start a rebuild by accident.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::checkpoint::{Checkpoint, Remaining};
use crate::definitions::{Definition, Fault, shown};
use crate::ids::{Ids, Targets};

/// What to recompute
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// All parents of all definitions
    Everything,
    /// The parents that these events touch
    Events(Vec<RecordEvent>),
    /// Whatever may have changed without being told: all parents, or those of the children that changed of late
    Sweep,
    /// What a run that stopped has left over
    Continuation(Checkpoint),
    /// Nothing: only what a rebuild would cost
    Plan,
    /// Nothing: only what a rebuild would change
    DryRun,
    /// Nothing: only what the last runs have left
    Health,
    /// Nothing: only how the totals of one parent come about
    Explain {
        /// Its object
        object: String,
        /// The parent
        id: Uuid,
    },
    /// These records, as parents of one object, or of every object that knows them
    Parents {
        /// The object, if it was named
        object: Option<String>,
        /// Their ids
        ids: Ids,
        /// Whether nothing is written: only what would change
        dry: bool,
    },
}

/// What one event says: that something happened, which may be long past or told twice
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEvent {
    object: String,
    restored: bool,
    destroyed: bool,
    record: Option<Uuid>,
    before: Json,
    after: Json,
}

impl Trigger {
    /// Reads a payload
    ///
    /// ```
    /// use rollup::trigger::Trigger;
    /// use serde_json::json;
    ///
    /// assert_eq!(Trigger::read(&json!({})), Ok(Trigger::Everything));
    /// assert_eq!(Trigger::read(&json!({ "sweep": true })), Ok(Trigger::Sweep));
    /// assert!(Trigger::read(&json!({ "swep": true })).is_err());
    /// ```
    ///
    /// # Errors
    /// If it has no known shape; the fault says what was found.
    pub fn read(payload: &Json) -> Result<Self, Fault> {
        let object = match payload {
            Json::Null => return Ok(Self::Everything),
            Json::Object(object) if object.is_empty() => return Ok(Self::Everything),
            Json::Object(object) => object,
            other => return Err(unknown(&format!("found {}", crate::definitions::kind_of(other)))),
        };
        if object.contains_key("requestContext") {
            return route(object.get("body").unwrap_or(&Json::Null));
        }
        if let Some(events) = object.get("events") {
            let Some(events) = events.as_array() else { return Err(Fault::new("payload, events", "expected a list")) };
            return events.iter().map(|event| record_event(payload, event)).collect::<Result<_, _>>().map(Self::Events);
        }
        if object.contains_key("recordId") || object.contains_key("properties") {
            return Ok(Self::Events(vec![record_event(payload, payload)?]));
        }
        if let Some(command) = command(object)? {
            return Ok(command);
        }
        if object.contains_key("ids") {
            return parents(object, "payload");
        }
        let keys: Vec<String> = object.keys().take(5).map(|key| format!("`{key}`")).collect();
        Err(unknown(&format!("found an object with {}", keys.join(", "))))
    }

    /// The parents to recompute; nothing for all of them
    #[must_use]
    pub fn targets(&self, definitions: &[Definition]) -> Option<Targets> {
        let mut targets = Targets::new();
        for definition in definitions {
            targets.push(match self {
                Self::Events(events) => events.iter().flat_map(|event| event.parents(definition)).collect(),
                Self::Continuation(Checkpoint { remaining: Remaining::Parents(parents), .. }) => parents
                    .iter()
                    .filter(|(object, _)| *object == definition.parent_object)
                    .flat_map(|(_, ids)| ids.as_slice().iter().copied())
                    .collect(),
                Self::Parents { object, .. }
                    if object.as_ref().is_some_and(|name| *name != definition.parent_object) =>
                {
                    Ids::default()
                }
                Self::Parents { ids, .. } => ids.clone(),
                _ => return None,
            });
        }
        Some(targets)
    }

    /// Whether the children of other parents may have come to a parent without an event: Twenty merges two records by
    /// moving the children of one and destroying it, and tells only the latter
    #[must_use]
    pub fn may_be_a_merge(&self, definitions: &[Definition]) -> bool {
        let Self::Events(events) = self else { return false };
        events.iter().any(|event| {
            event.destroyed && definitions.iter().any(|definition| definition.parent_object == event.object)
        })
    }
}

impl RecordEvent {
    /// Parents of a definition that the event touches: those before and after it
    fn parents(&self, definition: &Definition) -> Vec<Uuid> {
        let mut parents = Vec::new();
        if self.object == definition.child_object {
            let sides = [&self.before, &self.after];
            let ids = sides.map(|side| side.get(&definition.relation_field).and_then(Json::as_str));
            parents.extend(ids.into_iter().flatten().filter_map(|id| Uuid::try_parse(id).ok()));
        }
        // While a parent was deleted, no run kept its totals right.
        if self.object == definition.parent_object && self.restored {
            parents.extend(self.record);
        }
        parents
    }
}

fn unknown(found: &str) -> Fault {
    let expected = "expected {} from a cron, a record event with `recordId`, a batch with `events`, or a route request";
    Fault::new("payload", format!("{found}, {expected}"))
}

fn record_event(payload: &Json, event: &Json) -> Result<RecordEvent, Fault> {
    let name = payload.get("name").and_then(Json::as_str).unwrap_or_default();
    let (object, operation) = name.split_once('.').unwrap_or_default();
    let metadata = payload.get("objectMetadata").and_then(|metadata| metadata.get("nameSingular"));
    let object = metadata.and_then(Json::as_str).unwrap_or(object);
    if object.is_empty() {
        return Err(Fault::new("payload, name", "expected an object and an operation, such as `gift.created`"));
    }
    let Some(properties) = event.get("properties").filter(|properties| properties.is_object()) else {
        return Err(Fault::new("payload, properties", "expected an object with `before` or `after`"));
    };
    let side = |name: &str| properties.get(name).cloned().unwrap_or(Json::Null);
    Ok(RecordEvent {
        object: object.to_owned(),
        restored: operation == "restored",
        destroyed: operation == "destroyed",
        record: event.get("recordId").and_then(Json::as_str).and_then(|id| Uuid::try_parse(id).ok()),
        before: side("before"),
        after: side("after"),
    })
}

/// What an object asks for by one of the words that only this engine knows
fn command(object: &Map<String, Json>) -> Result<Option<Trigger>, Fault> {
    let Some((word, value)) = object.iter().next().filter(|_| object.len() == 1) else { return Ok(None) };
    let asked = |trigger| match value {
        Json::Bool(true) => Ok(Some(trigger)),
        other => Err(Fault::new(format!("payload, {word}"), format!("found {}, expected true", shown(other)))),
    };
    match word.as_str() {
        "sweep" => asked(Trigger::Sweep),
        "plan" => asked(Trigger::Plan),
        "dryRun" => asked(Trigger::DryRun),
        "health" => asked(Trigger::Health),
        "checkpoint" => Checkpoint::from_json(value).map(|checkpoint| Some(Trigger::Continuation(checkpoint))),
        "explain" => {
            let text = |key: &str| value.get(key).and_then(Json::as_str);
            let id = text("id").and_then(|id| Uuid::try_parse(id).ok());
            match (text("parentObject"), id) {
                (Some(object), Some(id)) => Ok(Some(Trigger::Explain { object: object.to_owned(), id })),
                _ => Err(Fault::new("payload, explain", "expected `parentObject` and the `id` of a record")),
            }
        }
        _ => Ok(None),
    }
}

fn route(body: &Json) -> Result<Trigger, Fault> {
    let object = match body {
        Json::Null => return Ok(Trigger::Everything),
        Json::Object(object) if object.is_empty() => return Ok(Trigger::Everything),
        Json::Object(object) => object,
        _ => return Err(Fault::new("body", "expected an object, such as `{\"parentObject\":\"person\",\"ids\":[…]}`")),
    };
    if let Some(command) = command(object)? {
        return Ok(command);
    }
    // Where apps have no queue, one function hands record events on to this one by its route.
    if object.contains_key("events") {
        return Trigger::read(body);
    }
    parents(object, "body")
}

/// The records that `ids` names, with `dryRun` to look at them only
fn parents(object: &Map<String, Json>, inside: &str) -> Result<Trigger, Fault> {
    let fault = |key: &str, message: String| Err(Fault::new(format!("{inside}, {key}"), message));
    if let Some(key) = object.keys().find(|key| !["ids", "parentObject", "dryRun"].contains(&key.as_str())) {
        return fault(key, "unknown key, expected `ids` and `parentObject`".to_owned());
    }
    let parent = match object.get("parentObject") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name.clone()),
        Some(_) => return fault("parentObject", "expected the name of an object".to_owned()),
    };
    let dry = match object.get("dryRun") {
        None => false,
        Some(Json::Bool(true)) => true,
        Some(other) => return fault("dryRun", format!("found {}, expected true", shown(other))),
    };
    let Some(list) = object.get("ids").and_then(Json::as_array) else {
        return fault("ids", "expected a list of record ids".to_owned());
    };
    let mut ids = Ids::default();
    for (index, id) in list.iter().enumerate() {
        match id.as_str().and_then(|id| Uuid::try_parse(id).ok()) {
            Some(id) => ids.insert(id),
            None => return fault(&format!("ids {index}"), format!("found {}, expected the id of a record", shown(id))),
        }
    }
    Ok(Trigger::Parents { object: parent, ids, dry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::parse;
    use serde_json::json;

    const ADA: &str = "11111111-1111-4111-8111-111111111111";
    const BOB: &str = "22222222-2222-4222-8222-222222222222";

    fn targets(payload: &Json) -> Option<Vec<(usize, Vec<String>)>> {
        let definition = |parent: &str, child: &str| {
            json!({ "parentObject": parent, "childObject": child, "relationField": format!("{parent}Id"),
                    "aggregations": [{ "type": "COUNT", "parentField": "n" }] })
        };
        let definitions = parse(&json!([
            definition("person", "gift"),
            definition("appeal", "gift"),
            definition("household", "person")
        ]));
        let targets = Trigger::read(payload).unwrap().targets(&definitions.unwrap())?;
        let named = targets.into_iter().enumerate().filter(|(_, ids)| !ids.is_empty());
        Some(named.map(|(n, ids)| (n, ids.as_slice().iter().map(ToString::to_string).collect())).collect())
    }

    fn event(name: &str, before: &Json, after: &Json) -> Json {
        json!({ "name": name, "recordId": ADA, "properties": { "before": before, "after": after } })
    }

    #[test]
    fn empty_payload_means_everything() {
        for payload in
            [json!({}), json!(null), json!({ "requestContext": {}, "body": null }), json!({ "requestContext": {} })]
        {
            assert_eq!(targets(&payload), None);
        }
    }

    #[test]
    fn event_names_both_parents() {
        let moved = event("gift.updated", &json!({ "personId": ADA }), &json!({ "personId": BOB, "appealId": null }));
        assert_eq!(targets(&moved), Some(vec![(0, vec![ADA.into(), BOB.into()])]));
        let created = event("gift.created", &json!(null), &json!({ "personId": ADA, "appealId": BOB }));
        assert_eq!(targets(&created), Some(vec![(0, vec![ADA.into()]), (1, vec![BOB.into()])]));
    }

    /// An event that touches no parent is not a rebuild
    #[test]
    fn events_without_parents() {
        assert_eq!(targets(&event("gift.created", &json!(null), &json!({ "personId": null }))), Some(vec![]));
        assert_eq!(targets(&event("note.created", &json!(null), &json!({ "personId": ADA }))), Some(vec![]));
        assert_eq!(targets(&json!({ "name": "gift.created", "events": [] })), Some(vec![]));
    }

    #[test]
    fn a_request_may_hand_record_events_on() {
        let events = [json!({ "recordId": ADA, "properties": { "before": { "householdId": BOB } } })];
        let request = |name: &str| json!({ "requestContext": {}, "body": { "name": name, "events": events.clone() } });
        assert_eq!(targets(&request("person.deleted")), Some(vec![(2, vec![BOB.into()])]));
        assert_eq!(targets(&request("note.deleted")), Some(vec![]));
    }

    #[test]
    fn a_batch_is_merged_by_parent() {
        let events = [json!({ "personId": ADA }), json!({ "personId": ADA }), json!({ "personId": BOB })]
            .map(|after| json!({ "recordId": ADA, "properties": { "after": after } }));
        let batch = json!({ "name": "gift.created", "objectMetadata": { "nameSingular": "gift" }, "events": events });
        assert_eq!(targets(&batch), Some(vec![(0, vec![ADA.into(), BOB.into()])]));
    }

    #[test]
    fn a_restored_parent_is_recomputed() {
        let restored = event("person.restored", &json!({}), &json!({ "householdId": BOB }));
        assert_eq!(targets(&restored), Some(vec![(0, vec![ADA.into()]), (2, vec![BOB.into()])]));
    }

    #[test]
    fn a_route_may_name_parents() {
        let request = |body: Json| json!({ "requestContext": { "http": {} }, "body": body });
        assert_eq!(
            targets(&request(json!({ "parentObject": "appeal", "ids": [ADA, ADA] }))),
            Some(vec![(1, vec![ADA.into()])])
        );
        assert_eq!(targets(&request(json!({ "ids": [ADA] }))).unwrap().len(), 3);
        assert_eq!(targets(&request(json!({ "ids": [] }))), Some(vec![]));
    }

    #[test]
    fn payloads_of_no_known_shape_are_refused() {
        let request = |body: Json| json!({ "requestContext": {}, "body": body });
        let expected =
            "expected {} from a cron, a record event with `recordId`, a batch with `events`, or a route request";
        for (payload, message) in [
            (json!("x"), format!("payload: found a text, {expected}")),
            (json!([]), format!("payload: found an empty list, {expected}")),
            (json!({ "foo": 1, "bar": 2 }), format!("payload: found an object with `bar`, `foo`, {expected}")),
            (json!({ "events": 5 }), "payload, events: expected a list".into()),
            (
                json!({ "recordId": ADA, "properties": {} }),
                "payload, name: expected an object and an operation, such as `gift.created`".into(),
            ),
            (
                json!({ "recordId": ADA, "name": "gift.created" }),
                "payload, properties: expected an object with `before` or `after`".into(),
            ),
            (request(json!({ "raw": "x" })), "body, raw: unknown key, expected `ids` and `parentObject`".into()),
            (
                request(json!([])),
                "body: expected an object, such as `{\"parentObject\":\"person\",\"ids\":[…]}`".into(),
            ),
            (request(json!({ "ids": "x" })), "body, ids: expected a list of record ids".into()),
            (request(json!({ "ids": [ADA, "x"] })), "body, ids 1: found \"x\", expected the id of a record".into()),
        ] {
            assert_eq!(Trigger::read(&payload).unwrap_err().to_string(), message);
        }
    }
}
