//! From the body of an intake request to a gift, or to the one fault that the caller is told.
//!
//! The order of the checks is part of the contract: an object, an amount, each member in the order sent, the amount's
//! parts, and last who gave. Unknown members are dropped without a word. Whether the values can be true is left to
//! `plausible`.

use serde_json::{Value, json};

use super::Gift;
use crate::client_error::ClientError;
use crate::money::{Money, require_whole_minor_units};
use crate::payload::Payload;

/// How a gift is taken in
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Straight into Twenty's gifts: it must say who gave
    Direct,
    /// Into staging by the gift route: a gap about the donor becomes a blocker there, it is not refused here
    GiftRoute,
    /// From a payment provider: neither a gap about the donor nor one about the amount may lose a payment
    Event,
    /// Into staging by the staging route, which also takes the donor's id, names and address
    Staging,
}

/// Keys about the donor that only the staging route takes
pub(super) const STAGING_ONLY: [&str; 4] = ["donorId", "donorFirstName", "donorLastName", "donorEmail"];

/// Reads the body of `POST /gifts` or `POST /gift-staging`
///
/// A contact's names and address become those of the donor; `contactId` becomes the donor's id unless there is one.
/// With a company and an organisation's intent, both are dropped.
///
/// # Examples
///
/// ```
/// use fundraising::gift::create::{Intake, read};
/// use fundraising::payload::Payload;
///
/// let body = br#"{"amount":{"amountMicros":25000000,"currencyCode":"GBP"},"contactId":"7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10"}"#;
/// let gift = read(&Payload::parse(body).unwrap(), Intake::Direct).unwrap();
/// assert_eq!(gift.amount.amount_micros, 25_000_000);
/// assert_eq!(read(&Payload::parse(b"{}").unwrap(), Intake::Direct).unwrap_err().message, "amount is required");
/// ```
///
/// # Errors
/// The first fault in the contract's order.
pub fn read(payload: &Payload, intake: Intake) -> Result<Gift, ClientError> {
    let amount = payload.get("amount");
    if amount.is_none() && intake != Intake::Event {
        return Err(ClientError::bad("amount is required"));
    }
    let mut gift = Gift::default();
    let mut contact = Contact::default();
    let mut gift_aid = None;
    for (key, value) in payload.iter() {
        match key {
            "amount" => {}
            "contact" => contact.read(value)?,
            "contactId" => contact.id = text(key, value)?,
            "giftAid" => gift_aid = value.get("claimedBy").filter(|by| by.is_string()),
            _ if STAGING_ONLY.contains(&key) && !matches!(intake, Intake::Staging | Intake::Event) => {}
            _ => member(&mut gift, key, value)?,
        }
    }
    if let Some(amount) = amount {
        gift.amount = Money::read("amount", amount)?;
        // A payment was made whatever its provider says of it: there it is a question.
        if intake != Intake::Event {
            require_whole_minor_units("amount", amount)?;
        }
    }
    if let Some(claimed_by) = gift_aid {
        // The gift keeps it with its context, for whenever it is decided about anew.
        gift.change_context(|context| drop(context.insert("giftAid".into(), json!({ "claimedBy": claimed_by }))));
    }
    identify(&mut gift, contact, intake)?;
    gift.intake_source.get_or_insert_with(|| "manual_ui".into());
    Ok(gift)
}

fn member(gift: &mut Gift, key: &str, value: &Value) -> Result<(), ClientError> {
    match key {
        "feeAmount" if value.is_null() => {}
        "feeAmount" => {
            gift.fee_amount = Some(Money::read(key, value)?);
            require_whole_minor_units(key, value)?;
        }
        "estimatedValue" => match value {
            Value::Number(number) => gift.estimated_value = Some(number.clone()),
            _ => return Err(ClientError::bad("estimatedValue must be a number")),
        },
        "giftAidEligible" => gift.gift_aid_eligible = Some(flag(key, value)?),
        "autoProcess" => gift.auto_process = Some(flag(key, value)?),
        "isInKind" => gift.is_in_kind = Some(flag(key, value)?),
        "supporterEmailOptOut" => gift.email_opt_out = Some(flag(key, value)?),
        "providerContext" => gift.provider_context = context(value)?,
        "recurringMetadata" => match value {
            Value::Null => {}
            Value::Object(members) => gift.recurring_metadata = Some(members.clone()),
            _ => return Err(ClientError::bad("recurringMetadata must be an object")),
        },
        _ => {
            if let Some(place) = gift.text_mut(key) {
                *place = text(key, value)?;
            }
        }
    }
    Ok(())
}

/// Texts of several lines; of all others tabs and line ends are no part
const OF_SEVERAL_LINES: [&str; 4] = ["notes", "description", "inKindDescription", "refundNote"];

/// Trimmed; nothing if blank
pub(super) fn text(key: &str, value: &Value) -> Result<Option<String>, ClientError> {
    let text = value.as_str().ok_or_else(|| ClientError::bad(format!("{key} must be a string")))?;
    Ok(if OF_SEVERAL_LINES.contains(&key) { non_blank(text) } else { one_line(text) })
}

/// Trimmed, without tabs and line ends; nothing if blank
fn one_line(text: &str) -> Option<String> {
    non_blank(&text.replace(['\t', '\n', '\r'], ""))
}

/// Trimmed; nothing if blank
pub(super) fn non_blank(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Nothing but `true` and `false`
pub(super) fn flag(key: &str, value: &Value) -> Result<bool, ClientError> {
    value.as_bool().ok_or_else(|| ClientError::bad(format!("{key} must be a boolean")))
}

/// An object, also one written as text; any other text is kept as evidence
pub(super) fn context(value: &Value) -> Result<Option<Value>, ClientError> {
    match value {
        Value::Null => Ok(None),
        Value::Object(_) => Ok(Some(value.clone())),
        Value::String(text) => match serde_json::from_str(text).ok() {
            Some(members) => Ok(Some(Value::Object(members))),
            None => Ok(non_blank(text).map(Value::String)),
        },
        _ => Err(ClientError::bad("providerContext must be an object or JSON string")),
    }
}

/// Who gave, as the caller put it
#[derive(Default)]
struct Contact {
    id: Option<String>,
    person: Option<Person>,
}

struct Person {
    first_name: String,
    last_name: String,
    email: Option<String>,
}

impl Contact {
    /// An inline contact; what is no object counts as none.
    fn read(&mut self, value: &Value) -> Result<(), ClientError> {
        let Some(members) = value.as_object() else { return Ok(()) };
        let part = |key: &str| members.get(key).and_then(Value::as_str).and_then(one_line);
        let email = part("email");
        if members.contains_key("email") && email.is_none() {
            return Err(ClientError::bad("contact.email, if provided, must be a non-empty string"));
        }
        let (Some(first_name), Some(last_name)) = (part("firstName"), part("lastName")) else {
            return Err(ClientError::bad(
                "contact.firstName and contact.lastName are required when creating a gift contact",
            ));
        };
        self.person = Some(Person { first_name, last_name, email });
        Ok(())
    }
}

fn identify(gift: &mut Gift, contact: Contact, intake: Intake) -> Result<(), ClientError> {
    if gift.is_organisational() {
        if gift.company_id.is_some() {
            return Ok(());
        }
        if intake == Intake::Direct {
            return Err(ClientError::bad("companyId is required when giftIntent is grant or corporateInKind"));
        }
    } else if intake == Intake::Direct && contact.id.is_none() && contact.person.is_none() {
        return Err(ClientError::bad(
            "contact or contactId is required unless giftIntent is grant or corporateInKind with companyId",
        ));
    }
    if let Some(person) = contact.person {
        gift.donor_first_name = Some(person.first_name);
        gift.donor_last_name = Some(person.last_name);
        gift.donor_email = person.email;
    }
    gift.donor_id = gift.donor_id.take().or(contact.id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AMOUNT: &str = r#""amount":{"amountMicros":25000000,"currencyCode":"GBP"}"#;

    fn take(body: &str, intake: Intake) -> Result<Gift, String> {
        let payload = Payload::parse(body.as_bytes()).map_err(|refusal| refusal.message)?;
        read(&payload, intake).map_err(|refusal| refusal.message)
    }

    fn direct(members: &str) -> Result<Gift, String> {
        take(&format!("{{{AMOUNT},{members}}}"), Intake::Direct)
    }

    #[test]
    fn each_fault_has_its_message() {
        for (members, expected) in [
            (r#""contactId":null"#, "contactId must be a string"),
            (r#""contactId":"p","giftDate":20260201"#, "giftDate must be a string"),
            (r#""contactId":"p","estimatedValue":"5""#, "estimatedValue must be a number"),
            (r#""contactId":"p","isInKind":null"#, "isInKind must be a boolean"),
            (r#""contactId":"p","giftAidEligible":1"#, "giftAidEligible must be a boolean"),
            (r#""contactId":"p","autoProcess":"true""#, "autoProcess must be a boolean"),
            (r#""contactId":"p","providerContext":7"#, "providerContext must be an object or JSON string"),
            (r#""contactId":"p","providerContext":[]"#, "providerContext must be an object or JSON string"),
            (r#""contactId":"p","recurringMetadata":[1]"#, "recurringMetadata must be an object"),
            (r#""contactId":"p","recurringMetadata":"{}""#, "recurringMetadata must be an object"),
            (r#""contactId":"p","feeAmount":{"currencyCode":"GBP"}"#, "feeAmount.amountMicros is required"),
            (
                r#""contactId":"p","feeAmount":{"currencyCode":"GBP","amountMicros":5}"#,
                "feeAmount.amountMicros must be a whole number of GBP's smallest unit",
            ),
            (
                r#""contact":{"firstName":"Ada"}"#,
                "contact.firstName and contact.lastName are required when creating a gift contact",
            ),
            (r#""contact":{"email":null}"#, "contact.email, if provided, must be a non-empty string"),
            (
                r#""contact":"Ada Byron""#,
                "contact or contactId is required unless giftIntent is grant or corporateInKind with companyId",
            ),
            (
                r#""giftIntent":"corporateInKind","contactId":"p""#,
                "companyId is required when giftIntent is grant or corporateInKind",
            ),
        ] {
            assert_eq!(direct(members).unwrap_err(), expected, "{members}");
        }
    }

    #[test]
    fn the_first_fault_in_the_order_sent_is_told() {
        assert_eq!(direct(r#""notes":1,"giftDate":2"#).unwrap_err(), "notes must be a string");
        assert_eq!(direct(r#""giftDate":2,"notes":1"#).unwrap_err(), "giftDate must be a string");
        let take = |body| take(body, Intake::Direct).unwrap_err();
        assert_eq!(take(r#"{"notes":1}"#), "amount is required");
        assert_eq!(take(r#"{"amount":null,"notes":1}"#), "notes must be a string");
        assert_eq!(take(r#"{"amount":null}"#), "amount must be an object");
        assert_eq!(
            take(r#"{"amount":{"amountMicros":"5","currencyCode":"GBP"}}"#),
            "amount.amountMicros must be numeric"
        );
    }

    #[test]
    fn texts_are_trimmed_blanks_dropped() {
        let gift = direct(
            r#""contactId":" p ","notes":" by phone ","giftDate":"","donorId":"d","receiptStatus":"sent","x":[]"#,
        );
        assert_eq!(
            gift.unwrap(),
            Gift {
                amount: Money { amount_micros: 25_000_000, currency_code: "GBP".into() },
                donor_id: Some("p".into()),
                notes: Some("by phone".into()),
                intake_source: Some("manual_ui".into()),
                ..Gift::default()
            }
        );
    }

    #[test]
    fn contact_names_and_explicit_id() {
        let gift = direct(r#""contact":{"firstName":" Ada ","lastName":"Byron","email":" a@b.example "}"#).unwrap();
        assert_eq!(gift.donor_first_name.as_deref(), Some("Ada"));
        assert_eq!(gift.donor_email.as_deref(), Some("a@b.example"));
        assert_eq!(gift.donor_id, None);
        let gift = direct(r#""contactId":"p","contact":{"firstName":"Ada","lastName":"Byron"}"#).unwrap();
        assert_eq!(gift.donor_id.as_deref(), Some("p"));
        assert!(gift.has_name());
    }

    #[test]
    fn an_organisations_gift_has_no_person() {
        let gift = direct(
            r#""giftIntent":"grant","companyId":" c ","contactId":"x","contact":{"firstName":"I","lastName":"N"}"#,
        )
        .unwrap();
        assert_eq!((gift.company_id.as_deref(), gift.donor_id, gift.donor_first_name), (Some("c"), None, None));
    }

    #[test]
    fn staging_takes_gifts_of_unknown_givers() {
        for intake in [Intake::GiftRoute, Intake::Staging] {
            assert_eq!(take(&format!("{{{AMOUNT}}}"), intake).unwrap().donor_id, None);
            assert!(take(&format!("{{{AMOUNT},\"giftIntent\":\"grant\"}}"), intake).is_ok());
        }
        let body =
            format!(r#"{{{AMOUNT},"donorId":" d ","contactId":"c","donorFirstName":" Ada ","donorLastName":""}}"#);
        let gift = take(&body, Intake::Staging).unwrap();
        assert_eq!((gift.donor_id.as_deref(), gift.donor_first_name.as_deref()), (Some("d"), Some("Ada")));
        assert_eq!(gift.donor_last_name, None);
        assert_eq!(take(&body, Intake::GiftRoute).unwrap().donor_id.as_deref(), Some("c"));
    }

    #[test]
    fn provider_context_as_json_text() {
        let context = |text| direct(&format!(r#""contactId":"p","providerContext":{text}"#)).unwrap().provider_context;
        assert_eq!(context(r#""{\"mandateId\":\"MD1\"}""#), Some(json!({ "mandateId": "MD1" })));
        assert_eq!(context(r#"" [1] ""#), Some(json!("[1]")));
        assert_eq!(context("null"), None);
        assert_eq!(context("\" \""), None);
    }

    /// What an importer says of a platform's claim is kept with the gift's context.
    #[test]
    fn claims_of_platforms() {
        for (members, expected) in [
            (r#""giftAid":{"claimedBy":"platform"}"#, true),
            (r#""giftAid":{"claimedBy":"Account"},"providerContext":{"a":1}"#, true),
            (r#""providerContext":{"giftAid":{"claimedBy":"platform"}}"#, true),
            (r#""giftAid":{"claimedBy":null}"#, false),
            (r#""giftAid":{"claimedBy":"charity"}"#, false),
            (r#""giftAid":true"#, false),
        ] {
            let gift = direct(&format!(r#""contactId":"p",{members}"#)).unwrap();
            assert_eq!(gift.is_claimed_elsewhere(), expected, "{members}");
            let record = gift.to_record(&crate::receipt::Receipt::default());
            let stored = crate::gift::stored::read_any(&record);
            assert_eq!(stored.is_claimed_elsewhere(), expected, "{members}, as it is stored");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(key in "contact|contactId|amount|feeAmount|giftDate|isInKind|providerContext|\\PC{0,8}",
                          value in "null|true|-?[0-9]{1,40}(\\.[0-9]{1,9})?|\"\\PC{0,9}\"|\\[\\]|\\{\\}|\\{\"email\":1\\}") {
            for intake in [Intake::Direct, Intake::GiftRoute, Intake::Staging] {
                let _ = take(&format!("{{{AMOUNT},\"{key}\":{value}}}"), intake);
            }
        }
    }
}
