//! What GraphQL documents are written from: names, literals, quoted texts.

use crate::value::Value;

/// Writes an object around a value: `amount.amountMicros` and `true` become `{amount:{amountMicros:true}}`
pub(crate) fn nested(out: &mut String, path: &str, inner: &str) {
    let mut depth = 0;
    for part in path.split('.') {
        out.push('{');
        name(out, part);
        out.push(':');
        depth += 1;
    }
    out.push_str(inner);
    for _ in 0..depth {
        out.push('}');
    }
}

/// Writes a name. What cannot be in one becomes an underscore: it names nothing then, rather than something else.
pub(crate) fn name(out: &mut String, name: &str) {
    for letter in name.chars() {
        out.push(if letter.is_ascii_alphanumeric() { letter } else { '_' });
    }
}

/// Writes a value as a literal.
pub(crate) fn literal(out: &mut String, value: &Value) {
    match value {
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Text(text) => quoted(out, text),
        Value::Missing | Value::Null | Value::Unknown | Value::Unreadable(_) => out.push_str("null"),
    }
}

/// Writes a text as JSON does, which GraphQL reads alike
pub(crate) fn quoted(out: &mut String, text: &str) {
    // A text can always be written.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
