//! Where a run stopped, so that another one goes on from there.
//!
//! Small on purpose: it has to fit into a job's payload and into the app's store. What it says is only where to begin;
//! everything from there on is read anew, so an old checkpoint costs time and never a wrong total.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::definitions::Fault;
use crate::ids::Ids;

/// Where to go on
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of the configuration that the run had
    pub config: u64,
    /// What is left
    pub remaining: Remaining,
}

/// What a run has left over
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remaining {
    /// The parents of an object behind this cursor, and all objects that are settled after it
    After {
        /// The object, in the singular
        object: String,
        /// Cursor of the last parent that is done; nothing for the beginning
        after: Option<String>,
    },
    /// These parents, by object
    Parents(Vec<(String, Ids)>),
}

impl Checkpoint {
    /// As it stands in a report and in a payload
    ///
    /// ```
    /// use rollup::checkpoint::{Checkpoint, Remaining};
    ///
    /// let checkpoint = Checkpoint { config: 7, remaining: Remaining::After { object: "person".into(), after: None } };
    /// assert_eq!(Checkpoint::from_json(&checkpoint.to_json()), Ok(checkpoint));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = Map::new();
        json.insert("config".to_owned(), format!("{:016x}", self.config).into());
        match &self.remaining {
            Remaining::After { object, after } => {
                json.insert("object".to_owned(), object.as_str().into());
                json.insert("after".to_owned(), after.as_deref().map_or(Json::Null, Json::from));
            }
            Remaining::Parents(parents) => {
                let mut by_object = Map::new();
                for (object, ids) in parents {
                    let ids = ids.as_slice().iter().map(|id| id.to_string().into()).collect();
                    by_object.insert(object.clone(), Json::Array(ids));
                }
                json.insert("parents".to_owned(), Json::Object(by_object));
            }
        }
        Json::Object(json)
    }

    /// Reads what [`Checkpoint::to_json`] gave
    ///
    /// # Errors
    /// If it is none; the fault says where.
    pub fn from_json(json: &Json) -> Result<Self, Fault> {
        let bad = |key: &str| {
            Fault::new(format!("checkpoint, {key}"), "expected what stood as `checkpoint` in the report of a run")
        };
        let text = |key: &str| json.get(key).and_then(Json::as_str);
        let config = text("config").and_then(|hex| u64::from_str_radix(hex, 16).ok()).ok_or_else(|| bad("config"))?;
        if let Some(parents) = json.get("parents") {
            let parents = parents.as_object().ok_or_else(|| bad("parents"))?;
            let mut left = Vec::new();
            for (object, ids) in parents {
                let mut set = Ids::default();
                for id in ids.as_array().ok_or_else(|| bad("parents"))? {
                    set.insert(id.as_str().and_then(|id| Uuid::try_parse(id).ok()).ok_or_else(|| bad("parents"))?);
                }
                left.push((object.clone(), set));
            }
            return Ok(Self { config, remaining: Remaining::Parents(left) });
        }
        let object = text("object").ok_or_else(|| bad("object"))?.to_owned();
        let after = match json.get("after") {
            None | Some(Json::Null) => None,
            Some(Json::String(cursor)) => Some(cursor.clone()),
            Some(_) => return Err(bad("after")),
        };
        Ok(Self { config, remaining: Remaining::After { object, after } })
    }

    /// As a job's payload
    #[must_use]
    pub fn to_payload(&self) -> Json {
        let mut payload = json!({});
        if let Some(object) = payload.as_object_mut() {
            object.insert("checkpoint".to_owned(), self.to_json());
        }
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_checkpoint_comes_back_as_it_went() {
        let mut ids = Ids::default();
        ids.insert(Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111));
        for left in [
            Remaining::After { object: "person".into(), after: None },
            Remaining::After { object: "household".into(), after: Some("eyJpZCI6IjEifQ==".into()) },
            Remaining::Parents(vec![("person".into(), ids)]),
        ] {
            let checkpoint = Checkpoint { config: 0xfedc_ba98_7654_3210, remaining: left };
            assert_eq!(Checkpoint::from_json(&checkpoint.to_json()), Ok(checkpoint.clone()));
            assert_eq!(checkpoint.to_payload()["checkpoint"], checkpoint.to_json());
        }
    }

    #[test]
    fn other_values_are_no_checkpoint() {
        for (json, place) in [
            (json!({}), "checkpoint, config"),
            (json!({ "config": "12" }), "checkpoint, object"),
            (json!({ "config": "12", "object": "person", "after": 5 }), "checkpoint, after"),
            (json!({ "config": "12", "parents": { "person": ["x"] } }), "checkpoint, parents"),
        ] {
            assert_eq!(Checkpoint::from_json(&json).unwrap_err().place, place);
        }
    }
}
