//! The shape of a configuration, as types: `pkg/rollups.schema.json` is made from them, and the package's TypeScript types
//! are made from that file.
//!
//! The engine reads a configuration by hand, because it names every fault by its place and finds all of them at once. The
//! tests below hold the reader and the shape together: the same keys and the same words.

#![expect(dead_code, reason = "types that nothing but their schema is made of")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

/// The JSON Schema of `rollups.json`
///
/// ```
/// let schema = rollup::shape::schema();
/// assert_eq!(schema.get("title").unwrap(), "rollups.json");
/// ```
#[must_use]
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(simplify));
    settings.into_generator().into_root_schema_for::<File>()
}

/// Drops Rust's number formats, which validators do not know, and defaults that say nothing.
fn simplify(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("default").is_some_and(Json::is_null) {
        schema.remove("default");
    }
}

/// Which totals a Twenty workspace keeps on its records: a list of definitions, or an object with the list and the settings.
#[derive(JsonSchema)]
#[schemars(title = "rollups.json", untagged)]
enum File {
    List(Vec<Definition>),
    Object(Configuration),
}

/// Name of an object or of a field, as in Twenty's API.
#[derive(JsonSchema)]
struct Name(#[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9_]*$"))] String);

/// Path of a value in a record: names joined by points, such as `amount.amountMicros`.
#[derive(JsonSchema)]
struct FieldPath(#[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$"))] String);

/// Plural name of an object, as in Twenty's API.
#[derive(JsonSchema)]
struct PluralName(#[schemars(regex(pattern = "^[A-Za-z0-9]+$"))] String);

/// A value that a condition compares with: a text, a number, true, false, or null for an empty field.
struct Scalar;

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value that a condition compares with; null for an empty field.",
            "type": ["string", "number", "boolean", "null"],
        })
    }
}

/// A text or a number.
struct Ordered;

impl JsonSchema for Ordered {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ordered".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

/// Nothing at all: a key that must be absent.
#[derive(Default)]
struct Absent;

impl JsonSchema for Absent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Absent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(false)
    }
}

/// The definitions with the settings: what `rollups.json` holds.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Configuration {
    /// Where this schema is, for editors.
    #[schemars(rename = "$schema", default, with = "String")]
    schema: Option<String>,
    /// The definitions. Totals of totals are computed in the right order by themselves.
    definitions: Vec<Definition>,
    /// IANA time zone that days begin in; UTC if there is none.
    #[schemars(default, with = "String", length(min = 1), extend("default" = "UTC", "examples" = ["Europe/London"]))]
    time_zone: Option<String>,
    /// Month that the fiscal year begins with, 1 to 12; January if there is none.
    #[schemars(default, with = "u8", range(min = 1, max = 12), extend("default" = 1))]
    fiscal_year_start_month: Option<u8>,
    /// What becomes of a field of money whose amounts are in several currencies.
    #[schemars(default, with = "MixedCurrency", extend("default" = "leave"))]
    mixed_currency: Option<MixedCurrency>,
    /// Plural names of objects, by their singular, for tokens that may not read the metadata.
    #[schemars(default, with = "BTreeMap<String, PluralName>", extend("examples" = [{ "person": "people" }]))]
    objects: Option<BTreeMap<String, PluralName>>,
    /// How fast requests are made.
    #[schemars(default, with = "Pacing")]
    pacing: Option<Pacing>,
    /// Whether GraphQL is used, where the server has it.
    #[schemars(default, with = "Graphql", extend("default" = "auto"))]
    graphql: Option<Graphql>,
    /// How a rebuild goes about it; what the engine finds best if there is none.
    #[schemars(default, with = "Rebuild")]
    rebuild: Option<Rebuild>,
}

/// What becomes of a field of money whose amounts are in several currencies: it stays, or is emptied.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
enum MixedCurrency {
    Leave,
    Clear,
}

/// Whether GraphQL is used, where the server has it.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Graphql {
    Auto,
    Off,
}

/// How fast requests are made.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Pacing {
    /// Records a page, at most 200.
    #[schemars(default, with = "u32", range(min = 1, max = 200), extend("default" = 200))]
    page_size: Option<u32>,
    /// Requests that may be under way at once.
    #[schemars(default, with = "u32", range(min = 1, max = 20), extend("default" = 4))]
    concurrency: Option<u32>,
    /// Least time between two requests, in milliseconds.
    #[schemars(default, with = "u32", range(min = 0, max = 60_000), extend("default" = 0))]
    pause_ms: Option<u32>,
    /// Requests a minute, on average.
    #[schemars(default, with = "u32", range(min = 1, max = 100_000), extend("default" = 80))]
    requests_per_minute: Option<u32>,
    /// Requests that a rebuild may open with.
    #[schemars(default, with = "u32", range(min = 1, max = 100_000), extend("default" = 80))]
    burst: Option<u32>,
}

/// The plainest way of rebuilding: each run takes so many parents, and the next one goes on behind them.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Rebuild {
    /// Parents that one run takes.
    #[schemars(default, with = "u32", range(min = 1, max = 10_000))]
    parents_per_run: Option<u32>,
}

/// Which totals the parents of one relation carry, computed from which children.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    /// Object that carries the totals, in the singular: `person`.
    #[schemars(extend("examples" = ["person"]))]
    parent_object: Name,
    /// Object that is counted, in the singular: `gift`.
    #[schemars(extend("examples" = ["gift"]))]
    child_object: Name,
    /// Field of the child that holds the parent's id: `donorId`.
    #[schemars(extend("examples" = ["donorId"]))]
    relation_field: Name,
    /// Conditions that a child has to meet to be counted at all.
    child_filters: Option<Vec<Condition>>,
    /// The totals.
    #[schemars(length(min = 1))]
    aggregations: Vec<Aggregation>,
    /// A name, for the reader.
    #[schemars(default, with = "String")]
    name: Option<String>,
    /// A description, for the reader.
    #[schemars(default, with = "String")]
    description: Option<String>,
}

/// One total.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Aggregation {
    Count(CountAggregation),
    Sum(SumAggregation),
    Value(ValueAggregation),
}

/// How many children there are; with a `childField`, how many have a value there.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct CountAggregation {
    /// The number of children.
    r#type: CountType,
    /// Field of the parent that receives the total; no two totals may share one.
    #[schemars(extend("examples" = ["lifetimeGiftCount"]))]
    parent_field: Name,
    /// Path of a value in a child; children where it is empty are not counted.
    child_field: Option<FieldPath>,
    /// A count is no amount of money.
    #[schemars(default)]
    currency_field: (),
    /// Nothing is taken off a count; a condition with a `subtractField` leaves children out.
    #[schemars(default)]
    subtract_field: (),
    /// Further conditions on a child, for this total alone.
    filters: Option<Vec<Condition>>,
}

/// The sum of the children's values.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct SumAggregation {
    /// The sum.
    r#type: SumType,
    /// Field of the parent that receives the total; no two totals may share one.
    #[schemars(extend("examples" = ["lifetimeGiftAmount"]))]
    parent_field: Name,
    /// Path of the value in a child.
    #[schemars(extend("examples" = ["amount.amountMicros"]))]
    child_field: FieldPath,
    /// Path of the currency code that belongs to the value; makes the total an amount of money.
    currency_field: Option<FieldPath>,
    /// Path of an amount that is taken off each value, such as what was refunded of a gift.
    #[schemars(extend("examples" = ["refundedAmount.amountMicros"]))]
    subtract_field: Option<FieldPath>,
    /// Further conditions on a child, for this total alone.
    filters: Option<Vec<Condition>>,
}

/// One value made of the children's: their mean, the least or the greatest.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ValueAggregation {
    /// The mean, the least or the greatest.
    r#type: ValueType,
    /// Field of the parent that receives the total; no two totals may share one.
    #[schemars(extend("examples" = ["lastGiftDate"]))]
    parent_field: Name,
    /// Path of the value in a child.
    child_field: FieldPath,
    /// Path of the currency code that belongs to the value; makes the total an amount of money.
    currency_field: Option<FieldPath>,
    /// Only a SUM subtracts.
    #[schemars(default)]
    subtract_field: (),
    /// Further conditions on a child, for this total alone.
    filters: Option<Vec<Condition>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE", inline)]
enum CountType {
    Count,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE", inline)]
enum SumType {
    Sum,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE", inline)]
enum ValueType {
    Avg,
    Min,
    Max,
}

/// A condition on a child.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Condition {
    Equality(EqualityCondition),
    Order(OrderCondition),
    List(ListCondition),
}

/// The same, or not: `notEquals` includes children where the field is empty.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum EqualityCondition {
    Value(EqualsValue),
    Day(EqualsDay),
}

/// Greater or less: never holds for a child where the field is empty.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OrderCondition {
    Value(OrderedByValue),
    Day(OrderedByDay),
}

/// Whether a field has a value.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct EqualsValue {
    /// Path of the value of the child that is compared.
    field: FieldPath,
    /// Path of an amount that is taken off the value before it is compared.
    subtract_field: Option<FieldPath>,
    /// `notEquals` includes children where the field is empty.
    operator: Equality,
    /// What the field is compared with.
    value: Scalar,
    /// There is a `value`.
    #[schemars(default)]
    dynamic_value: Absent,
}

/// Whether a field is a certain day.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct EqualsDay {
    /// Path of the value of the child that is compared.
    field: FieldPath,
    /// Path of an amount that is taken off the value before it is compared.
    subtract_field: Option<FieldPath>,
    /// `notEquals` includes children where the field is empty.
    operator: Equality,
    /// There is a `dynamicValue`.
    #[schemars(default)]
    value: Absent,
    /// What the field is compared with.
    dynamic_value: DynamicDay,
}

/// Whether a field is greater or less than a value.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct OrderedByValue {
    /// Path of the value of the child that is compared.
    field: FieldPath,
    /// Path of an amount that is taken off the value before it is compared.
    subtract_field: Option<FieldPath>,
    /// Never holds for a child where the field is empty.
    operator: Order,
    /// What the field is compared with.
    value: Ordered,
    /// There is a `value`.
    #[schemars(default)]
    dynamic_value: Absent,
}

/// Whether a field is before or after a day.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct OrderedByDay {
    /// Path of the value of the child that is compared.
    field: FieldPath,
    /// Path of an amount that is taken off the value before it is compared.
    subtract_field: Option<FieldPath>,
    /// Never holds for a child where the field is empty.
    operator: Order,
    /// There is a `dynamicValue`.
    #[schemars(default)]
    value: Absent,
    /// What the field is compared with.
    dynamic_value: DynamicDay,
}

/// One of a list, or none: `notIn` includes children where the field is empty.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ListCondition {
    /// Path of the value of the child that is compared.
    field: FieldPath,
    /// Path of an amount that is taken off the value before it is compared.
    subtract_field: Option<FieldPath>,
    /// `notIn` includes children where the field is empty.
    operator: Membership,
    /// The list.
    value: Vec<Scalar>,
    /// There is a `value`.
    #[schemars(default)]
    dynamic_value: Absent,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Equality {
    Equals,
    NotEquals,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Order {
    Gt,
    Gte,
    Lt,
    Lte,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Membership {
    In,
    NotIn,
}

/// A day that moves with the calendar of the configured time zone.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
enum DynamicDay {
    Today,
    StartOfMonth,
    StartOfYear,
    StartOfFiscalYear,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config;
    use crate::definitions::parse::{AGGREGATION_KEYS, CONDITION_KEYS, DEFINITION_KEYS};
    use crate::definitions::{DynamicDate, Kind, Operator};

    const FILE: &str = include_str!("../../../pkg/rollups.schema.json");

    /// The schemas of a `$defs` entry: of each alternative, where it has several
    fn variants(schema: &Json, name: &str) -> Vec<Json> {
        let found = &schema["$defs"][name];
        let Some(alternatives) = found["anyOf"].as_array() else { return vec![found.clone()] };
        let names = alternatives.iter().filter_map(|each| each["$ref"].as_str()?.strip_prefix("#/$defs/"));
        names.flat_map(|name| variants(schema, name)).collect()
    }

    fn properties(name: &str) -> BTreeSet<String> {
        let schema = schema().to_value();
        let of = |variant: &Json| variant["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        variants(&schema, name).iter().flat_map(of).collect()
    }

    /// The words that a property may be, over all alternatives
    fn words(name: &str, property: &str) -> BTreeSet<String> {
        let schema = schema().to_value();
        let of = |variant: &Json| {
            let property = &variant["properties"][property];
            let target = property["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/"));
            let property = target.map_or(property, |target| &schema["$defs"][target]);
            let list = property["enum"].as_array().cloned().unwrap_or_default();
            list.iter().chain(property.get("const")).filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        variants(&schema, name).iter().flat_map(of).collect()
    }

    fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        names.into_iter().map(str::to_owned).collect()
    }

    /// `npm run schema` writes the file.
    #[test]
    fn schema_file_is_current() {
        let file: Json = serde_json::from_str(FILE).unwrap();
        assert!(file == schema().to_value(), "rollups.schema.json differs from the types: run `npm run schema`");
    }

    #[test]
    fn reader_and_shape_have_the_same_keys() {
        assert_eq!(properties("Configuration"), set(config::KEYS));
        assert_eq!(properties("Pacing"), set(config::PACING_KEYS));
        assert_eq!(properties("Rebuild"), set(config::REBUILD_KEYS));
        assert_eq!(properties("Definition"), set(DEFINITION_KEYS));
        assert_eq!(properties("Aggregation"), set(AGGREGATION_KEYS));
        assert_eq!(properties("Condition"), set(CONDITION_KEYS));
    }

    #[test]
    fn reader_and_shape_have_the_same_words() {
        assert_eq!(words("Aggregation", "type"), set(Kind::ALL.map(|(name, _)| name)));
        assert_eq!(words("Condition", "operator"), set(Operator::ALL.map(|(name, _)| name)));
        assert_eq!(words("Condition", "dynamicValue"), set(DynamicDate::ALL.map(|(name, _)| name)));
    }
}
