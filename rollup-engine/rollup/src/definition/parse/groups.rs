//! Totals in two steps.

use serde_json::{Map, Value as Json};

use super::super::fault::listed;
use super::super::model::{Group, Having, InnerOperation, Operator, Unit};
use super::super::reader::{Reader, stated};
use super::super::words::RETURNS;
use super::conditions;

/// Keys of a group, and of what is asked of its value
pub(crate) const GROUP_BY_KEYS: [&str; 3] = ["field", "datePart", "type"];
pub(crate) const HAVING_KEYS: [&str; 2] = ["operator", "value"];

/// Reads `groupBy`, `having` and `returns`
pub(super) fn read_group(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<Group> {
    let Some(json) = stated(object, "groupBy") else {
        for key in ["having", "returns"] {
            if stated(object, key).is_some() {
                reader.fault(key, "needs a `groupBy`, which says what the groups are");
            }
        }
        return None;
    };
    let having = read_having(reader, object);
    let returns_key = reader.optional_choice(object, "returns", &RETURNS).unwrap_or_default();
    let mut reader = reader.inside("groupBy");
    let group = reader.object(json, &GROUP_BY_KEYS)?;
    let field = reader.path(group, "field");
    let date_part = reader.optional_choice(group, "datePart", &Unit::ALL);
    let inner = reader.choice(group, "type", &InnerOperation::ALL);
    Some(Group { field: field?, date_part, inner: inner?, having, returns_key })
}

impl Group {
    /// Whether its groups are made of values, not of children
    pub(super) fn needs_value(&self) -> bool {
        self.inner != InnerOperation::Count
    }
}

fn read_having(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<Having> {
    let json = stated(object, "having")?;
    let mut reader = reader.inside("having");
    let object = reader.object(json, &HAVING_KEYS)?;
    let operator = reader.choice(object, "operator", &Operator::ALL)?;
    if !operator.is_equality() && !operator.is_order() {
        let allowed = Operator::ALL.iter().filter(|(_, other)| other.is_equality() || other.is_order());
        let allowed: Vec<&str> = allowed.map(|(name, _)| *name).collect();
        reader.fault("operator", format!("found `{}`, expected one of {}", operator.name(), listed(&allowed)));
        return None;
    }
    let Some(json) = object.get("value") else {
        reader.fault("value", format!("missing, expected what `{}` compares a group's value with", operator.name()));
        return None;
    };
    let operand = conditions::value(&mut reader, "value", json, operator)?;
    Some(Having { operator, operand })
}
