//! `POST /gifts`, and the gifts that are there.

use serde_json::Value;
use twenty::target::{Query, Target};

use crate::failure::Failure;
use crate::gift::update;
use crate::intake::{Accepted, Door, Origin, accept};
use crate::json::{Members as _, members, object};
use crate::payload::Payload;
use crate::routes::{Ask, having, query};
use crate::scope::Scope;

const GIFTS: &str = "gifts";

/// Takes in a gift; `key` is the caller's `Idempotency-Key`
///
/// # Errors
/// See [`accept`].
pub async fn create(scope: &Scope<'_>, body: &[u8], key: Option<&str>) -> Result<(u16, Value), Failure> {
    let payload = Payload::parse(body)?;
    let accepted = accept(scope, &payload, Origin { door: Door::Gifts, request_key: key }).await?;
    Ok((200, reply(accepted)))
}

fn reply(accepted: Accepted) -> Value {
    match accepted {
        Accepted::Gift { record, repeated: false, .. } => object([("data", object([("createGift", record)]))]),
        Accepted::Gift { record, .. } => {
            object([("data", object([("createGift", record)])), ("meta", object([("repeated", true.into())]))])
        }
        Accepted::Gone { id } => object([
            ("data", object([("createGift", object([("id", id.into())]))])),
            ("meta", object([("repeated", true.into()), ("deleted", true.into())])),
        ]),
        Accepted::Staged { row, diagnostics, repeated, error } => {
            let auto = row.get("autoProcess").and_then(Value::as_bool).unwrap_or(false);
            let mut meta = members([("stagedOnly", true.into()), ("processingDiagnostics", diagnostics)]);
            if repeated {
                meta.set("repeated", true.into());
            }
            if let Some(error) = error {
                meta.set("error", error.into());
            }
            let staged = object([
                ("id", row.id().into()),
                ("autoProcess", auto.into()),
                ("processingStatus", row.state_word().into()),
            ]);
            object([("data", object([("giftStaging", staged)])), ("meta", meta.into())])
        }
    }
}

/// Twenty's list; `query` is the caller's, without a token
///
/// # Errors
/// Whatever Twenty says, and an answer without gifts.
pub async fn list(scope: &Scope<'_>, query: &Query) -> Result<(u16, Value), Failure> {
    let answer = scope.read(Target::list(GIFTS, query)).await?;
    Ok((200, having(answer, "gifts", true, "gifts array")?))
}

/// One gift
///
/// # Errors
/// Whatever Twenty says, and an answer without the gift.
pub async fn get(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<(u16, Value), Failure> {
    let query = query::single(&ask.query)?;
    let target = Target::get(GIFTS, ask.record_id(0, "id")?, &query);
    Ok((200, having(scope.read(target).await?, "gift", false, "gift")?))
}

/// Changes a gift
///
/// # Errors
/// See [`update::read`], and whatever Twenty says.
pub async fn patch(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<(u16, Value), Failure> {
    let changes = update::read(&Payload::parse(ask.json())?, scope.now())?;
    let target = Target::update(GIFTS, ask.record_id(0, "id")?);
    let answer = scope.call(target, Some(changes.into())).await?;
    Ok((200, having(answer, "updateGift", false, "updateGift")?))
}

/// Puts a gift into the trash, from where it can be brought back; its id stays taken, so that a late repeat of the
/// request that made it makes nothing
///
/// # Errors
/// Whatever Twenty says.
pub async fn delete(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<(u16, Value), Failure> {
    let target = Target::trash(GIFTS, ask.record_id(0, "id")?);
    Ok((200, having(scope.call(target, None).await?, "deleteGift", false, "deleteGift")?))
}
