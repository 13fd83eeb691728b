//! Gift Aid on a gift in Twenty: what the rules look at is read, and what they decide is written.

use ports::Timestamp;
use ports::time::parse_date;
use serde_json::{Map, Value};
use twenty::filter::Filter;
use twenty::target::Target;

use super::store;
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::gift::{Gift, stored};
use fundraising::gift_aid::{self as rules, Declaration};
use fundraising::names::is_clearly_other;

/// Reason on a gift of which money went back
const REFUNDED: &str = "gift_refunded_or_reversed";

/// Decides anew about a gift whose refund was undone, or whose dispute was won.
///
/// # Errors
/// See [`Error`]; the next time decides.
pub(crate) async fn restore(cx: &RequestContext<'_>, record: &Value) -> Result<(), Error> {
    let reason = record.get("giftAidReasonCode").and_then(Value::as_str);
    let Some(members) = record.as_object().filter(|members| reason == Some(REFUNDED) && !is_refunded(members)) else {
        return Ok(());
    };
    decide(cx, &stored::read_any(members), record, false).await
}

/// Whether money of the gift went back
pub(crate) fn is_refunded(record: &Map<String, Value>) -> bool {
    let refunded = record.get("refundedAmount").and_then(|money| money.get("amountMicros"));
    refunded.and_then(Value::as_f64).is_some_and(|micros| micros > 0.0)
}

/// What a gift says once money of it went back
pub(crate) fn revoke(body: &mut Map<String, Value>) {
    body.insert("giftAidStatus".into(), "NOT_CLAIMABLE".into());
    body.insert("giftAidReasonCode".into(), REFUNDED.into());
}

/// Decides about Gift Aid and sets it on the gift, unless a person decided, it was claimed, or money went back
///
/// `is_described` says that the donor was found by what the gift says of them, and not named by id.
///
/// # Errors
/// See [`Error`]; the next time decides.
pub(crate) async fn decide(
    cx: &RequestContext<'_>,
    gift: &Gift,
    record: &Value,
    is_described: bool,
) -> Result<(), Error> {
    let text = |key: &str| record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let settled = text("giftAidDecisionSource") == Some("MANUAL_OVERRIDE")
        || text("giftAidClaimBatchId").is_some()
        || record.as_object().is_some_and(is_refunded);
    let Some(id) = text("id").filter(|_| !settled) else { return Ok(()) };
    let donor = gift.donor_id.as_deref();
    let declarations = match donor {
        Some(donor) => {
            let filter = Filter::IdIs("personId".into(), store::id_of(donor)?);
            store::list(cx, "giftAidDeclarations", &filter, 60, None).await?
        }
        None => Vec::new(),
    };
    let day_of = |instant: &str| cx.day_of(Timestamp::parse(instant)?);
    let declarations: Vec<_> = declarations.iter().filter_map(|record| Declaration::read(record, day_of)).collect();
    let means = [&gift.payment_method, &gift.intake_source, &gift.provider];
    let question = rules::Question {
        enabled: true,
        gift_type: text("giftType"),
        is_no_donation: gift.is_organisational() || gift.is_in_kind == Some(true),
        is_relieved: gift.is_claimed_elsewhere() || rules::is_relieved(means.into_iter().flatten().map(String::as_str)),
        is_other_name: false,
        donor,
        has_names: true,
        date: gift.gift_date.as_deref().and_then(parse_date),
        requested: gift.gift_aid_eligible == Some(true),
        explicit: text("giftAidDeclarationId"),
        declarations: &declarations,
    };
    let Some(mut outcome) = rules::decide(&question) else { return Ok(()) };
    if let (rules::Status::Claimable, Some(donor)) = (outcome.status, donor) {
        let person = store::find(cx, store::PERSON.plural, donor).await?.unwrap_or_default();
        // A payer's name, and a name that led to its donor; a caller who names the donor by id has said who gave.
        let is_compared =
            is_described || gift.provider.is_some() || text("giftAidReasonCode") == Some(rules::OTHER_NAME);
        let is_other_name = is_compared && is_other_name(cx, gift, &person);
        let has_names = has_texts(&person, ["/name/firstName", "/name/lastName"]);
        outcome = rules::decide(&rules::Question { has_names, is_other_name, ..question }).unwrap_or(outcome);
        // A workspace may keep addresses elsewhere.
        let lacks_address = person.get("mailingAddress").is_some()
            && !has_texts(&person, ["/mailingAddress/addressStreet1", "/mailingAddress/addressPostcode"]);
        if outcome.status == rules::Status::Claimable && lacks_address {
            cx.warn("gift_aid_address_missing");
        }
    }
    let mut body = outcome.to_json();
    let fields = ["giftAidStatus", "giftAidReasonCode"];
    if fields.iter().all(|key| record.get(*key) == body.get(*key)) {
        return Ok(());
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("giftAidLastEvaluatedAt".into(), cx.now().to_string().into());
    }
    cx.call(Target::update(store::GIFT.plural, store::id_of(id)?), Some(body)).await?;
    Ok(())
}

/// Whether the gift came under clearly another name than its donor's
fn is_other_name(cx: &RequestContext<'_>, gift: &Gift, person: &Value) -> bool {
    let given = [&gift.donor_first_name, &gift.donor_last_name].map(|name| name.as_deref().unwrap_or_default());
    let known = ["/name/firstName", "/name/lastName"].map(|part| person.pointer(part).and_then(Value::as_str));
    let known = known.map(Option::unwrap_or_default);
    is_clearly_other(given.into(), known.into(), cx.host)
}

/// Whether all of these stand on a record, and none is blank
fn has_texts(record: &Value, places: [&str; 2]) -> bool {
    let is_text =
        |place: &&str| record.pointer(place).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    places.iter().all(is_text)
}
