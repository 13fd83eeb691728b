//! Amounts of money and counts as people type them: whole units or micros, numbers or texts.

use serde_json::{Value, json};
use twenty::decimal::Decimal;

use crate::client_error::ClientError;
use crate::money::Money;

/// Currency of an amount that names none
const CURRENCY: &str = "GBP";

/// Reads an amount: a number or a numeric text in whole units, or an object with a value and a currency; null clears
///
/// # Examples
///
/// ```
/// use fundraising::loose_amount;
/// use serde_json::json;
///
/// let stored = json!({ "amountMicros": 12500000, "currencyCode": "GBP" });
/// assert_eq!(loose_amount::read("amount", &json!("12.50")).unwrap(), stored);
/// assert_eq!(loose_amount::read("amount", &json!({ "value": 12.5, "currency": "gbp" })).unwrap(), stored);
/// ```
///
/// # Errors
/// The first fault, naming `key`.
pub fn read(key: &str, value: &Value) -> Result<Value, ClientError> {
    let fault = |message: &str| ClientError::bad(format!("{key} {message}"));
    let (scaled, currency) = match value {
        // A null currency would change nothing in Twenty only on update; there is nothing to clear before.
        Value::Null => return Ok(Value::Null),
        Value::Number(_) | Value::String(_) => (scaled(value, "e6"), CURRENCY.to_owned()),
        Value::Object(parts) => {
            let given = |keys: &[&str]| keys.iter().find_map(|key| parts.get(*key).filter(|part| !part.is_null()));
            let scaled = match given(&["amountMicros"]) {
                Some(micros) => scaled(micros, ""),
                None => given(&["value", "amount", "total", "num"]).and_then(|value| scaled(value, "e6")),
            };
            let currency = given(&["currencyCode", "currency", "ccy"]).and_then(Value::as_str).map_or("", str::trim);
            let currency = if currency.is_empty() { CURRENCY } else { currency };
            (scaled, currency.to_ascii_uppercase())
        }
        _ => return Err(fault("must be a number or an object with value and currencyCode")),
    };
    let (amount_micros, is_exact) = scaled.ok_or_else(|| fault("must contain a numeric value"))?;
    if amount_micros < 0 {
        return Err(fault("cannot be negative"));
    }
    let money = Money { amount_micros, currency_code: currency };
    if !money.is_known_currency() {
        return Err(fault("must have a currencyCode of ISO 4217"));
    }
    if is_exact && !money.is_whole_minor_units() {
        return Err(fault("must be a whole number of the currency's smallest unit"));
    }
    Ok(json!({ "amountMicros": money.amount_micros, "currencyCode": money.currency_code }))
}

/// A number as a whole number of what is `exponent` powers smaller, and whether it is exactly that
fn scaled(value: &Value, exponent: &str) -> Option<(i64, bool)> {
    let number = decimal(value)?;
    let scaled = Decimal::parse(&format!("{number}{exponent}"))?;
    Some((scaled.rounded(0).to_json().as_i64()?, scaled == scaled.rounded(0)))
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Decimal::parse(&number.to_string()),
        Value::String(text) => Decimal::parse(text.trim()),
        _ => None,
    }
}

/// The whole part of a number, or of the number that a text begins with
#[must_use]
pub fn leading_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            let whole = text.split(['.', 'e', 'E']).next()?;
            number.as_i64().or_else(|| if text.contains(['e', 'E']) { None } else { whole.parse().ok() })
        }
        Value::String(text) => {
            let text = text.trim();
            let sign = usize::from(text.starts_with(['-', '+']));
            let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
            text.get(..sign + digits)?.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_units_and_in_micros() {
        for (value, micros, currency) in [
            (json!(2500), 2_500_000_000_i64, "GBP"),
            (json!("1250.50"), 1_250_500_000, "GBP"),
            (json!({ "amountMicros": 5_000_000_000.4, "currencyCode": " gbp " }), 5_000_000_000, "GBP"),
            (json!({ "value": "99.99", "currency": "eur" }), 99_990_000, "EUR"),
            (json!({ "amountMicros": null, "value": 10, "ccy": "usd" }), 10_000_000, "USD"),
        ] {
            let expected = json!({ "amountMicros": micros, "currencyCode": currency });
            assert_eq!(read("goalAmount", &value), Ok(expected), "{value}");
        }
        assert_eq!(read("goalAmount", &Value::Null), Ok(Value::Null));
    }

    #[test]
    fn the_fault_is_named() {
        for (value, message) in [
            (json!(true), "goalAmount must be a number or an object with value and currencyCode"),
            (json!("lots"), "goalAmount must contain a numeric value"),
            (json!({}), "goalAmount must contain a numeric value"),
            (json!(-1), "goalAmount cannot be negative"),
            (json!("99.995"), "goalAmount must be a whole number of the currency's smallest unit"),
            (json!({ "value": 1, "currency": "ZZZ" }), "goalAmount must have a currencyCode of ISO 4217"),
        ] {
            assert_eq!(read("goalAmount", &value).unwrap_err().message, message);
        }
    }

    #[test]
    fn counts_are_cut_to_their_whole_part() {
        for (value, count) in [
            (json!(12.9), Some(12)),
            (json!(" 1200 "), Some(1_200)),
            (json!("7x"), Some(7)),
            (json!(-2), Some(-2)),
            (json!("x"), None),
            (json!(1e30), None),
        ] {
            assert_eq!(leading_integer(&value), count, "{value}");
        }
    }
}
