//! Gift Aid on a gift in Twenty: what the rules look at is read, and what they decide is written.

use ports::Timestamp;
use ports::time::parse_date;
use serde_json::Value;
use twenty::filter::Filter;
use twenty::target::Target;

use super::store;
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::gift::{Gift, stored};
use fundraising::gift_aid::{self as rules, Declaration};

/// Reason on a gift of which money went back
pub(crate) const REFUNDED: &str = "gift_refunded_or_reversed";

/// Decides anew about a gift whose refund was undone, or whose dispute was won.
///
/// # Errors
/// See [`Error`]; the next time decides.
pub(crate) async fn restore(cx: &RequestContext<'_>, record: &Value) -> Result<(), Error> {
    let reason = record.get("giftAidReasonCode").and_then(Value::as_str);
    let Some(members) = record.as_object().filter(|_| reason == Some(REFUNDED) && !is_refunded(record)) else {
        return Ok(());
    };
    decide(cx, &stored::read_any(members), record).await
}

/// Whether money of the gift went back
fn is_refunded(record: &Value) -> bool {
    record.pointer("/refundedAmount/amountMicros").and_then(Value::as_f64).is_some_and(|micros| micros > 0.0)
}

/// Decides about Gift Aid and sets it on the gift, unless a person decided, it was claimed, or money went back
///
/// # Errors
/// See [`Error`]; the next time decides.
pub(crate) async fn decide(cx: &RequestContext<'_>, gift: &Gift, record: &Value) -> Result<(), Error> {
    let text = |key: &str| record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let settled = text("giftAidDecisionSource") == Some("MANUAL_OVERRIDE")
        || text("giftAidClaimBatchId").is_some()
        || is_refunded(record);
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
        is_relieved: rules::is_relieved(means.into_iter().flatten().map(String::as_str)),
        is_other_name: false,
        donor,
        has_names: true,
        date: gift.gift_date.as_deref().and_then(parse_date),
        requested: gift.gift_aid_eligible == Some(true),
        explicit: text("giftAidDeclarationId"),
        declarations: &declarations,
    };
    let Some(mut outcome) = rules::decide(&question) else { return Ok(()) };
    if outcome.status == rules::Status::Claimable
        && let Some(decided) = rules::decide(&rules::Question { has_names: has_names(cx, donor).await?, ..question })
    {
        outcome = decided;
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

/// Whether both names stand on the donor's record: a claim names its donors by them
async fn has_names(cx: &RequestContext<'_>, donor: Option<&str>) -> Result<bool, Error> {
    let Some(donor) = donor else { return Ok(false) };
    let person = store::find(cx, store::PERSON.plural, donor).await?.unwrap_or_default();
    let name = |part: &str| person.pointer(part).and_then(Value::as_str).is_some_and(|name| !name.trim().is_empty());
    Ok(name("/name/firstName") && name("/name/lastName"))
}
