//! Carries out what a payment provider's event says.
//!
//! A provider is answered with success only once its event was done or kept, and comes again otherwise; so every step
//! may be carried out again, by two processes at once, and in another order. This is the one place where a durable queue
//! would stand: between the checked event and [`steps`].

mod agreements;

use ports::time::parse_date;
use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::filter::Filter;
use twenty::target::Target;

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::intake::after_posting::{self, MissingAgreement};
use crate::intake::donor::{self, DonorPolicy};
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, Written};
use crate::intake::{Accepted, Channel, Origin, accept, columns, complete, promote};
use crate::payment_facts::{self, Known};
use crate::payout_amounts::{self, PAYOUT};
use agreements::Claim;
use fundraising::agreement_status::AgreementEvent;
use fundraising::client_error::{ClientError, Status};
use fundraising::gift::{Gift, awaits_payment, stored};
use fundraising::keys::Key;
use fundraising::money::Money;
use fundraising::payload::Payload;
use fundraising::provider::{
    Failure as Failed, IdKind, Kind, Payment, PaymentFact, Payout, PayoutState, Provider, Returned, Step,
};
use fundraising::receipt::Receipt;
use fundraising::staging::State;
use fundraising::trust::{Diagnostics, may_auto_process};

/// Warning on a row whose donor could not be looked up
const UNASKED: &str = "donor_lookup_failed";
/// Warnings of a donor's history
const DOUBTS: [&str; 3] = ["possible_duplicate", "amount_unusual", "history_unavailable"];

/// Carries out all steps of one event
///
/// # Errors
/// The first that could neither be done nor kept.
pub async fn steps(cx: &RequestContext<'_>, provider: Provider, event: &str, steps: Vec<Step>) -> Result<(), Error> {
    for step in steps {
        match step {
            Step::Paid(payment) => paid(cx, provider, event, *payment).await?,
            Step::Expected(payment) => expected(cx, provider, event, *payment, true).await?,
            Step::Unassigned(payment) => unassigned(cx, provider, event, *payment).await?,
            Step::Failed(failed) => failure(cx, provider, &failed).await?,
            Step::Returned(returned) => back(cx, provider, &returned).await?,
            Step::Settled { invoice, payment } => settled(cx, provider, &[invoice, payment]).await?,
            Step::SetUp(set_up) => {
                if let Some(claim) = agreements::set_up(cx, provider, *set_up).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            Step::StatusReported(report) => {
                if let Some(claim) = agreements::report_status(cx, provider, report).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            Step::MandateReplaced { old, new, at } => {
                for claim in agreements::replace_mandate(cx, provider, &old, &new, at).await? {
                    claim_gifts(cx, provider, &claim).await?;
                }
            }
            Step::Payout(payout) => drop(self::payout(cx, &payout).await?),
            Step::PaidOut { payment, payout } => paid_out(cx, provider, &payment, payout).await?,
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
    let record = match earlier(cx, provider, &payment, &known).await? {
        Earlier::Gone => return Ok(()),
        Earlier::Gift(record) => Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, true).await?),
        Earlier::StagedGift(row) => match arrived(cx, &payment, row, true).await? {
            Some(record) => Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, false).await?),
            None => None,
        },
        // Either way its gift is made once, by its id.
        Earlier::Claimed(row) => {
            let claimed = Payment { has_amount: true, ..addition(row.gift().unwrap_or_default()) };
            match take_in(cx, event, &claimed).await? {
                Accepted::Gift { record, .. } => {
                    Some(add_to_gift(cx, record, &payment.gift, payment.tells_method, true).await?)
                }
                Accepted::Staged { .. } => return Err(Error::raced()),
                Accepted::Gone { .. } => return Ok(()),
            }
        }
        Earlier::Nothing if !payment.has_amount && !cx.state.settings.staging => {
            return keep_as_question(cx, &payment, None).await;
        }
        Earlier::Nothing => first_told(cx, provider, event, &payment).await?,
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
    let Some(record) = record else { return regroup(cx, provider, &ids).await };
    let record = payment_facts::settle(cx, provider, &ids, &record).await?;
    // A reviewer may have said which agreement it is of.
    let named = payment.gift.recurring_agreement_id.as_deref();
    if let Some(agreement) = named.or_else(|| record.get("recurringAgreementId").and_then(Value::as_str)) {
        agreements::apply(cx, agreement, AgreementEvent::Paid { at: payment.at }).await?;
    }
    Ok(())
}

/// Takes in a payment of which nothing was there; a concurrent event may have been first all the same
async fn first_told(
    cx: &RequestContext<'_>,
    provider: Provider,
    event: &str,
    payment: &Payment,
) -> Result<Option<Value>, Error> {
    match take_in(cx, event, payment).await {
        // A concurrent event may have staged what this one made a gift of.
        Ok(Accepted::Gift { record, repeated, .. }) => {
            add_to_gift(cx, record, &payment.gift, payment.tells_method, repeated).await.map(Some)
        }
        // What failed is tried once more: its gift may be there, and only the answer was lost.
        Ok(Accepted::Staged { row, repeated, error, .. }) if repeated || error.is_some() => {
            match arrived(cx, payment, row, true).await? {
                Some(record) => add_to_gift(cx, record, &payment.gift, payment.tells_method, false).await.map(Some),
                None => Ok(None),
            }
        }
        Ok(Accepted::Staged { .. } | Accepted::Gone { .. }) => Ok(None),
        Err(failure) => match failure.kind() {
            // The payment was made, whatever cannot be true of it.
            ErrorKind::Client(refusal) if refusal.status == Status::BadRequest && !cx.state.settings.staging => {
                keep_as_question(cx, payment, Some(refusal)).await.map(|()| None)
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
        Some(row) => arrived(cx, &addition(payment.gift.clone()), row, false).await,
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

/// Several ids of one payment, told by an event that tells nothing else
async fn settled(cx: &RequestContext<'_>, provider: Provider, ids: &[String]) -> Result<(), Error> {
    payment_facts::link(cx, provider, ids, true).await?;
    regroup(cx, provider, ids).await
}

/// Makes one of the gifts of a payment, or of its staged gifts where none is a gift yet
async fn regroup(cx: &RequestContext<'_>, provider: Provider, ids: &[String]) -> Result<(), Error> {
    let known = payment_facts::known(cx, provider, ids).await?;
    if known.is_alone() {
        return Ok(());
    }
    let gift = payment_facts::gifts(cx, provider, &known).await?.into_iter().next();
    if let Some(gift) = gift.filter(|gift| !store::is_deleted(gift)) {
        return payment_facts::settle(cx, provider, ids, &gift).await.map(drop);
    }
    let is_open = |row: &StagedGift| {
        !matches!(row.state(), State::Processing | State::Processed | State::Cancelled) && row.text("giftId").is_none()
    };
    let mut rows: Vec<_> =
        known.rows.iter().filter(|row| is_open(row)).map(|row| (known.kind_of_row(provider, row), row)).collect();
    rows.sort_by_key(|(kind, row)| (*kind, row.id()));
    let Some(((kind, kept), others)) = rows.split_first() else { return Ok(()) };
    let mut made = None;
    // Parts of one invoice are payments of their own.
    for (_, other) in others.iter().filter(|(other, _)| other != kind) {
        let told = addition(other.gift().unwrap_or_default());
        made = arrived(cx, &told, (*kept).clone(), false).await?.or(made);
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
            if is_theirs && let Some(record) = arrived(cx, &told, row, false).await? {
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

/// A row that waited for its money, or for what another event says of it: it goes the way that it would have gone had
/// all been told at once
async fn arrived(
    cx: &RequestContext<'_>,
    payment: &Payment,
    row: StagedGift,
    is_paid: bool,
) -> Result<Option<Value>, Error> {
    let mut row = row;
    for _ in 0..4 {
        let payload = row.payload().unwrap_or_else(|_| row.rebuilt());
        let kept = row.gift().unwrap_or_default();
        let waits = kept.awaits_payment() || awaits_payment(row.get("providerContext")) || !kept.has_amount();
        let waits = waits && is_paid && payment.has_amount;
        let news = complete::missing(&payload, &payment.gift, payment.tells_method);
        let is_open = !matches!(row.state(), State::Processing | State::Processed | State::Cancelled);
        if !is_open || (!waits && news.is_empty()) {
            break;
        }
        let mut body = columns::columns(&news);
        let mut changed = payload.clone();
        changed.extend(news.clone());
        let mut gift = stored::read_any(&changed);
        let mut dedupe = row.dedupe();
        if waits {
            gift.amount = payment.gift.amount.clone();
            gift.provider_context.clone_from(&payment.gift.provider_context);
            body.insert("amount".into(), gift.amount.to_json());
            body.insert("giftDate".into(), payment.gift.gift_date.as_deref().into());
            let context = payment.gift.provider_context.clone().unwrap_or_else(|| Value::Object(Map::new()));
            body.insert("providerContext".into(), context);
        }
        gift.auto_process = Some(true);
        // What a check or a reviewer found in doubt is for a reviewer to say.
        let found = row.get("processingDiagnostics").and_then(|found| found.get("processingWarnings"));
        let found: Vec<&str> =
            found.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut failure = Some(UNASKED).filter(|unasked| gift.donor_id.is_none() && found.contains(unasked));
        let mut is_open_question = false;
        if news.contains_key("donorFirstName") && gift.donor_id.is_none() {
            let key = Key::of_staged_gift(&row.kept_gift(), row.id());
            let resolved = donor::resolve(cx, &mut gift, &key, DonorPolicy::ReviewPayment).await?;
            failure = resolved.failure;
            is_open_question = resolved.is_open;
            if let Some(donor) = &gift.donor_id {
                body.insert("donorId".into(), donor.as_str().into());
            }
            if let Some(found) = &resolved.dedupe {
                changed.insert("dedupeDiagnostics".into(), found.to_json());
                body.insert("dedupeStatus".into(), found.match_type.dedupe_status().into());
            }
            dedupe = resolved.dedupe;
        }
        let was_blocked = !Diagnostics::of(&kept, row.dedupe().as_ref()).is_eligible();
        let mut diagnostics = Diagnostics::of(&gift, dedupe.as_ref());
        diagnostics.warnings.extend(failure);
        let doubts = DOUBTS.into_iter().filter(|doubt| found.contains(doubt));
        diagnostics.warnings.extend(doubts.clone());
        let wanted = payment.gift.auto_process != Some(false) && (waits || (was_blocked && doubts.count() == 0));
        let is_sure = failure.is_none() && !is_open_question;
        let itself = wanted && is_sure && may_auto_process(&gift, &diagnostics, dedupe.as_ref(), false);
        let state = match row.state() {
            State::Pending | State::ValidationFailed if waits && !itself => State::Pending,
            // Whose it is, and whether it is there already, is still for a reviewer to say.
            doubted @ (State::DedupeReview | State::DuplicateBlocked) => doubted,
            same if !waits && (same != State::Pending || !itself) => same,
            // It goes by itself, or a reviewer let it go before the money was there.
            _ => State::ReadyForProcess,
        };
        body.insert("processingStatus".into(), state.as_str().into());
        if waits || state != row.state() {
            body.insert("validationStatus".into(), "pending".into());
            body.insert("errorDetail".into(), Value::Null);
        }
        body.insert("processingDiagnostics".into(), diagnostics.to_json());
        for key in ["amount", "giftDate", "providerContext", "donorId"] {
            if let Some(value) = body.get(key) {
                changed.insert(key.into(), value.clone());
            }
        }
        body.insert("rawPayload".into(), Value::Object(changed).to_string().into());
        let action = if waits { "payment_arrived" } else { "completed" };
        let change = Change { body, action, particulars: json!({ "to": state.as_str() }), condition: None };
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
    let Some(gift) = row.text("giftId") else {
        let payload = row.payload().unwrap_or_default();
        let is_open = row.state() == State::Processing;
        // Another worker makes the gift of what the row said before: the event comes again.
        if is_open && !complete::missing(&payload, &payment.gift, payment.tells_method).is_empty() {
            return Err(Error::raced());
        }
        return Ok(None);
    };
    Ok(store::find(cx, "gifts", gift).await?.filter(|record| !store::is_deleted(record)))
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
    take_in(cx, event, &payment).await.map(drop)
}

/// A subscription that names no agreement: known by now under its own id, or a row for a reviewer
async fn unassigned(cx: &RequestContext<'_>, provider: Provider, event: &str, payment: Payment) -> Result<(), Error> {
    if agreements::find(cx, provider, &payment.agreement).await?.is_empty() {
        expected(cx, provider, event, payment, false).await
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
        back(cx, provider, &Returned { payment: vec![failed.payment.clone()], fact }).await?;
    }
    fail_row(cx, provider, failed).await?;
    let event = AgreementEvent::Failed { attempt: &failed.attempt, at: failed.at };
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
    let ids = &returned.payment;
    let Some(named) = ids.first() else { return Ok(()) };
    // A charge is kept with its payment, once that is known.
    let of_payment = |ids: &[String]| ids.iter().find(|id| IdKind::of(id) != IdKind::Charge).cloned();
    let payment = match of_payment(ids) {
        Some(payment) => payment,
        None => of_payment(payment_facts::known(cx, provider, ids).await?.ids()).unwrap_or_else(|| named.clone()),
    };
    payment_facts::keep(cx, provider, &payment, &returned.fact).await?;
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

/// Records a payout; its id, unless somebody deleted it
async fn payout(cx: &RequestContext<'_>, payout: &Payout) -> Result<Option<String>, Error> {
    let key = Key::External { source: format!("{} payout", payout.provider.as_str()), id: payout.id.clone() };
    let id = key.gift_id().to_string();
    let mut facts = Map::new();
    if let Some(net) = &payout.net {
        facts.insert("depositNetAmount".into(), net.to_json());
        if let Some(fee) = &payout.fee {
            facts.insert("depositFeeAmount".into(), fee.to_json());
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
    match store::make(cx, PAYOUT, body).await? {
        // What staff made of it since (its status, its reconciliation) stays.
        store::Made::Repeat(_) if payout.state != PayoutState::Announced || payout.net.is_some() => {
            cx.call(Target::update(PAYOUT.plural, key.gift_id().into()), Some(facts.into())).await?;
        }
        store::Made::New(_) | store::Made::Repeat(_) => {}
        store::Made::Gone => return Ok(None),
    }
    if payout.net.is_some() {
        payout_amounts::update(cx, key.gift_id().into()).await?;
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
    let known = payment_facts::known(cx, provider, &[payment.to_owned()]).await?;
    let gift = payment_facts::gifts(cx, provider, &known).await?.into_iter().next();
    if let Some(gift) = gift.filter(|gift| !store::is_deleted(gift)) {
        let linked = gift.get("giftPayoutId").and_then(Value::as_str);
        let Some(id) = self::payout(cx, &announced).await? else { return Ok(()) };
        if let (None, Some(gift)) = (linked, gift.get("id").and_then(Value::as_str)) {
            let gift = Target::update(store::GIFT.plural, store::id_of(gift)?);
            cx.call(gift, Some(json!({ "giftPayoutId": id }))).await?;
        }
        if linked.is_none_or(|linked| linked == id) {
            payout_amounts::update(cx, store::id_of(&id)?).await?;
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
