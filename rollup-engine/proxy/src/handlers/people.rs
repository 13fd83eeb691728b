//! People: who might be the same, and one of them.

use serde_json::{Map, Value, json};
use twenty::target::{Query, Target};

use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Field, Request, Response, require_field};
use fundraising::address;
use fundraising::client_error::ClientError;
use fundraising::donor::Person;

pub(super) const PEOPLE: &str = "people";

/// Asks Twenty who resembles a person.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn duplicates(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let body = request.object("payload must be an object")?;
    let person =
        Person { first_name: name(&body, "firstName")?, last_name: name(&body, "lastName")?, email: email(&body)? };
    let depth = depth(body.get("depth"))?;
    let question = json!({ "data": [person.to_json()] });
    let target = Target::duplicates(PEOPLE, &Query::default().with("depth", depth.to_string()));
    let answer = cx.call(target, Some(question)).await?;
    let entries = answer.get("data").and_then(Value::as_array);
    let fits = entries
        .is_some_and(|entries| entries.iter().all(|entry| entry.get("personDuplicates").is_some_and(Value::is_array)));
    if fits { Ok(Response::json(201, answer)) } else { Err(Error::malformed("personDuplicates")) }
}

fn name(body: &Map<String, Value>, key: &str) -> Result<String, ClientError> {
    let name = body.get(key).and_then(Value::as_str).map_or("", str::trim);
    if name.chars().count() < 2 {
        return Err(ClientError::bad(format!("{key} must be a string with at least 2 characters")));
    }
    Ok(name.to_owned())
}

fn email(body: &Map<String, Value>) -> Result<Option<String>, ClientError> {
    let Some(email) = body.get("email") else { return Ok(None) };
    match email.as_str().map(str::trim).filter(|email| !email.is_empty()) {
        Some(email) => Ok(Some(email.to_owned())),
        None => Err(ClientError::bad("email, if provided, must be a non-empty string")),
    }
}

fn depth(given: Option<&Value>) -> Result<i64, ClientError> {
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(1) };
    match given.as_i64() {
        None => Err(ClientError::bad("depth must be an integer if provided")),
        Some(depth @ 0..=1) => Ok(depth),
        Some(_) => Err(ClientError::bad("depth must be between 0 and 1")),
    }
}

/// One person, flat
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "id")?;
    let query = query::single(&request.query)?;
    let target = Target::get(PEOPLE, request.record_id(0, "id")?, &query);
    let answer = require_field(cx.read(target).await?, Field::Record("person"))?;
    Ok(Response::json(200, view(answer.pointer("/data/person"))))
}

/// A person as this service shows one
#[must_use]
pub fn view(record: Option<&Value>) -> Value {
    let record = record.unwrap_or(&Value::Null);
    let within = |outer: &str, inner: &str| text(record.get(outer).and_then(|record| record.get(inner)));
    let (first, last) = (within("name", "firstName"), within("name", "lastName"));
    let both = format!("{} {}", first.as_deref().unwrap_or_default(), last.as_deref().unwrap_or_default());
    let full = text(record.get("fullName")).or_else(|| within("name", "fullName"));
    let full = full.or_else(|| text(Some(&Value::from(both))));
    let mut person = Map::new();
    for (key, value) in [
        ("id", text(record.get("id"))),
        ("firstName", first),
        ("lastName", last),
        ("fullName", full),
        ("email", within("emails", "primaryEmail")),
        ("createdAt", text(record.get("createdAt"))),
        ("updatedAt", text(record.get("updatedAt"))),
    ] {
        if let Some(value) = value {
            person.insert(key.into(), value.into());
        }
    }
    person.insert("householdId".into(), text(record.get("householdId")).into());
    if let Some(mailing) = record.get("mailingAddress") {
        person.insert("mailingAddress".into(), address::from_twenty(mailing));
    }
    Value::Object(person)
}

/// A text without blanks around it; nothing if it is blank
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
