//! The data model: what the proxy reads and writes, what a workspace calls it, and what a workspace lacks of it.
//!
//! `model.json` declares every object and field once: the Twenty app installs it, `npm run proxy -- --provision` makes
//! it, and `/ready` compares it with the workspace. A setting may give a workspace's own names, or leave things out:
//!
//! ```json
//! {"gift": {"name": "donation", "plural": "donations", "fields": {"amount": "value", "fund": null}}, "fund": null}
//! ```
//!
//! Everything inside the proxy uses the names of `model.json`. They are exchanged at the edge, in each call's path, body
//! and reply; what is left out is not sent, and not missed.
//!
//! # Examples
//!
//! A workspace that calls gifts donations, and has no funds:
//!
//! ```
//! use model::Model;
//! use serde_json::json;
//!
//! let model = Model::with_names(r#"{"gift":{"name":"donation","plural":"donations","fields":{"amount":"value"}},"fund":null}"#)?;
//! assert_eq!(model.workspace_path("/gifts/7"), "/donations/7");
//! assert_eq!(model.workspace_expression("/gifts", "amount.amountMicros[gt]:5"), "value.amountMicros[gt]:5");
//!
//! let reply = json!({ "data": { "createDonation": { "id": "7", "value": null } } });
//! assert_eq!(model.declared_reply("/gifts", reply), json!({ "data": { "createGift": { "id": "7", "amount": null } } }));
//! # Ok::<(), model::InvalidNames>(())
//! ```

#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate wasm_tests;

mod translation;

use serde_json::Value;
use twenty::object::object;
use twenty::schema;

/// The file that declares the objects and fields
const DECLARED: &str = include_str!("../model.json");

/// Longest name of an object or a field, as the database has them
const MAX_NAME: usize = 63;
/// Columns that every object has besides
const SYSTEM_FIELDS: [&str; 8] =
    ["id", "createdAt", "updatedAt", "deletedAt", "createdBy", "updatedBy", "position", "searchVector"];
/// Words in the place of an object that are paths of the API
const SYSTEM_OBJECTS: [&str; 3] = ["batch", "metadata", "duplicates"];

const NAME: &str = "expected a name in camelCase, of at most 63 letters and digits";

/// Every object and field that the proxy knows, with the workspace's own names
#[derive(Clone, Debug)]
pub struct Model {
    objects: Vec<Object>,
    /// Whether any name is another than the declared one
    renamed: bool,
}

#[derive(Clone, Debug)]
struct Object {
    names: schema::Names,
    /// What the workspace calls it; nothing if it is left out
    own: Option<schema::Names>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    /// What the workspace calls it; nothing if it is left out
    own: Option<String>,
    /// Twenty's type
    kind: String,
    /// Singular name of the object that it refers to
    target: Option<String>,
}

/// What the setting of names got wrong
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a JSON object of names; {place}: {reason}")]
pub struct InvalidNames {
    /// Where: `gift.amount`
    pub place: String,
    /// What was expected there
    pub reason: &'static str,
}

/// A part of the model that a workspace does not have as it should
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingField {
    /// The object, as the workspace is to call it
    pub object: String,
    /// The field; nothing if the whole object is missing
    pub field: Option<String>,
    /// Type that the field should have
    pub expected: Option<String>,
    /// Type that it has instead; nothing if it is missing
    pub found: Option<String>,
}

impl MissingField {
    /// As a member of the answer to `/ready`
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parts = [
            ("object", Some(&self.object)),
            ("field", self.field.as_ref()),
            ("expected", self.expected.as_ref()),
            ("found", self.found.as_ref()),
        ];
        let present = parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), Value::from(part?.as_str()))));
        Value::Object(object(present))
    }
}

impl Default for Model {
    /// With the declared names
    fn default() -> Self {
        Self { objects: declared(), renamed: false }
    }
}

fn declared() -> Vec<Object> {
    // A test reads it; there is no other text that it could be.
    let model: Value = serde_json::from_slice(DECLARED.as_bytes()).unwrap_or_default();
    let objects = model.as_object().into_iter().flatten();
    objects
        .map(|(singular, object)| {
            let names = schema::Names::new(singular, text(object, "plural"));
            let fields = object.get("fields").and_then(Value::as_object).into_iter().flatten();
            let fields = fields.map(|(name, kind)| declared_field(name, kind.as_str().unwrap_or_default()));
            Object { own: Some(names.clone()), names, fields: fields.collect() }
        })
        .collect()
}

/// `TYPE`, `TYPE OPTION OPTION`, or `object.list` for the many side of a relation
fn declared_field(name: &str, kind: &str) -> Field {
    let (kind, target) = match kind.bytes().position(|byte| byte == b'.') {
        Some(point) => ("RELATION", kind.get(..point)),
        None => (kind.split(' ').next().unwrap_or_default(), None),
    };
    Field {
        name: name.to_owned(),
        own: Some(name.to_owned()),
        kind: kind.to_owned(),
        target: target.map(str::to_owned),
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Model {
    /// With the workspace's own names, from the text of the setting
    ///
    /// # Errors
    /// The first thing that does not fit: no JSON object, a name that is not declared, a value of another kind, a name
    /// that no object or field can have, one name for two things.
    pub fn with_names(setting: &str) -> Result<Self, InvalidNames> {
        let mut model = Self { objects: declared(), renamed: true };
        let names: Value = serde_json::from_slice(setting.as_bytes()).unwrap_or_default();
        let names = names.as_object().ok_or_else(|| bad("", "", "expected a JSON object"))?;
        for (singular, given) in names {
            let object = model.objects.iter_mut().find(|object| object.names.singular == *singular);
            let object = object.ok_or_else(|| bad(singular, "", "there is no such object in the model"))?;
            object.rename(given)?;
        }
        model.require_distinct()?;
        Ok(model)
    }

    /// Whether the workspace may have other names than the declared ones
    #[must_use]
    pub const fn is_renamed(&self) -> bool {
        self.renamed
    }

    /// Of two objects or fields under one name the proxy could not tell which is meant.
    fn require_distinct(&self) -> Result<(), InvalidNames> {
        let mut taken: Vec<&str> = Vec::new();
        for object in &self.objects {
            let Some(own) = &object.own else { continue };
            for name in [&own.singular, &own.plural] {
                if taken.contains(&name.as_str()) {
                    return Err(bad(&object.names.singular, "", "expected names that nothing else in the model has"));
                }
                taken.push(name);
            }
            let mut columns: Vec<String> = Vec::new();
            for field in &object.fields {
                let Some(own) = &field.own else { continue };
                let column = if field.kind == "RELATION" { own.clone() + "Id" } else { own.clone() };
                if columns.contains(own) || columns.contains(&column) {
                    let reason = "expected a name that no other field of the object has";
                    return Err(bad(&object.names.singular, &field.name, reason));
                }
                columns.push(own.clone());
                columns.push(column);
            }
        }
        Ok(())
    }

    /// What this workspace lacks of the model. The types of `SELECT` and `TEXT` are taken for one another, since both
    /// hold texts.
    ///
    /// # Examples
    ///
    /// ```
    /// use model::Model;
    ///
    /// let missing = Model::default().missing_fields(&[]);
    /// assert!(missing.iter().any(|missing| missing.object == "gift" && missing.field.is_none()));
    /// ```
    #[must_use]
    pub fn missing_fields(&self, workspace: &[schema::Object]) -> Vec<MissingField> {
        let mut missing_fields = Vec::new();
        for object in &self.objects {
            let Some(own) = &object.own else { continue };
            let Some(found) = workspace.iter().find(|other| other.names.singular == own.singular) else {
                missing_fields.push(MissingField {
                    object: own.singular.clone(),
                    field: None,
                    expected: None,
                    found: None,
                });
                continue;
            };
            for field in object.fields.iter().filter(|field| !self.is_left_out(field)) {
                let Some(name) = &field.own else { continue };
                let column = if field.kind == "RELATION" { name.clone() + "Id" } else { name.clone() };
                let kind = found.field(&column).map(|field| field.kind.clone());
                if !kind.as_deref().is_some_and(|kind| is_compatible(kind, &field.kind)) {
                    missing_fields.push(MissingField {
                        object: own.singular.clone(),
                        field: Some(name.clone()),
                        expected: Some(field.kind.clone()),
                        found: kind,
                    });
                }
            }
        }
        missing_fields
    }

    /// A relation goes with the object that it refers to.
    fn is_left_out(&self, field: &Field) -> bool {
        let target = field.target.as_ref();
        field.own.is_none()
            || target.is_some_and(|target| {
                self.objects.iter().any(|object| object.names.singular == *target && object.own.is_none())
            })
    }
}

impl Object {
    fn rename(&mut self, given: &Value) -> Result<(), InvalidNames> {
        let singular = self.names.singular.clone();
        if given.is_null() {
            self.own = None;
            return Ok(());
        }
        let given =
            given.as_object().ok_or_else(|| bad(&singular, "", "expected an object, or null to leave it out"))?;
        let mut own = self.names.clone();
        for (key, value) in given {
            match (key.as_str(), value) {
                ("name" | "plural", Value::String(name))
                    if !is_name(name) || SYSTEM_OBJECTS.contains(&name.as_str()) =>
                {
                    return Err(bad(&singular, key, NAME));
                }
                ("name", Value::String(name)) => own.singular.clone_from(name),
                ("plural", Value::String(name)) => own.plural.clone_from(name),
                ("fields", Value::Object(fields)) => {
                    for (name, value) in fields {
                        let field = self.fields.iter_mut().find(|field| field.name == *name);
                        let field = field.ok_or_else(|| bad(&singular, name, "there is no such field in the model"))?;
                        field.own = match value {
                            Value::Null => None,
                            Value::String(own) if !is_name(own) || SYSTEM_FIELDS.contains(&own.as_str()) => {
                                return Err(bad(&singular, name, NAME));
                            }
                            Value::String(own) => Some(own.clone()),
                            _ => return Err(bad(&singular, name, "expected a name, or null to leave it out")),
                        };
                    }
                }
                _ => return Err(bad(&singular, key, "expected `name` and `plural` as texts, `fields` as an object")),
            }
        }
        self.own = Some(own);
        Ok(())
    }
}

/// Whether a field of this type can hold what one of the expected type holds
fn is_compatible(found: &str, expected: &str) -> bool {
    let texts = ["TEXT", "SELECT"];
    let numbers = ["NUMBER", "NUMERIC"];
    let days = ["DATE", "DATE_TIME"];
    found == expected || [texts, numbers, days].iter().any(|same| same.contains(&found) && same.contains(&expected))
}

/// Whether Twenty takes it for the name of an object or a field
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn bad(object: &str, field: &str, reason: &'static str) -> InvalidNames {
    let place = match (object, field) {
        ("", _) => "the whole".to_owned(),
        (object, "") => object.to_owned(),
        (object, field) => format!("{object}.{field}"),
    };
    InvalidNames { place, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn renamed() -> Model {
        let names = json!({
            "gift": {"name": "donation", "plural": "donations", "fields": {"amount": "value", "donor": "giver", "notes": null}},
            "fund": null,
        });
        Model::with_names(&names.to_string()).unwrap()
    }

    /// A workspace as the metadata shows it, that has the whole model under its declared names
    fn workspace(model: &Model) -> Vec<schema::Object> {
        let field = |field: &Field| {
            let column = if field.kind == "RELATION" { format!("{}Id", field.name) } else { field.name.clone() };
            (column, schema::Field { kind: field.kind.clone(), target: field.target.clone(), options: Vec::new() })
        };
        let object = |object: &Object| schema::Object {
            names: object.names.clone(),
            fields: object.fields.iter().map(field).collect(),
        };
        model.objects.iter().map(object).collect()
    }

    #[test]
    fn relations_lead_to_declared_objects() {
        let model = Model::default();
        assert!(model.objects.len() > 10);
        for object in &model.objects {
            assert!(!object.names.plural.is_empty() && !object.fields.is_empty(), "{:?}", object.names);
            for field in &object.fields {
                let target = field.target.as_ref();
                assert_eq!(field.kind == "RELATION", target.is_some(), "{field:?}");
                assert!(target.is_none_or(|name| model.objects.iter().any(|each| each.names.singular == *name)));
            }
        }
    }

    #[test]
    fn complete_workspace_lacks_nothing() {
        let model = Model::default();
        assert_eq!(model.missing_fields(&workspace(&model)), []);
    }

    #[test]
    fn missing_parts_are_named() {
        let model = Model::default();
        let mut workspace = workspace(&model);
        workspace.retain(|object| object.names.singular != "household");
        let gift = workspace.iter_mut().find(|object| object.names.singular == "gift").unwrap();
        gift.fields.retain(|(name, _)| name != "donorId");
        gift.fields.iter_mut().find(|(name, _)| name == "amount").unwrap().1.kind = "NUMBER".into();
        let missing_fields: Vec<Value> = model.missing_fields(&workspace).iter().map(MissingField::to_json).collect();
        assert_eq!(missing_fields.len(), 3);
        for expected in [
            json!({"object": "gift", "field": "donor", "expected": "RELATION"}),
            json!({"object": "gift", "field": "amount", "expected": "CURRENCY", "found": "NUMBER"}),
            json!({"object": "household"}),
        ] {
            assert!(missing_fields.contains(&expected), "{expected} in {missing_fields:?}");
        }
    }

    #[test]
    fn omitted_and_renamed_parts() {
        let model = renamed();
        let mut workspace = workspace(&model);
        workspace.retain(|object| object.names.singular != "fund");
        let gift = workspace.iter_mut().find(|object| object.names.singular == "gift").unwrap();
        gift.names = schema::Names::new("donation", "donations");
        gift.fields.retain(|(name, _)| name != "notes" && name != "fundId");
        for (name, own) in [("amount", "value"), ("donorId", "giverId")] {
            own.clone_into(&mut gift.fields.iter_mut().find(|(other, _)| other == name).unwrap().0);
        }
        let staged = workspace.iter_mut().find(|object| object.names.singular == "giftStaging").unwrap();
        staged.fields.retain(|(name, _)| name != "fundId");
        assert_eq!(model.missing_fields(&workspace), []);
    }

    #[test]
    fn a_mistake_in_the_setting_says_where() {
        for (setting, place) in [
            ("[]", "the whole: expected a JSON object"),
            ("{", "the whole: expected a JSON object"),
            (r#"{"gfit":null}"#, "gfit: there is no such object in the model"),
            (r#"{"gift":5}"#, "gift: expected an object, or null to leave it out"),
            (r#"{"gift":{"fields":{"amout":"x"}}}"#, "gift.amout: there is no such field"),
            (r#"{"gift":{"fields":{"amount":5}}}"#, "gift.amount: expected a name"),
            (r#"{"gift":{"nmae":"x"}}"#, "gift.nmae"),
            (r#"{"gift":{"name":""}}"#, "gift.name: expected a name in camelCase"),
            (r#"{"gift":{"name":"donation"},"fund":{"name":"donation"}}"#, "gift: expected names that nothing else"),
            (r#"{"gift":{"name":"gifts"}}"#, "gift: expected names that nothing else"),
            (r#"{"gift":{"plural":"../people"}}"#, "gift.plural: expected a name in camelCase"),
            (r#"{"gift":{"plural":"batch"}}"#, "gift.plural: expected a name in camelCase"),
            (r#"{"gift":{"fields":{"notes":"id"}}}"#, "gift.notes: expected a name in camelCase"),
            (r#"{"gift":{"fields":{"notes":"my notes"}}}"#, "gift.notes: expected a name in camelCase"),
            (r#"{"gift":{"fields":{"notes":"Notes"}}}"#, "gift.notes: expected a name in camelCase"),
            (r#"{"gift":{"fields":{"notes":"description"}}}"#, "gift.notes: expected a name that no other field"),
            (r#"{"gift":{"fields":{"notes":"donorId"}}}"#, "gift.notes: expected a name that no other field"),
        ] {
            let message = Model::with_names(setting).unwrap_err().to_string();
            assert!(message.starts_with(&format!("a JSON object of names; {place}")), "{setting}: {message}");
        }
        let long = format!(r#"{{"gift":{{"name":"{}"}}}}"#, "x".repeat(64));
        assert!(Model::with_names(&long).is_err());
        assert!(Model::with_names(r#"{"gift":{"fields":{"notes":"description","description":"notes"}}}"#).is_ok());
    }
}
