//! `POST /webhooks/gocardless`.

use serde_json::Value;
use twenty::Level;
use twenty::filter::encode;

use super::{Ask, Reply};
use crate::deliver;
use crate::failure::Failure;
use crate::json::object;
use crate::provider::Provider;
use crate::provider::gocardless::{self, Answers, Notice};
use crate::scope::Scope;
use crate::signature::{self, Unproven};

/// Takes in a batch of events, once the signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no batch, and whatever keeps an event from being done or kept: the rest of the batch
/// is carried out all the same as far as there is time, and `GoCardless` sends all of it again.
pub fn receive(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    if ask.batch.get().is_none() {
        // Kept as it is at the first run, whatever other requests carry out meanwhile.
        let _ = ask.batch.set(open(scope, ask)?);
    }
    let mut failed = None;
    for notice in ask.batch.get().into_iter().flatten() {
        let part = || one(scope, notice).map(|()| Value::Null);
        match scope.part(&notice.id, &part) {
            Ok(_) => scope.proxy.done.note(&notice.id),
            Err(failure) => {
                let fields = [("eventId", notice.id.as_str().into()), ("code", failure.code().into())];
                scope.log(Level::Error, "gocardless_webhook_event_failed", &fields);
                let is_late = failure.retry_after().is_some_and(|wait| scope.now() + wait > scope.deadline);
                failed.get_or_insert(failure);
                if is_late {
                    break;
                }
            }
        }
    }
    failed.map_or_else(|| Ok((202, object([("ok", true.into())]))), Err)
}

/// The events that are not carried out yet
fn open(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Vec<Notice>, Failure> {
    let secret = scope.proxy.settings.gocardless_secret.as_deref();
    let body = &ask.inbound.body;
    if let Err(unproven) = signature::gocardless(ask.inbound.header("webhook-signature"), body, secret) {
        scope.log(Level::Warn, "gocardless_webhook_invalid_signature", &[("code", unproven.code().into())]);
        if unproven == Unproven::NotConfigured {
            // Nothing can be checked, so what is no batch at all may be told so.
            gocardless::read(body)?;
        }
        return Err(unproven.to_gocardless().into());
    }
    let mut notices = gocardless::read(body)?;
    scope.log(Level::Info, "gocardless_webhook_received", &[("eventCount", notices.len().into())]);
    notices.retain(|notice| !scope.proxy.done.has(&notice.id));
    Ok(notices)
}

fn one(scope: &Scope<'_>, notice: &Notice) -> Result<(), Failure> {
    let mut answers = Answers::default();
    if let Some((list, id)) = notice.resource() {
        answers.resource = read(scope, list, &id)?;
    }
    if notice.names_a_payer()
        && let Some(mandate) = notice.mandate(&answers)
        && let Some(mandate) = read(scope, "mandates", &mandate)?
        && let Some(customer) = gocardless::customer_of(&mandate)
    {
        answers.customer = read(scope, "customers", &customer)?;
    }
    let steps = notice.steps(&answers);
    if steps.is_empty() {
        scope.log(Level::Debug, "gocardless_webhook_ignored_event", &[("type", notice.kind().into())]);
    }
    deliver::steps(scope, Provider::GoCardless, &notice.id, steps)
}

/// Reads from the API; nothing without a token, or if the token or the id is refused
fn read(scope: &Scope<'_>, list: &str, id: &str) -> Result<Option<Value>, Failure> {
    let answer = scope.read_gocardless(format!("/{list}/{}", encode(id)))?;
    Ok(gocardless::unwrapped(list, &answer))
}
