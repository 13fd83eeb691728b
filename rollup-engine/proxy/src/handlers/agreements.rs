//! Recurring agreements: what Twenty has, and what can be true of them.

use ports::time::parse_date;
use serde_json::{Map, Value};
use twenty::target::Target;

use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Request, Response};
use fundraising::client_error::ClientError;
use fundraising::gift::{plausible, require_relation_ids};
use fundraising::money::{Money, require_whole_minor_units};

const STATUSES: &[&str] = &["active", "paused", "canceled", "completed", "delinquent"];
const CADENCES: &[&str] = &["weekly", "monthly", "quarterly", "annual", "custom"];
const PLURAL: &str = "recurringAgreements";

/// Agreements, as Twenty lists them
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    cx.pass(Target::list(PLURAL, &query::list(&request.query)?), None).await
}

/// A new agreement
///
/// # Errors
/// 400 for values that cannot be true, and whatever Twenty says.
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let mut body = request.object("Recurring agreement create payload must be an object.")?;
    check(&body)?;
    plausible::days(&body, cx.now())?;
    require_relation_ids(&mut body)?;
    Ok(Response::json(200, cx.call(Target::create(PLURAL), Some(body.into())).await?))
}

/// One agreement
///
/// # Errors
/// Whatever Twenty says.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let query = query::single(&request.query)?;
    cx.pass(Target::get(PLURAL, request.record_id(0, "id")?, &query), None).await
}

/// Changes an agreement.
///
/// # Errors
/// 400 for values that cannot be true, and whatever Twenty says.
pub async fn update(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let mut body = request.object("Recurring agreement update payload must be an object.")?;
    check(&body)?;
    plausible::days(&body, cx.now())?;
    require_relation_ids(&mut body)?;
    let target = Target::update(PLURAL, request.record_id(0, "id")?);
    Ok(Response::json(200, cx.call(target, Some(body.into())).await?))
}

/// Puts an agreement into the trash, from where it can be brought back.
///
/// # Errors
/// Whatever Twenty says.
pub async fn delete(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    Ok(Response::json(200, cx.call(Target::trash(PLURAL, request.record_id(0, "id")?), None).await?))
}

/// Refuses what no agreement can be; what is absent or null is not looked at.
fn check(body: &Map<String, Value>) -> Result<(), ClientError> {
    let given = |key: &str| body.get(key).filter(|value| !value.is_null());
    for (key, known) in [("status", STATUSES), ("cadence", CADENCES)] {
        if let Some(value) = given(key) {
            let word = value.as_str().unwrap_or_default();
            if !known.iter().any(|other| other.eq_ignore_ascii_case(word)) {
                return Err(ClientError::bad(format!("{key} must be one of {}", known.join(", "))));
            }
        }
    }
    if let Some(count) = given("intervalCount")
        && !count.as_u64().is_some_and(|count| (1..=1_000).contains(&count))
    {
        return Err(ClientError::bad("intervalCount must be a whole number from 1 to 1000"));
    }
    if let Some(amount) = given("amount") {
        let json = amount;
        let amount = Money::read("amount", json)?;
        if amount.amount_micros <= 0 {
            return Err(ClientError::bad("amount.amountMicros must be greater than zero"));
        }
        if !amount.is_known_currency() {
            return Err(ClientError::bad("amount.currencyCode must be a code of ISO 4217"));
        }
        require_whole_minor_units("amount", json)?;
    }
    for key in ["startDate", "endDate", "nextExpectedAt", "lastPaidAt"] {
        if let Some(value) = given(key) {
            date(key, value)?;
        }
    }
    in_order(given("startDate"), given("endDate"))
}

/// A text with a day that exists
pub(crate) fn date<'a>(key: &str, value: &'a Value) -> Result<&'a str, ClientError> {
    let text =
        value.as_str().map(str::trim).ok_or_else(|| ClientError::bad(format!("{key} must be an ISO date string")))?;
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    if !shaped {
        return Err(ClientError::bad(format!("{key} must be a YYYY-MM-DD string")));
    }
    if parse_date(text).is_none() {
        return Err(ClientError::bad(format!("{key} must be a day that exists")));
    }
    Ok(text)
}

/// Refuses an end before the start; both are dates by now.
pub(crate) fn in_order(start: Option<&Value>, end: Option<&Value>) -> Result<(), ClientError> {
    let day = |value: Option<&Value>| value.and_then(Value::as_str).map(str::trim).map(str::to_owned);
    match (day(start), day(end)) {
        (Some(start), Some(end)) if end < start => Err(ClientError::bad("endDate must not be before startDate")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_no_agreement_can_be_is_refused() {
        for (body, message) in [
            (json!({ "status": "whatever" }), "status must be one of active, paused, canceled, completed, delinquent"),
            (json!({ "cadence": 5 }), "cadence must be one of weekly, monthly, quarterly, annual, custom"),
            (json!({ "amount": "lots" }), "amount must be an object"),
            (
                json!({ "amount": { "amountMicros": 0, "currencyCode": "GBP" } }),
                "amount.amountMicros must be greater than zero",
            ),
            (
                json!({ "amount": { "amountMicros": 5, "currencyCode": "ZZZ" } }),
                "amount.currencyCode must be a code of ISO 4217",
            ),
            (json!({ "intervalCount": 0 }), "intervalCount must be a whole number from 1 to 1000"),
            (json!({ "startDate": "1/2/2026" }), "startDate must be a YYYY-MM-DD string"),
            (json!({ "startDate": "2026-02-31" }), "startDate must be a day that exists"),
            (json!({ "startDate": "2026-03-01", "endDate": "2026-02-28" }), "endDate must not be before startDate"),
        ] {
            assert_eq!(check(body.as_object().unwrap()).unwrap_err().message, message, "{body}");
        }
        let fine =
            json!({ "status": "PAUSED", "cadence": "monthly", "endDate": null, "anything": 1, "intervalCount": 3 });
        assert_eq!(check(fine.as_object().unwrap()), Ok(()));
    }
}
