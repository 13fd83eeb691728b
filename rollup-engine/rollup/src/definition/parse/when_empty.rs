//! What stands for nothing.

use ports::time::parse_date;
use serde_json::{Map, Value as Json};
use twenty::value::Value;

use super::super::fault::shown;
use super::super::model::{TargetType, Unit};
use super::super::reader::{Reader, stated};
use super::super::words::{Kind, word};

/// Reads `whenEmpty`; none where nothing is said
pub(super) fn when_empty(
    reader: &mut Reader<'_>,
    object: &Map<String, Json>,
    kind: Kind,
    target: Option<TargetType>,
) -> Option<Value> {
    let json = object.get("whenEmpty")?;
    let value = Value::from(json);
    let expected = expected(object, kind, target);
    if !json.is_null() && !expected.takes(&value) {
        let (found, name, expected) = (shown(json), kind.name(), expected.in_words());
        reader.fault("whenEmpty", format!("found {found}, a {name} is {expected}, or null for empty"));
    }
    Some(value)
}

/// What the result of a total may be
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Money,
    Number,
    Truth,
    Text,
    NumberOrDay,
    Ordered,
    Single,
    Nothing,
}

impl Expected {
    fn takes(self, value: &Value) -> bool {
        let is_day = |text: &str| parse_date(text).is_some();
        match (self, value) {
            (Self::Money, value) => matches!(value, Value::Number(number) if number.is_zero()),
            (Self::Number | Self::NumberOrDay | Self::Ordered | Self::Single, Value::Number(_))
            | (Self::Truth | Self::Single, Value::Bool(_))
            | (Self::Text | Self::Ordered | Self::Single, Value::Text(_)) => true,
            (Self::NumberOrDay, Value::Text(text)) => is_day(text),
            _ => false,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Money => "an amount here: 0 without a currency",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::Text => "a text",
            Self::NumberOrDay => "a number, or a day such as `2026-03-05`",
            Self::Ordered => "a number or a text",
            Self::Single => "a number, a text, true or false",
            Self::Nothing => "a list",
        }
    }
}

fn expected(object: &Map<String, Json>, kind: Kind, target: Option<TargetType>) -> Expected {
    let is_money = stated(object, "currencyField").is_some();
    let part = object.get("datePart").and_then(Json::as_str);
    let is_year =
        [Unit::Year, Unit::FiscalYear, Unit::GiftAidYear].map(|unit| Some(word(&Unit::ALL, unit))).contains(&part);
    let is_list = matches!(target, Some(TargetType::MultiSelect | TargetType::Array));
    let returns_key = object.get("returns").and_then(Json::as_str) == Some("key");
    match kind {
        Kind::Count | Kind::CountDistinct | Kind::CurrentStreak | Kind::LongestStreak | Kind::Percent => {
            Expected::Number
        }
        Kind::Any | Kind::All | Kind::None => Expected::Truth,
        Kind::Concat | Kind::ConcatDistinct if is_list => Expected::Nothing,
        Kind::Concat | Kind::ConcatDistinct => Expected::Text,
        Kind::Formula => Expected::NumberOrDay,
        Kind::Min | Kind::Max if returns_key => Expected::Single,
        _ if is_money => Expected::Money,
        Kind::Sum | Kind::Avg | Kind::Median | Kind::Range => Expected::Number,
        Kind::Mode if part.is_none() => Expected::Single,
        _ if is_year => Expected::Number,
        _ if part.is_some() => Expected::Text,
        Kind::Min | Kind::Max => Expected::Ordered,
        _ => Expected::Single,
    }
}
