//! From the body of `PATCH /gifts/:id` to what is sent on.
//!
//! Known keys are read as at intake, unknown ones pass untouched: a gift's record has more fields than this service
//! knows. `null` clears a text; a blank one changes nothing.

use ports::Timestamp;
use serde_json::{Map, Value, json};

use super::create::{STAGING_ONLY, context, flag, text};
use super::{Gift, plausible, require_relation_ids};
use crate::client_error::ClientError;
use crate::money::{Money, require_whole_minor_units};
use crate::payload::Payload;

/// Reads a change of a gift
///
/// # Examples
///
/// ```
/// use fundraising::gift::update;
/// use fundraising::payload::Payload;
/// use ports::Timestamp;
/// use serde_json::json;
///
/// let now = Timestamp::parse("2026-03-05T12:00:00Z").unwrap();
/// let body = Payload::parse(br#"{"notes":null,"description":" Raffle "}"#).unwrap();
/// let changes = update::read(&body, now).unwrap();
/// assert_eq!(json!(changes), json!({ "notes": null, "description": "Raffle" }));
/// ```
///
/// # Errors
/// The first fault in the order sent, a value that cannot be true, or nothing to change.
pub fn read(payload: &Payload, now: Timestamp) -> Result<Map<String, Value>, ClientError> {
    if payload.is_empty() {
        return Err(ClientError::bad("update payload must include at least one field"));
    }
    let mut changes = Map::new();
    for (key, value) in payload.iter() {
        if let Some((key, value)) = member(key, value, now)? {
            changes.insert(key.to_owned(), value);
        }
    }
    if changes.is_empty() {
        return Err(ClientError::bad("no supported fields supplied for update"));
    }
    plausible::days(&changes, now)?;
    // On the record, the contact is the donor; a refusal names what the caller wrote.
    require_relation_ids(&mut changes).map_err(|refusal| match payload.get("contactId") {
        Some(_) if payload.get("donorId").is_none() => {
            ClientError::bad(refusal.message.replace("donorId", "contactId"))
        }
        _ => refusal,
    })?;
    Ok(changes)
}

fn member<'a>(key: &'a str, value: &Value, now: Timestamp) -> Result<Option<(&'a str, Value)>, ClientError> {
    let read = match key {
        "amount" | "feeAmount" => Some(money(key, value)?),
        "refundedAmount" | "disputedAmount" if value.is_object() => Some(money(key, value)?),
        // Twenty ignores a plain null for an amount; both parts of it clear.
        "refundedAmount" | "disputedAmount" if value.is_null() => {
            Some(json!({ "amountMicros": null, "currencyCode": null }))
        }
        "estimatedValue" if !value.is_number() => return Err(ClientError::bad("estimatedValue must be a number")),
        "giftAidEligible" | "autoProcess" | "isInKind" => Some(Value::Bool(flag(key, value)?)),
        "providerContext" => context(value)?,
        "recurringMetadata" if value.is_null() => None,
        "recurringMetadata" if !value.is_object() => {
            return Err(ClientError::bad("recurringMetadata must be an object"));
        }
        // On the record, the contact is the donor.
        "contactId" => return Ok(clearable(key, value)?.map(|value| ("donorId", value))),
        "giftDate" | "expectedAt" => {
            if let Some(text) = text(key, value).ok().flatten() {
                plausible::day(key, &text, now)?;
            }
            clearable(key, value)?
        }
        _ if Gift::has_text(key) && !STAGING_ONLY.contains(&key) => clearable(key, value)?,
        _ => Some(value.clone()),
    };
    Ok(read.map(|value| (key, value)))
}

fn clearable(key: &str, value: &Value) -> Result<Option<Value>, ClientError> {
    if value.is_null() { Ok(Some(Value::Null)) } else { Ok(text(key, value)?.map(Value::String)) }
}

fn money(key: &str, value: &Value) -> Result<Value, ClientError> {
    // In a change, a missing number would be an attempt to clear it.
    let has_code = value.get("currencyCode").and_then(Value::as_str).is_some_and(|code| !code.trim().is_empty());
    if has_code && value.get("amountMicros").is_none_or(Value::is_null) {
        return Err(ClientError::bad(format!("{key}.amountMicros cannot be null")));
    }
    let money = Money::read(key, value)?;
    plausible::not_negative(key, &money)?;
    require_whole_minor_units(key, value)?;
    Ok(money.to_json())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(body: &Value) -> Result<Value, String> {
        let payload = Payload::parse(body.to_string().as_bytes()).unwrap();
        let now = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        read(&payload, now).map(Value::Object).map_err(|refusal| refusal.message)
    }

    #[test]
    fn known_and_unknown_keys() {
        let body = json!({ "name": " New ", "notes": " ", "giftAidEligible": false, "estimatedValue": 4.5,
            "amount": { "amountMicros": 1.6, "currencyCode": "gbp", "x": 1 }, "donorFirstName": " as is ",
            "nested": { "a": null }, "receiptStatus": "sent", "giftDate": "2026-02-28" });
        assert_eq!(
            change(&body),
            Ok(json!({ "name": "New", "giftAidEligible": false, "estimatedValue": 4.5,
                "amount": { "amountMicros": 2, "currencyCode": "GBP" }, "donorFirstName": " as is ",
                "nested": { "a": null }, "receiptStatus": "sent", "giftDate": "2026-02-28" }))
        );
    }

    #[test]
    fn null_clears_a_text() {
        assert_eq!(change(&json!({ "notes": null, "giftDate": null })), Ok(json!({ "notes": null, "giftDate": null })));
        let cleared = json!({ "refundedAmount": { "amountMicros": null, "currencyCode": null } });
        assert_eq!(change(&json!({ "refundedAmount": null })), Ok(cleared));
        let donor = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";
        assert_eq!(change(&json!({ "contactId": format!(" {donor} ") })), Ok(json!({ "donorId": donor })));
        assert_eq!(change(&json!({ "contactId": null })), Ok(json!({ "donorId": null })));
    }

    #[test]
    fn each_fault_has_its_message() {
        for (body, expected) in [
            (json!({}), "update payload must include at least one field"),
            (json!({ "notes": " " }), "no supported fields supplied for update"),
            (json!({ "providerContext": null, "recurringMetadata": null }), "no supported fields supplied for update"),
            (json!({ "notes": 1 }), "notes must be a string"),
            (json!({ "giftDate": 1 }), "giftDate must be a string"),
            (json!({ "amount": null }), "amount must be an object"),
            (json!({ "feeAmount": null }), "feeAmount must be an object"),
            (json!({ "amount": { "currencyCode": "GBP" } }), "amount.amountMicros cannot be null"),
            (
                json!({ "amount": { "currencyCode": "GBP", "amountMicros": null } }),
                "amount.amountMicros cannot be null",
            ),
            (json!({ "amount": {} }), "amount.currencyCode must be a non-empty string"),
            (
                json!({ "amount": { "currencyCode": "GBP", "amountMicros": -1 } }),
                "amount.amountMicros must not be negative",
            ),
            (
                json!({ "amount": { "currencyCode": "zzz", "amountMicros": 1 } }),
                "amount.currencyCode `zzz` must be an ISO 4217 code such as GBP",
            ),
            (
                json!({ "amount": { "currencyCode": "GBP", "amountMicros": 25 } }),
                "amount.amountMicros must be a whole number of GBP's smallest unit",
            ),
            (
                json!({ "refundedAmount": { "currencyCode": "GBP", "amountMicros": 5_005 } }),
                "refundedAmount.amountMicros must be a whole number of GBP's smallest unit",
            ),
            (
                json!({ "disputedAmount": { "currencyCode": "JPY", "amountMicros": 1_500_000 } }),
                "disputedAmount.amountMicros must be a whole number of JPY's smallest unit",
            ),
            (json!({ "giftDate": "2026-04-01" }), "giftDate `2026-04-01` must not be in the future"),
            (json!({ "giftDate": "1899-12-31" }), "giftDate `1899-12-31` must not be before 1900"),
            (
                json!({ "receiptSentAt": "0026-02-01T10:00:00Z" }),
                "receiptSentAt `0026-02-01T10:00:00Z` must not be before 1900",
            ),
            (
                json!({ "refundDate": "2027-03-03T00:00:00Z" }),
                "refundDate `2027-03-03T00:00:00Z` must not be more than a year ahead",
            ),
            (json!({ "isInKind": "x" }), "isInKind must be a boolean"),
            (json!({ "contactId": "p" }), "contactId must be a UUID"),
            (json!({ "donorId": "p", "notes": "n" }), "donorId must be a UUID"),
            (json!({ "companyId": "../people" }), "companyId must be a UUID"),
            (json!({ "opportunityId": "." , "notes": 1 }), "notes must be a string"),
            (json!({ "estimatedValue": null }), "estimatedValue must be a number"),
            (json!({ "recurringMetadata": [] }), "recurringMetadata must be an object"),
        ] {
            assert_eq!(change(&body).unwrap_err(), expected, "{body}");
        }
    }
}
