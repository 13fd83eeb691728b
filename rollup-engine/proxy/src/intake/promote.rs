//! From a row to its gift: claim it, make the gift once, mark the row, and let follow what follows.
//!
//! ```text
//! read ─ admit ─ payload ─ donor ─ complete? ─ blockers? ─ claim ─ gift ─ mark ─ post actions
//!           └ a claim that nobody can still hold: look for its gift, mark the row or free it, begin anew
//! ```
//!
//! Whatever ends a run in between, the next one finds what was made by its id. A failure is written on the row, which
//! stays where a reviewer sees it.

use ports::Level;
use ports::time::parse_date;
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;

use super::after_posting::{self, MissingAgreement};
use super::columns;
use super::donor::{self, DonorPolicy};
use super::staged_gift::{NoPayload, StagedGift};
use super::store::{self, Change, GIFT, Made, Written};
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::gift::{Gift, plausible, stored};
use fundraising::keys::Key;
use fundraising::receipt::{self, Receipt};
use fundraising::staging::{Admission, Event, Reason, State, admit, claim_expired, transition};
use fundraising::trust::Diagnostics;

/// How often a row is read anew because somebody else was at it
const TRIES: u32 = 4;

/// What came of a request to process a row
#[derive(Clone, Debug, PartialEq)]
pub enum Promoted {
    /// It is this gift
    Processed(String),
    /// Not now
    Deferred(&'static str, Vec<&'static str>),
    /// It could not be
    Failed(&'static str),
}

impl Promoted {
    /// The reply
    #[must_use]
    pub fn to_json(&self, row: RecordId) -> Value {
        match self {
            Self::Processed(gift) => {
                json!({ "status": "processed", "stagingId": row, "giftId": gift.as_str() })
            }
            Self::Deferred(reason, blockers) if blockers.is_empty() => {
                json!({ "status": "deferred", "stagingId": row, "reason": *reason })
            }
            Self::Deferred(reason, blockers) => json!({
                "status": "deferred",
                "stagingId": row,
                "reason": *reason,
                "processingBlockers": blockers,
            }),
            Self::Failed(error) => {
                json!({ "status": "error", "stagingId": row, "error": *error })
            }
        }
    }
}

/// One look at a row
enum Step {
    Done(Promoted),
    /// It changed, or was put right: look again
    Again,
}

/// Processes one row
pub async fn process(cx: &RequestContext<'_>, id: RecordId) -> Promoted {
    let was_given_up = cx.state.workspace.is_given_up(id);
    let promoted = attempt(cx, id).await;
    if was_given_up && !matches!(promoted, Promoted::Failed(_)) {
        cx.state.workspace.took_up(id);
    }
    promoted
}

async fn attempt(cx: &RequestContext<'_>, id: RecordId) -> Promoted {
    for _ in 0..TRIES {
        let row = match store::row(cx, id).await {
            Ok(row) => row,
            Err(failure) => {
                let message = failure.for_log();
                log(cx, Level::Warn, "staged_gift_read_failed", &id.to_string(), &message);
                return Promoted::Failed("fetch_failed");
            }
        };
        match step(cx, &row).await {
            Ok(Step::Done(promoted)) => return promoted,
            Ok(Step::Again) => {}
            Err(failure) => {
                let message = failure.for_log();
                log(cx, Level::Warn, "staged_gift_update_failed", &id.to_string(), &message);
                return Promoted::Failed("gift_api_failed");
            }
        }
    }
    Promoted::Deferred(Reason::Locked.as_str(), Vec::new())
}

/// Writes on a row that its `giftId` is no id: it was typed by hand, and a reviewer must say which gift was meant.
async fn note_gift_id(cx: &RequestContext<'_>, row: &StagedGift) -> Result<(), Error> {
    let message = "giftId must be a UUID";
    log(cx, Level::Warn, "staged_gift_payload_refused", row.id(), message);
    let mut body = Map::new();
    body.insert("errorDetail".into(), store::error_detail("payload_invalid", message, cx.now()));
    let particulars = json!({ "code": "payload_invalid", "from": row.state().as_str() });
    store::write(cx, row, Change { body, action: "failed", particulars, condition: None }).await.map(drop)
}

/// What becomes of a row that is not to be claimed: it is processed, locked or not ready
async fn settle(cx: &RequestContext<'_>, row: &StagedGift) -> Result<Option<Step>, Error> {
    match admit(row.current_state()) {
        Admission::Processed(gift) => {
            let gift = gift.to_owned();
            log(cx, Level::Info, "staged_gift_already_promoted", row.id(), "");
            if row.state() != State::Processed {
                store::mark(cx, row, &gift, "reconciled").await?;
            }
            // A run may have died between the gift and what follows from it.
            if let Ok(known) = row.gift()
                && (known.recurring_agreement_id.is_some() || cx.state.settings.gift_aid)
                && let Some(record) = store::find(cx, GIFT.plural, &gift).await?
            {
                after_posting::run(
                    cx,
                    &with_columns(&known, row),
                    &record,
                    paid_on(&known, row),
                    MissingAgreement::Skip,
                    false,
                )
                .await;
            }
            Ok(Some(Step::Done(Promoted::Processed(gift))))
        }
        Admission::Deferred(Reason::Locked) if row.is_own() && is_stale(cx, row) => {
            reconcile(cx, row).await?;
            Ok(Some(Step::Again))
        }
        Admission::Deferred(Reason::NotReady) if row.is_own() && row.state() == State::Processed => {
            reconcile(cx, row).await?;
            Ok(Some(Step::Again))
        }
        Admission::Deferred(reason) => {
            let event = if reason == Reason::Locked { "staged_gift_claim_refused" } else { "staged_gift_deferred" };
            log(cx, Level::Info, event, row.id(), "");
            Ok(Some(Step::Done(Promoted::Deferred(reason.as_str(), Vec::new()))))
        }
        Admission::Claimable => Ok(None),
    }
}

async fn step(cx: &RequestContext<'_>, row: &StagedGift) -> Result<Step, Error> {
    let done = |promoted| Ok(Step::Done(promoted));
    if row.text("giftId").is_some_and(|gift| gift.parse::<RecordId>().is_err()) {
        note_gift_id(cx, row).await?;
        return done(Promoted::Failed("payload_invalid"));
    }
    if let Some(step) = settle(cx, row).await? {
        return Ok(step);
    }
    let payload = row.payload();
    if let Err(fault) = payload {
        let (event, message) = match fault {
            NoPayload::Missing => ("staged_gift_payload_not_found", "Staging record missing raw payload"),
            NoPayload::Broken => ("staged_gift_payload_unreadable", "Failed to parse staging raw payload"),
        };
        log(cx, Level::Warn, event, row.id(), message);
        fail(cx, row, "missing_payload", message, None).await?;
        return done(Promoted::Deferred("missing_payload", Vec::new()));
    }
    let payload = payload.unwrap_or_default();
    let mut gift = stored::read_any(&payload);
    let unproven = gift.take_invalid_ids();
    let column = row.text("recurringAgreementId").filter(|text| text.parse::<RecordId>().is_err());
    let unproven = unproven.first().map(|(name, _)| *name).or(column.map(|_| "recurringAgreementId"));
    if let Some(field) = unproven {
        let message = format!("{field} must be a UUID");
        log(cx, Level::Warn, "staged_gift_payload_refused", row.id(), &message);
        fail(cx, row, "payload_invalid", &message, None).await?;
        return done(Promoted::Failed("payload_invalid"));
    }
    let key = Key::of_staged_gift(&row.kept_gift(), row.id());
    let mut row = row.clone();
    let is_named = gift.donor_id.is_some();
    // One name without an address is a donor in rows of this service alone.
    let is_described = row.is_own() || gift.donor_email.is_some() || gift.has_both_names();
    let named = if is_named || is_described { name_giver(cx, &row, &mut gift, &key).await } else { Ok(None) };
    match named {
        Ok(None) => {}
        Ok(Some(step)) => return Ok(step),
        Err(failure) => {
            log(cx, Level::Warn, "staged_gift_donor_failed", row.id(), &failure.for_log());
            fail(cx, &row, "identity_failed", &failure.to_string(), None).await?;
            return done(Promoted::Failed("gift_api_failed"));
        }
    }
    if let Some(donor) = gift.donor_id.clone().filter(|_| !is_named) {
        match persist_giver(cx, &row, payload, &donor).await? {
            Written::StagedGift(linked) if row.is_own() => row = linked,
            Written::StagedGift(_) => {}
            Written::Raced => return Ok(Step::Again),
        }
    }
    if !gift.has_amount() || (gift.donor_id.is_none() && gift.company_id.is_none()) {
        let message = "Staging payload missing required fields for gift creation";
        log(cx, Level::Warn, "staged_gift_payload_refused", row.id(), message);
        fail(cx, &row, "payload_invalid", message, None).await?;
        return done(Promoted::Failed("payload_invalid"));
    }
    if let Err(fault) = plausible::stored(&gift, cx.now()) {
        log(cx, Level::Warn, "staged_gift_payload_refused", row.id(), &fault.message);
        fail(cx, &row, "payload_invalid", &fault.message, None).await?;
        return done(Promoted::Failed("payload_invalid"));
    }
    let diagnostics = Diagnostics::of(&gift, row.dedupe().as_ref());
    if !diagnostics.is_eligible() {
        let message = format!("blocked: {}", diagnostics.blockers.join(", "));
        fail(cx, &row, "blocked", &message, Some(diagnostics.to_json())).await?;
        return done(Promoted::Deferred("blocked", diagnostics.blockers));
    }
    let claimed = match claim(cx, &row, &diagnostics).await? {
        Written::StagedGift(claimed) if row.is_own() => claimed,
        // Others' rows are processed as they were read.
        Written::StagedGift(_) => row,
        Written::Raced => return Ok(Step::Again),
    };
    done(match post_gift(cx, &claimed, &gift, &key, MissingAgreement::Upsert).await {
        Posted::Gift { record, .. } => {
            Promoted::Processed(record.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
        }
        Posted::Gone(id) => Promoted::Processed(id),
        Posted::Failed { .. } => Promoted::Failed("gift_api_failed"),
    })
}

/// What came of making the gift of a row
#[derive(Debug)]
pub(super) enum Posted {
    /// It is there
    Gift {
        /// As Twenty has it
        record: Value,
        /// Whether it was there before
        repeated: bool,
    },
    /// It was there, and somebody deleted it
    Gone(String),
    /// It could not be made
    Failed {
        /// Why, as the row says too
        message: String,
        /// The state that the row is left in
        state: State,
    },
}

/// Makes the gift of a claimed row, marks the row, and lets follow what follows
pub(super) async fn post_gift(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    gift: &Gift,
    key: &Key,
    missing_agreement: MissingAgreement,
) -> Posted {
    let known = Receipt::read(&row.raw_payload().unwrap_or_default());
    let receipt = receipt::decide(gift, known, &cx.state.settings.receipts);
    cx.log(Level::Info, "receipt_decided", &[("stagingId", row.id().into())]);
    log(cx, Level::Info, "gift_create_started", row.id(), "");
    let posted = match make_gift(cx, gift, &receipt, key).await {
        Ok(Made::New(record)) => Posted::Gift { record, repeated: false },
        Ok(Made::Repeat(record)) => Posted::Gift { record, repeated: true },
        // It was made, and somebody deleted it on purpose: the row is done all the same.
        Ok(Made::Gone) => Posted::Gone(key.gift_id().to_string()),
        Err(failure) => {
            let message = failure.to_string();
            log(cx, Level::Error, "gift_create_failed", row.id(), &failure.for_log());
            let (state, given_up) = if failure.is_busy() {
                (State::ReadyForProcess, cx.closing(put_back(cx, row, &message)).await)
            } else {
                (State::ProcessFailed, cx.closing(fail(cx, row, "gift_api_failed", &message, None)).await)
            };
            // Where the claim could not be given up it expires.
            if let Err(failure) = given_up {
                leave_claimed(cx, row);
                log(cx, Level::Warn, "staged_gift_release_failed", row.id(), &failure.for_log());
            }
            return Posted::Failed { message, state };
        }
    };
    let id = match &posted {
        Posted::Gift { record, .. } => record.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        Posted::Gone(id) => id.clone(),
        Posted::Failed { .. } => return posted,
    };
    match cx.closing(store::mark(cx, row, &id, "posted")).await {
        Ok(()) => {
            log(cx, Level::Info, "staged_gift_promoted", row.id(), "");
            if let Posted::Gift { record, .. } = &posted {
                let gift = with_columns(gift, row);
                after_posting::run(cx, &gift, record, paid_on(&gift, row), missing_agreement, false).await;
            }
        }
        // The gift is there; the next request that looks at the row marks it.
        Err(failure) => {
            leave_claimed(cx, row);
            log(cx, Level::Warn, "staged_gift_completion_failed", row.id(), &failure.for_log());
        }
    }
    posted
}

/// Remembers that a row keeps its claim and has no worker, for the next request of this process
fn leave_claimed(cx: &RequestContext<'_>, row: &StagedGift) {
    if let Ok(id) = row.id().parse() {
        cx.state.workspace.gave_up(id);
    }
}

/// Makes the gift, once
pub(super) async fn make_gift(
    cx: &RequestContext<'_>,
    gift: &Gift,
    receipt: &Receipt,
    key: &Key,
) -> Result<Made, Error> {
    let mut body = gift.to_record(receipt);
    body.insert("id".into(), key.gift_id().to_string().into());
    store::make(cx, GIFT, body).await
}

/// Puts right a row whose worker was not heard of again: its gift is there, or it is free
pub(crate) async fn reconcile(cx: &RequestContext<'_>, row: &StagedGift) -> Result<(), Error> {
    let key = Key::of_staged_gift(&row.kept_gift(), row.id());
    let id = key.gift_id().to_string();
    if store::find(cx, GIFT.plural, &id).await?.is_some() {
        log(cx, Level::Info, "staged_gift_reconciled", row.id(), "the gift was made");
        return store::mark(cx, row, &id, "reconciled").await;
    }
    let change = transition(row.current_state(), Event::Expire)?;
    let mut body = change.to_json();
    let message = "the claim expired before a gift was made";
    body.insert("errorDetail".into(), store::error_detail("claim_expired", message, cx.now()));
    log(cx, Level::Warn, "staged_gift_reconciled", row.id(), message);
    let change =
        Change { body, action: "expired", particulars: json!({ "from": row.state().as_str() }), condition: None };
    store::write(cx, row, change).await.map(drop)
}

/// Whether a claimed row is free all the same: its worker is known to have left it, or was not heard of for too long
pub(crate) fn is_stale(cx: &RequestContext<'_>, row: &StagedGift) -> bool {
    let is_given_up = row.id().parse().is_ok_and(|id| cx.state.workspace.is_given_up(id));
    let has_expired = row.updated_at().is_some_and(|at| claim_expired(at, cx.now()));
    row.state() == State::Processing && (is_given_up || has_expired)
}

async fn claim(cx: &RequestContext<'_>, row: &StagedGift, diagnostics: &Diagnostics) -> Result<Written, Error> {
    let change = transition(row.current_state(), Event::Claim)?;
    let mut body = Map::new();
    body.insert("processingStatus".into(), change.state.as_str().into());
    // The condition is part of the one UPDATE: of two who try, one gets the row and the other none.
    let claimable = Filter::one_of("processingStatus", Event::Claim.sources().iter().map(|state| state.as_str()));
    let condition = Filter::And(vec![claimable?, Filter::Empty("giftId".into())]);
    let particulars = json!({ "from": row.state().as_str(), "diagnostics": diagnostics.to_json() });
    store::write(cx, row, Change { body, action: "claimed", particulars, condition: Some(condition) }).await
}

/// Writes a failure on a row
async fn fail(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    code: &'static str,
    message: &str,
    diagnostics: Option<Value>,
) -> Result<(), Error> {
    let mut body = Map::new();
    if let Some(diagnostics) = diagnostics {
        body.insert("processingDiagnostics".into(), diagnostics);
    }
    give_up(cx, row, Event::Fail, code, message, body).await
}

/// Puts a claimed row back for the next run, since the budget of calls ended before its gift was made
async fn put_back(cx: &RequestContext<'_>, row: &StagedGift, message: &str) -> Result<(), Error> {
    give_up(cx, row, Event::PutBack, "budget_spent", message, Map::new()).await
}

async fn give_up(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    event: Event,
    code: &'static str,
    message: &str,
    mut body: Map<String, Value>,
) -> Result<(), Error> {
    body.extend(transition(row.current_state(), event)?.to_json());
    body.insert("errorDetail".into(), store::error_detail(code, message, cx.now()));
    let particulars = json!({ "code": code, "from": row.state().as_str() });
    let action = if event == Event::PutBack { "put_back" } else { "failed" };
    // Where a concurrent request changed the row, its word is the later one.
    store::write(cx, row, Change { body, action, particulars, condition: None }).await.map(drop)
}

/// Finds or makes the donor; a step if a reviewer must say who it was
async fn name_giver(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    gift: &mut Gift,
    key: &Key,
) -> Result<Option<Step>, Error> {
    let reviewed = row.text("dedupeStatus") == Some("passed");
    let policy = if reviewed { DonorPolicy::Reviewed } else { DonorPolicy::Review };
    let found = donor::resolve(cx, gift, key, policy).await?;
    if found.failure.is_some() {
        return Err(Error::malformed_as("Twenty could not be asked for the donor"));
    }
    let Some(dedupe) = found.dedupe.filter(|_| found.is_open) else { return Ok(None) };
    let change = transition(row.current_state(), Event::SuspectDuplicate)?;
    let mut payload = row.payload().unwrap_or_default();
    payload.insert("dedupeDiagnostics".into(), dedupe.to_json());
    let mut body = change.to_json();
    body.insert("rawPayload".into(), Value::Object(payload).to_string().into());
    let particulars = json!({ "candidateDonorIds": dedupe.candidates, "from": row.state().as_str() });
    let change = Change { body, action: "sent_to_review", particulars, condition: None };
    Ok(Some(match store::write(cx, row, change).await? {
        Written::StagedGift(_) => Step::Done(Promoted::Deferred("donor_review", Vec::new())),
        Written::Raced => Step::Again,
    }))
}

async fn persist_giver(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    payload: Map<String, Value>,
    donor: &str,
) -> Result<Written, Error> {
    let body = columns::changed(payload, "donorId", donor);
    let particulars = json!({ "donorId": donor });
    store::write(cx, row, Change { body, action: "donor_linked", particulars, condition: None }).await
}

/// The gift with what its row alone says of the agreement: others' payloads may lack it
fn with_columns(gift: &Gift, row: &StagedGift) -> Gift {
    let column = |key: &str| row.text(key).map(str::to_owned);
    Gift {
        recurring_agreement_id: gift.recurring_agreement_id.clone().or_else(|| column("recurringAgreementId")),
        expected_at: gift.expected_at.clone().or_else(|| column("expectedAt")),
        ..gift.clone()
    }
}

/// The day that counts as that of the payment
fn paid_on(gift: &Gift, row: &StagedGift) -> Option<time::Date> {
    gift.gift_date.as_deref().or_else(|| row.text("createdAt")?.get(..10)).and_then(parse_date)
}

fn log(cx: &RequestContext<'_>, level: Level, event: &'static str, row: &str, message: &str) {
    let mut fields = vec![("stagingId", Value::from(row))];
    if !message.is_empty() {
        fields.push(("message", message.into()));
    }
    cx.log(level, event, &fields);
}
