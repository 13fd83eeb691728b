//! `POST /webhooks/gocardless`.

use ports::Level;
use serde_json::{Value, json};

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::payments;
use crate::request::{Request, Response};
use fundraising::provider::Provider;
use fundraising::provider::gocardless::{self, Event, FetchedResources, Resource};
use fundraising::signature::{self, SignatureError};

/// Takes in a batch of events, once the signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no batch, and whatever keeps an event from being done or kept: the rest of the batch
/// is carried out all the same as far as there is time, and `GoCardless` sends all of it again.
pub async fn receive(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let notices = open(cx, request)?;
    let done = &cx.state.processed_events;
    let mut failed = None;
    for event in &notices {
        if done.has(&event.id) {
            continue;
        }
        let result = one(cx, event).await;
        if let Err(failure) = result {
            let fields = [("eventId", event.id.as_str().into()), ("code", failure.code().into())];
            cx.log(Level::Error, "gocardless_event_failed", &fields);
            // The others would get no turn either.
            let is_over = matches!(failure.kind(), ErrorKind::NoPermit { .. } | ErrorKind::TimedOut);
            failed.get_or_insert(failure);
            if is_over {
                break;
            }
        } else {
            done.note(&event.id);
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    // GoCardless does not repeat a batch that was taken in; one that staff have sent again is carried out again.
    for event in &notices {
        done.forget(&event.id);
    }
    Ok(Response::json(202, json!({ "ok": true })))
}

/// The events of the batch, once its signature is checked
fn open(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Vec<Event>, Error> {
    let secret = cx.state.settings.gocardless_secret.as_deref();
    let body = &request.inbound.body;
    let header = request.inbound.header("webhook-signature");
    if let Err(unproven) = signature::gocardless(header, body, secret) {
        cx.log(Level::Warn, "gocardless_signature_refused", &[("code", unproven.code().into())]);
        // What is no batch at all is told so. The body of a signed one was not read: its signature cannot be checked.
        if unproven == SignatureError::NotConfigured && header.is_none() {
            gocardless::read(body)?;
        }
        return Err(unproven.to_gocardless().into());
    }
    let notices = gocardless::read(body)?;
    cx.log(Level::Info, "gocardless_events_received", &[("eventCount", notices.len().into())]);
    Ok(notices)
}

async fn one(cx: &RequestContext<'_>, event: &Event) -> Result<(), Error> {
    let mut answers = FetchedResources::default();
    if let Some((list, id)) = event.resource() {
        answers.resource = read(cx, list, &id).await?;
    }
    if event.names_a_payer()
        && let Some(mandate) = event.mandate(&answers)
        && let Some(mandate) = read(cx, "mandates", &mandate).await?
        && let Some(customer) = gocardless::customer_of(&mandate)
    {
        answers.customer = read(cx, "customers", &customer).await?;
    }
    let domain_events = event.domain_events(&answers, &|at| cx.day_of(at));
    if domain_events.is_empty() {
        cx.log(Level::Debug, "gocardless_event_ignored", &[("type", event.kind().into())]);
    }
    payments::apply(cx, Provider::GoCardless, &event.id, domain_events).await
}

/// Reads from the API; nothing without a token, or if the token or the id is refused
async fn read(cx: &RequestContext<'_>, list: &'static str, id: &str) -> Result<Option<Value>, Error> {
    let Some(resource) = Resource::new(list, id) else { return Ok(None) };
    Ok(gocardless::unwrapped(list, &cx.read_gocardless(resource).await?))
}
