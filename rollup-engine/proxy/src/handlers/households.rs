//! Households, who belongs to them, and where they live.

use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::{Query, Target};

use super::people::{PEOPLE, text, view as person_view};
use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Field, Request, Response, record_id, require_field};
use fundraising::address;
use fundraising::client_error::{ClientError, Status};
use fundraising::gift::require_relation_ids;

const HOUSEHOLDS: &str = "households";
/// Text fields beside the name
const TEXTS: &[&str] = &["primaryContactId", "envelopeName", "salutationFormal", "salutationInformal"];

/// Households
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let target = Target::list(HOUSEHOLDS, &query::list(&request.query)?);
    let answer = require_field(cx.read(target).await?, Field::List("households"))?;
    Ok(Response::json(200, listed("households", &answer, "households", view, |_| true)))
}

/// A new household
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let body = request.object("payload must be an object")?;
    let name = text(body.get("name")).ok_or_else(|| ClientError::bad("name is required"))?;
    let mut record = fields(&body)?;
    record.insert("name".into(), name.into());
    require_relation_ids(&mut record)?;
    let answer = cx.call(Target::create(HOUSEHOLDS), Some(record.into())).await?;
    one(answer, "createHousehold")
}

/// One household
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "id")?;
    let query = query::single(&request.query)?;
    one(cx.read(Target::get(HOUSEHOLDS, request.record_id(0, "id")?, &query)).await?, "household")
}

/// Changes a household.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn update(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "id")?;
    let body = request.object("payload must be an object")?;
    let mut changes = fields(&body)?;
    match body.get("name") {
        None => {}
        Some(Value::Null) => return Err(ClientError::bad("name cannot be null").into()),
        Some(Value::String(name)) if name.trim().is_empty() => {}
        Some(Value::String(name)) => {
            changes.insert("name".into(), name.trim().into());
        }
        Some(_) => return Err(ClientError::bad("name must be a string").into()),
    }
    if changes.is_empty() {
        return Err(ClientError::bad("At least one field must be provided to update a household").into());
    }
    require_relation_ids(&mut changes)?;
    let target = Target::update(HOUSEHOLDS, request.record_id(0, "id")?);
    one(cx.call(target, Some(changes.into())).await?, "updateHousehold")
}

/// Who belongs to a household
///
/// # Errors
/// 400 for an id that cannot be right, and whatever Twenty says.
pub async fn members(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "householdId")?;
    let id = request.record_id(0, "householdId")?;
    let query = query::list_where(&request.query, vec![Filter::IdIs("householdId".into(), id)])?;
    let answer = require_field(cx.read(Target::list(PEOPLE, &query)).await?, Field::List("people"))?;
    let belongs = |person: &Value| is_id(person.get("householdId"), id);
    Ok(Response::json(200, listed("members", &answer, "people", |record| person_view(Some(record)), belongs)))
}

/// Puts a person into a household, if asked as its first contact.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn add_member(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "householdId")?;
    let body = request.object("payload must be an object")?;
    let contact = text(body.get("contactId")).ok_or_else(|| ClientError::bad("contactId is required"))?;
    let primary = match body.get("makePrimary") {
        None => false,
        Some(flag) => flag.as_bool().ok_or_else(|| ClientError::bad("makePrimary must be a boolean if provided"))?,
    };
    let (id, person) = (request.record_id(0, "householdId")?, record_id("contactId", &contact)?);
    cx.call(Target::update(PEOPLE, person), Some(json!({ "householdId": id }))).await?;
    if primary {
        cx.call(Target::update(HOUSEHOLDS, id), Some(json!({ "primaryContactId": person }))).await?;
    }
    reread(cx, person).await
}

/// Takes a person out of a household, also as its first contact.
///
/// # Errors
/// 404 for a person of another household or of none, and whatever Twenty says.
pub async fn remove_member(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "householdId")?;
    request.present_id(1, "contactId")?;
    let (id, person) = (request.record_id(0, "householdId")?, request.record_id(1, "contactId")?);
    if !is_id(household_of(cx, person).await?.as_ref(), id) {
        return Err(ClientError::new(Status::NotFound, "the contact is not a member of this household").into());
    }
    // First the household: if the second call fails, the person is still a member, and the request can be repeated.
    let household = cx.call(Target::get(HOUSEHOLDS, id, &Query::default()), None).await?;
    if is_id(household.pointer("/data/household/primaryContactId"), person) {
        cx.call(Target::update(HOUSEHOLDS, id), Some(json!({ "primaryContactId": null }))).await?;
    }
    cx.call(Target::update(PEOPLE, person), Some(json!({ "householdId": null }))).await?;
    reread(cx, person).await
}

/// Gives a person an address, and the household if the person has none: it never moves a person out of another one.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn copy_address(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "householdId")?;
    let body = request.object("payload must be an object")?;
    let contact = text(body.get("contactId")).ok_or_else(|| ClientError::bad("contactId is required"))?;
    let mut changes = Map::new();
    match body.get("mailingAddress") {
        None => return Err(ClientError::bad("mailingAddress is required").into()),
        Some(Value::Null) => {
            changes.insert("mailingAddress".into(), Value::Null);
        }
        Some(Value::Object(parts)) => {
            let parts = address::to_twenty(parts)?;
            if parts.is_empty() {
                let message = "mailingAddress must include at least one field when copying to a contact";
                return Err(ClientError::bad(message).into());
            }
            changes.insert("mailingAddress".into(), Value::Object(parts));
        }
        Some(_) => return Err(ClientError::bad("mailingAddress must be an object or null").into()),
    }
    let (id, person) = (request.record_id(0, "householdId")?, record_id("contactId", &contact)?);
    let household = match household_of(cx, person).await {
        Ok(household) => household,
        // Twenty itself says so when the person is to be changed.
        Err(failure) if failure.upstream_status() == Some(404) => None,
        Err(failure) => return Err(failure),
    };
    if household.is_none() || is_id(household.as_ref(), id) {
        changes.insert("householdId".into(), id.into());
    }
    cx.call(Target::update(PEOPLE, person), Some(changes.into())).await?;
    reread(cx, person).await
}

/// The household of a person, as Twenty has it; nothing for none
async fn household_of(cx: &RequestContext<'_>, person: RecordId) -> Result<Option<Value>, Error> {
    let answer = read_person(cx, person).await?;
    Ok(text(answer.pointer("/data/person/householdId")).map(Value::from))
}

/// Whether a value is this id
fn is_id(value: Option<&Value>, id: RecordId) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.parse() == Ok(id))
}

async fn read_person(cx: &RequestContext<'_>, person: RecordId) -> Result<Value, Error> {
    require_field(cx.call(Target::get(PEOPLE, person, &Query::default()), None).await?, Field::Record("person"))
}

async fn reread(cx: &RequestContext<'_>, person: RecordId) -> Result<Response, Error> {
    Ok(Response::json(200, person_view(read_person(cx, person).await?.pointer("/data/person"))))
}

/// What a body sets beside the name
fn fields(body: &Map<String, Value>) -> Result<Map<String, Value>, ClientError> {
    let mut fields = Map::new();
    for key in TEXTS {
        let value = match body.get(*key) {
            None => continue,
            Some(Value::Null) => Value::Null,
            Some(value @ Value::String(_)) => text(Some(value)).map_or(Value::Null, Value::from),
            Some(_) => return Err(ClientError::bad(format!("{key} must be a string"))),
        };
        fields.insert((*key).into(), value);
    }
    match body.get("mailingAddress") {
        None => {}
        Some(Value::Null) => {
            fields.insert("mailingAddress".into(), address::cleared());
        }
        Some(Value::Object(parts)) => {
            let parts = address::to_twenty(parts)?;
            if !parts.is_empty() {
                fields.insert("mailingAddress".into(), Value::Object(parts));
            }
        }
        Some(_) => return Err(ClientError::bad("mailingAddress must be an object or null")),
    }
    Ok(fields)
}

fn one(answer: Value, key: &'static str) -> Result<Response, Error> {
    let answer = require_field(answer, Field::Record(key))?;
    Ok(Response::json(200, answer.pointer(&format!("/data/{key}")).map_or(Value::Null, view)))
}

/// A household as this service shows one
fn view(record: &Value) -> Value {
    let mut household = Map::new();
    for key in ["id", "name"].iter().chain(TEXTS).chain(&["createdAt", "updatedAt"]) {
        if let Some(value) = text(record.get(*key)) {
            household.insert((*key).into(), value.into());
        }
    }
    if let Some(mailing) = record.get("mailingAddress") {
        household.insert("mailingAddress".into(), address::from_twenty(mailing));
    }
    Value::Object(household)
}

/// A list in this service's words, with the way to its next page
fn listed(
    name: &str,
    answer: &Value,
    key: &str,
    show: impl Fn(&Value) -> Value,
    belongs: impl Fn(&Value) -> bool,
) -> Value {
    let records = answer.pointer(&format!("/data/{key}")).and_then(Value::as_array);
    let mut shown = Vec::new();
    for record in records.into_iter().flatten() {
        if text(record.get("id")).is_some() && belongs(record) {
            shown.push(show(record));
        }
    }
    let mut list = Map::new();
    list.insert(name.into(), Value::Array(shown));
    if let Some(page) = answer.get("pageInfo").filter(|page| page.get("hasNextPage") == Some(&Value::Bool(true))) {
        list.insert("meta".into(), json!({ "hasMore": true, "nextCursor": page.get("endCursor") }));
    }
    Value::Object(list)
}
