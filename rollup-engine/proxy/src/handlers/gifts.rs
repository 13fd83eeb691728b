//! `POST /gifts`, and the gifts that are there.

use ports::Level;
use serde_json::{Map, Value, json};
use twenty::target::Target;

use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::{Accepted, Channel, Origin, accept, donor, gift_aid, store};
use crate::request::{Field, Request, Response, require_field};
use fundraising::client_error::{ClientError, Status};
use fundraising::gift::{stored, update};
use fundraising::money::Money;
use fundraising::refund;
use twenty::object::object;

const GIFTS: &str = "gifts";
/// What Gift Aid goes by: a change of one of these has it decided anew
const GIFT_AID_GROUNDS: [&str; 10] = [
    "donorId",
    "companyId",
    "giftDate",
    "paymentMethod",
    "giftIntent",
    "giftType",
    "isInKind",
    "giftAidEligible",
    "giftAidDeclarationId",
    "refundedAmount",
];

/// Takes in a gift
///
/// # Errors
/// See [`accept`].
pub async fn create(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let payload = cx.gift_payload(request.json())?;
    let origin = Origin { channel: Channel::Gifts, request_key: request.key() };
    let accepted = accept(cx, &payload, origin).await?;
    let mut answer = reply(accepted);
    let warnings = cx.warnings();
    if let (false, Some(members)) = (warnings.is_empty(), answer.as_object_mut()) {
        let meta = members.entry("meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("warnings".into(), warnings.into());
        }
    }
    Ok(Response::json(200, answer))
}

fn reply(accepted: Accepted) -> Value {
    match accepted {
        Accepted::Gift { record, repeated: false, .. } => json!({ "data": { "createGift": record } }),
        Accepted::Gift { record, .. } => {
            json!({ "data": { "createGift": record }, "meta": { "repeated": true } })
        }
        Accepted::Gone { id } => json!({
            "data": { "createGift": { "id": id } },
            "meta": { "repeated": true, "deleted": true },
        }),
        Accepted::Staged { row, diagnostics, repeated, error } => {
            let auto = row.get("autoProcess").and_then(Value::as_bool).unwrap_or(false);
            let mut meta =
                object([("stagedOnly".to_owned(), true.into()), ("processingDiagnostics".to_owned(), diagnostics)]);
            if repeated {
                meta.insert("repeated".into(), true.into());
            }
            if let Some(error) = error {
                meta.insert("error".into(), error.into());
            }
            let staged = json!({
                "id": row.id(),
                "autoProcess": auto,
                "processingStatus": row.state_word(),
            });
            json!({ "data": { "giftStaging": staged }, "meta": meta })
        }
    }
}

/// Twenty's list
///
/// # Errors
/// Whatever Twenty says, and an answer without gifts.
pub async fn list(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    cx.pass(Target::list(GIFTS, &query::list(&request.query)?), Some(Field::List("gifts"))).await
}

/// One gift
///
/// # Errors
/// Whatever Twenty says, and an answer without the gift.
pub async fn get(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let query = query::single(&request.query)?;
    let target = Target::get(GIFTS, request.record_id(0, "id")?, &query);
    cx.pass(target, Some(Field::Record("gift"))).await
}

/// Changes a gift
///
/// # Errors
/// See [`update::read`], and whatever Twenty says.
pub async fn patch(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let mut changes = update::read(&cx.gift_payload(request.json())?, cx.now())?;
    let target = Target::update(GIFTS, request.record_id(0, "id")?);
    if let Some(donor) = changes.get("donorId").and_then(Value::as_str)
        && donor::is_in_trash(cx, donor).await?
    {
        let message = "contactId is of a deleted person; restore them first";
        return Err(ClientError::new(Status::Conflict, message).into());
    }
    if gift_aid::is_refunded(&changes) {
        check_refund(cx, request.id(0), &changes).await?;
    }
    // What the caller says of the verdict itself is theirs.
    let is_open = cx.state.settings.gift_aid && !changes.contains_key("giftAidStatus");
    let is_decided_anew = is_open && GIFT_AID_GROUNDS.iter().any(|key| changes.contains_key(*key));
    if is_open && gift_aid::is_refunded(&changes) {
        gift_aid::revoke(&mut changes);
    }
    let answer = cx.call(target, Some(changes.into())).await?;
    let answer = require_field(answer, Field::Record("updateGift"))?;
    if is_decided_anew
        && let Some(record @ Value::Object(members)) = answer.pointer("/data/updateGift")
        && let Err(failure) = gift_aid::decide(cx, &stored::read_any(members), record, false).await
    {
        cx.log(Level::Warn, "gift_aid_decision_failed", &[("message", failure.for_log().into())]);
    }
    Ok(Response::json(200, answer))
}

/// A refund is at most the gift, and in its currency
async fn check_refund(cx: &RequestContext<'_>, id: &str, changes: &Map<String, Value>) -> Result<(), Error> {
    let money = |members: &Map<String, Value>, key: &str| Money::read(key, members.get(key)?).ok();
    let amount = match money(changes, "amount") {
        Some(amount) => Some(amount),
        None => {
            store::find(cx, GIFTS, id).await?.as_ref().and_then(Value::as_object).and_then(|gift| money(gift, "amount"))
        }
    };
    // Of a gift that is not there, Twenty says so.
    if let (Some(amount), Some(refunded)) = (amount, money(changes, "refundedAmount")) {
        refund::check(&amount, &refunded)?;
    }
    Ok(())
}

/// Puts a gift into the trash, from where it can be brought back; its id stays taken, so that a late repeat of the
/// request that made it makes nothing
///
/// # Errors
/// Whatever Twenty says.
pub async fn delete(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let target = Target::trash(GIFTS, request.record_id(0, "id")?);
    Ok(Response::json(200, require_field(cx.call(target, None).await?, Field::Record("deleteGift"))?))
}
