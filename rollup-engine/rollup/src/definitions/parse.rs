//! From JSON to definitions, with every fault named by its place.

use serde_json::{Map, Value as Json};
use twenty::schema::nearest;
use twenty::value::Value;

use super::model::{
    Aggregation, Condition, Definition, DynamicDate, Fault, Kind, Operand, Operator, place_of_condition,
};
use super::{order, values};
pub(crate) use crate::definition::fault::{kind_of, shown};

pub(crate) const DEFINITION_KEYS: [&str; 7] =
    ["parentObject", "childObject", "relationField", "childFilters", "aggregations", "name", "description"];
pub(crate) const AGGREGATION_KEYS: [&str; 6] =
    ["type", "childField", "subtractField", "currencyField", "parentField", "filters"];
pub(crate) const CONDITION_KEYS: [&str; 5] = ["field", "subtractField", "operator", "value", "dynamicValue"];

/// Reads and validates a list of definitions
///
/// # Examples
///
/// ```
/// use rollup::definitions::parse;
/// use serde_json::json;
///
/// let faults = parse(&json!([{ "parentObject": "person", "childObject": "gift", "relationField": "donorId" }]));
/// assert_eq!(faults.unwrap_err()[0].place, "definition 0, aggregations");
/// ```
///
/// # Errors
/// All faults that were found, in the order of the list.
pub fn parse(json: &Json) -> Result<Vec<Definition>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut definitions = Vec::new();
    let Some(list) = json.as_array() else {
        return Err(vec![Fault::new("definitions", format!("expected a list, found {}", kind_of(json)))]);
    };
    for (index, json) in list.iter().enumerate() {
        let definition = Reader { place: format!("definition {index}"), faults: &mut faults }.definition(json);
        if let Some(definition) = &definition {
            faults.extend(contradiction(index, definition));
        }
        definitions.push(definition);
    }
    let Some(definitions) = definitions.into_iter().collect::<Option<Vec<_>>>().filter(|_| faults.is_empty()) else {
        return Err(faults);
    };
    faults.extend(shared_targets(&definitions));
    faults.extend(order::cycle(&definitions));
    if faults.is_empty() { Ok(definitions) } else { Err(faults) }
}

/// Reads and validates one definition
///
/// # Examples
///
/// ```
/// use rollup::definitions::parse_one;
/// use serde_json::json;
///
/// let definition = parse_one(&json!({
///     "parentObject": "person", "childObject": "gift", "relationField": "donorId",
///     "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }],
/// })).unwrap();
/// assert_eq!(definition.aggregations[0].parent_field, "lifetimeGiftCount");
/// ```
///
/// # Errors
/// All faults that were found.
pub fn parse_one(json: &Json) -> Result<Definition, Vec<Fault>> {
    let mut definitions = parse(&Json::Array(vec![json.clone()]))?;
    definitions.pop().ok_or_else(Vec::new)
}

/// Conditions of a definition whose values no one field can have
fn contradiction(index: usize, definition: &Definition) -> Option<Fault> {
    let all: Vec<_> = definition.conditions().collect();
    let conditions: Vec<&Condition> = all.iter().map(|(.., condition)| *condition).collect();
    let (number, inside, message) = values::contradiction(&conditions)?;
    let (aggregation, place, _) = all.get(number)?;
    let place = place_of_condition(*aggregation, *place);
    Some(Fault::new(format!("definition {index}, {place}, {inside}"), message))
}

/// Two totals on one field would overwrite each other for ever.
fn shared_targets(definitions: &[Definition]) -> Vec<Fault> {
    let mut owners: Vec<(String, String)> = Vec::new();
    let mut faults = Vec::new();
    for (index, definition) in definitions.iter().enumerate() {
        for (number, aggregation) in definition.aggregations.iter().enumerate() {
            let place = format!("definition {index}, aggregation {number}");
            let field = format!("{}.{}", definition.parent_object, aggregation.parent_field);
            if let Some((_, owner)) = owners.iter().find(|(owned, _)| *owned == field) {
                faults.push(Fault::new(
                    format!("{place}, parentField"),
                    format!("`{field}` is already written by {owner}; every total needs a field of its own"),
                ));
            } else {
                owners.push((field, place));
            }
        }
    }
    faults
}

/// Reads one JSON object, noting what is wrong with it
struct Reader<'a> {
    place: String,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, key: &str, message: impl Into<String>) {
        let place = if key.is_empty() { self.place.clone() } else { format!("{}, {key}", self.place) };
        self.faults.push(Fault::new(place, message));
    }

    fn object<'j>(&mut self, json: &'j Json, keys: &[&str]) -> Option<&'j Map<String, Json>> {
        let Some(object) = json.as_object() else {
            self.fault("", format!("expected an object, found {}", kind_of(json)));
            return None;
        };
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            let hint = nearest(key, keys.iter().map(|key| (*key, *key)))
                .map_or_else(|| format!("expected one of {}", listed(keys)), |near| format!("did you mean `{near}`?"));
            self.fault(key, format!("unknown key, {hint}"));
        }
        Some(object)
    }

    fn definition(mut self, json: &Json) -> Option<Definition> {
        let object = self.object(json, &DEFINITION_KEYS)?;
        let parent_object = self.name(object, "parentObject");
        let child_object = self.name(object, "childObject");
        let relation_field = self.name(object, "relationField");
        let child_filters = self.conditions(object, "childFilters");
        let aggregations = match object.get("aggregations") {
            Some(Json::Array(list)) if !list.is_empty() => {
                let read = list.iter().enumerate().map(|(index, json)| {
                    self.inside(&format!("aggregation {index}"), |mut reader| reader.aggregation(json))
                });
                read.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()
            }
            found => {
                self.fault("aggregations", format!("expected a list with at least one aggregation, {}", but(found)));
                None
            }
        };
        Some(Definition {
            parent_object: parent_object?,
            child_object: child_object?,
            relation_field: relation_field?,
            child_filters: child_filters?,
            aggregations: aggregations?,
        })
    }

    fn aggregation(&mut self, json: &Json) -> Option<Aggregation> {
        let object = self.object(json, &AGGREGATION_KEYS)?;
        let kind = self.choice(object, "type", &Kind::ALL);
        let parent_field = self.name(object, "parentField");
        let child_field = self.optional_path(object, "childField");
        let currency_field = self.optional_path(object, "currencyField");
        let subtract_field = self.optional_path(object, "subtractField");
        let filters = self.conditions(object, "filters");
        let kind = kind?;
        if kind != Kind::Sum && subtract_field.is_some() {
            self.fault("subtractField", "only a SUM subtracts; a condition with a `subtractField` leaves children out");
        }
        if currency_field.as_deref().is_some_and(|path| path.ends_with(".amountMicros")) {
            self.fault(
                "currencyField",
                "is the path of an amount, expected that of its code, such as `amount.currencyCode`",
            );
        }
        if kind == Kind::Count && currency_field.is_some() {
            self.fault("currencyField", "a COUNT is no amount of money, leave it out");
        }
        if kind != Kind::Count && object.get("childField").is_none_or(Json::is_null) {
            self.fault("childField", "missing, expected the path of the values, such as `amount.amountMicros`");
            return None;
        }
        Some(Aggregation {
            kind,
            child_field,
            currency_field,
            subtract_field,
            parent_field: parent_field?,
            filters: filters?,
        })
    }

    fn conditions(&mut self, object: &Map<String, Json>, key: &str) -> Option<Vec<Condition>> {
        match object.get(key) {
            None | Some(Json::Null) => Some(Vec::new()),
            Some(Json::Array(list)) => {
                let read = list
                    .iter()
                    .enumerate()
                    .map(|(index, json)| self.inside(&format!("{key} {index}"), |mut reader| reader.condition(json)));
                read.collect::<Vec<_>>().into_iter().collect()
            }
            found => {
                self.fault(key, format!("expected a list of conditions, {}", but(found)));
                None
            }
        }
    }

    fn condition(&mut self, json: &Json) -> Option<Condition> {
        let before = self.faults.len();
        let object = self.object(json, &CONDITION_KEYS)?;
        let field = self.path(object, "field");
        let subtract_field = self.optional_path(object, "subtractField");
        let operator = self.choice(object, "operator", &Operator::ALL);
        let operand = match (object.get("value"), object.get("dynamicValue")) {
            (Some(_), Some(_)) => {
                self.fault("dynamicValue", "there is a `value` as well, expected one of the two");
                None
            }
            (None, None) => {
                self.fault("value", "missing, expected `value` or `dynamicValue`");
                None
            }
            (None, Some(_)) => self.choice(object, "dynamicValue", &DynamicDate::ALL).map(Operand::DynamicDate),
            (Some(Json::Array(list)), None) => {
                let values: Vec<Value> = list.iter().map(Value::from).collect();
                if values.iter().any(|value| matches!(value, Value::Unreadable(_))) {
                    self.fault("value", "expected texts, numbers, true, false or null in the list");
                }
                Some(Operand::List(values))
            }
            (Some(json), None) => {
                let value = Value::from(json);
                if matches!(value, Value::Unreadable(_)) {
                    self.fault("value", format!("expected a text, a number, true, false or null, {}", but(Some(json))));
                }
                Some(Operand::Value(value))
            }
        };
        let (field, operator, operand) = (field?, operator?, operand?);
        let wants_list = matches!(operator, Operator::In | Operator::NotIn);
        match &operand {
            Operand::List(_) if !wants_list => self.fault("value", "a list needs the operator `in` or `notIn`"),
            Operand::Value(_) | Operand::DynamicDate(_) if wants_list => {
                self.fault("value", "the operators `in` and `notIn` need a list");
            }
            Operand::Value(Value::Null | Value::Bool(_))
                if !matches!(operator, Operator::Equals | Operator::NotEquals) =>
            {
                self.fault("value", "only `equals` and `notEquals` compare with true, false or null");
            }
            _ => {}
        }
        let condition = Condition { field, subtract_field, operator, operand };
        if self.faults.len() == before
            && let Some((place, message)) = condition.value_fault()
        {
            self.fault(&place, message);
        }
        Some(condition)
    }

    /// The name of an object or of a field
    fn name(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        if is_name(text) {
            return Some(text.to_owned());
        }
        self.fault(key, format!("`{text}` is no name: expected letters and digits, beginning with a letter"));
        None
    }

    /// The path of a value: names joined by points
    fn path(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        if text.split('.').all(is_name) {
            return Some(text.to_owned());
        }
        self.fault(key, format!("`{text}` is no path: expected names joined by points, such as `amount.currencyCode`"));
        None
    }

    /// Like `path`; nothing where there is none, and a wrong one is noted
    fn optional_path(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        object.get(key).filter(|json| !json.is_null())?;
        self.path(object, key)
    }

    fn text<'j>(&mut self, object: &'j Map<String, Json>, key: &str) -> Option<&'j str> {
        match object.get(key) {
            Some(Json::String(text)) if !text.is_empty() => Some(text),
            found => {
                self.fault(key, format!("expected a text, {}", but(found)));
                None
            }
        }
    }

    fn choice<T: Copy>(&mut self, object: &Map<String, Json>, key: &str, all: &[(&str, T)]) -> Option<T> {
        let text = self.text(object, key)?;
        let chosen = all.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.fault(key, format!("unknown `{text}`, expected one of {}", listed(&names)));
        }
        chosen
    }

    fn inside<T>(&mut self, place: &str, read: impl FnOnce(Reader<'_>) -> T) -> T {
        read(Reader { place: format!("{}, {place}", self.place), faults: self.faults })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn but(found: Option<&Json>) -> String {
    found.map_or_else(|| "but it is missing".to_owned(), |json| format!("found {}", kind_of(json)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sound() -> Json {
        json!({
            "parentObject": "person", "childObject": "gift", "relationField": "donorId",
            "aggregations": [{ "type": "COUNT", "parentField": "giftCount" }]
        })
    }

    /// Messages for the sound definition with one place replaced
    fn messages(pointer: &str, replacement: Json) -> Vec<String> {
        let mut json = sound();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let target = if parent.is_empty() { &mut json } else { json.pointer_mut(parent).unwrap() };
        match replacement {
            Json::Null => drop(target.as_object_mut().unwrap().remove(key)),
            replacement => drop(target.as_object_mut().unwrap().insert(key.to_owned(), replacement)),
        }
        parse_one(&json).map_or_else(|faults| faults.iter().map(ToString::to_string).collect(), |_| Vec::new())
    }

    #[test]
    fn a_sound_definition_is_taken() {
        assert_eq!(messages("/description", json!("how many gifts")), Vec::<String>::new());
    }

    #[test]
    fn each_fault_says_where_and_what() {
        let filter = |json: Json| json!([json]);
        for (pointer, replacement, message) in [
            ("/parentObject", json!(null), "definition 0, parentObject: expected a text, but it is missing"),
            ("/childObject", json!(7), "definition 0, childObject: expected a text, found a number"),
            (
                "/childObject",
                json!("gift/x"),
                "definition 0, childObject: `gift/x` is no name: expected letters and digits, beginning with a letter",
            ),
            ("/relationField", json!(""), "definition 0, relationField: expected a text, found an empty text"),
            ("/relationFeild", json!("x"), "definition 0, relationFeild: unknown key, did you mean `relationField`?"),
            (
                "/aggregations",
                json!([]),
                "definition 0, aggregations: expected a list with at least one aggregation, found an empty list",
            ),
            (
                "/aggregations/0/type",
                json!("MEDIAN"),
                "definition 0, aggregation 0, type: unknown `MEDIAN`, expected one of `SUM`, `COUNT`, `AVG`, `MIN`, `MAX`",
            ),
            (
                "/aggregations/0/type",
                json!("SUM"),
                "definition 0, aggregation 0, childField: missing, expected the path of the values, such as `amount.amountMicros`",
            ),
            (
                "/aggregations/0/currencyField",
                json!("amount.currencyCode"),
                "definition 0, aggregation 0, currencyField: a COUNT is no amount of money, leave it out",
            ),
            (
                "/aggregations/0/childField",
                json!("amount..x"),
                "definition 0, aggregation 0, childField: `amount..x` is no path: expected names joined by points, such as `amount.currencyCode`",
            ),
            ("/childFilters", json!({}), "definition 0, childFilters: expected a list of conditions, found an object"),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "like", "value": 1 })),
                "definition 0, childFilters 0, operator: unknown `like`, expected one of `equals`, `notEquals`, `in`, `notIn`, `gt`, `gte`, `lt`, `lte`",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "gt" })),
                "definition 0, childFilters 0, value: missing, expected `value` or `dynamicValue`",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "gt", "value": 1, "dynamicValue": "today" })),
                "definition 0, childFilters 0, dynamicValue: there is a `value` as well, expected one of the two",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "gt", "dynamicValue": "startOfWeek" })),
                "definition 0, childFilters 0, dynamicValue: unknown `startOfWeek`, expected one of `today`, `startOfMonth`, `startOfYear`, `startOfFiscalYear`",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "in", "value": 1 })),
                "definition 0, childFilters 0, value: the operators `in` and `notIn` need a list",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "gt", "value": [1] })),
                "definition 0, childFilters 0, value: a list needs the operator `in` or `notIn`",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "lt", "value": true })),
                "definition 0, childFilters 0, value: only `equals` and `notEquals` compare with true, false or null",
            ),
            (
                "/childFilters",
                filter(json!({ "field": "a", "operator": "equals", "value": {} })),
                "definition 0, childFilters 0, value: expected a text, a number, true, false or null, found an object",
            ),
        ] {
            assert_eq!(messages(pointer, replacement), [message], "{pointer}");
        }
    }

    #[test]
    fn all_faults_are_reported_together() {
        let faults = parse(&json!([{ "parentObject": 1 }, 2])).unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert_eq!(faults[4].to_string(), "definition 1: expected an object, found a number");
        assert_eq!(parse(&json!({})).unwrap_err()[0].to_string(), "definitions: expected a list, found an object");
    }

    #[test]
    fn two_totals_on_one_field_are_refused() {
        let mut other = sound();
        other["childObject"] = json!("pledge");
        let faults = parse(&json!([sound(), other])).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "definition 1, aggregation 0, parentField: `person.giftCount` is already written by definition 0, \
             aggregation 0; every total needs a field of its own"
        );
    }
}
