//! A definition that has been read: every word resolved, every default filled in.
//!
//! What JSON leaves open is settled here: named filters stand where they were named, `perCurrency` is one total for each
//! code, and the policies of money are those of the total. So what computes asks nothing of the configuration.

use twenty::decimal::Decimal;
use twenty::value::Value;

/// What to compute for the parents of one relation, or of several
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// For the reader
    pub name: Option<String>,
    /// Object that carries the totals, in the singular: `person`
    pub parent_object: String,
    /// The kinds of children, in the order in which they count; one, unless `sources` names several
    pub sources: Vec<Source>,
    /// What a parent's stored fields must meet; one that does not is left as it is
    pub parent_filters: Condition,
    /// What every child must meet, in the words that all sources share
    pub child_filters: Condition,
    /// The totals, in the order in which they were written
    pub aggregations: Vec<Aggregation>,
}

/// One kind of children
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What `computeTotals` calls the list of its records; the object, where nothing else is said
    pub name: String,
    /// Object that is counted, in the singular: `gift`
    pub child_object: String,
    /// Path of the parent's id: `donorId`, or through to-one relations `donor.householdId`
    pub relation_field: String,
    /// What its children must meet, in their own fields
    pub child_filters: Condition,
    /// Common names, each with what it stands for; a name that is not here is a field as it is
    pub fields: Vec<(String, Mapping)>,
}

/// What a common name stands for in one source
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// A field, or a value by its path
    Path(String),
    /// The same value for every child
    Constant(Value),
    /// Empty
    Nothing,
}

/// One total
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// Its place in the list as it was written: those of one `perCurrency` share it
    pub number: usize,
    /// Where it goes
    pub target: Target,
    /// What it is made of
    pub computation: Computation,
    /// What stands for nothing; none where the operation's own answer does
    pub when_empty: Option<Value>,
    /// Decimals that a number result is rounded to
    pub decimals: u32,
    /// Kind of the field that receives it, where the definition says so
    pub target_type: Option<TargetType>,
    /// Label of the field, where one is created for it
    pub label: Option<String>,
}

/// Where a total goes
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A field of the parent
    Field(String),
    /// Nowhere: other totals of the definition read it by this name
    Named(String),
}

impl Target {
    /// The name by which other totals read it
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Field(name) | Self::Named(name) => name,
        }
    }
}

/// What a total is made of
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Computation {
    /// Of children
    Children(Box<Children>),
    /// Of other values of the parent
    Formula(Expression),
    /// One of several constants, by other values of the parent
    Case(Case),
}

/// A total of children
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Children {
    /// How values become one
    pub operation: Operation,
    /// What a child must meet for this total, beyond the definition's own conditions
    pub filters: Condition,
    /// Path by which children count once
    pub distinct_by: Option<String>,
    /// In which order they stand
    pub order_by: Vec<Order>,
    /// Only the first so many of that order
    pub limit: Option<usize>,
    /// Which value of each counts; none where the children themselves do
    pub value: Option<ChildValue>,
    /// What becomes of amounts in several currencies
    pub mixed_currency: MixedCurrency,
    /// Path of the day whose rate is used; today's where it is empty or not named
    pub rate_date_field: Option<String>,
    /// In two steps, by groups
    pub group: Option<Group>,
}

/// Which value of a child counts
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildValue {
    /// Its path
    pub path: String,
    /// A part of the date in place of the date
    pub date_part: Option<Unit>,
    /// Paths of what is taken off
    pub subtract: Vec<String>,
    /// Path of the percentage that counts; an empty one is 100
    pub percent: Option<String>,
    /// Path of its currency code, where the definition names it: the total is money
    pub currency: Option<String>,
}

impl ChildValue {
    /// Path of its currency code: the one named, else the one beside an `amountMicros`; none for what is no amount
    #[must_use]
    pub fn code_path(&self) -> Option<String> {
        self.currency.clone().or_else(|| code_beside(&self.path))
    }
}

/// Path of the currency code that belongs to an amount
///
/// ```
/// use rollup::definition::model::code_beside;
///
/// assert_eq!(code_beside("gift.amount.amountMicros").as_deref(), Some("gift.amount.currencyCode"));
/// assert_eq!(code_beside("score"), None);
/// ```
#[must_use]
pub fn code_beside(path: &str) -> Option<String> {
    Some(format!("{}.currencyCode", path.strip_suffix(".amountMicros")?))
}

/// How the values of children become one
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// How many children, or values that are there
    Count,
    /// How many different values
    CountDistinct,
    /// Their sum
    Sum,
    /// Their mean
    Avg,
    /// The middle one, or the mean of the two in the middle
    Median,
    /// The least
    Min,
    /// The greatest
    Max,
    /// The greatest less the least; of dates the days between
    Range,
    /// The value of the first child, also an empty one
    First,
    /// The value of the last child, also an empty one
    Last,
    /// The value of the nth child from the front, or below zero from the back
    Nth(i32),
    /// The most frequent value
    Mode,
    /// The values in order, joined
    Concat(Joint),
    /// The values in order, each at its first place, joined
    ConcatDistinct(Joint),
    /// Whether some child meets the condition
    Any(Condition),
    /// Whether each child meets it; false over no children
    All(Condition),
    /// Whether no child meets it
    None(Condition),
    /// Share of the children that meet it, times 100; with a value the share of its sum
    Percent(Condition),
    /// Periods in a row with a child, up to the present one
    CurrentStreak,
    /// Longest row of periods with a child
    LongestStreak,
}

/// How texts are joined
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joint {
    /// What stands between two
    pub delimiter: String,
    /// Most code points of the whole
    pub max_length: usize,
}

/// One field of an order
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Path of the value
    pub field: String,
    /// From the greatest to the least
    pub descending: bool,
    /// Where empty values stand, whatever the direction; at the losing end where nothing is said
    pub nulls: Option<Nulls>,
}

/// Where empty values stand in an order
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Before all others
    First,
    /// After all others
    Last,
}

/// A total in two steps
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Path of what the children are grouped by
    pub field: String,
    /// A part of the date in place of the date
    pub date_part: Option<Unit>,
    /// How the values of a group become one: SUM, COUNT, AVG, MIN or MAX
    pub inner: InnerOperation,
    /// What a group's value must meet
    pub having: Option<Having>,
    /// Whether the total is the group itself in place of its value
    pub returns_key: bool,
}

/// How the values of one group become one
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerOperation {
    /// Their sum
    Sum,
    /// How many there are
    Count,
    /// Their mean
    Avg,
    /// The least
    Min,
    /// The greatest
    Max,
}

/// What the value of a group must meet
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Having {
    /// The comparison
    pub operator: Operator,
    /// With what; `Operand::Value` or `Operand::List`
    pub operand: Operand,
}

/// What becomes of amounts in several currencies
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MixedCurrency {
    /// The total is not written
    #[default]
    Leave,
    /// The total is empty
    Clear,
    /// Children in other currencies than this are left out
    Only(String),
    /// Amounts are converted to this currency
    Convert(String),
}

/// A condition
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All of them; of an empty list every record meets it
    And(Vec<Self>),
    /// Any of them
    Or(Vec<Self>),
    /// The opposite
    Not(Box<Self>),
    /// A value compared
    Compare(Comparison),
}

impl Default for Condition {
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

impl Condition {
    /// Everything that it compares
    #[must_use]
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().flat_map(Self::comparisons).collect(),
            Self::Not(inner) => inner.comparisons(),
            Self::Compare(comparison) => vec![comparison],
        }
    }

    /// Paths of the values that it reads
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        self.comparisons().into_iter().flat_map(Comparison::paths).collect()
    }

    /// How many conditions stand inside one another
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::And(list) | Self::Or(list) => 1 + list.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Not(inner) => 1 + inner.depth(),
            Self::Compare(_) => 0,
        }
    }
}

/// A value compared with another
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Path of the value
    pub field: String,
    /// Paths of amounts that are taken off it first; an empty one takes nothing off
    pub subtract: Vec<String>,
    /// How
    pub operator: Operator,
    /// With what
    pub operand: Operand,
    /// Whether both sides are put into lower case first
    pub ignore_case: bool,
}

impl Comparison {
    /// Paths of the values that it reads
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = vec![self.field.as_str()];
        paths.extend(self.subtract.iter().map(String::as_str));
        if let Operand::Field(path) = &self.operand {
            paths.push(path);
        }
        paths
    }
}

/// A comparison
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The same; empty equals empty
    Equals,
    /// Another, or empty where the other is not
    NotEquals,
    /// One of a list
    In,
    /// None of a list
    NotIn,
    /// Greater or later
    Gt,
    /// Greater or later, or the same
    Gte,
    /// Less or earlier
    Lt,
    /// Less or earlier, or the same
    Lte,
    /// From the first to the second of a list, both included
    Between,
    /// Null, an empty text, an empty list, or not there
    IsEmpty,
    /// Anything else
    IsNotEmpty,
    /// A text with this text in it
    Contains,
    /// A text that begins so
    StartsWith,
    /// A text that ends so
    EndsWith,
    /// A list with one of these
    ContainsAny,
    /// A list with all of these
    ContainsAll,
    /// A day within a period
    During,
}

/// The right side of a comparison
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// None is needed
    Nothing,
    /// A value
    Value(Value),
    /// A list of values
    List(Vec<Value>),
    /// Another field of the same record, by its path
    Field(String),
    /// A day that moves with the calendar
    Day(Day),
    /// A period that moves with the calendar
    Period(Period),
}

/// A unit of the calendar
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A day
    Day,
    /// From Monday
    Week,
    /// A month
    Month,
    /// From January, April, July or October
    Quarter,
    /// A calendar year
    Year,
    /// From the first of the configured month
    FiscalYear,
    /// The UK tax year, from 6 April
    GiftAidYear,
}

/// A day that moves with the calendar of the configured time zone
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The day of the run
    Today,
    /// First day of the unit so many after the present one
    StartOf(Unit, i32),
    /// Last day of the unit so many after the present one
    EndOf(Unit, i32),
    /// Today less so many units: days, months or years
    Ago(Unit, i32),
}

/// A period that moves with the calendar; both ends are days and belong to it
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its unit
    pub unit: Unit,
    /// Which stretch of it
    pub extent: Extent,
}

/// Which stretch a period is
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The whole unit so many after the present one
    Whole(i32),
    /// From the start of that unit to today moved by so many units
    ToDate(i32),
    /// From the day after (today less so many units) to today
    Last(u32),
    /// From today to the day before (today plus so many units)
    Next(u32),
}

/// A formula over values of the parent
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A number as written
    Number(Decimal),
    /// A total or a stored field, by its path
    Name(String),
    /// The day of the run
    Today,
    /// The opposite of a number
    Negative(Box<Self>),
    /// Two values and what is done with them
    Binary(Arithmetic, Box<Self>, Box<Self>),
    /// A function of values
    Call(Function, Vec<Self>),
}

/// What is done with two values
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// A function of a formula
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The first value that is not empty
    Coalesce,
    /// Without the sign
    Abs,
    /// Half up to so many decimals
    Round(u32),
    /// The least of those that are not empty
    Least,
    /// The greatest of those that are not empty
    Greatest,
}

/// One of several constants
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The first whose condition holds gives its value
    pub cases: Vec<(Condition, Value)>,
    /// What holds otherwise
    pub otherwise: Value,
}

/// Kind of a field that receives a total
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetType {
    /// NUMBER
    Number,
    /// NUMERIC
    Numeric,
    /// CURRENCY
    Currency,
    /// DATE
    Date,
    /// `DATE_TIME`
    DateTime,
    /// TEXT
    Text,
    /// SELECT
    Select,
    /// `MULTI_SELECT`
    MultiSelect,
    /// ARRAY
    Array,
    /// RATING
    Rating,
    /// BOOLEAN
    Boolean,
    /// UUID
    Uuid,
    /// A relation to one record
    Relation,
}

/// What one unit of each currency is worth, and since when
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// The currency that all others are measured in
    pub base: String,
    /// Its code, and its rates: ascending by day, the one without a day first
    pub codes: Vec<(String, Vec<Rate>)>,
}

/// The worth of one unit in the base currency
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// First day that it holds for, as `YYYY-MM-DD`; any, where it is absent
    pub from: Option<String>,
    /// How much of the base currency one unit is worth
    pub rate: Decimal,
}
