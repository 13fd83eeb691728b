//! Days and periods that move with the calendar.

use serde_json::{Map, Value as Json};

use super::super::fault::{but, hint, listed};
use super::super::model::{Day, Extent, Operator, Period, Unit};
use super::super::reader::{Reader, stated};
use super::super::words::word;

/// Keys of a day, each of which says which day it is
pub(crate) const DAY_KEYS: [&str; 5] = ["startOf", "endOf", "daysAgo", "monthsAgo", "yearsAgo"];
/// Key of a day and of a period
const OFFSET: &str = "offset";
/// Keys of a period
pub(crate) const PERIOD_KEYS: [&str; 5] = ["unit", OFFSET, "toDate", "last", "next"];
/// Units that a stretch of days may be of
const STRETCHES: [(&str, Unit); 5] = [
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];
/// What a day and a period look like
const DAY_EXAMPLE: &str = r#"a day such as `"today"`, `{"startOf":"month"}` or `{"daysAgo":30}`"#;
const PERIOD_EXAMPLE: &str = r#"a period such as `{"unit":"year"}` or `{"unit":"day","last":365}`"#;

/// Reads the day of a comparison, at `dynamicValue`
pub(super) fn day(reader: &mut Reader<'_>, json: &Json, operator: Operator) -> Option<Day> {
    if let Some(text) = json.as_str() {
        let day = Day::ALL.iter().find(|(name, _)| *name == text).map(|(_, day)| *day);
        if day.is_none() {
            let names = Day::ALL.map(|(name, _)| name);
            reader.fault("", format!("unknown `{text}`, {}", hint(text, &names)));
        }
        return day;
    }
    let Some(object) = json.as_object() else {
        reader.fault("", format!("expected {DAY_EXAMPLE}, {}", but(Some(json))));
        return None;
    };
    if ["unit", "toDate", "last", "next"].iter().any(|key| object.contains_key(*key)) {
        let found = operator.name();
        reader.fault("", format!("found a period, which needs the operator `during`; `{found}` needs {DAY_EXAMPLE}"));
        return None;
    }
    let keys = [&DAY_KEYS[..], &[OFFSET]].concat();
    reader.object(json, &keys)?;
    let key = the_one_key(reader, object)?;
    let unit = match key {
        "daysAgo" => Unit::Day,
        "monthsAgo" => Unit::Month,
        "yearsAgo" => Unit::Year,
        key => {
            let unit = reader.choice(object, key, &Unit::ALL);
            let offset = match unit {
                Some(unit) => offset(reader, object, unit),
                None => return None,
            };
            let (unit, offset) = (unit?, offset?);
            return Some(if key == "endOf" { Day::EndOf(unit, offset) } else { Day::StartOf(unit, offset) });
        }
    };
    let most = unit.max_offset();
    let number = reader.number(object, key, (-most, most));
    if stated(object, OFFSET).is_some() {
        reader.fault(OFFSET, format!("does not go with `{key}`, only with `startOf` and `endOf`"));
    }
    Some(Day::Ago(unit, number?))
}

/// The key that says which day it is
fn the_one_key(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<&'static str> {
    let found: Vec<&str> = DAY_KEYS.into_iter().filter(|key| stated(object, key).is_some()).collect();
    match found.as_slice() {
        [key] => DAY_KEYS.into_iter().find(|other| other == key),
        [] => reader.refuse("", format!("expected one of {}", listed(&DAY_KEYS))),
        several => reader.refuse("", format!("found {}, expected one of them", listed(several))),
    }
}

/// Reads the period of a comparison, at `dynamicValue`
pub(super) fn period(reader: &mut Reader<'_>, json: &Json) -> Option<Period> {
    let is_day = |object: &Map<String, Json>| DAY_KEYS.iter().any(|key| object.contains_key(*key));
    if json.is_string() || json.as_object().is_some_and(is_day) {
        reader.fault("", format!("found a day; `during` needs {PERIOD_EXAMPLE}"));
        return None;
    }
    if !json.is_object() {
        reader.fault("", format!("expected {PERIOD_EXAMPLE}, {}", but(Some(json))));
        return None;
    }
    let object = reader.object(json, &PERIOD_KEYS)?;
    let unit = reader.choice(object, "unit", &Unit::ALL);
    let to_date = reader.flag(object, "toDate");
    let found: Vec<&str> = ["last", "next"].into_iter().filter(|key| stated(object, key).is_some()).collect();
    let Some(stretch) = found.first().copied() else {
        let offset = offset(reader, object, unit?)?;
        return Some(Period {
            unit: unit?,
            extent: if to_date { Extent::ToDate(offset) } else { Extent::Whole(offset) },
        });
    };
    for other in ["next", OFFSET, "toDate"] {
        if other != stretch && stated(object, other).is_some() {
            reader.fault(other, format!("does not go with `{stretch}`"));
        }
    }
    let is_stretch = |unit: Unit| STRETCHES.iter().any(|(_, other)| *other == unit);
    if let Some(unit) = unit.filter(|unit| !is_stretch(*unit)) {
        let name = word(&Unit::ALL, unit);
        let units = STRETCHES.map(|(name, _)| name);
        reader.fault("unit", format!("`{name}` does not go with `{stretch}`, expected one of {}", listed(&units)));
    }
    let number = reader.number(object, stretch, (1, unit.map_or(Unit::Year, |unit| unit).max_offset()))?;
    let extent = if stretch == "last" { Extent::Last(number) } else { Extent::Next(number) };
    Some(Period { unit: unit?, extent })
}

/// How many units away; none where nothing is said
fn offset(reader: &mut Reader<'_>, object: &Map<String, Json>, unit: Unit) -> Option<i32> {
    if stated(object, OFFSET).is_none() {
        return Some(0);
    }
    let most = unit.max_offset();
    reader.number(object, OFFSET, (-most, most))
}
