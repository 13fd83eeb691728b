//! The fields that receive totals: of which kind each has to be, and which of them a workspace lacks.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use twenty::schema::{Field, Object, Schema};
use twenty::value::Value;

use super::model::{
    Aggregation, Arithmetic, Case, Children, Computation, Definition, Expression, Function, Group, InnerOperation,
    Mapping, Operation, Target, TargetType, Unit,
};
use crate::definitions::FieldKind;

/// A field that a total is to be written to, and that the workspace does not have
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingField {
    /// Object that lacks it, in the singular
    pub object: String,
    /// Its name; of a relation without the `Id` of the column
    pub field: String,
    /// Label, where the definition gives one
    pub label: Option<String>,
    /// What it has to be; nothing where neither the definition nor the workspace tells
    #[serde(flatten)]
    pub kind: Option<TargetKind>,
}

/// What a field has to be
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetKind {
    /// Kind of field
    #[serde(rename = "type", serialize_with = "as_twenty_calls_it")]
    pub kind: TargetType,
    /// Values of a SELECT or a `MULTI_SELECT`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Object that a relation leads to, in the singular
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl TargetKind {
    fn plain(kind: TargetType) -> Self {
        Self { kind, options: Vec::new(), target: None }
    }

    /// The kind of a field or of a part of it; nothing for one whose values are no totals
    fn of_field(field: &Field, part: Option<&str>) -> Option<Self> {
        if part.is_some() {
            return Some(Self::plain(match FieldKind::of_field(field, part).ok()?? {
                FieldKind::Micros | FieldKind::Number => TargetType::Number,
                FieldKind::CurrencyCode | FieldKind::Text => TargetType::Text,
                FieldKind::Id => TargetType::Uuid,
                _ => return None,
            }));
        }
        let kind = match field.kind.as_str() {
            "NUMBER" => TargetType::Number,
            "NUMERIC" => TargetType::Numeric,
            "CURRENCY" => TargetType::Currency,
            "DATE" => TargetType::Date,
            "DATE_TIME" => TargetType::DateTime,
            "TEXT" => TargetType::Text,
            "SELECT" => TargetType::Select,
            "MULTI_SELECT" => TargetType::MultiSelect,
            "ARRAY" => TargetType::Array,
            "RATING" => TargetType::Rating,
            "BOOLEAN" => TargetType::Boolean,
            "UUID" => TargetType::Uuid,
            "RELATION" => TargetType::Relation,
            _ => return None,
        };
        let has_options = matches!(kind, TargetType::Select | TargetType::MultiSelect);
        let options = if has_options { field.options.clone() } else { Vec::new() };
        Some(Self { kind, options, target: field.target.clone() })
    }
}

/// Fields that definitions write to and that the workspace lacks, each once
///
/// An object that is not there at all has no fields to be made; the definitions of it are left out.
///
/// # Examples
///
/// ```
/// use rollup::definition::model::{
///     Aggregation, Children, Computation, Condition, Definition, MixedCurrency, Operation, Source, Target, TargetType,
/// };
/// use rollup::definition::targets::missing_fields;
/// use twenty::schema::{Names, Object, Schema};
///
/// let count = Children {
///     operation: Operation::Count,
///     filters: Condition::default(),
///     distinct_by: None,
///     order_by: Vec::new(),
///     limit: None,
///     value: None,
///     mixed_currency: MixedCurrency::Leave,
///     rate_date_field: None,
///     group: None,
/// };
/// let definition = Definition {
///     name: None,
///     parent_object: "person".into(),
///     sources: vec![Source {
///         name: "gift".into(),
///         child_object: "gift".into(),
///         relation_field: "donorId".into(),
///         child_filters: Condition::default(),
///         fields: Vec::new(),
///     }],
///     parent_filters: Condition::default(),
///     child_filters: Condition::default(),
///     aggregations: vec![Aggregation {
///         number: 0,
///         target: Target::Field("giftCount".into()),
///         computation: Computation::Children(Box::new(count)),
///         when_empty: None,
///         decimals: 2,
///         target_type: None,
///         label: None,
///     }],
/// };
/// let schema = Schema::new(["person", "gift"].map(|name| Object { names: Names::new(name, name), fields: Vec::new() }));
/// let missing = missing_fields(&[definition], &schema);
/// assert_eq!((missing[0].field.as_str(), missing[0].kind.as_ref().unwrap().kind), ("giftCount", TargetType::Number));
/// ```
#[must_use]
pub fn missing_fields(definitions: &[Definition], schema: &Schema) -> Vec<MissingField> {
    let mut missing: Vec<MissingField> = Vec::new();
    for definition in definitions {
        let Ok(parent) = schema.object(&definition.parent_object) else { continue };
        if !definition.sources.iter().any(|source| schema.object(&source.child_object).is_ok()) {
            continue;
        }
        for aggregation in &definition.aggregations {
            let Target::Field(name) = &aggregation.target else { continue };
            if parent.field(name).is_some() {
                continue;
            }
            let kind = target_kind(definitions, definition, aggregation, schema);
            let is_relation = kind.as_ref().is_some_and(|kind| kind.kind == TargetType::Relation);
            let field = name.strip_suffix("Id").filter(|_| is_relation).unwrap_or(name).to_owned();
            if missing.iter().any(|other| other.object == definition.parent_object && other.field == field) {
                continue;
            }
            missing.push(MissingField {
                object: definition.parent_object.clone(),
                field,
                label: aggregation.label.clone(),
                kind,
            });
        }
    }
    missing
}

/// The kind of field that a total is written to: the one that the definition states, else the usual one of its operation
///
/// Formulas read totals of their own definition, those that other definitions write to the same object, and stored fields.
/// Nothing where the workspace does not have what the total is made of.
#[must_use]
pub fn target_kind(
    definitions: &[Definition],
    definition: &Definition,
    aggregation: &Aggregation,
    schema: &Schema,
) -> Option<TargetKind> {
    Resolver { definitions, schema }.target(definition, aggregation, &mut BTreeSet::new())
}

struct Resolver<'a> {
    definitions: &'a [Definition],
    schema: &'a Schema,
}

impl<'a> Resolver<'a> {
    /// `asked` has the names of the formulas on the way, so that a circle ends.
    fn target(
        &self,
        definition: &'a Definition,
        aggregation: &'a Aggregation,
        asked: &mut BTreeSet<&'a str>,
    ) -> Option<TargetKind> {
        let mut usual = || match &aggregation.computation {
            Computation::Children(children) => self.of_children(definition, children),
            Computation::Formula(formula) => self.of_expression(definition, formula, asked).map(TargetKind::plain),
            Computation::Case(case) => Some(of_case(case)),
        };
        let Some(stated) = aggregation.target_type else { return usual() };
        if let (Computation::Case(case), TargetType::Select) = (&aggregation.computation, stated) {
            return Some(TargetKind { kind: stated, options: texts(case), target: None });
        }
        if matches!(stated, TargetType::Select | TargetType::MultiSelect | TargetType::Relation) {
            // What the values may be, the children know.
            let values = self.values_of(definition, aggregation)?;
            return Some(TargetKind { kind: stated, ..values });
        }
        Some(TargetKind::plain(stated))
    }

    /// What the children's values are, whatever is made of them
    fn values_of(&self, definition: &Definition, aggregation: &Aggregation) -> Option<TargetKind> {
        let Computation::Children(children) = &aggregation.computation else { return None };
        self.of_path(definition, &children.value.as_ref()?.path)
    }

    fn of_children(&self, definition: &Definition, children: &Children) -> Option<TargetKind> {
        let value = children.value.as_ref();
        let counts = matches!(children.group, Some(Group { inner: InnerOperation::Count, .. }));
        let is_money = value.is_some_and(|value| value.currency.is_some()) && !counts;
        let number = Some(TargetKind::plain(TargetType::Number));
        let of_amount = || if is_money { Some(TargetKind::plain(TargetType::Currency)) } else { number.clone() };
        let of_value = || match value {
            _ if is_money => Some(TargetKind::plain(TargetType::Currency)),
            Some(value) => match value.date_part {
                Some(part) => Some(TargetKind::plain(of_part(part))),
                None => self.of_path(definition, &value.path),
            },
            None => None,
        };
        match (&children.operation, &children.group) {
            (Operation::Min | Operation::Max, Some(group)) if group.returns_key => match group.date_part {
                Some(part) => Some(TargetKind::plain(of_part(part))),
                None => self.of_path(definition, &group.field),
            },
            // A group without an amount comes to a number, whatever the children have.
            (Operation::Min | Operation::Max, Some(Group { inner, .. })) => match inner {
                InnerOperation::Min | InnerOperation::Max => of_value(),
                InnerOperation::Sum | InnerOperation::Avg | InnerOperation::Count => of_amount(),
            },
            (
                Operation::Count
                | Operation::CountDistinct
                | Operation::CurrentStreak
                | Operation::LongestStreak
                | Operation::Percent(_),
                _,
            ) => number,
            (Operation::Sum | Operation::Avg | Operation::Median | Operation::Range, _) => of_amount(),
            (Operation::Any(_) | Operation::All(_) | Operation::None(_), _) => {
                Some(TargetKind::plain(TargetType::Boolean))
            }
            (Operation::Concat(_) | Operation::ConcatDistinct(_), _) => Some(TargetKind::plain(TargetType::Text)),
            (
                Operation::Min
                | Operation::Max
                | Operation::First
                | Operation::Last
                | Operation::Nth(_)
                | Operation::Mode,
                _,
            ) => of_value(),
        }
    }

    /// The kind of the value at a path of the children, of the first source that has one
    fn of_path(&self, definition: &Definition, path: &str) -> Option<TargetKind> {
        definition.sources.iter().find_map(|source| {
            let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
            let mapped = match source.fields.iter().find(|(common, _)| common == name) {
                Some((_, Mapping::Constant(value))) => return of_constant(value),
                Some((_, Mapping::Nothing)) => return None,
                Some((_, Mapping::Path(field))) => match below {
                    Some(below) => format!("{field}.{below}"),
                    None => field.clone(),
                },
                None => path.to_owned(),
            };
            let found = self.schema.path(&source.child_object, &mapped).ok()?;
            TargetKind::of_field(found.field, found.part)
        })
    }

    fn of_expression(
        &self,
        definition: &'a Definition,
        expression: &'a Expression,
        asked: &mut BTreeSet<&'a str>,
    ) -> Option<TargetType> {
        use TargetType::{Currency, Date, Number};
        match expression {
            Expression::Number(_) => Some(Number),
            Expression::Today => Some(Date),
            Expression::Name(name) => self.of_name(definition, name, asked),
            Expression::Negative(inner) => self.of_expression(definition, inner, asked),
            Expression::Call(Function::Abs | Function::Round(_), arguments) => {
                self.of_expression(definition, arguments.first()?, asked)
            }
            // One that is not known may be told by the others, which are of one kind.
            Expression::Call(Function::Coalesce | Function::Least | Function::Greatest, arguments) => {
                arguments.iter().find_map(|argument| self.of_expression(definition, argument, asked))
            }
            Expression::Binary(operation, left, right) => {
                let left = self.of_expression(definition, left, asked);
                let right = self.of_expression(definition, right, asked);
                match (operation, left?, right?) {
                    (Arithmetic::Subtract, Date, Date) | (Arithmetic::Divide, Currency, Currency) => Some(Number),
                    (Arithmetic::Add | Arithmetic::Subtract, Date, _) | (Arithmetic::Add, _, Date) => Some(Date),
                    (Arithmetic::Divide, left, _) => Some(left),
                    (_, Currency, _) | (_, _, Currency) => Some(Currency),
                    _ => Some(Number),
                }
            }
        }
    }

    /// The kind of a total or a stored field as a formula reads it: an instant is its day
    fn of_name(&self, definition: &'a Definition, name: &'a str, asked: &mut BTreeSet<&'a str>) -> Option<TargetType> {
        let (first, part) = name.split_once('.').map_or((name, None), |(first, part)| (first, Some(part)));
        let own = definition.aggregations.iter().map(|aggregation| (definition, aggregation));
        let others = self.definitions.iter().filter(|other| other.parent_object == definition.parent_object);
        let written = others.flat_map(|other| {
            let fields = other.aggregations.iter().filter(|each| matches!(each.target, Target::Field(_)));
            fields.map(move |aggregation| (other, aggregation))
        });
        let total = own.chain(written).find(|(_, aggregation)| aggregation.target.name() == first);
        let kind = match (total, part) {
            (Some(_), Some("amountMicros")) => TargetType::Number,
            (Some(_), Some(_)) => TargetType::Text,
            (Some((definition, aggregation)), None) => {
                if !asked.insert(first) {
                    return None;
                }
                let kind = self.target(definition, aggregation, asked);
                asked.remove(first);
                kind?.kind
            }
            (None, _) => {
                let found = self.schema.path(&definition.parent_object, name).ok()?;
                TargetKind::of_field(found.field, found.part)?.kind
            }
        };
        Some(match kind {
            TargetType::Numeric => TargetType::Number,
            TargetType::DateTime => TargetType::Date,
            kind => kind,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a field over so")]
fn as_twenty_calls_it<S: Serializer>(kind: &TargetType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match kind {
        TargetType::Number => "NUMBER",
        TargetType::Numeric => "NUMERIC",
        TargetType::Currency => "CURRENCY",
        TargetType::Date => "DATE",
        TargetType::DateTime => "DATE_TIME",
        TargetType::Text => "TEXT",
        TargetType::Select => "SELECT",
        TargetType::MultiSelect => "MULTI_SELECT",
        TargetType::Array => "ARRAY",
        TargetType::Rating => "RATING",
        TargetType::Boolean => "BOOLEAN",
        TargetType::Uuid => "UUID",
        TargetType::Relation => "RELATION",
    })
}

/// Years are numbers, all other parts of a date have a name.
fn of_part(part: Unit) -> TargetType {
    match part {
        Unit::Year | Unit::FiscalYear | Unit::GiftAidYear => TargetType::Number,
        Unit::Day | Unit::Week | Unit::Month | Unit::Quarter => TargetType::Text,
    }
}

fn of_constant(value: &Value) -> Option<TargetKind> {
    Some(TargetKind::plain(match value {
        Value::Bool(_) => TargetType::Boolean,
        Value::Number(_) => TargetType::Number,
        Value::Text(_) => TargetType::Text,
        _ => return None,
    }))
}

fn of_case(case: &Case) -> TargetKind {
    let kind = case.cases.iter().map(|(_, value)| value).chain([&case.otherwise]).find_map(of_constant);
    kind.unwrap_or(TargetKind::plain(TargetType::Text))
}

/// The texts of a CASE, each once
fn texts(case: &Case) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for value in case.cases.iter().map(|(_, value)| value).chain([&case.otherwise]) {
        if let Some(text) = value.text().filter(|text| !texts.iter().any(|other| other == text)) {
            texts.push(text.to_owned());
        }
    }
    texts
}

/// Whether an object has the fields of a definition's relations, so that it can be offered
#[must_use]
pub fn has_relations(definition: &Definition, schema: &Schema) -> bool {
    let leads_to_parent = |child: &Object, path: &str| {
        let Ok(found) = schema.path(&child.names.singular, path) else { return false };
        found.part.is_none() && found.field.target.as_ref().is_none_or(|target| *target == definition.parent_object)
    };
    schema.object(&definition.parent_object).is_ok()
        && definition.sources.iter().all(|source| {
            schema.object(&source.child_object).is_ok_and(|child| leads_to_parent(child, &source.relation_field))
        })
}

#[cfg(test)]
mod tests {
    use super::super::model::{ChildValue, Condition, Joint, MixedCurrency, Source};
    use super::*;
    use serde_json::json;
    use twenty::decimal::Decimal;
    use twenty::schema::objects_of;

    fn schema() -> Schema {
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        let options = |name: &str, kind: &str, values: &[&str]| {
            let options: Vec<_> = values.iter().map(|value| json!({ "value": value })).collect();
            json!({ "name": name, "type": kind, "options": options })
        };
        let relation = |name: &str, target: &str| {
            json!({ "name": name, "type": "RELATION", "settings": { "joinColumnName": format!("{name}Id") },
                    "relation": { "targetObjectMetadata": { "nameSingular": target } } })
        };
        let body = json!({ "data": [
            { "nameSingular": "person", "namePlural": "people", "fields": [
                field("id", "UUID"), field("name", "FULL_NAME"), field("storedCount", "NUMBER"), field("goalAmount", "CURRENCY"),
                field("joinedAt", "DATE_TIME") ] },
            { "nameSingular": "appeal", "namePlural": "appeals", "fields": [
                options("channel", "SELECT", &["WEB", "POST"]), field("endDate", "DATE") ] },
            { "nameSingular": "gift", "namePlural": "gifts", "fields": [
                field("amount", "CURRENCY"), field("giftDate", "DATE"), field("receivedAt", "DATE_TIME"), field("score", "NUMBER"),
                field("status", "TEXT"), field("isTest", "BOOLEAN"), options("method", "SELECT", &["CARD", "CASH"]),
                options("tags", "MULTI_SELECT", &["A", "B"]), field("labels", "ARRAY"), field("stars", "RATING"),
                field("externalId", "UUID"), field("notes", "RAW_JSON"), field("exact", "NUMERIC"),
                relation("donor", "person"), relation("appeal", "appeal") ] },
        ] });
        Schema::new(objects_of(&body).unwrap().objects)
    }

    fn value(path: &str) -> ChildValue {
        ChildValue { path: path.into(), date_part: None, subtract: Vec::new(), percent: None, currency: None }
    }

    fn money() -> ChildValue {
        ChildValue { currency: Some("amount.currencyCode".into()), ..value("amount.amountMicros") }
    }

    fn part(path: &str, unit: Unit) -> ChildValue {
        ChildValue { date_part: Some(unit), ..value(path) }
    }

    fn children(operation: Operation, value: Option<ChildValue>) -> Children {
        Children {
            operation,
            filters: Condition::default(),
            distinct_by: None,
            order_by: Vec::new(),
            limit: None,
            value,
            mixed_currency: MixedCurrency::Leave,
            rate_date_field: None,
            group: None,
        }
    }

    fn grouped(
        operation: Operation,
        value: ChildValue,
        date_part: Option<Unit>,
        inner: InnerOperation,
        key: bool,
    ) -> Computation {
        let group = Group { field: "giftDate".into(), date_part, inner, having: None, returns_key: key };
        Computation::Children(Box::new(Children { group: Some(group), ..children(operation, Some(value)) }))
    }

    fn of(operation: Operation, value: Option<ChildValue>) -> Computation {
        Computation::Children(Box::new(children(operation, value)))
    }

    fn total(target: Target, computation: Computation) -> Aggregation {
        Aggregation { number: 0, target, computation, when_empty: None, decimals: 2, target_type: None, label: None }
    }

    fn field(name: &str, computation: Computation) -> Aggregation {
        total(Target::Field(name.into()), computation)
    }

    fn definition(aggregations: Vec<Aggregation>) -> Definition {
        let source = Source {
            name: "gift".into(),
            child_object: "gift".into(),
            relation_field: "donorId".into(),
            child_filters: Condition::default(),
            fields: Vec::new(),
        };
        Definition {
            name: None,
            parent_object: "person".into(),
            sources: vec![source],
            parent_filters: Condition::default(),
            child_filters: Condition::default(),
            aggregations,
        }
    }

    fn shown(kind: Option<&TargetKind>) -> String {
        let Some(kind) = kind else { return "unknown".into() };
        let json = serde_json::to_value(kind).unwrap();
        let options = json["options"]
            .as_array()
            .into_iter()
            .flatten()
            .fold(String::new(), |all, option| all + " " + option.as_str().unwrap());
        let target = json["target"].as_str().map_or_else(String::new, |target| format!(" {target}"));
        json["type"].as_str().unwrap().to_owned() + &options + &target
    }

    fn kind_of(computation: Computation) -> String {
        let definition = definition(vec![field("x", computation)]);
        shown(
            target_kind(std::slice::from_ref(&definition), &definition, &definition.aggregations[0], &schema())
                .as_ref(),
        )
    }

    #[test]
    fn each_operation_has_its_usual_kind() {
        use Operation::{
            All, Any, Avg, Concat, Count, CountDistinct, CurrentStreak, Last, Max, Median, Min, Mode, Nth, Percent,
            Range, Sum,
        };
        let joint = || Joint { delimiter: ", ".into(), max_length: 2_000 };
        for (computation, kind) in [
            (of(Count, None), "NUMBER"),
            (of(Count, Some(value("status"))), "NUMBER"),
            (of(CountDistinct, Some(part("giftDate", Unit::Month))), "NUMBER"),
            (of(CurrentStreak, Some(part("giftDate", Unit::Year))), "NUMBER"),
            (of(Sum, Some(money())), "CURRENCY"),
            (of(Sum, Some(value("amount.amountMicros"))), "NUMBER"),
            (of(Sum, Some(value("score"))), "NUMBER"),
            (of(Avg, Some(money())), "CURRENCY"),
            (of(Median, Some(value("score"))), "NUMBER"),
            (of(Range, Some(money())), "CURRENCY"),
            (of(Range, Some(value("giftDate"))), "NUMBER"),
            (of(Percent(Condition::default()), Some(value("amount.amountMicros"))), "NUMBER"),
            (of(Min, Some(value("giftDate"))), "DATE"),
            (of(Max, Some(value("receivedAt"))), "DATE_TIME"),
            (of(Max, Some(money())), "CURRENCY"),
            (of(Max, Some(value("amount.amountMicros"))), "NUMBER"),
            (of(Max, Some(value("exact"))), "NUMERIC"),
            (of(Min, Some(value("status"))), "TEXT"),
            (of(Min, Some(value("method"))), "SELECT CARD CASH"),
            (of(Max, Some(value("stars"))), "RATING"),
            (of(Max, Some(part("giftDate", Unit::FiscalYear))), "NUMBER"),
            (of(Max, Some(part("giftDate", Unit::Quarter))), "TEXT"),
            (of(Last, Some(money())), "CURRENCY"),
            (of(Last, Some(value("donor.name.lastName"))), "TEXT"),
            (of(Last, Some(value("appeal.channel"))), "SELECT WEB POST"),
            (of(Last, Some(value("appealId"))), "RELATION appeal"),
            (of(Nth(2), Some(value("tags"))), "MULTI_SELECT A B"),
            (of(Nth(2), Some(value("labels"))), "ARRAY"),
            (of(Mode, Some(value("isTest"))), "BOOLEAN"),
            (of(Mode, Some(value("externalId"))), "UUID"),
            (of(Mode, Some(value("notes"))), "unknown"),
            (of(Mode, Some(value("gone"))), "unknown"),
            (of(Mode, Some(value("appeal.gone"))), "unknown"),
            (of(Concat(joint()), Some(value("method"))), "TEXT"),
            (of(Any(Condition::default()), None), "BOOLEAN"),
            (of(All(Condition::default()), None), "BOOLEAN"),
            (grouped(Max, money(), Some(Unit::Year), InnerOperation::Sum, false), "CURRENCY"),
            (grouped(Max, money(), Some(Unit::Year), InnerOperation::Count, false), "NUMBER"),
            (grouped(Avg, money(), Some(Unit::Year), InnerOperation::Count, false), "NUMBER"),
            (grouped(Count, money(), Some(Unit::Year), InnerOperation::Sum, false), "NUMBER"),
            (grouped(Max, money(), Some(Unit::Year), InnerOperation::Sum, true), "NUMBER"),
            (grouped(Min, money(), Some(Unit::Month), InnerOperation::Sum, true), "TEXT"),
            (grouped(Min, money(), None, InnerOperation::Sum, true), "DATE"),
            (grouped(Min, value("giftDate"), Some(Unit::Year), InnerOperation::Max, false), "DATE"),
        ] {
            assert_eq!(kind_of(computation.clone()), kind, "{computation:?}");
        }
    }

    #[test]
    fn cases_have_the_kind_of_their_values() {
        let case = |values: [Value; 2], otherwise: Value| {
            let cases = values.map(|value| (Condition::default(), value)).to_vec();
            Case { cases, otherwise }
        };
        let text = |text: &str| Value::Text(text.into());
        let number = Value::Number(Decimal::from_integer(3));
        for (case, kind) in [
            (case([text("NEW"), text("LYBUNT")], Value::Null), "TEXT"),
            (case([number, Value::Null], Value::Null), "NUMBER"),
            (case([Value::Null, Value::Null], Value::Bool(false)), "BOOLEAN"),
        ] {
            assert_eq!(kind_of(Computation::Case(case)), kind);
        }
        let mut status = field("status", Computation::Case(case([text("NEW"), text("OLD")], text("NEW"))));
        status.target_type = Some(TargetType::Select);
        let definition = definition(vec![status]);
        let kind = target_kind(std::slice::from_ref(&definition), &definition, &definition.aggregations[0], &schema());
        assert_eq!(shown(kind.as_ref()), "SELECT NEW OLD");
    }

    #[test]
    fn stated_kinds_come_first() {
        for (stated, path, kind) in [
            (TargetType::DateTime, "giftDate", "DATE_TIME"),
            (TargetType::Text, "method", "TEXT"),
            (TargetType::MultiSelect, "method", "MULTI_SELECT CARD CASH"),
            (TargetType::MultiSelect, "status", "MULTI_SELECT"),
            (TargetType::Rating, "stars", "RATING"),
        ] {
            let mut aggregation = field("x", of(Operation::Last, Some(value(path))));
            aggregation.target_type = Some(stated);
            let definition = definition(vec![aggregation]);
            let found =
                target_kind(std::slice::from_ref(&definition), &definition, &definition.aggregations[0], &schema());
            assert_eq!(shown(found.as_ref()), kind, "{stated:?}");
        }
    }

    #[test]
    fn formulas_have_the_kind_of_what_they_read() {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        let name = |name: &str| Box::new(Expression::Name(name.into()));
        let binary = |operation, left, right| Expression::Binary(operation, left, right);
        let number = || Box::new(Expression::Number(Decimal::from_integer(2)));
        let today = || Box::new(Expression::Today);
        let other = definition(vec![field("elsewhere", of(Operation::Sum, Some(money())))]);
        for (formula, kind) in [
            (binary(Subtract, name("given"), name("goalAmount")), "CURRENCY"),
            (binary(Divide, name("given"), name("goalAmount")), "NUMBER"),
            (binary(Divide, name("elsewhere"), name("storedCount")), "CURRENCY"),
            (binary(Multiply, number(), name("given")), "CURRENCY"),
            (binary(Divide, name("given.amountMicros"), number()), "NUMBER"),
            (binary(Subtract, today(), name("lastDate")), "NUMBER"),
            (binary(Subtract, today(), name("joinedAt")), "NUMBER"),
            (binary(Add, name("lastDate"), number()), "DATE"),
            (Expression::Call(Function::Coalesce, vec![*name("lastDate"), *today()]), "DATE"),
            (Expression::Call(Function::Round(1), vec![Expression::Negative(name("doubled"))]), "CURRENCY"),
            (binary(Add, name("nothing"), number()), "unknown"),
            (binary(Add, name("x"), number()), "unknown"),
        ] {
            let aggregations = vec![
                total(Target::Named("given".into()), of(Operation::Sum, Some(money()))),
                total(Target::Named("lastDate".into()), of(Operation::Max, Some(value("receivedAt")))),
                total(Target::Named("doubled".into()), Computation::Formula(binary(Multiply, name("given"), number()))),
                field("x", Computation::Formula(formula.clone())),
            ];
            let definition = definition(aggregations);
            let all = [definition.clone(), other.clone()];
            let found = target_kind(&all, &definition, &definition.aggregations[3], &schema());
            assert_eq!(shown(found.as_ref()), kind, "{formula:?}");
        }
    }

    #[test]
    fn values_of_several_sources() {
        let mut mixed = definition(vec![field("x", of(Operation::Last, Some(value("what"))))]);
        let mut appeal = mixed.sources[0].clone();
        mixed.sources[0].fields = vec![("what".into(), Mapping::Nothing)];
        appeal.child_object = "appeal".into();
        appeal.fields = vec![("what".into(), Mapping::Path("endDate".into()))];
        mixed.sources.push(appeal);
        let kind = |definition: &Definition| {
            shown(
                target_kind(std::slice::from_ref(definition), definition, &definition.aggregations[0], &schema())
                    .as_ref(),
            )
        };
        assert_eq!(kind(&mixed), "DATE");
        mixed.sources[0].fields = vec![("what".into(), Mapping::Constant(Value::Text("gift".into())))];
        assert_eq!(kind(&mixed), "TEXT");
        mixed.sources[0].fields = vec![("what".into(), Mapping::Path("amount".into()))];
        mixed.aggregations = vec![field("x", of(Operation::Max, Some(value("what.amountMicros"))))];
        assert_eq!(kind(&mixed), "NUMBER");
    }

    #[test]
    fn missing_fields_come_once() {
        let mut labelled = field("giftCount", of(Operation::Count, None));
        labelled.label = Some("Gifts".into());
        let aggregations = vec![
            labelled,
            field("storedCount", of(Operation::Count, None)),
            total(Target::Named("hidden".into()), of(Operation::Count, None)),
            field("lastAppealId", of(Operation::Last, Some(value("appealId")))),
        ];
        let mut nowhere = definition(vec![field("n", of(Operation::Count, None))]);
        nowhere.parent_object = "household".into();
        let mut of_nothing = definition(vec![field("n", of(Operation::Count, None))]);
        of_nothing.sources[0].child_object = "pledge".into();
        let all = [nowhere, of_nothing, definition(aggregations.clone()), definition(aggregations)];
        assert_eq!(
            serde_json::to_value(missing_fields(&all, &schema())).unwrap(),
            json!([
                { "object": "person", "field": "giftCount", "label": "Gifts", "type": "NUMBER" },
                { "object": "person", "field": "lastAppeal", "label": null,
                  "type": "RELATION", "target": "appeal" },
            ])
        );
    }

    #[test]
    fn relations_of_a_definition() {
        let with = |change: fn(&mut Definition)| {
            let mut definition = definition(Vec::new());
            change(&mut definition);
            has_relations(&definition, &schema())
        };
        assert!(with(|_| {}));
        assert!(!with(|definition| definition.sources[0].relation_field = "companyId".into()));
        assert!(!with(|definition| definition.sources[0].relation_field = "appealId".into()));
        assert!(!with(|definition| definition.sources[0].relation_field = "donor.householdId".into()));
        assert!(!with(|definition| definition.parent_object = "household".into()));
        assert!(!with(|definition| definition.sources[0].child_object = "pledge".into()));
        assert!(with(|definition| definition.sources[0].relation_field = "donor.id".into()));
    }
}
