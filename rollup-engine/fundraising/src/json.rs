//! Small words for JSON, each compiled once.
//!
//! `json!` and `Map::insert` are written out wherever they stand; as calls they take 20 kB less of the module. Writing a
//! `Value` by `Display`, or reading one from a `str`, brings a second writer or reader.

use serde_json::{Map, Value};

/// Setting members and leaving them out
pub trait Members {
    /// Sets a member, whatever it was before.
    fn set(&mut self, key: &str, value: Value);
    /// Sets a member to a text.
    fn set_text(&mut self, key: &str, text: &str);
    /// Leaves a member out.
    fn unset(&mut self, key: &str);
}

impl Members for Map<String, Value> {
    #[inline(never)]
    fn set(&mut self, key: &str, value: Value) {
        self.insert(key.to_owned(), value);
    }

    #[inline(never)]
    fn set_text(&mut self, key: &str, text: &str) {
        self.set(key, Value::String(text.to_owned()));
    }

    // `Map::remove` joins the nodes of its tree anew: another 5 kB, for maps of twenty members.
    #[inline(never)]
    fn unset(&mut self, key: &str) {
        for (name, value) in std::mem::take(self) {
            if name != key {
                self.insert(name, value);
            }
        }
    }
}

/// The members of an object
#[must_use]
pub fn members<const N: usize>(mut list: [(&str, Value); N]) -> Map<String, Value> {
    collected(&mut list)
}

/// An object
#[must_use]
pub fn object<const N: usize>(mut list: [(&str, Value); N]) -> Value {
    Value::Object(collected(&mut list))
}

#[inline(never)]
fn collected(list: &mut [(&str, Value)]) -> Map<String, Value> {
    let mut members = Map::new();
    for (key, value) in list {
        members.set(key, value.take());
    }
    members
}

/// What lies at a path
#[must_use]
#[inline(never)]
pub fn at<'a>(json: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(json, |json, key| json.get(*key))
}

/// The text at a path
#[inline(never)]
pub fn text_at<'a>(json: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(json, path).and_then(Value::as_str)
}

/// A text of a record
#[inline(never)]
pub fn text_of<'a>(record: &'a Value, key: &str) -> Option<&'a str> {
    record.get(key).and_then(Value::as_str)
}

/// A text of a record; empty if there is none
#[must_use]
#[inline(never)]
pub fn string(record: &Value, key: &str) -> String {
    text_of(record, key).unwrap_or_default().to_owned()
}

/// What stands in an answer's `data` under this name, taken out of it
#[inline(never)]
pub fn take_data(mut answer: Value, name: &str) -> Option<Value> {
    answer.get_mut("data").and_then(|data| data.get_mut(name)).map(Value::take)
}

/// A text, or null
#[inline(never)]
pub fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

/// Texts
#[inline(never)]
pub fn texts<T: AsRef<str>>(list: &[T]) -> Value {
    Value::Array(list.iter().map(|text| Value::from(text.as_ref())).collect())
}

/// A copy of a member, or null
#[must_use]
#[inline(never)]
pub fn member(record: &Value, key: &str) -> Value {
    record.get(key).cloned().unwrap_or_default()
}

/// What a text says, if it is JSON
#[must_use]
#[inline(never)]
pub fn parsed(text: &str) -> Option<Value> {
    serde_json::from_slice(text.as_bytes()).ok()
}

/// The members of the object that a text is, if it is one
#[must_use]
#[inline(never)]
pub fn parsed_members(text: &str) -> Option<Map<String, Value>> {
    match parsed(text) {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// As it is sent
#[must_use]
#[inline(never)]
pub fn bytes(json: &Value) -> Vec<u8> {
    // Keys are texts and nothing refuses to be written: there is no error to come.
    serde_json::to_vec(json).unwrap_or_default()
}

/// Where a text holds NUL, which no database of Twenty's can keep: `contact.firstName`, `ids[2]`; also in a text that is
/// JSON itself
#[must_use]
pub fn nul_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) if text.contains('\0') => Some(String::new()),
        // Twenty reads JSON from texts of some fields.
        Value::String(text) if text.contains("\\u0000") => {
            parsed(text).filter(|json| !json.is_string()).and_then(|json| nul_in(&json))
        }
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(at, value)| Some(format!("[{at}]{}", dotted(nul_in(value)?))))
        }
        Value::Object(members) => members.iter().find_map(|(key, value)| nul_in_member(key, value)),
        _ => None,
    }
}

/// Where a member of an object holds NUL, its name included
#[must_use]
pub fn nul_in_member(key: &str, value: &Value) -> Option<String> {
    if key.contains('\0') {
        return Some(key.replace('\0', "\\u0000"));
    }
    Some(format!("{key}{}", dotted(nul_in(value)?)))
}

fn dotted(path: String) -> String {
    if path.is_empty() || path.starts_with('[') { path } else { format!(".{path}") }
}

/// The same without NUL in any text, also in one that is JSON itself
pub fn without_nul(json: Value) -> Value {
    match json {
        Value::String(text) if text.contains('\0') => without_nul(text.replace('\0', "").into()),
        Value::String(ref text) if nul_in(&json).is_some() => {
            compact(&without_nul(parsed(text).unwrap_or_default())).into()
        }
        Value::Array(list) => list.into_iter().map(without_nul).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key.replace('\0', ""), without_nul(value))).collect()
        }
        other => other,
    }
}

/// Members as a text field keeps them
#[must_use]
pub fn kept(members: Map<String, Value>) -> Value {
    compact(&Value::Object(members)).into()
}

/// As it is kept in a text field
#[must_use]
#[inline(never)]
pub fn compact(json: &Value) -> String {
    String::from_utf8(bytes(json)).unwrap_or_default()
}
