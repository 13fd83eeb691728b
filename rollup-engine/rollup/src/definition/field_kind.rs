//! What kind of values a field has, and which values it can have.

use twenty::RecordId;
use twenty::schema::Field;
use twenty::value::Value;

use crate::moment::Moment;

/// What kind of values a field has
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Amount of a CURRENCY, in whole millionths
    Micros,
    /// Code of a CURRENCY
    CurrencyCode,
    /// NUMBER
    Number,
    /// BOOLEAN
    Boolean,
    /// `DATE_TIME`, or a time of which nothing else is known
    Time,
    /// DATE
    Date,
    /// UUID, or a relation to one record
    Id,
    /// SELECT or RATING: one of these
    Option(Vec<String>),
    /// `MULTI_SELECT` or ARRAY: a list, of these where they are known
    List(Vec<String>),
    /// An object or a list, of which a condition can read nothing
    Composite,
    /// TEXT, and parts of names, addresses and links
    Text,
    /// Any text: a date, an option, an id or a word. What records alone can show
    AnyText,
}

/// Parts of the composite fields of Twenty
const PARTS: [(&str, &[(&str, FieldKind)]); 8] = [
    ("CURRENCY", &[("amountMicros", FieldKind::Micros), ("currencyCode", FieldKind::CurrencyCode)]),
    ("FULL_NAME", &[("firstName", FieldKind::Text), ("lastName", FieldKind::Text)]),
    ("EMAILS", &[("primaryEmail", FieldKind::Text), ("additionalEmails", FieldKind::Composite)]),
    (
        "PHONES",
        &[
            ("primaryPhoneNumber", FieldKind::Text),
            ("primaryPhoneCountryCode", FieldKind::Text),
            ("primaryPhoneCallingCode", FieldKind::Text),
            ("additionalPhones", FieldKind::Composite),
        ],
    ),
    (
        "LINKS",
        &[
            ("primaryLinkUrl", FieldKind::Text),
            ("primaryLinkLabel", FieldKind::Text),
            ("secondaryLinks", FieldKind::Composite),
        ],
    ),
    (
        "ADDRESS",
        &[
            ("addressCity", FieldKind::Text),
            ("addressStreet1", FieldKind::Text),
            ("addressStreet2", FieldKind::Text),
            ("addressPostcode", FieldKind::Text),
            ("addressState", FieldKind::Text),
            ("addressCountry", FieldKind::Text),
            ("addressLat", FieldKind::Number),
            ("addressLng", FieldKind::Number),
        ],
    ),
    (
        "ACTOR",
        &[
            ("name", FieldKind::Text),
            ("source", FieldKind::Text),
            ("workspaceMemberId", FieldKind::Id),
            ("context", FieldKind::Composite),
        ],
    ),
    ("RICH_TEXT", &[("markdown", FieldKind::Text), ("blocknote", FieldKind::Text)]),
];

/// Why a path leads to no value
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// The field has parts, and none is named; the first of them
    Parts(&'static str),
    /// The field has no such part
    NoPart,
}

impl FieldKind {
    /// What the path tells by itself
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        match path.rsplit_once('.') {
            Some((_, "amountMicros")) => Some(Self::Micros),
            Some((_, "currencyCode")) => Some(Self::CurrencyCode),
            Some(_) => None,
            None if matches!(path, "createdAt" | "updatedAt" | "deletedAt") => Some(Self::Time),
            None => (path == "id").then_some(Self::Id),
        }
    }

    /// What the metadata say of a field, or of a part of it; nothing for a type that is not known here
    pub(crate) fn of_field(field: &Field, part: Option<&str>) -> Result<Option<Self>, NoValue> {
        let kind = field.kind.as_str();
        if let Some((_, parts)) = PARTS.iter().find(|(name, _)| *name == kind.trim_end_matches("_V2")) {
            let Some(part) = part else {
                return Err(NoValue::Parts(parts.first().map_or("", |(name, _)| *name)));
            };
            let found = parts.iter().find(|(name, _)| *name == part);
            return found.map(|(_, kind)| Some(kind.clone())).ok_or(NoValue::NoPart);
        }
        let found = match kind {
            "TEXT" => Self::Text,
            "NUMBER" | "NUMERIC" | "POSITION" => Self::Number,
            "BOOLEAN" => Self::Boolean,
            "DATE" => Self::Date,
            "DATE_TIME" => Self::Time,
            "RATING" if field.options.is_empty() => {
                Self::Option((1..=5).map(|stars| format!("RATING_{stars}")).collect())
            }
            "SELECT" | "RATING" => Self::Option(field.options.clone()),
            "MULTI_SELECT" | "ARRAY" => Self::List(field.options.clone()),
            "UUID" | "RELATION" | "MORPH_RELATION" => Self::Id,
            _ => return Ok(None),
        };
        if part.is_some() { Err(NoValue::NoPart) } else { Ok(Some(found)) }
    }

    /// Whether amounts can be taken off its values
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Micros | Self::Number)
    }

    /// What a condition compares with, in words
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Micros => "a whole number of millionths, such as 12500000 for 12.50".to_owned(),
            Self::CurrencyCode => "the code of a currency, such as `GBP`".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Time => "a day such as `2026-03-05`, or an instant such as `2026-03-05T10:00:00Z`".to_owned(),
            Self::Date => "a day such as `2026-03-05`".to_owned(),
            Self::Id => "the id of a record, in lower case".to_owned(),
            Self::Option(options) | Self::List(options) if !options.is_empty() => {
                let options: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
                format!("one of {}", options.join(", "))
            }
            _ => "a text".to_owned(),
        }
    }

    /// Whether a record may have this value there, or one that equals it
    pub(crate) fn may_be(&self, value: &Value) -> bool {
        // Empty is a value of any field.
        if value.is_absent() {
            return true;
        }
        let text = value.text();
        match self {
            Self::Micros => value.number().is_some_and(twenty::decimal::Decimal::is_integer),
            Self::Number => value.number().is_some(),
            Self::CurrencyCode => {
                text.is_some_and(|code| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase()))
            }
            Self::Boolean => matches!(value, Value::Bool(_)),
            Self::Time | Self::Date => text.is_some_and(is_time),
            // Ids are compared letter by letter with those of the records.
            Self::Id => text.is_some_and(|text| text.parse().is_ok_and(|id: RecordId| id.to_string() == text)),
            Self::Option(options) | Self::List(options) => {
                text.is_some_and(|text| options.is_empty() || options.iter().any(|option| option == text))
            }
            Self::Composite | Self::Text | Self::AnyText => text.is_some(),
        }
    }
}

pub(crate) fn in_words(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("`{text}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::Bool(truth) => truth.to_string(),
        Value::Unreadable(json) => (**json).to_owned(),
        _ => "nothing".to_owned(),
    }
}

/// A date or an instant that exists
pub(crate) fn is_time(text: &str) -> bool {
    Moment::read(text).is_some_and(|moment| moment.day().is_some() || moment.instant().is_some())
}

/// An instant, and not a day
pub(crate) fn is_instant(text: &str) -> bool {
    Moment::read(text).is_some_and(|moment| moment.day().is_none())
}

/// Whether a field is called for a time, such as `giftDate` and `expectedAt`
pub(crate) fn is_named_for_time(path: &str) -> bool {
    let camel = |suffix| {
        path.strip_suffix(suffix).is_some_and(|rest: &str| rest.ends_with(|last: char| last.is_ascii_lowercase()))
    };
    !path.contains('.') && (path == "date" || camel("Date") || camel("At"))
}

/// Whether a text is written as a date somewhere: three numbers with the same sign between them, one of them a year, perhaps
/// with a time behind
pub(crate) fn looks_like_time(text: &str) -> bool {
    if Moment::read(text).is_some() {
        return true;
    }
    let day = text.split([' ', 'T', ',']).next().unwrap_or_default();
    let parted = |sign: char| {
        let mut lengths =
            day.split(sign).map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part.len()));
        let three = [lengths.next(), lengths.next(), lengths.next()];
        lengths.next().is_none()
            && matches!(
                three,
                [Some(Some(4)), Some(Some(1 | 2)), Some(Some(1 | 2))]
                    | [Some(Some(1 | 2)), Some(Some(1 | 2)), Some(Some(2 | 4))]
            )
    };
    ['-', '/', '.'].into_iter().any(parted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_other_countries_look_like_dates() {
        for text in ["01/02/2024", "1.2.24", "2024/01/02", "2024-13-45", "01-02-2024 10:00", "2024-01-02T99:00"] {
            assert!(looks_like_time(text) && !is_time(text), "{text}");
        }
        for text in ["received", "1.2", "10.0.0.1", "555-123-4567", "2024", "a/b/c", ""] {
            assert!(!looks_like_time(text), "{text}");
        }
    }
}
