//! Whether a request repeats an earlier one: what is there under its key, and whether it says the same.
//!
//! An `Idempotency-Key` is the caller's own word, so that what comes under it is compared: who gave, how much, when and
//! for which campaign. What either request leaves out does not count. It is compared before a person is made or anything
//! is written. References of a source and payments of a provider are known by themselves: there, the amount and the day
//! must be the same, and the donor is not compared.

use ports::time::parse_date;
use serde_json::{Map, Value};
use twenty::filter::Filter;
use uuid::Uuid;

use super::origin::Channel;
use super::staged_gift::{REQUESTED, StagedGift};
use super::store::{self, GIFT, Object, PERSON, ROW};
use crate::context::RequestContext;
use crate::error::Error;
use crate::few;
use fundraising::client_error::ClientError;
use fundraising::donor::Candidate;
use fundraising::fingerprint;
use fundraising::gift::{Gift, stored};
use fundraising::keys::Key;
use fundraising::names::comparable;

/// What an earlier request with the same key left
pub(super) enum Earlier {
    Nothing,
    /// A row, under the ids of this key
    StagedGift(StagedGift, Key),
    /// A gift without a row, under the ids of this key
    Gift(Value, Key),
}

/// Looks for what an earlier request with the caller's `Idempotency-Key` made, also before keys were scoped by who calls
///
/// What is there under the unscoped key and says something else is another caller's: it is passed over.
///
/// # Errors
/// 409 if the same caller's earlier request said something else, and whatever Twenty says.
pub(super) async fn find(cx: &RequestContext<'_>, key: &Key, asked: &Gift, channel: Channel) -> Result<Earlier, Error> {
    let Some(unscoped) = key.unscoped().filter(|_| channel != Channel::Webhook) else { return Ok(Earlier::Nothing) };
    let mut keys = vec![key, &unscoped];
    if store::has_rows(cx).await {
        for record in of_ids(cx, ROW, keys.iter().map(|key| key.staging_id())).await? {
            let row = StagedGift::new(record);
            let Some(own) = keys.iter().copied().find(|key| row.id() == key.staging_id().to_string()) else { continue };
            let fields = row_differences(cx, own, asked, &row, channel).await?;
            if fields.is_empty() {
                return Ok(Earlier::StagedGift(row, own.clone()));
            }
            if own == key {
                return Err(conflict(key, fields).into());
            }
            keys.truncate(1);
        }
    }
    if channel == Channel::Staging {
        return Ok(Earlier::Nothing);
    }
    for record in of_ids(cx, GIFT, keys.iter().map(|key| key.gift_id())).await? {
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(own) = keys.iter().copied().find(|key| id == key.gift_id().to_string()) else { continue };
        let fields = gift_differences(cx, own, asked, &record, channel).await?;
        if fields.is_empty() {
            return Ok(Earlier::Gift(record, own.clone()));
        }
        if own == key {
            return Err(conflict(key, fields).into());
        }
    }
    Ok(Earlier::Nothing)
}

/// Records of these ids, also those in the trash; the first id's first
async fn of_ids(cx: &RequestContext<'_>, object: Object, ids: impl Iterator<Item = Uuid>) -> Result<Vec<Value>, Error> {
    let ids: Vec<Uuid> = ids.collect();
    let filter = Filter::And(vec![Filter::IdIn("id".into(), ids.clone()), Filter::with_deleted()]);
    let mut records = store::list(cx, object.plural, &filter, ids.len(), None).await?;
    few::sort(&mut records, |record| {
        ids.iter().position(|id| Some(id.to_string().as_str()) == record.get("id").and_then(Value::as_str))
    });
    Ok(records)
}

/// The refusal of a request whose key stands for another gift
pub(super) fn conflict(key: &Key, fields: Vec<&'static str>) -> ClientError {
    let named: Vec<String> = fields.iter().map(|field| format!("{} ({field})", word_for(field))).collect();
    let name = match key {
        Key::Request { .. } => "Idempotency-Key",
        _ => key.kind(),
    };
    let message = format!("another gift was taken in under the same {name}; what differs: {}", named.join(", "));
    ClientError::conflict_in(fields, message)
}

/// What a field is about
fn word_for(field: &str) -> &'static str {
    match field {
        "amount.amountMicros" => "amount",
        "amount.currencyCode" => "currency",
        "giftDate" => "date",
        "appealId" | "appealSegmentId" => "campaign",
        "recurringAgreementId" => "agreement",
        "sourceFingerprint" => "fingerprint",
        _ => "donor",
    }
}

/// What a request says otherwise than the one that made the row
pub(super) async fn row_differences(
    cx: &RequestContext<'_>,
    key: &Key,
    asked: &Gift,
    row: &StagedGift,
    channel: Channel,
) -> Result<Vec<&'static str>, Error> {
    let payload = row.raw_payload().unwrap_or_else(|_| row.rebuilt());
    let kept = stored::read_any(&payload);
    if !is_callers(key, channel) {
        let texts = kept.source_fingerprint.as_deref().zip(asked.source_fingerprint.as_deref());
        return Ok(texts.map(|(kept, asked)| fingerprint::differences(kept, asked)).unwrap_or_default());
    }
    let linked = [kept.donor_id.clone(), row.text("donorId").map(str::to_owned)];
    let then = match payload.get(REQUESTED).and_then(Value::as_object) {
        Some(requested) => stored::read_any(requested),
        None => fingerprint::as_requested(kept),
    };
    differences(cx, asked, &then, &linked, channel).await
}

/// What a request says otherwise than a gift that has no row
pub(super) async fn gift_differences(
    cx: &RequestContext<'_>,
    key: &Key,
    asked: &Gift,
    record: &Value,
    channel: Channel,
) -> Result<Vec<&'static str>, Error> {
    let then = record.as_object().map(stored::read_any).unwrap_or_default();
    if is_callers(key, channel) {
        return differences(cx, asked, &then, std::slice::from_ref(&then.donor_id), channel).await;
    }
    let mut fields = Vec::new();
    amounts(asked, &then, &mut fields);
    Ok(fields)
}

/// What is kept of a request, to compare later ones with
pub(super) fn kept(key: Option<&Key>, asked: &Gift, channel: Channel) -> Option<Map<String, Value>> {
    key.filter(|key| is_callers(key, channel))?;
    let content = Gift {
        amount: asked.amount.clone(),
        appeal_id: asked.appeal_id.clone(),
        appeal_segment_id: asked.appeal_segment_id.clone(),
        company_id: asked.company_id.clone(),
        donor_email: asked.donor_email.clone(),
        donor_first_name: asked.donor_first_name.clone(),
        donor_id: asked.donor_id.clone(),
        donor_last_name: asked.donor_last_name.clone(),
        gift_date: asked.gift_date.clone(),
        ..Gift::default()
    };
    Some(content.to_json())
}

/// Whether the key is a caller's own word
fn is_callers(key: &Key, channel: Channel) -> bool {
    matches!(key, Key::Request { .. }) && channel != Channel::Webhook
}

async fn differences(
    cx: &RequestContext<'_>,
    asked: &Gift,
    then: &Gift,
    linked: &[Option<String>],
    channel: Channel,
) -> Result<Vec<&'static str>, Error> {
    let mut fields = donor(cx, asked, then, linked, channel).await?;
    amounts(asked, then, &mut fields);
    let day = |gift: &Gift| gift.gift_date.clone().map(|text| parse_date(&text).ok_or(text));
    if both(day(asked), day(then)) {
        fields.push("giftDate");
    }
    if both(asked.appeal_id.as_ref(), then.appeal_id.as_ref()) {
        fields.push("appealId");
    }
    if both(asked.appeal_segment_id.as_ref(), then.appeal_segment_id.as_ref()) {
        fields.push("appealSegmentId");
    }
    Ok(fields)
}

/// Whether both are there and differ
fn both<T: PartialEq>(asked: Option<T>, then: Option<T>) -> bool {
    asked.zip(then).is_some_and(|(asked, then)| asked != then)
}

fn amounts(asked: &Gift, then: &Gift, fields: &mut Vec<&'static str>) {
    if !(asked.has_amount() && then.has_amount()) {
        return;
    }
    if asked.amount.amount_micros != then.amount.amount_micros {
        fields.push("amount.amountMicros");
    }
    if asked.amount.currency_code != then.amount.currency_code {
        fields.push("amount.currencyCode");
    }
}

/// Whether a request names another donor: by id, else by e-mail address, else by name
async fn donor(
    cx: &RequestContext<'_>,
    asked: &Gift,
    then: &Gift,
    linked: &[Option<String>],
    channel: Channel,
) -> Result<Vec<&'static str>, Error> {
    let has_person = |gift: &Gift| {
        gift.donor_id.is_some()
            || gift.donor_email.is_some()
            || gift.donor_first_name.is_some()
            || gift.donor_last_name.is_some()
    };
    if both(asked.company_id.as_ref(), then.company_id.as_ref()) {
        return Ok(vec!["companyId"]);
    }
    if !has_person(asked) {
        let is_persons = then.company_id.is_none() && (has_person(then) || linked.iter().any(Option::is_some));
        return Ok(if asked.company_id.is_some() && is_persons { vec!["companyId"] } else { Vec::new() });
    }
    let known = || linked.iter().chain([&then.donor_id]).flatten();
    if let Some(id) = &asked.donor_id {
        let is_same = known().any(|other| other.eq_ignore_ascii_case(id));
        let name = if channel == Channel::Staging { "donorId" } else { "contactId" };
        return Ok(if is_same { Vec::new() } else { vec![name] });
    }
    if then.donor_email.is_some() || then.donor_first_name.is_some() || then.donor_last_name.is_some() {
        let emails: Vec<&str> = then.donor_email.as_deref().into_iter().collect();
        return Ok(described(cx, asked, &emails, then.donor_first_name.as_deref(), then.donor_last_name.as_deref()));
    }
    // The earlier request gave an id, and this one describes a person.
    for id in known() {
        let Some(person) = store::find(cx, PERSON.plural, id).await? else { continue };
        let emails = Candidate::emails_of(&person);
        let emails: Vec<&str> = emails.iter().map(String::as_str).filter(|email| !email.trim().is_empty()).collect();
        let name = |key: &str| person.get("name")?.get(key)?.as_str();
        return Ok(described(cx, asked, &emails, name("firstName"), name("lastName")));
    }
    Ok(vec!["contact"])
}

/// What a description says otherwise than what is known of a person
fn described(
    cx: &RequestContext<'_>,
    asked: &Gift,
    emails: &[&str],
    first_name: Option<&str>,
    last_name: Option<&str>,
) -> Vec<&'static str> {
    let is_same = |one: &str, other: &str| comparable(one, cx.host) == comparable(other, cx.host);
    if let (Some(email), false) = (&asked.donor_email, emails.is_empty()) {
        let is_known = emails.iter().any(|known| is_same(known, email));
        return if is_known { Vec::new() } else { vec!["contact.email"] };
    }
    let mut fields = Vec::new();
    let names = [
        ("contact.firstName", asked.donor_first_name.as_deref(), first_name),
        ("contact.lastName", asked.donor_last_name.as_deref(), last_name),
    ];
    for (field, asked, known) in names {
        if asked.zip(known).is_some_and(|(asked, known)| !is_same(asked, known)) {
            fields.push(field);
        }
    }
    fields
}
