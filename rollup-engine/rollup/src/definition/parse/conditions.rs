//! Conditions.

use serde_json::{Map, Value as Json};
use twenty::value::Value;

use super::super::fault::{but, listed};
use super::super::model::{Comparison, Condition, Operand, Operator};
use super::super::reader::{Reader, stated};
use super::super::values::contradiction;
use super::periods;
use super::references::{MAX_DEPTH, NamedConditions};

/// Keys of a comparison
pub(crate) const COMPARISON_KEYS: [&str; 7] =
    ["field", "subtractField", "operator", "value", "valueField", "dynamicValue", "ignoreCase"];
/// Keys of what is made of other conditions, each of which stands alone
pub(crate) const GROUP_KEYS: [&str; 4] = ["and", "or", "not", "filter"];
/// Keys of the right side of a comparison
const RIGHT_SIDES: [&str; 3] = ["value", "dynamicValue", "valueField"];

/// What conditions are read with
pub(super) struct Scope<'n> {
    /// What a `filter` may name
    pub(super) names: &'n NamedConditions,
    /// The comparisons that were read, each with its place; those behind a name have the place where it stands
    pub(super) seen: Vec<(String, Comparison)>,
}

impl<'n> Scope<'n> {
    pub(super) fn new(names: &'n NamedConditions) -> Self {
        Self { names, seen: Vec::new() }
    }

    /// Reads the conditions at a key; without any, every record meets them
    pub(super) fn conditions_at(
        &mut self,
        reader: &mut Reader<'_>,
        object: &Map<String, Json>,
        key: &str,
    ) -> Option<Condition> {
        match stated(object, key) {
            None => Some(Condition::default()),
            Some(json) => self.conditions(reader, key, json),
        }
    }

    /// Reads a list of conditions, all of which must hold, or one
    pub(super) fn conditions(&mut self, reader: &mut Reader<'_>, key: &str, json: &Json) -> Option<Condition> {
        self.list_or_one(reader, key, json, 0)
    }

    /// Notes values that no one field can have
    pub(super) fn contradiction(&self, reader: &mut Reader<'_>) {
        let comparisons: Vec<&Comparison> = self.seen.iter().map(|(_, comparison)| comparison).collect();
        if let Some((number, inside, message)) = contradiction(&comparisons)
            && let Some((place, _)) = self.seen.get(number)
        {
            reader.fault_at(format!("{place}, {inside}"), message);
        }
    }

    fn list_or_one(&mut self, reader: &mut Reader<'_>, key: &str, json: &Json, depth: usize) -> Option<Condition> {
        match json {
            Json::Array(list) => self.list(reader, key, list, depth).map(Condition::And),
            Json::Object(_) => self.one(&mut reader.inside(key), json, depth),
            _ => reader.refuse(key, format!("expected a list of conditions or one condition, {}", but(Some(json)))),
        }
    }

    fn list(&mut self, reader: &mut Reader<'_>, key: &str, list: &[Json], depth: usize) -> Option<Vec<Condition>> {
        let read: Vec<Option<Condition>> = list
            .iter()
            .enumerate()
            .map(|(index, json)| self.one(&mut reader.inside(&format!("{key} {index}")), json, depth))
            .collect();
        read.into_iter().collect()
    }

    fn one(&mut self, reader: &mut Reader<'_>, json: &Json, depth: usize) -> Option<Condition> {
        let object = reader.object(json, &[&COMPARISON_KEYS[..], &GROUP_KEYS].concat())?;
        let Some(group) = GROUP_KEYS.into_iter().find(|key| object.contains_key(*key)) else {
            let comparison = comparison(reader, object)?;
            self.seen.push((reader.within(""), comparison.clone()));
            return Some(Condition::Compare(comparison));
        };
        let known = COMPARISON_KEYS.iter().chain(&GROUP_KEYS);
        let beside: Vec<&str> = known.filter(|key| **key != group && object.contains_key(**key)).copied().collect();
        if !beside.is_empty() {
            reader.fault("", format!("`{group}` stands alone, found {} beside it", listed(&beside)));
            return None;
        }
        if depth >= MAX_DEPTH {
            reader.fault(group, format!("more than {MAX_DEPTH} conditions inside one another"));
            return None;
        }
        match (group, object.get(group)) {
            ("filter", _) => {
                let name = reader.text(object, group)?;
                let found =
                    self.names.get(name, depth).map_err(|message| reader.fault(group, message)).ok().flatten()?;
                let comparisons = found.comparisons().into_iter().cloned();
                self.seen.extend(comparisons.map(|comparison| (reader.within(group), comparison)));
                Some(found)
            }
            ("not", Some(json)) => {
                self.list_or_one(reader, group, json, depth + 1).map(|inner| Condition::Not(Box::new(inner)))
            }
            (_, Some(Json::Array(list))) if !list.is_empty() => {
                let list = self.list(reader, group, list, depth + 1)?;
                Some(if group == "or" { Condition::Or(list) } else { Condition::And(list) })
            }
            (_, found) => {
                reader.refuse(group, format!("`{group}` needs a list with at least one condition, {}", but(found)))
            }
        }
    }
}

fn comparison(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<Comparison> {
    let before = reader.fault_count();
    let field = reader.path(object, "field");
    let subtract = reader.paths(object, "subtractField");
    let operator = reader.choice(object, "operator", &Operator::ALL);
    let ignore_case = reader.flag(object, "ignoreCase");
    let operand = right_side(reader, object, operator);
    let (field, operator, operand) = (field?, operator?, operand?);
    if stated(object, "ignoreCase").is_some() && !operator.may_ignore_case() {
        let words: Vec<&str> =
            Operator::ALL.iter().filter(|(_, operator)| operator.may_ignore_case()).map(|(name, _)| *name).collect();
        let found = operator.name();
        reader.fault("ignoreCase", format!("does not go with `{found}`, only with {}", listed(&words)));
    }
    let comparison = Comparison { field, subtract, operator, operand, ignore_case };
    if reader.fault_count() == before
        && let Some((place, message)) = comparison.value_fault()
    {
        reader.fault(&place, message);
    }
    Some(comparison)
}

/// The right side; without an operator that is known, only whether there is one
fn right_side(reader: &mut Reader<'_>, object: &Map<String, Json>, operator: Option<Operator>) -> Option<Operand> {
    let found: Vec<&str> = RIGHT_SIDES.into_iter().filter(|key| object.contains_key(*key)).collect();
    let taken = operator.map_or(&RIGHT_SIDES[..], right_sides);
    let name = operator.map_or("", Operator::name);
    let key = match found.as_slice() {
        [key] => *key,
        [] if taken.is_empty() => return Some(Operand::Nothing),
        [] => {
            let (first, message) = (taken.first().copied().unwrap_or_default(), expected(operator));
            reader.fault(first, format!("missing, expected {message}"));
            return None;
        }
        several => {
            let last = several.last().copied().unwrap_or_default();
            let message = if taken.is_empty() { "none of them" } else { "one of them" };
            reader.fault(last, format!("found {} for `{name}`, expected {message}", listed(several)));
            return None;
        }
    };
    let json = object.get(key)?;
    let operator = operator?;
    if !taken.contains(&key) {
        let message = if taken.is_empty() {
            format!("`{name}` takes no `{key}`, leave it out")
        } else {
            format!("`{name}` takes no `{key}`, expected {}", expected(Some(operator)))
        };
        reader.fault(key, message);
        return None;
    }
    match key {
        "valueField" => reader.path(object, key).map(Operand::Field),
        "dynamicValue" if operator == Operator::During => {
            periods::period(&mut reader.inside(key), json).map(Operand::Period)
        }
        "dynamicValue" => periods::day(&mut reader.inside(key), json, operator).map(Operand::Day),
        _ => value(reader, key, json, operator),
    }
}

/// Keys that may hold the right side of an operator
fn right_sides(operator: Operator) -> &'static [&'static str] {
    match operator {
        Operator::IsEmpty | Operator::IsNotEmpty => &[],
        Operator::During => &["dynamicValue"],
        Operator::In | Operator::NotIn | Operator::Between | Operator::ContainsAny | Operator::ContainsAll => {
            &["value"]
        }
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => &["value", "valueField"],
        _ => &RIGHT_SIDES,
    }
}

/// What the right side of an operator is to be
fn expected(operator: Option<Operator>) -> String {
    let Some(operator) = operator else { return "`value`, `dynamicValue` or `valueField`".to_owned() };
    let name = operator.name();
    match operator {
        Operator::During => format!("a period as `dynamicValue` for `{name}`"),
        Operator::In | Operator::NotIn => format!("a list as `value` for `{name}`"),
        Operator::Between => format!("a list of two as `value` for `{name}`"),
        operator if operator.is_of_list() => format!("a list of texts as `value` for `{name}`"),
        operator if operator.is_of_text() => format!("a text as `value`, or `valueField`, for `{name}`"),
        _ => format!("`value`, `dynamicValue` or `valueField` for `{name}`"),
    }
}

/// The right side that is written out
pub(super) fn value(reader: &mut Reader<'_>, key: &str, json: &Json, operator: Operator) -> Option<Operand> {
    let name = operator.name();
    if let Json::Array(list) = json {
        let values: Vec<Value> = list.iter().map(Value::from).collect();
        let is_text = |value: &Value| value.text().is_some_and(|text| !text.is_empty());
        let has_order = |value: &Value| matches!(value, Value::Text(_) | Value::Number(_));
        let fault = match operator {
            Operator::In | Operator::NotIn => values
                .iter()
                .any(|value| matches!(value, Value::Unreadable(_)))
                .then(|| "expected texts, numbers, true, false or null in the list".to_owned()),
            Operator::Between => (values.len() != 2 || !values.iter().all(has_order))
                .then(|| format!("`{name}` needs a list of two texts or numbers, found {}", values.len())),
            operator if operator.is_of_list() => (values.is_empty() || !values.iter().all(is_text))
                .then(|| format!("`{name}` needs a list of texts, at least one")),
            _ => Some(format!("`{name}` compares with one value; a list needs the operator `in` or `notIn`")),
        };
        return match fault {
            None => Some(Operand::List(values)),
            Some(message) => reader.refuse(key, message),
        };
    }
    let value = Value::from(json);
    let fault = match (operator, &value) {
        (Operator::In | Operator::NotIn, _) => Some("the operators `in` and `notIn` need a list".to_owned()),
        (operator, _) if operator.is_of_list() || operator == Operator::Between => {
            Some(format!("expected {}, {}", expected(Some(operator)), but(Some(json))))
        }
        (_, Value::Unreadable(_)) => {
            Some(format!("expected a text, a number, true, false or null, {}", but(Some(json))))
        }
        (operator, value) if operator.is_of_text() => value
            .text()
            .is_none_or(str::is_empty)
            .then(|| format!("`{name}` needs a text with at least one letter, {}", but(Some(json)))),
        (operator, Value::Null | Value::Bool(_)) if operator.is_order() => {
            Some(format!("only `equals` and `notEquals` compare with true, false or null, found `{name}`"))
        }
        _ => None,
    };
    match fault {
        None => Some(Operand::Value(value)),
        Some(message) => reader.refuse(key, message),
    }
}
