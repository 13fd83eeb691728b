//! Characters that are no part of a text: NUL, which no database of Twenty's can keep, control characters, and those that
//! cannot be seen.

use std::borrow::Cow;

use serde_json::Value;
use twenty::object::object;

/// Where a text holds NUL: `contact.firstName`, `ids[2]`; also in a text that is
/// JSON itself
///
/// ```
/// use fundraising::characters::nul_in;
/// use serde_json::json;
///
/// assert_eq!(nul_in(&json!({ "contact": { "firstName": "Ada\0" } })).as_deref(), Some("contact.firstName"));
/// assert_eq!(nul_in(&json!({ "contact": { "firstName": "Ada" } })), None);
/// ```
#[must_use]
pub fn nul_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) if text.contains('\0') => Some(String::new()),
        // Twenty reads JSON from texts of some fields.
        Value::String(text) if text.contains("\\u0000") => {
            let json = serde_json::from_str(text).ok().filter(|json: &Value| !json.is_string())?;
            nul_in(&json)
        }
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(at, value)| Some(format!("[{at}]{}", dotted(nul_in(value)?))))
        }
        Value::Object(members) => members.iter().find_map(|(key, value)| nul_in_member(key, value)),
        _ => None,
    }
}

/// Where a member of an object holds NUL, its name included
#[must_use]
pub fn nul_in_member(key: &str, value: &Value) -> Option<String> {
    if key.contains('\0') {
        return Some(key.replace('\0', "\\u0000"));
    }
    Some(format!("{key}{}", dotted(nul_in(value)?)))
}

fn dotted(path: String) -> String {
    if path.is_empty() || path.starts_with('[') { path } else { format!(".{path}") }
}

/// Whether a character is part of a text: not a control character, but for tabs and line ends, nor a zero-width space, a word
/// joiner or a byte order mark
///
/// Joiners (U+200C, U+200D) are: some scripts are spelled with them.
const fn is_text(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => false,
        _ => true,
    }
}

/// A text without what is no part of it
fn cleaned_text(text: String) -> String {
    if text.chars().all(is_text) { text } else { text.chars().filter(|letter| is_text(*letter)).collect() }
}

/// The same without NUL, control characters and invisible ones in any text; NUL also in a text that is JSON itself
///
/// ```
/// use fundraising::characters::cleaned;
/// use serde_json::json;
///
/// assert_eq!(cleaned(json!({ "name": "\u{feff}Ann\0", "notes": "a\nb" })), json!({ "name": "Ann", "notes": "a\nb" }));
/// ```
#[must_use]
pub fn cleaned(json: Value) -> Value {
    match json {
        Value::String(ref text) if text.contains("\\u0000") && nul_in(&json).is_some() => {
            cleaned(serde_json::from_str(text).unwrap_or_default()).to_string().into()
        }
        Value::String(text) => cleaned_text(text).into(),
        Value::Array(list) => list.into_iter().map(cleaned).collect(),
        Value::Object(members) => {
            object(members.into_iter().map(|(key, value)| (cleaned_text(key), cleaned(value)))).into()
        }
        other => other,
    }
}

/// A body as a reader of JSON takes it: without the byte order mark that it may begin with, and with U+FFFD for half characters
///
/// `\ud83d` without its other half is left where a text was cut; a reader of JSON refuses the whole body for it.
///
/// ```
/// use fundraising::characters::legible;
///
/// let body = "\u{feff}{\"name\":\"Ann \\ud83d\"}";
/// assert_eq!(*legible(body.as_bytes()), *br#"{"name":"Ann \ufffd"}"#);
/// ```
#[must_use]
pub fn legible(body: &[u8]) -> Cow<'_, [u8]> {
    const SIZE: usize = r"\ud83d".len();
    let json = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut whole = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match half(json, at) {
            // A backslash and the letter that it escapes
            None => 2,
            Some(Half::First) if half(json, at + SIZE) == Some(Half::Second) => 2 * SIZE,
            Some(_) => {
                if let Some(place) = whole.to_mut().get_mut(at..at + SIZE) {
                    place.copy_from_slice(br"\ufffd");
                }
                SIZE
            }
        };
    }
    whole
}

/// Which half of a character an escape stands for
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

fn half(json: &[u8], at: usize) -> Option<Half> {
    let digits = json.get(at..)?.strip_prefix(br"\u")?.get(..4)?;
    match u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn characters_of_texts() {
        for (text, expected) in [
            ("Ann Oak", "Ann Oak"),
            ("\u{feff}Ann\u{200b} O\u{2060}ak\u{7f}\u{85}\u{1b}", "Ann Oak"),
            ("one\r\n\ttwo", "one\r\n\ttwo"),
            // Persian is spelled with joiners, and emoji are put together by them.
            ("\u{645}\u{6cc}\u{200c}\u{62e}", "\u{645}\u{6cc}\u{200c}\u{62e}"),
            ("👩\u{200d}🎨", "👩\u{200d}🎨"),
        ] {
            assert_eq!(cleaned(json!(text)), json!(expected));
            assert_eq!(cleaned(json!({ text: [text] })), json!({ expected: [expected] }));
        }
        assert_eq!(cleaned(json!(r#"{"a":"x\u0000"}"#)), json!(r#"{"a":"x"}"#));
    }

    #[test]
    fn half_characters() {
        for (json, expected) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uDE00\uD83D""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00 and \ud83dx""#, "\u{fffd}\u{1f600} and \u{fffd}x"),
            (r#""\\ud83d \"\ud83d\"""#, "\\ud83d \"\u{fffd}\""),
            (r#""\u00e9\u6c34""#, "\u{e9}\u{6c34}"),
        ] {
            let read: Value = serde_json::from_slice(&legible(json.as_bytes())).unwrap();
            assert_eq!(read, json!(expected), "{json}");
        }
        for broken in [r#""\ud8"#, r#""\u"#, "\"\\", r#""\ud83d\ud"#] {
            assert!(serde_json::from_slice::<Value>(&legible(broken.as_bytes())).is_err());
        }
        assert!(matches!(legible(br#"{"a":"\ud83d\ude00"}"#), Cow::Borrowed(_)));
    }
}
