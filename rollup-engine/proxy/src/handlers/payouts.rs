//! Payouts of a provider, and the gifts that they pay out.

use ports::Level;
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::Target;

use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::store;
use crate::request::{Request, Response};
use fundraising::client_error::ClientError;
use fundraising::gift::{not_a_uuid, plausible, require_relation_ids};
use fundraising::money::{Money, require_whole_minor_units};

const PLURAL: &str = "giftPayouts";
/// How a refusal calls the id in the path
const ID: &str = "payoutId";
/// As many records as Twenty changes with one call
const MAX_GIFTS_PER_CALL: usize = 200;
/// Most gifts in one request
const MAX_GIFTS: usize = 2_000;

/// Payouts, as Twenty lists them; `status` is a filter of this service
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let (mut rest, mut conditions) = (Vec::new(), Vec::new());
    for (name, value) in &request.query {
        if name == "status" {
            let status = query::plain("status", value.trim())?;
            let status = status.parse().map_err(|fault| ClientError::bad(format!("status {fault}")))?;
            conditions.push(Filter::TextIs("status".into(), status));
        } else {
            rest.push((name.clone(), value.clone()));
        }
    }
    cx.pass(Target::list(PLURAL, &query::list_where(&rest, conditions)?), None).await
}

/// A new payout
///
/// # Errors
/// 400 if its parts do not add up, and whatever Twenty says.
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let body = body(cx, request)?;
    Ok(Response::json(201, cx.call(Target::create(PLURAL), Some(body.into())).await?))
}

/// One payout
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    present_id(request)?;
    let query = query::single(&request.query)?;
    cx.pass(Target::get(PLURAL, request.record_id(0, ID)?, &query), None).await
}

/// Changes a payout.
///
/// # Errors
/// 400 if its parts do not add up, and whatever Twenty says.
pub async fn update(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    present_id(request)?;
    let body = body(cx, request)?;
    Ok(Response::json(200, cx.call(Target::update(PLURAL, request.record_id(0, ID)?), Some(body.into())).await?))
}

fn present_id(request: &Request<'_>) -> Result<(), ClientError> {
    if request.id(0).trim().is_empty() { Err(ClientError::bad("payoutId is required")) } else { Ok(()) }
}

fn body(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Map<String, Value>, ClientError> {
    let mut body = request.object("payload must be an object")?;
    if body.is_empty() {
        return Err(ClientError::bad("payload must include at least one field"));
    }
    check(&body)?;
    plausible::days(&body, cx.now())?;
    require_relation_ids(&mut body)?;
    Ok(body)
}

/// Refuses a net amount that is not gross less fees and refunds, where the three are given; refunds that are not said are
/// none.
fn check(body: &Map<String, Value>) -> Result<(), ClientError> {
    let money = |key: &str| match body.get(key) {
        Some(value @ Value::Object(parts)) if parts.get("amountMicros").is_some_and(|micros| !micros.is_null()) => {
            require_whole_minor_units(key, value)?;
            Money::read(key, value).map(Some)
        }
        _ => Ok(None),
    };
    let (gross, fee, net) = (money("depositGrossAmount")?, money("depositFeeAmount")?, money("depositNetAmount")?);
    let refund = money("depositRefundAmount")?;
    let (Some(gross), Some(fee), Some(net)) = (gross, fee, net) else { return Ok(()) };
    let taken: i64 = [Some(&fee), refund.as_ref()].into_iter().flatten().map(|part| part.amount_micros).sum();
    let one_currency = [Some(&fee), Some(&net), refund.as_ref()]
        .into_iter()
        .flatten()
        .all(|part| part.currency_code == gross.currency_code);
    if !one_currency || gross.amount_micros.saturating_sub(taken) != net.amount_micros {
        return Err(ClientError::bad(
            "depositNetAmount must be depositGrossAmount less depositFeeAmount and depositRefundAmount, in one currency",
        ));
    }
    Ok(())
}

/// Links gifts to a payout, up to 200 with a call; each id is told apart by what became of it.
///
/// # Errors
/// 400 for ids that cannot be right, and whatever Twenty says to the first call.
pub async fn link(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    set_link(cx, request, true).await
}

/// Takes gifts off a payout, as [`link`] puts them on it.
///
/// # Errors
/// As [`link`].
pub async fn unlink(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    set_link(cx, request, false).await
}

async fn set_link(cx: &RequestContext<'_>, request: &Request<'_>, on: bool) -> Result<Response, Error> {
    present_id(request)?;
    let ids = gift_ids(&request.object("payload must be an object")?)?;
    let payout = request.record_id(0, ID)?;
    let (mut done, mut missing, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut fault: Option<Error> = None;
    for some in ids.chunks(MAX_GIFTS_PER_CALL) {
        if fault.is_some() {
            failed.extend_from_slice(some);
            continue;
        }
        match change(cx, payout, some, on).await {
            Ok(changed) => {
                for id in some {
                    if changed.contains(id) { &mut done } else { &mut missing }.push(*id);
                }
            }
            Err(failure) if done.is_empty() && missing.is_empty() => return Err(failure),
            Err(failure) => {
                failed.extend_from_slice(some);
                fault = Some(failure);
            }
        }
    }
    cx.log(
        Level::Info,
        if on { "payout_gifts_linked" } else { "payout_gifts_unlinked" },
        &[
            ("payoutId", payout.to_string().into()),
            ("done", done.len().into()),
            ("missing", missing.len().into()),
            ("failed", failed.len().into()),
        ],
    );
    let mut reply = Map::new();
    reply.insert(if on { "linkedGiftIds" } else { "unlinkedGiftIds" }.into(), texts(&done));
    if !missing.is_empty() {
        reply.insert("notFoundGiftIds".into(), texts(&missing));
    }
    if let Some(fault) = fault {
        reply.insert("failedGiftIds".into(), texts(&failed));
        reply.insert("error".into(), fault.to_string().into());
    }
    Ok(Response::json(201, Value::Object(reply)))
}

async fn change(cx: &RequestContext<'_>, payout: RecordId, ids: &[RecordId], on: bool) -> Result<Vec<RecordId>, Error> {
    let mut conditions = vec![Filter::IdIn("id".into(), ids.iter().map(|id| id.uuid()).collect())];
    if !on {
        // Gifts of another payout are not taken off it.
        conditions.push(Filter::IdIs("giftPayoutId".into(), payout));
    }
    let link = if on { payout.into() } else { Value::Null };
    let changed = store::update_where(cx, "gifts", "updateGifts", conditions, json!({ "giftPayoutId": link })).await?;
    Ok(changed.iter().filter_map(|gift| gift.get("id")?.as_str()?.parse().ok()).collect())
}

fn gift_ids(body: &Map<String, Value>) -> Result<Vec<RecordId>, ClientError> {
    let mut ids: Vec<RecordId> = Vec::new();
    for (at, given) in body.get("giftIds").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let Some(text) = given.as_str().map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let id = text.parse().map_err(|_| not_a_uuid(&format!("giftIds[{at}]")))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.len() {
        0 => Err(ClientError::bad("giftIds must include at least one id")),
        1..=MAX_GIFTS => Ok(ids),
        _ => Err(ClientError::bad(format!("giftIds must include at most {MAX_GIFTS} ids"))),
    }
}

fn texts(ids: &[RecordId]) -> Value {
    let mut list = Vec::new();
    for id in ids {
        list.push(Value::from(id.to_string()));
    }
    Value::Array(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payout_must_add_up() {
        let amount = |pence: i64, code: &str| json!({ "amountMicros": pence * 10_000, "currencyCode": code });
        let result = |refund: Value, net: Value| {
            let body = json!({ "depositGrossAmount": amount(25, "GBP"), "depositFeeAmount": amount(5, "GBP"),
                "depositRefundAmount": refund, "depositNetAmount": net });
            check(body.as_object().unwrap())
        };
        for (refund, net, adds_up) in [
            (Value::Null, amount(20, "GBP"), true),
            (Value::Null, Value::Null, true),
            (Value::Null, amount(21, "GBP"), false),
            (Value::Null, amount(20, "EUR"), false),
            (amount(4, "GBP"), amount(16, "GBP"), true),
            (amount(30, "GBP"), amount(-10, "GBP"), true),
            (amount(4, "GBP"), amount(20, "GBP"), false),
            (amount(4, "EUR"), amount(16, "GBP"), false),
        ] {
            assert_eq!(result(refund.clone(), net.clone()).is_ok(), adds_up, "{refund} {net}");
        }
        let crumbs = json!({ "depositFeeAmount": { "amountMicros": 5, "currencyCode": "GBP" } });
        assert!(check(crumbs.as_object().unwrap()).is_err());
    }
}
