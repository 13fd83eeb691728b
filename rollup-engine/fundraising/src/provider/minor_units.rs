//! Amounts as payment providers write them: whole minor units, of which a currency has none, a hundred or a thousand.
//!
//! Which of the three is the provider's choice and not always ISO 4217's: Stripe counts Malagasy ariary whole, and
//! króna and Ugandan shillings in hundredths that do not exist.

use serde_json::Value;

use super::Provider;
use crate::money::Money;

/// Currencies that Stripe counts in whole units
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Currencies that Stripe counts in thousandths
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Largest amount that survives Twenty's JavaScript
const MAX_MICROS: i64 = 9_007_199_254_740_991;

/// Minor units of a currency as an amount; nothing if the amount is negative or cannot be stored exactly
///
/// # Examples
///
/// ```
/// use fundraising::provider::Provider;
/// use fundraising::provider::minor_units::money;
///
/// assert_eq!(money(Provider::Stripe, 1_250, "gbp").unwrap().amount_micros, 12_500_000);
/// assert_eq!(money(Provider::Stripe, 1_250, "jpy").unwrap().amount_micros, 1_250_000_000);
/// ```
#[must_use]
pub fn money(provider: Provider, minor: i64, currency: &str) -> Option<Money> {
    let currency_code = currency.trim().to_ascii_uppercase();
    let is_code = currency_code.len() == 3 && currency_code.bytes().all(|byte| byte.is_ascii_uppercase());
    let among = |list: &[&str]| provider == Provider::Stripe && list.contains(&currency_code.as_str());
    let micros_each = if among(&WHOLE) {
        1_000_000
    } else if among(&THOUSANDTHS) {
        1_000
    } else {
        10_000
    };
    let amount_micros = minor.checked_mul(micros_each).filter(|micros| (0..=MAX_MICROS).contains(micros))?;
    is_code.then_some(Money { amount_micros, currency_code })
}

/// The amount at a key of an object that has a `currency`
pub(super) fn read(provider: Provider, json: &Value, key: &str) -> Option<Money> {
    let currency = json.get("currency").and_then(Value::as_str).map_or("", str::trim);
    let found = json.get(key)?;
    // The libraries of one provider write numbers, the API of the other sometimes texts.
    let minor = found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())?;
    money(provider, minor, if currency.is_empty() { "USD" } else { currency })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn micros(provider: Provider, minor: i64, currency: &str) -> Option<i64> {
        money(provider, minor, currency).map(|money| money.amount_micros)
    }

    #[test]
    fn minor_units_by_currency() {
        for (minor, currency, expected) in [
            (2_500, "gbp", 25_000_000),
            (500, "jpy", 500_000_000),
            (500, "MGA", 500_000_000),
            (1_230, "kwd", 1_230_000),
            (500, "isk", 5_000_000),
            (500, "ugx", 5_000_000),
            (500, "huf", 5_000_000),
        ] {
            assert_eq!(micros(Provider::Stripe, minor, currency), Some(expected), "{currency}");
        }
        assert_eq!(micros(Provider::GoCardless, 2_500, "SEK"), Some(25_000_000));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        assert_eq!(micros(Provider::Stripe, -1, "gbp"), None);
        assert_eq!(micros(Provider::Stripe, 1, "£"), None);
        assert_eq!(micros(Provider::Stripe, i64::MAX, "gbp"), None);
        assert_eq!(micros(Provider::Stripe, MAX_MICROS / 10_000 + 1, "gbp"), None);
        for json in [json!({}), json!({ "a": null }), json!({ "a": 1.5, "currency": "gbp" }), json!({ "a": "x" })] {
            assert_eq!(read(Provider::Stripe, &json, "a"), None, "{json}");
        }
        assert_eq!(
            read(Provider::GoCardless, &json!({ "a": "12", "currency": "GBP" }), "a").unwrap().amount_micros,
            120_000
        );
    }
}
