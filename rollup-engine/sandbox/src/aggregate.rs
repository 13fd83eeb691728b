//! Aggregates over rows: counts, sums, averages, extremes.
//!
//! Sums of money are exact decimals. REST shows them as the database prints them, GraphQL as floats.

use std::cmp::Ordering;
use std::collections::HashSet;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};
use uuid::Uuid;

use crate::cell::{Cell, View, write_number};
use crate::names::pascal;
use crate::schema::{Field, Object, Part, PartKind, Shape};
use crate::table::Row;

/// What is computed
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count,
    Unique,
    Empty,
    NotEmpty,
    PercentageEmpty,
    PercentageNotEmpty,
    True,
    False,
    Min,
    Max,
    Avg,
    Sum,
}

/// An aggregate of that name
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) name: String,
    kind: Kind,
    /// The columns looked at; none for `totalCount`
    parts: Vec<Part>,
}

const PREFIXES: [(&str, Kind); 11] = [
    ("countUniqueValues", Kind::Unique),
    ("countNotEmpty", Kind::NotEmpty),
    ("countEmpty", Kind::Empty),
    ("countTrue", Kind::True),
    ("countFalse", Kind::False),
    ("percentageNotEmpty", Kind::PercentageNotEmpty),
    ("percentageEmpty", Kind::PercentageEmpty),
    ("min", Kind::Min),
    ("max", Kind::Max),
    ("avg", Kind::Avg),
    ("sum", Kind::Sum),
];

impl Aggregate {
    /// Finds what a name means; nothing if the object has no such aggregate.
    pub(crate) fn named(object: &Object, name: &str) -> Option<Self> {
        if name == "totalCount" {
            return Some(Self { name: name.to_owned(), kind: Kind::Count, parts: Vec::new() });
        }
        PREFIXES.iter().find_map(|(prefix, kind)| {
            let rest = name.strip_prefix(prefix)?;
            let parts = object.fields.iter().find_map(|field| columns(field, *kind, rest))?;
            Some(Self { name: name.to_owned(), kind: *kind, parts })
        })
    }
}

fn columns(field: &Field, kind: Kind, name: &str) -> Option<Vec<Part>> {
    if !matches!(field.shape, Shape::Plain | Shape::Composite) {
        return None;
    }
    let rest = name.strip_prefix(&pascal(&field.name))?;
    match kind {
        Kind::Min | Kind::Max | Kind::Avg | Kind::Sum => {
            let part = field.parts.iter().find(|part| pascal(part.name) == rest)?;
            let is_number = matches!(part.kind, PartKind::Number | PartKind::Micros);
            let is_time = matches!(part.kind, PartKind::Date | PartKind::Time) && matches!(kind, Kind::Min | Kind::Max);
            (is_number || is_time).then(|| vec![part.clone()])
        }
        Kind::True | Kind::False => (rest.is_empty() && field.kind == "BOOLEAN").then(|| field.parts.clone()),
        _ => rest.is_empty().then(|| field.parts.clone()),
    }
}

/// A computed value
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Total {
    Null,
    Count(usize),
    Decimal(BigDecimal),
    Float(f64),
    Text(String),
}

impl Total {
    /// Order of two totals; null is apart
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.as_float().total_cmp(&b.as_float()),
        }
    }

    fn as_float(&self) -> f64 {
        match self {
            Self::Count(count) => count.to_f64().unwrap_or(f64::MAX),
            Self::Decimal(decimal) => decimal.to_f64().unwrap_or(f64::MAX),
            Self::Float(float) => *float,
            Self::Null | Self::Text(_) => 0.0,
        }
    }

    /// As REST writes it: in quotes, but for floats
    pub(crate) fn write_rest(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => crate::cell::write_text(text, out),
            Self::Decimal(decimal) => {
                out.push('"');
                out.push_str(&decimal.to_plain_string());
                out.push('"');
            }
            Self::Count(count) => {
                out.push('"');
                out.push_str(&count.to_string());
                out.push('"');
            }
            Self::Float(float) => write_number(*float, out),
        }
    }

    /// As GraphQL writes it: numbers as floats
    pub(crate) fn write_graphql(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => crate::cell::write_text(text, out),
            _ => write_number(self.as_float(), out),
        }
    }
}

/// An aggregate that is being computed
#[derive(Clone, Debug)]
pub(crate) struct Tally<'a> {
    aggregate: &'a Aggregate,
    rows: usize,
    /// Rows that count: not empty, or true, or false, as the kind has it
    hits: usize,
    unique: HashSet<String>,
    whole: i128,
    rest: BigDecimal,
    float: f64,
    extreme: Option<Cell>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(aggregate: &'a Aggregate) -> Self {
        Self {
            aggregate,
            rows: 0,
            hits: 0,
            unique: HashSet::new(),
            whole: 0,
            rest: BigDecimal::zero(),
            float: 0.0,
            extreme: None,
        }
    }

    /// Takes one row in.
    pub(crate) fn add(&mut self, id: Uuid, row: &Row) {
        self.rows += 1;
        let views = self.aggregate.parts.iter().map(|part| row.view(id, part.slot));
        let value = self.aggregate.parts.first().map_or(View::Null, |part| row.view(id, part.slot));
        match self.aggregate.kind {
            Kind::Count => {}
            Kind::Unique => {
                let mut key = String::new();
                views.for_each(|view| view.write_json(&mut key));
                if !value.is_null() {
                    self.unique.insert(key);
                }
            }
            Kind::Empty | Kind::NotEmpty | Kind::PercentageEmpty | Kind::PercentageNotEmpty => {
                self.hits += usize::from(views.into_iter().any(|view| !view.is_null()));
            }
            Kind::True => self.hits += usize::from(matches!(value, View::Bool(true))),
            Kind::False => self.hits += usize::from(matches!(value, View::Bool(false))),
            Kind::Min => self.extreme(value, Ordering::Less),
            Kind::Max => self.extreme(value, Ordering::Greater),
            Kind::Avg | Kind::Sum => {
                if let View::Number(number) = value {
                    self.hits += 1;
                    self.sum(number);
                }
            }
        }
    }

    fn extreme(&mut self, value: View<'_>, wanted: Ordering) {
        let better = match &self.extreme {
            None => !value.is_null(),
            Some(best) => value.order(best.view()) == Some(wanted),
        };
        if better {
            self.extreme = Some(value.to_cell());
        }
    }

    fn sum(&mut self, number: f64) {
        self.float += number;
        if let Some(whole) = number.to_i128().filter(|_| number.fract() == 0.0) {
            self.whole = self.whole.saturating_add(whole);
        } else {
            self.rest += decimal(number);
        }
    }

    /// The result
    pub(crate) fn total(&self) -> Total {
        let is_money = self.aggregate.parts.first().is_some_and(|part| part.kind == PartKind::Micros);
        match self.aggregate.kind {
            Kind::Count => Total::Count(self.rows),
            _ if self.rows == 0 => Total::Null,
            Kind::Unique => Total::Count(self.unique.len()),
            Kind::NotEmpty | Kind::True | Kind::False => Total::Count(self.hits),
            Kind::Empty => Total::Count(self.rows - self.hits),
            Kind::PercentageEmpty => ratio(self.rows - self.hits, self.rows),
            Kind::PercentageNotEmpty => ratio(self.hits, self.rows),
            Kind::Min | Kind::Max => match &self.extreme {
                None => Total::Null,
                Some(Cell::Number(number)) if is_money => Total::Decimal(decimal(*number)),
                Some(Cell::Number(number)) => Total::Float(*number),
                Some(other) => {
                    let mut text = String::new();
                    other.view().write_json(&mut text);
                    Total::Text(text.trim_matches('"').to_owned())
                }
            },
            Kind::Sum | Kind::Avg if self.hits == 0 => Total::Null,
            Kind::Sum if is_money => Total::Decimal(self.exact()),
            Kind::Avg if is_money => Total::Decimal(divide(&self.exact(), self.hits)),
            Kind::Sum => Total::Float(self.float),
            Kind::Avg => Total::Float(self.float / self.hits.to_f64().unwrap_or(1.0)),
        }
    }

    fn exact(&self) -> BigDecimal {
        BigDecimal::from(BigInt::from(self.whole)) + &self.rest
    }
}

/// The decimal that a number is written as
fn decimal(number: f64) -> BigDecimal {
    let mut text = String::new();
    write_number(number, &mut text);
    text.parse().unwrap_or_default()
}

fn ratio(part: usize, whole: usize) -> Total {
    Total::Decimal(divide(&BigDecimal::from(BigInt::from(part)), whole))
}

/// Divides with as many decimals as the database gives: at least 16 significant digits, counted in groups of four
fn divide(value: &BigDecimal, by: usize) -> BigDecimal {
    let divisor = BigDecimal::from(BigInt::from(by));
    let (weight, first) = base_10000(value);
    let (divisor_weight, divisor_first) = base_10000(&divisor);
    let mut quotient_weight = weight - divisor_weight;
    if first <= divisor_first {
        quotient_weight -= 1;
    }
    let scale = (16 - quotient_weight * 4).max(value.fractional_digit_count()).max(0);
    (value / divisor).with_scale_round(scale, RoundingMode::HalfUp)
}

/// Number of base-10,000 digits before the point, less one, and the first of them
fn base_10000(value: &BigDecimal) -> (i64, u32) {
    let whole = value.abs().with_scale_round(0, RoundingMode::Down).to_plain_string();
    let groups = whole.len().div_ceil(4);
    let first = whole.get(..whole.len() - (groups - 1) * 4).and_then(|digits| digits.parse().ok());
    (i64::try_from(groups).unwrap_or(1) - 1, first.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_the_databases_decimals() {
        let divided = |value: &str, by| divide(&value.parse().unwrap(), by).to_plain_string();
        assert_eq!(divided("9007199972490994", 20), "450359998624549.7000");
        assert_eq!(divided("40000000", 1), "40000000.000000000000");
        assert_eq!(divided("3", 22), "0.13636363636363636364");
        assert_eq!(divided("2", 2), "1.00000000000000000000");
        assert_eq!(divided("0", 2), "0.00000000000000000000");
    }
}
