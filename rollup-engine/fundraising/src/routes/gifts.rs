//! `POST /gifts`, and the gifts that are there.

use serde_json::{Value, json};
use twenty::filter::encode;
use twenty::{Host, Method};

use crate::failure::Failure;
use crate::gift::update;
use crate::intake::{Accepted, Door, Origin, accept};
use crate::payload::Payload;
use crate::scope::Scope;

/// Takes in a gift; `key` is the caller's `Idempotency-Key`
///
/// # Errors
/// See [`accept`].
pub async fn create<H: Host>(scope: &Scope<'_, H>, body: &[u8], key: Option<&str>) -> Result<(u16, Value), Failure> {
    let payload = Payload::parse(body)?;
    let accepted = accept(scope, &payload, Origin { door: Door::Gifts, request_key: key }).await?;
    Ok((200, reply(accepted)))
}

fn reply(accepted: Accepted) -> Value {
    match accepted {
        Accepted::Gift { record, repeated: false, .. } => json!({ "data": { "createGift": record } }),
        Accepted::Gift { record, .. } => json!({ "data": { "createGift": record }, "meta": { "repeated": true } }),
        Accepted::Gone { id } => {
            json!({ "data": { "createGift": { "id": id } }, "meta": { "repeated": true, "deleted": true } })
        }
        Accepted::Staged { row, diagnostics, repeated, error } => {
            let auto = row.get("autoProcess").and_then(Value::as_bool).unwrap_or(false);
            let mut meta = json!({ "stagedOnly": true, "processingDiagnostics": diagnostics });
            if let Some(members) = meta.as_object_mut() {
                if repeated {
                    members.insert("repeated".into(), true.into());
                }
                if let Some(error) = error {
                    members.insert("error".into(), error.into());
                }
            }
            let staged = json!({ "id": row.id(), "autoProcess": auto, "processingStatus": row.state_word() });
            json!({ "data": { "giftStaging": staged }, "meta": meta })
        }
    }
}

/// Twenty's list; `query` is the caller's, without a token
///
/// # Errors
/// Whatever Twenty says, and an answer without gifts.
pub async fn list<H: Host>(scope: &Scope<'_, H>, query: &str) -> Result<(u16, Value), Failure> {
    let mark = if query.is_empty() { "" } else { "?" };
    let answer = scope.read(&format!("/gifts{mark}{query}")).await?;
    let is_list = answer.get("data").and_then(|data| data.get("gifts")).is_some_and(Value::is_array);
    if is_list { Ok((200, answer)) } else { Err(Failure::malformed("gifts array")) }
}

/// One gift
///
/// # Errors
/// Whatever Twenty says, and an answer without the gift.
pub async fn get<H: Host>(scope: &Scope<'_, H>, id: &str, query: &str) -> Result<(u16, Value), Failure> {
    let mark = if query.is_empty() { "" } else { "?" };
    with(scope.read(&format!("/gifts/{}{mark}{query}", encode(id))).await?, "gift", "gift")
}

/// Changes a gift
///
/// # Errors
/// See [`update::read`], and whatever Twenty says.
pub async fn patch<H: Host>(scope: &Scope<'_, H>, id: &str, body: &[u8]) -> Result<(u16, Value), Failure> {
    let changes = Value::Object(update::read(&Payload::parse(body)?, scope.host.now())?);
    with(
        scope.call(Method::Patch, &format!("/gifts/{}", encode(id)), Some(&changes)).await?,
        "updateGift",
        "updateGift",
    )
}

/// Puts a gift into the trash, from where it can be brought back; its id stays taken, so that a late repeat of the
/// request that made it makes nothing
///
/// # Errors
/// Whatever Twenty says.
pub async fn delete<H: Host>(scope: &Scope<'_, H>, id: &str) -> Result<(u16, Value), Failure> {
    let path = format!("/gifts/{}?soft_delete=true", encode(id));
    with(scope.call(Method::Delete, &path, None).await?, "deleteGift", "deleteGift")
}

fn with(answer: Value, key: &str, missing: &str) -> Result<(u16, Value), Failure> {
    let record = answer.get("data").and_then(|data| data.get(key));
    let has_id =
        record.and_then(|record| record.get("id")).is_some_and(|id| id.as_str().is_some_and(|id| !id.is_empty()));
    if has_id { Ok((200, answer)) } else { Err(Failure::malformed(missing)) }
}
