//! An amount as Twenty stores it: whole micros and a currency code.
//!
//! No float ever holds money here. What Twenty could not store exactly is refused.

use iso_currency::Currency;
use serde_json::{Value, json};
use twenty::decimal::Decimal;

use crate::client_error::ClientError;

/// Largest number of micros that survives Twenty's JavaScript: 2^53 - 1, nine thousand million pounds
const MAX_MICROS: i64 = 9_007_199_254_740_991;

/// Millionths of a currency's unit
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Money {
    /// Millionths of the unit: 25.00 GBP is 25 000 000
    pub amount_micros: i64,
    /// ISO 4217 code in upper case, or whatever else was sent
    pub currency_code: String,
}

impl Money {
    /// Reads `{"amountMicros":…,"currencyCode":…}`; fractions of a micro are rounded half up
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::money::Money;
    /// use serde_json::json;
    ///
    /// let money = Money::read("amount", &json!({ "amountMicros": 25000000, "currencyCode": "gbp" })).unwrap();
    /// assert_eq!((money.amount_micros, money.currency_code.as_str()), (25_000_000, "GBP"));
    /// let error = Money::read("amount", &json!({ "currencyCode": "GBP" })).unwrap_err();
    /// assert_eq!(error.message, "amount.amountMicros is required");
    /// ```
    ///
    /// # Errors
    /// The first fault, naming `place`.
    pub fn read(place: &str, json: &Value) -> Result<Self, ClientError> {
        let fault = |message: &str| ClientError::bad(format!("{place}{message}"));
        let object = json.as_object().ok_or_else(|| fault(" must be an object"))?;
        let code = object.get("currencyCode").and_then(Value::as_str).map_or("", str::trim);
        if code.is_empty() {
            return Err(fault(".currencyCode must be a non-empty string"));
        }
        let micros = match object.get("amountMicros") {
            None | Some(Value::Null) => return Err(fault(".amountMicros is required")),
            Some(Value::Number(number)) => whole(&number.to_string()),
            Some(_) => return Err(fault(".amountMicros must be numeric")),
        };
        let amount_micros = micros.ok_or_else(|| fault(".amountMicros is too large to be stored exactly"))?;
        Ok(Self { amount_micros, currency_code: tidy(code) })
    }

    /// Whether the code is one of ISO 4217
    #[must_use]
    pub fn is_known_currency(&self) -> bool {
        Currency::from_code(&self.currency_code).is_some()
    }

    /// As JSON
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "amountMicros": self.amount_micros, "currencyCode": self.currency_code.as_str() })
    }
}

impl Money {
    /// Whether it is a whole number of its currency's minor units; true where the currency is not known, or has none
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::money::Money;
    ///
    /// let yen = |amount_micros| Money { amount_micros, currency_code: "JPY".into() };
    /// assert!(yen(500_000_000).is_whole_minor_units() && !yen(500_500_000).is_whole_minor_units());
    /// ```
    #[must_use]
    pub fn is_whole_minor_units(&self) -> bool {
        let exponent = Currency::from_code(&self.currency_code).and_then(Currency::exponent);
        let unit = exponent.and_then(|exponent| 10_i64.checked_pow(6_u32.checked_sub(exponent.into())?));
        unit.is_none_or(|unit| self.amount_micros % unit == 0)
    }
}

/// Refuses whole micros that are no whole number of minor units; a fraction of a micro is rounded, and not looked at
/// further.
///
/// # Errors
/// Names the place. What is no amount at all is left to [`Money::read`].
pub fn require_whole_minor_units(place: &str, json: &Value) -> Result<(), ClientError> {
    let Ok(money) = Money::read(place, json) else { return Ok(()) };
    let micros = json.get("amountMicros").and_then(|micros| Decimal::parse(&micros.to_string()));
    let is_rounded = micros.is_some_and(|micros| micros != micros.rounded(0));
    if is_rounded || money.is_whole_minor_units() {
        return Ok(());
    }
    Err(no_minor_units(place, &money))
}

/// What is said of an amount that its currency has no coins for
pub(crate) fn no_minor_units(place: &str, money: &Money) -> ClientError {
    let code = &money.currency_code;
    ClientError::bad(format!("{place}.amountMicros must be a whole number of {code}'s smallest unit"))
}

/// A known code in upper case: `gbp` beside `GBP` would count as a second currency in every total.
fn tidy(code: &str) -> String {
    let upper = code.to_ascii_uppercase();
    if Currency::from_code(&upper).is_some() { upper } else { code.to_owned() }
}

fn whole(number: &str) -> Option<i64> {
    let micros = Decimal::parse(number)?.rounded(0).to_json().as_i64()?;
    (-MAX_MICROS..=MAX_MICROS).contains(&micros).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Result<i64, String> {
        let json = serde_json::from_str(&format!(r#"{{"amountMicros":{text},"currencyCode":"GBP"}}"#)).unwrap();
        Money::read("amount", &json).map(|money| money.amount_micros).map_err(|refusal| refusal.message)
    }

    #[test]
    fn micros_are_rounded_half_up() {
        for (text, expected) in [
            ("12500000.6", 12_500_001),
            ("310000.4", 310_000),
            ("0.5", 1),
            ("-0.5", 0),
            ("-1.5", -1),
            ("2.5e7", 25_000_000),
            ("9007199254740991", MAX_MICROS),
        ] {
            assert_eq!(micros(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_stored_exactly_is_refused() {
        for text in ["9007199254740992", "-9007199254740992", "18446744073709551615", "1e25", "1e300"] {
            assert_eq!(micros(text), Err("amount.amountMicros is too large to be stored exactly".into()), "{text}");
        }
    }

    #[test]
    fn whole_minor_units() {
        let check = |micros: &str, code: &str| {
            let json =
                serde_json::from_str(&format!(r#"{{"amountMicros":{micros},"currencyCode":"{code}"}}"#)).unwrap();
            require_whole_minor_units("amount", &json).is_ok()
        };
        for (micros, code) in [
            ("25000000", "GBP"),
            ("10000", "gbp"),
            ("-10000", "GBP"),
            ("0", "GBP"),
            ("2.5e7", "GBP"),
            ("500000000", "JPY"),
            ("1001000", "KWD"),
            ("12500000.6", "GBP"),
            ("1", "ZZZ"),
            ("1", "XAU"),
        ] {
            assert!(check(micros, code), "{micros} {code}");
        }
        for (micros, code) in [
            ("25", "GBP"),
            ("25.0", "GBP"),
            ("25005000", "GBP"),
            ("500500000", "JPY"),
            ("5010000", "ISK"),
            ("1000100", "KWD"),
            ("-25005000", "GBP"),
        ] {
            assert!(!check(micros, code), "{micros} {code}");
        }
    }

    #[test]
    fn faults_name_the_field() {
        for (json, expected) in [
            (json!(null), "feeAmount must be an object"),
            (json!([1]), "feeAmount must be an object"),
            (json!({ "amountMicros": 5 }), "feeAmount.currencyCode must be a non-empty string"),
            (json!({ "amountMicros": 5, "currencyCode": " " }), "feeAmount.currencyCode must be a non-empty string"),
            (json!({ "amountMicros": 5, "currencyCode": 826 }), "feeAmount.currencyCode must be a non-empty string"),
            (json!({ "currencyCode": "GBP" }), "feeAmount.amountMicros is required"),
            (json!({ "currencyCode": "GBP", "amountMicros": null }), "feeAmount.amountMicros is required"),
            (json!({ "currencyCode": "GBP", "amountMicros": "5" }), "feeAmount.amountMicros must be numeric"),
            (json!({ "currencyCode": "GBP", "amountMicros": true }), "feeAmount.amountMicros must be numeric"),
        ] {
            assert_eq!(Money::read("feeAmount", &json).unwrap_err().message, expected, "{json}");
        }
    }

    #[test]
    fn currency_codes_are_normalized() {
        let read = |code: &str| Money::read("amount", &json!({ "amountMicros": 1, "currencyCode": code })).unwrap();
        assert_eq!(read(" EUR ").currency_code, "EUR");
        assert_eq!(read("jpy").currency_code, "JPY");
        assert!(read("jpy").is_known_currency());
        assert_eq!(read("zzz").currency_code, "zzz");
        assert!(!read("zzz").is_known_currency());
    }
}
