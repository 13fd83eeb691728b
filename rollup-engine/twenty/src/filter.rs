//! Twenty's filter language, in the two forms that cannot be misread: the `filter` parameter of REST, and the object of
//! GraphQL.
//!
//! A misspelt or repeated `filter` parameter is ignored by Twenty and the call runs unfiltered with status 200. So there
//! is one filter a request, wrapped in one root `and(…)`, without spaces, percent-encoded. Brackets and commas inside a
//! text would break Twenty's parser even when quoted, so [`Filter::is_rest_safe`] lets ids, numbers, dates and plain
//! words pass and nothing else; the client sends no other filter over REST. GraphQL quotes properly and takes them all.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::literal::{literal, nested};
use crate::record_id::RecordId;
use crate::value::Value;
use ports::time::Timestamp;

/// Most relations to one record that the path of a condition may lead through, as `donor.name.lastName` does; Twenty
/// refuses longer ones. Of a record that is not there, or soft-deleted, every value is empty
pub const MAX_FILTER_RELATIONS: usize = 1;

/// What may stand in a query value as it is: what RFC 3986 calls unreserved
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes the value of a query parameter
#[must_use]
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// How a value is compared; a comparison with an empty path is neither true nor false, and so is its negation
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// Equal
    Eq,
    /// Not equal, and not empty
    Neq,
    /// Greater, or later
    Gt,
    /// Greater or equal
    Gte,
    /// Less, or earlier
    Lt,
    /// Less or equal
    Lte,
}

impl Comparator {
    /// Name in both languages
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
        }
    }
}

/// A condition on records; a path such as `amount.amountMicros` names a field, or a part of one
///
/// # Examples
///
/// ```
/// use twenty::filter::{Comparator, Filter};
/// use twenty::value::Value;
///
/// let large = Filter::Compare {
///     path: "amount.amountMicros".into(),
///     comparator: Comparator::Gte,
///     value: Value::from_json_text("5000000"),
/// };
/// let filter = Filter::And(vec![large, Filter::Present("donorId".into())]);
/// assert_eq!(filter.to_parameter(), "and(amount.amountMicros[gte]:5000000,donorId[is]:NOT_NULL)");
/// assert_eq!(filter.to_graphql(), "{and:[{amount:{amountMicros:{gte:5000000}}} {donorId:{is:NOT_NULL}} ]}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The id at this path is one of these; must not be empty, as Twenty refuses an empty list
    IdIn(String, Vec<Uuid>),
    /// The id at this path is this one
    IdIs(String, RecordId),
    /// The instant at this path is this one or a later one
    Since(String, Timestamp),
    /// The instant at this path is an earlier one
    Before(String, Timestamp),
    /// The text at this path is this one
    TextIs(String, FilterText),
    /// The text at this path contains this one, in any case
    Contains(String, FilterText),
    /// The text at this path is this one, in any case; `_` stands for any letter
    Like(String, FilterText),
    /// The JSON at this path, as text, contains this one
    JsonContains(String, FilterText),
    /// The path is empty
    Empty(String),
    /// The path is not empty
    Present(String),
    /// The value at this path compares so; with a number, a text or a truth value, never with nothing
    Compare {
        /// Where
        path: String,
        /// How
        comparator: Comparator,
        /// With what
        value: Value,
    },
    /// The value at this path is one of these; must not be empty, and dates are refused here by Twenty
    In {
        /// Where
        path: String,
        /// Numbers or texts
        values: Vec<Value>,
    },
    /// Not so; what is neither true nor false stays neither
    Not(Box<Filter>),
    /// All of them
    And(Vec<Filter>),
    /// At least one of them; must not be empty
    Or(Vec<Filter>),
}

impl Filter {
    /// A condition that changes nothing but brings the soft-deleted records into the reply
    #[must_use]
    pub fn with_deleted() -> Self {
        Self::Or(vec![Self::Empty("deletedAt".into()), Self::Present("deletedAt".into())])
    }

    /// The value at this path is one of these words
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::filter::Filter;
    ///
    /// let filter = Filter::one_of("status", ["received", "pending"]).unwrap();
    /// assert_eq!(filter.to_parameter(), "and(status[in]:[received,pending])");
    /// assert!(Filter::one_of("status", ["a,b"]).is_err());
    /// ```
    ///
    /// # Errors
    /// A word of other characters than letters, digits and `-_.:`, or none at all.
    pub fn one_of<'a>(path: &str, words: impl IntoIterator<Item = &'a str>) -> Result<Self, UnfilterableText> {
        let values: Vec<Value> = words.into_iter().map(|word| Value::from(&serde_json::Value::from(word))).collect();
        let filter = Self::In { path: path.to_owned(), values };
        match &filter {
            Self::In { values, .. } if values.is_empty() => Err(UnfilterableText),
            _ if filter.is_rest_safe() => Ok(filter),
            _ => Err(UnfilterableText),
        }
    }

    /// The value of the `filter` parameter of REST, not yet percent-encoded; to be used only if [`Self::is_rest_safe`]
    #[must_use]
    pub fn to_parameter(&self) -> String {
        match self {
            Self::And(_) => self.to_string(),
            _ => format!("and({self})"),
        }
    }

    /// Whether REST would read this filter as it is meant: it has no free text
    #[must_use]
    pub fn is_rest_safe(&self) -> bool {
        match self {
            Self::IdIn(..)
            | Self::IdIs(..)
            | Self::Since(..)
            | Self::Before(..)
            | Self::TextIs(..)
            | Self::Contains(..)
            | Self::Like(..)
            | Self::JsonContains(..)
            | Self::Empty(_)
            | Self::Present(_) => true,
            Self::Compare { value, .. } => is_rest_safe(value),
            Self::In { values, .. } => values.iter().all(is_rest_safe),
            Self::Not(filter) => filter.is_rest_safe(),
            Self::And(filters) | Self::Or(filters) => filters.iter().all(Self::is_rest_safe),
        }
    }

    /// Whether it lets through only records whose own ids it names
    #[must_use]
    pub fn names_ids(&self) -> bool {
        match self {
            Self::IdIn(path, ids) => path == "id" && !ids.is_empty(),
            Self::IdIs(path, _) => path == "id",
            Self::And(filters) => filters.iter().any(Self::names_ids),
            _ => false,
        }
    }

    /// The value of the `filter` argument of GraphQL: `{amount:{amountMicros:{gt:5}}}`
    #[must_use]
    pub fn to_graphql(&self) -> String {
        let mut out = String::new();
        self.write_graphql(&mut out);
        out
    }

    fn write_graphql(&self, out: &mut String) {
        let all = |out: &mut String, name: &str, filters: &[Self]| {
            out.push('{');
            out.push_str(name);
            out.push_str(":[");
            for filter in filters {
                filter.write_graphql(out);
                out.push(' ');
            }
            out.push_str("]}");
        };
        match self {
            Self::IdIn(path, ids) => {
                let mut list = String::with_capacity(ids.len() * 39 + 16);
                list.push_str("{in:[");
                for id in ids {
                    list.push('"');
                    list.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
                    list.push_str("\" ");
                }
                list.push_str("]}");
                nested(out, path, &list);
            }
            Self::IdIs(path, id) => nested(out, path, &format!("{{eq:\"{id}\"}}")),
            Self::Since(path, time) => nested(out, path, &format!("{{gte:\"{time}\"}}")),
            Self::Before(path, time) => nested(out, path, &format!("{{lt:\"{time}\"}}")),
            Self::TextIs(path, text) => nested(out, path, &format!("{{eq:\"{text}\"}}")),
            Self::Contains(path, text) => nested(out, path, &format!("{{ilike:\"%{text}%\"}}")),
            Self::Like(path, text) => nested(out, path, &format!("{{ilike:\"{text}\"}}")),
            Self::JsonContains(path, text) => nested(out, path, &format!("{{like:\"%{text}%\"}}")),
            Self::Empty(path) => nested(out, path, "{is:NULL}"),
            Self::Present(path) => nested(out, path, "{is:NOT_NULL}"),
            Self::Compare { path, comparator, value } => {
                let mut inner = format!("{{{}:", comparator.as_str());
                literal(&mut inner, value);
                inner.push('}');
                nested(out, path, &inner);
            }
            Self::In { path, values } => {
                let mut list = String::from("{in:[");
                for value in values {
                    literal(&mut list, value);
                    list.push(' ');
                }
                list.push_str("]}");
                nested(out, path, &list);
            }
            Self::Not(filter) => {
                out.push_str("{not:");
                filter.write_graphql(out);
                out.push('}');
            }
            Self::And(filters) if filters.is_empty() => out.push_str("{}"),
            Self::And(filters) => all(out, "and", filters),
            Self::Or(filters) => all(out, "or", filters),
        }
    }
}

/// A text that Twenty's filters cannot misread, between quotes
///
/// Twenty's parser knows no way to quote a quote, and splits at brackets and commas even inside one.
///
/// # Examples
///
/// ```
/// use twenty::filter::{Filter, FilterText};
///
/// let name: FilterText = "O’Hara & Sons".parse().unwrap();
/// assert_eq!(Filter::Contains("name".into(), name).to_parameter(), r#"and(name[ilike]:"%O’Hara & Sons%")"#);
/// assert!("Sons (UK)".parse::<FilterText>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterText(String);

/// A text that Twenty's filters would misread
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be empty, nor contain quotes, brackets, commas, backslashes or per cent signs")]
pub struct UnfilterableText;

impl FilterText {
    /// The text with `_`, any letter, for each that would be misread; what is found must be compared again
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::filter::{Filter, FilterText};
    ///
    /// let name = FilterText::pattern("O'Hara").unwrap();
    /// assert_eq!(Filter::Like("name.lastName".into(), name).to_parameter(), r#"and(name.lastName[ilike]:"O_Hara")"#);
    /// assert_eq!(FilterText::pattern(""), None);
    /// ```
    #[must_use]
    pub fn pattern(text: &str) -> Option<Self> {
        let text = text.replace(is_misread, "_");
        (!text.is_empty()).then_some(Self(text))
    }
}

fn is_misread(letter: char) -> bool {
    letter.is_control() || "\"'()[],\\%".contains(letter)
}

impl FromStr for FilterText {
    type Err = UnfilterableText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.contains(is_misread) {
            return Err(UnfilterableText);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FilterText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Numbers, truth values, and texts of letters, digits and the signs of dates: all that Twenty's parser passes on
fn is_rest_safe(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::Text(text) => {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
        }
        Value::Missing | Value::Null | Value::Unknown | Value::Unreadable(_) => false,
    }
}

/// The text of a value in a REST filter
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => text.to_string(),
        Value::Missing | Value::Null | Value::Unknown | Value::Unreadable(_) => String::new(),
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            f.write_str(",")?;
        }
        write!(f, "{item}")
    })
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdIn(path, ids) => {
                write!(f, "{path}[in]:[")?;
                list(f, ids)?;
                f.write_str("]")
            }
            Self::IdIs(path, id) => write!(f, "{path}[eq]:\"{id}\""),
            Self::Since(path, time) => write!(f, "{path}[gte]:{time}"),
            Self::Before(path, time) => write!(f, "{path}[lt]:\"{time}\""),
            Self::TextIs(path, text) => write!(f, "{path}[eq]:\"{text}\""),
            Self::Contains(path, text) => write!(f, "{path}[ilike]:\"%{text}%\""),
            Self::Like(path, text) => write!(f, "{path}[ilike]:\"{text}\""),
            Self::JsonContains(path, text) => write!(f, "{path}[like]:\"%{text}%\""),
            Self::Empty(path) => write!(f, "{path}[is]:NULL"),
            Self::Present(path) => write!(f, "{path}[is]:NOT_NULL"),
            Self::Compare { path, comparator, value } => {
                write!(f, "{path}[{}]:{}", comparator.as_str(), plain(value))
            }
            Self::In { path, values } => {
                write!(f, "{path}[in]:[")?;
                let values: Vec<String> = values.iter().map(plain).collect();
                list(f, &values)?;
                f.write_str("]")
            }
            Self::Not(filter) => write!(f, "not({filter})"),
            Self::And(filters) => {
                f.write_str("and(")?;
                list(f, filters)?;
                f.write_str(")")
            }
            Self::Or(filters) => {
                f.write_str("or(")?;
                list(f, filters)?;
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_has_one_root() {
        let ids = vec![Uuid::from_u128(0xA << 124), Uuid::from_u128(0xB << 124)];
        assert_eq!(
            Filter::IdIn("donorId".into(), ids).to_parameter(),
            "and(donorId[in]:[a0000000-0000-0000-0000-000000000000,b0000000-0000-0000-0000-000000000000])"
        );
        let changed = Filter::And(vec![
            Filter::Since("updatedAt".into(), Timestamp::from_millis(1_795_382_817_641)),
            Filter::with_deleted(),
        ]);
        assert_eq!(
            changed.to_parameter(),
            "and(updatedAt[gte]:2026-11-22T21:26:57.641Z,or(deletedAt[is]:NULL,deletedAt[is]:NOT_NULL))"
        );
        assert_eq!(encode("and(a[is]:NULL,b+c)"), "and%28a%5Bis%5D%3ANULL%2Cb%2Bc%29");
    }

    #[test]
    fn free_text_is_not_safe_over_rest() {
        let compare = |value| Filter::Compare { path: "a.b".into(), comparator: Comparator::Lt, value };
        let text = |text: &str| Value::Text(text.into());
        for (filter, written) in [
            (compare(Value::from_json_text("-2.50")), "and(a.b[lt]:-2.5)"),
            (compare(Value::Bool(true)), "and(a.b[lt]:true)"),
            (compare(text("2026-11-22T21:26:57.641Z")), "and(a.b[lt]:2026-11-22T21:26:57.641Z)"),
            (
                Filter::Not(Box::new(Filter::In { path: "a".into(), values: vec![text("DIRECT_DEBIT"), text("x")] })),
                "and(not(a[in]:[DIRECT_DEBIT,x]))",
            ),
        ] {
            assert!(filter.is_rest_safe());
            assert_eq!(filter.to_parameter(), written);
        }
        for unsafe_text in ["", "a b", "a,b", "(a", "a]", "\"a\"", "é", "a%", "a&b"] {
            assert!(!compare(text(unsafe_text)).is_rest_safe(), "{unsafe_text}");
            let hidden = Filter::Or(vec![Filter::Not(Box::new(Filter::And(vec![compare(text(unsafe_text))])))]);
            assert!(!hidden.is_rest_safe(), "{unsafe_text}");
        }
        for nothing in [Value::Null, Value::Missing, Value::Unknown, Value::Unreadable("{}".into())] {
            assert!(!compare(nothing.clone()).is_rest_safe());
            assert!(!Filter::In { path: "a".into(), values: vec![Value::Bool(true), nothing] }.is_rest_safe());
        }
    }

    #[test]
    fn comparators_have_the_names_of_twenty() {
        use Comparator::{Eq, Gt, Gte, Lt, Lte, Neq};
        let names = [Eq, Neq, Gt, Gte, Lt, Lte].map(Comparator::as_str);
        assert_eq!(names, ["eq", "neq", "gt", "gte", "lt", "lte"]);
    }
}
