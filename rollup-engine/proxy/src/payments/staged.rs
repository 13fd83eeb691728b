//! Staged gifts of payments: filled by further events, put in question, and failed.

use serde_json::{Map, Value, json};

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::donor::{self, DonorPolicy};
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, Written};
use crate::intake::{columns, complete, promote};
use fundraising::client_error::ClientError;
use fundraising::donor::Dedupe;
use fundraising::gift::{Gift, awaits_payment, stored};
use fundraising::keys::Key;
use fundraising::provider::{Failure as Failed, Payment, Provider};
use fundraising::receipt::Receipt;
use fundraising::staging::State;
use fundraising::trust::{Diagnostics, may_auto_process};

/// How often a row is read anew because somebody else was at it
const TRIES: u32 = 4;
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
    for _ in 0..TRIES {
        let payload = row.payload().unwrap_or_else(|_| row.rebuilt());
        let kept = row.gift().unwrap_or_default();
        let waits = kept.awaits_payment() || awaits_payment(row.get("providerContext")) || !kept.has_amount();
        let is_arrival = waits && is_paid && payment.has_amount;
        let news = complete::missing(&payload, &payment.gift, payment.tells_method);
        let is_open = !matches!(row.state(), State::Processing | State::Processed | State::Cancelled);
        if !is_open || (!is_arrival && news.is_empty()) {
            break;
        }
        let change = Completion::new(payment, &row, payload, news, is_arrival).change(cx, &kept).await?;
        match store::write(cx, &row, change).await? {
            Written::StagedGift(written) => row = written,
            Written::Raced => row = store::reread(cx, &row).await?,
        }
    }
    promoted(cx, payment, row).await
}

/// What an event adds to a row
struct Completion<'a> {
    payment: &'a Payment,
    row: &'a StagedGift,
    /// Whether it is the money that the row waited for
    is_arrival: bool,
    /// Whether it says who gave, which the row did not
    names_payer: bool,
    /// What is written
    body: Map<String, Value>,
    /// The payload that is written
    payload: Map<String, Value>,
    /// The gift that the row would become
    gift: Gift,
    /// What was found about its donor
    dedupe: Option<Dedupe>,
    /// Why the donor could not be looked up, or was refused
    failure: Option<&'static str>,
    /// Whether a reviewer is asked who gave
    is_open_question: bool,
}

impl<'a> Completion<'a> {
    fn new(
        payment: &'a Payment,
        row: &'a StagedGift,
        payload: Map<String, Value>,
        news: Map<String, Value>,
        is_arrival: bool,
    ) -> Self {
        let mut body = columns::columns(&news);
        let mut payload = payload;
        let names_payer = news.contains_key("donorFirstName");
        payload.extend(news);
        let mut gift = stored::read_any(&payload);
        if is_arrival {
            gift.amount = payment.gift.amount.clone();
            gift.provider_context.clone_from(&payment.gift.provider_context);
            body.insert("amount".into(), gift.amount.to_json());
            body.insert("giftDate".into(), payment.gift.gift_date.as_deref().into());
            let context = payment.gift.provider_context.clone().unwrap_or_else(|| Value::Object(Map::new()));
            body.insert("providerContext".into(), context);
        }
        gift.auto_process = Some(true);
        let found = warnings(row);
        let failure = DONOR_FAILURES.into_iter().find(|one| gift.donor_id.is_none() && found.contains(one));
        let dedupe = row.dedupe();
        Self { payment, row, is_arrival, names_payer, body, payload, gift, dedupe, failure, is_open_question: false }
    }

    /// The write that it comes to; `kept` is the gift as the row had it
    async fn change(mut self, cx: &RequestContext<'_>, kept: &Gift) -> Result<Change, Error> {
        self.find_donor(cx).await?;
        let was_blocked = !Diagnostics::of(kept, self.row.dedupe().as_ref()).is_eligible();
        let found = warnings(self.row);
        // What a check or a reviewer found in doubt is for a reviewer to say.
        let doubts = DOUBTS.into_iter().filter(|doubt| found.contains(doubt));
        let mut diagnostics = Diagnostics::of(&self.gift, self.dedupe.as_ref());
        diagnostics.warnings.extend(self.failure);
        diagnostics.warnings.extend(doubts.clone());
        let state = self.next_state(&diagnostics, was_blocked && doubts.count() == 0);
        Ok(self.write(state, &diagnostics))
    }

    /// Looks for the donor whom the event names
    async fn find_donor(&mut self, cx: &RequestContext<'_>) -> Result<(), Error> {
        if !self.names_payer || self.gift.donor_id.is_some() {
            return Ok(());
        }
        let key = Key::of_staged_gift(&self.row.kept_gift(), self.row.id());
        let resolved = donor::resolve(cx, &mut self.gift, &key, DonorPolicy::ReviewPayment).await?;
        self.failure = resolved.failure;
        self.is_open_question = resolved.is_open;
        if let Some(donor) = &self.gift.donor_id {
            self.body.insert("donorId".into(), donor.as_str().into());
        }
        if let Some(found) = &resolved.dedupe {
            self.payload.insert("dedupeDiagnostics".into(), found.to_json());
            self.body.insert("dedupeStatus".into(), found.match_type.dedupe_status().into());
        }
        self.dedupe = resolved.dedupe;
        Ok(())
    }

    /// Where the row goes; `was_held_by_gaps` if nothing but what was missing kept it
    fn next_state(&self, diagnostics: &Diagnostics, was_held_by_gaps: bool) -> State {
        // What tells no payer leaves a staged gift that names one as it was meant.
        let is_held = self.payment.gift.auto_process == Some(false);
        let is_named = self.gift.donor_id.is_some() || self.gift.donor_first_name.is_some();
        let is_wanted = if self.is_arrival { !is_held || is_named } else { !is_held && was_held_by_gaps };
        let is_sure = self.failure.is_none() && !self.is_open_question;
        let itself = is_wanted && is_sure && may_auto_process(&self.gift, diagnostics, self.dedupe.as_ref(), false);
        match self.row.state() {
            State::Pending | State::ValidationFailed if self.is_arrival && !itself => State::Pending,
            // Whose it is, and whether it is there already, is still for a reviewer to say.
            doubted @ (State::DedupeReview | State::DuplicateBlocked) => doubted,
            same if !self.is_arrival && (same != State::Pending || !itself) => same,
            // It goes by itself, or a reviewer let it go before the money was there.
            _ => State::ReadyForProcess,
        }
    }

    fn write(self, state: State, diagnostics: &Diagnostics) -> Change {
        let Self { mut body, mut payload, .. } = self;
        body.insert("processingStatus".into(), state.as_str().into());
        if self.is_arrival || state != self.row.state() {
            body.insert("validationStatus".into(), "pending".into());
            body.insert("errorDetail".into(), Value::Null);
        }
        body.insert("processingDiagnostics".into(), diagnostics.to_json());
        for key in ["amount", "giftDate", "providerContext", "donorId"] {
            if let Some(value) = body.get(key) {
                payload.insert(key.into(), value.clone());
            }
        }
        body.insert("rawPayload".into(), Value::Object(payload).to_string().into());
        let action = if self.is_arrival { "payment_arrived" } else { "completed" };
        Change { body, action, particulars: json!({ "to": state.as_str() }), condition: None }
    }
}

/// The warnings of a row
fn warnings(row: &StagedGift) -> Vec<&str> {
    let found = row.get("processingDiagnostics").and_then(|found| found.get("processingWarnings"));
    found.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The gift of a row that is let go, made where it is not there yet
async fn promoted(cx: &RequestContext<'_>, payment: &Payment, row: StagedGift) -> Result<Option<Value>, Error> {
    let mut row = row;
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
    for _ in 0..TRIES {
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
