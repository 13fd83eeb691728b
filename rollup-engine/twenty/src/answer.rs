//! Answers that are passed on as they are: they are looked at, and nothing is built of them.
//!
//! It stands in this crate, and not where answers are passed on, for its speed: see the levels in `docs/DESIGN.md`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// Whether an answer is JSON
#[must_use]
pub fn is_json(answer: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(answer).is_ok()
}

/// Whether `data` of an answer holds a list under this key
///
/// # Examples
///
/// ```
/// use twenty::answer::has_list;
///
/// assert!(has_list(br#"{"data":{"gifts":[{"id":"a"}]}}"#, "gifts"));
/// assert!(!has_list(br#"{"data":{"gifts":{}}}"#, "gifts"));
/// ```
#[must_use]
pub fn has_list(answer: &[u8], key: &str) -> bool {
    text_at(answer, key).is_some_and(|text| text.starts_with('['))
}

/// Whether `data` of an answer holds a record with an id under this key
#[must_use]
pub fn has_record(answer: &[u8], key: &str) -> bool {
    text_at(answer, key)
        .and_then(|text| serde_json::from_str(text).ok())
        .is_some_and(|record: Record<'_>| !record.id.is_empty())
}

/// The text of what stands in `data` under this key, if the whole answer is JSON
fn text_at<'a>(answer: &'a [u8], key: &str) -> Option<&'a str> {
    let Answer { data } = serde_json::from_slice(answer).ok()?;
    data.get(key).map(|value| value.get())
}
