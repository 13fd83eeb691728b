//! The filter language of the REST API, turned into the nested form that GraphQL sends.
//!
//! `and(status[eq]:"received",amount.amountMicros[gt]:0)` becomes
//! `{"and":[{"status":{"eq":"received"}},{"amount":{"amountMicros":{"gt":"0"}}}]}`. Values stay texts; fields and
//! types are looked at later. Brackets count even inside quotes, as on the server.

use serde_json::{Map, Value, json};

use crate::api_error::ApiError;

const COMPARATORS: [&str; 13] =
    ["eq", "neq", "in", "containsAny", "is", "gt", "gte", "lt", "lte", "startsWith", "endsWith", "like", "ilike"];

/// Reads the value of a `filter` parameter.
pub(crate) fn parse(text: &str) -> Result<Value, ApiError> {
    let (open, close) = (text.matches('(').count(), text.matches(')').count());
    if open != close {
        let (missing, which) = if open > close { (open - close, "close") } else { (close - open, "open") };
        let (s, verb) = if missing == 1 { ("", "is") } else { ("s", "are") };
        return Err(ApiError::bad(format!(
            "'filter' invalid. {missing} {which} bracket{s} {verb} missing in the query"
        )));
    }
    if conjunction(text).is_some() { node(text) } else { node(&format!("and({text})")) }
}

/// `and(…)`, `or(…)`, `not(…)`, closed at the very end
fn conjunction(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    if !matches!(name, "and" | "or" | "not") {
        return None;
    }
    let mut depth = 0_i32;
    for letter in inner.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    Some((name, inner))
}

fn node(text: &str) -> Result<Value, ApiError> {
    let Some((name, inner)) = conjunction(text) else { return leaf(text) };
    if inner.is_empty() {
        return Err(ApiError::bad(format!("'filter' invalid for '{text}'. eg: price[gte]:10")));
    }
    let parts = split(inner);
    if name == "not" {
        return match parts.as_slice() {
            [part] => Ok(json!({"not": node(part)?})),
            _ => Err(ApiError::bad(
                "'filter' invalid. 'not' conjunction should contain only 1 condition. eg: not(field[eq]:1)",
            )),
        };
    }
    let nodes = parts.iter().map(|part| node(part)).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Object(Map::from_iter([(name.to_owned(), Value::Array(nodes))])))
}

/// Splits at commas that are neither in brackets nor in quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_i32, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') if begins_value(text.get(..at).unwrap_or_default()) => quote = Some(letter),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// A quote opens a quoted value only where a value begins.
fn begins_value(before: &str) -> bool {
    before.trim_end().ends_with([':', '[', ','])
}

fn leaf(text: &str) -> Result<Value, ApiError> {
    let invalid = || ApiError::bad(format!("'filter' invalid for '{text}'. eg: price[gte]:10"));
    let (path, rest) = text.split_once('[').ok_or_else(invalid)?;
    let (comparator, value) = rest.split_once("]:").ok_or_else(invalid)?;
    if path.is_empty() || path.contains(':') {
        return Err(invalid());
    }
    if !COMPARATORS.contains(&comparator) {
        return Err(ApiError::bad(format!(
            "'filter' invalid for '{text}', comparator {comparator} not in {}",
            COMPARATORS.join(", ")
        )));
    }
    let value = match comparator {
        "in" | "containsAny" => {
            let inner = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(|| {
                ApiError::bad(format!(
                    "'filter' invalid for '{comparator}' operator. Received '{value}' but array value expected eg: 'field[{comparator}]:[value_1,value_2]'"
                ))
            })?;
            inner.split(',').map(unquote).map(Value::from).collect()
        }
        "is" => Value::from(value),
        _ => Value::from(unquote(value)),
    };
    let leaf = Value::Object(Map::from_iter([(comparator.to_owned(), value)]));
    Ok(path.split('.').rev().fold(leaf, |inner, name| Value::Object(Map::from_iter([(name.to_owned(), inner)]))))
}

fn unquote(text: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_becomes_its_nested_form() {
        let nested = |text: &str| parse(text).unwrap();
        assert_eq!(nested("status[eq]:\"on hold\""), json!({"and": [{"status": {"eq": "on hold"}}]}));
        assert_eq!(
            nested("or(a.b[gt]:0,not(c[is]:NULL)),d[in]:[\"x\",y]"),
            json!({"and": [
                {"or": [{"a": {"b": {"gt": "0"}}}, {"not": {"c": {"is": "NULL"}}}]},
                {"d": {"in": ["x", "y"]}},
            ]})
        );
        assert_eq!(nested("a[eq]:\"it's (ok), yes\""), json!({"and": [{"a": {"eq": "it's (ok), yes"}}]}));
        assert_eq!(nested("a[eq]:O'Neil,b[eq]:1"), json!({"and": [{"a": {"eq": "O'Neil"}}, {"b": {"eq": "1"}}]}));
        assert_eq!(nested("a[in]:[\"x\", \"y\"]"), json!({"and": [{"a": {"in": ["x", " \"y\""]}}]}));
    }

    #[test]
    fn what_is_no_filter_is_named() {
        for (text, message) in [
            ("", "'filter' invalid for 'and()'. eg: price[gte]:10"),
            ("x", "'filter' invalid for 'x'. eg: price[gte]:10"),
            ("and(a[eq]:1", "'filter' invalid. 1 close bracket is missing in the query"),
            ("a[eq]:1)", "'filter' invalid. 1 open bracket is missing in the query"),
            (
                "a[in]:1",
                "'filter' invalid for 'in' operator. Received '1' but array value expected eg: 'field[in]:[value_1,value_2]'",
            ),
            (
                "not(a[eq]:1,b[eq]:2)",
                "'filter' invalid. 'not' conjunction should contain only 1 condition. eg: not(field[eq]:1)",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().message, message);
        }
        assert!(parse("a[foo]:1").unwrap_err().message.contains("comparator foo not in eq, neq, in"));
    }
}
