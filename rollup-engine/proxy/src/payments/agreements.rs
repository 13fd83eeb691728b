//! Keeping recurring agreements in step with what their provider says.

use ports::{Level, Timestamp};
use serde_json::{Map, Value};
use twenty::filter::{Filter, FilterText};
use twenty::target::Target;

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::store;
use crate::payment_facts::{self, Known};
use fundraising::agreement_status::{AgreementEvent, AgreementStatusLog, is_ended};
use fundraising::provider::{Kind, PaymentFact, Provider, SetUp, StatusReport};
use twenty::object::object;

const PLURAL: &str = "recurringAgreements";
/// How often an agreement is read anew because somebody else was at it
const TRIES: u32 = 6;

/// An agreement, and whose gifts it may claim
pub(super) struct Claim {
    pub(super) agreement: String,
    pub(super) donor: Option<String>,
    /// Subscriptions and mandates of it
    pub(super) references: Vec<String>,
}

impl Claim {
    fn of(agreement: &Value, references: &[&String]) -> Option<Self> {
        let text = |key: &str| agreement.get(key).and_then(Value::as_str).map(str::to_owned);
        let references = references.iter().map(|reference| (*reference).clone()).collect();
        Some(Self { agreement: text("id")?, donor: text("donorId").filter(|id| !id.is_empty()), references })
    }
}

/// The agreements with one of these ids at the provider, or with that of a mandate in whose place one of them came
pub(super) async fn find(
    cx: &RequestContext<'_>,
    provider: Provider,
    references: &[String],
) -> Result<Vec<Value>, Error> {
    let found = of_references(cx, references).await?;
    if !found.is_empty() || references.is_empty() || provider != Provider::GoCardless {
        return Ok(found);
    }
    let known = payment_facts::known(cx, provider, references).await?;
    match known.ids().get(references.len()..) {
        Some(others) if !others.is_empty() => of_references(cx, others).await,
        _ => Ok(found),
    }
}

/// Gives agreements the mandate that took the place of theirs, whichever of several replacements is told first
pub(super) async fn replace_mandate(
    cx: &RequestContext<'_>,
    provider: Provider,
    old: &str,
    new: &str,
    at: i64,
) -> Result<Vec<Claim>, Error> {
    let fact = |kind, id: &str, at| PaymentFact { kind, id: id.to_owned(), at, holds: true, money: None };
    payment_facts::keep(cx, provider, old, &fact(Kind::ReplacedBy, new, at), None).await?;
    payment_facts::keep(cx, provider, new, &fact(Kind::Alias, old, 0), None).await?;
    let known = payment_facts::known(cx, provider, &[new.to_owned()]).await?;
    let newest = newest_mandate(&known).unwrap_or(new);
    let mut claims = Vec::new();
    for agreement in of_references(cx, known.ids()).await? {
        let text = |key: &str| agreement.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_theirs = known.ids().iter().any(|id| id == text("mandateReference"));
        if is_theirs && text("mandateReference") != newest {
            let body = object([("mandateReference".to_owned(), newest.into())]);
            if !write(cx, &agreement, body).await? {
                return Err(Error::raced());
            }
        }
        claims.extend(Claim::of(&agreement, &known.ids().iter().collect::<Vec<_>>()));
    }
    Ok(claims)
}

/// Whether another mandate took the place of this one
async fn is_replaced(cx: &RequestContext<'_>, provider: Provider, mandate: &str) -> Result<bool, Error> {
    let known = payment_facts::known(cx, provider, &[mandate.to_owned()]).await?;
    Ok(newest_mandate(&known).is_some_and(|newest| newest != mandate))
}

/// The last of several mandates that took one another's place: each replacement is later than the one before it
fn newest_mandate(known: &Known) -> Option<&str> {
    known.facts().of(Kind::ReplacedBy).max_by_key(|fact| fact.at).map(|fact| fact.id.as_str())
}

async fn of_references(cx: &RequestContext<'_>, references: &[String]) -> Result<Vec<Value>, Error> {
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

/// Whether no agreement has this id, not even in the trash
pub(super) async fn is_unknown(cx: &RequestContext<'_>, id: &str) -> Result<bool, Error> {
    match store::find(cx, PLURAL, id).await {
        // The workspace has no agreements, or shows none.
        Err(failure) if store::is_refused(&failure) => Ok(false),
        found => Ok(found?.is_none()),
    }
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
        | AgreementEvent::Reinstated { at }
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
            _ if matches!(event, AgreementEvent::Reinstated { .. }) => {
                body.insert("canceledAt".into(), Value::Null);
                body.insert("completedAt".into(), Value::Null);
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

/// What the provider says of an agreement's status; the agreement, if the event names it
pub(super) async fn report_status(
    cx: &RequestContext<'_>,
    provider: Provider,
    report: StatusReport,
) -> Result<Option<Claim>, Error> {
    let event = if report.reinstates {
        AgreementEvent::Reinstated { at: report.at }
    } else {
        AgreementEvent::StatusReported { status: report.status, at: report.at }
    };
    if let Some(id) = &report.agreement_id {
        apply(cx, id, event).await?;
        let Some(agreement) = read(cx, id).await? else { return Ok(None) };
        if agreement.get("providerAgreementId").and_then(Value::as_str).is_none_or(str::is_empty) {
            let mut link = Map::new();
            link.insert("provider".into(), provider.as_str().into());
            link.insert("providerAgreementId".into(), report.reference.as_str().into());
            if !write(cx, &agreement, link).await? {
                return Err(Error::raced());
            }
        }
        return Ok(Claim::of(&agreement, &[&report.reference]));
    }
    // What becomes of a mandate that another took the place of says nothing of the agreement.
    if provider == Provider::GoCardless && is_replaced(cx, provider, &report.reference).await? {
        return Ok(None);
    }
    let found = find(cx, provider, &[report.reference]).await?;
    if found.is_empty() {
        cx.log(Level::Info, "agreement_not_found", &[("status", report.status.into())]);
    }
    for agreement in found {
        if let Some(id) = agreement.get("id").and_then(Value::as_str) {
            apply(cx, id, event).await?;
        }
    }
    Ok(None)
}

/// Ties an agreement to its subscription or mandate
pub(super) async fn set_up(cx: &RequestContext<'_>, provider: Provider, set_up: SetUp) -> Result<Option<Claim>, Error> {
    let Some(id) = set_up.agreement_id.clone() else { return Ok(None) };
    let mut link = Map::new();
    link.insert("provider".into(), provider.as_str().into());
    for (key, value) in [
        ("providerAgreementId", &set_up.subscription),
        ("mandateReference", &set_up.mandate),
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
                    Ok(None)
                }
                answer => answer.map(|_| None),
            };
        };
        let references: Vec<&String> = [&set_up.subscription, &set_up.mandate].into_iter().flatten().collect();
        let claim = Claim::of(&agreement, &references);
        let Some(news) = applied(&agreement, AgreementEvent::StatusReported { status: "active", at: set_up.at }) else {
            return Ok(claim);
        };
        let mut body = link.clone();
        let mut context = agreement.get("providerContext").and_then(Value::as_object).cloned().unwrap_or_default();
        context.extend(set_up.context.clone());
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
            return Ok(claim);
        }
    }
    Err(Error::raced())
}
