//! From a tally to what is stored on the parent, and whether that is what is stored already.

use ports::time::format_date;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value as Json;
use twenty::decimal::Decimal;
use twenty::value::Value;

use crate::calendar::Calendar;
use crate::definitions::{Aggregation, Kind};
use crate::moment::Moment;
use crate::tally::{self, Tally};

/// What kind of field receives a total
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalKind {
    /// CURRENCY: an amount in micros, and a code
    Money,
    /// NUMBER, DATE, TEXT …: one value; an instant is cut to its day
    Plain,
    /// `DATE_TIME`: one value; an instant stays one, a date becomes the instant at which it begins
    Instant,
    /// TEXT or SELECT: a text, also one that reads like a number
    Text,
}

impl TotalKind {
    /// What receives the total of this aggregation, going by the definition alone
    #[must_use]
    pub fn of(aggregation: &Aggregation) -> Self {
        if aggregation.currency_field.is_some() { Self::Money } else { Self::Plain }
    }
}

/// The value that a parent should carry
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// Nothing
    Empty,
    /// A number
    Number(Decimal),
    /// A text, a date or an instant
    Text(Box<str>),
    /// An amount of money in micros; without an amount, an empty currency field
    Money(Option<Decimal>, Option<Box<str>>),
    /// Amounts in several currencies: no value is right
    Mixed(Vec<Box<str>>),
    /// Some value was no number or out of range: the total is not known
    Unknown,
}

impl Total {
    /// What the children of one parent come to
    ///
    /// Sums and means of plain numbers are rounded half up to two decimals, those of money to whole micros.
    #[must_use]
    pub fn new(aggregation: &Aggregation, total_kind: TotalKind, tally: &Tally, calendar: &Calendar) -> Self {
        let kind = aggregation.kind;
        let money = total_kind == TotalKind::Money;
        let amount = |number: Decimal, code: Option<Box<str>>| {
            if money { Self::Money(Some(number.rounded(0)), code) } else { Self::Number(number) }
        };
        match tally.result(kind) {
            tally::Result::Unusable => Self::Unknown,
            tally::Result::Mixed(codes) => Self::Mixed(codes),
            tally::Result::Count(count) => {
                Self::Number(Decimal::from_integer(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            tally::Result::Nothing if kind == Kind::Sum => amount(Decimal::ZERO, None),
            tally::Result::Nothing if money => Self::Money(None, None),
            tally::Result::Nothing => Self::Empty,
            tally::Result::Sum(sum, code, count) if kind == Kind::Avg => {
                sum.divided(count, if money { 0 } else { 2 }).map_or(Self::Unknown, |mean| amount(mean, code))
            }
            tally::Result::Sum(sum, code, _) => amount(if money { sum } else { sum.rounded(2) }, code),
            tally::Result::Extreme(value, code) => match value {
                Value::Number(number) => amount(number, code),
                Value::Text(text) if total_kind == TotalKind::Text => Self::Text(text),
                Value::Text(text) => match Decimal::parse(&text) {
                    Some(number) => amount(number, code),
                    None if money => Self::Unknown,
                    None => Self::Text(dated(text, total_kind, calendar)),
                },
                _ => Self::Unknown,
            },
        }
    }

    /// As it goes into a request; nothing for a total that is not written, which is serialized as null
    #[must_use]
    pub fn to_json(&self) -> Option<Json> {
        match self {
            Self::Mixed(_) | Self::Unknown => None,
            total => serde_json::to_value(total).ok(),
        }
    }

    /// Whether the stored value is this one; `code` is the stored currency code, where the field has one
    ///
    /// A stored null equals a zero, so that people who never gave cost no write. Numbers are compared as doubles,
    /// because that is how Twenty stores them: a sum past 2^53 would otherwise be written at every run.
    #[must_use]
    pub fn is_stored(&self, stored: &Value, code: &Value) -> bool {
        match self {
            Self::Empty => stored.is_absent(),
            Self::Number(number) => same_number(*number, stored),
            Self::Money(None, _) => stored.is_absent() && code.is_absent(),
            Self::Money(Some(amount), wanted) => {
                let same_code = match wanted {
                    Some(wanted) => code.text() == Some(wanted),
                    None => code.is_absent(),
                };
                same_number(*amount, stored) && same_code
            }
            Self::Text(text) => stored.text().is_some_and(|stored| **text == *stored || same_time(text, stored)),
            Self::Mixed(_) | Self::Unknown => false,
        }
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.to_json().serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            // Plain null would be ignored by Twenty: a currency is cleared part by part.
            Self::Money(amount, code) => {
                let mut money = serializer.serialize_struct("Money", 2)?;
                money.serialize_field("amountMicros", &amount.map(Decimal::to_json))?;
                money.serialize_field("currencyCode", code)?;
                money.end()
            }
            Self::Empty | Self::Mixed(_) | Self::Unknown => serializer.serialize_unit(),
        }
    }
}

/// An instant becomes the day it falls on, unless the field holds instants
fn dated(text: Box<str>, total_kind: TotalKind, calendar: &Calendar) -> Box<str> {
    match Moment::read(&text) {
        Some(moment @ Moment::Instant(_)) if total_kind == TotalKind::Plain => {
            moment.instant().map_or(text, |at| format_date(calendar.local(at).date()).into())
        }
        Some(moment @ Moment::Date(_)) if total_kind == TotalKind::Instant => {
            moment.day().map_or(text, |day| calendar.midnight(day).to_string().into())
        }
        _ => text,
    }
}

fn same_number(number: Decimal, stored: &Value) -> bool {
    let stored = if stored.is_absent() { Some(Decimal::ZERO) } else { stored.number() };
    stored.is_some_and(|stored| stored == number || stored.to_f64().to_bits() == number.to_f64().to_bits())
}

fn same_time(a: &str, b: &str) -> bool {
    match (Moment::read(a), Moment::read(b)) {
        // Without metadata a DATE_TIME is not known to be one: it stores a date as the midnight at which it begins.
        (Some(Moment::Date(day)), Some(Moment::Instant(instant))) => {
            instant.strip_prefix(day).is_some_and(|clock| clock == "T00:00:00.000Z")
        }
        (Some(a), Some(b)) => a.order(b) == Some(std::cmp::Ordering::Equal),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::parse_one;
    use ports::Timestamp;
    use serde_json::json;

    fn total(kind: &str, total_kind: TotalKind, values: &[(Json, Json)]) -> Total {
        let mut json = json!({ "type": kind, "childField": "x.amountMicros", "parentField": "total" });
        if total_kind == TotalKind::Money {
            json["currencyField"] = json!("x.currencyCode");
        }
        let definition = parse_one(&json!({
            "parentObject": "person", "childObject": "gift", "relationField": "donorId", "aggregations": [json]
        }));
        let aggregation = definition.unwrap().aggregations.remove(0);
        let mut tally = Tally::default();
        for (value, code) in values {
            tally.add(aggregation.kind, &Value::from(value), Some(&Value::from(code)));
        }
        Total::new(&aggregation, total_kind, &tally, &Calendar::utc(Timestamp::from_millis(0), 1))
    }

    fn stored(total: &Total, value: &Json, code: &Json) -> bool {
        total.is_stored(&Value::from(value), &Value::from(code))
    }

    #[test]
    fn totals_become_json() {
        let gbp = json!("GBP");
        for (kind, total_kind, values, expected) in [
            ("SUM", TotalKind::Money, vec![], json!({ "amountMicros": 0, "currencyCode": null })),
            ("MAX", TotalKind::Money, vec![], json!({ "amountMicros": null, "currencyCode": null })),
            ("SUM", TotalKind::Plain, vec![], json!(0)),
            ("AVG", TotalKind::Plain, vec![], json!(null)),
            (
                "AVG",
                TotalKind::Plain,
                vec![(json!(1), json!(null)), (json!(2), json!(null)), (json!(2), json!(null))],
                json!(1.67),
            ),
            (
                "AVG",
                TotalKind::Money,
                vec![(json!(1), gbp.clone()), (json!(2), gbp.clone())],
                json!({ "amountMicros": 2, "currencyCode": "GBP" }),
            ),
            ("SUM", TotalKind::Plain, vec![(json!(0.125), json!(null))], json!(0.13)),
            ("MIN", TotalKind::Plain, vec![(json!(0.125), json!(null)), (json!("0.5"), json!(null))], json!(0.125)),
            ("MAX", TotalKind::Plain, vec![(json!("2026-03-05T23:30:00.000Z"), json!(null))], json!("2026-03-05")),
            (
                "MAX",
                TotalKind::Instant,
                vec![(json!("2026-03-05T23:30:00.000Z"), json!(null))],
                json!("2026-03-05T23:30:00.000Z"),
            ),
        ] {
            assert_eq!(total(kind, total_kind, &values).to_json(), Some(expected), "{kind} {total_kind:?}");
        }
        let mixed = total("SUM", TotalKind::Money, &[(json!(1), gbp), (json!(1), json!("USD"))]);
        assert_eq!(mixed.to_json(), None);
    }

    #[test]
    fn what_is_stored_already_is_recognised() {
        let nothing = total("SUM", TotalKind::Money, &[]);
        assert!(stored(&nothing, &json!(null), &json!(null)));
        assert!(stored(&nothing, &json!(0), &json!("")));
        assert!(!stored(&nothing, &json!(0), &json!("GBP")));
        let sum = total("SUM", TotalKind::Money, &[(json!(5_000_000), json!("GBP"))]);
        assert!(stored(&sum, &json!(5_000_000), &json!("GBP")));
        assert!(stored(&sum, &json!("5000000"), &json!("GBP")));
        assert!(!stored(&sum, &json!(5_000_000), &json!("USD")));
        assert!(!stored(&sum, &json!(null), &json!("GBP")));
        // 2^53 + 1 is stored as 2^53.
        let large = total("SUM", TotalKind::Plain, &[(json!(9_007_199_254_740_993_i64), json!(null))]);
        assert!(stored(&large, &json!(9_007_199_254_740_992_i64), &json!(null)));
        assert!(!stored(&large, &json!(9_007_199_254_740_990_i64), &json!(null)));
        let day = total("MAX", TotalKind::Plain, &[(json!("2026-03-05"), json!(null))]);
        assert!(stored(&day, &json!("2026-03-05"), &json!(null)));
        assert!(!stored(&day, &json!("2026-03-06"), &json!(null)));
        assert!(stored(&Total::Text("2026-03-05T00:00:00Z".into()), &json!("2026-03-05T00:00:00.000Z"), &json!(null)));
        assert!(stored(&Total::Empty, &json!(null), &json!(null)));
        assert!(!stored(&Total::Empty, &json!(0), &json!(null)));
    }
}
