//! The rows of staging, for those who review them.

use std::time::Duration;

use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::{OrderBy, Query, Target};

use super::query::{self, contains, one_of, searched_id};
use crate::request::{Request, Response};

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::http::shown as shown_name;
use crate::intake::edit::Edit;
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, ROW, Written};
use crate::intake::{Accepted, Channel, Origin, accept, promote};
use fundraising::client_error::{ClientError, Status};
use fundraising::payload::Payload;
use fundraising::staging::{CLAIM_TIMEOUT, State};
use twenty::object::object;

/// How a refusal calls the id in the path
const ID: &str = "stagingId";
/// How often a change is tried on a row that others change too
const TRIES: u32 = 4;

/// Refuses every route of staging where it is off
///
/// # Errors
/// 503.
pub fn enabled(cx: &RequestContext<'_>) -> Result<(), Error> {
    if cx.state.settings.staging {
        return Ok(());
    }
    Err(ClientError::new(Status::ServiceUnavailable, "Gift staging is disabled").into())
}

/// Puts a gift into staging, for review
///
/// # Errors
/// See [`accept`].
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let payload = cx.gift_payload(request.json())?;
    let origin = Origin { channel: Channel::Staging, request_key: request.key() };
    let accepted = accept(cx, &payload, origin).await.map_err(told)?;
    Ok(Response::json(201, created(accepted)))
}

fn created(accepted: Accepted) -> Value {
    let (row, diagnostics, repeated) = match accepted {
        Accepted::Staged { row, diagnostics, repeated, .. } => (row, diagnostics, repeated),
        Accepted::Gift { record, .. } => {
            return json!({
                "data": { "giftStaging": { "giftId": record.get("id") } },
                "meta": { "repeated": true },
            });
        }
        Accepted::Gone { id } => {
            return json!({
                "data": { "giftStaging": { "id": id } },
                "meta": { "repeated": true, "deleted": true },
            });
        }
    };
    let word = |key: &str| row.text(key).unwrap_or("pending");
    let staged = json!({
        "id": row.id(),
        "autoProcess": row.get("autoProcess").and_then(Value::as_bool).unwrap_or(false),
        "processingStatus": word("processingStatus"),
        "validationStatus": word("validationStatus"),
        "dedupeStatus": word("dedupeStatus"),
        "processingDiagnostics": diagnostics,
    });
    let payload = row.payload_text();
    let mut meta =
        object([("stagedOnly".to_owned(), true.into()), ("rawPayloadAvailable".to_owned(), payload.is_some().into())]);
    if let Some(payload) = payload {
        meta.insert("rawPayload".into(), payload.into());
    }
    if repeated {
        meta.insert("repeated".into(), true.into());
    }
    json!({ "data": { "giftStaging": staged }, "meta": meta })
}

/// One row
///
/// # Errors
/// 404 if there is none, 503 if Twenty cannot say.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let row = store::row(cx, request.record_id(0, ID)?).await.map_err(told)?;
    Ok(Response::json(200, shown(&row)))
}

fn shown(row: &StagedGift) -> Value {
    json!({ "data": { "giftStaging": row.to_view() } })
}

/// Rows, as the query says
///
/// # Errors
/// 400 for a parameter that is not known or cannot be asked for, and whatever Twenty says.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let target = Target::list(ROW.plural, &list_query(&request.query, cx.now())?);
    let answer = cx.read(target).await.map_err(told)?;
    let records = answer.pointer("/data/giftStagings").and_then(Value::as_array);
    let records = records.ok_or_else(|| Error::malformed("giftStagings array"))?;
    let items: Vec<Value> = records.iter().filter_map(|record| StagedGift::new(record.clone()).to_item()).collect();
    let page = answer.get("pageInfo");
    let more = page.and_then(|page| page.get("hasNextPage")).and_then(Value::as_bool).unwrap_or(false);
    let mut meta = object([("hasMore".to_owned(), more.into())]);
    let cursor = page.and_then(|page| page.get("endCursor")).filter(|cursor| more && cursor.is_string());
    if let Some(cursor) = cursor {
        meta.insert("nextCursor".into(), cursor.clone());
    }
    Ok(Response::json(200, json!({ "data": items, "meta": meta })))
}

/// What the list asks Twenty for: one filter, one order, one cursor
fn list_query(query: &[(String, String)], now: Timestamp) -> Result<Query, ClientError> {
    let mut conditions: Vec<Filter> = Vec::new();
    let (mut statuses, mut sources) = (Vec::new(), Vec::new());
    let (mut limits, mut cursor, mut order) = (Vec::new(), None, None);
    for (name, value) in query {
        let value = value.trim();
        match name.as_str() {
            "limit" => limits.push(value),
            "status" | "statuses" => statuses.extend(words(value)),
            "intakeSource" | "intakeSources" => sources.extend(words(value)),
            _ if value.is_empty() => {}
            "search" => conditions.push(search(value)?),
            "cursor" => cursor = Some(value),
            "sort" => order = Some(sorted(value, &mut conditions)),
            "recurringAgreementId" => conditions.push(searched_id(name, value)?),
            // An opaque text: of plain characters it can only be compared with.
            "giftBatchId" | "batchId" => {
                let batch = query::plain(name, value)?.parse();
                let batch = batch.map_err(|fault| ClientError::bad(format!("{name} {fault}")))?;
                conditions.push(Filter::TextIs("giftBatchId".into(), batch));
            }
            "stuck" if value == "true" => {
                // To the minute, so that who polls asks the same.
                let minute = now.as_millis() / 60_000 * 60_000;
                let since = Timestamp::from_millis(minute - millis(CLAIM_TIMEOUT));
                conditions.push(one_of("processingStatus", &[State::Processing.as_str()])?);
                conditions.push(Filter::Before("updatedAt".into(), since));
            }
            "stuck" => {}
            _ => return Err(ClientError::bad(format!("query parameter `{}` is not known", shown_name(name)))),
        }
    }
    if !statuses.is_empty() {
        let mut known = Vec::new();
        for status in statuses {
            known.push(State::read(Some(status))?.as_str());
        }
        let list = one_of("processingStatus", &known)?;
        // A row without a status waits.
        let waits = known.contains(&"pending");
        conditions.push(if waits { Filter::Or(vec![list, Filter::Empty("processingStatus".into())]) } else { list });
    }
    if !sources.is_empty() {
        conditions.push(one_of("intakeSource", &sources)?);
    }
    let mut asked = Query::default().with("limit", limit(&limits).to_string());
    if !conditions.is_empty() {
        asked = asked.filtered(&Filter::And(conditions));
    }
    if let Some(order) = order {
        asked = asked.ordered(&order);
    }
    if let Some(cursor) = cursor {
        asked = asked.with("starting_after", cursor);
    }
    Ok(asked)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn limit(given: &[&str]) -> i64 {
    let [text] = given else { return 25 };
    if text.is_empty() {
        return 1;
    }
    let number = twenty::decimal::Decimal::parse(text).map(twenty::decimal::Decimal::to_f64);
    // From 1 to 100, whatever was asked: Twenty would cut a larger one without a word, and loop on zero.
    number.map_or(25, |number| (1..=100).rev().find(|limit| f64::from(*limit) <= number).unwrap_or(1).into())
}

fn sorted(asked: &str, conditions: &mut Vec<Filter>) -> OrderBy {
    const AMOUNT: &str = "amount.amountMicros";
    match asked {
        "createdAt:asc" => OrderBy::ascending("createdAt"),
        "updatedAt:asc" => OrderBy::ascending("updatedAt"),
        "updatedAt:desc" => OrderBy::descending("updatedAt"),
        "amount.amountMicros:asc" | "amount.amountMicros:desc" => {
            // Paging by a field that may be empty loses rows.
            conditions.push(Filter::Present(AMOUNT.into()));
            if asked.ends_with("asc") { OrderBy::ascending(AMOUNT) } else { OrderBy::descending(AMOUNT) }
        }
        _ => OrderBy::descending("createdAt"),
    }
}

fn search(text: &str) -> Result<Filter, ClientError> {
    let text = text.to_ascii_lowercase();
    let fields = ["donorFirstName", "donorLastName", "donorEmail", "externalId", "providerPaymentId", "notes"];
    let conditions: Result<Vec<_>, _> = fields.iter().map(|field| contains(field, &text)).collect();
    conditions.map(Filter::Or)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(ports::time::whole_millis(duration)).unwrap_or(i64::MAX)
}

/// Changes what a row says
///
/// # Errors
/// 400 for what cannot be right, 404 without the row, 409 if its state does not allow it.
pub async fn patch(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let edit = Edit::read(&cx.gift_payload(request.json())?)?;
    if edit.is_empty() {
        return Err(ClientError::bad("no supported fields supplied for update").into());
    }
    let id = request.record_id(0, ID)?;
    let row = change(cx, id, &edit, None).await?;
    cx.log(Level::Info, "staged_gift_edited", &[("stagingId", id.into())]);
    Ok(Response::json(200, shown(&row)))
}

/// Sets a row's statuses
///
/// # Errors
/// As [`patch`].
pub async fn status(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let edit = Edit::read_status(&Payload::parse(request.json())?)?;
    let id = request.record_id(0, ID)?;
    if edit.is_empty() {
        store::row(cx, id).await.map_err(told)?;
        return Err(ClientError::bad("no supported fields supplied for update").into());
    }
    change(cx, id, &edit, Some(edit.unseen())).await?;
    Ok(Response::json(200, json!({ "ok": true })))
}

/// Reads, decides and writes, until nobody else was in between
async fn change(
    cx: &RequestContext<'_>,
    id: RecordId,
    edit: &Edit,
    unseen: Option<Map<String, Value>>,
) -> Result<StagedGift, Error> {
    for _ in 0..TRIES {
        let row = match store::row(cx, id).await {
            Ok(row) => row,
            // Twenty itself says whether there is anything to change.
            Err(failure) if store::is_missing(&failure) => match unseen {
                Some(body) => return write_unconditionally(cx, id, body).await,
                None => return Err(told(failure)),
            },
            Err(failure) => return Err(told(failure)),
        };
        if row.is_own() && promote::is_stale(cx, &row) {
            promote::reconcile(cx, &row).await.map_err(told)?;
            continue;
        }
        let decided = edit.apply(&row, cx.now())?;
        let change =
            Change { body: decided.body, action: decided.action, particulars: decided.particulars, condition: None };
        if let Written::StagedGift(row) = store::write(cx, &row, change).await.map_err(told)? {
            return Ok(row);
        }
    }
    Err(ClientError::new(Status::Conflict, "the staged gift is being changed by somebody else; try again").into())
}

async fn write_unconditionally(
    cx: &RequestContext<'_>,
    id: RecordId,
    body: Map<String, Value>,
) -> Result<StagedGift, Error> {
    cx.call(Target::update(ROW.plural, id), Some(body.into())).await.map_err(told)?;
    Ok(StagedGift::default())
}

/// What Twenty says, in the words of these routes
pub(crate) fn told(failure: Error) -> Error {
    let ErrorKind::Upstream { status, retry_after, .. } = failure.kind() else { return failure };
    let message = match status {
        404 => return ClientError::new(Status::NotFound, "Gift staging record not found").into(),
        429 => "Twenty API rate limited",
        500.. => "Twenty API unavailable",
        _ => return failure,
    };
    ErrorKind::Upstream { status: 503, messages: vec![message.into()], retry_after: *retry_after }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use twenty::filter::encode;

    fn path(query: &[(&str, &str)]) -> Result<String, String> {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let query = list_query(&query, Timestamp::parse("2026-03-01T12:00:00Z").unwrap());
        let target = query.map(|query| Target::list(ROW.plural, &query));
        target.map(|target| target.path().to_owned()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn list_query_parameters() {
        assert_eq!(path(&[]).unwrap(), "/giftStagings?limit=25");
        let found = path(&[
            ("status", "pending,process_failed"),
            ("intakeSource", "stripe_webhook"),
            ("search", " SMITH"),
            ("cursor", "c1"),
            ("sort", "updatedAt:asc"),
            ("recurringAgreementId", "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10"),
            ("giftBatchId", "b1"),
        ]);
        let filter = "and(or(donorFirstName[ilike]:\"%smith%\",donorLastName[ilike]:\"%smith%\",\
            donorEmail[ilike]:\"%smith%\",externalId[ilike]:\"%smith%\",providerPaymentId[ilike]:\"%smith%\",\
            notes[ilike]:\"%smith%\"),recurringAgreementId[eq]:\"7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10\",giftBatchId[eq]:\"b1\",\
            or(processingStatus[in]:[pending,process_failed],processingStatus[is]:NULL),\
            intakeSource[in]:[stripe_webhook])";
        let expected = format!(
            "/giftStagings?limit=25&filter={}&order_by={}&starting_after=c1",
            encode(filter),
            encode("updatedAt[AscNullsLast]")
        );
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn limits_are_kept_within_what_twenty_obeys() {
        for (given, expected) in
            [("500", 100), ("0", 1), ("-3", 1), ("", 1), ("7x", 25), ("12.9", 12), ("1e1", 10), ("100", 100)]
        {
            assert_eq!(path(&[("limit", given)]).unwrap(), format!("/giftStagings?limit={expected}"), "{given}");
        }
        assert_eq!(path(&[("limit", "3"), ("limit", "4")]).unwrap(), "/giftStagings?limit=25");
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        for (name, value, expected) in [
            ("foo", "1", "query parameter `foo` is not known"),
            (
                "search",
                "a,b",
                "search must not be empty, nor contain quotes, brackets, commas, backslashes or per cent signs",
            ),
            ("recurringAgreementId", "r.1", "recurringAgreementId must be a UUID"),
            ("giftBatchId", "a\"", "giftBatchId must consist of letters, digits and any of `-_.:`"),
            ("intakeSource", "a]b", "intakeSource must consist of letters, digits and any of `-_.:`"),
        ] {
            assert_eq!(path(&[(name, value)]).unwrap_err(), expected);
        }
        assert!(path(&[("status", "posted")]).unwrap_err().starts_with("processingStatus `posted` must be one of"));
    }
}
