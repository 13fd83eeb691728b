//! Filters: checked against the schema once, then asked of each row.
//!
//! The logic is SQL's, with three values: a comparison with null is neither true nor false, and `not` leaves it so.
//! Texts are stored without the empty one, so a comparison with `""` is a question for null.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::cell::{Cell, View};
use crate::input;
use crate::render::live_target;
use crate::schema::{Field, Object, Part, PartKind, Shape, Slot};
use crate::table::{Row, Table};
use crate::workspace::Workspace;

/// A checked filter
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test(Slot, Check),
    /// A condition on the record that a relation points to
    Through {
        field: Box<Field>,
        target: Option<usize>,
        inner: Box<Filter>,
    },
}

/// A comparison
#[derive(Clone, Debug)]
pub(crate) enum Check {
    IsNull(bool),
    Eq(Cell),
    Neq(Cell),
    In(Vec<Cell>),
    /// Sorted
    InIds(Vec<Uuid>),
    Order(fn(Ordering) -> bool, Cell),
    /// `%` and `_` as in SQL; the flag folds case
    Like(String, bool),
    ContainsAny(Vec<Cell>),
    IsEmptyArray,
}

/// A filter, and whether it says anything of `deletedAt`
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) filter: Filter,
    pub(crate) names_deleted: bool,
}

/// Where a filter came from: REST sends every value as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Rest,
    GraphQl,
}

/// Checks a filter in its nested form.
pub(crate) fn compile(
    workspace: &Workspace,
    object: &Object,
    filter: &Value,
    dialect: Dialect,
) -> Result<Condition, ApiError> {
    let compiler = Compiler { workspace, dialect };
    let filter_ = compiler.all(object, filter, 0)?;
    Ok(Condition { filter: filter_, names_deleted: names_deleted(filter) })
}

fn names_deleted(filter: &Value) -> bool {
    match filter {
        Value::Object(members) => members.iter().any(|(name, value)| name == "deletedAt" || names_deleted(value)),
        Value::Array(items) => items.iter().any(names_deleted),
        _ => false,
    }
}

struct Compiler<'a> {
    workspace: &'a Workspace,
    dialect: Dialect,
}

impl Compiler<'_> {
    fn all(&self, object: &Object, filter: &Value, hops: usize) -> Result<Filter, ApiError> {
        let mut parts = Vec::new();
        for (name, value) in filter.as_object().into_iter().flatten() {
            parts.push(self.member(object, name, value, hops)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn member(&self, object: &Object, name: &str, value: &Value, hops: usize) -> Result<Filter, ApiError> {
        match name {
            "and" | "or" => {
                let one = [value.clone()];
                let items = value.as_array().map_or(&one[..], Vec::as_slice);
                let parts = items.iter().map(|item| self.all(object, item, hops)).collect::<Result<Vec<_>, _>>()?;
                return Ok(if name == "and" { Filter::And(parts) } else { Filter::Or(parts) });
            }
            "not" => return Ok(Filter::Not(Box::new(self.all(object, value, hops)?))),
            _ => {}
        }
        if let Some(field) = object.joined_by(name) {
            return match field.single() {
                Some(part) => self.plain(object, field, part, name, value),
                None => Ok(Filter::And(Vec::new())),
            };
        }
        let field = object
            .field(name)
            .ok_or_else(|| ApiError { sub_code: Some("INVALID_ARGS_FILTER"), ..input::unknown_field(object, name) })?;
        match &field.shape {
            Shape::Plain => match field.single() {
                Some(part) => self.plain(object, field, part, name, value),
                None => Ok(Filter::And(Vec::new())),
            },
            Shape::Composite => self.composite(object, field, value),
            Shape::OneToMany { .. } => Err(ApiError::filter(format!("Cannot filter by relation field \"{name}\""))),
            Shape::ManyToOne { target, .. } => {
                if hops > 0 {
                    return Err(ApiError::filter("Relation filter nesting deeper than 1 hop is not supported"));
                }
                let target_object = target.and_then(|target| self.workspace.schema.object(target));
                let inner = match target_object {
                    Some(target_object) => self.all(target_object, value, hops + 1)?,
                    None => Filter::And(Vec::new()),
                };
                Ok(Filter::Through { field: Box::new(field.clone()), target: *target, inner: Box::new(inner) })
            }
        }
    }

    fn composite(&self, object: &Object, field: &Field, value: &Value) -> Result<Filter, ApiError> {
        let mut parts = Vec::new();
        for (name, inner) in value.as_object().into_iter().flatten() {
            let part = field.part(name).ok_or_else(|| {
                ApiError::filter(format!("Sub field \"{name}\" not found for composite type: {}", field.kind))
            })?;
            parts.push(self.plain(object, field, part, &format!("{}.{name}", field.name), inner)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn plain(&self, object: &Object, field: &Field, part: &Part, path: &str, ops: &Value) -> Result<Filter, ApiError> {
        let empty = Map::new();
        let mut parts = Vec::new();
        for (op, value) in ops.as_object().unwrap_or(&empty) {
            let allowed = allowed(part.kind, self.dialect);
            if !allowed.contains(&op.as_str()) {
                return Err(ApiError::filter(format!(
                    "Operator \"{op}\" is not valid for field \"{path}\" of type {} - Allowed operators: {}",
                    field.kind,
                    allowed.join(", ")
                )));
            }
            parts.push(Filter::Test(part.slot, self.check(object, field, part, path, op, value)?));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn check(
        &self,
        object: &Object,
        field: &Field,
        part: &Part,
        path: &str,
        op: &str,
        value: &Value,
    ) -> Result<Check, ApiError> {
        let operand = |value: &Value| self.operand(object, field, part, path, value);
        let text = || value.as_str().unwrap_or_default().to_owned();
        let order = |keep: fn(Ordering) -> bool| {
            let operand = operand(value)?;
            Ok(if part.kind == PartKind::Choice {
                Check::In(options_in_order(field, &operand, keep))
            } else {
                Check::Order(keep, operand)
            })
        };
        if part.kind == PartKind::Choice && matches!(op, "containsAny" | "isEmptyArray") {
            return Err(self.no_array(object, field, op));
        }
        Ok(match op {
            "is" => match value.as_str() {
                Some("NULL") => Check::IsNull(true),
                Some("NOT_NULL") => Check::IsNull(false),
                _ => {
                    return Err(ApiError::filter(
                        "Invalid filter value for \"is\" operator. Expected \"NULL\" or \"NOT_NULL\"",
                    ));
                }
            },
            "eq" | "neq" => {
                let is_empty_text = value.as_str() == Some("") && matches!(part.kind, PartKind::Text | PartKind::Code);
                match (op, is_empty_text) {
                    ("eq", true) => Check::IsNull(true),
                    (_, true) => Check::IsNull(false),
                    ("eq", _) => Check::Eq(operand(value)?),
                    _ => Check::Neq(operand(value)?),
                }
            }
            "in" | "containsAny" => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                if items.is_empty() {
                    return Err(ApiError::filter(format!(
                        "Invalid filter value for field {path}. Expected non-empty array"
                    )));
                }
                let mut cells = Vec::with_capacity(items.len());
                for item in items {
                    match (op, item.as_str()) {
                        // In a list of texts the empty one stands for itself, which no row has.
                        ("in", Some("")) if matches!(part.kind, PartKind::Text | PartKind::Code) => {}
                        ("containsAny", Some(text)) => cells.push(Cell::Text(text.into())),
                        _ => cells.push(operand(item)?),
                    }
                }
                match (op, part.kind) {
                    ("in", PartKind::Id) => Check::InIds(sorted(ids(&cells).collect())),
                    ("in", _) => Check::In(cells),
                    _ => Check::ContainsAny(cells),
                }
            }
            "gt" => return order(Ordering::is_gt),
            "gte" => return order(Ordering::is_ge),
            "lt" => return order(Ordering::is_lt),
            "lte" => return order(Ordering::is_le),
            "like" => Check::Like(text(), false),
            "ilike" | "containsIlike" => Check::Like(text(), true),
            "startsWith" => Check::Like(format!("{}%", escape(&text())), false),
            "endsWith" => Check::Like(format!("%{}", escape(&text())), false),
            _ => Check::IsEmptyArray,
        })
    }

    /// The database's name for the type of a field with options
    fn enum_name(&self, object: &Object, field: &Field) -> String {
        format!("workspace_{}.\"{}_{}_enum\"", self.workspace.id.simple(), object.table(), field.name)
    }

    /// What the database says where a single option is asked as a list: the server lets these operators through.
    fn no_array(&self, object: &Object, field: &Field, op: &str) -> ApiError {
        let kind = self.enum_name(object, field);
        ApiError::database(match op {
            "isEmptyArray" => format!("invalid input value for enum {kind}: \"{{}}\""),
            _ => format!("operator does not exist: {kind} && text[]"),
        })
    }

    /// One value to compare with
    fn operand(
        &self,
        object: &Object,
        field: &Field,
        part: &Part,
        path: &str,
        value: &Value,
    ) -> Result<Cell, ApiError> {
        let is_rest = self.dialect == Dialect::Rest;
        let cell = match (part.kind, value) {
            (PartKind::Number, Value::String(text)) if is_rest => match text.trim().parse::<f64>() {
                Ok(number) => Cell::Number(number),
                Err(_) => return Err(ApiError::filter(format!("Invalid number value NaN for field \"{path}\""))),
            },
            (PartKind::Bool, Value::String(text)) if is_rest && matches!(text.as_str(), "true" | "false") => {
                Cell::Bool(text == "true")
            }
            (PartKind::Choice, Value::String(text)) => {
                if !text.is_empty() && !field.option_values().any(|option| option == text) {
                    let kind = self.enum_name(object, field);
                    return Err(ApiError::database(format!("invalid input value for enum {kind}: \"{text}\"")));
                }
                Cell::text(text)
            }
            _ => input::coerce(field, part, path, value)
                .map_err(|error| ApiError { sub_code: Some("INVALID_ARGS_FILTER"), ..error })?,
        };
        Ok(cell)
    }
}

/// The options that stand so to one of them, in the order of their declaration, which is the database's
fn options_in_order(field: &Field, operand: &Cell, keep: fn(Ordering) -> bool) -> Vec<Cell> {
    let options: Vec<&str> = field.option_values().collect();
    let Cell::Text(asked) = operand else { return Vec::new() };
    let Some(place) = options.iter().position(|option| **option == **asked) else { return Vec::new() };
    options.iter().enumerate().filter(|(at, _)| keep(at.cmp(&place))).map(|(_, option)| Cell::text(option)).collect()
}

fn allowed(kind: PartKind, dialect: Dialect) -> &'static [&'static str] {
    match kind {
        PartKind::Id if dialect == Dialect::Rest => &["eq", "neq", "in", "is"],
        PartKind::Text | PartKind::Code => {
            &["eq", "neq", "gt", "gte", "lt", "lte", "in", "is", "like", "ilike", "startsWith", "endsWith"]
        }
        PartKind::Micros | PartKind::Number | PartKind::Id | PartKind::Date | PartKind::Time => {
            &["eq", "neq", "gt", "gte", "lt", "lte", "in", "is"]
        }
        PartKind::Bool => &["eq", "is"],
        PartKind::Choice => &["eq", "neq", "gt", "gte", "lt", "lte", "in", "containsAny", "is", "isEmptyArray"],
        PartKind::Choices => &["containsAny", "is", "isEmptyArray"],
        PartKind::Texts => &["containsIlike", "is", "isEmptyArray"],
        PartKind::JsonList | PartKind::Json => &["is", "like"],
    }
}

impl Filter {
    /// Whether the row fits; nothing where the answer is neither
    pub(crate) fn matches(&self, workspace: &Workspace, id: Uuid, row: &Row) -> Option<bool> {
        self.fits(workspace, Some((id, row)))
    }

    /// The same, of a record that need not be there: all that it has is null then
    fn fits(&self, workspace: &Workspace, record: Option<(Uuid, &Row)>) -> Option<bool> {
        match self {
            Self::And(parts) => {
                let mut answer = Some(true);
                for part in parts {
                    match part.fits(workspace, record) {
                        Some(false) => return Some(false),
                        None => answer = None,
                        Some(true) => {}
                    }
                }
                answer
            }
            Self::Or(parts) => {
                let mut answer = Some(false);
                for part in parts {
                    match part.fits(workspace, record) {
                        Some(true) => return Some(true),
                        None => answer = None,
                        Some(false) => {}
                    }
                }
                answer
            }
            Self::Not(part) => part.fits(workspace, record).map(|answer| !answer),
            Self::Test(slot, check) => check.matches(record.map_or(View::Null, |(id, row)| row.view(id, *slot))),
            Self::Through { field, target, inner } => {
                inner.fits(workspace, record.and_then(|(_, row)| live_target(workspace, field, *target, row)))
            }
        }
    }

    /// Ids among which all matches are, sorted, where an index knows them
    pub(crate) fn candidates(&self, table: &Table, object: &Object) -> Option<Vec<Uuid>> {
        match self {
            Self::And(parts) => parts.iter().filter_map(|part| part.candidates(table, object)).min_by_key(Vec::len),
            Self::Or(parts) if !parts.is_empty() => {
                let lists = parts.iter().map(|part| part.candidates(table, object)).collect::<Option<Vec<_>>>()?;
                Some(sorted(lists.into_iter().flatten().collect()))
            }
            Self::Test(Slot::DeletedAt, Check::IsNull(false)) => Some(table.trash().collect()),
            Self::Test(slot, Check::Eq(cell @ Cell::Id(id))) => {
                lookup(table, object, *slot, std::slice::from_ref(cell), std::slice::from_ref(id))
            }
            Self::Test(slot, Check::Eq(cell)) => lookup(table, object, *slot, std::slice::from_ref(cell), &[]),
            Self::Test(slot, Check::In(cells)) => lookup(table, object, *slot, cells, &[]),
            Self::Test(slot, Check::InIds(ids)) => lookup(table, object, *slot, &[], ids),
            _ => None,
        }
    }
}

fn ids(cells: &[Cell]) -> impl Iterator<Item = Uuid> {
    cells.iter().filter_map(|cell| if let Cell::Id(id) = cell { Some(*id) } else { None })
}

fn lookup(table: &Table, object: &Object, slot: Slot, cells: &[Cell], ids: &[Uuid]) -> Option<Vec<Uuid>> {
    match slot {
        Slot::Id => Some(sorted(ids.iter().copied().filter(|id| table.get(*id).is_some()).collect())),
        Slot::Cell(number) if object.links().any(|(cell, ..)| cell == number) => {
            Some(sorted(ids.iter().flat_map(|other| table.linked(number, *other)).collect()))
        }
        Slot::Cell(number) if object.unique_cells().any(|(cell, _)| cell == number) => {
            let keys = cells.iter().filter_map(Cell::unique_key);
            Some(sorted(keys.filter_map(|key| table.holder(number, &key)).collect()))
        }
        _ => None,
    }
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Check {
    fn matches(&self, value: View<'_>) -> Option<bool> {
        match self {
            Self::IsNull(wanted) => Some(value.is_null() == *wanted),
            _ if value.is_null() => match self {
                Self::IsEmptyArray => Some(true),
                _ => None,
            },
            Self::Eq(cell) => value.same(cell.view()),
            Self::Neq(cell) => value.same(cell.view()).map(|same| !same),
            Self::In(cells) => Some(cells.iter().any(|cell| value.same(cell.view()) == Some(true))),
            Self::InIds(ids) => match value {
                View::Id(id) => Some(ids.binary_search(&id).is_ok()),
                _ => Some(false),
            },
            Self::Order(keep, cell) => value.order(cell.view()).map(keep),
            Self::Like(pattern, fold) => Some(like(value, pattern, *fold)),
            Self::ContainsAny(cells) => match value {
                View::List(items) => Some(
                    items.iter().any(|item| cells.iter().any(|cell| matches!(cell, Cell::Text(text) if text == item))),
                ),
                _ => Some(false),
            },
            Self::IsEmptyArray => Some(matches!(value, View::List([]))),
        }
    }
}

fn like(value: View<'_>, pattern: &str, fold: bool) -> bool {
    let fits = |text: &str| {
        let (text, pattern) =
            if fold { (text.to_lowercase(), pattern.to_lowercase()) } else { (text.to_owned(), pattern.to_owned()) };
        let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
        wild(&text, &pattern)
    };
    match value {
        View::Text(text) => fits(text),
        View::List(items) => items.iter().any(|item| fits(item)),
        View::Json(json) => fits(&json.to_string()),
        _ => false,
    }
}

/// SQL's LIKE: `%` any run of letters, `_` one letter, `\` takes the next one as it is
fn wild(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|at| text.get(at..).is_some_and(|tail| wild(tail, rest))),
        ['_', rest @ ..] => text.split_first().is_some_and(|(_, tail)| wild(tail, rest)),
        ['\\', letter, rest @ ..] | [letter, rest @ ..] => {
            text.split_first().is_some_and(|(first, tail)| first == letter && wild(tail, rest))
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_sql() {
        let fits = |text: &str, pattern: &str| like(View::Text(text), pattern, false);
        assert!(fits("received", "re%") && fits("received", "%ei_ed") && fits("", "%"));
        assert!(!fits("received", "RE%") && like(View::Text("received"), "RE%", true));
        assert!(fits("100%", &escape("100%")) && !fits("1000", &escape("100%")));
        assert!(!fits("received", "rec"));
    }
}
