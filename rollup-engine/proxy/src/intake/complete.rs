//! What another event of the same payment adds: each event tells a part, and what is blank so far is filled.
//!
//! What is there stays: staff may have corrected it.

use serde_json::{Map, Value};
use twenty::target::Target;

use super::donor::{self, DonorPolicy};
use super::store::{self, GIFT};
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::gift::Gift;
use fundraising::keys::Key;

/// What a payment is for and to which agreement it belongs, by the names of the fields
const PLACES: [&str; 9] = [
    "recurringAgreementId",
    "recurringStatus",
    "providerAgreementId",
    "appealId",
    "appealSegmentId",
    "fundId",
    "opportunityId",
    "trackingCodeId",
    "giftPayoutId",
];
/// Who gave, as it was told
const NAMES: [&str; 3] = ["donorFirstName", "donorLastName", "donorEmail"];

fn is_blank(record: &Map<String, Value>, key: &str) -> bool {
    record.get(key).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty())
}

/// What a gift tells that a record or a staged gift does not say; `tells_method` if it knows the real way of payment
pub(crate) fn missing(known: &Map<String, Value>, told: &Gift, tells_method: bool) -> Map<String, Value> {
    let told = told.to_json();
    let mut filled = Map::new();
    let is_nobody = ["donorId", "companyId"].iter().all(|key| is_blank(known, key));
    let email = |members: &Map<String, Value>| members.get("donorEmail").and_then(Value::as_str).map(str::to_lowercase);
    let is_other = !is_blank(known, "donorEmail") && !is_blank(&told, "donorEmail") && email(known) != email(&told);
    let is_nameless = is_nobody && !is_other && NAMES.iter().take(2).all(|key| is_blank(known, key));
    let people = NAMES
        .into_iter()
        .filter(|key| is_nameless && is_blank(known, key))
        .chain(["donorId"].into_iter().filter(|_| is_nobody));
    let has_method = told.contains_key("paymentMethod") && known.get("paymentMethod") != told.get("paymentMethod");
    let method = Some("paymentMethod").filter(|key| has_method && (tells_method || is_blank(known, key)));
    for key in people.chain(PLACES.into_iter().filter(|key| is_blank(known, key))).chain(method) {
        if let Some(value) = told.get(key) {
            filled.insert(key.into(), value.clone());
        }
    }
    filled
}

/// Fills what a gift does not say
///
/// # Errors
/// Whatever Twenty says; the event comes again.
pub(crate) async fn gift(
    cx: &RequestContext<'_>,
    record: Value,
    told: &Gift,
    tells_method: bool,
) -> Result<Value, Error> {
    let Some(known) = record.as_object() else { return Ok(record) };
    let mut body = missing(known, told, tells_method);
    // A workspace that left a field out has no such key in its records.
    body.retain(|key, _| known.contains_key(key));
    if let Some(donor) = body.get("donorId").and_then(Value::as_str).map(str::to_owned)
        && donor::is_in_trash(cx, &donor).await?
    {
        body.remove("donorId");
        // The look-up at intake may have told so.
        if !cx.warnings().contains(&"donor_in_trash") {
            cx.warn("donor_in_trash");
        }
    }
    if known.contains_key("donorId")
        && NAMES.iter().any(|key| body.contains_key(*key))
        && !body.contains_key("donorId")
        && let Some(key) = Key::of(told, None)
    {
        let email = known.get("donorEmail").and_then(Value::as_str).filter(|_| !is_blank(known, "donorEmail"));
        let mut told = Gift { donor_email: told.donor_email.clone().or(email.map(str::to_owned)), ..told.clone() };
        donor::resolve(cx, &mut told, &key, DonorPolicy::SettlePayment).await?;
        if let Some(donor) = told.donor_id {
            body.insert("donorId".into(), donor.into());
        }
    }
    if body.is_empty() {
        return Ok(record);
    }
    let id = store::id_of(record.get("id").and_then(Value::as_str).unwrap_or_default())?;
    let answer = cx.call(Target::update(GIFT.plural, id), Some(body.into())).await?;
    store::take_data(answer, "updateGift").ok_or_else(|| Error::malformed("updateGift"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(known: &Value, tells_method: bool) -> Value {
        let told = Gift {
            donor_first_name: Some("Ada".into()),
            donor_email: Some("ada@example.org".into()),
            recurring_agreement_id: Some("a".into()),
            payment_method: Some("apple_pay".into()),
            notes: Some("n".into()),
            ..Gift::default()
        };
        missing(known.as_object().unwrap(), &told, tells_method).into()
    }

    #[test]
    fn blanks_are_filled_and_the_rest_stays() {
        let all = json!({ "donorFirstName": "Ada", "donorEmail": "ada@example.org", "recurringAgreementId": "a",
            "paymentMethod": "apple_pay" });
        assert_eq!(filled(&json!({ "donorId": null, "donorLastName": " " }), false), all);
        let known = json!({ "donorId": "p", "paymentMethod": "card", "recurringAgreementId": "b" });
        assert_eq!(filled(&known, false), json!({}));
        assert_eq!(filled(&known, true), json!({ "paymentMethod": "apple_pay" }));
        let address = json!({ "donorEmail": "Ada@example.org", "paymentMethod": "card", "recurringAgreementId": "b" });
        assert_eq!(filled(&address, false), json!({ "donorFirstName": "Ada" }), "the address is theirs");
        let other = json!({ "donorEmail": "bea@example.org", "paymentMethod": "card", "recurringAgreementId": "b" });
        assert_eq!(filled(&other, false), json!({}), "the address is another's");
        let named = json!({ "donorLastName": "Byron", "paymentMethod": "apple_pay", "recurringAgreementId": "b" });
        assert_eq!(filled(&named, true), json!({}), "somebody else is named");
    }
}
