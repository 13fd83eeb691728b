//! `POST /webhooks/stripe`.

use ports::Level;
use serde_json::Value;

use super::{Ask, Reply};
use crate::deliver;
use crate::failure::Failure;
use crate::provider::{Provider, stripe};
use crate::scope::Scope;
use crate::signature::{self, Unproven};

/// Takes in an event, once its signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no event, and whatever keeps the event from being done or kept; Stripe then comes
/// again.
pub async fn receive(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let secret = scope.proxy.settings.stripe_secret.as_deref();
    let body = &ask.inbound.body;
    if let Err(unproven) = signature::stripe(ask.inbound.header("stripe-signature"), body, secret, scope.now()) {
        let event = match unproven {
            Unproven::NotConfigured => "stripe_webhook_missing_secret",
            _ => "stripe_webhook_invalid_signature",
        };
        scope.log(Level::Warn, event, &[("code", unproven.code().into())]);
        return Err(unproven.to_stripe().into());
    }
    let event = stripe::read(body)?;
    let fields = [("eventId", event.id.as_str().into()), ("type", event.kind.as_str().into())];
    if event.steps.is_empty() {
        scope.log(Level::Debug, "stripe_webhook_ignored_event", &fields);
        return Ok((204, Value::Null));
    }
    scope.log(Level::Info, "stripe_checkout_session_forward", &fields);
    if let Err(failure) = deliver::steps(scope, Provider::Stripe, &event.id, event.steps).await {
        scope.log(Level::Error, "stripe_checkout_session_forward_failed", &[("code", failure.code().into())]);
        return Err(failure);
    }
    Ok((204, Value::Null))
}
