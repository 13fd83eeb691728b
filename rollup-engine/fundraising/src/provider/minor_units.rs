//! Amounts as payment providers write them: whole minor units, of which a currency has none, a hundred or a thousand.
//!
//! Which of the three is the provider's choice and not always ISO 4217's: Stripe counts Malagasy ariary whole, and
//! króna and Ugandan shillings in hundredths that do not exist.

use serde_json::{Value, json};

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
    signed(provider, json, key).filter(|money| money.amount_micros >= 0)
}

/// The same, of either sign: a provider may take money from the bank account instead of paying it out
pub(super) fn signed(provider: Provider, json: &Value, key: &str) -> Option<Money> {
    let currency = json.get("currency").and_then(Value::as_str).map_or("", str::trim);
    let found = json.get(key)?;
    // The libraries of one provider write numbers, the API of the other sometimes texts.
    let minor = found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())?;
    let amount = money(provider, minor.checked_abs()?, if currency.is_empty() { "USD" } else { currency })?;
    Some(Money { amount_micros: amount.amount_micros * minor.signum(), ..amount })
}

/// What a payment says of its amount
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// Nothing was paid
    Nothing,
    /// So much
    Amount(Money),
    /// Something that is no amount, kept for a reviewer
    Unreadable(Value),
}

/// What the amount at a key comes to
pub(super) fn told(provider: Provider, json: &Value, key: &str) -> Told {
    match signed(provider, json, key) {
        Some(money) if money.amount_micros > 0 => Told::Amount(money),
        _ if json.get(key).is_some_and(|amount| amount == 0 || amount == "0") => Told::Nothing,
        _ => Told::Unreadable(json!({ "amount": json.get(key), "currency": json.get("currency") })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn unreadable_amounts_are_kept() {
        let told = |json: &Value| told(Provider::Stripe, json, "a");
        assert!(matches!(told(&json!({ "a": 5, "currency": "gbp" })), Told::Amount(_)));
        assert_eq!(told(&json!({ "a": 0, "currency": "usdc" })), Told::Nothing);
        for json in [
            json!({ "currency": "gbp" }),
            json!({ "a": null, "currency": "gbp" }),
            json!({ "a": 5, "currency": "usdc" }),
            json!({ "a": 5.5, "currency": "gbp" }),
            json!({ "a": -5, "currency": "gbp" }),
            json!({ "a": 900_719_925_475_i64, "currency": "gbp" }),
            json!({ "a": i64::MIN, "currency": "gbp" }),
        ] {
            let kept = json!({ "amount": json.get("a"), "currency": json.get("currency") });
            assert_eq!(told(&json), Told::Unreadable(kept), "{json}");
        }
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
        let payout = json!({ "amount": -1_250, "currency": "gbp" });
        assert_eq!(read(Provider::Stripe, &payout, "amount"), None);
        assert_eq!(signed(Provider::Stripe, &payout, "amount").unwrap().amount_micros, -12_500_000);
        assert_eq!(
            read(Provider::GoCardless, &json!({ "a": "12", "currency": "GBP" }), "a").unwrap().amount_micros,
            120_000
        );
    }
}
