//! NUL in texts, which no database of Twenty's can keep.

use serde_json::Value;

/// Where a text holds NUL: `contact.firstName`, `ids[2]`; also in a text that is
/// JSON itself
///
/// ```
/// use fundraising::nul::nul_in;
/// use serde_json::json;
///
/// assert_eq!(nul_in(&json!({ "contact": { "firstName": "Ada\0" } })).as_deref(), Some("contact.firstName"));
/// assert_eq!(nul_in(&json!({ "contact": { "firstName": "Ada" } })), None);
/// ```
#[must_use]
pub fn nul_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) if text.contains('\0') => Some(String::new()),
        // Twenty reads JSON from texts of some fields.
        Value::String(text) if text.contains("\\u0000") => {
            let json = serde_json::from_str(text).ok().filter(|json: &Value| !json.is_string())?;
            nul_in(&json)
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
            without_nul(serde_json::from_str(text).unwrap_or_default()).to_string().into()
        }
        Value::Array(list) => list.into_iter().map(without_nul).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key.replace('\0', ""), without_nul(value))).collect()
        }
        other => other,
    }
}
