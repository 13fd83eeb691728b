//! Sets of definitions that a workspace switches on by one word.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::expression;
use super::fault::{but, hint, listed};
use super::model::Unit;
use super::reader::{Reader, stated};

/// The presets, by name
const PRESETS: &str = include_str!("../presets.json");

/// Keys that replace those of each definition of a preset
pub(crate) const REPLACING_KEYS: [&str; 7] =
    ["parentObject", "childObject", "relationField", "childFilters", "mixedCurrency", "currency", "rateDateField"];
/// What else may stand beside the name of a preset
pub(crate) const PRESET_KEYS: [&str; 5] = ["preset", "year", "only", "omit", "rename"];
/// What a year is
pub(crate) const YEARS: [(&str, Unit); 3] =
    [("year", Unit::Year), ("fiscalYear", Unit::FiscalYear), ("giftAidYear", Unit::GiftAidYear)];
/// What stands for the year in a preset
const YEAR_PARAMETER: &str = "$year";

/// A preset, for a choice
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What `preset` says
    pub name: String,
    /// What it is for
    pub description: String,
    /// Its fields, in the order of the definitions, each with the object that has it
    pub fields: Vec<(String, String)>,
    /// Whether it may be told what a year is
    pub has_year: bool,
}

/// All presets, by name
///
/// ```
/// let presets = rollup::definition::presets::all();
/// assert!(presets.iter().any(|preset| preset.name == "donor-essentials" && preset.fields.len() == 10));
/// ```
#[must_use]
pub fn all() -> Vec<Preset> {
    let object_of = |definition: &Json| text(definition, "parentObject").unwrap_or_default().to_owned();
    let fields = |definition: &Json| -> Vec<(String, String)> {
        let object = object_of(definition);
        aggregations(definition)
            .filter_map(|total| Some((object.clone(), text(total, "parentField")?.to_owned())))
            .collect()
    };
    let preset = |(name, json): (String, Json)| Preset {
        description: text(&json, "description").unwrap_or_default().to_owned(),
        fields: definitions(&json).flat_map(fields).collect(),
        has_year: has_year(&json),
        name,
    };
    read().into_iter().map(preset).collect()
}

/// Whether an entry of a list of definitions stands for those of a preset
pub(super) fn is_preset(json: &Json) -> bool {
    json.get("preset").is_some()
}

/// The definitions that an entry stands for
pub(super) fn expand(reader: &mut Reader<'_>, json: &Json) -> Vec<Json> {
    let Some(object) = reader.object(json, &[&PRESET_KEYS[..], &REPLACING_KEYS].concat()) else { return Vec::new() };
    let presets = read();
    let Some(name) = reader.text(object, "preset") else { return Vec::new() };
    let Some(preset) = presets.get(name) else {
        let names: Vec<&str> = presets.keys().map(String::as_str).collect();
        reader.fault("preset", format!("there is no `{name}`, {}", hint(name, &names)));
        return Vec::new();
    };
    let year = reader.optional_choice(object, "year", &YEARS);
    if stated(object, "year").is_some() && !has_year(preset) {
        reader.fault("year", format!("nothing in `{name}` depends on what a year is"));
    }
    let year = YEARS.iter().find(|(_, unit)| Some(*unit) == year).map_or("year", |(name, _)| *name);
    let fields: Vec<&str> =
        definitions(preset).flat_map(aggregations).filter_map(|total| text(total, "parentField")).collect();
    let only = chosen(reader, object, "only", &fields);
    let omit = chosen(reader, object, "omit", &fields).unwrap_or_default();
    let rename = renames(reader, object, &fields);
    let is_kept = |field: &str| only.as_ref().is_none_or(|only| only.contains(field)) && !omit.contains(field);
    let expanded: Vec<Json> = definitions(preset)
        .filter_map(|definition| {
            let mut definition = definition.clone();
            choose(&mut definition, is_kept);
            aggregations(&definition).next()?;
            put_year(&mut definition, year);
            put_names(&mut definition, &rename);
            if let Some(definition) = definition.as_object_mut() {
                let replacing =
                    REPLACING_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), stated(object, key)?.clone())));
                definition.extend(replacing);
            }
            Some(definition)
        })
        .collect();
    if expanded.is_empty() {
        reader.fault("", format!("`only` and `omit` leave nothing of `{name}`"));
    }
    expanded
}

fn read() -> Map<String, Json> {
    serde_json::from_str(PRESETS).unwrap_or_default()
}

fn definitions(preset: &Json) -> impl Iterator<Item = &Json> {
    preset.get("definitions").and_then(Json::as_array).into_iter().flatten()
}

fn aggregations(definition: &Json) -> impl Iterator<Item = &Json> {
    definition.get("aggregations").and_then(Json::as_array).into_iter().flatten()
}

fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    json.get(key).and_then(Json::as_str)
}

fn has_year(preset: &Json) -> bool {
    preset.pointer("/parameters/year").is_some()
}

/// The fields that are to be had, or not; nothing where nothing is said
fn chosen(reader: &mut Reader<'_>, object: &Map<String, Json>, key: &str, fields: &[&str]) -> Option<BTreeSet<String>> {
    let json = stated(object, key)?;
    let Some(list) = json.as_array() else {
        reader.fault(key, format!("expected a list of fields of the preset, {}", but(Some(json))));
        return None;
    };
    let mut names = BTreeSet::new();
    for (index, json) in list.iter().enumerate() {
        let place = format!("{key} {index}");
        match json.as_str() {
            Some(name) if fields.contains(&name) => {
                names.insert(name.to_owned());
            }
            Some(name) => reader.fault(&place, format!("the preset has no `{name}`, {}", hint(name, fields))),
            None => reader.fault(&place, format!("expected a field of the preset, {}", but(Some(json)))),
        }
    }
    Some(names)
}

/// Other names for fields
fn renames(reader: &mut Reader<'_>, object: &Map<String, Json>, fields: &[&str]) -> Vec<(String, String)> {
    let Some(json) = stated(object, "rename") else { return Vec::new() };
    let Some(object) = json.as_object() else {
        reader.fault("rename", format!("expected an object of fields and their other names, {}", but(Some(json))));
        return Vec::new();
    };
    let mut reader = reader.inside("rename");
    let mut renames: Vec<(String, String)> = Vec::new();
    for (field, json) in object {
        if !fields.contains(&field.as_str()) {
            reader.fault(field, format!("the preset has no `{field}`, {}", hint(field, fields)));
            continue;
        }
        let Some(other) = reader.name(object, field) else { continue };
        if let Some((first, _)) = renames.iter().find(|(_, taken)| *taken == other) {
            let both = listed(&[first, field]);
            reader.fault(field, format!("`{other}` for {both}; every total needs a field of its own"));
        }
        renames.push((field.clone(), other));
        if json.as_str() == Some(field) {
            reader.fault(field, "is its name already");
        }
    }
    renames
}

/// Keeps the totals of these fields, and without a field those that they are made of
fn choose(definition: &mut Json, is_kept: impl Fn(&str) -> bool) {
    let Some(list) = definition.get_mut("aggregations").and_then(Json::as_array_mut) else { return };
    let name_of = |total: &Json| text(total, "parentField").or_else(|| text(total, "as")).map(str::to_owned);
    let is_written = |total: &Json| text(total, "parentField").is_some_and(&is_kept);
    let mut needed: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<&Json> = list.iter().filter(|total| is_written(total)).collect();
    while let Some(total) = open.pop() {
        for name in names_read(total) {
            let others = list.iter().filter(|other| name_of(other).as_ref() == Some(&name));
            if needed.insert(name.clone()) {
                open.extend(others);
            }
        }
    }
    let is_needed = |total: &Json| name_of(total).is_some_and(|name| needed.contains(&name));
    let kept = list.iter().filter(|total| is_written(total) || is_needed(total)).map(|total| {
        let mut kept = total.clone();
        if let Some(object) = kept.as_object_mut().filter(|_| !is_written(total))
            && let Some(field) = object.remove("parentField")
        {
            object.insert("as".to_owned(), field);
        }
        kept
    });
    let kept = kept.collect();
    *list = kept;
}

/// Names of other values of the parent that a total is made of
fn names_read(total: &Json) -> Vec<String> {
    let first_name = |path: &str| path.split('.').next().unwrap_or(path).to_owned();
    let mut names = Vec::new();
    if let Some(expression) = text(total, "expression").and_then(|text| expression::read(text).ok()) {
        names.extend(expression.names().into_iter().map(first_name));
    }
    if let Some(cases) = total.get("cases") {
        for_each_field(&mut cases.clone(), &mut |path| names.push(first_name(path)));
    }
    names
}

/// Puts the year in for its parameter
fn put_year(json: &mut Json, year: &str) {
    match json {
        Json::String(text) if text == YEAR_PARAMETER => year.clone_into(text),
        Json::Array(list) => list.iter_mut().for_each(|json| put_year(json, year)),
        Json::Object(object) => object.values_mut().for_each(|json| put_year(json, year)),
        _ => {}
    }
}

/// Gives totals other names, and has formulas and cases follow
fn put_names(definition: &mut Json, renames: &[(String, String)]) {
    let other = |name: &str| renames.iter().find(|(field, _)| field == name).map(|(_, other)| other.clone());
    for total in definition.get_mut("aggregations").and_then(Json::as_array_mut).into_iter().flatten() {
        let Some(total) = total.as_object_mut() else { continue };
        for key in ["parentField", "as"] {
            if let Some(Json::String(name)) = total.get_mut(key)
                && let Some(other) = other(name)
            {
                *name = other;
            }
        }
        if let Some(Json::String(text)) = total.get_mut("expression") {
            *text = expression::renamed(text, other);
        }
        if let Some(cases) = total.get_mut("cases") {
            for_each_field(cases, &mut |path| {
                let (name, rest) = path.split_once('.').map_or((&**path, None), |(name, rest)| (name, Some(rest)));
                if let Some(other) = other(name) {
                    *path = rest.map_or_else(|| other.clone(), |rest| format!("{other}.{rest}"));
                }
            });
        }
    }
}

/// Calls for each path that conditions read
fn for_each_field(json: &mut Json, call: &mut impl FnMut(&mut String)) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|json| for_each_field(json, call)),
        Json::Object(object) => {
            for (key, json) in object {
                match (key.as_str(), json) {
                    ("field" | "valueField", Json::String(path)) => call(path),
                    (_, json) => for_each_field(json, call),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::super::model::{Aggregation, Definition, Target};
    use super::super::parse::parse;
    use super::*;
    use serde_json::json;

    fn read(entry: &Json) -> Vec<Definition> {
        parse(&json!([entry])).map_err(|faults: Vec<Fault>| format!("{faults:?}")).unwrap().definitions
    }

    fn written(definition: &Definition) -> Vec<&str> {
        definition.aggregations.iter().filter_map(|total| total.field()).collect()
    }

    fn named(definition: &Definition) -> Vec<&str> {
        let is_named = |total: &&Aggregation| matches!(total.target, Target::Named(_));
        definition.aggregations.iter().filter(is_named).map(|total| total.target.name()).collect()
    }

    /// Each preset can be read, with each year, and has the fields that it promises
    #[test]
    fn presets_are_sound() {
        let counts = [10, 18, 9, 11, 12, 1, 4, 5, 12, 14, 16, 3, 15, 8, 7, 15];
        let mut found: Vec<usize> = Vec::new();
        for preset in all() {
            assert!(!preset.description.is_empty(), "{}", preset.name);
            found.push(preset.fields.len());
            let years = if preset.has_year { YEARS.map(|(name, _)| json!(name)).to_vec() } else { vec![Json::Null] };
            for year in years {
                let definitions = read(&json!({ "preset": preset.name, "year": year }));
                let fields: Vec<(String, String)> = definitions
                    .iter()
                    .flat_map(|one| written(one).into_iter().map(|field| (one.parent_object.clone(), field.to_owned())))
                    .collect();
                assert_eq!(fields, preset.fields, "{}", preset.name);
            }
        }
        found.sort_unstable();
        let mut counts = counts;
        counts.sort_unstable();
        assert_eq!(found, counts);
    }

    /// What a kept formula is made of stays, without a field; the rest goes
    #[test]
    fn choice_keeps_what_formulas_need() {
        let definitions = read(&json!({ "preset": "giving-history", "only": ["averageGiftChange"] }));
        assert_eq!(written(&definitions[0]), ["averageGiftChange"]);
        assert_eq!(named(&definitions[0]), ["averageThisYear", "averageLastYear"]);
        let definitions =
            read(&json!({ "preset": "giving-history", "omit": ["thisYearGiftAmount", "averageGiftChange"] }));
        assert_eq!(named(&definitions[0]), ["thisYearGiftAmount"]);
        // By way of cases as well
        let definitions = read(&json!({ "preset": "rfm", "only": ["rfmScore"] }));
        assert_eq!(written(&definitions[0]), ["rfmScore"]);
        let all = ["lastDate", "recentCount", "recentAmount", "rfmRecency", "rfmFrequency", "rfmMonetary"];
        assert_eq!(named(&definitions[0]), all);
        // A definition of which nothing is left is not there.
        let definitions = read(&json!({ "preset": "company", "only": ["employeeGiftCount"] }));
        assert_eq!(definitions.len(), 1);
    }

    #[test]
    fn formulas_and_cases_follow_a_rename() {
        let rename = json!({ "preset": "rfm", "rename": { "rfmRecency": "recency", "rfmScore": "score" } });
        let mut names = Vec::new();
        for total in &read(&rename)[0].aggregations {
            names.extend(total.parent_paths().into_iter().map(str::to_owned));
        }
        assert!(names.contains(&"recency".to_owned()) && !names.contains(&"rfmRecency".to_owned()), "{names:?}");
        let mut definition = json!({ "aggregations": [
            { "type": "COUNT", "parentField": "a" },
            { "type": "CASE", "parentField": "b", "cases": [
                { "when": [{ "or": [{ "field": "a", "operator": "gt", "valueField": "a.c" }] }], "value": "a" }] },
        ] });
        put_names(&mut definition, &[("a".to_owned(), "z".to_owned())]);
        let condition = json!([{ "or": [{ "field": "z", "operator": "gt", "valueField": "z.c" }] }]);
        assert_eq!(definition["aggregations"][0]["parentField"], "z");
        assert_eq!(definition["aggregations"][1]["cases"], json!([{ "when": condition, "value": "a" }]));
    }

    #[test]
    fn keys_replace_those_of_each_definition() {
        let entry = json!({ "preset": "company", "childObject": "pledge", "mixedCurrency": "clear",
                            "childFilters": [{ "field": "a", "operator": "isEmpty" }] });
        for definition in read(&entry) {
            assert_eq!(definition.sources[0].child_object, "pledge");
            assert_eq!(definition.child_filters.paths(), ["a"]);
        }
    }
}
