//! A postal address in this service's words and in Twenty's.
//!
//! Twenty's ADDRESS refuses every key but its own, and gives an empty address as one whose parts are all empty.

use serde_json::{Map, Value};

use crate::client_error::ClientError;
use twenty::object::object;

/// This service's key, and Twenty's
const PARTS: &[(&str, &str)] = &[
    ("line1", "addressStreet1"),
    ("line2", "addressStreet2"),
    ("city", "addressCity"),
    ("region", "addressState"),
    ("postalCode", "addressPostcode"),
    ("country", "addressCountry"),
];

/// An address that a caller sent, as Twenty takes it; Twenty's own keys are taken too, and what is blank is left out
///
/// # Examples
///
/// ```
/// use fundraising::address::to_twenty;
/// use serde_json::json;
///
/// let address = json!({ "line1": " 1 High Street ", "city": "" });
/// let stored = to_twenty(address.as_object().unwrap()).unwrap();
/// assert_eq!(json!(stored), json!({ "addressStreet1": "1 High Street" }));
/// ```
///
/// # Errors
/// A part that is no text.
pub fn to_twenty(address: &Map<String, Value>) -> Result<Map<String, Value>, ClientError> {
    let mut parts = Map::new();
    for (own, theirs) in PARTS {
        for key in [*own, *theirs] {
            match address.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    if !text.trim().is_empty() {
                        parts.insert((*theirs).into(), text.trim().into());
                    }
                }
                Some(_) => return Err(ClientError::bad(format!("mailingAddress.{key} must be a string"))),
            }
        }
    }
    Ok(parts)
}

/// The address that empties what Twenty has: `null` would change nothing
#[must_use]
pub fn cleared() -> Value {
    object(PARTS.iter().map(|(_, theirs)| ((*theirs).to_owned(), Value::Null))).into()
}

/// Twenty's address in this service's words; null if it is empty
///
/// # Examples
///
/// ```
/// use fundraising::address::from_twenty;
/// use serde_json::json;
///
/// assert_eq!(from_twenty(&json!({ "addressCity": "Leeds", "addressLat": null })), json!({ "city": "Leeds" }));
/// ```
#[must_use]
pub fn from_twenty(address: &Value) -> Value {
    let mut parts = Map::new();
    for (own, theirs) in PARTS {
        let text = address[theirs].as_str().map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = text {
            parts.insert((*own).into(), text.into());
        }
    }
    if parts.is_empty() { Value::Null } else { Value::Object(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_is_translated_both_ways() {
        let sent =
            json!({ "line1": " 1 High St ", "city": "York", "addressPostcode": "YO1", "country": " ", "foo": 1 });
        let stored = to_twenty(sent.as_object().unwrap()).unwrap();
        let expected = json!({ "addressStreet1": "1 High St", "addressCity": "York", "addressPostcode": "YO1" });
        assert_eq!(Value::Object(stored.clone()), expected);
        let shown = from_twenty(&Value::Object(stored));
        assert_eq!(shown, json!({ "line1": "1 High St", "city": "York", "postalCode": "YO1" }));
        assert_eq!(from_twenty(&cleared()), Value::Null);
        assert_eq!(from_twenty(&json!({ "addressStreet1": "", "addressLat": null })), Value::Null);
    }

    #[test]
    fn a_part_that_is_no_text_is_named() {
        let sent = json!({ "line1": 5 });
        let refusal = to_twenty(sent.as_object().unwrap()).unwrap_err();
        assert_eq!(refusal.message, "mailingAddress.line1 must be a string");
    }
}
