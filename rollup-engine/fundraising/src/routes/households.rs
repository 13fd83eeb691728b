//! Households, who belongs to them, and where they live.

use serde_json::{Map, Value};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::{Query, Target};

use super::people::{PEOPLE, text, view as person_view};
use super::{Ask, Reply, having, query, record_id};
use crate::address;
use crate::failure::Failure;
use crate::gift::prove_relations;
use crate::json::{Members as _, at, member, object};
use crate::refusal::{Refusal, Status};
use crate::scope::Scope;

const HOUSEHOLDS: &str = "households";
/// Text fields beside the name
const TEXTS: &[&str] = &["primaryContactId", "envelopeName", "salutationFormal", "salutationInformal"];

/// Households
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let target = Target::list(HOUSEHOLDS, &query::list(&ask.query)?);
    let answer = having(scope.read(target).await?, "households", true, "households array")?;
    Ok((200, listed("households", &answer, "households", view, |_| true)))
}

/// A new household
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn create(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let body = ask.object("payload must be an object")?;
    let name = text(body.get("name")).ok_or_else(|| Refusal::bad("name is required"))?;
    let mut record = fields(&body)?;
    record.set("name", name.into());
    prove_relations(&mut record)?;
    let answer = scope.call(Target::create(HOUSEHOLDS), Some(record.into())).await?;
    one(answer, "createHousehold")
}

/// One household
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "id")?;
    let query = query::single(&ask.query)?;
    one(scope.read(Target::get(HOUSEHOLDS, ask.record_id(0, "id")?, &query)).await?, "household")
}

/// Changes a household.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn update(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "id")?;
    let body = ask.object("payload must be an object")?;
    let mut changes = fields(&body)?;
    match body.get("name") {
        None => {}
        Some(Value::Null) => return Err(Refusal::bad("name cannot be null").into()),
        Some(Value::String(name)) if name.trim().is_empty() => {}
        Some(Value::String(name)) => changes.set("name", name.trim().into()),
        Some(_) => return Err(Refusal::bad("name must be a string").into()),
    }
    if changes.is_empty() {
        return Err(Refusal::bad("At least one field must be provided to update a household").into());
    }
    prove_relations(&mut changes)?;
    let target = Target::update(HOUSEHOLDS, ask.record_id(0, "id")?);
    one(scope.call(target, Some(changes.into())).await?, "updateHousehold")
}

/// Who belongs to a household
///
/// # Errors
/// 400 for an id that cannot be right, and whatever Twenty says.
pub async fn members(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "householdId")?;
    let id = ask.record_id(0, "householdId")?;
    let query = query::list_where(&ask.query, vec![Filter::IdIs("householdId".into(), id)])?;
    let answer = having(scope.read(Target::list(PEOPLE, &query)).await?, "people", true, "people array")?;
    let belongs = |person: &Value| is_id(person.get("householdId"), id);
    Ok((200, listed("members", &answer, "people", |record| person_view(Some(record)), belongs)))
}

/// Puts a person into a household, if asked as its first contact.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn add_member(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "householdId")?;
    let body = ask.object("payload must be an object")?;
    let contact = text(body.get("contactId")).ok_or_else(|| Refusal::bad("contactId is required"))?;
    let primary = match body.get("makePrimary") {
        None => false,
        Some(flag) => flag.as_bool().ok_or_else(|| Refusal::bad("makePrimary must be a boolean if provided"))?,
    };
    let (id, person) = (ask.record_id(0, "householdId")?, record_id("contactId", &contact)?);
    scope.call(Target::update(PEOPLE, person), Some(object([("householdId", id.into())]))).await?;
    if primary {
        scope.call(Target::update(HOUSEHOLDS, id), Some(object([("primaryContactId", person.into())]))).await?;
    }
    reread(scope, person).await
}

/// Takes a person out of a household, also as its first contact.
///
/// # Errors
/// 404 for a person of another household or of none, and whatever Twenty says.
pub async fn remove_member(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "householdId")?;
    ask.present_id(1, "contactId")?;
    let (id, person) = (ask.record_id(0, "householdId")?, ask.record_id(1, "contactId")?);
    if !is_id(household_of(scope, person).await?.as_ref(), id) {
        return Err(Refusal::new(Status::NotFound, "the contact is not a member of this household").into());
    }
    // First the household: if the second call fails, the person is still a member, and the request can be repeated.
    let household = scope.call(Target::get(HOUSEHOLDS, id, &Query::default()), None).await?;
    if is_id(at(&household, &["data", "household", "primaryContactId"]), person) {
        scope.call(Target::update(HOUSEHOLDS, id), Some(object([("primaryContactId", Value::Null)]))).await?;
    }
    scope.call(Target::update(PEOPLE, person), Some(object([("householdId", Value::Null)]))).await?;
    reread(scope, person).await
}

/// Gives a person an address, and the household if the person has none: it never moves somebody out of another one.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn copy_address(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    ask.present_id(0, "householdId")?;
    let body = ask.object("payload must be an object")?;
    let contact = text(body.get("contactId")).ok_or_else(|| Refusal::bad("contactId is required"))?;
    let mut changes = Map::new();
    match body.get("mailingAddress") {
        None => return Err(Refusal::bad("mailingAddress is required").into()),
        Some(Value::Null) => changes.set("mailingAddress", Value::Null),
        Some(Value::Object(parts)) => {
            let parts = address::to_twenty(parts)?;
            if parts.is_empty() {
                let message = "mailingAddress must include at least one field when copying to a contact";
                return Err(Refusal::bad(message).into());
            }
            changes.set("mailingAddress", Value::Object(parts));
        }
        Some(_) => return Err(Refusal::bad("mailingAddress must be an object or null").into()),
    }
    let (id, person) = (ask.record_id(0, "householdId")?, record_id("contactId", &contact)?);
    let household = match household_of(scope, person).await {
        Ok(household) => household,
        // Twenty itself says so when the person is to be changed.
        Err(failure) if failure.upstream_status() == Some(404) => None,
        Err(failure) => return Err(failure),
    };
    if household.is_none() || is_id(household.as_ref(), id) {
        changes.set("householdId", id.into());
    }
    scope.call(Target::update(PEOPLE, person), Some(changes.into())).await?;
    reread(scope, person).await
}

/// The household of a person, as Twenty has it; nothing for none
async fn household_of(scope: &Scope<'_>, person: RecordId) -> Result<Option<Value>, Failure> {
    let answer = read_person(scope, person).await?;
    Ok(text(at(&answer, &["data", "person", "householdId"])).map(Value::from))
}

/// Whether a value is this id
fn is_id(value: Option<&Value>, id: RecordId) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.parse() == Ok(id))
}

async fn read_person(scope: &Scope<'_>, person: RecordId) -> Result<Value, Failure> {
    having(scope.call(Target::get(PEOPLE, person, &Query::default()), None).await?, "person", false, "person")
}

async fn reread(scope: &Scope<'_>, person: RecordId) -> Result<Reply, Failure> {
    Ok((200, person_view(at(&read_person(scope, person).await?, &["data", "person"]))))
}

/// What a body sets beside the name
fn fields(body: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut fields = Map::new();
    for key in TEXTS {
        let value = match body.get(*key) {
            None => continue,
            Some(Value::Null) => Value::Null,
            Some(value @ Value::String(_)) => text(Some(value)).map_or(Value::Null, Value::from),
            Some(_) => return Err(Refusal::bad(format!("{key} must be a string"))),
        };
        fields.set(key, value);
    }
    match body.get("mailingAddress") {
        None => {}
        Some(Value::Null) => fields.set("mailingAddress", address::cleared()),
        Some(Value::Object(parts)) => {
            let parts = address::to_twenty(parts)?;
            if !parts.is_empty() {
                fields.set("mailingAddress", Value::Object(parts));
            }
        }
        Some(_) => return Err(Refusal::bad("mailingAddress must be an object or null")),
    }
    Ok(fields)
}

fn one(answer: Value, key: &str) -> Result<Reply, Failure> {
    let answer = having(answer, key, false, key)?;
    Ok((200, at(&answer, &["data", key]).map_or(Value::Null, view)))
}

/// A household as this service shows one
fn view(record: &Value) -> Value {
    let mut household = Map::new();
    for key in ["id", "name"].iter().chain(TEXTS).chain(&["createdAt", "updatedAt"]) {
        if let Some(value) = text(record.get(*key)) {
            household.set(key, value.into());
        }
    }
    if let Some(mailing) = record.get("mailingAddress") {
        household.set("mailingAddress", address::from_twenty(mailing));
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
    let records = at(answer, &["data", key]).and_then(Value::as_array);
    let mut shown = Vec::new();
    for record in records.into_iter().flatten() {
        if text(record.get("id")).is_some() && belongs(record) {
            shown.push(show(record));
        }
    }
    let mut list = Map::new();
    list.set(name, Value::Array(shown));
    if let Some(page) = answer.get("pageInfo").filter(|page| page.get("hasNextPage") == Some(&Value::Bool(true))) {
        list.set("meta", object([("hasMore", true.into()), ("nextCursor", member(page, "endCursor"))]));
    }
    Value::Object(list)
}
