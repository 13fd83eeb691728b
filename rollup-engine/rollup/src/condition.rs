//! Whether a child meets a condition.
//!
//! Numbers compare as numbers, also those written as texts; dates as calendar dates; instants as instants; a date and an
//! instant by the instant at which the date begins in the configured zone; other texts letter by letter. Values that
//! cannot be compared are neither equal nor in any order.

use std::cmp::Ordering;

use ports::Timestamp;
use ports::time::format_date;
use time::{PrimitiveDateTime, Time};
use twenty::decimal::Decimal;
use twenty::value::Value;

use crate::calendar::Calendar;
use crate::definitions::{Condition, Operand, Operator};
use crate::moment::Moment;

/// A condition made ready for one run
///
/// # Examples
///
/// ```
/// use ports::Timestamp;
/// use rollup::calendar::Calendar;
/// use rollup::condition::PreparedCondition;
/// use rollup::definitions::{Condition, Operand, Operator};
/// use twenty::value::Value;
///
/// let condition = Condition {
///     field: "amount.amountMicros".into(),
///     subtract_field: None,
///     operator: Operator::Gt,
///     operand: Operand::Value(Value::from_json_text("0")),
/// };
/// let test = PreparedCondition::new(&condition, &Calendar::utc(Timestamp::from_millis(0), 1));
/// assert!(test.holds(&Value::from_json_text("5000000")));
/// assert!(!test.holds(&Value::Null));
/// ```
#[derive(Clone, Debug)]
pub struct PreparedCondition {
    field: String,
    operator: Operator,
    operands: Vec<PreparedOperand>,
}

/// A value that others are compared with, and all that it can be read as
#[derive(Clone, Debug)]
struct PreparedOperand {
    value: Value,
    number: Option<Decimal>,
    /// For a date or an instant: as an instant, and as time on the wall
    time: Option<(Timestamp, PrimitiveDateTime)>,
}

impl PreparedOperand {
    fn new(value: &Value, calendar: &Calendar) -> Self {
        let time = value.text().and_then(Moment::read).and_then(|moment| match moment {
            Moment::Date(_) => {
                moment.day().map(|day| (calendar.midnight(day), PrimitiveDateTime::new(day, Time::MIDNIGHT)))
            }
            Moment::Instant(_) => moment.instant().map(|at| (at, calendar.local(at))),
        });
        Self { value: value.clone(), number: value.number(), time }
    }

    fn order(&self, value: &Value) -> Option<Ordering> {
        if value.is_absent() {
            return None;
        }
        if let (Some(this), Some(that)) = (value.number(), self.number) {
            return Some(this.cmp(&that));
        }
        match (value, &self.value) {
            (Value::Bool(this), Value::Bool(that)) => (this == that).then_some(Ordering::Equal),
            (Value::Text(this), Value::Text(that)) => match (Moment::read(this), Moment::read(that)) {
                (Some(this), Some(that)) => this.order(that).or_else(|| self.order_across(this)),
                _ => Some(this.cmp(that)),
            },
            _ => None,
        }
    }

    /// A date against an instant, or the other way round
    fn order_across(&self, this: Moment<'_>) -> Option<Ordering> {
        let (instant, wall) = self.time?;
        match this {
            Moment::Date(_) => Some(PrimitiveDateTime::new(this.day()?, Time::MIDNIGHT).cmp(&wall)),
            Moment::Instant(_) => Some(this.instant()?.cmp(&instant)),
        }
    }

    fn equals(&self, value: &Value) -> bool {
        if value.is_absent() || self.value.is_absent() {
            return value.is_absent() && self.value.is_absent();
        }
        self.order(value) == Some(Ordering::Equal)
    }
}

impl PreparedCondition {
    /// Makes a condition ready: moving days are fixed, numbers and dates are read
    #[must_use]
    pub fn new(condition: &Condition, calendar: &Calendar) -> Self {
        let operands = match &condition.operand {
            Operand::Value(value) => vec![PreparedOperand::new(value, calendar)],
            Operand::List(values) => values.iter().map(|value| PreparedOperand::new(value, calendar)).collect(),
            Operand::DynamicDate(day) => {
                vec![PreparedOperand::new(&Value::Text(format_date(calendar.day(*day)).into()), calendar)]
            }
        };
        Self { field: condition.field.clone(), operator: condition.operator, operands }
    }

    /// Path of the value that is tested
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether this value meets the condition; one that is not known meets all, so that what is made of it is not known
    /// either
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        if *value == Value::Unknown {
            return true;
        }
        let equal = || self.operands.iter().any(|operand| operand.equals(value));
        let order = || self.operands.first().and_then(|operand| operand.order(value));
        match self.operator {
            Operator::Equals | Operator::In => equal(),
            Operator::NotEquals | Operator::NotIn => !equal(),
            Operator::Gt => order() == Some(Ordering::Greater),
            Operator::Gte => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Operator::Lt => order() == Some(Ordering::Less),
            Operator::Lte => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::parse_one;
    use serde_json::{Value as Json, json};

    fn holds(value: &Json, operator: &str, operand: &Json) -> bool {
        let key = if operand.as_str() == Some("startOfYear") { "dynamicValue" } else { "value" };
        let definition = parse_one(&json!({
            "parentObject": "person", "childObject": "gift", "relationField": "donorId",
            "childFilters": [{ "field": "x", "operator": operator, key: operand }],
            "aggregations": [{ "type": "COUNT", "parentField": "n" }]
        }));
        let calendar = Calendar::utc(Timestamp::parse("2026-06-30T12:00:00Z").unwrap(), 1);
        PreparedCondition::new(&definition.unwrap().child_filters[0], &calendar).holds(&Value::from(value))
    }

    #[test]
    fn conditions_hold_as_written() {
        for (value, operator, operand, expected) in [
            (json!(5), "equals", json!(5), true),
            (json!("5.0"), "equals", json!(5), true),
            (json!(5), "in", json!([4, "5"]), true),
            (json!(""), "equals", json!(null), true),
            (json!(""), "notEquals", json!("x"), true),
            (json!(null), "in", json!(["x", ""]), true),
            (json!(""), "lt", json!("x"), false),
            (json!(10), "gt", json!(9), true),
            (json!("10"), "gt", json!("9"), true),
            (json!(true), "equals", json!(true), true),
            (json!(true), "equals", json!(1), false),
            (json!(true), "notEquals", json!(false), true),
            (json!("received"), "equals", json!("received"), true),
            (json!("received"), "lt", json!("refunded"), true),
            (json!("2026-03-05"), "gte", json!("2026-03-05"), true),
            (json!("2026-03-05"), "gt", json!("2026-03-05T00:00:00Z"), false),
            (json!("2026-03-05"), "lt", json!("2026-03-05T00:00:01Z"), true),
            (json!("2026-03-05T00:00:00.000Z"), "equals", json!("2026-03-05"), true),
            (json!("2026-03-04T23:59:59.999Z"), "lt", json!("2026-03-05"), true),
            (json!("2026-01-01"), "gte", json!("startOfYear"), true),
            (json!("2025-12-31"), "gte", json!("startOfYear"), false),
            (json!("2025-12-31T23:59:59.999Z"), "gte", json!("startOfYear"), false),
            (json!("soon"), "gte", json!(5), false),
            (json!([]), "equals", json!("x"), false),
        ] {
            assert_eq!(holds(&value, operator, &operand), expected, "{value} {operator} {operand}");
        }
    }

    /// Equality sees nulls and the comparisons do not
    #[test]
    fn nulls_in_comparisons() {
        for (operator, operand, expected) in [
            ("equals", json!(null), true),
            ("notEquals", json!(null), false),
            ("equals", json!("x"), false),
            ("notEquals", json!("x"), true),
            ("in", json!(["x", null]), true),
            ("notIn", json!(["x"]), true),
            ("notIn", json!([]), true),
            ("gt", json!(0), false),
            ("gte", json!(0), false),
            ("lt", json!(0), false),
            ("lte", json!(0), false),
        ] {
            assert_eq!(holds(&json!(null), operator, &operand), expected, "null {operator} {operand}");
        }
    }
}
