//! Staged gifts of payments: filled by further events, put in question, and failed.

use serde_json::{Map, Value, json};

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::donor::{self, DonorPolicy};
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, Written};
use crate::intake::{columns, complete, promote};
use fundraising::client_error::ClientError;
use fundraising::gift::{awaits_payment, stored};
use fundraising::keys::Key;
use fundraising::provider::{Failure as Failed, Payment, Provider};
use fundraising::receipt::Receipt;
use fundraising::staging::State;
use fundraising::trust::{Diagnostics, may_auto_process};

/// Warnings of a row whose donor could not be looked up, or that Twenty refused
const DONOR_FAILURES: [&str; 2] = ["donor_lookup_failed", "donor_refused"];
/// Code and action of a row whose money does not come
const PAYMENT_FAILED: &str = "payment_failed";
/// Warnings of a donor's history
const DOUBTS: [&str; 3] = ["possible_duplicate", "amount_unusual", "history_unavailable"];

/// A row that waited for its money, or for what another event says of it: it goes the way that it would have gone had
/// all been told at once
pub(super) async fn complete_row(
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
        let mut failure = DONOR_FAILURES.into_iter().find(|one| gift.donor_id.is_none() && found.contains(one));
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
        // What tells no payer leaves a staged gift that names one as it was meant.
        let is_held = payment.gift.auto_process == Some(false);
        let is_named = gift.donor_id.is_some() || gift.donor_first_name.is_some();
        let wanted = if waits { !is_held || is_named } else { !is_held && was_blocked && doubts.count() == 0 };
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
    Ok(store::find(cx, store::GIFT.plural, gift).await?.filter(|record| !store::is_deleted(record)))
}

/// A payment that is a question where gifts are not staged: it is staged all the same, and a gift with a note where the
/// workspace has no staging at all
pub(super) async fn keep_as_question(
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
        store::fail_validation(cx, &mut body, store::IMPLAUSIBLE, &refusal.message);
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

/// Notes on a row that waits that its money does not come
pub(super) async fn fail_row(cx: &RequestContext<'_>, provider: Provider, failed: &Failed) -> Result<(), Error> {
    change_row(cx, provider, &failed.payment, |row| {
        if row.state() != State::Pending || !awaits_payment(row.get("providerContext")) {
            return None;
        }
        let mut body = Map::new();
        store::fail_validation(cx, &mut body, PAYMENT_FAILED, &failed.reason);
        Some((body, PAYMENT_FAILED))
    })
    .await
}

/// Changes the row of a payment, if there is one and it wants to be changed: a body, and the action's name
pub(super) async fn change_row(
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
        let Some(record) = store::find(cx, store::ROW.plural, &id).await? else { return Ok(()) };
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
