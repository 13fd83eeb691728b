//! What is wrong with a definition is said with its place, what was found and what was expected.

use proptest::prelude::*;
use rollup::definition::fault::Fault;
use rollup::definition::parse::parse;
use serde_json::{Map, Value, json};

fn shown(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

fn faults(configuration: &Value) -> Vec<String> {
    parse(configuration).map_or_else(|faults| shown(&faults), |_| Vec::new())
}

/// An object with other entries; what is null is left out
fn with(object: Value, changes: Value) -> Value {
    let (Value::Object(mut object), Value::Object(changes)) = (object, changes) else { unreachable!() };
    for (key, value) in changes {
        match value {
            Value::Null => drop(object.remove(&key)),
            value => drop(object.insert(key, value)),
        }
    }
    Value::Object(object)
}

fn definition(changes: Value) -> Value {
    let sound = json!({
        "parentObject": "person", "childObject": "gift", "relationField": "donorId",
        "aggregations": [{ "type": "COUNT", "parentField": "giftCount" }],
    });
    with(sound, changes)
}

fn aggregation(total: Value) -> Value {
    definition(json!({ "aggregations": [with(json!({ "parentField": "x" }), total)] }))
}

/// A total of a type that lacks nothing
fn sound(kind: &str) -> Value {
    match kind {
        "COUNT" => json!({ "type": kind }),
        "ANY" | "ALL" | "NONE" | "PERCENT" => {
            json!({ "type": kind, "condition": { "field": "a", "operator": "isEmpty" } })
        }
        "FIRST" | "LAST" => json!({ "type": kind, "childField": "a", "orderBy": [{ "field": "giftDate" }] }),
        "NTH" => json!({ "type": kind, "n": 2, "childField": "a", "orderBy": [{ "field": "giftDate" }] }),
        "FORMULA" => json!({ "type": kind, "expression": "a + b" }),
        "CASE" => json!({ "type": kind, "cases": [{ "when": { "field": "a", "operator": "isEmpty" }, "value": "A" }] }),
        kind => json!({ "type": kind, "childField": "a" }),
    }
}

const TYPES: [&str; 22] = [
    "COUNT",
    "COUNT_DISTINCT",
    "SUM",
    "AVG",
    "MEDIAN",
    "MIN",
    "MAX",
    "RANGE",
    "FIRST",
    "LAST",
    "NTH",
    "MODE",
    "CONCAT",
    "CONCAT_DISTINCT",
    "ANY",
    "ALL",
    "NONE",
    "PERCENT",
    "CURRENT_STREAK",
    "LONGEST_STREAK",
    "FORMULA",
    "CASE",
];

/// Each of these has one fault, at this place and with these parts
fn check(configuration: &Value, place: &str, parts: &[&str]) {
    let found = faults(configuration);
    assert_eq!(found.len(), 1, "{configuration}: {found:?}");
    let fault = found.concat();
    let message = fault.strip_prefix(&format!("{place}: ")).unwrap_or_default();
    assert!(!message.is_empty(), "{place} in {found:?} of {configuration}");
    for part in parts {
        assert!(message.contains(part), "{part} in {found:?} of {configuration}");
    }
}

#[test]
fn every_type_has_a_sound_form() {
    for kind in TYPES {
        assert_eq!(faults(&json!([aggregation(sound(kind))])), Vec::<String>::new(), "{kind}");
    }
}

/// A sound total of a type with these changes has one fault
fn check_total(kind: &str, changes: Value, place: &str, parts: &[&str]) {
    let total = with(with(json!({ "parentField": "x" }), sound(kind)), changes);
    let configuration = json!([definition(json!({ "aggregations": [total] }))]);
    check(&configuration, &format!("definition 0, aggregation 0, {place}"), parts);
}

#[test]
fn faults_of_totals() {
    for (kind, changes, place, parts) in [
        ("COUNT", json!({ "type": "count_distinct" }), "type", &["count_distinct", "`COUNT_DISTINCT`"][..]),
        ("COUNT", json!({ "type": "STDDEV" }), "type", &["STDDEV", "`COUNT`", "`CASE`"]),
        ("COUNT", json!({ "type": 7 }), "type", &["a number"]),
        ("COUNT", json!({ "labl": "x" }), "labl", &["`label`"]),
        ("COUNT", json!({ "parentField": "a.b" }), "parentField", &["`a.b` is no name"]),
        ("COUNT", json!({ "parentField": null, "as": "a-b" }), "as", &["`a-b` is no name"]),
        ("COUNT", json!({ "parentField": null }), "parentField", &["`parentField`", "`as`", "`perCurrency`"]),
        ("SUM", json!({ "as": "y" }), "as", &["`parentField`", "`as`"]),
        ("SUM", json!({ "childField": null }), "childField", &["SUM"]),
        ("LONGEST_STREAK", json!({ "childField": null }), "childField", &["LONGEST_STREAK"]),
        ("MODE", json!({ "childField": "a.b.c.d.e.f" }), "childField", &["a.b.c.d.e.f", "at most 3 relations"]),
        ("MODE", json!({ "distinctBy": "a." }), "distinctBy", &["`a.` is no path"]),
        ("ANY", json!({ "childField": "a" }), "childField", &["ANY", "SUM"]),
        ("ANY", json!({ "condition": null }), "condition", &["ANY"]),
        ("PERCENT", json!({ "condition": null }), "condition", &["PERCENT"]),
        ("PERCENT", json!({ "currencyField": "b" }), "currencyField", &["childField"]),
        ("SUM", json!({ "condition": [] }), "condition", &["SUM", "`filters`", "`ANY`"]),
        ("SUM", json!({ "currencyField": "amount.amountMicros" }), "currencyField", &["amount.currencyCode"]),
        ("SUM", json!({ "subtractField": ["b", "c..d"] }), "subtractField 1", &["c..d"]),
        ("SUM", json!({ "subtractField": [] }), "subtractField", &["an empty list"]),
        ("SUM", json!({ "percentField": 5 }), "percentField", &["a number"]),
        ("MODE", json!({ "percentField": "b" }), "percentField", &["MODE"]),
        ("CONCAT", json!({ "subtractField": "b" }), "subtractField", &["CONCAT"]),
        ("ALL", json!({ "currencyField": "b" }), "currencyField", &["ALL"]),
        ("MAX", json!({ "datePart": "yaer" }), "datePart", &["yaer", "`year`"]),
        ("MAX", json!({ "datePart": "decade" }), "datePart", &["decade", "`giftAidYear`"]),
        ("MAX", json!({ "datePart": "year", "currencyField": "b" }), "datePart", &["currencyField"]),
        ("MEDIAN", json!({ "datePart": "year" }), "datePart", &["MEDIAN", "`CURRENT_STREAK`"]),
        ("NTH", json!({ "n": null }), "n", &["NTH"]),
        ("NTH", json!({ "n": 0 }), "n", &["0", "NTH"]),
        ("NTH", json!({ "n": 1.5 }), "n", &["1.5"]),
        ("FIRST", json!({ "n": 1 }), "n", &["FIRST", "`NTH`"]),
        ("NTH", json!({ "orderBy": null }), "orderBy", &["NTH"]),
        ("FIRST", json!({ "orderBy": {} }), "orderBy", &["an object"]),
        ("SUM", json!({ "orderBy": [] }), "orderBy", &["an empty list"]),
        ("SUM", json!({ "orderBy": ["a"] }), "orderBy 0", &["an object", "a text"]),
        ("SUM", json!({ "orderBy": [{ "field": "a" }, {}] }), "orderBy 1, field", &["missing"]),
        (
            "LAST",
            json!({ "orderBy": [{ "field": "a" }, { "field": "b", "direction": "DESC" }] }),
            "orderBy 1, direction",
            &["`DESC`", "`desc`"],
        ),
        ("LAST", json!({ "orderBy": [{ "field": "a", "nulls": "firs" }] }), "orderBy 0, nulls", &["`firs`", "`first`"]),
        ("COUNT", json!({ "limit": 3 }), "limit", &["orderBy"]),
        ("COUNT", json!({ "limit": 0, "orderBy": [{ "field": "a" }] }), "limit", &["0", "1 to"]),
        ("NTH", json!({ "limit": 3 }), "limit", &["NTH"]),
        ("FIRST", json!({ "limit": 3 }), "limit", &["FIRST", "NTH"]),
        ("MODE", json!({ "groupBy": { "field": "a", "type": "SUM" } }), "groupBy", &["MODE", "`MEDIAN`"]),
        ("MAX", json!({ "groupBy": { "field": "a", "type": "MEDIAN" } }), "groupBy, type", &["MEDIAN", "`AVG`"]),
        ("MAX", json!({ "groupBy": { "field": "a", "typ": "SUM", "type": "SUM" } }), "groupBy, typ", &["`type`"]),
        ("MAX", json!({ "groupBy": { "type": "SUM" } }), "groupBy, field", &["missing"]),
        ("MAX", json!({ "groupBy": "giftDate" }), "groupBy", &["an object", "a text"]),
        ("COUNT", json!({ "groupBy": { "field": "a", "type": "AVG" } }), "childField", &["groupBy", "AVG"]),
        ("MAX", json!({ "returns": "key" }), "returns", &["groupBy"]),
        (
            "SUM",
            json!({ "returns": "key", "groupBy": { "field": "a", "type": "SUM" } }),
            "returns",
            &["SUM", "`MIN`", "`MAX`"],
        ),
        ("MAX", json!({ "returns": "keys", "groupBy": { "field": "a", "type": "SUM" } }), "returns", &["`key`"]),
        ("SUM", json!({ "having": { "operator": "gt", "value": 1 } }), "having", &["groupBy"]),
        (
            "SUM",
            json!({ "having": { "operator": "contains", "value": "a" }, "groupBy": { "field": "a", "type": "SUM" } }),
            "having, operator",
            &["contains", "`between`"],
        ),
        (
            "SUM",
            json!({ "having": { "operator": "between", "value": 1 }, "groupBy": { "field": "a", "type": "SUM" } }),
            "having, value",
            &["between"],
        ),
        ("SUM", json!({ "delimiter": ";" }), "delimiter", &["SUM", "`CONCAT`"]),
        ("CONCAT", json!({ "delimiter": 5 }), "delimiter", &["a number"]),
        ("CONCAT", json!({ "maxLength": -1 }), "maxLength", &["-1"]),
        ("MIN", json!({ "decimals": 1 }), "decimals", &["MIN", "`AVG`"]),
        ("AVG", json!({ "decimals": 13 }), "decimals", &["13", "0 to 12"]),
    ] {
        check_total(kind, changes, place, parts);
    }
}

#[test]
fn faults_of_formulas_cases_and_targets() {
    for (kind, changes, place, parts) in [
        ("FORMULA", json!({ "expression": null }), "expression", &["FORMULA", "missing"][..]),
        ("FORMULA", json!({ "expression": "a +* b" }), "expression", &["a +* b"]),
        ("FORMULA", json!({ "expression": "avrage(a)" }), "expression", &["avrage", "`coalesce`"]),
        ("FORMULA", json!({ "childField": "a" }), "childField", &["FORMULA"]),
        ("FORMULA", json!({ "cases": [] }), "cases", &["FORMULA", "`CASE`"]),
        ("CASE", json!({ "expression": "a" }), "expression", &["CASE", "`FORMULA`"]),
        ("CASE", json!({ "cases": [] }), "cases", &["CASE"]),
        ("CASE", json!({ "cases": [{ "value": 1 }] }), "cases 0, when", &["missing"]),
        ("CASE", json!({ "cases": [{ "when": [] }] }), "cases 0, value", &["missing"]),
        ("CASE", json!({ "cases": [{ "when": [], "value": [1] }] }), "cases 0, value", &["a list"]),
        ("CASE", json!({ "cases": [{ "when": [], "then": 1, "value": 1 }] }), "cases 0, then", &["`when`"]),
        ("CASE", json!({ "else": 5 }), "else", &["cases", "a number", "a text"]),
        (
            "CASE",
            json!({ "cases": [{ "when": [{ "field": "a", "operator": "equals" }], "value": 1 }] }),
            "cases 0, when 0, value",
            &["equals"],
        ),
        ("CASE", json!({ "whenEmpty": "A" }), "whenEmpty", &["CASE", "`else`"]),
        ("COUNT", json!({ "whenEmpty": [] }), "whenEmpty", &["COUNT", "[]"]),
        ("ANY", json!({ "whenEmpty": 0 }), "whenEmpty", &["ANY", "true or false"]),
        ("CONCAT", json!({ "whenEmpty": 0 }), "whenEmpty", &["CONCAT", "a text"]),
        ("MIN", json!({ "whenEmpty": true }), "whenEmpty", &["MIN"]),
        ("MAX", json!({ "datePart": "fiscalYear", "whenEmpty": "none" }), "whenEmpty", &["MAX", "a number"]),
        ("FORMULA", json!({ "whenEmpty": "none" }), "whenEmpty", &["FORMULA"]),
        ("FIRST", json!({ "currencyField": "c", "whenEmpty": -1 }), "whenEmpty", &["FIRST", "0", "null"]),
        ("COUNT", json!({ "targetType": "INTEGER" }), "targetType", &["INTEGER", "`NUMBER`"]),
        ("COUNT", json!({ "targetType": "multi_select" }), "targetType", &["`MULTI_SELECT`"]),
        ("COUNT", json!({ "label": "" }), "label", &["an empty text"]),
    ] {
        check_total(kind, changes, place, parts);
    }
}

#[test]
fn faults_of_conditions() {
    let compare = |rest: Value| with(json!({ "field": "a", "operator": "equals" }), rest);
    for (condition, place, parts) in [
        (compare(json!({ "operator": "equal", "value": 1 })), ", operator", &["`equal`", "`equals`"][..]),
        (compare(json!({ "operator": null, "value": 1 })), ", operator", &["missing"]),
        (compare(json!({ "field": null, "value": 1 })), ", field", &["missing"]),
        (compare(json!({ "field": "a.b.c.d.e.f", "value": 1 })), ", field", &["a.b.c.d.e.f"]),
        (compare(json!({ "val": 1, "value": 1 })), ", val", &["`value`"]),
        (compare(json!({})), ", value", &["`value`", "`dynamicValue`", "`valueField`", "equals"]),
        (compare(json!({ "value": 1, "valueField": "b" })), ", valueField", &["`value`", "`valueField`", "equals"]),
        (
            compare(json!({ "value": 1, "valueField": "b", "dynamicValue": "today" })),
            ", valueField",
            &["`value`", "`dynamicValue`", "`valueField`"],
        ),
        (compare(json!({ "operator": "isNotEmpty", "valueField": "b" })), ", valueField", &["isNotEmpty"]),
        (compare(json!({ "operator": "isEmpty", "dynamicValue": "today" })), ", dynamicValue", &["isEmpty"]),
        (compare(json!({ "operator": "in", "valueField": "b" })), ", valueField", &["in", "a list"]),
        (compare(json!({ "operator": "in", "value": "b" })), ", value", &["`in`", "a list"]),
        (compare(json!({ "operator": "notIn", "value": [{}] })), ", value", &["in the list"]),
        (compare(json!({ "operator": "between", "value": 5 })), ", value", &["between", "a list of two"]),
        (compare(json!({ "operator": "between", "value": [1, 2, 3] })), ", value", &["between", "3"]),
        (compare(json!({ "operator": "between", "value": [1, null] })), ", value", &["between"]),
        (compare(json!({ "operator": "between", "dynamicValue": "today" })), ", dynamicValue", &["between"]),
        (compare(json!({ "operator": "startsWith", "value": "" })), ", value", &["startsWith", "an empty text"]),
        (compare(json!({ "operator": "endsWith", "value": ["a"] })), ", value", &["endsWith"]),
        (compare(json!({ "operator": "contains", "dynamicValue": "today" })), ", dynamicValue", &["contains"]),
        (compare(json!({ "operator": "containsAny", "value": [] })), ", value", &["containsAny"]),
        (compare(json!({ "operator": "containsAll", "value": "a" })), ", value", &["containsAll"]),
        (compare(json!({ "operator": "containsAll", "value": ["a", 1] })), ", value", &["containsAll"]),
        (compare(json!({ "operator": "lte", "value": [1] })), ", value", &["lte", "`in`"]),
        (compare(json!({ "operator": "lte", "value": false })), ", value", &["lte", "equals"]),
        (compare(json!({ "operator": "gt", "value": 1, "ignoreCase": true })), ", ignoreCase", &["gt", "`contains`"]),
        (compare(json!({ "value": "a", "ignoreCase": "yes" })), ", ignoreCase", &["true or false"]),
        (compare(json!({ "value": 1, "subtractField": 5 })), ", subtractField", &["a number"]),
        (compare(json!({ "valueField": "b..c" })), ", valueField", &["b..c"]),
        (json!({ "and": [] }), ", and", &["`and`", "an empty list"]),
        (json!({ "or": { "field": "a", "operator": "isEmpty" } }), ", or", &["`or`", "an object"]),
        (json!({ "not": [], "or": [] }), "", &["`or`", "`not`"]),
        (json!({ "filter": "a", "value": 1 }), "", &["`filter`", "`value`"]),
        (json!({ "filter": 5 }), ", filter", &["a number"]),
        (json!({ "not": 5 }), ", not", &["a number"]),
        (json!({ "not": [{ "and": [compare(json!({}))] }] }), ", not 0, and 0, value", &["missing"]),
        (json!("received"), "", &["an object", "a text"]),
    ] {
        check(
            &json!([definition(json!({ "childFilters": [condition] }))]),
            &format!("definition 0, childFilters 0{place}"),
            parts,
        );
        // One condition has the place of the list.
        if condition.is_object() {
            let total = with(sound("SUM"), json!({ "filters": condition }));
            check(&json!([aggregation(total)]), &format!("definition 0, aggregation 0, filters{place}"), parts);
            let place = format!("definition 0, parentFilters{place}");
            check(&json!([definition(json!({ "parentFilters": condition }))]), &place, parts);
        }
    }
}

#[test]
fn faults_of_days_and_periods() {
    for (operator, day, place, parts) in [
        ("gte", json!("yesterday"), "", &["yesterday", "`today`"][..]),
        ("gte", json!("startOfFiscal"), "", &["`startOfFiscalYear`"]),
        ("gte", json!(5), "", &["a number", "daysAgo"]),
        ("gte", json!({}), "", &["`startOf`", "`yearsAgo`"]),
        ("gte", json!({ "startOf": "mont" }), ", startOf", &["`mont`", "`month`"]),
        ("gte", json!({ "endOf": "giftaidyear" }), ", endOf", &["`giftAidYear`"]),
        ("gte", json!({ "startOf": "month", "endOf": "month" }), "", &["`startOf`", "`endOf`"]),
        ("gte", json!({ "startOf": "month", "offset": 0.5 }), ", offset", &["0.5"]),
        ("gte", json!({ "startOf": "year", "offset": 100_000 }), ", offset", &["100000"]),
        ("gte", json!({ "weeksAgo": 2, "daysAgo": 1 }), ", weeksAgo", &["`yearsAgo`"]),
        ("gte", json!({ "monthsAgo": "3" }), ", monthsAgo", &["\"3\""]),
        ("gte", json!({ "yearsAgo": 3, "offset": 1 }), ", offset", &["yearsAgo"]),
        ("equals", json!({ "unit": "day", "last": 7 }), "", &["a period", "`during`", "equals"]),
        ("lt", json!({ "last": 7 }), "", &["`during`"]),
        ("during", json!({ "daysAgo": 7 }), "", &["a day", "`during`"]),
        ("during", json!([]), "", &["an empty list"]),
        ("during", json!({}), ", unit", &["missing"]),
        ("during", json!({ "unit": "days" }), ", unit", &["`day`"]),
        ("during", json!({ "unit": "day", "lst": 7 }), ", lst", &["`last`"]),
        ("during", json!({ "unit": "day", "last": 1.5 }), ", last", &["1.5"]),
        ("during", json!({ "unit": "day", "next": -1 }), ", next", &["-1"]),
        ("during", json!({ "unit": "month", "last": 20_000 }), ", last", &["20000", "1 to 12000"]),
        ("during", json!({ "unit": "giftAidYear", "next": 1 }), ", unit", &["giftAidYear", "`next`"]),
        ("during", json!({ "unit": "day", "last": 1, "next": 1 }), ", next", &["`last`"]),
        ("during", json!({ "unit": "day", "next": 1, "offset": 1 }), ", offset", &["`next`"]),
        ("during", json!({ "unit": "day", "last": 1, "toDate": true }), ", toDate", &["`last`"]),
        ("during", json!({ "unit": "day", "toDate": 1 }), ", toDate", &["true or false"]),
        ("during", json!({ "unit": "year", "offset": "1" }), ", offset", &["\"1\""]),
    ] {
        let condition = json!({ "field": "giftDate", "operator": operator, "dynamicValue": day });
        check(
            &json!([definition(json!({ "childFilters": [condition] }))]),
            &format!("definition 0, childFilters 0, dynamicValue{place}"),
            parts,
        );
    }
    let right = |condition: Value| {
        let condition = with(json!({ "field": "giftDate" }), condition);
        faults(&json!([definition(json!({ "childFilters": condition }))]))
    };
    for day in [
        json!("startOfYear"),
        json!({ "startOf": "week", "offset": -3 }),
        json!({ "endOf": "giftAidYear" }),
        json!({ "daysAgo": -30 }),
    ] {
        let found = right(json!({ "operator": "lte", "dynamicValue": day }));
        assert_eq!(found, Vec::<String>::new(), "{day}");
    }
    for period in [
        json!({ "unit": "quarter" }),
        json!({ "unit": "fiscalYear", "offset": -1, "toDate": true }),
        json!({ "unit": "week", "next": 2 }),
    ] {
        let found = right(json!({ "operator": "during", "dynamicValue": period }));
        assert_eq!(found, Vec::<String>::new(), "{period}");
    }
}

#[test]
fn faults_of_money() {
    let rates = json!({ "base": "GBP", "codes": { "USD": "0.79", "EUR": [{ "from": "2024-01-01", "rate": 0.86 }] } });
    let one = |changes: Value| json!({ "definitions": [definition(changes)], "rates": rates });
    for (configuration, place, parts) in [
        (one(json!({ "mixedCurrency": "clean" })), "definition 0, mixedCurrency", &["clean", "`clear`"][..]),
        (one(json!({ "mixedCurrency": "convert" })), "definition 0, mixedCurrency", &["convert", "`currency`"]),
        (one(json!({ "currency": "GBP" })), "definition 0, currency", &["mixedCurrency"]),
        (one(json!({ "mixedCurrency": "clear", "currency": "GBP" })), "definition 0, currency", &["mixedCurrency"]),
        (one(json!({ "mixedCurrency": "only", "currency": "GBPS" })), "definition 0, currency", &["GBPS"]),
        (one(json!({ "rateDateField": "a..b" })), "definition 0, rateDateField", &["a..b"]),
        (
            json!([definition(json!({ "mixedCurrency": "convert", "currency": "GBP" }))]),
            "definition 0, mixedCurrency",
            &["convert", "`rates`"],
        ),
        (
            json!([aggregation(with(sound("SUM"), json!({ "mixedCurrency": "only" })))]),
            "definition 0, aggregation 0, mixedCurrency",
            &["only", "currency"],
        ),
        (
            json!({ "definitions": [definition(json!({}))], "mixedCurrency": "only" }),
            "mixedCurrency",
            &["only", "currency"],
        ),
        (json!({ "definitions": [definition(json!({}))], "currency": "GBP" }), "currency", &["mixedCurrency"]),
        (
            json!([aggregation(
                json!({ "type": "SUM", "childField": "a", "parentField": null, "perCurrency": { "GBP": "x" } })
            )]),
            "definition 0, aggregation 0, perCurrency",
            &["currencyField"],
        ),
        (
            json!([aggregation(json!({ "type": "SUM", "childField": "a", "currencyField": "b", "parentField": null,
                                       "perCurrency": { "pounds": "x" } }))]),
            "definition 0, aggregation 0, perCurrency, pounds",
            &["pounds", "GBP"],
        ),
        (
            json!([aggregation(json!({ "type": "SUM", "childField": "a", "currencyField": "b", "parentField": null,
                                       "perCurrency": { "GBP": 5 } }))]),
            "definition 0, aggregation 0, perCurrency, GBP",
            &["a number"],
        ),
        (
            json!([aggregation(json!({ "type": "COUNT", "parentField": null, "perCurrency": { "GBP": "x" } }))]),
            "definition 0, aggregation 0, perCurrency",
            &["COUNT"],
        ),
        (json!({ "definitions": [], "rates": { "base": "GBP" } }), "rates, codes", &["missing"]),
        (json!({ "definitions": [], "rates": { "base": "pound", "codes": {} } }), "rates, base", &["pound"]),
        (json!({ "definitions": [], "rates": { "codes": {} } }), "rates, base", &["missing"]),
        (
            json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "GBP": 1 } } }),
            "rates, codes, GBP",
            &["base"],
        ),
        (
            json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "usd": 1 } } }),
            "rates, codes, usd",
            &["usd"],
        ),
        (json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "USD": 0 } } }), "rates, codes, USD", &["0"]),
        (
            json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "USD": [] } } }),
            "rates, codes, USD",
            &["list"],
        ),
        (
            json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "USD": [{ "from": "2024-02-30", "rate": 1 }] } } }),
            "rates, codes, USD 0, from",
            &["2024-02-30"],
        ),
        (
            json!({ "definitions": [], "rates": { "base": "GBP", "codes": { "USD": [{ "rate": 1 }, { "rate": 2 }] } } }),
            "rates, codes, USD 1, from",
            &["second"],
        ),
    ] {
        check(&configuration, place, parts);
    }
    // What is said further out holds further in.
    for sound in [
        json!({ "definitions": [definition(json!({ "mixedCurrency": "only" }))], "currency": "GBP" }),
        json!({ "definitions": [definition(json!({ "currency": "EUR" }))], "mixedCurrency": "convert", "currency": "GBP",
                "rates": rates }),
        json!([definition(json!({ "currency": "GBP", "aggregations": [
            { "type": "SUM", "childField": "a.amountMicros", "mixedCurrency": "only", "parentField": "x" }] }))]),
    ] {
        assert_eq!(faults(&sound), Vec::<String>::new(), "{sound}");
    }
}

#[test]
fn faults_of_sources_and_names() {
    let source = |changes: Value| with(json!({ "childObject": "gift", "relationField": "donorId" }), changes);
    let of = |sources: Value| definition(json!({ "childObject": null, "relationField": null, "sources": sources }));
    for (definition, place, parts) in [
        (of(json!([])), "sources", &["an empty list"][..]),
        (of(json!([source(json!({ "childObject": null }))])), "sources 0, childObject", &["missing"]),
        (of(json!([source(json!({ "relation": "x" }))])), "sources 0, relation", &["`relationField`"]),
        (of(json!([source(json!({ "relationField": "a.b.c.d.e" }))])), "sources 0, relationField", &["a.b.c.d.e"]),
        (of(json!([source(json!({ "name": "a" })), source(json!({ "name": "a" }))])), "sources 1, name", &["`a`"]),
        (of(json!([source(json!({ "fields": [] }))])), "sources 0, fields", &["an empty list"]),
        (of(json!([source(json!({ "fields": { "a-b": "c" } }))])), "sources 0, fields, a-b", &["no name"]),
        (of(json!([source(json!({ "fields": { "a": "c..d" } }))])), "sources 0, fields, a", &["c..d"]),
        (of(json!([source(json!({ "fields": { "a": {} } }))])), "sources 0, fields, a", &["value"]),
        (of(json!([source(json!({ "fields": { "a": { "value": [] } } }))])), "sources 0, fields, a", &["value"]),
        (
            of(json!([source(json!({})), source(json!({ "name": "b", "childFilters": [{ "filter": "x" }] }))])),
            "sources 1, childFilters 0, filter",
            &["`x`", "there are none"],
        ),
        (definition(json!({ "relationField": "a.b.c.d.e" })), "relationField", &["a.b.c.d.e", "3 relations"]),
        (definition(json!({ "name": 5 })), "name", &["a number"]),
        (definition(json!({ "aggregation": [] })), "aggregation", &["`aggregations`"]),
    ] {
        check(&json!([definition]), &format!("definition 0, {place}"), parts);
    }
    let both = definition(json!({ "sources": [source(json!({}))], "relationField": null }));
    check(&json!([both]), "definition 0, childObject", &["childObject", "sources"]);
}

#[test]
fn faults_of_named_filters() {
    let named = |filters: Value| json!({ "definitions": [], "filters": filters });
    for (configuration, place, parts) in [
        (named(json!([])), "filters", &["an empty list"][..]),
        (named(json!({ "a": 5 })), "filters, a", &["a number"]),
        (named(json!({ "a b": [] })), "filters, a b", &["no name"]),
        (named(json!({ "a": [{ "field": "x", "operator": "gt" }] })), "filters, a 0, value", &["gt"]),
        (named(json!({ "a": { "not": { "filter": "b" } } })), "filters, a, not, filter", &["`b`", "`a`"]),
        (named(json!({ "one": { "filter": "one" } })), "filters, one", &["one → one"]),
        (
            named(
                json!({ "one": [{ "filter": "two" }], "two": { "or": [{ "filter": "three" }] }, "three": { "filter": "one" } }),
            ),
            "filters, one",
            &["one", "two", "three"],
        ),
    ] {
        check(&configuration, place, parts);
    }
    // A name that is wrong itself is not wrong again wherever it stands.
    let used = json!({
        "definitions": [definition(json!({ "childFilters": { "filter": "a" } }))], "filters": { "a": [{ "field": 5 }] }
    });
    assert!(faults(&used).iter().all(|fault| fault.starts_with("filters, a 0")), "{:?}", faults(&used));
    // Names that double each other come to an end.
    let mut doubling = Map::new();
    doubling.insert("n0".to_owned(), json!({ "field": "a", "operator": "isEmpty" }));
    for number in 1..40 {
        let before = json!({ "filter": format!("n{}", number - 1) });
        doubling.insert(format!("n{number}"), json!([before, before]));
    }
    let found = faults(&named(Value::Object(doubling)));
    assert!(found[0].contains("more than 500 comparisons"), "{found:?}");
    let mut deep = json!({ "field": "a", "operator": "isEmpty" });
    for _ in 0..40 {
        deep = json!({ "not": deep });
    }
    let found = faults(&json!([definition(json!({ "childFilters": deep }))]));
    assert!(found.len() == 1 && found[0].contains("inside one another"), "{found:?}");
}

#[test]
fn circles_name_all_their_members() {
    let formula =
        |name: &str, expression: &str| json!({ "type": "FORMULA", "expression": expression, "parentField": name });
    let case = |name: &str, field: &str| {
        json!({ "type": "CASE", "as": name,
                "cases": [{ "when": { "field": field, "operator": "gt", "value": 0 }, "value": 1 }] })
    };
    let of = |list: Value| definition(json!({ "aggregations": list }));
    check(&json!([of(json!([formula("growth", "growth + 1")]))]), "definition 0, aggregation 0", &["growth → growth"]);
    check(
        &json!([of(json!([formula("c", "2"), formula("growth", "level.amountMicros"), case("level", "growth")]))]),
        "definition 0, aggregation 1",
        &["growth → level → growth"],
    );
    check(
        &json!([
            of(json!([formula("one", "two")])),
            of(json!([formula("two", "round(three)")])),
            of(json!([formula("three", "one")]))
        ]),
        "definition 0, aggregation 0",
        &["one", "two", "three"],
    );
    // Another object's field of the same name is another field.
    let other = with(of(json!([formula("two", "one")])), json!({ "parentObject": "company" }));
    assert_eq!(faults(&json!([of(json!([formula("one", "two")])), other])), Vec::<String>::new());
    // A name that a definition has itself hides the field of another.
    let own = of(json!([formula("one", "two"), { "type": "COUNT", "as": "two" }]));
    assert_eq!(faults(&json!([own, of(json!([formula("two", "one")]))])), Vec::<String>::new());
    let sum = |parent: &str, child: &str, from: &str, to: &str| {
        json!({ "parentObject": parent, "childObject": child, "relationField": format!("{parent}Id"),
                "aggregations": [{ "type": "SUM", "childField": from, "parentField": to }] })
    };
    check(&json!([sum("company", "company", "a", "a")]), "definition 0", &["0 → 0"]);
    check(
        &json!([sum("team", "club", "x", "y"), sum("person", "gift", "a", "b"), sum("club", "team", "y", "x")]),
        "definition 0",
        &["0 → 2 → 0"],
    );
}

#[test]
fn totals_with_the_same_name() {
    let totals = |list: Value| definition(json!({ "aggregations": list }));
    let count = |key: &str, name: &str| json!({ "type": "COUNT", key: name });
    let per =
        json!({ "type": "SUM", "childField": "a", "currencyField": "b", "perCurrency": { "GBP": "x", "USD": "y" } });
    for (list, place, parts) in [
        (
            json!([totals(json!([count("as", "x"), count("parentField", "x")]))]),
            "1, parentField",
            &["aggregation 0"][..],
        ),
        (json!([totals(json!([count("parentField", "x"), count("as", "x")]))]), "1, as", &["`x`", "aggregation 0"]),
        (json!([totals(json!([count("parentField", "y"), per]))]), "1, perCurrency, USD", &["y", "aggregation 0"]),
    ] {
        check(&list, &format!("definition 0, aggregation {place}"), parts);
    }
    let other = json!([totals(json!([per])), totals(json!([count("parentField", "y")]))]);
    check(&other, "definition 1, aggregation 0, parentField", &["person.y", "definition 0, aggregation 0"]);
    // A name is of its own definition.
    let names = json!([
        totals(json!([count("as", "x"), count("parentField", "z")])),
        totals(json!([count("as", "x"), count("parentField", "y")]))
    ]);
    assert_eq!(faults(&names), Vec::<String>::new());
}

#[test]
fn faults_of_presets() {
    for (entry, place, parts) in [
        (json!({ "preset": "donor_essentials" }), "preset", &["donor_essentials", "donor-essentials"][..]),
        (json!({ "preset": "everything" }), "preset", &["everything", "npsp-18", "rfm"]),
        (json!({ "preset": 5 }), "preset", &["a number"]),
        (json!({ "preset": "rfm", "yaer": "year" }), "yaer", &["`year`"]),
        (json!({ "preset": "rfm", "year": "fiscalYear" }), "year", &["rfm"]),
        (json!({ "preset": "npsp-18", "year": "quarter" }), "year", &["quarter", "`fiscalYear`"]),
        (json!({ "preset": "npsp-18", "only": "bestGiftYear" }), "only", &["a text"]),
        (json!({ "preset": "npsp-18", "only": ["bestGiftYear", "best"] }), "only 1", &["best", "`bestGiftYear`"]),
        (json!({ "preset": "npsp-18", "omit": [5] }), "omit 0", &["a number"]),
        (
            json!({ "preset": "npsp-18", "rename": { "bestYear": "x" } }),
            "rename, bestYear",
            &["bestYear", "`bestGiftYear`"],
        ),
        (json!({ "preset": "npsp-18", "rename": { "bestGiftYear": "a-b" } }), "rename, bestGiftYear", &["a-b"]),
        (
            json!({ "preset": "npsp-18", "rename": { "bestGiftYear": "bestGiftYear" } }),
            "rename, bestGiftYear",
            &["already"],
        ),
        (json!({ "preset": "donor-status", "omit": ["donorStatus"] }), "", &["nothing"]),
        (
            json!({ "preset": "company", "childFilters": [{ "field": "a", "operator": "like" }] }),
            "childFilters 0, operator",
            &["like"],
        ),
        (json!({ "preset": "company", "mixedCurrency": "only" }), "mixedCurrency", &["currency"]),
    ] {
        let found = faults(&json!([entry]));
        let place = if place.is_empty() { "definition 0".to_owned() } else { format!("definition 0, {place}") };
        let fault = found.iter().find(|fault| fault.starts_with(&format!("{place}: ")));
        let fault = fault.unwrap_or_else(|| panic!("{place} in {found:?} of {entry}"));
        assert!(parts.iter().all(|part| fault.contains(part)), "{fault}: {parts:?}");
    }
    // One preset twice writes each field twice.
    let twice = faults(
        &json!([{ "preset": "fund", "only": ["firstGiftDate"] }, { "preset": "fund", "only": ["firstGiftDate"] }]),
    );
    assert_eq!(twice.len(), 1);
    assert!(twice[0].contains("fund.firstGiftDate") && twice[0].contains("definition 0"), "{twice:?}");
}

#[test]
fn all_faults_at_once() {
    let configuration = json!({
        "filters": { "real": [{ "field": "a" }] },
        "rates": { "base": "pounds", "codes": {} },
        "definitions": [
            { "parentObject": "person", "childObject": "gift", "relationField": "", "childFilters": [{ "or": [] }],
              "aggregations": [{ "type": "MEDAIN" }, { "type": "FIRST", "filters": [{ "filter": "reel" }], "n": 1 }] },
            { "preset": "npsp18" },
            7,
        ],
    });
    let found = faults(&configuration);
    for place in [
        "rates, base: ",
        "filters, real 0, operator: ",
        "filters, real 0, value: ",
        "definition 0, relationField: ",
        "definition 0, childFilters 0, or: ",
        "definition 0, aggregation 0, type: ",
        "definition 0, aggregation 0, parentField: ",
        "definition 0, aggregation 1, n: ",
        "definition 0, aggregation 1, parentField: ",
        "definition 0, aggregation 1, filters 0, filter: ",
        "definition 0, aggregation 1, orderBy: ",
        "definition 0, aggregation 1, childField: ",
        "definition 1, preset: ",
        "definition 2: ",
    ] {
        assert_eq!(found.iter().filter(|fault| fault.starts_with(place)).count(), 1, "{place} in {found:#?}");
    }
    assert_eq!(found.len(), 14, "{found:#?}");
}

/// A configuration with every key of the language in it
fn everything() -> Value {
    json!({
        "filters": { "received": [{ "field": "status", "operator": "in", "value": ["a", "b"], "ignoreCase": true }] },
        "rates": { "base": "GBP", "codes": { "USD": "0.79", "EUR": [{ "from": "2024-01-01", "rate": "0.86" }, { "rate": 0.9 }] } },
        "mixedCurrency": "convert", "currency": "GBP", "rateDateField": "giftDate",
        "definitions": [
            { "name": "gifts", "description": "of a donor", "parentObject": "person", "childObject": "gift",
              "relationField": "donorId", "distinctBy": "reference",
              "childFilters": [{ "filter": "received" }, { "not": { "field": "giftDate", "operator": "gte",
                  "dynamicValue": { "startOf": "day", "offset": 1 } } }],
              "parentFilters": [{ "field": "city", "operator": "isNotEmpty" }],
              "aggregations": [
                { "type": "SUM", "childField": "amount.amountMicros", "currencyField": "amount.currencyCode",
                  "subtractField": ["fee.amountMicros"], "percentField": "percent", "parentField": "total",
                  "orderBy": [{ "field": "giftDate", "direction": "desc", "nulls": "first" }], "limit": 5, "whenEmpty": 0,
                  "label": "Total", "targetType": "CURRENCY" },
                { "type": "SUM", "childField": "amount.amountMicros", "currencyField": "amount.currencyCode",
                  "perCurrency": { "GBP": "totalGbp" } },
                { "type": "MAX", "childField": "amount.amountMicros", "groupBy": { "field": "giftDate", "datePart": "year",
                  "type": "SUM" }, "having": { "operator": "gte", "value": 5 }, "returns": "key", "parentField": "best" },
                { "type": "NTH", "n": 2, "childField": "giftDate", "orderBy": [{ "field": "giftDate" }], "as": "second" },
                { "type": "CONCAT", "childField": "code", "delimiter": ";", "maxLength": 50, "parentField": "codes" },
                { "type": "PERCENT", "decimals": 1, "condition": { "or": [{ "field": "a", "operator": "between", "value": [1, 2] },
                  { "field": "b", "operator": "during", "dynamicValue": { "unit": "day", "last": 3 } }] }, "parentField": "share" },
                { "type": "FORMULA", "expression": "today - second", "parentField": "days" },
                { "type": "CASE", "cases": [{ "when": [{ "field": "days", "operator": "gt", "valueField": "share" }],
                  "value": "A" }], "else": "B", "parentField": "level" } ] },
            { "parentObject": "company", "sources": [{ "name": "own", "childObject": "gift", "relationField": "companyId",
                "childFilters": [{ "and": [{ "field": "a", "operator": "contains", "value": "x" }] }],
                "fields": { "date": "giftDate", "kind": { "value": "gift" }, "none": null } }],
              "aggregations": [{ "type": "COUNT_DISTINCT", "childField": "date", "datePart": "month", "parentField": "months" }] },
            { "preset": "fund", "year": "fiscalYear", "only": ["firstGiftDate"], "rename": { "firstGiftDate": "began" } },
        ],
    })
}

#[test]
fn every_key_is_read() {
    assert_eq!(faults(&everything()), Vec::<String>::new());
}

/// Places of the objects in a JSON value, as pointers
fn objects(json: &Value, at: &str, found: &mut Vec<String>) {
    match json {
        Value::Object(object) => {
            found.push(at.to_owned());
            object.iter().for_each(|(key, json)| objects(json, &format!("{at}/{key}"), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, json)| objects(json, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// The place of a pointer, as faults say it
fn place_of(pointer: &str) -> String {
    let mut place = String::new();
    let mut parts = pointer.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let index = parts.peek().filter(|next| next.bytes().all(|byte| byte.is_ascii_digit())).copied();
        let name = match part {
            "definitions" => "definition",
            "aggregations" => "aggregation",
            part => part,
        };
        let shown = index.map_or_else(|| name.to_owned(), |index| format!("{name} {index}"));
        if index.is_some() {
            parts.next();
        }
        if !place.is_empty() {
            place.push_str(", ");
        }
        place.push_str(&shown);
    }
    place
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "field",
        "SUM",
        "CASE",
        "person",
        "a.b",
        "a..b",
        "today",
        "during",
        "or",
        "not",
        "filter",
        "value",
        "year",
        "GBP",
        "definitions",
        "aggregations",
        "sources",
        "cases",
        "when",
        "preset",
        "rfm",
        "expression",
        "((a",
        "orderBy",
        "groupBy",
        "childFilters",
        "dynamicValue",
        "parentObject",
        "rates",
        "filters",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    /// Nothing panics, and a refusal says where
    #[test]
    fn any_json_is_read_or_refused(json in any_json()) {
        if let Err(faults) = parse(&json) {
            prop_assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.place.is_empty()));
        }
    }

    /// A key too many, and anything that is no object in the place of one, is named at its place
    #[test]
    fn changed_configurations(at in any::<prop::sample::Index>(), json in any_json()) {
        let mut places = Vec::new();
        objects(&everything(), "", &mut places);
        let pointer = &places[at.index(places.len())];
        let place = place_of(pointer);
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut configuration = everything();
            change(configuration.pointer_mut(pointer).unwrap());
            faults(&configuration)
        };
        // The keys of the whole are what the reader of all settings sees to.
        if !pointer.is_empty() {
            for found in [changed(&|part| part["wrongKey"] = json!(true)), changed(&|part| *part = json!(true))] {
                prop_assert!(found.iter().any(|fault| fault.starts_with(&place)), "{} in {:?}", place, found);
            }
        }
        drop(changed(&|part| *part = json.clone()));
    }
}
