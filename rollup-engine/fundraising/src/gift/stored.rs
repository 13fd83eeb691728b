//! The gift that a staged row keeps in its payload.
//!
//! Other versions and other programs wrote such rows too: what is of another type counts as absent, and unknown
//! members are dropped. Only a missing amount makes it no gift.

use serde_json::{Map, Value};

use super::Gift;
use super::create::{context, non_blank};
use crate::client_error::ClientError;
use crate::money::Money;

/// Reads a row's payload
///
/// # Examples
///
/// ```
/// use fundraising::gift::stored;
/// use serde_json::json;
///
/// let payload = json!({ "amount": { "amountMicros": "25000000", "currencyCode": "GBP" }, "giftDate": "2026-03-05" });
/// let gift = stored::read(payload.as_object().unwrap()).unwrap();
/// assert_eq!((gift.amount.amount_micros, gift.gift_date.as_deref()), (25_000_000, Some("2026-03-05")));
/// ```
///
/// # Errors
/// The amount is missing or cannot be read.
pub fn read(payload: &Map<String, Value>) -> Result<Gift, ClientError> {
    let amount = Money::read("amount", &numeric(payload.get("amount").unwrap_or(&Value::Null)))?;
    Ok(Gift { amount, ..read_any(payload) })
}

/// Reads what a row's payload says so far: without an amount that can be read, [`Gift::has_amount`] is false
#[must_use]
pub fn read_any(payload: &Map<String, Value>) -> Gift {
    let flag = |key: &str| payload.get(key).and_then(Value::as_bool);
    let mut gift = Gift {
        amount: payload.get("amount").and_then(|money| Money::read("amount", &numeric(money)).ok()).unwrap_or_default(),
        fee_amount: payload.get("feeAmount").and_then(|fee| Money::read("feeAmount", &numeric(fee)).ok()),
        estimated_value: payload.get("estimatedValue").and_then(Value::as_number).cloned(),
        gift_aid_eligible: flag("giftAidEligible"),
        auto_process: flag("autoProcess"),
        is_in_kind: flag("isInKind"),
        email_opt_out: flag("supporterEmailOptOut"),
        provider_context: payload.get("providerContext").and_then(|value| context(value).ok()?),
        recurring_metadata: payload.get("recurringMetadata").and_then(Value::as_object).cloned(),
        ..Gift::default()
    };
    for (key, value) in payload {
        if let (Some(place), Some(text)) = (gift.text_mut(key), value.as_str()) {
            *place = non_blank(text);
        }
    }
    gift
}

/// An amount whose micros may be a number in a text
fn numeric(money: &Value) -> Value {
    let mut money = money.clone();
    if let Some(micros) = money.get_mut("amountMicros")
        && let Some(number @ Value::Number(_)) = micros.as_str().and_then(|text| serde_json::from_str(text).ok())
    {
        *micros = number;
    }
    money
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored(payload: &Value) -> Result<Gift, String> {
        read(payload.as_object().unwrap()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let payload = json!({
            "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" }, "donorId": "p", "giftDate": "2026-02-01",
            "feeAmount": { "amountMicros": 300_000, "currencyCode": "GBP" }, "estimatedValue": 4, "isInKind": false,
            "giftAidEligible": true, "autoProcess": false, "providerContext": { "k": "v" },
            "recurringMetadata": { "a": 1 }, "notes": "n", "companyId": "c", "sourceFingerprint": "fp",
        });
        assert_eq!(Value::Object(stored(&payload).unwrap().to_json()), payload);
    }

    #[test]
    fn what_is_of_another_type_counts_as_absent() {
        let payload = json!({
            "amount": { "amountMicros": "25000000", "currencyCode": "GBP" }, "feeAmount": 5, "donorId": "",
            "giftDate": 7, "isInKind": "yes", "estimatedValue": "4", "providerContext": 1, "recurringMetadata": "{}",
            "unknown": 1,
        });
        let expected = json!({ "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" } });
        assert_eq!(Value::Object(stored(&payload).unwrap().to_json()), expected);
    }

    #[test]
    fn without_an_amount_it_is_no_gift() {
        assert_eq!(stored(&json!({ "donorId": "p" })).unwrap_err(), "amount must be an object");
        assert_eq!(
            stored(&json!({ "amount": { "amountMicros": "x", "currencyCode": "GBP" } })).unwrap_err(),
            "amount.amountMicros must be numeric"
        );
    }
}
