//! `POST /webhooks/stripe`.

use ports::Level;

use crate::context::RequestContext;
use crate::error::Error;
use crate::payments;
use crate::request::{Request, Response};
use fundraising::provider::{Provider, stripe};
use fundraising::signature::{self, SignatureError};

/// Takes in an event, once its signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no event, and whatever keeps the event from being done or kept; Stripe then comes
/// again.
pub async fn receive(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let secret = cx.state.settings.stripe_secret.as_deref();
    let body = &request.inbound.body;
    if let Err(unproven) = signature::stripe(request.inbound.header("stripe-signature"), body, secret, cx.now()) {
        let event = match unproven {
            SignatureError::NotConfigured => "stripe_secret_not_configured",
            _ => "stripe_signature_refused",
        };
        cx.log(Level::Warn, event, &[("code", unproven.code().into())]);
        return Err(unproven.to_stripe().into());
    }
    let event = stripe::read(body, &|at| cx.day_of(at))?;
    let fields = [("eventId", event.id.as_str().into()), ("type", event.kind.as_str().into())];
    if event.is_test && !cx.state.settings.accept_test_events {
        cx.log(Level::Info, "stripe_test_event_ignored", &fields);
        return Ok(Response::no_content());
    }
    if event.domain_events.is_empty() {
        cx.log(Level::Debug, "stripe_event_ignored", &fields);
        return Ok(Response::no_content());
    }
    cx.log(Level::Info, "stripe_event_received", &fields);
    if let Err(failure) = payments::apply(cx, Provider::Stripe, &event.id, event.domain_events).await {
        cx.log(Level::Error, "stripe_event_failed", &[("code", failure.code().into())]);
        return Err(failure);
    }
    Ok(Response::no_content())
}
