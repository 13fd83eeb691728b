//! Group-by, for REST and GraphQL.
//!
//! A relation is grouped by the other record's id, and a record in the trash is no record: its rows fall into the null
//! group. Without an order the groups come as they were met; a limit cuts them without a word.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::aggregate::{Aggregate, Tally, Total};
use crate::api_error::ApiError;
use crate::cell::View;
use crate::filter::Condition;
use crate::http::Target;
use crate::order::Direction;
use crate::render::{self, live_target};
use crate::schema::{Field, Object, Part, PartKind, Shape};
use crate::table::Row;
use crate::workspace::Workspace;

/// Groups by default
const DEFAULT_GROUPS: usize = 50;

/// What is asked for
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) group_by: Value,
    pub(crate) aggregates: Vec<String>,
    pub(crate) order_by: Value,
    pub(crate) limit: usize,
    /// Whether an unknown aggregate is refused (REST) or null (GraphQL)
    pub(crate) strict: bool,
    /// Records of each group that come along, at most
    pub(crate) records: usize,
}

impl Request {
    /// Reads the parameters of the REST endpoint.
    pub(crate) fn from_rest(target: &Target) -> Result<Self, ApiError> {
        let list = |name: &str, example: &str| {
            let text = target.param(name).unwrap_or_default();
            serde_json::from_str::<Value>(text).ok().filter(Value::is_array).ok_or_else(|| {
                ApiError::bad(format!("Invalid {name} query parameter - should be a valid array of {example}"))
            })
        };
        let group_by =
            list("group_by", "objects - ex: [{\"firstField\": true}, {\"secondField\": {\"subField\": true}}]")?;
        let aggregates = if target.param("aggregate").is_some() {
            let names = list("aggregate", "strings - ex: [\"countNotEmptyId\", \"countEmptyField\"]")?;
            names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        } else {
            vec!["totalCount".to_owned()]
        };
        let order_by = match target.param("order_by") {
            None => Value::Array(Vec::new()),
            Some(_) => list("order_by", "objects - ex: [{\"firstField\": \"AscNullsFirst\"}]")?,
        };
        Ok(Self { group_by, aggregates, order_by, limit: target.limit(DEFAULT_GROUPS)?, strict: true, records: 0 })
    }

    /// Reads the arguments of the GraphQL field.
    pub(crate) fn from_graphql(arguments: &Map<String, Value>, aggregates: Vec<String>) -> Self {
        let list = |name: &str| match arguments.get(name) {
            Some(Value::Array(items)) => Value::Array(items.clone()),
            Some(Value::Null) | None => Value::Array(Vec::new()),
            Some(other) => Value::Array(vec![other.clone()]),
        };
        let limit = arguments.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        Self {
            group_by: list("groupBy"),
            aggregates,
            order_by: list("orderBy"),
            limit: limit.unwrap_or(DEFAULT_GROUPS),
            strict: false,
            records: 0,
        }
    }
}

/// One group
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The dimensions' values, as JSON
    pub(crate) values: Vec<String>,
    /// Sort values of the dimensions
    sort: Vec<Option<SortValue>>,
    pub(crate) totals: Vec<Total>,
    /// Its first records
    pub(crate) ids: Vec<Uuid>,
}

/// All groups, with the names of their totals
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub(crate) names: Vec<String>,
    pub(crate) groups: Vec<Group>,
}

impl Groups {
    /// The bare array of the REST endpoint
    pub(crate) fn to_rest(&self) -> String {
        let mut out = String::from("[");
        for (at, group) in self.groups.iter().enumerate() {
            out.push_str(if at > 0 { ",{" } else { "{" });
            for (name, total) in self.names.iter().zip(&group.totals) {
                render::key(name, &mut out);
                total.write_rest(&mut out);
                out.push(',');
            }
            out.push_str("\"groupByDimensionValues\":[");
            out.push_str(&group.values.join(","));
            out.push_str("]}");
        }
        out.push(']');
        out
    }
}

#[derive(Clone, Debug, PartialEq)]
enum SortValue {
    Number(f64),
    Text(String),
}

impl SortValue {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => View::Text(a).order(View::Text(b)).unwrap_or(Ordering::Equal),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

struct Dimension {
    field: Field,
    part: Part,
    through: Option<(Option<usize>, Part)>,
    granularity: Option<String>,
    zone: TimeZone,
}

/// Computes the groups.
pub(crate) fn run(
    workspace: &Workspace,
    object_number: usize,
    condition: Option<&Condition>,
    request: &Request,
) -> Result<Groups, ApiError> {
    let object = workspace.schema.object(object_number).ok_or_else(|| ApiError::bad("object not found"))?;
    let dimensions = request
        .group_by
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| dimension(workspace, object, item))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut aggregates, mut unknown) = (Vec::new(), Vec::new());
    for name in &request.aggregates {
        match Aggregate::named(object, name) {
            Some(aggregate) => aggregates.push(aggregate),
            None => unknown.push(name.as_str()),
        }
    }
    if request.strict && !unknown.is_empty() {
        return Err(ApiError::bad(format!("Unknown aggregate field(s): {}", unknown.join(", "))));
    }
    let sorting = sorting(object, &dimensions, &mut aggregates, &request.order_by)?;

    let mut places: HashMap<String, usize> = HashMap::new();
    let mut open: Vec<(Group, Vec<Tally<'_>>)> = Vec::new();
    for (id, row) in workspace.matching(object_number, condition, false) {
        let points: Vec<Point> = dimensions.iter().map(|dimension| dimension.point(workspace, id, row)).collect();
        let key: String = points.iter().flat_map(|point| [point.json.as_str(), ","]).collect();
        let place = *places.entry(key).or_insert_with(|| {
            let (values, sort) = points.into_iter().map(|point| (point.json, point.sort)).unzip();
            let group = Group { values, sort, totals: Vec::new(), ids: Vec::new() };
            open.push((group, aggregates.iter().map(Tally::new).collect()));
            open.len() - 1
        });
        if let Some((group, tallies)) = open.get_mut(place) {
            for tally in tallies {
                tally.add(id, row);
            }
            if group.ids.len() < request.records {
                group.ids.push(id);
            }
        }
    }
    let mut groups: Vec<Group> = open
        .into_iter()
        .map(|(group, tallies)| Group { totals: tallies.iter().map(Tally::total).collect(), ..group })
        .collect();
    groups.sort_by(|a, b| compare(&sorting, a, b));
    groups.truncate(request.limit);
    let names: Vec<String> = aggregates.into_iter().map(|aggregate| aggregate.name).collect();
    Ok(Groups { names: names.into_iter().take(request.aggregates.len() - unknown.len()).collect(), groups })
}

fn dimension(workspace: &Workspace, object: &Object, item: &Value) -> Result<Dimension, ApiError> {
    let members = item.as_object().filter(|members| !members.is_empty());
    let members = members.ok_or_else(|| ApiError::bad("Invalid groupBy: expected an object with one field"))?;
    if members.len() > 1 {
        return Err(ApiError::bad(
            "You cannot provide multiple fields in one GroupByInput, split them into multiple GroupByInput",
        ));
    }
    let Some((name, value)) = members.iter().next() else { return Err(ApiError::bad("Invalid groupBy")) };
    let unidentified = || ApiError::bad(format!("Unidentified field in groupBy: {name}"));
    let field = object.joined_by(name).or_else(|| object.field(name)).ok_or_else(unidentified)?;
    let mut dimension = Dimension {
        field: field.clone(),
        part: field.parts.first().cloned().ok_or_else(unidentified)?,
        through: None,
        granularity: None,
        zone: TimeZone::UTC,
    };
    match &field.shape {
        Shape::OneToMany { .. } => return Err(unidentified()),
        Shape::Composite => {
            let sub = value.as_object().and_then(|members| members.keys().next());
            let sub = sub.ok_or_else(|| {
                ApiError::database(format!("column {}.{} does not exist", object.singular, field.name))
            })?;
            dimension.part = field.part(sub).cloned().ok_or_else(unidentified)?;
        }
        Shape::ManyToOne { target, .. } => {
            let target_object = target.and_then(|target| workspace.schema.object(target)).ok_or_else(unidentified)?;
            let inner = match value {
                Value::Object(_) => value.clone(),
                _ => serde_json::json!({"id": true}),
            };
            refuse_relation_of_relation(target_object, &inner)?;
            let inner = self::dimension(workspace, target_object, &inner)?;
            dimension.through = Some((*target, inner.part));
            dimension.granularity = inner.granularity;
            dimension.zone = inner.zone;
        }
        Shape::Plain => {
            if let (PartKind::Date | PartKind::Time, Some(options)) = (dimension.part.kind, value.as_object()) {
                let text = |name: &str| options.get(name).and_then(Value::as_str);
                dimension.granularity = text("granularity").filter(|name| *name != "NONE").map(str::to_owned);
                dimension.zone = zone(&dimension, text("timeZone"))?;
            }
        }
    }
    Ok(dimension)
}

/// The server groups by a plain value of a related record; it knows neither its relations there nor their ids.
fn refuse_relation_of_relation(target: &Object, inner: &Value) -> Result<(), ApiError> {
    let Some(name) = inner.as_object().and_then(|members| members.keys().next()) else { return Ok(()) };
    match target.field(name).map(|field| &field.shape) {
        None => Err(ApiError {
            sub_code: Some("FIELD_NOT_FOUND"),
            ..ApiError::bad(format!("Nested field \"{name}\" not found in target object \"{}\"", target.singular))
        }),
        Some(Shape::ManyToOne { .. } | Shape::OneToMany { .. }) => Err(ApiError::bad(format!(
            "Cannot group by a relation field of the relation field: \"{name}\" is a relation field of \"{}\"",
            target.singular
        ))),
        Some(Shape::Plain | Shape::Composite) => Ok(()),
    }
}

fn zone(dimension: &Dimension, name: Option<&str>) -> Result<TimeZone, ApiError> {
    let granularity = dimension.granularity.as_deref().unwrap_or_default();
    let needs_zone = matches!(granularity, "DAY" | "WEEK" | "MONTH" | "QUARTER" | "YEAR");
    match name {
        _ if dimension.part.kind == PartKind::Date => Ok(TimeZone::UTC),
        None if needs_zone => Err(ApiError {
            sub_code: Some("MISSING_TIMEZONE_FOR_DATE_GROUP_BY"),
            ..ApiError::bad("Time zone should be specified for a group by date on Day, Week, Month, Quarter or Year")
        }),
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| ApiError {
            sub_code: Some("INVALID_TIMEZONE"),
            ..ApiError::bad(format!("Invalid timezone: {name}"))
        }),
    }
}

/// A row's value in one dimension
struct Point {
    json: String,
    sort: Option<SortValue>,
}

impl Dimension {
    fn point(&self, workspace: &Workspace, id: Uuid, row: &Row) -> Point {
        let part = self.through.as_ref().map_or(&self.part, |(_, part)| part);
        let view = match &self.through {
            None => row.view(id, part.slot),
            Some((target, _)) => match live_target(workspace, &self.field, *target, row) {
                Some((id, row)) => row.view(id, part.slot),
                None => View::Null,
            },
        };
        let label = match (&self.granularity, view) {
            (Some(granularity), View::Date(date)) => Some(bucket(granularity, date)),
            (Some(granularity), View::Time(millis)) => jiff::Timestamp::from_millisecond(millis)
                .ok()
                .map(|time| bucket(granularity, time.to_zoned(self.zone.clone()).date())),
            _ => None,
        };
        let mut json = String::new();
        let sort = match (label, view) {
            (Some(label), _) => {
                crate::cell::write_text(&label, &mut json);
                Some(SortValue::Text(label))
            }
            (None, View::Null) => {
                json.push_str("null");
                None
            }
            (None, view) => {
                view.write_json(&mut json);
                if part.kind == PartKind::Micros {
                    // The database's whole numbers of 64 bits arrive as texts.
                    json = format!("\"{json}\"");
                }
                match view {
                    View::Number(number) => Some(SortValue::Number(number)),
                    View::Text(text) => Some(SortValue::Text(text.to_owned())),
                    _ => Some(SortValue::Text(json.clone())),
                }
            }
        };
        Point { json, sort }
    }
}

/// The period that a day belongs to, by its first day or its name
fn bucket(granularity: &str, day: Date) -> String {
    let first = |month: i8| Date::new(day.year(), month, 1).unwrap_or(day).to_string();
    let quarter = (day.month() - 1) / 3;
    match granularity {
        "WEEK" => {
            let back = i64::from(day.weekday().since(Weekday::Monday));
            day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day).to_string()
        }
        "MONTH" => first(day.month()),
        "QUARTER" => first(quarter * 3 + 1),
        "YEAR" => first(1),
        "DAY_OF_THE_WEEK" => day.strftime("%A").to_string(),
        "MONTH_OF_THE_YEAR" => day.strftime("%B").to_string(),
        "QUARTER_OF_THE_YEAR" => format!("Q{}", quarter + 1),
        _ => day.to_string(),
    }
}

enum Sort {
    Total(usize, Direction),
    Dimension(usize, Direction),
}

fn sorting(
    object: &Object,
    dimensions: &[Dimension],
    aggregates: &mut Vec<Aggregate>,
    order_by: &Value,
) -> Result<Vec<Sort>, ApiError> {
    let mut sorting = Vec::new();
    let members = order_by.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    for (name, value) in members {
        if name == "aggregate" {
            for (name, direction) in value.as_object().into_iter().flatten() {
                let direction = read_direction(direction)?;
                if !aggregates.iter().any(|aggregate| aggregate.name == *name) {
                    let aggregate = Aggregate::named(object, name)
                        .ok_or_else(|| ApiError::bad(format!("Unknown aggregate field(s): {name}")))?;
                    aggregates.push(aggregate);
                }
                let place = aggregates.iter().position(|aggregate| aggregate.name == *name).unwrap_or_default();
                sorting.push(Sort::Total(place, direction));
            }
            continue;
        }
        let unknown = |what: String| ApiError { sub_code: None, ..ApiError::thrown("UserInputError", what) };
        if object.field(name).is_none() {
            return Err(unknown(format!("Cannot orderBy unknown field: {name}.")));
        }
        let place = dimensions.iter().position(|dimension| dimension.field.name == *name).ok_or_else(|| {
            unknown(format!("Cannot order by a field that is not an aggregate nor in groupBy criteria: {name}."))
        })?;
        sorting.push(Sort::Dimension(place, read_direction(innermost(value))?));
    }
    Ok(sorting)
}

/// The direction inside `{granularity, orderBy: D}`, `{sub: D}` or `D`
fn innermost(value: &Value) -> &Value {
    match value.as_object() {
        Some(members) => members.get("orderBy").or_else(|| members.values().next()).map_or(value, innermost),
        None => value,
    }
}

fn read_direction(value: &Value) -> Result<Direction, ApiError> {
    value.as_str().and_then(Direction::read).ok_or_else(|| ApiError::bad(format!("Invalid orderBy direction: {value}")))
}

fn compare(sorting: &[Sort], a: &Group, b: &Group) -> Ordering {
    let ordered = |direction: &Direction, a_null: bool, b_null: bool, order: Ordering| match (a_null, b_null) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if direction.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if direction.nulls_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, false) => {
            if direction.descending {
                order.reverse()
            } else {
                order
            }
        }
    };
    for sort in sorting {
        let order = match sort {
            Sort::Total(place, direction) => match (a.totals.get(*place), b.totals.get(*place)) {
                (Some(x), Some(y)) => ordered(direction, *x == Total::Null, *y == Total::Null, x.order(y)),
                _ => Ordering::Equal,
            },
            Sort::Dimension(place, direction) => match (a.sort.get(*place), b.sort.get(*place)) {
                (Some(x), Some(y)) => {
                    let order = match (x, y) {
                        (Some(x), Some(y)) => x.order(y),
                        _ => Ordering::Equal,
                    };
                    ordered(direction, x.is_none(), y.is_none(), order)
                }
                _ => Ordering::Equal,
            },
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
