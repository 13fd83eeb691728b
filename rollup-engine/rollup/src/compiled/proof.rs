//! Whether a workspace has what a definition names.

use std::fmt;

use twenty::schema::{Field, Names, Object, Schema, UnknownObject, names_without_metadata, nearest};

use super::skipped::Skipped;
use crate::definitions::{Aggregation, Condition, Definition, FieldKind, Kind, NoValue};
use crate::total::TotalKind;

/// What is known of a workspace
#[derive(Clone, Copy, Debug)]
pub enum Workspace<'a> {
    /// Its metadata
    Metadata(&'a Schema),
    /// Nothing but the plurals that the configuration adds to the usual ones
    Names(&'a [(String, String)]),
    /// Nothing, and nothing is sent: totals of records that the caller has read
    Offline,
}

/// What a definition may rely on
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) parent: Names,
    pub(super) child: Names,
    /// Aggregations that run, with the kind of field that receives them
    pub(super) total_kinds: Vec<(usize, TotalKind)>,
    /// Aggregations that do not, and why
    pub(super) left_out: Vec<(usize, Unfit)>,
}

/// Why a definition or an aggregation is left out
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error(transparent)]
    UnknownObject(#[from] UnknownObject),
    #[error("`{object}` has no field `{field}`{hint}")]
    UnknownField { object: String, field: String, hint: String },
    #[error("`{field}` leads to a `{found}`, expected a `{expected}`")]
    RelationToOther { field: Place, found: String, expected: String },
    #[error("`{field}` is a {found}, expected a relation to one record")]
    NoRelation { field: Place, found: String },
    #[error("`{field}` is a {found}: name a part of it, such as `{}.{part}`", .field.path)]
    PartNeeded { field: Place, found: String, part: &'static str },
    #[error("`{field}` is a {found} and has no part `{part}`")]
    UnknownPart { field: Place, found: String, part: String },
    /// A text there would be passed over, and nothing be taken off.
    #[error("`{field}` is no number, which could be taken off")]
    NoNumber { field: Place },
    #[error("`{field}` is a {found}, expected the code of a currency")]
    NoCurrencyCode { field: Place, found: String },
    #[error("`{field}` is a {found}, expected a {expected} for this total")]
    OtherTotal { field: Place, found: String, expected: &'static str },
    /// A condition compares a field with a value that no record can have there
    #[error("{condition}: `{field}` is a {found}")]
    ImpossibleValue { condition: String, field: Place, found: String },
}

/// A path of an object's records
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    object: String,
    path: String,
}

impl Place {
    fn new(object: &Object, path: &str) -> Self {
        Self { object: object.names.singular.clone(), path: path.to_owned() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.object, self.path)
    }
}

impl Unfit {
    /// As an entry of the report
    pub(super) fn skipped(&self, definition: usize, aggregation: Option<usize>) -> Skipped {
        let code = match self {
            Self::ImpossibleValue { .. } => Skipped::INVALID_VALUE,
            _ => Skipped::NOT_IN_WORKSPACE,
        };
        Skipped { definition, aggregation, code: code.to_owned(), reason: self.to_string() }
    }
}

impl Workspace<'_> {
    /// The definition without the subtractions of fields that the children do not have: nothing can have been refunded
    /// there. Said in the notes, as a field that was renamed looks the same.
    pub(super) fn without_missing_subtractions(&self, definition: &Definition, notes: &mut Vec<String>) -> Definition {
        let mut definition = definition.clone();
        let Self::Metadata(schema) = self else { return definition };
        let Ok(child) = schema.object(&definition.child_object) else { return definition };
        let mut drop_missing = |path: &mut Option<String>| {
            let Some(field) = path.as_deref().and_then(|path| path.split('.').next()) else { return };
            if child.field(field).is_none() {
                let note = format!("`{}` has no field `{field}`: nothing is subtracted", child.names.singular);
                if !notes.contains(&note) {
                    notes.push(note);
                }
                *path = None;
            }
        };
        for condition in &mut definition.child_filters {
            drop_missing(&mut condition.subtract_field);
        }
        for aggregation in &mut definition.aggregations {
            drop_missing(&mut aggregation.subtract_field);
            for condition in &mut aggregation.filters {
                drop_missing(&mut condition.subtract_field);
            }
        }
        definition
    }

    /// Proves the names of a definition; an error is why all of it is left out
    pub(super) fn prove(&self, definition: &Definition) -> Result<Proven, Unfit> {
        let names = |name: &str| match self {
            Self::Metadata(schema) => schema.object(name).map(|object| object.names.clone()),
            Self::Names(overrides) => names_without_metadata(name, overrides),
            Self::Offline => Ok(Names::new(name, name)),
        };
        let parent = names(&definition.parent_object)?;
        let child = names(&definition.child_object)?;
        let mut proven = Proven { parent, child, total_kinds: Vec::new(), left_out: Vec::new() };
        let objects = match self {
            Self::Metadata(schema) => {
                schema.object(&definition.parent_object).ok().zip(schema.object(&definition.child_object).ok())
            }
            _ => None,
        };
        if let Some((_, child)) = objects {
            relation(child, &definition.relation_field, &definition.parent_object)?;
            conditions(child, "childFilters", &definition.child_filters)?;
        }
        for (number, aggregation) in definition.aggregations.iter().enumerate() {
            let total_kind = match objects {
                Some((parent, child)) => aggregate(parent, child, aggregation),
                None => Ok(TotalKind::of(aggregation)),
            };
            match total_kind {
                Ok(total_kind) => proven.total_kinds.push((number, total_kind)),
                Err(reason) => proven.left_out.push((number, reason)),
            }
        }
        Ok(proven)
    }
}

fn relation(child: &Object, field: &str, parent: &str) -> Result<(), Unfit> {
    if let Some(target) =
        child.field(field).and_then(|field| field.target.as_deref()).filter(|target| *target != parent)
    {
        let field = Place::new(child, field);
        return Err(Unfit::RelationToOther { field, found: target.to_owned(), expected: parent.to_owned() });
    }
    match kind(child, field)? {
        "RELATION" | "MORPH_RELATION" | "UUID" => Ok(()),
        other => Err(Unfit::NoRelation { field: Place::new(child, field), found: other.to_owned() }),
    }
}

fn conditions(child: &Object, list: &str, conditions: &[Condition]) -> Result<(), Unfit> {
    for (index, condition) in conditions.iter().enumerate() {
        let (kind, of) = value(child, &condition.field)?;
        if let Some(path) = &condition.subtract_field {
            subtracted(child, path)?;
        }
        if let Some((place, message)) = of.and_then(|of| of.value_fault(condition)) {
            let (field, found) = (Place::new(child, &condition.field), kind.to_owned());
            let condition = format!("{list} {index}, {place}: {message}");
            return Err(Unfit::ImpossibleValue { condition, field, found });
        }
    }
    Ok(())
}

/// Proves the path of what is taken off.
fn subtracted(child: &Object, path: &str) -> Result<(), Unfit> {
    match value(child, path)? {
        (_, Some(of)) if !of.is_numeric() => Err(Unfit::NoNumber { field: Place::new(child, path) }),
        _ => Ok(()),
    }
}

fn aggregate(parent: &Object, child: &Object, aggregation: &Aggregation) -> Result<TotalKind, Unfit> {
    conditions(child, "filters", &aggregation.filters)?;
    if let Some(path) = &aggregation.subtract_field {
        subtracted(child, path)?;
    }
    let source = match &aggregation.child_field {
        Some(path) => Some(value(child, path)?.0),
        None => None,
    };
    if let Some(path) = &aggregation.currency_field {
        let (kind, of) = value(child, path)?;
        if of.is_some_and(|of| !matches!(of, FieldKind::CurrencyCode | FieldKind::Text | FieldKind::Option(_))) {
            return Err(Unfit::NoCurrencyCode { field: Place::new(child, path), found: kind.to_owned() });
        }
    }
    let field = &aggregation.parent_field;
    let found = kind(parent, field)?;
    let wrong =
        |expected| Err(Unfit::OtherTotal { field: Place::new(parent, field), found: found.to_owned(), expected });
    let counts = matches!(aggregation.kind, Kind::Count | Kind::Sum | Kind::Avg);
    let dates = |kind: &str| matches!(kind, "DATE" | "DATE_TIME");
    match found {
        "CURRENCY" if aggregation.currency_field.is_some() => Ok(TotalKind::Money),
        _ if aggregation.currency_field.is_some() => wrong("CURRENCY"),
        "CURRENCY" => wrong("NUMBER, or a `currencyField` in the aggregation,"),
        // How many there are is a number, whatever is counted.
        "NUMBER" | "NUMERIC" if aggregation.kind == Kind::Count || !source.is_some_and(dates) => Ok(TotalKind::Plain),
        _ if counts => wrong("NUMBER"),
        "DATE" if source.is_some_and(dates) => Ok(TotalKind::Plain),
        "DATE_TIME" if source.is_some_and(dates) => Ok(TotalKind::Instant),
        _ if source.is_some_and(dates) => wrong("DATE or DATE_TIME"),
        "TEXT" | "SELECT" => Ok(TotalKind::Text),
        _ => wrong("field of the kind of the values"),
    }
}

/// Type of the value at a path, for composite fields that of the part; and what kind of values it may have
fn value<'a>(object: &'a Object, path: &str) -> Result<(&'a str, Option<FieldKind>), Unfit> {
    let (name, part) = path.split_once('.').map_or((path, None), |(field, part)| (field, Some(part)));
    let field = field(object, name)?;
    let kind = field.kind.as_str();
    let (place, found) = (|| Place::new(object, name), || kind.to_owned());
    match FieldKind::of_field(field, part) {
        Err(NoValue::Parts(part)) => Err(Unfit::PartNeeded { field: place(), found: found(), part }),
        Err(NoValue::NoPart) => {
            Err(Unfit::UnknownPart { field: place(), found: found(), part: part.unwrap_or_default().to_owned() })
        }
        Ok(of) => Ok((
            match (&of, part) {
                (Some(FieldKind::Micros | FieldKind::Number), Some(_)) => "NUMBER",
                (Some(FieldKind::CurrencyCode | FieldKind::Text), Some(_)) => "TEXT",
                (Some(FieldKind::Id), Some(_)) => "UUID",
                _ => kind,
            },
            of,
        )),
    }
}

fn kind<'a>(object: &'a Object, name: &str) -> Result<&'a str, Unfit> {
    field(object, name).map(|field| field.kind.as_str())
}

fn field<'a>(object: &'a Object, name: &str) -> Result<&'a Field, Unfit> {
    object.field(name).ok_or_else(|| {
        let names = object.fields.iter().map(|(name, _)| (name.as_str(), name.as_str()));
        let hint = nearest(name, names).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        Unfit::UnknownField { object: object.names.singular.clone(), field: name.to_owned(), hint }
    })
}

#[cfg(test)]
mod tests {
    use super::super::{CompiledRollups, Skipped};
    use super::*;
    use crate::calendar::Calendar;
    use crate::definitions::parse;
    use ports::Timestamp;
    use serde_json::json;

    fn object(singular: &str, plural: &str, fields: &[(&str, &str)]) -> Object {
        let field = |(name, kind): &(&str, &str)| {
            (
                (*name).to_owned(),
                Field {
                    kind: (*kind).to_owned(),
                    target: (*kind == "RELATION").then(|| "person".to_owned()),
                    options: Vec::new(),
                },
            )
        };
        Object { names: Names::new(singular, plural), fields: fields.iter().map(field).collect() }
    }

    fn workspace() -> Schema {
        Schema::new([
            object(
                "person",
                "people",
                &[("total", "CURRENCY"), ("gifts", "NUMBER"), ("last", "DATE"), ("name", "TEXT")],
            ),
            object(
                "gift",
                "gifts",
                &[("amount", "CURRENCY"), ("giftDate", "DATE"), ("donorId", "RELATION"), ("status", "TEXT")],
            ),
        ])
    }

    fn skipped(change: impl Fn(&mut serde_json::Value)) -> Vec<String> {
        let mut definition = json!({
            "parentObject": "person", "childObject": "gift", "relationField": "donorId",
            "childFilters": [{ "field": "amount.amountMicros", "operator": "gt", "value": 0 }],
            "aggregations": [
                { "type": "SUM", "childField": "amount.amountMicros", "currencyField": "amount.currencyCode", "parentField": "total" },
                { "type": "COUNT", "parentField": "gifts" },
                { "type": "MAX", "childField": "giftDate", "parentField": "last" }
            ]
        });
        change(&mut definition);
        let definitions = parse(&json!([definition])).unwrap();
        let calendar = Calendar::utc(Timestamp::from_millis(0), 1);
        let compiled = CompiledRollups::new(&definitions, &Workspace::Metadata(&workspace()), &calendar);
        assert_eq!(compiled.rollups.is_empty(), compiled.skipped.iter().any(|skipped| skipped.aggregation.is_none()));
        let shown = |Skipped { aggregation, reason, .. }: &Skipped| match aggregation {
            Some(number) => format!("{number}: {reason}"),
            None => reason.clone(),
        };
        compiled.skipped.iter().map(shown).collect()
    }

    #[test]
    fn missing_parts_are_left_out() {
        type Change = fn(&mut serde_json::Value);
        assert_eq!(skipped(|_| {}), Vec::<String>::new());
        let cases: [(Change, &str); 13] = [
            (|d| d["parentObject"] = json!("gift"), "`gift.donorId` leads to a `person`, expected a `gift`"),
            (|d| d["parentObject"] = json!("household"), "there is no object `household` here"),
            (|d| d["childObject"] = json!("gifts"), "there is no object `gifts` here, did you mean `gift`?"),
            (|d| d["relationField"] = json!("donorID"), "`gift` has no field `donorID`, did you mean `donorId`?"),
            (|d| d["relationField"] = json!("status"), "`gift.status` is a TEXT, expected a relation to one record"),
            (|d| d["childFilters"][0]["field"] = json!("kind"), "`gift` has no field `kind`"),
            (
                |d| d["childFilters"][0]["field"] = json!("amount"),
                "`gift.amount` is a CURRENCY: name a part of it, such as `amount.amountMicros`",
            ),
            (
                |d| d["aggregations"][0]["childField"] = json!("amount.micros"),
                "0: `gift.amount` is a CURRENCY and has no part `micros`",
            ),
            (
                |d| d["aggregations"][2]["childField"] = json!("giftDate.year"),
                "2: `gift.giftDate` is a DATE and has no part `year`",
            ),
            (
                |d| d["aggregations"][1]["parentField"] = json!("giftz"),
                "1: `person` has no field `giftz`, did you mean `gifts`?",
            ),
            (
                |d| d["aggregations"][1]["parentField"] = json!("name"),
                "1: `person.name` is a TEXT, expected a NUMBER for this total",
            ),
            (
                |d| drop(d["aggregations"][0].as_object_mut().unwrap().remove("currencyField")),
                "0: `person.total` is a CURRENCY, expected a NUMBER, or a `currencyField` in the aggregation, for this total",
            ),
            (
                |d| d["aggregations"][2]["parentField"] = json!("name"),
                "2: `person.name` is a TEXT, expected a DATE or DATE_TIME for this total",
            ),
        ];
        for (change, message) in cases {
            assert_eq!(skipped(change), [message]);
        }
    }

    #[test]
    fn only_objects_without_metadata() {
        let definitions = parse(&json!([
            { "parentObject": "person", "childObject": "gift", "relationField": "anything",
              "aggregations": [{ "type": "COUNT", "parentField": "n" }] },
            { "parentObject": "sheep", "childObject": "gift", "relationField": "sheepId",
              "aggregations": [{ "type": "COUNT", "parentField": "n" }] }
        ]));
        let calendar = Calendar::utc(Timestamp::from_millis(0), 1);
        let compiled = CompiledRollups::new(&definitions.unwrap(), &Workspace::Names(&[]), &calendar);
        assert_eq!((compiled.rollups.len(), compiled.skipped.len()), (1, 1));
        assert!(compiled.skipped[0].reason.starts_with("there is no object `sheep` here: the workspace's metadata"));
    }
}
