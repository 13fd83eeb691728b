//! Applies what a payment provider's event says.
//!
//! A provider is answered with success only once its event was done or kept, and comes again otherwise; so all that
//! it says may be applied again, by two processes at once, and in another order. This is the one place where a durable queue
//! would stand: between the checked event and [`apply`].

mod agreements;
mod payouts;
mod staged;

use ports::time::parse_date;
use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::filter::Filter;

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::few;
use crate::intake::after_posting::{self, MissingAgreement};
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, Written};
use crate::intake::{Accepted, Channel, Origin, accept, complete};
use crate::payment_facts::{self, Known};
use agreements::Claim;
use fundraising::agreement_status::AgreementEvent;
use fundraising::client_error::{ClientError, Status};
use fundraising::gift::{Gift, plausible, stored};
use fundraising::keys::Key;
use fundraising::money::Money;
use fundraising::payload::Payload;
use fundraising::provider::{DomainEvent, Failure as Failed, IdKind, Kind, Payment, PaymentFact, Provider, Returned};
use fundraising::staging::State;

/// Applies all that one event says; `id` is the event's own
///
/// # Errors
/// The first that could neither be done nor kept.
pub async fn apply(
    cx: &RequestContext<'_>,
    provider: Provider,
    id: &str,
    events: Vec<DomainEvent>,
) -> Result<(), Error> {
    for event in events {
        match event {
            DomainEvent::Paid(mut payment) => {
                payment.at = cx.instant_or_now(payment.at);
                paid(cx, provider, id, *payment).await?;
            }
            DomainEvent::Expected(payment) => expected(cx, provider, id, *payment, true).await?,
            DomainEvent::Unassigned(payment) => unassigned(cx, provider, id, *payment).await?,
            DomainEvent::Failed(failed) => apply_failure(cx, provider, &failed).await?,
            DomainEvent::Returned(returned) => apply_return(cx, provider, &returned).await?,
            DomainEvent::Settled { invoice, payment } => link_payment_ids(cx, provider, &[invoice, payment]).await?,
            DomainEvent::SetUp(mut set_up) => {
                set_up.at = cx.instant_or_now(set_up.at);
                if let Some(claim) = agreements::set_up(cx, provider, *set_up).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            DomainEvent::StatusReported(mut report) => {
                report.at = cx.instant_or_now(report.at);
                if let Some(claim) = agreements::report_status(cx, provider, report).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            DomainEvent::MandateReplaced { old, new, at } => {
                let at = cx.instant_or_now(at);
                for claim in agreements::replace_mandate(cx, provider, &old, &new, at).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            DomainEvent::Payout(payout) => drop(payouts::record(cx, &payout).await?),
            DomainEvent::PaidOut { payment, payout } => payouts::paid_out(cx, provider, &payment, payout).await?,
        }
    }
    Ok(())
}

/// The agreement of a payment, and with it perhaps the donor
async fn join_agreement(cx: &RequestContext<'_>, provider: Provider, payment: &mut Payment) -> Result<(), Error> {
    let gift = &mut payment.gift;
    if payment.agreement.is_empty() {
        return Ok(());
    }
    let agreement = match &gift.recurring_agreement_id {
        Some(named) => agreements::read(cx, named).await?,
        None => agreements::find(cx, provider, &payment.agreement).await?.into_iter().next(),
    };
    let Some(agreement) = agreement else { return Ok(()) };
    let text =
        |key: &str| agreement.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    gift.recurring_agreement_id = gift.recurring_agreement_id.take().or_else(|| text("id"));
    gift.recurring_status.get_or_insert_with(|| "active".into());
    gift.donor_id = gift.donor_id.take().or_else(|| text("donorId"));
    Ok(())
}

/// Sets aside an agreement that is nowhere: the metadata are typed by hand
async fn set_aside_unknown_agreement(cx: &RequestContext<'_>, payment: &mut Payment) -> Result<bool, Error> {
    let is_unknown = match &payment.gift.recurring_agreement_id {
        Some(named) => agreements::is_unknown(cx, named).await?,
        None => false,
    };
    if is_unknown {
        payment.gift.set_aside_agreement();
    }
    Ok(is_unknown)
}

async fn accept_payment(cx: &RequestContext<'_>, event: &str, payment: &mut Payment) -> Result<Accepted, Error> {
    match accept_once(cx, event, payment).await {
        Err(failure) if store::is_refused(&failure) && set_aside_unknown_agreement(cx, payment).await? => {
            accept_once(cx, event, payment).await
        }
        accepted => accepted,
    }
}

async fn accept_once(cx: &RequestContext<'_>, event: &str, payment: &Payment) -> Result<Accepted, Error> {
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

/// What earlier events of a payment left
enum Earlier {
    Nothing,
    /// A gift
    Gift(Value),
    /// A staged gift that is none yet
    StagedGift(StagedGift),
    /// A staged gift under another id, of which a worker makes a gift, or died over it
    Claimed(StagedGift),
    /// A gift, or a staged gift, that somebody deleted or dropped
    Gone,
}

async fn earlier(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &Payment,
    known: &Known,
) -> Result<Earlier, Error> {
    let key = Key::Payment { provider: provider.as_str().into(), id: payment.key.clone() };
    let own = key.gift_id().to_string();
    let has_gift = known.rows.iter().any(|row| row.text("giftId").is_some());
    if has_gift || !known.is_alone() {
        let gifts = payment_facts::gifts(cx, provider, known).await?;
        if let Some(gift) = gifts.into_iter().next() {
            let amount = |money: &Money| (money.amount_micros, money.currency_code.clone());
            let found = gift.get("amount").and_then(|money| Money::read("amount", money).ok());
            let is_own = gift.get("id").and_then(Value::as_str) == Some(own.as_str());
            let is_part = found.is_some_and(|found| amount(&found) != amount(&payment.gift.amount));
            // What died between the gift and its staged gift.
            for row in known.rows.iter().filter(|row| row.state() == State::Processing) {
                let made = Key::of_staged_gift(&row.kept_gift(), row.id()).gift_id().to_string();
                if gift.get("id").and_then(Value::as_str) == Some(made.as_str()) {
                    store::mark(cx, row, &made, "reconciled").await?;
                }
            }
            return Ok(match () {
                () if store::is_deleted(&gift) => Earlier::Gone,
                // An invoice that was paid in parts is a gift of its own, into which the parts are folded.
                () if !is_own && is_part && payment.has_amount && IdKind::of(&payment.key) == IdKind::Invoice => {
                    Earlier::Nothing
                }
                () => Earlier::Gift(gift),
            });
        }
    }
    let Some(row) = known.rows.first() else { return Ok(Earlier::Nothing) };
    let is_own = row.id() == key.staging_id().to_string();
    match row.state() {
        // What died half way goes on where it was.
        State::Processing if is_own => Ok(Earlier::Nothing),
        State::Processing => Ok(Earlier::Claimed(row.clone())),
        State::Processed | State::Cancelled => Ok(Earlier::Gone),
        _ => Ok(Earlier::StagedGift(row.clone())),
    }
}

async fn paid(cx: &RequestContext<'_>, provider: Provider, event: &str, mut payment: Payment) -> Result<(), Error> {
    join_agreement(cx, provider, &mut payment).await?;
    let ids = payment.ids();
    let known = payment_facts::link(cx, provider, &ids, payment.tells_method).await?;
    let earlier = earlier(cx, provider, &payment, &known).await?;
    if !matches!(earlier, Earlier::Nothing) {
        set_aside_unknown_agreement(cx, &mut payment).await?;
    }
    let record = match earlier {
        Earlier::Gone => return Ok(()),
        Earlier::Gift(record) => {
            let record = add_rows_to_gift(cx, record, &known.rows).await?;
            Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, true).await?)
        }
        Earlier::StagedGift(row) => match staged::complete_row(cx, &payment, row, true).await? {
            Some(record) => Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, false).await?),
            None => None,
        },
        // Either way its gift is made once, by its id.
        Earlier::Claimed(row) => {
            let mut claimed = Payment { has_amount: true, ..addition(row.gift().unwrap_or_default()) };
            match accept_payment(cx, event, &mut claimed).await? {
                Accepted::Gift { record, .. } => {
                    Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, true).await?)
                }
                Accepted::Staged { .. } => return Err(Error::raced()),
                Accepted::Gone { .. } => return Ok(()),
            }
        }
        Earlier::Nothing if !payment.has_amount && !cx.state.settings.staging => {
            return staged::keep_as_question(cx, &payment, None).await;
        }
        Earlier::Nothing => accept_first(cx, provider, event, &mut payment).await?,
    };
    let mut record = record;
    // Whoever ties the agreement to its subscription meanwhile does so first and looks for gifts second.
    if payment.gift.recurring_agreement_id.is_none() {
        join_agreement(cx, provider, &mut payment).await?;
        if payment.gift.recurring_agreement_id.is_some() {
            record = match record {
                Some(record) => Some(add_to_gift(cx, record, &payment.gift, false, true).await?),
                None => add_to_row(cx, provider, &payment).await?,
            };
        }
    }
    let Some(record) = record else { return merge_duplicates(cx, provider, &ids).await };
    let record = payment_facts::settle(cx, provider, &ids, &record).await?;
    // A reviewer may have said which agreement it is of.
    let named = payment.gift.recurring_agreement_id.as_deref();
    if let Some(agreement) = named.or_else(|| record.get("recurringAgreementId").and_then(Value::as_str)) {
        agreements::apply(cx, agreement, AgreementEvent::Paid { at: payment.at }).await?;
    }
    Ok(())
}

/// Takes in a payment of which nothing was there; a concurrent event may have been first all the same
async fn accept_first(
    cx: &RequestContext<'_>,
    provider: Provider,
    event: &str,
    payment: &mut Payment,
) -> Result<Option<Value>, Error> {
    match accept_payment(cx, event, payment).await {
        // A concurrent event may have staged what this one made a gift of.
        Ok(Accepted::Gift { record, repeated, .. }) => {
            add_to_gift(cx, record, &payment.gift, payment.tells_method, repeated).await.map(Some)
        }
        // What failed is tried once more: its gift may be there, and only the answer was lost.
        Ok(Accepted::Staged { row, repeated, error, .. }) if repeated || error.is_some() => {
            match staged::complete_row(cx, payment, row, true).await? {
                Some(record) => add_to_gift(cx, record, &payment.gift, payment.tells_method, false).await.map(Some),
                None => Ok(None),
            }
        }
        Ok(Accepted::Staged { .. } | Accepted::Gone { .. }) => Ok(None),
        Err(failure) => match failure.kind() {
            // The payment was made, whatever cannot be true of it.
            ErrorKind::Client(refusal) if refusal.status == Status::BadRequest && !cx.state.settings.staging => {
                staged::keep_as_question(cx, payment, Some(refusal)).await.map(|()| None)
            }
            // The gift is there with another amount: staff corrected it, or another event told it otherwise.
            ErrorKind::Client(refusal) if refusal.status == Status::Conflict && !refusal.fields.is_empty() => {
                let known = payment_facts::known(cx, provider, std::slice::from_ref(&payment.key)).await?;
                let gifts = payment_facts::gifts(cx, provider, &known).await?;
                Ok(gifts.into_iter().next().filter(|gift| !store::is_deleted(gift)))
            }
            _ => Err(failure),
        },
    }
}

/// Fills what the staged gift of a payment does not say; its gift, if it becomes one
async fn add_to_row(cx: &RequestContext<'_>, provider: Provider, payment: &Payment) -> Result<Option<Value>, Error> {
    let known = payment_facts::known(cx, provider, std::slice::from_ref(&payment.key)).await?;
    match known.rows.into_iter().next() {
        Some(row) => staged::complete_row(cx, &addition(payment.gift.clone()), row, false).await,
        None => Ok(None),
    }
}

/// Fills what a gift does not say, and lets follow what follows from it
async fn add_to_gift(
    cx: &RequestContext<'_>,
    record: Value,
    told: &Gift,
    tells_method: bool,
    repeated: bool,
) -> Result<Value, Error> {
    let before = record.clone();
    let record = complete::gift(cx, record, told, tells_method).await?;
    if record != before || (repeated && told.recurring_agreement_id.is_some()) {
        let gift = record.as_object().map(stored::read_any).unwrap_or_default();
        let paid_on = gift.gift_date.as_deref().and_then(parse_date);
        let is_described = told.donor_id.is_none();
        after_posting::run(cx, &gift, &record, paid_on, MissingAgreement::Skip, is_described).await;
    }
    Ok(record)
}

/// Whether a staged gift waits: it is none yet, and nobody makes one of it
fn is_open(row: &StagedGift) -> bool {
    !matches!(row.state(), State::Processing | State::Processed | State::Cancelled) && row.text("giftId").is_none()
}

/// Fills what a gift does not say with what staged gifts of the same payment say that wait under its other ids
async fn add_rows_to_gift(cx: &RequestContext<'_>, record: Value, rows: &[StagedGift]) -> Result<Value, Error> {
    let mut record = record;
    for row in rows.iter().filter(|row| is_open(row)) {
        let kind = |id: Option<&str>| id.map(IdKind::of);
        let own = kind(record.get("providerPaymentId").and_then(Value::as_str));
        // A payment knows its way better than the invoice that it pays.
        let tells_method = own == Some(IdKind::Invoice) && kind(row.text("providerPaymentId")) == Some(IdKind::Payment);
        record = add_to_gift(cx, record, &row.gift().unwrap_or_default(), tells_method, false).await?;
    }
    Ok(record)
}

/// Several ids of one payment, told by an event that tells nothing else
async fn link_payment_ids(cx: &RequestContext<'_>, provider: Provider, ids: &[String]) -> Result<(), Error> {
    payment_facts::link(cx, provider, ids, true).await?;
    merge_duplicates(cx, provider, ids).await
}

/// Makes one of the gifts of a payment, or of its staged gifts where none is a gift yet
async fn merge_duplicates(cx: &RequestContext<'_>, provider: Provider, ids: &[String]) -> Result<(), Error> {
    let known = payment_facts::known(cx, provider, ids).await?;
    if known.is_alone() {
        return Ok(());
    }
    let gift = payment_facts::gifts(cx, provider, &known).await?.into_iter().next();
    if let Some(gift) = gift.filter(|gift| !store::is_deleted(gift)) {
        let gift = add_rows_to_gift(cx, gift, &known.rows).await?;
        return payment_facts::settle(cx, provider, ids, &gift).await.map(drop);
    }
    let mut rows: Vec<_> =
        known.rows.iter().filter(|row| is_open(row)).map(|row| (known.kind_of_row(provider, row), row)).collect();
    few::sort(&mut rows, |(kind, row)| (*kind, row.id().to_owned()));
    let Some(((kind, kept), others)) = rows.split_first() else { return Ok(()) };
    let mut made = None;
    // Parts of one invoice are payments of their own.
    for (_, other) in others.iter().filter(|(other, _)| other != kind) {
        // A payment knows its way better than the invoice that it pays.
        let tells_method = *kind == Some(IdKind::Invoice);
        let told = Payment { tells_method, ..addition(other.gift().unwrap_or_default()) };
        made = staged::complete_row(cx, &told, (*kept).clone(), false).await?.or(made);
        let mut body = Map::new();
        body.insert("processingStatus".into(), State::Cancelled.as_str().into());
        let message = format!("another staged gift is of the same payment: {}", kept.id());
        body.insert("errorDetail".into(), store::error_detail("same_payment", &message, cx.now()));
        let change = Change { body, action: "merged", particulars: json!({ "into": kept.id() }), condition: None };
        if let Written::Raced = store::write(cx, other, change).await? {
            return Err(Error::raced());
        }
    }
    match made {
        Some(record) => payment_facts::settle(cx, provider, ids, &record).await.map(drop),
        None => Ok(()),
    }
}

/// What is said of a payment beside that it was made
fn addition(gift: Gift) -> Payment {
    Payment {
        key: String::new(),
        at: 0,
        gift: Gift { auto_process: Some(true), ..gift },
        has_amount: false,
        agreement: Vec::new(),
        also: Vec::new(),
        tells_method: false,
    }
}

/// Ties gifts and staged gifts to an agreement that were told before it was known whose subscription or mandate it is
async fn claim_gifts(cx: &RequestContext<'_>, provider: Provider, claim: &Claim) -> Result<(), Error> {
    let references = claim.references.iter().filter_map(|reference| reference.parse().ok());
    let theirs: Vec<Filter> = references.map(|text| Filter::TextIs("providerAgreementId".into(), text)).collect();
    if theirs.is_empty() {
        return Ok(());
    }
    let told = Gift {
        recurring_agreement_id: Some(claim.agreement.clone()),
        recurring_status: Some("active".into()),
        donor_id: claim.donor.clone(),
        ..Gift::default()
    };
    let untied = || Filter::Empty("recurringAgreementId".into());
    let filter = Filter::And(vec![Filter::Or(theirs), untied()]);
    let mut tied = Vec::new();
    for gift in store::list(cx, store::GIFT.plural, &filter, 60, None).await? {
        tied.push(add_to_gift(cx, gift, &told, false, true).await?);
    }
    if cx.state.settings.staging {
        let open = [State::Pending, State::ReadyForProcess, State::ProcessFailed, State::DedupeReview];
        let open = Filter::one_of("processingStatus", open.map(State::as_str))?;
        let source = Filter::one_of("provider", [provider.as_str()])?;
        let told = addition(told);
        for row in store::list(cx, store::ROW.plural, &Filter::And(vec![source, untied(), open]), 200, None).await? {
            let row = StagedGift::new(row);
            let context = row.get("providerContext").cloned().unwrap_or_default();
            let is_theirs = ["subscriptionId", "mandateId"].iter().any(|key| {
                context.get(*key).and_then(Value::as_str).is_some_and(|id| claim.references.iter().any(|own| own == id))
            }) || row
                .gift()
                .is_ok_and(|gift| gift.provider_agreement_id.is_some_and(|id| claim.references.contains(&id)));
            if is_theirs && let Some(record) = staged::complete_row(cx, &told, row, false).await? {
                let payment = record.get("providerPaymentId").and_then(Value::as_str).map(str::to_owned);
                tied.push(payment_facts::settle(cx, provider, payment.as_slice(), &record).await?);
            }
        }
    }
    for gift in tied {
        let day =
            gift.get("giftDate").and_then(Value::as_str).and_then(|day| Timestamp::parse(&format!("{day}T00:00:00Z")));
        if let Some(day) = day {
            agreements::apply(cx, &claim.agreement, AgreementEvent::Paid { at: day.as_millis() }).await?;
        }
    }
    Ok(())
}

/// A row for money that has not come yet; where gifts are not staged, the money will say all there is to say
async fn expected(
    cx: &RequestContext<'_>,
    provider: Provider,
    event: &str,
    mut payment: Payment,
    awaits: bool,
) -> Result<(), Error> {
    if !cx.state.settings.staging {
        return Ok(());
    }
    join_agreement(cx, provider, &mut payment).await?;
    payment.gift.auto_process = Some(false);
    if let (true, Some(Value::Object(context))) = (awaits, &mut payment.gift.provider_context) {
        context.insert("awaitsPayment".into(), true.into());
    }
    accept_payment(cx, event, &mut payment).await?;
    // Kept first, looked up second, as what went back is: its failure may have been told before it.
    let known = payment_facts::known(cx, provider, &payment.ids()).await?;
    let is_over = |fact: &PaymentFact| matches!(fact.kind, Kind::Failed | Kind::Declined) && fact.at >= payment.at;
    if awaits && known.facts().facts().iter().any(is_over) {
        let failed = Failed { payment: payment.key, reason: "the payment failed".into(), ..Failed::default() };
        staged::fail_row(cx, provider, &failed).await?;
    }
    Ok(())
}

/// A subscription that names no agreement: known by now under its own id, or a row for a reviewer
async fn unassigned(cx: &RequestContext<'_>, provider: Provider, event: &str, payment: Payment) -> Result<(), Error> {
    if agreements::find(cx, provider, &payment.agreement).await?.is_empty() {
        expected(cx, provider, event, payment, false).await
    } else {
        Ok(())
    }
}

async fn apply_failure(cx: &RequestContext<'_>, provider: Provider, failed: &Failed) -> Result<(), Error> {
    // Where nothing is staged, what is to come is not told either.
    if let Some(kind) = failed.kept_as.filter(|kind| *kind == Kind::Failed || cx.state.settings.staging) {
        let fact = PaymentFact { kind, id: String::new(), at: failed.at, holds: true, money: None };
        apply_return(cx, provider, &Returned { payment: vec![failed.payment.clone()], fact }).await?;
    }
    staged::fail_row(cx, provider, failed).await?;
    let event = AgreementEvent::Failed { attempt: &failed.attempt, at: cx.instant_or_now(failed.at) };
    if let Some(id) = &failed.agreement_id {
        return agreements::apply(cx, id, event).await;
    }
    for agreement in agreements::find(cx, provider, &failed.agreement).await? {
        if let Some(id) = agreement.get("id").and_then(Value::as_str) {
            agreements::apply(cx, id, event).await?;
        }
    }
    Ok(())
}

async fn apply_return(cx: &RequestContext<'_>, provider: Provider, returned: &Returned) -> Result<(), Error> {
    let ids = &returned.payment;
    let Some(named) = ids.first() else { return Ok(()) };
    // A charge is kept with its payment, once that is known.
    let of_payment = |ids: &[String]| ids.iter().find(|id| IdKind::of(id) != IdKind::Charge).cloned();
    let payment = match of_payment(ids) {
        Some(payment) => payment,
        None => of_payment(payment_facts::known(cx, provider, ids).await?.ids()).unwrap_or_else(|| named.clone()),
    };
    let mut fact = returned.fact.clone();
    // The money went back, whatever the day; which day it was is for a reviewer to say.
    let question = plausible::refunded_at(fact.at, cx.now()).err();
    if question.is_some() {
        fact.at = 0;
    }
    let question = question.or_else(|| {
        let is_lacking = fact.lacks_an_amount();
        is_lacking.then(|| ClientError::bad("refundedAmount cannot be read from what the provider tells"))
    });
    payment_facts::keep(cx, provider, &payment, &fact, question.as_ref()).await?;
    // Noted first, looked up second: whoever makes the gift meanwhile makes it first and reads the note second.
    let mut known = payment_facts::known(cx, provider, ids).await?;
    if let Some(of) = of_payment(known.ids()).filter(|of| *of != payment) {
        // The charge's payment became known meanwhile: it must lead to what is kept of the charge.
        payment_facts::name(cx, provider, &of, &payment).await?;
        known = payment_facts::known(cx, provider, ids).await?;
    }
    let gift = payment_facts::gifts(cx, provider, &known).await?.into_iter().next();
    if let Some(record) = gift.filter(|gift| !store::is_deleted(gift)) {
        return payment_facts::settle(cx, provider, ids, &record).await.map(drop);
    }
    cx.log(Level::Info, "refund_kept", &[("provider", provider.as_str().into())]);
    Ok(())
}
