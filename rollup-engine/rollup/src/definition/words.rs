//! The words of the language, each once.

use super::model::{Day, Function, InnerOperation, Nulls, Operator, TargetType, Unit};

/// What a `type` says
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Median,
    Min,
    Max,
    Range,
    First,
    Last,
    Nth,
    Mode,
    Concat,
    ConcatDistinct,
    Any,
    All,
    None,
    Percent,
    CurrentStreak,
    LongestStreak,
    Formula,
    Case,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Self); 22] = [
        ("COUNT", Self::Count),
        ("COUNT_DISTINCT", Self::CountDistinct),
        ("SUM", Self::Sum),
        ("AVG", Self::Avg),
        ("MEDIAN", Self::Median),
        ("MIN", Self::Min),
        ("MAX", Self::Max),
        ("RANGE", Self::Range),
        ("FIRST", Self::First),
        ("LAST", Self::Last),
        ("NTH", Self::Nth),
        ("MODE", Self::Mode),
        ("CONCAT", Self::Concat),
        ("CONCAT_DISTINCT", Self::ConcatDistinct),
        ("ANY", Self::Any),
        ("ALL", Self::All),
        ("NONE", Self::None),
        ("PERCENT", Self::Percent),
        ("CURRENT_STREAK", Self::CurrentStreak),
        ("LONGEST_STREAK", Self::LongestStreak),
        ("FORMULA", Self::Formula),
        ("CASE", Self::Case),
    ];

    /// The word for it
    pub(crate) fn name(self) -> &'static str {
        word(&Self::ALL, self)
    }

    /// Whether it is made of children, not of other totals
    pub(crate) fn reads_children(self) -> bool {
        !matches!(self, Self::Formula | Self::Case)
    }

    /// Whether it asks a condition of each child
    pub(crate) fn has_condition(self) -> bool {
        matches!(self, Self::Any | Self::All | Self::None | Self::Percent)
    }

    /// Whether it is the value of one child
    pub(crate) fn picks(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Nth)
    }

    pub(crate) fn is_streak(self) -> bool {
        matches!(self, Self::CurrentStreak | Self::LongestStreak)
    }

    /// Whether it may be of groups
    pub(crate) fn is_of_groups(self) -> bool {
        matches!(self, Self::Sum | Self::Count | Self::Avg | Self::Median | Self::Min | Self::Max | Self::Range)
    }

    /// Whether its value may be an amount, of which parts are taken
    pub(crate) fn is_of_amounts(self) -> bool {
        matches!(self, Self::Sum | Self::Avg | Self::Median | Self::Min | Self::Max | Self::Range | Self::Percent)
            || self.picks()
    }

    /// Whether a key is one of this type; of groups a COUNT may count sums
    pub(crate) fn allows(self, key: &str, of_groups: bool) -> bool {
        match key {
            "type" | "parentField" | "as" | "targetType" | "label" => true,
            "whenEmpty" | "mixedCurrency" | "currency" | "rateDateField" => self != Self::Case,
            "filters" | "distinctBy" | "orderBy" => self.reads_children(),
            "limit" => self.reads_children() && !self.picks(),
            "childField" => self.reads_children() && (!self.has_condition() || self == Self::Percent),
            "currencyField" | "subtractField" | "percentField" | "perCurrency" => {
                self.is_of_amounts() || self == Self::Count && of_groups
            }
            "datePart" => {
                self.picks()
                    || self.is_streak()
                    || matches!(
                        self,
                        Self::CountDistinct | Self::Mode | Self::Concat | Self::ConcatDistinct | Self::Min | Self::Max
                    )
            }
            "condition" => self.has_condition(),
            "n" => self == Self::Nth,
            "groupBy" | "having" => self.is_of_groups(),
            "returns" => matches!(self, Self::Min | Self::Max),
            "delimiter" | "maxLength" => matches!(self, Self::Concat | Self::ConcatDistinct),
            "decimals" => {
                matches!(self, Self::Sum | Self::Avg | Self::Median | Self::Range | Self::Percent | Self::Formula)
            }
            "expression" => self == Self::Formula,
            "cases" | "else" => self == Self::Case,
            _ => false,
        }
    }
}

/// The word for something that has one
pub(crate) fn word<T: Copy + PartialEq>(all: &[(&'static str, T)], wanted: T) -> &'static str {
    all.iter().find(|(_, other)| *other == wanted).map_or("", |(name, _)| *name)
}

impl Operator {
    pub(crate) const ALL: [(&'static str, Self); 17] = [
        ("equals", Self::Equals),
        ("notEquals", Self::NotEquals),
        ("in", Self::In),
        ("notIn", Self::NotIn),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("between", Self::Between),
        ("isEmpty", Self::IsEmpty),
        ("isNotEmpty", Self::IsNotEmpty),
        ("contains", Self::Contains),
        ("startsWith", Self::StartsWith),
        ("endsWith", Self::EndsWith),
        ("containsAny", Self::ContainsAny),
        ("containsAll", Self::ContainsAll),
        ("during", Self::During),
    ];

    /// The word for it
    pub(crate) fn name(self) -> &'static str {
        word(&Self::ALL, self)
    }

    /// Whether it asks for the greater or the less
    pub(crate) fn is_order(self) -> bool {
        matches!(self, Self::Gt | Self::Gte | Self::Lt | Self::Lte | Self::Between)
    }

    /// Whether it asks for the same
    pub(crate) fn is_equality(self) -> bool {
        matches!(self, Self::Equals | Self::NotEquals | Self::In | Self::NotIn)
    }

    /// Whether it asks for a part of a text
    pub(crate) fn is_of_text(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether it asks for elements of a list
    pub(crate) fn is_of_list(self) -> bool {
        matches!(self, Self::ContainsAny | Self::ContainsAll)
    }

    /// Whether upper and lower case may be the same to it
    pub(crate) fn may_ignore_case(self) -> bool {
        self.is_equality() || self.is_of_text() || self.is_of_list()
    }
}

impl Day {
    /// Those that are one word
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("today", Self::Today),
        ("startOfMonth", Self::StartOf(Unit::Month, 0)),
        ("startOfYear", Self::StartOf(Unit::Year, 0)),
        ("startOfFiscalYear", Self::StartOf(Unit::FiscalYear, 0)),
    ];
}

impl Unit {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
        ("fiscalYear", Self::FiscalYear),
        ("giftAidYear", Self::GiftAidYear),
    ];

    /// How many of them a day may lie from the present one: about a thousand years
    pub(crate) fn max_offset(self) -> i64 {
        match self {
            Self::Day => 366_000,
            Self::Week => 52_000,
            Self::Month => 12_000,
            Self::Quarter => 4_000,
            Self::Year | Self::FiscalYear | Self::GiftAidYear => 1_000,
        }
    }
}

impl InnerOperation {
    pub(crate) const ALL: [(&'static str, Self); 5] =
        [("SUM", Self::Sum), ("COUNT", Self::Count), ("AVG", Self::Avg), ("MIN", Self::Min), ("MAX", Self::Max)];
}

impl Nulls {
    pub(crate) const ALL: [(&'static str, Self); 2] = [("first", Self::First), ("last", Self::Last)];
}

/// Whether an order goes down
pub(crate) const DIRECTIONS: [(&str, bool); 2] = [("asc", false), ("desc", true)];

/// Whether a total of groups is the group in place of its value
pub(crate) const RETURNS: [(&str, bool); 2] = [("value", false), ("key", true)];

/// What a `mixedCurrency` says
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Leave,
    Clear,
    Only,
    Convert,
}

impl Policy {
    pub(crate) const ALL: [(&'static str, Self); 4] =
        [("leave", Self::Leave), ("clear", Self::Clear), ("only", Self::Only), ("convert", Self::Convert)];

    /// The word for it
    pub(crate) fn name(self) -> &'static str {
        word(&Self::ALL, self)
    }

    /// Whether it is of one currency
    pub(crate) fn needs_currency(self) -> bool {
        matches!(self, Self::Only | Self::Convert)
    }
}

/// The functions of a formula; what `round` rounds to is read with it
pub(crate) const FUNCTIONS: [(&str, Function); 5] = [
    ("coalesce", Function::Coalesce),
    ("abs", Function::Abs),
    ("round", Function::Round(0)),
    ("least", Function::Least),
    ("greatest", Function::Greatest),
];

impl TargetType {
    pub(crate) const ALL: [(&'static str, Self); 13] = [
        ("NUMBER", Self::Number),
        ("NUMERIC", Self::Numeric),
        ("CURRENCY", Self::Currency),
        ("DATE", Self::Date),
        ("DATE_TIME", Self::DateTime),
        ("TEXT", Self::Text),
        ("SELECT", Self::Select),
        ("MULTI_SELECT", Self::MultiSelect),
        ("ARRAY", Self::Array),
        ("RATING", Self::Rating),
        ("BOOLEAN", Self::Boolean),
        ("UUID", Self::Uuid),
        ("RELATION", Self::Relation),
    ];
}
