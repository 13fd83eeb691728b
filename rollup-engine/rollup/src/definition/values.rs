//! Whether the value of a condition can be a value of its field.
//!
//! A comparison with a value that no record can have never holds, or always does: the totals are wrong, and nothing looks
//! wrong. Such a value is refused. What kind of value a field has, its path tells for a few; the metadata know the rest.

use twenty::value::Value;

use super::field_kind::{FieldKind, in_words, is_instant, is_named_for_time, is_time, looks_like_time};
use super::model::{Comparison, Day, Operand, Operator};

impl Comparison {
    /// The values that it compares with, each with its place; a part of a text is none
    fn operand(&self) -> Vec<(String, &Value)> {
        match &self.operand {
            _ if self.operator.is_of_text() => Vec::new(),
            Operand::Value(value) => vec![("value".to_owned(), value)],
            Operand::List(values) => {
                values.iter().enumerate().map(|(index, value)| (format!("value {index}"), value)).collect()
            }
            Operand::Nothing | Operand::Field(_) | Operand::Day(_) | Operand::Period(_) => Vec::new(),
        }
    }

    /// What is wrong with it for a field of this kind: the place within it, and why
    pub(crate) fn fault_for(&self, kind: &FieldKind) -> Option<(String, String)> {
        let operand = self.operand();
        for (place, value) in &operand {
            // Letters of another case may be the same.
            if !self.ignore_case && !kind.may_be(value) {
                let message = format!("found {}, expected {}", in_words(value), kind.expected());
                return Some((place.clone(), message));
            }
        }
        let field = || "field".to_owned();
        let asks_for_empty = matches!(self.operator, Operator::IsEmpty | Operator::IsNotEmpty)
            || self.operator.is_equality() && operand.iter().all(|(_, value)| value.is_absent());
        match (kind, &self.operand) {
            (FieldKind::List(_), _) if asks_for_empty || self.operator.is_of_list() => None,
            (FieldKind::List(_), _) => {
                Some((field(), "its values are lists, expected `containsAny` or `containsAll`".to_owned()))
            }
            (FieldKind::Composite, _) if !asks_for_empty => {
                Some((field(), "its values are lists or objects, which no condition reads".to_owned()))
            }
            (kind, _) if self.operator.is_of_list() && *kind != FieldKind::AnyText => {
                Some((field(), format!("its values are no lists, which `{}` asks for", self.operator.name())))
            }
            (FieldKind::Date, _) if !self.operator.is_order() => {
                let mut instants = operand.iter().filter(|(_, value)| value.text().is_some_and(is_instant));
                instants.next().map(|(place, value)| {
                    (
                        place.clone(),
                        format!("found {}, which no day equals, expected {}", in_words(value), kind.expected()),
                    )
                })
            }
            (
                FieldKind::Time | FieldKind::Date | FieldKind::Text | FieldKind::AnyText,
                Operand::Day(_) | Operand::Period(_),
            ) => None,
            (_, Operand::Day(_)) => {
                Some(("dynamicValue".to_owned(), format!("found a day, expected {}", kind.expected())))
            }
            (_, Operand::Period(_)) => {
                Some(("dynamicValue".to_owned(), format!("found a period, expected {}", kind.expected())))
            }
            (FieldKind::Boolean, _) if self.operator.is_order() => Some((
                "operator".to_owned(),
                "true and false have no order, expected `equals` or `notEquals`".to_owned(),
            )),
            (kind, _) if !self.subtract.is_empty() && !kind.is_numeric() => {
                Some((field(), "nothing can be taken off it, as it is no number".to_owned()))
            }
            _ => None,
        }
    }

    /// What is wrong with it as far as it can be told without the workspace
    pub(crate) fn value_fault(&self) -> Option<(String, String)> {
        if matches!(&self.operand, Operand::List(values) if values.is_empty()) && self.operator == Operator::In {
            return Some(("value".to_owned(), "an empty list has none that a value could be one of".to_owned()));
        }
        if let Some(kind) = FieldKind::of_path(&self.field) {
            return self.fault_for(&kind);
        }
        let named_for_time = is_named_for_time(&self.field);
        for (place, value) in self.operand() {
            // Only a text can be meant as something else.
            let Value::Text(text) = value else { continue };
            let order = self.operator.is_order();
            if order && text.is_empty() {
                return Some((place, "found an empty text, which has no order".to_owned()));
            }
            if (order || named_for_time) && Day::ALL.iter().any(|(name, _)| **name == **text) {
                return Some((place, format!("`{text}` is a day that moves, expected it as `dynamicValue`")));
            }
            let meant = order && named_for_time && !text.is_empty() && value.number().is_none();
            if (meant || (order || named_for_time) && looks_like_time(text)) && !is_time(text) {
                let message = format!("found {}, expected {}", in_words(value), FieldKind::Time.expected());
                return Some((place, message));
            }
        }
        if self.subtract.is_empty() { None } else { self.fault_for(&FieldKind::Number) }
    }
}

/// What the values of the conditions on one field, taken together, cannot all be: the number of the condition, the place
/// within it, and why
pub(crate) fn contradiction(conditions: &[&Comparison]) -> Option<(usize, String, String)> {
    let mut seen: Vec<(&str, ValueKind, &Value)> = Vec::new();
    for (index, condition) in conditions.iter().enumerate() {
        for (place, value) in condition.operand() {
            let Some(kind) = ValueKind::of(value) else { continue };
            let of_field = seen.iter().filter(|(field, ..)| *field == condition.field);
            if let Some((.., other)) = of_field.clone().find(|(_, other, _)| !kind.goes_with(*other)) {
                let message = format!(
                    "found {}, and {} for the same field: no field has values of both kinds",
                    in_words(value),
                    in_words(other)
                );
                return Some((index, place, message));
            }
            seen.push((&condition.field, kind, value));
        }
    }
    for (index, condition) in conditions.iter().enumerate() {
        let moves = conditions.iter().any(|other| {
            other.field == condition.field && matches!(other.operand, Operand::Day(_) | Operand::Period(_))
        });
        if moves && let Some((place, message)) = condition.fault_for(&FieldKind::Time) {
            return Some((index, place, format!("{message}, as the field is compared with the calendar as well")));
        }
    }
    None
}

/// Values that a field can have beside one another
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueKind {
    Bool,
    Number,
    /// A number, perhaps of a field of texts
    NumberAsText,
    Text,
}

impl ValueKind {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Bool),
            Value::Number(_) => Some(Self::Number),
            value if value.is_absent() => None,
            value if value.number().is_some() => Some(Self::NumberAsText),
            Value::Text(_) => Some(Self::Text),
            _ => None,
        }
    }

    fn goes_with(self, other: Self) -> bool {
        self == other || [self, other].contains(&Self::NumberAsText) && ![self, other].contains(&Self::Bool)
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::parse_one;
    use serde_json::{Value as Json, json};

    /// Faults of a definition with these conditions, as they are shown
    fn faults(conditions: &Json) -> String {
        let definition = json!({
            "parentObject": "person", "childObject": "gift", "relationField": "donorId", "childFilters": conditions,
            "aggregations": [{ "type": "COUNT", "parentField": "giftCount" }]
        });
        let faults = parse_one(&definition).map_or_else(|faults| faults, |_| Vec::new());
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    fn one(field: &str, operator: &str, value: &Json) -> String {
        faults(&json!([{ "field": field, "operator": operator, "value": value }]))
    }

    /// Values that their field's path shows to be impossible are refused without a workspace, with their place
    #[test]
    fn impossible_values_by_path() {
        for (field, operator, value, place) in [
            ("amount.amountMicros", "gt", json!("many"), "value"),
            ("amount.amountMicros", "gt", json!("12.50"), "value"),
            ("amount.amountMicros", "gt", json!(12.5), "value"),
            ("amount.amountMicros", "equals", json!(true), "value"),
            ("amount.amountMicros", "in", json!([1, null, "x"]), "value 2"),
            ("amount.currencyCode", "equals", json!("gbp"), "value"),
            ("amount.currencyCode", "equals", json!("pounds"), "value"),
            ("amount.currencyCode", "notIn", json!(["GBP", 7]), "value 1"),
            ("createdAt", "gte", json!("01/02/2024"), "value"),
            ("createdAt", "equals", json!("yesterday"), "value"),
            ("updatedAt", "lt", json!(20_240_102), "value"),
            ("deletedAt", "equals", json!(false), "value"),
            ("id", "equals", json!("7"), "value"),
            ("giftDate", "gte", json!("2024-13-45"), "value"),
            ("giftDate", "equals", json!("2024-02-30"), "value"),
            ("giftDate", "in", json!(["2024-01-31", "31.1.2024"]), "value 1"),
            ("giftDate", "gt", json!("yesterday"), "value"),
            ("giftDate", "gt", json!("today"), "value"),
            ("at", "lt", json!("2024-1-5"), "value"),
            ("at", "lt", json!("2024-01-05T25:00:00Z"), "value"),
            ("at", "lt", json!(""), "value"),
            ("kind", "in", json!([]), "value"),
        ] {
            let found = one(field, operator, &value);
            assert!(found.starts_with(&format!("definition 0, childFilters 0, {place}: ")), "{field} {value}: {found}");
        }
        let day = json!([{ "field": "amount.amountMicros", "operator": "gt", "dynamicValue": "today" }]);
        assert!(
            faults(&day).starts_with("definition 0, childFilters 0, dynamicValue: found a day"),
            "{}",
            faults(&day)
        );
    }

    /// What a record may have, or what only the workspace can tell, is not refused
    #[test]
    fn possible_values_pass() {
        for (field, operator, value) in [
            ("amount.amountMicros", "gt", json!(0)),
            ("amount.amountMicros", "gt", json!("12500000")),
            ("amount.amountMicros", "equals", json!(null)),
            ("amount.currencyCode", "notEquals", json!("GBP")),
            ("amount.currencyCode", "equals", json!("")),
            ("createdAt", "gte", json!("2024-02-29")),
            ("createdAt", "gte", json!("2024-02-29T10:00:00.000Z")),
            ("giftDate", "equals", json!("2024-02-29")),
            ("giftDate", "equals", json!(null)),
            ("batch", "equals", json!("2024-13-45")),
            ("note", "in", json!(["a", "7", "2026-01-01", null])),
            ("code", "equals", json!(7)),
            ("status", "gt", json!("received")),
            ("kind", "notIn", json!([])),
        ] {
            assert_eq!(one(field, operator, &value), "", "{field} {value}");
        }
    }

    /// Conditions whose values no one field can have are refused, wherever in the definition they stand
    #[test]
    fn values_of_two_kinds_for_one_field() {
        let condition =
            |operator: &str, key: &str, value: Json| json!({ "field": "x", "operator": operator, key: value });
        for (first, second, place) in [
            (condition("in", "value", json!(["a", 1])), None, "childFilters 0, value 1"),
            (condition("in", "value", json!([true, "true"])), None, "childFilters 0, value 1"),
            (
                condition("equals", "value", json!("a")),
                Some(condition("gt", "value", json!(1))),
                "childFilters 1, value",
            ),
            (
                condition("notEquals", "value", json!("a")),
                Some(condition("gt", "dynamicValue", json!("today"))),
                "childFilters 0, value",
            ),
        ] {
            let list: Vec<Json> = [Some(first), second].into_iter().flatten().collect();
            let found = faults(&json!(list));
            assert!(found.starts_with(&format!("definition 0, {place}: ")), "{list:?}: {found}");
        }
    }
}
