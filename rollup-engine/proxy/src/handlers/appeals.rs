//! Appeals, and how many were solicited when.

use ports::Timestamp;
use serde_json::{Map, Value};
use twenty::target::Target;

use super::agreements::{date, in_order};
use super::people::text;
use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Field, Request, Response, require_field};
use fundraising::client_error::ClientError;
use fundraising::gift::plausible;
use fundraising::loose_amount;

const APPEALS: &str = "appeals";
const SNAPSHOTS: &str = "solicitationSnapshots";
const NOT_AN_OBJECT: &str = "Appeal payload must be an object";

/// Appeals, as Twenty lists them
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let target = Target::list(APPEALS, &query::list(&request.query)?);
    cx.pass(target, Some(Field::List("appeals"))).await
}

/// A new appeal
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let record = fields(&request.object(NOT_AN_OBJECT)?, true)?;
    plausible::days(&record, cx.now())?;
    let answer = cx.call(Target::create(APPEALS), Some(record.into())).await?;
    Ok(Response::json(200, require_field(answer, Field::Record("createAppeal"))?))
}

/// One appeal
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "id")?;
    let query = query::single(&request.query)?;
    cx.pass(Target::get(APPEALS, request.record_id(0, "id")?, &query), Some(Field::Record("appeal"))).await
}

/// Changes an appeal.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn update(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "id")?;
    let changes = fields(&request.object(NOT_AN_OBJECT)?, false)?;
    if changes.is_empty() {
        return Err(ClientError::bad("No appeal fields provided for update").into());
    }
    plausible::days(&changes, cx.now())?;
    let target = Target::update(APPEALS, request.record_id(0, "id")?);
    let answer = cx.call(target, Some(changes.into())).await?;
    Ok(Response::json(200, require_field(answer, Field::Record("updateAppeal"))?))
}

/// The snapshots of an appeal
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn snapshots(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let id = request.present_id(0, "appealId")?;
    let query = query::list_where(&request.query, vec![query::id_is("appealId", id)?])?;
    cx.pass(Target::list(SNAPSHOTS, &query), Some(Field::List("solicitationSnapshots"))).await
}

/// Notes how many were solicited.
///
/// # Errors
/// 400 for a body that cannot be right, and whatever Twenty says.
pub async fn add_snapshot(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "appealId")?;
    let mut record = snapshot(&request.object("Solicitation snapshot payload must be an object")?, cx.now())?;
    plausible::days(&record, cx.now())?;
    record.insert("appealId".into(), request.record_id(0, "appealId")?.into());
    let answer = cx.call(Target::create(SNAPSHOTS), Some(record.into())).await?;
    Ok(Response::json(200, require_field(answer, Field::Record("createSolicitationSnapshot"))?))
}

fn fields(body: &Map<String, Value>, is_new: bool) -> Result<Map<String, Value>, ClientError> {
    let mut fields = Map::new();
    match body.get("name") {
        None if !is_new => {}
        Some(Value::String(name)) if !name.trim().is_empty() => {
            fields.insert("name".into(), name.trim().into());
        }
        Some(Value::String(_)) => return Err(ClientError::bad("name is required")),
        _ => return Err(ClientError::bad("name must be a string")),
    }
    for key in ["description", "appealType"] {
        optional_text(body, key, &mut fields)?;
    }
    for key in ["startDate", "endDate"] {
        let value = match body.get(key) {
            None => continue,
            Some(Value::String(text)) if text.trim().is_empty() => Value::Null,
            Some(Value::Null) => Value::Null,
            Some(value) => date(key, value)?.into(),
        };
        fields.insert(key.into(), value);
    }
    in_order(fields.get("startDate"), fields.get("endDate"))?;
    for key in ["goalAmount", "budgetAmount"] {
        if let Some(value) = body.get(key) {
            fields.insert(key.into(), loose_amount::read(key, value)?);
        }
    }
    if let Some(value) = body.get("targetSolicitedCount") {
        let key = "targetSolicitedCount";
        let count = match value {
            Value::Null => Value::Null,
            value => match loose_amount::leading_integer(value) {
                None => return Err(ClientError::bad(format!("{key} must be a number"))),
                Some(count) if count < 0 => return Err(ClientError::bad(format!("{key} cannot be negative"))),
                Some(count) => count.into(),
            },
        };
        fields.insert(key.into(), count);
    }
    Ok(fields)
}

fn snapshot(body: &Map<String, Value>, now: Timestamp) -> Result<Map<String, Value>, ClientError> {
    let keys = ["countSolicited", "count", "total", "recipients"];
    let count = keys.iter().find_map(|key| body.get(*key).filter(|value| !value.is_null()));
    let count = count
        .and_then(loose_amount::leading_integer)
        .ok_or_else(|| ClientError::bad("countSolicited must be numeric"))?;
    if count <= 0 {
        return Err(ClientError::bad("countSolicited must be greater than zero"));
    }
    let mut fields = Map::new();
    fields.insert("countSolicited".into(), count.into());
    for key in ["source", "appealSegmentId", "notes"] {
        optional_text(body, key, &mut fields)?;
    }
    let captured = match body.get("capturedAt") {
        None | Some(Value::Null) => now,
        Some(Value::String(text)) => {
            instant(text.trim()).ok_or_else(|| ClientError::bad("capturedAt must be a valid ISO date-time string"))?
        }
        Some(_) => return Err(ClientError::bad("capturedAt must be a string when provided")),
    };
    fields.insert("capturedAt".into(), captured.to_string().into());
    Ok(fields)
}

/// An instant, or the start of a day in UTC
fn instant(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")))
}

fn optional_text(body: &Map<String, Value>, key: &str, fields: &mut Map<String, Value>) -> Result<(), ClientError> {
    let value = match body.get(key) {
        None => return Ok(()),
        Some(Value::Null) => Value::Null,
        Some(value @ Value::String(_)) => text(Some(value)).map_or(Value::Null, Value::from),
        Some(_) => return Err(ClientError::bad(format!("{key} must be a string"))),
    };
    fields.insert(key.into(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn impossible_dates_are_refused() {
        let message = |body: Value| fields(body.as_object().unwrap(), true).unwrap_err().message;
        assert_eq!(message(json!({ "name": "A", "startDate": "2026-02-31" })), "startDate must be a day that exists");
        assert_eq!(
            message(json!({ "name": "A", "startDate": "2026-02-01", "endDate": "2026-01-01" })),
            "endDate must not be before startDate"
        );
        assert_eq!(message(json!({ "name": " " })), "name is required");
        assert_eq!(
            message(json!({ "name": "A", "targetSolicitedCount": "x" })),
            "targetSolicitedCount must be a number"
        );
    }

    #[test]
    fn half_a_letter_was_sent_to_nobody() {
        let read =
            |count: Value| snapshot(json!({ "countSolicited": count }).as_object().unwrap(), Timestamp::default());
        assert_eq!(read(json!(0.5)).unwrap_err().message, "countSolicited must be greater than zero");
        assert_eq!(read(json!("12 letters")).unwrap()["countSolicited"], 12);
        assert_eq!(read(json!(true)).unwrap_err().message, "countSolicited must be numeric");
    }
}
