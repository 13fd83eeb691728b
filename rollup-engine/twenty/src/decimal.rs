//! Exact decimal numbers, for money and for whatever else is added up.
//!
//! Twenty sends JSON numbers; adding those as floats would make a total depend on the order of the pages. Here a
//! number is an `i128` count of 1e-12 units: integers up to 1.7e26 and twelve decimals, exact. What does not fit is
//! refused, never rounded into something else.

use std::fmt;

const DIGITS: u32 = 12;
const ONE: i128 = 10_i128.pow(DIGITS);

/// A number in units of 1e-12
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

impl Decimal {
    /// Zero
    pub const ZERO: Self = Self(0);

    /// An integer
    #[must_use]
    pub const fn from_integer(value: i64) -> Self {
        // It always fits: 63 bits times 40. A checked product of 128 bits is a slow loop in WebAssembly.
        Self((value as i128).wrapping_mul(ONE))
    }

    /// Reads the text of a JSON number, also one inside a string
    ///
    /// Decimals past the twelfth are rounded, half away from zero. Nothing for any other text, and for a number out
    /// of range.
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::decimal::Decimal;
    ///
    /// let (tenth, fifth) = (Decimal::parse("0.1").unwrap(), Decimal::parse("0.2").unwrap());
    /// assert_eq!(tenth.checked_add(fifth), Decimal::parse("0.3"));
    /// assert_eq!(Decimal::parse("12 GBP"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Money comes as integers, which are read several times as fast.
        if !text.starts_with('+')
            && let Ok(integer) = text.parse()
        {
            return Some(Self::from_integer(integer));
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?),
            None => (digits, 0_i32),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // Most texts that are no number are dates, and told by this before anything is computed.
        let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
        if whole.is_empty() || mantissa.ends_with('.') || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        // Position of the next digit, counted from the unit's: 12 for the last digit of an integer.
        let mut position = i32::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(11)?;
        let mut units: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let value = i128::from(digit - b'0');
            if position == -1 && value >= 5 {
                units = units.checked_add(1)?;
            }
            if position >= 0 && value != 0 {
                let scale = 10_i128.checked_pow(u32::try_from(position).ok()?)?;
                units = units.checked_add(value.checked_mul(scale)?)?;
            }
            position = position.checked_sub(1)?;
        }
        Some(Self(if negative { -units } else { units }))
    }

    /// Sum, or nothing if it is out of range
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The same amount below zero, or above it
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Whether this is zero
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is an integer
    #[must_use]
    pub const fn is_integer(self) -> bool {
        self.magnitude().1 == 0
    }

    /// The whole number and the units beyond it, without the sign
    #[expect(clippy::cast_possible_truncation, reason = "only what fits 64 bits is divided as such")]
    const fn magnitude(self) -> (u128, u128) {
        /// `ONE` is 2^12 times this
        const FIVES: u64 = 5_u64.pow(DIGITS);
        let units = self.0.unsigned_abs();
        let shifted = units >> DIGITS;
        // 64 bits are divided at once, 128 by a loop.
        let whole = if shifted >> 64 == 0 { (shifted as u64 / FIVES) as u128 } else { units / ONE.unsigned_abs() };
        (whole, units - whole.wrapping_mul(ONE.unsigned_abs()))
    }

    /// Quotient by a count, rounded half up to `decimals` places (at most 12); nothing for a count of zero
    #[must_use]
    pub fn divided(self, count: u64, decimals: u32) -> Option<Self> {
        if count == 0 {
            return None;
        }
        let step = 10_i128.pow(DIGITS.saturating_sub(decimals));
        // In steps: floor(value / (count * step) + 1/2), all in integers.
        let divisor = i128::from(count).checked_mul(step)?;
        let doubled = self.0.checked_mul(2)?.checked_add(divisor)?;
        doubled.div_euclid(divisor.checked_mul(2)?).checked_mul(step).map(Self)
    }

    /// Rounded half up (towards positive infinity) to `decimals` places
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        self.divided(1, decimals).unwrap_or(self)
    }

    /// As a double: how Twenty stores a number field, and how it reads a currency
    ///
    /// The nearest one for integers, and for decimals of up to 15 digits.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "that is what it is for")]
    pub fn to_f64(self) -> f64 {
        if let (whole, 0) = self.magnitude() {
            let whole = whole as f64;
            return if self.0 < 0 { -whole } else { whole };
        }
        // Without its trailing zeros the mantissa is exact up to 2^53, and one division rounds once.
        let (mut mantissa, mut scale) = (self.0, ONE);
        while scale > 1 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale /= 10;
        }
        mantissa as f64 / scale as f64
    }

    /// As a JSON number: an integer where it is one and fits, else the nearest double
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        if let (whole, 0) = self.magnitude()
            && let Ok(integer) = i64::try_from(whole.cast_signed() * self.0.signum())
        {
            return integer.into();
        }
        serde_json::Number::from_f64(self.to_f64()).map_or(serde_json::Value::Null, serde_json::Value::Number)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = self.magnitude();
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn json_numbers_are_read_exactly() {
        for (text, shown) in [
            ("0", "0"),
            ("-0", "0"),
            ("12500000", "12500000"),
            ("-50.8", "-50.8"),
            ("100000000000000000000", "100000000000000000000"),
            ("1e+21", "1000000000000000000000"),
            ("1.5e3", "1500"),
            ("25e-1", "2.5"),
            ("0.0000000000015", "0.000000000002"),
            ("1e-30", "0"),
            ("18014398574981984.5", "18014398574981984.5"),
        ] {
            assert_eq!(decimal(text).to_string(), shown, "{text}");
        }
    }

    #[test]
    fn bad_numbers_are_refused() {
        for text in ["", "-", "abc", "1.", ".5", "1e", "1,5", "0x10", "1e40", "Infinity", " 1", "1 "] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn halves_go_up() {
        assert_eq!(decimal("0.025").rounded(2), decimal("0.03"));
        assert_eq!(decimal("-0.025").rounded(2), decimal("-0.02"));
        assert_eq!(decimal("2.4999").rounded(0), decimal("2"));
        assert_eq!(decimal("10").divided(4, 0), Some(decimal("3")));
        assert_eq!(decimal("-10").divided(4, 0), Some(decimal("-2")));
        assert_eq!(decimal("10").divided(3, 2), Some(decimal("3.33")));
        assert_eq!(decimal("10").divided(0, 2), None);
    }

    #[test]
    fn json_gets_integers_where_they_fit() {
        assert_eq!(decimal("12.0").to_json(), serde_json::json!(12));
        assert_eq!(decimal("12.25").to_json(), serde_json::json!(12.25));
        assert_eq!(decimal("-9223372036854775808").to_json(), serde_json::json!(i64::MIN));
        assert_eq!(decimal("100000000000000000000").to_json(), serde_json::json!(1e20));
    }

    proptest! {
        #[test]
        fn magnitude_is_quotient_and_rest(units: i128, shift in 0_u32..120) {
            let units = units >> shift;
            let expected = (units.unsigned_abs() / ONE.unsigned_abs(), units.unsigned_abs() % ONE.unsigned_abs());
            prop_assert_eq!(Decimal(units).magnitude(), expected);
        }

        #[test]
        fn integers_survive_a_round_trip(value: i64) {
            prop_assert_eq!(decimal(&value.to_string()), Decimal::from_integer(value));
            prop_assert_eq!(Decimal::from_integer(value).to_string(), value.to_string());
        }

        #[test]
        fn what_a_float_prints_is_read_back(value in -1e12..1e12_f64) {
            let hundredths = (value * 100.0).round() / 100.0;
            prop_assert_eq!(decimal(&hundredths.to_string()).to_f64().to_string(), (hundredths + 0.0).to_string());
        }

        #[test]
        fn any_text_without_a_panic(text in "[-+0-9.eE]{0,60}") {
            let _ = Decimal::parse(&text);
        }
    }
}
