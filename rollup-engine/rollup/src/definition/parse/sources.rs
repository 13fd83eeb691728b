//! The kinds of children of a definition.

use serde_json::{Map, Value as Json};
use twenty::value::Value;

use super::super::fault::{but, kind_of};
use super::super::model::{Condition, Mapping, Source};
use super::super::reader::{Reader, is_name, stated, value_path_fault};
use super::conditions::Scope;
use super::references::NamedConditions;

/// Keys of a source
pub(crate) const SOURCE_KEYS: [&str; 5] = ["name", "childObject", "relationField", "childFilters", "fields"];

/// Reads the kinds of children: those of `sources`, or the one of the definition itself
pub(super) fn read_sources(
    reader: &mut Reader<'_>,
    object: &Map<String, Json>,
    names: &NamedConditions,
) -> Option<Vec<Source>> {
    let Some(json) = stated(object, "sources") else {
        let child_object = reader.name(object, "childObject");
        let relation_field = reader.relation_path(object, "relationField");
        let (child_object, relation_field) = (child_object?, relation_field?);
        return Some(vec![Source {
            name: child_object.clone(),
            child_object,
            relation_field,
            child_filters: Condition::default(),
            fields: Vec::new(),
        }]);
    };
    for key in ["childObject", "relationField"] {
        if stated(object, key).is_some() {
            reader.fault(
                key,
                format!("`{key}` stands beside `sources`, each of which has its own; expected one of the two"),
            );
        }
    }
    let Some(list) = json.as_array().filter(|list| !list.is_empty()) else {
        reader.fault("sources", format!("expected a list with at least one source, {}", but(Some(json))));
        return None;
    };
    let mut seen: Vec<(String, usize)> = Vec::new();
    let mut read = Vec::new();
    for (index, json) in list.iter().enumerate() {
        let mut reader = reader.inside(&format!("sources {index}"));
        let source = read_source(&mut reader, json, names);
        if let Some(source) = &source {
            match seen.iter().find(|(name, _)| *name == source.name) {
                Some((name, first)) => reader.fault(
                    "name",
                    format!("`{name}` is the name of source {first} as well; give one of them another `name`"),
                ),
                None => seen.push((source.name.clone(), index)),
            }
        }
        read.push(source);
    }
    read.into_iter().collect()
}

fn read_source(reader: &mut Reader<'_>, json: &Json, names: &NamedConditions) -> Option<Source> {
    let object = reader.object(json, &SOURCE_KEYS)?;
    let child_object = reader.name(object, "childObject");
    let relation_field = reader.relation_path(object, "relationField");
    let name = match stated(object, "name") {
        Some(_) => reader.name(object, "name"),
        None => child_object.clone(),
    };
    // Fields of one source mean nothing in another, so contradictions are looked for in each alone.
    let mut scope = Scope::new(names);
    let child_filters = scope.conditions_at(reader, object, "childFilters");
    scope.contradiction(reader);
    let fields = fields(reader, object);
    Some(Source {
        name: name?,
        child_object: child_object?,
        relation_field: relation_field?,
        child_filters: child_filters?,
        fields,
    })
}

/// Common names, each with what it stands for
fn fields(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Vec<(String, Mapping)> {
    let Some(json) = stated(object, "fields") else { return Vec::new() };
    let Some(object) = json.as_object() else {
        reader.fault("fields", format!("expected an object of paths by their common names, {}", but(Some(json))));
        return Vec::new();
    };
    let mut reader = reader.inside("fields");
    let mut read = Vec::new();
    for (name, json) in object {
        if !is_name(name) {
            reader.fault(name, format!("`{name}` is no name: expected letters and digits, beginning with a letter"));
        }
        let mapping = match json {
            Json::Null => Ok(Mapping::Nothing),
            Json::String(path) => value_path_fault(path).map_or_else(|| Ok(Mapping::Path(path.clone())), Err),
            Json::Object(constant) => match (constant.len(), constant.get("value").map(Value::from)) {
                (1, Some(value)) if !matches!(value, Value::Unreadable(_)) => Ok(Mapping::Constant(value)),
                _ => Err("expected a constant as `{\"value\": …}` with a text, a number, true or false".to_owned()),
            },
            other => Err(format!("expected a path, `{{\"value\": …}}` or null, found {}", kind_of(other))),
        };
        match mapping {
            Ok(mapping) => read.push((name.clone(), mapping)),
            Err(message) => reader.fault(name, message),
        }
    }
    read
}
