//! The metadata REST API: objects, fields and relations.
//!
//! Two formats of answers exist, chosen by the workspace: wrapped in `data.createOneObject` and the like, or bare.
//! What is made can be used at once. None of it costs a token.

use ports::{Method, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::http::{self, Target, require, text};
use crate::names::{camel, pascal};
use crate::schema::{Field, Object, Shape, TYPES};
use crate::standard::{self, FieldPlan};
use crate::subscriptions;
use crate::workspace::Workspace;

/// Answers one call under `/rest/metadata`.
pub(crate) fn handle(
    workspace: &mut Workspace,
    method: Method,
    target: &Target,
    body: &Value,
) -> Result<Response, ApiError> {
    let segments = target.segments();
    let path: Vec<&str> = segments.iter().skip(2).copied().collect();
    match (method, path.as_slice()) {
        (Method::Get, ["objects"]) => list(workspace, target, "objects"),
        (Method::Get, ["fields"]) => list(workspace, target, "fields"),
        (Method::Get, ["objects", id]) => {
            let number = object_number(workspace, id)?;
            let object = workspace.schema.object(number).map(|object| object_json(object, true)).unwrap_or_default();
            Ok(one(workspace, 200, "object", object))
        }
        (Method::Get, ["fields", id]) => {
            let (object, field) = field_of(workspace, id, "Field metadata not found")?;
            let field = without_nulls(field_json(&object, &field));
            Ok(one(workspace, 200, "field", field))
        }
        (Method::Post, ["objects"]) => {
            let object = create_object(workspace, body)?;
            Ok(one(workspace, 201, "createOneObject", object))
        }
        (Method::Post, ["fields"]) => {
            let field = create_field(workspace, body)?;
            Ok(one(workspace, 201, "createOneField", field))
        }
        (Method::Patch | Method::Put, ["objects", id]) => {
            let number = object_number(workspace, id)?;
            let object = workspace.schema.objects.get_mut(number).map(|object| update_object(object, body));
            Ok(one(workspace, 200, "updateOneObject", object.unwrap_or_default()))
        }
        (Method::Patch | Method::Put, ["fields", id]) => {
            let (object, field) = field_of(workspace, id, "Field to update not found")?;
            let place = workspace.schema.field_place(field.id);
            let field = place.and_then(|(number, at)| workspace.schema.objects.get_mut(number)?.fields.get_mut(at));
            let field = field.map(|field| update_field(&object, field, body)).unwrap_or_default();
            Ok(one(workspace, 200, "updateOneField", field))
        }
        (Method::Delete, ["objects", id]) => {
            let number = object_number(workspace, id)?;
            let object = workspace.schema.object(number).map(|object| object_json(object, false)).unwrap_or_default();
            workspace.drop_object(number);
            Ok(one(workspace, 200, "deleteOneObject", object))
        }
        (Method::Delete, ["fields", id]) => {
            let (object, field) = field_of(workspace, id, "Field to delete not found")?;
            delete_field(workspace, &object, &field);
            Ok(one(workspace, 200, "deleteOneField", field_json(&object, &field)))
        }
        (_, ["webhooks", ..]) => subscriptions::handle(workspace, method, path.get(1..).unwrap_or_default(), body),
        _ => Err(ApiError::framework(404, "Not Found", &json!(format!("Cannot {method} {}", target.path)))),
    }
}

fn one(workspace: &Workspace, status: u16, name: &str, value: Value) -> Response {
    let body = if workspace.direct { value } else { json!({"data": Map::from_iter([(name.to_owned(), value)])}) };
    http::json(status, body.to_string())
}

fn list(workspace: &Workspace, target: &Target, what: &str) -> Result<Response, ApiError> {
    let live = workspace.schema.objects.iter().filter(|object| !object.is_gone);
    let mut all: Vec<(Uuid, Value)> = if what == "objects" {
        live.map(|object| (object.id, object_json(object, true))).collect()
    } else {
        live.flat_map(|object| object.fields.iter().map(|field| (field.id, without_nulls(field_json(object, field)))))
            .collect()
    };
    all.sort_by_key(|(id, _)| *id);
    let total = all.len();
    let limit = target.limit(60)?;
    if let Some(cursor) = target.param("starting_after") {
        let cursor: Uuid = cursor.parse().map_err(|_| ApiError::bad(format!("Invalid cursor: {cursor}")))?;
        all.retain(|(id, _)| *id > cursor);
    }
    let more = all.len() > limit;
    all.truncate(limit);
    let cursor = |entry: Option<&(Uuid, Value)>| entry.map(|(id, _)| *id);
    let info = json!({"hasNextPage": more, "startCursor": cursor(all.first()), "endCursor": cursor(all.last())});
    let items: Vec<Value> = all.into_iter().map(|(_, value)| value).collect();
    let data = if workspace.direct { json!(items) } else { json!(Map::from_iter([(what.to_owned(), json!(items))])) };
    Ok(http::json(200, json!({"data": data, "pageInfo": info, "totalCount": total}).to_string()))
}

fn object_number(workspace: &Workspace, id: &str) -> Result<usize, ApiError> {
    let number = id.parse().ok().and_then(|id| workspace.schema.by_id(id));
    number.ok_or_else(|| ApiError::unknown_metadata("OBJECT_METADATA_NOT_FOUND", "Object metadata not found"))
}

fn field_of(workspace: &Workspace, id: &str, missing: &'static str) -> Result<(Object, Field), ApiError> {
    let place = id.parse().ok().and_then(|id| workspace.schema.field_place(id));
    let found = place.and_then(|(number, at)| {
        let object = workspace.schema.object(number)?;
        Some((object.clone(), object.fields.get(at)?.clone()))
    });
    found.ok_or_else(|| ApiError::unknown_metadata("FIELD_METADATA_NOT_FOUND", missing))
}

fn object_json(object: &Object, with_fields: bool) -> Value {
    let mut value = json!({
        "id": object.id,
        "nameSingular": object.singular,
        "namePlural": object.plural,
        "labelSingular": object.label_singular,
        "labelPlural": object.label_plural,
        "description": object.description,
        "icon": object.icon,
        "isCustom": object.is_custom,
        "isRemote": false,
        "isActive": object.is_active,
        "isSystem": false,
        "isLabelSyncedWithName": object.is_label_synced,
    });
    if let (true, Some(members)) = (with_fields, value.as_object_mut()) {
        let fields: Vec<Value> = object.fields.iter().map(|field| without_nulls(field_json(object, field))).collect();
        members.insert("fields".into(), json!(fields));
    }
    value
}

/// A field as the writing calls show it: `defaultValue` and `options` always, the rest where it is set
fn field_json(object: &Object, field: &Field) -> Value {
    let mut value = json!({
        "id": field.id,
        "type": field.kind,
        "name": field.name,
        "label": field.label,
        "isCustom": field.is_custom,
        "isActive": field.is_active,
        "isSystem": field.is_system,
        "isNullable": field.is_nullable,
        "isUnique": field.is_unique,
        "defaultValue": field.default_value,
        "options": field.options,
        "objectMetadataId": object.id,
    });
    if let Some(members) = value.as_object_mut() {
        for (name, text) in [("description", &field.description), ("icon", &field.icon)] {
            if let Some(text) = text {
                members.insert(name.into(), json!(text));
            }
        }
        if !field.settings.is_null() {
            members.insert("settings".into(), field.settings.clone());
        }
    }
    value
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let starts = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    if starts && name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(ApiError::metadata(
            "Name is not valid: it must start with lowercase letter and contain only alphanumeric letters",
        ))
    }
}

pub(crate) fn create_object(workspace: &mut Workspace, body: &Value) -> Result<Value, ApiError> {
    require(body, &["nameSingular", "namePlural", "labelSingular", "labelPlural"])?;
    let names =
        ["nameSingular", "namePlural", "labelSingular", "labelPlural"].map(|n| text(body, n).unwrap_or_default());
    let [singular, plural, ..] = names;
    check_name(singular)?;
    check_name(plural)?;
    if singular == plural {
        return Err(ApiError::metadata("The singular and plural names cannot be the same for an object"));
    }
    if workspace.schema.by_singular(singular).is_some() || workspace.schema.by_plural(plural).is_some() {
        return Err(ApiError::metadata(format!(
            "Name \"target{}\" is not available as it is already used by another field",
            pascal(singular)
        )));
    }
    let number = standard::custom_object(workspace, names);
    let Some(object) = workspace.schema.objects.get_mut(number) else { return Ok(Value::Null) };
    Ok(update_object(object, body))
}

fn update_object(object: &mut Object, body: &Value) -> Value {
    if let Some(label) = text(body, "labelSingular") {
        label.clone_into(&mut object.label_singular);
    }
    if let Some(label) = text(body, "labelPlural") {
        label.clone_into(&mut object.label_plural);
    }
    if let Some(description) = body.get("description") {
        object.description = description.as_str().map(str::to_owned);
    }
    if let Some(icon) = body.get("icon") {
        object.icon = icon.as_str().map(str::to_owned);
    }
    if let Some(is_active) = body.get("isActive").and_then(Value::as_bool) {
        object.is_active = is_active;
    }
    if let Some(synced) = body.get("isLabelSyncedWithName").and_then(Value::as_bool) {
        object.is_label_synced = synced;
    }
    object_json(object, false)
}

pub(crate) fn create_field(workspace: &mut Workspace, body: &Value) -> Result<Value, ApiError> {
    require(body, &["name", "label"])?;
    let (name, label) = (text(body, "name").unwrap_or_default(), text(body, "label").unwrap_or_default());
    let kind = text(body, "type").filter(|kind| TYPES.contains(kind)).ok_or_else(|| {
        let message = format!("type must be one of the following values: {}", TYPES.join(", "));
        ApiError::framework(400, "Bad Request", &json!([message]))
    })?;
    let number =
        text(body, "objectMetadataId").and_then(|id| id.parse().ok()).and_then(|id| workspace.schema.by_id(id));
    let number = number.ok_or_else(|| ApiError::metadata("Provided object metadata id does not exist"))?;
    check_name(name)?;
    check_free(workspace, number, name)?;
    if kind == "RELATION" {
        create_relation(workspace, number, (name, label), body)?;
    } else {
        check_options(kind, body)?;
        let plan = FieldPlan {
            description: text(body, "description").map(str::to_owned),
            icon: text(body, "icon").map(str::to_owned),
            options: body.get("options").cloned().unwrap_or_else(|| standard_options(kind)),
            default_value: body.get("defaultValue").cloned().unwrap_or_default(),
            settings: body.get("settings").cloned().unwrap_or_default(),
            is_unique: body.get("isUnique") == Some(&Value::Bool(true)),
            ..FieldPlan::new(kind, name, label)
        };
        standard::plain_field(workspace, number, &plan)
            .ok_or_else(|| ApiError::metadata(format!("Field type {kind} cannot be created here")))?;
        workspace.fill_default(number, name);
    }
    let object = workspace.schema.object(number);
    Ok(object.and_then(|object| object.field(name).map(|field| field_json(object, field))).unwrap_or_default())
}

fn check_free(workspace: &Workspace, number: usize, name: &str) -> Result<(), ApiError> {
    let taken = workspace
        .schema
        .object(number)
        .is_some_and(|object| object.field(name).is_some() || object.joined_by(name).is_some());
    if taken {
        return Err(ApiError::metadata(format!(
            "Name \"{name}\" is not available as it is already used by another field"
        )));
    }
    Ok(())
}

/// Options that come with the type
fn standard_options(kind: &str) -> Value {
    let rating =
        |stars: u8| json!({"value": format!("RATING_{stars}"), "label": stars.to_string(), "position": stars - 1});
    if kind == "RATING" { (1..=5).map(rating).collect() } else { Value::Null }
}

fn check_options(kind: &str, body: &Value) -> Result<(), ApiError> {
    if !matches!(kind, "SELECT" | "MULTI_SELECT") {
        return Ok(());
    }
    if body.get("options").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(ApiError::metadata("Options are required for enum fields"));
    }
    let quoted = |text: &str| text.len() > 2 && text.starts_with('\'') && text.ends_with('\'');
    match body.get("defaultValue").and_then(Value::as_str) {
        Some(default) if !quoted(default) => Err(ApiError::metadata("Default value should be as quoted string")),
        _ => Ok(()),
    }
}

fn create_relation(
    workspace: &mut Workspace,
    number: usize,
    (name, label): (&str, &str),
    body: &Value,
) -> Result<(), ApiError> {
    let payload = body.get("relationCreationPayload").filter(|payload| payload.is_object());
    let payload = payload.ok_or_else(|| ApiError::metadata("Relation creation payload is required"))?;
    let target = text(payload, "targetObjectMetadataId").and_then(|id| id.parse().ok());
    let target = target.and_then(|id| workspace.schema.by_id(id));
    let target = target
        .ok_or_else(|| ApiError::metadata("Object metadata relation target not found for relation creation payload"))?;
    let inverse_label = text(payload, "targetFieldLabel").unwrap_or(label);
    let inverse = camel(inverse_label);
    let (many, one) = match text(payload, "type") {
        Some("ONE_TO_MANY") => ((target, inverse.as_str(), inverse_label), (number, name, label)),
        _ => ((number, name, label), (target, inverse.as_str(), inverse_label)),
    };
    check_free(workspace, target, &inverse)?;
    standard::relation(workspace, many.0, (many.1, many.2), one.0, (one.1, one.2), true);
    Ok(())
}

fn update_field(object: &Object, field: &mut Field, body: &Value) -> Value {
    if let Some(label) = text(body, "label") {
        label.clone_into(&mut field.label);
    }
    if let Some(description) = body.get("description") {
        field.description = description.as_str().map(str::to_owned);
    }
    if let Some(icon) = body.get("icon") {
        field.icon = icon.as_str().map(str::to_owned);
    }
    if let Some(is_active) = body.get("isActive").and_then(Value::as_bool) {
        field.is_active = is_active;
    }
    if let Some(name) = text(body, "name") {
        name.clone_into(&mut field.name);
    }
    for (name, place) in
        [("defaultValue", &mut field.default_value), ("options", &mut field.options), ("settings", &mut field.settings)]
    {
        if let Some(value) = body.get(name) {
            *place = value.clone();
        }
    }
    field_json(object, field)
}

/// Removes a field, and a relation's other side with it.
fn delete_field(workspace: &mut Workspace, object: &Object, field: &Field) {
    let Some(number) = workspace.schema.by_id(object.id) else { return };
    workspace.drop_field(number, &field.name);
    let Some(crate::schema::Slot::Cell(cell)) = field.parts.first().map(|part| part.slot) else { return };
    if let Shape::ManyToOne { target: Some(target), .. } = field.shape {
        let inverse = workspace.schema.object(target).and_then(|target| {
            let is_inverse = |field: &&Field| field.shape == Shape::OneToMany { target: Some(number), slot: cell };
            target.fields.iter().find(is_inverse).map(|field| field.name.clone())
        });
        if let Some(inverse) = inverse {
            workspace.drop_field(target, &inverse);
        }
    }
}
