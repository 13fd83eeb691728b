//! What kind of value stands at a path of an object's records.
//!
//! The server adds up only where the kind is known, because what it makes of a filter or an aggregate depends on it. The
//! metadata tells; where it cannot be read, the first records do.

use twenty::page::{FieldSlot, Record};
use twenty::schema::Object;
use twenty::value::Value;

use crate::definitions::FieldKind;
use crate::moment::Moment;

/// What kind of value stands at a path
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Amount of a CURRENCY: whole millionths, exact in the database
    Micros,
    /// NUMBER: a double
    Number,
    /// DATE: a calendar date
    Date,
    /// TEXT or SELECT
    Text,
    /// BOOLEAN
    Boolean,
    /// There is no such field
    Absent,
}

impl PathKind {
    /// What the metadata say
    #[must_use]
    pub fn of_field(object: &Object, path: &str) -> Option<Self> {
        let (name, part) = split(path);
        match (object.field(name)?.kind.as_str(), part) {
            ("CURRENCY", "amountMicros") => Some(Self::Micros),
            ("CURRENCY", "currencyCode") | ("TEXT" | "SELECT", "") => Some(Self::Text),
            ("NUMBER", "") => Some(Self::Number),
            ("DATE", "") => Some(Self::Date),
            ("BOOLEAN", "") => Some(Self::Boolean),
            _ => None,
        }
    }

    /// The values that a field of this kind may have. Texts that records show may be of any field of texts.
    #[must_use]
    pub(crate) fn of_values(self) -> Option<FieldKind> {
        match self {
            Self::Micros => Some(FieldKind::Micros),
            Self::Number => Some(FieldKind::Number),
            Self::Boolean => Some(FieldKind::Boolean),
            Self::Date => Some(FieldKind::AnyText),
            Self::Text | Self::Absent => None,
        }
    }

    /// What the values of some records show, if any has one there
    #[must_use]
    pub fn of_records(records: &[Record], slot: FieldSlot, path: &str) -> Option<Self> {
        let (_, part) = split(path);
        let kind = |record: &Record| match record.value(slot) {
            Value::Missing => Some(Self::Absent),
            // Only a CURRENCY has such a part, also where it is empty.
            _ if part == "amountMicros" => Some(Self::Micros),
            _ if part == "currencyCode" => Some(Self::Text),
            Value::Number(_) if part.is_empty() => Some(Self::Number),
            Value::Bool(_) if part.is_empty() => Some(Self::Boolean),
            Value::Text(text) => match Moment::read(text) {
                Some(Moment::Date(_)) if part.is_empty() => Some(Self::Date),
                None if !text.is_empty() && part.is_empty() => Some(Self::Text),
                _ => None,
            },
            _ => None,
        };
        records.iter().find_map(kind)
    }
}

/// A path as field and part
fn split(path: &str) -> (&str, &str) {
    let mut parts = path.splitn(2, '.');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
