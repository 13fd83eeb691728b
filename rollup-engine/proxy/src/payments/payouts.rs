//! Payouts of payment providers, and the gifts that they brought.

use ports::{Level, Timestamp};
use serde_json::{Map, Value, json};
use twenty::target::Target;

use super::staged;
use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::{columns, store};
use crate::payment_facts;
use crate::payout_amounts::{self, PAYOUT};
use fundraising::gift::plausible;
use fundraising::keys::Key;
use fundraising::provider::{Payout, PayoutState, Provider};
use fundraising::staging::State;

/// Records a payout; its id, unless somebody deleted it
pub(super) async fn record(cx: &RequestContext<'_>, payout: &Payout) -> Result<Option<String>, Error> {
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
            facts.insert("confirmedAt".into(), Timestamp::from_millis(cx.instant_or_now(payout.at)).to_string().into());
        }
        PayoutState::Failed => {
            facts.insert("status".into(), "variance".into());
            let reason = payout.reason.as_deref().unwrap_or("the payout did not arrive");
            facts.insert("varianceReason".into(), reason.into());
        }
    }
    // Days that nobody can mean are left out, and somebody is to look.
    if let Err(refusal) = plausible::days(&facts, cx.now()) {
        facts.remove("depositDate");
        facts.insert("status".into(), "variance".into());
        facts.insert("varianceReason".into(), refusal.message.into());
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
pub(super) async fn paid_out(
    cx: &RequestContext<'_>,
    provider: Provider,
    payment: &str,
    payout: String,
) -> Result<(), Error> {
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
        let Some(id) = record(cx, &announced).await? else { return Ok(()) };
        if let (None, Some(gift)) = (linked, gift.get("id").and_then(Value::as_str)) {
            let gift = Target::update(store::GIFT.plural, store::id_of(gift)?);
            cx.call(gift, Some(json!({ "giftPayoutId": id }))).await?;
        }
        if linked.is_none_or(|linked| linked == id) {
            payout_amounts::update(cx, store::id_of(&id)?).await?;
        }
        return Ok(());
    }
    let Some(id) = record(cx, &announced).await? else { return Ok(()) };
    staged::change_row(cx, provider, payment, |row| {
        if row.state() == State::Processed || row.text("giftPayoutId").is_some() {
            return None;
        }
        let payload = row.raw_payload().unwrap_or_default();
        Some((columns::changed(payload, "giftPayoutId", &id), "payout_linked"))
    })
    .await
}
