//! Adding up the children of one parent.
//!
//! A tally takes values in any order and ends the same. Sums are exact decimals; currencies are kept apart, so that a
//! mixture is seen instead of added; of a minimum or maximum only the best value stays.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use twenty::decimal::Decimal;
use twenty::value::Value;

use crate::definitions::Kind;
use crate::moment::Moment;

/// Stands between the codes of a total that is itself a mixture, when a further total reads it
pub const CODE_SEPARATOR: char = '+';

/// What has been seen so far for one total of one parent
///
/// # Examples
///
/// ```
/// use rollup::definitions::Kind;
/// use rollup::tally::{Result, Tally};
/// use twenty::value::Value;
///
/// let mut tally = Tally::default();
/// for amount in ["25000000", "10000000"] {
///     tally.add(Kind::Sum, &Value::from_json_text(amount), Some(&Value::from_json_text("\"GBP\"")));
/// }
/// let Result::Sum(sum, currency, count) = tally.result(Kind::Sum) else { panic!() };
/// assert_eq!((sum.to_string().as_str(), currency.as_deref(), count), ("35000000", Some("GBP"), 2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Children that were counted, or of which the value was taken
    count: u64,
    parts: Vec<Part>,
    /// Codes of values that are mixtures themselves
    mixtures: Vec<Box<str>>,
    /// A value that is no number, or a sum out of range
    unusable: bool,
}

/// The values of one currency; of no currency where there is none
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    code: Box<str>,
    total: Partial,
    /// Whether an amount other than zero was among them: zeros alone make no mixture
    is_nonzero: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Partial {
    Sum(Decimal),
    Extreme(Value),
}

/// What the server says of a group of children; null for what was not asked for or is not there
#[derive(Clone, Copy, Debug)]
pub struct Grouped<'a> {
    /// How many they are
    pub count: u64,
    /// Their sum
    pub sum: &'a Value,
    /// The least value
    pub least: &'a Value,
    /// The greatest value
    pub greatest: &'a Value,
}

/// What a tally comes to
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Result {
    /// A count
    Count(u64),
    /// A sum with its currency, if it has one, and the number of values
    Sum(Decimal, Option<Box<str>>, u64),
    /// The least or the greatest value, with its currency
    Extreme(Value, Option<Box<str>>),
    /// Nothing was there
    Nothing,
    /// Amounts in several currencies
    Mixed(Vec<Box<str>>),
    /// Some value could not be taken, so the total is not known
    Unusable,
}

impl Tally {
    /// Takes one child's value; `code` is its currency, for totals that have one
    pub fn add(&mut self, kind: Kind, value: &Value, code: Option<&Value>) {
        if kind == Kind::Count {
            self.count += 1;
            return;
        }
        if value.is_absent() {
            return;
        }
        let code = currency(code);
        if code.chars().any(|letter| letter == CODE_SEPARATOR) {
            self.count += 1;
            self.mixtures.push((*code).into());
            return;
        }
        let number = value.number();
        let (total, is_nonzero) = match (kind, number) {
            (Kind::Sum | Kind::Avg, Some(number)) => (Partial::Sum(number), !number.is_zero()),
            (Kind::Min | Kind::Max, Some(number)) => (Partial::Extreme(value.clone()), !number.is_zero()),
            (Kind::Min | Kind::Max, None) if value.text().is_some() => (Partial::Extreme(value.clone()), true),
            _ => {
                self.unusable = true;
                return;
            }
        };
        self.count += 1;
        self.merge(kind, &code, total, is_nonzero);
    }

    /// Takes a group of children that the server has added up: how many they are, and what they come to; `code` is the
    /// currency that they have in common, for totals that have one
    pub fn add_group(&mut self, kind: Kind, group: &Grouped<'_>, code: Option<&Value>) {
        let total = match kind {
            Kind::Count => {
                self.count += group.count;
                return;
            }
            Kind::Sum | Kind::Avg => group.sum.number().map(Partial::Sum),
            Kind::Min => Some(group.least).filter(|least| !least.is_absent()).cloned().map(Partial::Extreme),
            Kind::Max => Some(group.greatest).filter(|greatest| !greatest.is_absent()).cloned().map(Partial::Extreme),
        };
        // None of the group has a value.
        let Some(total) = total else { return };
        self.count += group.count;
        let is_nonzero = [group.least, group.greatest]
            .into_iter()
            .any(|value| value.number().is_none_or(|number| !number.is_zero()));
        self.merge(kind, &currency(code), total, is_nonzero);
    }

    fn merge(&mut self, kind: Kind, code: &str, total: Partial, is_nonzero: bool) {
        match self.parts.iter_mut().find(|part| *part.code == *code) {
            None => {
                // One currency is the rule, and room for four would be most of a large workspace's memory.
                self.parts.reserve_exact(1);
                self.parts.push(Part { code: code.into(), total, is_nonzero });
            }
            Some(part) => {
                part.is_nonzero |= is_nonzero;
                self.unusable |= !part.total.merge(kind, total);
            }
        }
    }

    /// What it comes to
    #[must_use]
    pub fn result(&self, kind: Kind) -> Result {
        if self.unusable {
            return Result::Unusable;
        }
        if kind == Kind::Count {
            return Result::Count(self.count);
        }
        let nonzero = || self.parts.iter().filter(|part| part.is_nonzero);
        if nonzero().count() > 1 || !self.mixtures.is_empty() {
            let codes =
                nonzero().map(|part| &part.code).chain(&self.mixtures).flat_map(|code| code.split(CODE_SEPARATOR));
            return Result::Mixed(codes.collect::<BTreeSet<_>>().into_iter().map(Into::into).collect());
        }
        // Zeros of other currencies change no sum, but they may be the least or the greatest.
        let named = self.parts.iter().map(|part| &part.code).filter(|code| !code.is_empty()).min();
        let code = nonzero().next().map_or(named, |part| Some(&part.code)).filter(|code| !code.is_empty()).cloned();
        let mut totals = self.parts.iter().map(|part| part.total.clone());
        let Some(mut total) = totals.next() else { return Result::Nothing };
        for other in totals {
            if !total.merge(kind, other) {
                return Result::Unusable;
            }
        }
        match total {
            Partial::Sum(sum) => Result::Sum(sum, code, self.count),
            Partial::Extreme(value) => Result::Extreme(value, code),
        }
    }
}

/// A currency code as ISO 4217 writes it: in any case it is the same currency
fn currency(code: Option<&Value>) -> Cow<'_, str> {
    let code = code.and_then(Value::text).unwrap_or_default();
    if code.bytes().any(|letter| letter.is_ascii_lowercase()) {
        Cow::Owned(code.to_ascii_uppercase())
    } else {
        Cow::Borrowed(code)
    }
}

impl Partial {
    /// Adds a value, or keeps the better one; false if that is not possible
    fn merge(&mut self, kind: Kind, other: Self) -> bool {
        match (self, other) {
            (Self::Sum(sum), Self::Sum(value)) => match sum.checked_add(value) {
                Some(total) => *sum = total,
                None => return false,
            },
            (Self::Extreme(best), Self::Extreme(value)) => {
                let wanted = if kind == Kind::Min { Ordering::Less } else { Ordering::Greater };
                if order(&value, best) == wanted {
                    *best = value;
                }
            }
            _ => return false,
        }
        true
    }
}

/// A total order, so that the best value does not depend on the order of the pages
fn order(a: &Value, b: &Value) -> Ordering {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => return a.cmp(&b),
        (Some(_), None) => return Ordering::Less,
        (None, Some(_)) => return Ordering::Greater,
        (None, None) => {}
    }
    let (a, b) = (a.text().unwrap_or_default(), b.text().unwrap_or_default());
    match (Moment::read(a), Moment::read(b)) {
        (Some(this), Some(that)) => this.order(that).unwrap_or_else(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: i64) -> Value {
        Value::Number(Decimal::from_integer(value))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn tally(kind: Kind, values: &[(Value, &str)]) -> Result {
        let mut tally = Tally::default();
        for (value, code) in values {
            let code = if code.is_empty() { Value::Null } else { text(code) };
            tally.add(kind, value, Some(&code));
        }
        tally.result(kind)
    }

    fn mixed(codes: &[&str]) -> Result {
        Result::Mixed(codes.iter().map(|code| Box::from(*code)).collect())
    }

    #[test]
    fn one_currency_is_added_up() {
        let sum =
            tally(Kind::Sum, &[(number(5), "GBP"), (Value::Null, "USD"), (number(-2), "GBP"), (text("4"), "GBP")]);
        assert_eq!(sum, Result::Sum(Decimal::from_integer(7), Some("GBP".into()), 3));
        assert_eq!(tally(Kind::Sum, &[]), Result::Nothing);
        assert_eq!(tally(Kind::Max, &[(text(""), "")]), Result::Nothing);
        assert_eq!(tally(Kind::Count, &[(Value::Null, ""), (number(1), "")]), Result::Count(2));
    }

    #[test]
    fn a_code_in_any_case_is_one_currency() {
        let sum = tally(Kind::Sum, &[(number(5), "gbp"), (number(2), "GBP"), (number(1), "Gbp")]);
        assert_eq!(sum, Result::Sum(Decimal::from_integer(8), Some("GBP".into()), 3));
        assert_eq!(tally(Kind::Sum, &[(number(5), "gbp"), (number(2), "usd")]), mixed(&["GBP", "USD"]));
        let (mut groups, code) = (Tally::default(), text("gbp"));
        let (two, five) = (number(2), number(5));
        groups.add_group(Kind::Sum, &Grouped { count: 2, sum: &five, least: &two, greatest: &two }, Some(&code));
        groups.add(Kind::Sum, &five, Some(&text("GBP")));
        assert_eq!(groups.result(Kind::Sum), Result::Sum(Decimal::from_integer(10), Some("GBP".into()), 3));
    }

    #[test]
    fn several_currencies_are_a_mixture() {
        assert_eq!(tally(Kind::Sum, &[(number(5), "GBP"), (number(5), "USD")]), mixed(&["GBP", "USD"]));
        assert_eq!(tally(Kind::Max, &[(number(5), "USD"), (number(9), "GBP")]), mixed(&["GBP", "USD"]));
        // No code is a currency of its own, unless the amount is zero.
        assert_eq!(tally(Kind::Sum, &[(number(5), "GBP"), (number(5), "")]), mixed(&["", "GBP"]));
        // Amounts that cancel out are still there.
        assert_eq!(
            tally(Kind::Sum, &[(number(5), "GBP"), (number(1), "USD"), (number(-1), "USD")]),
            mixed(&["GBP", "USD"])
        );
        // A total that is a mixture makes every total above it one.
        assert_eq!(tally(Kind::Sum, &[(number(0), "GBP+USD"), (number(5), "GBP")]), mixed(&["GBP", "USD"]));
    }

    #[test]
    fn zeros_make_no_mixture() {
        let five = Result::Sum(Decimal::from_integer(5), Some("GBP".into()), 3);
        assert_eq!(tally(Kind::Sum, &[(number(0), "USD"), (number(5), "GBP"), (number(0), "")]), five);
        assert_eq!(
            tally(Kind::Sum, &[(number(0), ""), (number(0), "USD"), (number(0), "EUR")]),
            Result::Sum(Decimal::ZERO, Some("EUR".into()), 3)
        );
        assert_eq!(
            tally(Kind::Min, &[(number(5), "GBP"), (number(0), "")]),
            Result::Extreme(number(0), Some("GBP".into()))
        );
    }

    #[test]
    fn unknown_value_makes_total_unknown() {
        assert_eq!(tally(Kind::Sum, &[(number(5), ""), (text("abc"), "")]), Result::Unusable);
        assert_eq!(tally(Kind::Max, &[(Value::Unreadable("{}".into()), "")]), Result::Unusable);
        let huge = Value::Number(Decimal::parse("1e26").unwrap());
        assert_eq!(tally(Kind::Sum, &[(huge.clone(), ""), (huge, "")]), Result::Unusable);
    }

    #[test]
    fn dates_have_a_first_and_a_last() {
        let dates = [(text("2026-03-05"), ""), (text("2024-12-31"), ""), (Value::Null, "")];
        assert_eq!(tally(Kind::Min, &dates), Result::Extreme(text("2024-12-31"), None));
        assert_eq!(tally(Kind::Max, &dates), Result::Extreme(text("2026-03-05"), None));
    }

    fn values() -> impl Strategy<Value = Vec<(Value, &'static str)>> {
        let value = prop_oneof![
            (-3_i64..4).prop_map(number),
            Just(Value::Null),
            Just(text("7")),
            "2026-0[1-9]-1[0-9]".prop_map(|date| text(&date)),
        ];
        proptest::collection::vec((value, prop_oneof![3 => Just("GBP"), 1 => Just("USD"), 1 => Just("")]), 0..8)
    }

    proptest! {
        #[test]
        fn the_order_of_the_values_does_not_matter(
            (values, shuffled) in values().prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle()))
        ) {
            for kind in [Kind::Sum, Kind::Count, Kind::Avg, Kind::Min, Kind::Max] {
                prop_assert_eq!(tally(kind, &values), tally(kind, &shuffled));
            }
        }
    }
}
