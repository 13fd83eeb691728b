//! `POST /webhooks/gocardless`.

use std::time::Duration;

use serde_json::{Value, json};
use twenty::filter::encode;
use twenty::{Host, Level, Method, Request};

use super::{Ask, Reply};
use crate::deliver;
use crate::failure::{Failure, Reason};
use crate::json::object;
use crate::provider::Provider;
use crate::provider::gocardless::{self, Answers, Notice};
use crate::scope::Scope;
use crate::signature::{self, Unproven};

/// Version of the API whose answers are understood
const VERSION: &str = "2015-07-06";
/// Longest time that one read may take
const TIMEOUT: Duration = Duration::from_secs(5);

/// Takes in a batch of events, once the signature over the body's bytes is checked
///
/// # Errors
/// A bad signature, a body that is no batch, and whatever keeps an event from being done or kept: the rest of the batch
/// is carried out all the same, and `GoCardless` sends all of it again.
pub async fn receive<H: Host>(scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
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
    let mut failed = None;
    for notice in &notices {
        if let Err(failure) = one(scope, notice).await {
            let fields = [("eventId", notice.id.as_str().into()), ("code", failure.code().into())];
            scope.log(Level::Error, "gocardless_webhook_event_failed", &fields);
            failed.get_or_insert(failure);
        }
    }
    failed.map_or_else(|| Ok((202, object([("ok", true.into())]))), Err)
}

async fn one<H: Host>(scope: &Scope<'_, H>, notice: &Notice) -> Result<(), Failure> {
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
async fn read<H: Host>(scope: &Scope<'_, H>, list: &str, id: &str) -> Result<Option<Value>, Failure> {
    let Some(token) = &scope.proxy.settings.gocardless_token else { return Ok(None) };
    let left = scope.deadline.since(scope.host.now());
    if left < Duration::from_millis(50) {
        return Err(Reason::TimedOut.into());
    }
    let request = Request {
        method: Method::Get,
        url: format!("{}/{list}/{}", scope.proxy.settings.gocardless_url, encode(id)),
        headers: vec![
            ("authorization".into(), format!("Bearer {token}")),
            ("accept".into(), "application/json".into()),
            ("gocardless-version".into(), VERSION.into()),
        ],
        body: None,
        timeout: TIMEOUT.min(left),
    };
    let answer = scope.host.fetch(request).await.map_err(|_| Reason::Unreachable)?;
    match answer.status {
        200..=299 => {
            let json: Value = serde_json::from_slice(&answer.body)
                .map_err(|_| Failure::malformed_as("unexpected GoCardless response (not JSON)"))?;
            Ok(gocardless::unwrapped(list, &json))
        }
        // Asking again would not help: what the event says without it is kept.
        400 | 401 | 403 | 404 | 410 | 422 => {
            let fields = [("list", list.into()), ("status", answer.status.into())];
            scope.log(Level::Warn, "gocardless_read_refused", &fields);
            Ok(None)
        }
        _ => Err(Failure::busy(Duration::from_secs(10))),
    }
}
