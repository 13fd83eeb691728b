//! Facts about payments, kept as staged gifts that will never be gifts, and what they make of a gift.
//!
//! A note is written first and the gift looked up second; a gift is made first and its note read second. So whichever
//! comes first, one of the two sees both.

use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::Target;

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::gift_aid;
use crate::intake::staged_gift::StagedGift;
use crate::intake::store::{self, Change, GIFT, Made, ROW, Written};
use fundraising::gift::Gift;
use fundraising::keys::Key;
use fundraising::money::Money;
use fundraising::provider::payment_facts::PaymentFacts;
use fundraising::provider::{Kind, PaymentFact, Provider};
use fundraising::staging::State;

/// How often a record is read anew because somebody else was at it
const TRIES: u32 = 6;

fn note_id(provider: Provider, payment: &str) -> String {
    Key::External { source: format!("{} note", provider.as_str()), id: payment.to_owned() }.staging_id().to_string()
}

fn gift_id(provider: Provider, payment: &str) -> RecordId {
    Key::Payment { provider: provider.as_str().into(), id: payment.to_owned() }.gift_id().into()
}

fn read(row: &StagedGift) -> PaymentFacts {
    PaymentFacts::read(&Value::Object(row.raw_payload().unwrap_or_default()))
}

/// Keeps a fact about a payment
pub(crate) async fn keep(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    fact: &PaymentFact,
) -> Result<(), Error> {
    let id = note_id(provider, payment);
    for _ in 0..TRIES {
        let row = match store::find(cx, ROW.plural, &id).await? {
            Some(record) => StagedGift::new(record),
            None => match store::make(cx, ROW, fresh(provider, payment, &id, fact)).await? {
                Made::New(_) | Made::Gone => return Ok(()),
                Made::Repeat(record) => StagedGift::new(record),
            },
        };
        let mut note = read(&row);
        if !note.add(fact.clone()) {
            return Ok(());
        }
        let mut body = Map::new();
        body.insert("rawPayload".into(), note.to_json().to_string().into());
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
                "processingBlockers": ["amount_missing"],
            }),
        );
    }
    body.insert("rawPayload".into(), note.to_json().to_string().into());
    body
}

/// The gift of a payment: by the id that follows from it, else by what is written on it
pub(crate) async fn gift_of(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
) -> Result<Option<Value>, Error> {
    let mut ways = vec![Filter::IdIs("id".into(), gift_id(provider, payment))];
    ways.extend(payment.parse().ok().map(|payment| Filter::TextIs("providerPaymentId".into(), payment)));
    Ok(store::list(cx, GIFT.plural, &Filter::Or(ways), 2, None).await?.into_iter().next())
}

/// The payment by which an invoice was paid goes on the gift, or on a note until there is one
pub(crate) async fn alias(
    cx: &RequestContext<'_>,
    provider: Provider,
    invoice: &str,
    payment: &str,
) -> Result<(), Error> {
    if rename(cx, provider, invoice, payment).await? {
        return Ok(());
    }
    let fact = PaymentFact { kind: Kind::Alias, id: payment.to_owned(), at: 0, holds: true, money: None };
    keep(cx, provider, invoice, &fact).await?;
    rename(cx, provider, invoice, payment).await.map(drop)
}

async fn rename(cx: &RequestContext<'_>, provider: Provider, invoice: &str, payment: &str) -> Result<bool, Error> {
    let id = gift_id(provider, invoice);
    let Some(record) = store::find(cx, GIFT.plural, &id.to_string()).await?.filter(|record| !store::is_deleted(record))
    else {
        return Ok(false);
    };
    if record.get("providerPaymentId").and_then(Value::as_str) != Some(payment) {
        let body = json!({ "providerPaymentId": payment });
        cx.call(Target::update(GIFT.plural, id), Some(body)).await?;
    }
    apply(cx, provider, payment, &record).await?;
    Ok(true)
}

/// Sets on a gift what is noted of its payment, by all of its names
pub(crate) async fn settle(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    record: &Value,
) -> Result<(), Error> {
    let note = apply(cx, provider, payment, record).await?;
    for alias in note.aliases() {
        rename(cx, provider, payment, alias).await?;
    }
    Ok(())
}

/// The same for a gift that was made without a provider asking: a reviewer let it go
pub(crate) async fn settle_gift(cx: &RequestContext<'_>, gift: &Gift, record: &Value) -> Result<(), Error> {
    let provider = match gift.provider.as_deref() {
        Some("stripe") => Provider::Stripe,
        Some("gocardless") => Provider::GoCardless,
        _ => return Ok(()),
    };
    match &gift.provider_payment_id {
        Some(payment) => settle(cx, provider, payment, record).await,
        None => Ok(()),
    }
}

async fn apply(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    record: &Value,
) -> Result<PaymentFacts, Error> {
    let id = note_id(provider, payment);
    let mut record = record.clone();
    let mut known = None;
    for _ in 0..TRIES {
        let note = store::find(cx, ROW.plural, &id).await?.map(|row| read(&StagedGift::new(row))).unwrap_or_default();
        // Whoever wrote last reads last: nobody can leave an older sum behind.
        if known.as_ref() == Some(&note) || !note.is_about_money() {
            return Ok(note);
        }
        if let Some(body) = changes(cx, &note, &record) {
            let gift = store::id_of(record.get("id").and_then(Value::as_str).unwrap_or_default())?;
            let answer = cx.call(Target::update(GIFT.plural, gift), Some(body)).await?;
            match store::take_data(answer, "updateGift") {
                Some(updated) => record = updated,
                None => return Err(Error::malformed("updateGift")),
            }
        }
        if cx.state.settings.gift_aid {
            gift_aid::restore(cx, &record).await?;
        }
        known = Some(note);
    }
    Err(Error::raced())
}

fn changes(cx: &RequestContext<'_>, note: &PaymentFacts, record: &Value) -> Option<Value> {
    let amount = Money::read("amount", record.get("amount")?).ok()?;
    let context = record.get("recurringMetadata");
    let confirmed = context.and_then(|context| context.get("confirmedAt")).and_then(Value::as_str);
    let confirmed_at = confirmed.and_then(Timestamp::parse).map(Timestamp::as_millis);
    let refunded = note.refunded(&amount, confirmed_at);
    let micros = record.pointer("/refundedAmount/amountMicros").and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "amounts are below 2^53")]
    let is_set = (micros.unwrap_or(0.0) - refunded.micros as f64).abs() < 0.5;
    let date = refunded.at.map(|at| Timestamp::from_millis(at).to_string());
    let known_date = record.get("refundDate").and_then(Value::as_str).and_then(Timestamp::parse);
    if is_set && known_date.map(Timestamp::as_millis) == refunded.at {
        return None;
    }
    let mut body = Map::new();
    body.insert(
        "refundedAmount".into(),
        Money { amount_micros: refunded.micros, currency_code: amount.currency_code }.to_json(),
    );
    body.insert("refundDate".into(), date.into());
    if cx.state.settings.gift_aid && refunded.micros > 0 {
        body.insert("giftAidStatus".into(), "NOT_CLAIMABLE".into());
        body.insert("giftAidReasonCode".into(), gift_aid::REFUNDED.into());
    }
    cx.log(Level::Info, "refund_applied", &[("refundedMicros", refunded.micros.into())]);
    Some(Value::Object(body))
}
