//! Payouts of a provider, and the gifts that they pay out.

use ports::Level;
use serde_json::{Map, Value};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::Target;

use super::{Ask, Reply, query};
use crate::failure::Failure;
use crate::gift::prove_relations;
use crate::intake::store;
use crate::json::{Members as _, object};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::scope::Scope;

const PLURAL: &str = "giftPayouts";
/// How a refusal calls the id in the path
const ID: &str = "payoutId";
/// As many records as Twenty changes with one call
const MOST_AT_ONCE: usize = 200;
/// Most gifts in one request
const MOST_GIFTS: usize = 2_000;

/// Payouts, as Twenty lists them; `status` is a filter of this service
///
/// # Errors
/// See [`query::list`], and whatever Twenty says.
pub async fn list(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let (mut rest, mut conditions) = (Vec::new(), Vec::new());
    for (name, value) in &ask.query {
        if name == "status" {
            let status = query::plain("status", value.trim())?;
            let status = status.parse().map_err(|fault| Refusal::bad(format!("status {fault}")))?;
            conditions.push(Filter::TextIs("status".into(), status));
        } else {
            rest.push((name.clone(), value.clone()));
        }
    }
    Ok((200, scope.read(Target::list(PLURAL, &query::list_where(&rest, conditions)?)).await?))
}

/// A new payout
///
/// # Errors
/// 400 if its parts do not add up, and whatever Twenty says.
pub async fn create(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let body = body(ask)?;
    Ok((201, scope.call(Target::create(PLURAL), Some(body.into())).await?))
}

/// One payout
///
/// # Errors
/// 400 for a blank id, and whatever Twenty says.
pub async fn get(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    present_id(ask)?;
    let query = query::single(&ask.query)?;
    Ok((200, scope.read(Target::get(PLURAL, ask.record_id(0, ID)?, &query)).await?))
}

/// Changes a payout.
///
/// # Errors
/// 400 if its parts do not add up, and whatever Twenty says.
pub async fn update(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    present_id(ask)?;
    let body = body(ask)?;
    Ok((200, scope.call(Target::update(PLURAL, ask.record_id(0, ID)?), Some(body.into())).await?))
}

fn present_id(ask: &Ask<'_>) -> Result<(), Refusal> {
    if ask.id(0).trim().is_empty() { Err(Refusal::bad("payoutId is required")) } else { Ok(()) }
}

fn body(ask: &Ask<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut body = ask.object("payload must be an object")?;
    if body.is_empty() {
        return Err(Refusal::bad("payload must include at least one field"));
    }
    check(&body)?;
    prove_relations(&mut body)?;
    Ok(body)
}

/// Refuses a net amount that is not gross less fees, where all three are given in one currency.
fn check(body: &Map<String, Value>) -> Result<(), Refusal> {
    let money = |key: &str| match body.get(key) {
        Some(value @ Value::Object(parts)) if parts.get("amountMicros").is_some_and(|micros| !micros.is_null()) => {
            Money::read(key, value).map(Some)
        }
        _ => Ok(None),
    };
    let (gross, fee, net) = (money("depositGrossAmount")?, money("depositFeeAmount")?, money("depositNetAmount")?);
    let (Some(gross), Some(fee), Some(net)) = (gross, fee, net) else { return Ok(()) };
    let one_currency = gross.currency_code == fee.currency_code && fee.currency_code == net.currency_code;
    if !one_currency || gross.amount_micros.saturating_sub(fee.amount_micros) != net.amount_micros {
        return Err(Refusal::bad("depositNetAmount must be depositGrossAmount less depositFeeAmount, in one currency"));
    }
    Ok(())
}

/// Links gifts to a payout, or takes them off it, up to 200 with a call; each id is told apart by what became of it.
///
/// # Errors
/// 400 for ids that cannot be right, and whatever Twenty says to the first call.
pub async fn link(scope: &Scope<'_>, ask: &Ask<'_>, on: bool) -> Result<Reply, Failure> {
    present_id(ask)?;
    let ids = gift_ids(&ask.object("payload must be an object")?)?;
    let payout = ask.record_id(0, ID)?;
    let (mut done, mut missing, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut fault: Option<Failure> = None;
    for some in ids.chunks(MOST_AT_ONCE) {
        if fault.is_some() {
            failed.extend_from_slice(some);
            continue;
        }
        match change(scope, payout, some, on).await {
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
    scope.log(
        Level::Info,
        if on { "gift_payout_linked" } else { "gift_payout_unlinked" },
        &[
            ("payoutId", payout.to_string().into()),
            ("done", done.len().into()),
            ("missing", missing.len().into()),
            ("failed", failed.len().into()),
        ],
    );
    let mut reply = Map::new();
    reply.set(if on { "linkedGiftIds" } else { "unlinkedGiftIds" }, texts(&done));
    if !missing.is_empty() {
        reply.set("notFoundGiftIds", texts(&missing));
    }
    if let Some(fault) = fault {
        reply.set("failedGiftIds", texts(&failed));
        reply.set_text("error", &fault.to_string());
    }
    Ok((201, Value::Object(reply)))
}

async fn change(scope: &Scope<'_>, payout: RecordId, ids: &[RecordId], on: bool) -> Result<Vec<RecordId>, Failure> {
    let mut conditions = vec![Filter::IdIn("id".into(), ids.iter().map(|id| id.uuid()).collect())];
    if !on {
        // Gifts of another payout are not taken off it.
        conditions.push(Filter::IdIs("giftPayoutId".into(), payout));
    }
    let link = if on { payout.into() } else { Value::Null };
    let changed =
        store::update_where(scope, "gifts", "updateGifts", conditions, object([("giftPayoutId", link)])).await?;
    Ok(changed.iter().filter_map(|gift| gift.get("id")?.as_str()?.parse().ok()).collect())
}

fn gift_ids(body: &Map<String, Value>) -> Result<Vec<RecordId>, Refusal> {
    let mut ids: Vec<RecordId> = Vec::new();
    for given in body.get("giftIds").and_then(Value::as_array).into_iter().flatten() {
        let Some(text) = given.as_str().map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let id = text.parse().map_err(|_| Refusal::bad("giftIds must be UUIDs"))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.len() {
        0 => Err(Refusal::bad("giftIds must include at least one id")),
        1..=MOST_GIFTS => Ok(ids),
        _ => Err(Refusal::bad(format!("giftIds must include at most {MOST_GIFTS} ids"))),
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
    use serde_json::json;

    #[test]
    fn a_payout_must_add_up() {
        let amount = |micros: i64, code: &str| json!({ "amountMicros": micros, "currencyCode": code });
        let body = |net: Value| json!({ "depositGrossAmount": amount(25, "GBP"), "depositFeeAmount": amount(5, "GBP"), "depositNetAmount": net });
        let result = |net| check(body(net).as_object().unwrap());
        assert_eq!(result(amount(20, "GBP")), Ok(()));
        assert_eq!(result(Value::Null), Ok(()));
        assert!(result(amount(21, "GBP")).is_err());
        assert!(result(amount(20, "EUR")).is_err());
    }
}
