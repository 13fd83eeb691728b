//! Carries out what a payment provider's event says.
//!
//! A provider is answered with success only once its event was done or kept, and comes again otherwise; so every step
//! may be carried out again, by two processes at once, and in another order. This is the one place where a durable queue
//! would stand: between the checked event and [`steps`].

mod agreements;

use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::target::Target;

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::intake::columns;
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, Written};
use crate::intake::{Accepted, Channel, Origin, accept, promote};
use crate::payment_facts;
use fundraising::agreement_status::AgreementEvent;
use fundraising::client_error::{ClientError, Status};
use fundraising::gift::{Gift, awaits_payment};
use fundraising::keys::Key;
use fundraising::payload::Payload;
use fundraising::provider::{
    Failure as Failed, Kind, Payment, PaymentFact, Payout, PayoutState, Provider, Returned, Step,
};
use fundraising::receipt::Receipt;
use fundraising::staging::State;
use fundraising::trust::{Diagnostics, may_auto_process};

/// Warning on a row whose donor could not be looked up
const UNASKED: &str = "donor_lookup_failed";

/// Carries out all steps of one event
///
/// # Errors
/// The first that could neither be done nor kept.
pub async fn steps(cx: &RequestContext<'_>, provider: Provider, event: &str, steps: Vec<Step>) -> Result<(), Error> {
    for step in steps {
        match step {
            Step::Paid(payment) => paid(cx, provider, event, *payment).await?,
            Step::Expected(payment) => expected(cx, event, *payment, true).await?,
            Step::Unassigned(payment) => unassigned(cx, event, *payment).await?,
            Step::Failed(failed) => failure(cx, provider, &failed).await?,
            Step::Returned(returned) => back(cx, provider, &returned).await?,
            Step::Settled { invoice, payment } => payment_facts::alias(cx, provider, &invoice, &payment).await?,
            Step::SetUp(set_up) => agreements::set_up(cx, provider, *set_up).await?,
            Step::StatusReported(report) => agreements::report_status(cx, report).await?,
            Step::Payout(payout) => drop(self::payout(cx, &payout).await?),
            Step::PaidOut { payment, payout } => paid_out(cx, provider, &payment, payout).await?,
        }
    }
    Ok(())
}

/// The agreement of a payment, and with it perhaps the donor
async fn join_agreement(cx: &RequestContext<'_>, payment: &mut Payment) -> Result<(), Error> {
    let gift = &mut payment.gift;
    if payment.agreement.is_empty() {
        return Ok(());
    }
    let agreement = match &gift.recurring_agreement_id {
        Some(named) => agreements::read(cx, named).await?,
        None => agreements::find(cx, &payment.agreement).await?.into_iter().next(),
    };
    let Some(agreement) = agreement else { return Ok(()) };
    let text =
        |key: &str| agreement.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    gift.recurring_agreement_id = gift.recurring_agreement_id.take().or_else(|| text("id"));
    gift.recurring_status.get_or_insert_with(|| "active".into());
    gift.donor_id = gift.donor_id.take().or_else(|| text("donorId"));
    Ok(())
}

async fn take_in(cx: &RequestContext<'_>, event: &str, payment: &Payment) -> Result<Accepted, Error> {
    let mut members = payment.gift.to_json();
    if !payment.has_amount {
        members.remove("amount");
    }
    let payload = Payload::parse(Value::Object(members).to_string().as_bytes())?;
    accept(
        cx,
        &payload,
        Origin { channel: Channel::Webhook, request_key: Some(event).filter(|event| !event.is_empty()) },
    )
    .await
}

async fn paid(cx: &RequestContext<'_>, provider: Provider, event: &str, mut payment: Payment) -> Result<(), Error> {
    join_agreement(cx, &mut payment).await?;
    if !payment.has_amount && !cx.state.settings.staging {
        return keep_as_question(cx, &payment, None).await;
    }
    let accepted = match take_in(cx, event, &payment).await {
        Err(failure) => match failure.kind() {
            // The payment was made, whatever cannot be true of it.
            ErrorKind::Client(refusal) if refusal.status == Status::BadRequest && !cx.state.settings.staging => {
                return keep_as_question(cx, &payment, Some(refusal)).await;
            }
            _ => return Err(failure),
        },
        accepted => accepted?,
    };
    let record = match accepted {
        Accepted::Gift { record, .. } => record,
        // What failed is tried once more: its gift may be there, and only the answer was lost.
        Accepted::Staged { row, repeated, error, .. } if payment.has_amount && (repeated || error.is_some()) => {
            if let Some(record) = arrived(cx, &payment, row).await? {
                record
            } else {
                return Ok(());
            }
        }
        Accepted::Staged { .. } | Accepted::Gone { .. } => return Ok(()),
    };
    payment_facts::settle(cx, provider, &payment.key, &record).await?;
    // A reviewer may have said which agreement it is of.
    let named = payment.gift.recurring_agreement_id.as_deref();
    if let Some(agreement) = named.or_else(|| record.get("recurringAgreementId").and_then(Value::as_str)) {
        agreements::apply(cx, agreement, AgreementEvent::Paid { at: payment.at }).await?;
    }
    Ok(())
}

/// A row that waited for its money: it goes the way that it would have gone had the money been there
async fn arrived(cx: &RequestContext<'_>, payment: &Payment, row: StagedGift) -> Result<Option<Value>, Error> {
    let mut row = row;
    for _ in 0..4 {
        let kept = row.gift().unwrap_or_default();
        let waits = kept.awaits_payment() || awaits_payment(row.get("providerContext")) || !kept.has_amount();
        let is_open = !matches!(row.state(), State::Processing | State::Processed | State::Cancelled);
        if !waits || !is_open {
            break;
        }
        let gift = Gift {
            amount: payment.gift.amount.clone(),
            auto_process: Some(true),
            provider_context: payment.gift.provider_context.clone(),
            ..kept
        };
        let mut diagnostics = Diagnostics::of(&gift, row.dedupe().as_ref());
        // Nobody has asked since.
        let found = row.get("processingDiagnostics").and_then(|found| found.get("processingWarnings"));
        if gift.donor_id.is_none() && found.and_then(Value::as_array).is_some_and(|all| all.contains(&UNASKED.into())) {
            diagnostics.warnings.push(UNASKED);
        }
        let wanted = payment.gift.auto_process != Some(false);
        let itself = wanted && may_auto_process(&gift, &diagnostics, row.dedupe().as_ref(), false);
        let mut body = Map::new();
        let state = match row.state() {
            State::Pending | State::ValidationFailed if !itself => State::Pending,
            // Whose it is, and whether it is there already, is still for a reviewer to say.
            doubted @ (State::DedupeReview | State::DuplicateBlocked) => doubted,
            // It goes by itself, or a reviewer let it go before the money was there.
            _ => State::ReadyForProcess,
        };
        body.insert("processingStatus".into(), state.as_str().into());
        body.insert("validationStatus".into(), "pending".into());
        body.insert("amount".into(), gift.amount.to_json());
        body.insert("giftDate".into(), payment.gift.gift_date.as_deref().into());
        body.insert(
            "providerContext".into(),
            payment.gift.provider_context.clone().unwrap_or_else(|| Value::Object(Map::new())),
        );
        body.insert("processingDiagnostics".into(), diagnostics.to_json());
        body.insert("errorDetail".into(), Value::Null);
        let mut payload = row.raw_payload().unwrap_or_default();
        for key in ["amount", "giftDate", "providerContext"] {
            if let Some(value) = body.get(key) {
                payload.insert(key.into(), value.clone());
            }
        }
        body.insert("rawPayload".into(), Value::Object(payload).to_string().into());
        let change =
            Change { body, action: "payment_arrived", particulars: json!({ "to": state.as_str() }), condition: None };
        match store::write(cx, &row, change).await? {
            Written::StagedGift(written) => row = written,
            Written::Raced => row = store::reread(cx, &row).await?,
        }
    }
    if matches!(row.state(), State::ReadyForProcess | State::Processing | State::ProcessFailed | State::Processed) {
        let id = store::id_of(row.id())?;
        promote::process(cx, id).await;
        row = store::row(cx, id).await?;
    }
    let Some(gift) = row.text("giftId") else { return Ok(None) };
    Ok(store::find(cx, "gifts", gift).await?.filter(|record| !store::is_deleted(record)))
}

/// A row for money that has not come yet; where gifts are not staged, the money will say all there is to say
async fn expected(cx: &RequestContext<'_>, event: &str, mut payment: Payment, awaits: bool) -> Result<(), Error> {
    if !cx.state.settings.staging {
        return Ok(());
    }
    join_agreement(cx, &mut payment).await?;
    payment.gift.auto_process = Some(false);
    if let (true, Some(Value::Object(context))) = (awaits, &mut payment.gift.provider_context) {
        context.insert("awaitsPayment".into(), true.into());
    }
    take_in(cx, event, &payment).await.map(drop)
}

/// A subscription that names no agreement: known by now under its own id, or a row for a reviewer
async fn unassigned(cx: &RequestContext<'_>, event: &str, payment: Payment) -> Result<(), Error> {
    if agreements::find(cx, &payment.agreement).await?.is_empty() {
        expected(cx, event, payment, false).await
    } else {
        Ok(())
    }
}

/// A payment that is a question where gifts are not staged: it is staged all the same, and a gift with a note where the
/// workspace has no staging at all
async fn keep_as_question(
    cx: &RequestContext<'_>,
    payment: &Payment,
    refusal: Option<&ClientError>,
) -> Result<(), Error> {
    let key = Key::of(&payment.gift, None);
    let Some(key) = key else { return Ok(()) };
    let diagnostics = Diagnostics::of(&payment.gift, None);
    let mut gift = payment.gift.to_json();
    if !payment.has_amount {
        gift.remove("amount");
    }
    let mut body = gift.clone();
    for key in ["recurringStatus", "recurringMetadata", "name", "description", "providerAgreementId"] {
        body.remove(key);
    }
    body.insert("id".into(), key.staging_id().to_string().into());
    body.insert("autoProcess".into(), false.into());
    body.insert("processingStatus".into(), State::Pending.as_str().into());
    if let Some(refusal) = refusal {
        body.insert("processingStatus".into(), State::ValidationFailed.as_str().into());
        body.insert("validationStatus".into(), "failed".into());
        body.insert("errorDetail".into(), store::error_detail("implausible", &refusal.message, cx.now()));
    }
    body.insert("processingDiagnostics".into(), diagnostics.to_json());
    body.insert("rawPayload".into(), Value::Object(gift).to_string().into());
    if store::has_rows(cx).await {
        match store::make(cx, store::ROW, body).await {
            Err(failure) if store::is_refused(&failure) => {}
            kept => return kept.map(drop),
        }
    }
    let mut record = payment.gift.to_record(&Receipt::default());
    if !payment.has_amount {
        record.remove("amount");
    }
    record.insert("id".into(), key.gift_id().to_string().into());
    let question = refusal.map_or("the amount of the payment could not be read", |refusal| &refusal.message);
    record.insert("notes".into(), question.into());
    store::make(cx, store::GIFT, record).await.map(drop)
}

async fn failure(cx: &RequestContext<'_>, provider: Provider, failed: &Failed) -> Result<(), Error> {
    if failed.takes_back {
        let fact = PaymentFact { kind: Kind::Failed, id: String::new(), at: failed.at, holds: true, money: None };
        back(cx, provider, &Returned { payment: failed.payment.clone(), fact }).await?;
    }
    fail_row(cx, provider, failed).await?;
    let event = AgreementEvent::Failed { attempt: &failed.attempt, at: failed.at };
    if let Some(id) = &failed.agreement_id {
        return agreements::apply(cx, id, event).await;
    }
    for agreement in agreements::find(cx, &failed.agreement).await? {
        if let Some(id) = agreement.get("id").and_then(Value::as_str) {
            agreements::apply(cx, id, event).await?;
        }
    }
    Ok(())
}

/// Notes on a row that waits that its money does not come
async fn fail_row(cx: &RequestContext<'_>, provider: Provider, failed: &Failed) -> Result<(), Error> {
    change_row(cx, provider, &failed.payment, |row| {
        if row.state() != State::Pending || !awaits_payment(row.get("providerContext")) {
            return None;
        }
        let mut body = Map::new();
        body.insert("processingStatus".into(), State::ValidationFailed.as_str().into());
        body.insert("validationStatus".into(), "failed".into());
        body.insert("errorDetail".into(), store::error_detail("payment_failed", &failed.reason, cx.now()));
        Some((body, "payment_failed"))
    })
    .await
}

async fn back(cx: &RequestContext<'_>, provider: Provider, returned: &Returned) -> Result<(), Error> {
    payment_facts::keep(cx, provider, &returned.payment, &returned.fact).await?;
    // Noted first, looked up second: whoever makes the gift meanwhile makes it first and reads the note second.
    if let Some(record) = payment_facts::gift_of(cx, provider, &returned.payment).await? {
        return payment_facts::settle(cx, provider, &returned.payment, &record).await;
    }
    cx.log(Level::Info, "refund_kept", &[("provider", provider.as_str().into())]);
    Ok(())
}

/// Records a payout; its id, unless somebody deleted it
async fn payout(cx: &RequestContext<'_>, payout: &Payout) -> Result<Option<String>, Error> {
    let key = Key::External { source: format!("{} payout", payout.provider.as_str()), id: payout.id.clone() };
    let id = key.gift_id().to_string();
    let mut facts = Map::new();
    if let Some(net) = &payout.net {
        facts.insert("depositNetAmount".into(), net.to_json());
        if let Some(fee) = &payout.fee {
            let gross = net.amount_micros.saturating_add(fee.amount_micros);
            facts.insert("depositFeeAmount".into(), fee.to_json());
            facts.insert(
                "depositGrossAmount".into(),
                json!({ "amountMicros": gross, "currencyCode": net.currency_code.as_str() }),
            );
        }
    }
    if let Some(date) = &payout.date {
        facts.insert("depositDate".into(), date.as_str().into());
    }
    match payout.state {
        PayoutState::Announced => {}
        PayoutState::Paid => {
            facts.insert("confirmedAt".into(), Timestamp::from_millis(payout.at).to_string().into());
        }
        PayoutState::Failed => {
            facts.insert("status".into(), "variance".into());
            let reason = payout.reason.as_deref().unwrap_or("the payout did not arrive");
            facts.insert("varianceReason".into(), reason.into());
        }
    }
    let mut body = facts.clone();
    body.insert("id".into(), id.as_str().into());
    body.insert("name".into(), payout.id.as_str().into());
    body.insert("sourceSystem".into(), payout.provider.as_str().into());
    body.insert("payoutReference".into(), payout.id.as_str().into());
    if !body.contains_key("status") {
        body.insert("status".into(), "pending".into());
    }
    let object = store::Object { plural: "giftPayouts", create: "createGiftPayout" };
    match store::make(cx, object, body).await? {
        // What staff made of it since (its status, its reconciliation) stays.
        store::Made::Repeat(_) if payout.state != PayoutState::Announced => {
            cx.call(Target::update(object.plural, key.gift_id().into()), Some(facts.into())).await?;
        }
        store::Made::New(_) | store::Made::Repeat(_) => {}
        store::Made::Gone => return Ok(None),
    }
    Ok(Some(id))
}

/// Links a payment's gift, or the row that waits to be one, to the payout that brought the money, unless it is linked
async fn paid_out(cx: &RequestContext<'_>, provider: Provider, payment: &str, payout: String) -> Result<(), Error> {
    match link_payout(cx, provider, payment, payout).await {
        // The workspace has no payouts, or takes none here; the gift is there all the same.
        Err(failure) if store::is_refused(&failure) => {
            let fields = [("message", failure.for_log().into())];
            cx.log(Level::Warn, "payout_link_failed", &fields);
            Ok(())
        }
        linked => linked,
    }
}

async fn link_payout(cx: &RequestContext<'_>, provider: Provider, payment: &str, payout: String) -> Result<(), Error> {
    let announced = Payout {
        provider,
        id: payout,
        state: PayoutState::Announced,
        net: None,
        fee: None,
        date: None,
        reason: None,
        at: cx.now().as_millis(),
    };
    if let Some(gift) = payment_facts::gift_of(cx, provider, payment).await? {
        let is_linked = gift.get("giftPayoutId").and_then(Value::as_str).is_some();
        if let (false, Some(gift)) = (is_linked, gift.get("id").and_then(Value::as_str))
            && let Some(id) = self::payout(cx, &announced).await?
        {
            let gift = Target::update(store::GIFT.plural, store::id_of(gift)?);
            cx.call(gift, Some(json!({ "giftPayoutId": id }))).await?;
        }
        return Ok(());
    }
    let Some(id) = self::payout(cx, &announced).await? else { return Ok(()) };
    change_row(cx, provider, payment, |row| {
        if row.state() == State::Processed || row.text("giftPayoutId").is_some() {
            return None;
        }
        let payload = row.raw_payload().unwrap_or_default();
        Some((columns::changed(payload, "giftPayoutId", &id), "payout_linked"))
    })
    .await
}

/// Changes the row of a payment, if there is one and it wants to be changed: a body, and the action's name
async fn change_row(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    change: impl Fn(&StagedGift) -> Option<(Map<String, Value>, &'static str)>,
) -> Result<(), Error> {
    if !cx.state.settings.staging {
        return Ok(());
    }
    let key = Key::Payment { provider: provider.as_str().into(), id: payment.to_owned() };
    let id = key.staging_id().to_string();
    for _ in 0..4 {
        let Some(record) = store::find(cx, "giftStagings", &id).await? else { return Ok(()) };
        let row = StagedGift::new(record);
        let Some((body, action)) = change(&row) else { return Ok(()) };
        let particulars = Value::Object(Map::new());
        let change = Change { body, action, particulars, condition: None };
        if let Written::StagedGift(_) = store::write(cx, &row, change).await? {
            return Ok(());
        }
    }
    Err(Error::raced())
}
