//! `POST /webhooks/gocardless`.

use ports::Level;
use serde_json::Value;

use super::{Ask, Reply};
use crate::deliver;
use crate::failure::{Failure, Reason};
use crate::json::object;
use crate::provider::Provider;
use crate::provider::gocardless::{self, Answers, Notice, Resource};
use crate::scope::Scope;
use crate::signature::{self, Unproven};

/// Takes in a batch of events, once the signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no batch, and whatever keeps an event from being done or kept: the rest of the batch
/// is carried out all the same as far as there is time, and `GoCardless` sends all of it again.
pub async fn receive(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    if ask.batch.get().is_none() {
        // Once, and not at each run: a batch may be large.
        let _ = ask.batch.set(open(scope, ask)?);
    }
    let done = &scope.proxy.done;
    let mut failed = None;
    for notice in ask.batch.get().into_iter().flatten() {
        if done.has(&notice.id) {
            continue;
        }
        let result = one(scope, notice).await;
        if let Err(failure) = result {
            let fields = [("eventId", notice.id.as_str().into()), ("code", failure.code().into())];
            scope.log(Level::Error, "gocardless_webhook_event_failed", &fields);
            // The others would get no turn either.
            let is_over = matches!(failure.reason(), Reason::NoTurn { .. } | Reason::TimedOut);
            failed.get_or_insert(failure);
            if is_over {
                break;
            }
        } else {
            done.note(&notice.id);
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    // It will not come again by itself; if somebody has it sent again, then for a reason.
    ask.batch.get().into_iter().flatten().for_each(|notice| done.forget(&notice.id));
    Ok((202, object([("ok", true.into())])))
}

/// The events of the batch, once its signature is checked
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
    let notices = gocardless::read(body)?;
    scope.log(Level::Info, "gocardless_webhook_received", &[("eventCount", notices.len().into())]);
    Ok(notices)
}

async fn one(scope: &Scope<'_>, notice: &Notice) -> Result<(), Failure> {
    let mut answers = Answers::default();
    if let Some((list, id)) = notice.resource() {
        answers.resource = read(scope, list, &id).await?;
    }
    if notice.names_a_payer()
        && let Some(mandate) = notice.mandate(&answers)
        && let Some(mandate) = read(scope, "mandates", &mandate).await?
        && let Some(customer) = gocardless::customer_of(&mandate)
    {
        answers.customer = read(scope, "customers", &customer).await?;
    }
    let steps = notice.steps(&answers);
    if steps.is_empty() {
        scope.log(Level::Debug, "gocardless_webhook_ignored_event", &[("type", notice.kind().into())]);
    }
    deliver::steps(scope, Provider::GoCardless, &notice.id, steps).await
}

/// Reads from the API; nothing without a token, or if the token or the id is refused
async fn read(scope: &Scope<'_>, list: &'static str, id: &str) -> Result<Option<Value>, Failure> {
    let Some(resource) = Resource::new(list, id) else { return Ok(None) };
    Ok(gocardless::unwrapped(list, &scope.read_gocardless(resource).await?))
}
