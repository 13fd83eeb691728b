//! Facts about payments, kept as staged gifts that will never be gifts, and what they make of a gift.
//!
//! A note is written first and the gift looked up second; a gift is made first and its note read second. So whichever
//! comes first, one of the two sees both.

use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::Target;
use uuid::Uuid;

use crate::context::RequestContext;
use crate::error::Error;
use crate::few;
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, GIFT, Made, ROW, Written};
use crate::intake::{complete, gift_aid};
use fundraising::client_error::ClientError;
use fundraising::gift::{Gift, plausible, stored};
use fundraising::keys::Key;
use fundraising::money::Money;
use fundraising::provider::payment_facts::PaymentFacts;
use fundraising::provider::{IdKind, Kind, PaymentFact, Provider};
use fundraising::staging::State;

/// How often a record is read anew because somebody else was at it
const TRIES: u32 = 6;
/// Most ids that one payment is looked for by
const MAX_IDS: usize = 20;

fn note_key(provider: Provider, payment: &str) -> Key {
    Key::External { source: format!("{} note", provider.as_str()), id: payment.to_owned() }
}

fn payment_key(provider: Provider, payment: &str) -> Key {
    Key::Payment { provider: provider.as_str().into(), id: payment.to_owned() }
}

fn gift_id(provider: Provider, payment: &str) -> Uuid {
    payment_key(provider, payment).gift_id()
}

fn read(row: &StagedGift) -> PaymentFacts {
    PaymentFacts::read(&Value::Object(row.raw_payload().unwrap_or_default()))
}

/// What is known of a payment under all of its ids
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Every id that it goes by
    ids: Vec<String>,
    facts: PaymentFacts,
    /// Ids that the note of an id names: of, and named
    named: Vec<(String, String)>,
    /// The staged gifts that stand for it
    pub(crate) rows: Vec<StagedGift>,
}

impl Known {
    /// Whether no other id can stand for another gift of the same payment: charges do where there is no payment
    pub(crate) fn is_alone(&self) -> bool {
        let count = |kind| self.ids.iter().filter(|id| IdKind::of(id) == kind).count();
        let charges = if count(IdKind::Payment) > 0 { count(IdKind::Charge) } else { 0 };
        self.ids.len() - charges <= 1
    }

    /// Every id that it goes by
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// What facts say of another name that goes before this one
    pub(crate) fn facts(&self) -> &PaymentFacts {
        &self.facts
    }

    /// What the id of a staged gift names
    pub(crate) fn kind_of_row(&self, provider: Provider, row: &StagedGift) -> Option<IdKind> {
        let is_own = |id: &&String| payment_key(provider, id).staging_id().to_string() == row.id();
        self.ids.iter().find(is_own).map(|id| IdKind::of(id))
    }

    /// The id that a gift's record follows from
    fn id_of<'a>(&'a self, provider: Provider, record: &Value) -> Option<&'a str> {
        let id = record.get("id").and_then(Value::as_str)?;
        self.ids.iter().map(String::as_str).find(|payment| gift_id(provider, payment).to_string() == id)
    }

    /// What stands for the whole first
    fn rank(&self, provider: Provider, record: &Value) -> (bool, Option<IdKind>, Option<&str>) {
        let id = self.id_of(provider, record);
        // An id of another origin is somebody's own record of the payment, and is never folded.
        (store::is_deleted(record), id.map(IdKind::of), id)
    }
}

/// Reads what is known of a payment of these ids, by all ids that are known to be its own
///
/// An invoice may be paid in parts: from one part its other parts are not looked at.
pub(crate) async fn known(cx: &RequestContext<'_>, provider: Provider, ids: &[String]) -> Result<Known, Error> {
    let mut known = Known { ids: ids.to_vec(), ..Known::default() };
    let mut looked_at = 0;
    while looked_at < known.ids.len() && looked_at < MAX_IDS {
        let asked = known.ids.get(looked_at..).unwrap_or_default().to_vec();
        looked_at = known.ids.len();
        let key = |id: &String| payment_key(provider, id).staging_id();
        let rows: Vec<Uuid> = asked.iter().flat_map(|id| [note_key(provider, id).staging_id(), key(id)]).collect();
        let limit = rows.len();
        let records = match store::list(cx, ROW.plural, &Filter::IdIn("id".into(), rows), limit, None).await {
            // The workspace stages nothing.
            Err(failure) if store::is_refused(&failure) && !cx.state.settings.staging => return Ok(known),
            records => records?,
        };
        for record in records {
            let row = StagedGift::new(record);
            let Some(own) = asked.iter().find(|id| note_key(provider, id).staging_id().to_string() == row.id()) else {
                known.rows.push(row);
                continue;
            };
            for fact in read(&row).facts() {
                if matches!(fact.kind, Kind::Alias | Kind::ReplacedBy) {
                    known.named.push((own.clone(), fact.id.clone()));
                    let is_followed = IdKind::of(own) != IdKind::Invoice || ids.contains(own);
                    if is_followed && !known.ids.contains(&fact.id) {
                        known.ids.push(fact.id.clone());
                    }
                }
                known.facts.add(fact.clone());
            }
        }
    }
    few::sort(&mut known.rows, |row| (row.state() == State::Cancelled, row.text("giftId").is_none()));
    Ok(known)
}

/// Reads what is known of a payment, and keeps that the ids that an event names are of one
pub(crate) async fn link(
    cx: &RequestContext<'_>,
    provider: Provider,
    ids: &[String],
    keeps_charge: bool,
) -> Result<Known, Error> {
    let known = known(cx, provider, ids).await?;
    let Some(first) = ids.iter().min_by_key(|id| IdKind::of(id)) else { return Ok(known) };
    for id in ids.iter().filter(|id| *id != first) {
        let is_charge = IdKind::of(id) == IdKind::Charge;
        let is_named = |of: &String, id: &String| known.named.iter().any(|(one, other)| (one, other) == (of, id));
        if (!is_charge || keeps_charge) && !is_named(id, first) {
            name(cx, provider, id, first).await?;
        }
        // Gifts and rows of a charge's own id are none where its payment is known: it is found from its own side.
        let has_facts = is_charge && known.facts.is_about_money();
        if (!is_charge || has_facts) && !is_named(first, id) {
            name(cx, provider, first, id).await?;
        }
    }
    Ok(known)
}

/// Keeps another name of a payment
pub(crate) async fn name(cx: &RequestContext<'_>, provider: Provider, of: &str, other: &str) -> Result<(), Error> {
    let fact = PaymentFact { kind: Kind::Alias, id: other.to_owned(), at: 0, holds: true, money: None };
    keep(cx, provider, of, &fact, None).await
}

/// Gifts of a payment, also those in the trash; the one that stands for it first
pub(crate) async fn gifts(cx: &RequestContext<'_>, provider: Provider, known: &Known) -> Result<Vec<Value>, Error> {
    let mut own: Vec<Uuid> = known.ids.iter().map(|id| payment_key(provider, id).gift_id()).collect();
    own.extend(known.rows.iter().filter_map(|row| row.text("giftId")?.parse::<RecordId>().ok()).map(RecordId::uuid));
    let mut ways = vec![Filter::IdIn("id".into(), own)];
    let texts = known.ids.iter().filter_map(|id| id.parse().ok());
    ways.extend(texts.map(|id| Filter::TextIs("providerPaymentId".into(), id)));
    let filter = Filter::And(vec![Filter::Or(ways), Filter::with_deleted()]);
    let mut gifts = store::list(cx, GIFT.plural, &filter, 60, None).await?;
    few::sort(&mut gifts, |gift| {
        let (is_deleted, kind, id) = known.rank(provider, gift);
        (is_deleted, kind.is_none(), kind, id.map(str::to_owned))
    });
    Ok(gifts)
}

/// Keeps a fact about a payment; a `question` about it is put to a reviewer
pub(crate) async fn keep(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    fact: &PaymentFact,
    question: Option<&ClientError>,
) -> Result<(), Error> {
    let ask = |body: &mut Map<String, Value>| {
        if let Some(question) = question {
            store::fail_validation(cx, body, store::IMPLAUSIBLE, &question.message);
        }
    };
    let id = note_key(provider, payment).staging_id().to_string();
    for _ in 0..TRIES {
        let found = match store::find(cx, ROW.plural, &id).await {
            // The workspace has nowhere to keep it.
            Err(failure) if store::is_refused(&failure) && !cx.state.settings.staging => return Ok(()),
            found => found?,
        };
        let row = if let Some(record) = found {
            StagedGift::new(record)
        } else {
            let mut body = fresh(provider, payment, &id, fact);
            ask(&mut body);
            match store::make(cx, ROW, body).await? {
                Made::New(_) | Made::Gone => return Ok(()),
                Made::Repeat(record) => StagedGift::new(record),
            }
        };
        let mut note = read(&row);
        let asked = row.get("errorDetail").and_then(|detail| detail.get("message")).and_then(Value::as_str);
        let is_asked = question.is_none_or(|question| asked == Some(question.message.as_str()));
        if !note.add(fact.clone()) && is_asked {
            return Ok(());
        }
        let mut body = Map::new();
        body.insert("rawPayload".into(), note.to_json().to_string().into());
        ask(&mut body);
        let change =
            Change { body, action: "noted", particulars: json!({ "kind": fact.kind.as_str() }), condition: None };
        if let Written::StagedGift(_) = store::write(cx, &row, change).await? {
            return Ok(());
        }
    }
    Err(Error::raced())
}

fn fresh(provider: Provider, payment: &str, id: &str, fact: &PaymentFact) -> Map<String, Value> {
    let mut note = PaymentFacts::default();
    note.add(fact.clone());
    let mut body = Map::new();
    body.insert("id".into(), id.into());
    body.insert("autoProcess".into(), false.into());
    // It is no gift and will not become one, whatever anybody does to it.
    body.insert("processingStatus".into(), State::Cancelled.as_str().into());
    body.insert("intakeSource".into(), format!("{}_note", provider.as_str()).into());
    body.insert("provider".into(), provider.as_str().into());
    body.insert("providerPaymentId".into(), payment.into());
    body.insert("notes".into(), "Refunds, disputes and other facts about a payment".into());
    if note.lacks_an_amount() {
        body.insert(
            "processingDiagnostics".into(),
            json!({
                "processingEligibility": "blocked",
                "processingBlockers": ["amount_missing", "amount_unreadable"],
            }),
        );
    }
    body.insert("rawPayload".into(), note.to_json().to_string().into());
    body
}

/// Sets on a gift what is known of its payment by all of its ids, and folds other gifts of the same payment into one
///
/// Answers with the gift that stands for the payment.
pub(crate) async fn settle(
    cx: &RequestContext<'_>,
    provider: Provider,
    ids: &[String],
    record: &Value,
) -> Result<Value, Error> {
    let mut record = record.clone();
    let mut before = None;
    for _ in 0..TRIES {
        let known = known(cx, provider, ids).await?;
        let seen = (known.ids.clone(), known.facts.clone());
        // Whoever wrote last reads last: nobody can leave an older sum behind.
        if before.as_ref() == Some(&seen) || (known.is_alone() && !known.facts.is_about_money()) {
            return Ok(record);
        }
        if !known.is_alone() {
            record = fold(cx, provider, &known, record).await?;
        }
        if let Some(body) = changes(cx, &known, &record) {
            let gift = store::id_of(record.get("id").and_then(Value::as_str).unwrap_or_default())?;
            let answer = cx.call(Target::update(GIFT.plural, gift), Some(body)).await?;
            record = store::take_data(answer, "updateGift").ok_or_else(|| Error::malformed("updateGift"))?;
        }
        if cx.state.settings.gift_aid {
            gift_aid::restore(cx, &record).await?;
        }
        before = Some(seen);
    }
    Err(Error::raced())
}

/// The same for a gift that was made without a provider asking: a reviewer let it go
pub(crate) async fn settle_gift(cx: &RequestContext<'_>, gift: &Gift, record: &Value) -> Result<(), Error> {
    let provider = match gift.provider.as_deref() {
        Some("stripe") => Provider::Stripe,
        Some("gocardless") => Provider::GoCardless,
        _ => return Ok(()),
    };
    match &gift.provider_payment_id {
        Some(payment) => settle(cx, provider, std::slice::from_ref(payment), record).await.map(drop),
        None => Ok(()),
    }
}

/// Makes one gift of those that events without a common id made of one payment: the others go to the trash
///
/// Which one stays follows from the ids alone, so that two processes at once keep the same.
async fn fold(cx: &RequestContext<'_>, provider: Provider, known: &Known, record: Value) -> Result<Value, Error> {
    let mut gifts = gifts(cx, provider, known).await?;
    gifts.retain(|gift| !store::is_deleted(gift) && known.id_of(provider, gift).is_some());
    let mut gifts = gifts.into_iter();
    let Some(mut kept) = gifts.next() else { return Ok(record) };
    let kind = |gift: &Value| known.id_of(provider, gift).map(IdKind::of);
    for other in gifts {
        // Parts of an invoice that was not told yet.
        if kind(&kept) == Some(IdKind::Payment) && kind(&other) == Some(IdKind::Payment) {
            continue;
        }
        let told = other.as_object().map(stored::read_any).unwrap_or_default();
        // A payment knows its way better than the invoice that it pays.
        let tells_method = kind(&kept) == Some(IdKind::Invoice) && kind(&other) == Some(IdKind::Payment);
        kept = complete::gift(cx, kept, &told, tells_method).await?;
        let id = other.get("id").and_then(Value::as_str).unwrap_or_default();
        cx.call(Target::trash(GIFT.plural, store::id_of(id)?), None).await?;
        cx.log(Level::Info, "gifts_merged", &[("giftId", kept.get("id").cloned().unwrap_or_default())]);
    }
    let id = kept.get("id").and_then(Value::as_str).unwrap_or_default();
    let own = known.id_of(provider, &kept);
    for row in &known.rows {
        let of = known.ids.iter().find(|id| payment_key(provider, id).staging_id().to_string() == row.id());
        let is_other_part = of.is_some_and(|of| {
            IdKind::of(of) == IdKind::Payment && kind(&kept) == Some(IdKind::Payment) && own != Some(of.as_str())
        });
        // A worker that has claimed a staged gift comes here itself.
        if !is_other_part && !matches!(row.state(), State::Processing | State::Cancelled) {
            store::mark(cx, row, id, "reconciled").await?;
        }
    }
    Ok(kept)
}

fn changes(cx: &RequestContext<'_>, known: &Known, record: &Value) -> Option<Value> {
    let note = &known.facts;
    let mut body = Map::new();
    // Refunds and staff look for the payment, not for its invoice.
    let paid_by = |id: &&String| IdKind::of(id) == IdKind::Payment;
    let written = record.get("providerPaymentId").and_then(Value::as_str).unwrap_or_default();
    if let Some(payment) = known.ids.iter().find(paid_by)
        && !known.ids.iter().filter(paid_by).any(|id| id == written)
    {
        body.insert("providerPaymentId".into(), payment.as_str().into());
    }
    change_money(cx, note, record, &mut body);
    (!body.is_empty()).then_some(Value::Object(body))
}

fn change_money(
    cx: &RequestContext<'_>,
    note: &PaymentFacts,
    record: &Value,
    body: &mut Map<String, Value>,
) -> Option<()> {
    let amount = Money::read("amount", record.get("amount")?).ok()?;
    let context = record.get("recurringMetadata");
    let confirmed = context.and_then(|context| context.get("confirmedAt")).and_then(Value::as_str);
    let confirmed_at = confirmed.and_then(Timestamp::parse).map(Timestamp::as_millis);
    let confirmed_at = confirmed_at.filter(|at| plausible::refunded_at(*at, cx.now()).is_ok());
    let refunded = note.refunded(&amount, confirmed_at);
    #[expect(clippy::cast_precision_loss, reason = "amounts are below 2^53")]
    let says = |key: &str, micros: i64| {
        let written = record.get(key).and_then(|money| money.get("amountMicros")).and_then(Value::as_f64);
        (written.unwrap_or(0.0) - micros as f64).abs() < 0.5
    };
    let money = |micros| Money { amount_micros: micros, currency_code: amount.currency_code.clone() }.to_json();
    let disputed = note.disputed(&amount);
    // A workspace that was made before has no such field.
    if record.get("disputedAmount").is_some() && !says("disputedAmount", disputed) {
        body.insert("disputedAmount".into(), money(disputed));
    }
    let is_set = says("refundedAmount", refunded.micros);
    let date = refunded.at.map(|at| Timestamp::from_millis(at).to_string());
    let known_date = record.get("refundDate").and_then(Value::as_str).and_then(Timestamp::parse);
    // Where the provider told no day that can be meant, a reviewer may have set it.
    let is_dayless = refunded.at.is_none() && refunded.micros > 0;
    if is_set && (is_dayless || known_date.map(Timestamp::as_millis) == refunded.at) {
        return None;
    }
    body.insert("refundedAmount".into(), money(refunded.micros));
    if !is_dayless {
        body.insert("refundDate".into(), date.into());
    }
    if cx.state.settings.gift_aid && refunded.micros > 0 {
        gift_aid::revoke(body);
    }
    cx.log(Level::Info, "refund_applied", &[("refundedMicros", refunded.micros.into())]);
    Some(())
}
