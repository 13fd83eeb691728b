//! Keeping recurring agreements in step with what their provider says.

use ports::{Level, Timestamp};
use serde_json::{Map, Value};
use twenty::filter::{Filter, FilterText};
use twenty::target::Target;

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::store;
use fundraising::agreement_status::{AgreementEvent, AgreementStatusLog, is_ended};
use fundraising::provider::{Provider, SetUp, StatusReport};

const PLURAL: &str = "recurringAgreements";
/// How often an agreement is read anew because somebody else was at it
const TRIES: u32 = 6;

/// The agreements with one of these ids at the provider
pub(super) async fn find(cx: &RequestContext<'_>, references: &[String]) -> Result<Vec<Value>, Error> {
    let mut conditions = Vec::new();
    for reference in references.iter().filter_map(|reference| reference.parse::<FilterText>().ok()) {
        conditions.push(Filter::TextIs("providerAgreementId".into(), reference.clone()));
        conditions.push(Filter::TextIs("mandateReference".into(), reference));
    }
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    store::list(cx, PLURAL, &Filter::Or(conditions), 60, None).await
}

/// An agreement that is there
pub(super) async fn read(cx: &RequestContext<'_>, id: &str) -> Result<Option<Value>, Error> {
    Ok(store::find(cx, PLURAL, id).await?.filter(|record| !store::is_deleted(record)))
}

/// Writes on an agreement as it was read; whether nobody else was first
async fn write(cx: &RequestContext<'_>, agreement: &Value, body: Map<String, Value>) -> Result<bool, Error> {
    let text = |key: &str| agreement.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut conditions = vec![Filter::IdIs("id".into(), store::id_of(text("id"))?)];
    if let Some(read) = Timestamp::parse(text("updatedAt")) {
        conditions.extend(store::within_the_millisecond(read));
    }
    let changed = store::update_where(cx, PLURAL, "updateRecurringAgreements", conditions, body.into()).await?;
    Ok(!changed.is_empty())
}

/// What an event changes on an agreement; nothing if it was known
fn applied(agreement: &Value, event: AgreementEvent<'_>) -> Option<Map<String, Value>> {
    let context = agreement.get("providerContext");
    let mut status_log = AgreementStatusLog::read(context.and_then(|context| context.get("standing")));
    let status = agreement.get("status").and_then(Value::as_str);
    let outcome = status_log.apply(event, status);
    if !outcome.is_new {
        return None;
    }
    let mut context = context.and_then(Value::as_object).cloned().unwrap_or_default();
    context.insert("standing".into(), status_log.to_json());
    let mut body = Map::new();
    body.insert("providerContext".into(), Value::Object(context));
    if let Some(status) = outcome.status {
        let (AgreementEvent::Paid { at }
        | AgreementEvent::Failed { at, .. }
        | AgreementEvent::StatusReported { at, .. }) = event;
        let at = Timestamp::from_millis(at).to_string();
        body.insert("status".into(), status.into());
        body.insert("statusUpdatedAt".into(), at.as_str().into());
        match status {
            "canceled" => {
                body.insert("canceledAt".into(), at.into());
            }
            "completed" => {
                body.insert("completedAt".into(), at.into());
            }
            _ => {}
        }
    }
    Some(body)
}

/// Tells an agreement what happened to it
pub(super) async fn apply(cx: &RequestContext<'_>, id: &str, event: AgreementEvent<'_>) -> Result<(), Error> {
    for _ in 0..TRIES {
        let Some(agreement) = read(cx, id).await? else { return Ok(()) };
        let Some(body) = applied(&agreement, event) else { return Ok(()) };
        if write(cx, &agreement, body).await? {
            return Ok(());
        }
    }
    Err(Error::raced())
}

/// What the provider says of an agreement's status
pub(super) async fn report_status(cx: &RequestContext<'_>, report: StatusReport) -> Result<(), Error> {
    let event = AgreementEvent::StatusReported { status: report.status, at: report.at };
    if let Some(id) = &report.agreement_id {
        return apply(cx, id, event).await;
    }
    let found = find(cx, &[report.reference]).await?;
    if found.is_empty() {
        cx.log(Level::Info, "agreement_not_found", &[("status", report.status.into())]);
    }
    for agreement in found {
        if let Some(id) = agreement.get("id").and_then(Value::as_str) {
            apply(cx, id, event).await?;
        }
    }
    Ok(())
}

/// Ties an agreement to its subscription
pub(super) async fn set_up(cx: &RequestContext<'_>, provider: Provider, set_up: SetUp) -> Result<(), Error> {
    let Some(id) = set_up.agreement_id.clone() else { return Ok(()) };
    let mut link = Map::new();
    link.insert("provider".into(), provider.as_str().into());
    for (key, value) in [
        ("providerAgreementId", &set_up.subscription),
        ("providerPaymentMethodId", &set_up.payment_method),
        ("nextExpectedAt", &set_up.next_expected_at),
    ] {
        if let Some(value) = value {
            link.insert(key.into(), value.as_str().into());
        }
    }
    for _ in 0..TRIES {
        let Some(agreement) = read(cx, &id).await? else {
            link.insert("status".into(), "active".into());
            link.insert("providerContext".into(), Value::Object(set_up.context));
            return match cx.call(Target::update(PLURAL, store::id_of(&id)?), Some(link.into())).await {
                // It does not exist: the gift says which one was meant.
                Err(failure) if store::is_refused(&failure) => {
                    cx.log(Level::Warn, "agreement_link_failed", &[("message", failure.for_log().into())]);
                    Ok(())
                }
                answer => answer.map(drop),
            };
        };
        let Some(news) = applied(&agreement, AgreementEvent::StatusReported { status: "active", at: set_up.at }) else {
            return Ok(());
        };
        let mut body = link.clone();
        let mut context = set_up.context.clone();
        context.insert(
            "standing".into(),
            news.get("providerContext")
                .and_then(|context| context.get("standing"))
                .cloned()
                .unwrap_or_else(|| Value::Object(Map::new())),
        );
        body.extend(news);
        body.insert("providerContext".into(), Value::Object(context));
        if is_ended(agreement.get("status").and_then(Value::as_str)) {
            body.remove("nextExpectedAt");
        }
        if write(cx, &agreement, body).await? {
            return Ok(());
        }
    }
    Err(Error::raced())
}
