//! Taking in a gift: from a body to a gift in Twenty, a row that waits for a reviewer, or the answer that it was there.
//!
//! ```text
//! read ─ plausible ─ who gave ─ diagnostics ─┬ staged ──┬ waits
//!                                            │          └ processes itself ─┐
//!                                            └ not staged, or may bypass ───┴─ the gift, once
//! ```
//!
//! The ids of person, row and gift follow from what the gift is known by, and each is made by a call that is refused
//! the second time. So a request may die anywhere and be said again, at once or a year later: one donor, one row, one
//! gift, and none at all where somebody deleted it on purpose. The row outlives the gift; where gifts are not staged, a
//! row that is processed from the start stands for the request.

pub(crate) mod after_posting;
pub(crate) mod columns;
pub(crate) mod complete;
pub(crate) mod donor;
pub(crate) mod edit;
pub(crate) mod gift_aid;
pub(crate) mod history;
mod origin;
pub mod promote;
mod repeat;
pub mod staged_gift;
pub(crate) mod store;
pub(crate) mod trail;

use ports::Level;
use ports::time::parse_date;
use serde_json::{Map, Value, json};
use twenty::filter::Filter;
use twenty::target::OrderBy;

use crate::context::RequestContext;
use crate::error::{Error, ErrorKind};
use crate::subject;
use after_posting::MissingAgreement;
pub use origin::{Channel, Origin};

use donor::{DonorPolicy, Found};
use fundraising::client_error::ClientError;
use fundraising::donor::{Dedupe, MatchType};
use fundraising::fingerprint;
use fundraising::gift::create::Intake;
use fundraising::gift::{Gift, create, not_a_uuid, plausible};
use fundraising::keys::Key;
use fundraising::payload::Payload;
use fundraising::receipt::{self, Receipt};
use fundraising::staging::State;
use fundraising::trust::{Confidence, Diagnostics, may_auto_process};
use promote::Posted;
use repeat::Earlier;
use staged_gift::StagedGift;
use store::{GIFT, Made, ROW};

/// What came of it
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// A gift
    Gift {
        /// As Twenty has it
        record: Value,
        /// Whether an earlier request made it
        repeated: bool,
        /// Whether nothing tells the gift from an equal one
        unkeyed: bool,
    },
    /// A row
    Staged {
        /// As Twenty has it
        row: StagedGift,
        /// What speaks for and against processing it
        diagnostics: Value,
        /// Whether an earlier request made it
        repeated: bool,
        /// Why it did not become a gift at once, if it was to
        error: Option<String>,
    },
    /// An earlier request made it, and it was deleted since: nothing is made again
    Gone {
        /// Id that it had
        id: String,
    },
}

/// A gift on its way in
struct Incoming {
    channel: Channel,
    gift: Gift,
    /// The gift as the request has it, before its donor was looked up
    asked: Gift,
    /// What it is known by, if by anything
    key: Option<Key>,
    /// The key that its records' ids follow from
    ids: Key,
    found: Found,
    receipt: Receipt,
    diagnostics: Diagnostics,
    /// What cannot be true about a payment that was made all the same
    implausible: Option<ClientError>,
}

/// Takes in a gift
///
/// # Errors
/// A body that cannot be right, a repeat that says something else, and whatever Twenty says no to. A gift that was staged
/// is no error, even if it did not become a gift.
pub async fn accept(cx: &RequestContext<'_>, payload: &Payload, origin: Origin<'_>) -> Result<Accepted, Error> {
    let settings = &cx.state.settings;
    let staging = settings.staging || origin.channel == Channel::Staging;
    let intake = match origin.channel {
        Channel::Staging => Intake::Staging,
        Channel::Webhook => Intake::Event,
        Channel::Gifts if staging => Intake::GiftRoute,
        Channel::Gifts => Intake::Direct,
    };
    let mut gift = create::read(payload, intake)?;
    let said_as_donor = intake == Intake::Staging && payload.get("donorId").is_some();
    let implausible = match check_plausible(cx, &gift, origin.channel) {
        Err(refusal) if origin.channel == Channel::Webhook && staging => Some(refusal),
        checked => {
            checked?;
            None
        }
    };
    if origin.channel == Channel::Webhook {
        // The payment was made whatever its metadata says.
        gift.set_aside_invalid_ids();
        let open = gift.unresolved_relations();
        if !open.is_empty() {
            cx.log(Level::Warn, "gift_relation_dropped", &[("fields", open.into())]);
        }
    } else if let Some((name, _)) = gift.take_invalid_ids().first() {
        return Err(not_a_uuid(if *name == "donorId" && !said_as_donor { "contactId" } else { name }).into());
    }
    let sender = sender(cx, &gift, origin.channel);
    let key = Key::of(&gift, origin.request_key.map(|key| (sender.as_str(), key)));
    let ids = key.clone().unwrap_or_else(|| Key::StagedGift(cx.new_id().to_string()));
    if key.is_none() {
        cx.log(Level::Warn, "gift_taken_without_key", &[("intakeSource", gift.intake_source.as_deref().into())]);
    }
    // Before the donor is looked up: whether they were found meanwhile does not make it another gift.
    let nonce = match &key {
        Some(request @ Key::Request { .. }) => request.gift_id().to_string(),
        _ => cx.request_id.clone(),
    };
    gift.source_fingerprint = Some(fingerprint::of(&gift, &nonce));
    let asked = gift.clone();
    let earlier = match &key {
        Some(key) => repeat::find(cx, key, &asked, origin.channel).await?,
        None => Earlier::Nothing,
    };
    let incoming = |gift, ids, found, receipt, diagnostics| Incoming {
        channel: origin.channel,
        gift,
        asked: asked.clone(),
        key: key.clone(),
        ids,
        found,
        receipt,
        diagnostics,
        implausible: implausible.clone(),
    };
    match earlier {
        Earlier::Nothing => {}
        Earlier::StagedGift(row, own) => {
            let kept = row.gift().unwrap_or_else(|_| gift.clone());
            let found = Found { dedupe: row.dedupe(), ..Found::default() };
            let diagnostics = Diagnostics::of(&kept, found.dedupe.as_ref());
            return resumed(cx, row, incoming(kept, own, found, Receipt::default(), diagnostics)).await;
        }
        Earlier::Gift(record, own) => {
            gift.donor_id = record.get("donorId").and_then(Value::as_str).map(str::to_owned);
            let receipt = receipt::decide(&gift, Receipt::default(), &settings.receipts);
            let diagnostics = Diagnostics::of(&gift, None);
            let made = if store::is_deleted(&record) { Made::Gone } else { Made::Repeat(record) };
            return Ok(posted_directly(cx, &incoming(gift, own, Found::default(), receipt, diagnostics), made).await);
        }
    }

    let found = find_donor(cx, &mut gift, key.as_ref(), &ids, origin.channel).await?;
    let receipt = receipt::decide(&gift, Receipt::default(), &settings.receipts);
    cx.log(
        Level::Info,
        "receipt_decided",
        &[
            ("receiptPolicyApplied", receipt.policy.as_deref().into()),
            ("receiptStatus", receipt.status.as_deref().into()),
        ],
    );
    let mut diagnostics = Diagnostics::of(&gift, found.dedupe.as_ref());
    diagnostics.warnings.extend(found.failure);
    let incoming = incoming(gift, ids, found, receipt, diagnostics);
    // A payment that names an agreement is taken in once more without it.
    let comes_again = origin.channel == Channel::Webhook && incoming.gift.recurring_agreement_id.is_some();
    let made = incoming.found.made.clone().filter(|_| !comes_again);
    let accepted = if staging { staged(cx, incoming, origin).await } else { direct(cx, incoming).await };
    if let (Err(failure), Some(person)) = (&accepted, made)
        && (store::is_refused(failure) || matches!(failure.kind(), ErrorKind::Client(_)))
    {
        donor::take_back(cx, &person).await;
    }
    accepted
}

/// Finds or makes the donor, as far as the channel lets it
async fn find_donor(
    cx: &RequestContext<'_>,
    gift: &mut Gift,
    key: Option<&Key>,
    ids: &Key,
    channel: Channel,
) -> Result<Found, Error> {
    let policy = match (channel, cx.state.settings.staging) {
        (Channel::Staging, _) => DonorPolicy::Look,
        (Channel::Webhook, true) => DonorPolicy::ReviewPayment,
        (Channel::Gifts, true) => DonorPolicy::Review,
        (Channel::Webhook, false) => DonorPolicy::SettlePayment,
        (Channel::Gifts, false) => DonorPolicy::Settle,
    };
    match donor::resolve(cx, gift, ids, policy).await {
        // A repeat whose donor went to the trash since is no other gift.
        Err(failure)
            if matches!(failure.kind(), ErrorKind::Client(_))
                && key.is_some()
                && store::find(cx, GIFT.plural, &ids.gift_id().to_string()).await?.is_some() =>
        {
            Ok(Found::default())
        }
        found => found,
    }
}

/// What cannot be true of a gift; of a payment also what every payment has
fn check_plausible(cx: &RequestContext<'_>, gift: &Gift, channel: Channel) -> Result<(), ClientError> {
    plausible::check(gift, cx.now())?;
    if channel == Channel::Webhook { plausible::payment(gift) } else { Ok(()) }
}

/// Who says the key of the request: the caller, or the provider whose event it is
fn sender(cx: &RequestContext<'_>, gift: &Gift, channel: Channel) -> String {
    match &cx.token {
        Some(token) if channel != Channel::Webhook => subject::of_token(token),
        _ => {
            let source = gift.provider.as_deref().or(gift.intake_source.as_deref());
            subject::of_source(source.unwrap_or_default())
        }
    }
}

/// A gift that nobody reviews
async fn direct(cx: &RequestContext<'_>, incoming: Incoming) -> Result<Accepted, Error> {
    // What is there under the caller's key was looked for before the donor was.
    let is_looked_for = matches!(incoming.key, Some(Key::Request { .. })) && incoming.channel != Channel::Webhook;
    if incoming.key.is_some()
        && !is_looked_for
        && store::has_rows(cx).await
        && let Some(record) = store::find(cx, ROW.plural, &incoming.ids.staging_id().to_string()).await?
    {
        return repeated_row(cx, StagedGift::new(record), incoming).await;
    }
    let made = promote::make_gift(cx, &incoming.gift, &incoming.receipt, &incoming.ids).await?;
    if let Made::Repeat(record) = &made {
        let fields = repeat::gift_differences(cx, &incoming.ids, &incoming.asked, record, incoming.channel).await?;
        if !fields.is_empty() {
            return Err(repeat::conflict(&incoming.ids, fields).into());
        }
    }
    Ok(posted_directly(cx, &incoming, made).await)
}

/// What follows from a gift that was made without a row, or was there already and says the same
async fn posted_directly(cx: &RequestContext<'_>, incoming: &Incoming, made: Made) -> Accepted {
    let Incoming { gift, ids, asked, .. } = incoming;
    let is_described = asked.donor_id.is_none();
    let accepted = match made {
        Made::New(record) => {
            let paid_on = gift.gift_date.as_deref().and_then(parse_date);
            if has_consequences(cx, gift) {
                after_posting::run(cx, gift, &record, paid_on, MissingAgreement::Skip, is_described).await;
            }
            Accepted::Gift { record, repeated: false, unkeyed: incoming.key.is_none() }
        }
        Made::Repeat(record) => {
            // The run that made it may have died right after.
            if has_consequences(cx, gift) {
                let paid_on = gift.gift_date.as_deref().and_then(parse_date);
                after_posting::run(cx, gift, &record, paid_on, MissingAgreement::Skip, is_described).await;
            }
            Accepted::Gift { record, repeated: true, unkeyed: false }
        }
        Made::Gone => Accepted::Gone { id: ids.gift_id().to_string() },
    };
    if incoming.key.is_some() && store::has_rows(cx).await {
        keep_record(cx, incoming, &accepted).await;
    }
    accepted
}

/// Whether anything follows from a gift
fn has_consequences(cx: &RequestContext<'_>, gift: &Gift) -> bool {
    gift.recurring_agreement_id.is_some() || gift.provider_payment_id.is_some() || cx.state.settings.gift_aid
}

/// Writes down that a request was answered, for when its gift is destroyed and the request comes again
async fn keep_record(cx: &RequestContext<'_>, incoming: &Incoming, accepted: &Accepted) {
    let Incoming { gift, receipt, found, diagnostics, ids, .. } = incoming;
    let requested = repeat::kept(incoming.key.as_ref(), &incoming.asked, incoming.channel);
    let diagnostics = diagnostics_json(cx, diagnostics, incoming);
    let mut body = columns::create(gift, receipt, found.dedupe.as_ref(), &diagnostics, State::Processed, requested);
    body.insert("id".into(), ids.staging_id().to_string().into());
    body.insert("validationStatus".into(), "passed".into());
    body.insert("dedupeStatus".into(), "passed".into());
    body.insert("autoProcess".into(), true.into());
    if let Accepted::Gift { record, .. } = accepted {
        body.insert("giftId".into(), record.get("id").and_then(Value::as_str).unwrap_or_default().into());
    }
    if let Err(failure) = store::make(cx, ROW, body).await {
        cx.log(Level::Warn, "gift_key_not_kept", &[("message", failure.for_log().into())]);
    }
}

/// A gift that is staged first
async fn staged(cx: &RequestContext<'_>, mut incoming: Incoming, origin: Origin<'_>) -> Result<Accepted, Error> {
    let mut doubts = Vec::new();
    // A person who was made for this gift has no other gifts.
    let is_known = incoming.gift.donor_id.is_some() && incoming.found.made.is_none();
    if is_known && origin.channel != Channel::Staging {
        match check_history(cx, &incoming.gift, &incoming.ids).await {
            Ok(found) => doubts = found,
            Err(_) => doubts.push("history_unavailable"),
        }
    }
    incoming.diagnostics.warnings.extend(&doubts);
    if incoming.key.is_none() {
        incoming.diagnostics.warnings.push("idempotency_key_missing");
    }
    let is_sure = doubts.is_empty() && incoming.found.failure.is_none() && incoming.implausible.is_none();
    if is_sure && may_bypass(cx, &incoming, origin) {
        return direct(cx, incoming).await;
    }
    let Incoming { gift, found, diagnostics, .. } = &mut incoming;
    let itself = is_sure
        && origin.channel != Channel::Staging
        && may_auto_process(gift, diagnostics, found.dedupe.as_ref(), cx.state.settings.auto_process);
    gift.auto_process = Some(itself);
    let body = row_body(cx, &incoming, itself, &doubts);
    let made = match store::make(cx, ROW, body.clone()).await {
        // The workspace took the field away since it was last seen.
        Err(failure) if store::is_refused(&failure) && cx.state.workspace.has_trail.get() => {
            cx.state.workspace.has_trail.set(false);
            let mut body = body;
            body.remove("auditTrail");
            store::make(cx, ROW, body).await
        }
        made => made,
    };
    let row = match made {
        Ok(Made::New(record)) => StagedGift::new(record),
        Ok(Made::Repeat(record)) => return repeated_row(cx, StagedGift::new(record), incoming).await,
        Ok(Made::Gone) => return Ok(Accepted::Gone { id: incoming.ids.staging_id().to_string() }),
        Err(failure) => {
            cx.log(Level::Warn, "gift_staging_failed", &[("message", failure.for_log().into())]);
            return Err(failure);
        }
    };
    cx.log(Level::Info, "gift_staged", &[("stagingId", row.id().into()), ("autoProcess", itself.into())]);
    let row = begin_trail(cx, row).await;
    // Twenty has the last word: a workflow there may have held it.
    let goes_on = itself && row.get("autoProcess") != Some(&Value::Bool(false)) && row.state() == State::Processing;
    Ok(if goes_on { finish(cx, row, &incoming, false).await } else { staged_answer(cx, row, &incoming, false) })
}

fn row_body(cx: &RequestContext<'_>, incoming: &Incoming, itself: bool, doubts: &[&str]) -> Map<String, Value> {
    let Incoming { gift, receipt, found, diagnostics, ids, implausible, .. } = incoming;
    let state = if implausible.is_some() { State::ValidationFailed } else { State::initial(itself) };
    let requested = repeat::kept(incoming.key.as_ref(), &incoming.asked, incoming.channel);
    let diagnostics = diagnostics_json(cx, diagnostics, incoming);
    let mut body = columns::create(gift, receipt, found.dedupe.as_ref(), &diagnostics, state, requested);
    body.insert("id".into(), ids.staging_id().to_string().into());
    if let Some(refusal) = implausible {
        store::fail_validation(cx, &mut body, store::IMPLAUSIBLE, &refusal.message);
    }
    if doubts.contains(&"possible_duplicate") {
        body.insert("dedupeStatus".into(), "needs_review".into());
    }
    if cx.state.workspace.has_trail.get() {
        body.insert("auditTrail".into(), trail::wrapped(&[received_entry(cx, state)]));
    }
    body
}

fn received_entry(cx: &RequestContext<'_>, state: State) -> Value {
    store::actor(cx).entry("received", json!({ "to": state.as_str() }))
}

/// Starts the trail of a row whose workspace was not known to keep one
async fn begin_trail(cx: &RequestContext<'_>, row: StagedGift) -> StagedGift {
    if !row.is_own() {
        return row;
    }
    cx.state.workspace.has_trail.set(true);
    if row.get("auditTrail").is_some() {
        return row;
    }
    let particulars = json!({ "to": row.state().as_str() });
    let change = store::Change { body: Map::new(), action: "received", particulars, condition: None };
    match store::write(cx, &row, change).await {
        Ok(store::Written::StagedGift(written)) => written,
        // The next change starts it.
        _ => row,
    }
}

/// Diagnostics, with who sent the gift and when
fn diagnostics_json(cx: &RequestContext<'_>, diagnostics: &Diagnostics, incoming: &Incoming) -> Value {
    let mut told = diagnostics.to_json();
    let actor = store::actor(cx);
    if let Some(members) = told.as_object_mut() {
        members.insert(
            "intake".into(),
            json!({
                "channel": incoming.gift.intake_source.as_deref(),
                "by": actor.by,
                "receivedAt": actor.at.to_string(),
                "requestId": actor.request_id,
                "knownBy": incoming.key.as_ref().map(Key::kind),
            }),
        );
    }
    told
}

/// Makes the gift of a row that processes itself
async fn finish(cx: &RequestContext<'_>, row: StagedGift, incoming: &Incoming, repeated: bool) -> Accepted {
    match promote::post_gift(cx, &row, &incoming.gift, &incoming.ids, MissingAgreement::Skip).await {
        Posted::Gift { record, repeated: known } => {
            Accepted::Gift { record, repeated: repeated && known, unkeyed: incoming.key.is_none() }
        }
        Posted::Gone(id) => Accepted::Gone { id },
        Posted::Failed { message, state } => {
            let row = row.in_state(state);
            let diagnostics = diagnostics_json(cx, &incoming.diagnostics, incoming);
            Accepted::Staged { row, diagnostics, repeated, error: Some(message) }
        }
    }
}

/// The gift that an earlier request made
async fn posted_gift(cx: &RequestContext<'_>, id: &str) -> Result<Accepted, Error> {
    Ok(match store::find(cx, GIFT.plural, id).await? {
        Some(record) if !store::is_deleted(&record) => Accepted::Gift { record, repeated: true, unkeyed: false },
        _ => Accepted::Gone { id: id.to_owned() },
    })
}

/// A request that made a row before, unless its key stands for another gift
async fn repeated_row(cx: &RequestContext<'_>, row: StagedGift, incoming: Incoming) -> Result<Accepted, Error> {
    let fields = repeat::row_differences(cx, &incoming.ids, &incoming.asked, &row, incoming.channel).await?;
    if !fields.is_empty() {
        return Err(repeat::conflict(&incoming.ids, fields).into());
    }
    resumed(cx, row, incoming).await
}

/// Goes on where the request that made the row ended
async fn resumed(cx: &RequestContext<'_>, row: StagedGift, mut incoming: Incoming) -> Result<Accepted, Error> {
    if row.get("deletedAt").is_some() {
        return Ok(Accepted::Gone { id: row.id().to_owned() });
    }
    cx.log(Level::Info, "gift_repeated", &[("stagingId", row.id().into())]);
    match (row.state(), row.text("giftId").map(str::to_owned)) {
        _ if incoming.channel == Channel::Staging => Ok(staged_answer(cx, row, &incoming, true)),
        (_, Some(gift)) => {
            if row.state() != State::Processed {
                store::mark(cx, &row, &gift, "reconciled").await?;
            }
            posted_gift(cx, &gift).await
        }
        (State::Processed, None) => Ok(Accepted::Gone { id: incoming.ids.gift_id().to_string() }),
        (State::Processing, None) => {
            // Whoever took it died, or is at it: either way the gift is made once, by its id.
            incoming.gift = row.gift().unwrap_or(incoming.gift);
            Ok(finish(cx, row, &incoming, true).await)
        }
        _ => Ok(staged_answer(cx, row, &incoming, true)),
    }
}

fn staged_answer(cx: &RequestContext<'_>, row: StagedGift, incoming: &Incoming, repeated: bool) -> Accepted {
    let diagnostics = diagnostics_json(cx, &incoming.diagnostics, incoming);
    Accepted::Staged { row, diagnostics, repeated, error: None }
}

/// Whether a gift of this source may become a gift without a row to wait in: nothing about it may be open
fn may_bypass(cx: &RequestContext<'_>, incoming: &Incoming, origin: Origin<'_>) -> bool {
    let source = incoming.gift.intake_source.as_deref().unwrap_or_default();
    let amount = incoming.gift.amount.amount_micros;
    let named =
        cx.state.settings.bypass_sources.iter().any(|bypass| {
            bypass.source.eq_ignore_ascii_case(source) && bypass.at_most.is_none_or(|most| amount <= most)
        });
    let sure = match incoming.found.dedupe.as_ref().map(|dedupe: &Dedupe| dedupe.match_type) {
        None => incoming.diagnostics.confidence == Confidence::Explicit,
        Some(match_type) => match_type == MatchType::Email,
    };
    named
        && origin.channel != Channel::Staging
        && incoming.key.is_some()
        && incoming.gift.auto_process != Some(false)
        && incoming.diagnostics.is_eligible()
        && incoming.gift.unresolved_relations().is_empty()
        && sure
}

/// What the donor's other gifts say
async fn check_history(cx: &RequestContext<'_>, gift: &Gift, ids: &Key) -> Result<Vec<&'static str>, Error> {
    let Some(Ok(donor)) = gift.donor_id.as_deref().map(str::parse) else { return Ok(Vec::new()) };
    let filter = Filter::IdIs("donorId".into(), donor);
    let order = Some(OrderBy::descending("createdAt"));
    let others = store::list(cx, GIFT.plural, &filter, history::DEPTH, order).await?;
    Ok(history::warnings(gift, &ids.gift_id().to_string(), &others))
}
