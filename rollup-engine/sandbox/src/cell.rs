//! One stored value, its order, and its JSON.
//!
//! A record is a row of these, not a JSON object: a million gifts have to fit and a page has to be written in
//! milliseconds. Which texts read as null and which numbers are cut is the column's affair, not the cell's.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

/// One stored value
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Cell {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    Date(Date),
    /// Milliseconds since the epoch
    Time(i64),
    Id(Uuid),
    Text(Arc<str>),
    List(Arc<[Arc<str>]>),
    Json(Arc<Value>),
}

/// The same, borrowed
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Date(Date),
    Time(i64),
    Id(Uuid),
    Text(&'a str),
    List(&'a [Arc<str>]),
    Json(&'a Value),
}

impl Cell {
    /// A text; the empty one is stored as null
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.into()) }
    }

    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Number(value) => View::Number(*value),
            Self::Date(value) => View::Date(*value),
            Self::Time(value) => View::Time(*value),
            Self::Id(value) => View::Id(*value),
            Self::Text(value) => View::Text(value),
            Self::List(value) => View::List(value),
            Self::Json(value) => View::Json(value),
        }
    }

    /// The value under which a unique index keeps it; nulls do not collide
    pub(crate) fn unique_key(&self) -> Option<Arc<str>> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            other => {
                let mut out = String::new();
                other.view().write_json(&mut out);
                Some(out.into())
            }
        }
    }
}

impl View<'_> {
    pub(crate) fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn to_cell(self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Bool(value) => Cell::Bool(value),
            Self::Number(value) => Cell::Number(value),
            Self::Date(value) => Cell::Date(value),
            Self::Time(value) => Cell::Time(value),
            Self::Id(value) => Cell::Id(value),
            Self::Text(value) => Cell::Text(value.into()),
            Self::List(value) => Cell::List(value.into()),
            Self::Json(value) => Cell::Json(Arc::new(value.clone())),
        }
    }

    /// Order of two values of one column; nothing if one of them is null
    pub(crate) fn order(self, other: View<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, _) | (_, View::Null) => None,
            (Self::Bool(a), View::Bool(b)) => Some(a.cmp(&b)),
            (Self::Number(a), View::Number(b)) => Some(a.total_cmp(&b)),
            (Self::Date(a), View::Date(b)) => Some(a.cmp(&b)),
            (Self::Time(a), View::Time(b)) => Some(a.cmp(&b)),
            (Self::Id(a), View::Id(b)) => Some(a.cmp(&b)),
            (Self::Text(a), View::Text(b)) => Some(collate(a, b)),
            (Self::List(a), View::List(b)) => Some(a.cmp(b)),
            (Self::Json(a), View::Json(b)) => Some(a.to_string().cmp(&b.to_string())),
            _ => Some(Ordering::Equal),
        }
    }

    /// Whether two values are the same, by SQL's rule that null is never equal to anything
    pub(crate) fn same(self, other: View<'_>) -> Option<bool> {
        match (self, other) {
            (Self::Null, _) | (_, View::Null) => None,
            (Self::Text(a), View::Text(b)) => Some(a == b),
            (Self::Json(a), View::Json(b)) => Some(a == b),
            (a, b) => a.order(b).map(Ordering::is_eq),
        }
    }

    /// Appends the value as JSON.
    pub(crate) fn write_json(self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Self::Number(value) => write_number(value, out),
            Self::Date(value) => {
                let _ = write!(out, "\"{value}\"");
            }
            Self::Time(value) => {
                out.push('"');
                write_time(value, out);
                out.push('"');
            }
            Self::Id(value) => {
                let mut buffer = Uuid::encode_buffer();
                out.push('"');
                out.push_str(value.hyphenated().encode_lower(&mut buffer));
                out.push('"');
            }
            Self::Text(value) => write_text(value, out),
            Self::List(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_text(value, out);
                }
                out.push(']');
            }
            Self::Json(value) => {
                let _ = write!(out, "{value}");
            }
        }
    }
}

/// The database's order of texts: letters before case, as an English locale sorts
fn collate(a: &str, b: &str) -> Ordering {
    let fold = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    fold(a).cmp(&fold(b)).then_with(|| b.cmp(a))
}

/// A number as JavaScript prints it, without a fraction where it has none
pub(crate) fn write_number(value: f64, out: &mut String) {
    if value == 0.0 {
        out.push('0');
    } else if value.fract() == 0.0 && value.abs() < 1e21 {
        let _ = write!(out, "{value:.0}");
    } else if value.is_finite() {
        let _ = write!(out, "{value}");
    } else {
        out.push_str("null");
    }
}

/// A text as JSON
pub(crate) fn write_text(text: &str, out: &mut String) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let _ = write!(out, "{}", Value::from(text));
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// An instant as the server prints it: UTC, three decimals, `Z`
pub(crate) fn write_time(millis: i64, out: &mut String) {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(time) => {
            let _ = write!(out, "{time:.3}");
        }
        Err(_) => out.push_str("1970-01-01T00:00:00.000Z"),
    }
}

/// [`write_time`] into a string of its own
pub(crate) fn time_text(millis: i64) -> String {
    let mut out = String::with_capacity(24);
    write_time(millis, &mut out);
    out
}
