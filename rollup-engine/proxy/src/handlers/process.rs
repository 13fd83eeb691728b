//! Promoting rows to gifts: one, those that are named, or all that are due.

use ports::Timestamp;
use serde_json::{Value, json};
use time::ext::NumericalStdDuration as _;
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::OrderBy;

use super::staging::{enabled, told};
use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::promote;
use crate::intake::staged_gift::StagedGift;
use crate::intake::{store, trail};
use crate::request::{Request, Response};
use fundraising::client_error::ClientError;
use fundraising::gift::not_a_uuid;
use fundraising::payload::Payload;
use fundraising::staging::{CLAIM_TIMEOUT, State};

/// As many rows as one call takes
const MAX_ROWS: usize = 100;
/// After so many failures a row waits for a reviewer
const MAX_FAILURES: u32 = 6;

/// Promotes one row
///
/// # Errors
/// 400 for a blank id, 503 where staging is off; all else is told by the reply.
pub async fn one(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    if request.id(0).trim().is_empty() {
        return Err(ClientError::bad("stagingId is required").into());
    }
    let id = request.record_id(0, "stagingId")?;
    Ok(Response::json(201, promote::process(cx, id).await.to_json(id)))
}

/// Whether a request for many is one of a timer, which names none, and not of a person, who waits: people go first then
#[must_use]
pub fn is_job(body: &[u8]) -> bool {
    Payload::parse(body).is_ok_and(|payload| payload.get("ids").is_none())
}

/// Promotes the rows of `ids`, or without it all that are released or failed a while ago, and puts right those whose
/// worker was not heard of again; at most `limit` (100)
///
/// # Errors
/// 400 for a body that cannot be right, and whatever keeps Twenty from telling which rows are due.
pub async fn many(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    enabled(cx)?;
    let ids = ids(cx, request.json()).await?;
    let mut results = Vec::new();
    let (mut processed, mut deferred, mut failed) = (0, 0, 0);
    for id in ids {
        let row = store::id_of(&id)?;
        let result = promote::process(cx, row).await.to_json(row);
        match result.get("status").and_then(Value::as_str) {
            Some("processed") => processed += 1,
            Some("deferred") => deferred += 1,
            _ => failed += 1,
        }
        results.push(result);
    }
    let meta = json!({ "processed": processed, "deferred": deferred, "failed": failed });
    Ok(Response::json(200, json!({ "data": results, "meta": meta })))
}

async fn ids(cx: &RequestContext<'_>, body: &[u8]) -> Result<Vec<String>, Error> {
    let payload = Payload::parse(body)?;
    match payload.get("ids") {
        Some(ids) => Ok(named(ids)?),
        None => due(cx, limit(payload.get("limit"))?, cx.now()).await.map_err(told),
    }
}

fn named(ids: &Value) -> Result<Vec<String>, ClientError> {
    let fault = || ClientError::bad(format!("ids must be a list of 1 to {MAX_ROWS} ids of staged gifts"));
    let mut named: Vec<String> = Vec::new();
    for (at, id) in ids.as_array().ok_or_else(fault)?.iter().enumerate() {
        let id: Option<RecordId> = id.as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| not_a_uuid(&format!("ids[{at}]")))?.to_string();
        if !named.contains(&id) {
            named.push(id);
        }
    }
    if named.is_empty() || named.len() > MAX_ROWS { Err(fault()) } else { Ok(named) }
}

fn limit(given: Option<&Value>) -> Result<usize, ClientError> {
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(MAX_ROWS) };
    let limit = given.as_u64().and_then(|limit| usize::try_from(limit).ok());
    limit
        .filter(|limit| (1..=MAX_ROWS).contains(limit))
        .ok_or_else(|| ClientError::bad(format!("limit must be a whole number from 1 to {MAX_ROWS}")))
}

/// Rows to promote, the oldest change first
async fn due(cx: &RequestContext<'_>, limit: usize, now: Timestamp) -> Result<Vec<String>, Error> {
    let stale = Timestamp::from_millis(now.as_millis() - i64::try_from(CLAIM_TIMEOUT.as_millis()).unwrap_or(i64::MAX));
    let is = |states: &[State]| Filter::one_of("processingStatus", states.iter().map(|state| state.as_str()));
    let claimed = Filter::And(vec![is(&[State::Processing])?, Filter::Before("updatedAt".into(), stale)]);
    let mut ways = vec![is(&[State::ReadyForProcess, State::ProcessFailed])?, claimed];
    let given_up = cx.state.workspace.given_up();
    if !given_up.is_empty() {
        let ids = given_up.iter().take(MAX_ROWS).map(|id| id.uuid()).collect();
        ways.push(Filter::And(vec![is(&[State::Processing])?, Filter::IdIn("id".into(), ids)]));
    }
    let filter = Filter::Or(ways);
    let records = store::list(cx, "giftStagings", &filter, MAX_ROWS, Some(OrderBy::ascending("updatedAt"))).await?;
    let rows = records.into_iter().map(StagedGift::new).filter(|row| is_due(row, now));
    Ok(rows.map(|row| row.id().to_owned()).take(limit).collect())
}

/// Each failure doubles the wait, from a minute on
fn is_due(row: &StagedGift, now: Timestamp) -> bool {
    if row.state() != State::ProcessFailed {
        return true;
    }
    let failures = trail::failures(row).max(1);
    let wait = 60.std_seconds() * 2_u32.pow(failures.min(MAX_FAILURES) - 1);
    failures < MAX_FAILURES && row.updated_at().is_none_or(|at| now.since(at) >= wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_row_waits_longer_each_time() {
        let at = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        let row = |failures: usize| {
            let entries: Vec<_> = (0..failures).map(|_| json!({ "action": "failed" })).collect();
            StagedGift::new(json!({ "processingStatus": "process_failed", "updatedAt": at.to_string(),
                "auditTrail": { "entries": entries } }))
        };
        let minutes = |count: u32| at + count * 60.std_seconds();
        assert!(!is_due(&row(1), minutes(0)) && is_due(&row(1), minutes(1)));
        assert!(!is_due(&row(3), minutes(3)) && is_due(&row(3), minutes(4)));
        assert!(!is_due(&row(6), minutes(10_000)));
        assert!(is_due(&StagedGift::new(json!({ "processingStatus": "ready_for_process" })), at));
    }

    #[test]
    fn bodies_that_cannot_be_right_are_refused() {
        let ids = |ids: Value| named(&ids).map_err(|refusal| refusal.message);
        let [a, b] = ["7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10", "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a11"];
        assert_eq!(ids(json!([format!(" {a} "), b, a.to_uppercase()])), Ok(vec![a.to_owned(), b.to_owned()]));
        let many: Vec<String> = (0..101).map(|at| format!("7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c{at:04}")).collect();
        for wrong in [json!([]), json!("a"), json!({}), json!(many)] {
            assert_eq!(ids(wrong), Err("ids must be a list of 1 to 100 ids of staged gifts".to_owned()));
        }
        for (wrong, at) in [(json!([1]), 0), (json!([" "]), 0), (json!([a, "."]), 1), (json!([a, b, null]), 2)] {
            assert_eq!(ids(wrong), Err(format!("ids[{at}] must be a UUID")));
        }
        assert_eq!(limit(None), Ok(100));
        for wrong in [json!(0), json!(101), json!(1.5), json!("7")] {
            assert_eq!(limit(Some(&wrong)).unwrap_err().message, "limit must be a whole number from 1 to 100");
        }
    }
}
