//! A gift as it is taken in: every field named and typed, texts trimmed, blanks gone.
//!
//! It holds what was said about the gift and judges nothing; `create` reads it from a request, `stored` from a staged
//! row, `update` reads a change of one, and `plausible` says what cannot be true.

pub mod create;
pub mod plausible;
pub mod stored;
pub mod update;

use serde_json::{Map, Number, Value};
use twenty::RecordId;

use crate::client_error::ClientError;
use crate::money::Money;
use twenty::object::object;

/// One table for the type, for reading and for writing, so that the three cannot drift apart.
macro_rules! gift {
    ($($(#[$doc:meta])* $field:ident = $key:literal,)*) => {
        /// What was said about a gift
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Gift {
            /// What was given
            pub amount: Money,
            /// What the payment cost
            pub fee_amount: Option<Money>,
            /// Value of a gift in kind, in units of the currency
            pub estimated_value: Option<Number>,
            /// Whether Gift Aid may be claimed
            pub gift_aid_eligible: Option<bool>,
            /// Whether it may become a gift without review, if the caller said
            pub auto_process: Option<bool>,
            /// Whether it is not money
            pub is_in_kind: Option<bool>,
            /// Whether the donor wants no e-mail: then no receipt goes out by e-mail
            pub email_opt_out: Option<bool>,
            /// What the payment provider sent along: an object, or a text that holds none
            pub provider_context: Option<Value>,
            /// What is known about the recurring payment
            pub recurring_metadata: Option<Map<String, Value>>,
            $($(#[$doc])* pub $field: Option<String>,)*
        }

        impl Gift {
            /// The place of a text, by its key in JSON
            fn text_mut(&mut self, key: &str) -> Option<&mut Option<String>> {
                match key {
                    $($key => Some(&mut self.$field),)*
                    _ => None,
                }
            }

            /// Whether a key is that of a text
            fn has_text(key: &str) -> bool {
                matches!(key, $($key)|*)
            }

            /// All texts that are there, by their keys in JSON
            fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
                [$(($key, self.$field.as_deref()),)*].into_iter().filter_map(|(key, text)| Some((key, text?)))
            }
        }
    };
}

gift! {
    /// Appeal that brought it
    appeal_id = "appealId",
    /// Segment of the appeal
    appeal_segment_id = "appealSegmentId",
    /// Organisation that gave it
    company_id = "companyId",
    /// Description
    description = "description",
    /// E-mail address of the donor, as sent
    donor_email = "donorEmail",
    /// First name of the donor, as sent
    donor_first_name = "donorFirstName",
    /// Person who gave it
    donor_id = "donorId",
    /// Last name of the donor, as sent
    donor_last_name = "donorLastName",
    /// Day on which the payment is expected
    expected_at = "expectedAt",
    /// Reference in the system it comes from
    external_id = "externalId",
    /// Fund it is meant for
    fund_id = "fundId",
    /// Batch in which it was entered
    gift_batch_id = "giftBatchId",
    /// Day on which it was given
    gift_date = "giftDate",
    /// What kind of gift: `grant`, `corporateInKind`, `recurring`, or another word
    gift_intent = "giftIntent",
    /// Payout that brought the money
    gift_payout_id = "giftPayoutId",
    /// What was given, if not money
    in_kind_description = "inKindDescription",
    /// Where it was taken in: `manual_ui`, `csv_import`, `stripe_webhook`, or another word
    intake_source = "intakeSource",
    /// Name of the record
    name = "name",
    /// Notes
    notes = "notes",
    /// Opportunity that it closes
    opportunity_id = "opportunityId",
    /// How it was paid
    payment_method = "paymentMethod",
    /// Payment provider
    provider = "provider",
    /// Subscription or mandate at the provider
    provider_agreement_id = "providerAgreementId",
    /// Payment at the provider
    provider_payment_id = "providerPaymentId",
    /// Agreement that it is an instalment of
    recurring_agreement_id = "recurringAgreementId",
    /// State of the recurring payment
    recurring_status = "recurringStatus",
    /// What tells this gift from every other
    source_fingerprint = "sourceFingerprint",
    /// Code that tracked the donor
    tracking_code_id = "trackingCodeId",
}

/// Keys that a gift's intake needs and its record does not have
pub(crate) const INTAKE_ONLY_FIELDS: [&str; 5] =
    ["autoProcess", "intakeSource", "providerContext", "sourceFingerprint", "supporterEmailOptOut"];

/// Members of a body that are ids of other records: Twenty takes them for relations of its model
pub(crate) const RELATIONS: [&str; 13] = [
    "id",
    "contactId",
    "donorId",
    "personId",
    "companyId",
    "recurringAgreementId",
    "giftId",
    "giftPayoutId",
    "giftAidDeclarationId",
    "opportunityId",
    "householdId",
    "primaryContactId",
    "pointOfContactId",
];

/// Member of a provider's context that keeps the texts of ids that could not be proven
const UNPROVEN: &str = "unprovenIds";

/// Member of a provider's context that keeps an amount that could not be read
pub(crate) const UNREADABLE_AMOUNT: &str = "unreadableAmount";

/// Keeps in a provider's context what stood in the place of an id and is none, for a reviewer to ask about.
pub(crate) fn keep_invalid_id(context: &mut Map<String, Value>, name: &str, text: &str) {
    let mut kept = context.get(UNPROVEN).and_then(Value::as_object).cloned().unwrap_or_default();
    kept.insert(name.into(), text.into());
    context.insert(UNPROVEN.into(), Value::Object(kept));
}

/// Checks that the relations of a body are ids, or null, and brings them into Twenty's spelling.
///
/// # Errors
/// Names the first that is neither.
pub fn require_relation_ids(body: &mut Map<String, Value>) -> Result<(), ClientError> {
    RELATIONS.into_iter().try_for_each(|key| body.get_mut(key).map_or(Ok(()), |value| require_relation_id(key, value)))
}

/// The same for one member, whatever it is called
///
/// # Errors
/// The member is a relation, and its value no id.
pub fn require_relation_id(key: &str, value: &mut Value) -> Result<(), ClientError> {
    if RELATIONS.contains(&key) && !value.is_null() {
        let id: Option<RecordId> = value.as_str().and_then(|text| text.parse().ok());
        *value = id.ok_or_else(|| not_a_uuid(key))?.into();
    }
    Ok(())
}

/// What a caller is told who sent something else in the place of an id
#[must_use]
pub fn not_a_uuid(name: &str) -> ClientError {
    ClientError::bad(format!("{name} must be a UUID"))
}

impl Gift {
    /// The ids of other records, by the names of their fields
    fn relations(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("donorId", &mut self.donor_id),
            ("companyId", &mut self.company_id),
            ("recurringAgreementId", &mut self.recurring_agreement_id),
            ("giftPayoutId", &mut self.gift_payout_id),
            ("opportunityId", &mut self.opportunity_id),
        ]
    }

    /// Brings the ids of other records into Twenty's spelling, and takes off those that can be none: the names of their
    /// fields, and what stood there.
    pub fn take_invalid_ids(&mut self) -> Vec<(&'static str, String)> {
        let mut unproven = Vec::new();
        for (name, place) in self.relations() {
            match place.as_deref().map(str::parse::<RecordId>) {
                None => {}
                Some(Ok(id)) => *place = Some(id.to_string()),
                Some(Err(_)) => unproven.push((name, place.take().unwrap_or_default())),
            }
        }
        unproven
    }

    /// The same for a payment, which was made whatever is said of it: the texts are kept in the provider's context.
    pub fn set_aside_invalid_ids(&mut self) {
        let unproven = self.take_invalid_ids();
        if unproven.is_empty() {
            return;
        }
        self.change_context(|context| {
            for (name, text) in &unproven {
                keep_invalid_id(context, name, text);
            }
        });
    }

    /// Sets aside the agreement that a provider's metadata name and that is none, as [`Self::set_aside_invalid_ids`] does
    pub fn set_aside_agreement(&mut self) {
        if let Some(text) = self.recurring_agreement_id.take() {
            self.change_context(|context| keep_invalid_id(context, "recurringAgreementId", &text));
        }
    }

    /// Changes the provider's context; a text in its place becomes a member.
    pub(crate) fn change_context(&mut self, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut context = match self.provider_context.take() {
            Some(Value::Object(context)) => context,
            Some(evidence) => object([("evidence".to_owned(), evidence)]),
            None => Map::new(),
        };
        change(&mut context);
        self.provider_context = Some(Value::Object(context));
    }

    /// The relations whose ids were set aside, and that no reviewer has set since
    pub fn unresolved_relations(&self) -> Vec<&'static str> {
        let context = self.provider_context.as_ref().and_then(|context| context.get(UNPROVEN));
        let Some(kept) = context.and_then(Value::as_object) else { return Vec::new() };
        let mut gift = self.clone();
        let open = gift.relations().into_iter().filter(|(name, place)| place.is_none() && kept.contains_key(*name));
        open.map(|(name, _)| name).collect()
    }
}

impl Gift {
    /// Whether an organisation gives it: then a company stands where a person would
    #[must_use]
    pub fn is_organisational(&self) -> bool {
        matches!(self.gift_intent.as_deref(), Some("grant" | "corporateInKind"))
    }

    /// Whether it is known how much was given: a payment that could not be read yet has no amount
    #[must_use]
    pub fn has_amount(&self) -> bool {
        !self.amount.currency_code.is_empty()
    }

    /// Whether its provider told an amount that could not be read
    #[must_use]
    pub fn has_unreadable_amount(&self) -> bool {
        self.provider_context.as_ref().is_some_and(|context| context.get(UNREADABLE_AMOUNT).is_some())
    }

    /// Whether its money was announced and has not come
    #[must_use]
    pub fn awaits_payment(&self) -> bool {
        awaits_payment(self.provider_context.as_ref())
    }

    /// Whether it is one of a series
    #[must_use]
    pub fn is_recurring(&self) -> bool {
        self.gift_intent.as_deref() == Some("recurring")
            || self.recurring_status.is_some()
            || self.recurring_metadata.is_some()
    }

    /// Whether a platform or the donor's charity account has the tax back already, as its importer says
    #[must_use]
    pub fn is_claimed_elsewhere(&self) -> bool {
        let context = self.provider_context.as_ref().and_then(|context| context.pointer("/giftAid/claimedBy"));
        let kept = self.recurring_metadata.as_ref().and_then(|kept| kept.get("giftAid")?.get("claimedBy"));
        let mut said = [context, kept].into_iter().flatten().filter_map(Value::as_str);
        said.any(|by| ["platform", "account"].iter().any(|known| by.trim().eq_ignore_ascii_case(known)))
    }

    /// Whether both names of the donor are known
    #[must_use]
    pub const fn has_both_names(&self) -> bool {
        self.donor_first_name.is_some() && self.donor_last_name.is_some()
    }

    /// Whether a name of the donor is known; some have only one
    #[must_use]
    pub const fn has_name(&self) -> bool {
        self.donor_first_name.is_some() || self.donor_last_name.is_some()
    }

    /// The whole of it as JSON, as a staged row keeps it
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = object(self.texts().map(|(key, text)| (key.into(), text.into())));
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(key.into(), value);
            }
        };
        put("amount", self.has_amount().then(|| self.amount.to_json()));
        put("feeAmount", self.fee_amount.as_ref().map(Money::to_json));
        put("estimatedValue", self.estimated_value.clone().map(Value::Number));
        put("giftAidEligible", self.gift_aid_eligible.map(Value::Bool));
        put("autoProcess", self.auto_process.map(Value::Bool));
        put("isInKind", self.is_in_kind.map(Value::Bool));
        put("supporterEmailOptOut", self.email_opt_out.map(Value::Bool));
        put("providerContext", self.provider_context.clone());
        put("recurringMetadata", self.recurring_metadata.clone().map(Value::Object));
        members
    }
}

/// Whether a provider's context says that the money was announced and has not come
#[must_use]
pub fn awaits_payment(context: Option<&Value>) -> bool {
    context.and_then(|context| context.get("awaitsPayment")) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Receipt;
    use serde_json::json;

    #[test]
    fn record_without_intake_fields() {
        let gift = Gift {
            amount: Money { amount_micros: 25_000_000, currency_code: "GBP".into() },
            auto_process: Some(true),
            intake_source: Some("manual_ui".into()),
            source_fingerprint: Some("fp".into()),
            provider_context: Some(json!({ "mandateId": "MD1" })),
            notes: Some("n".into()),
            ..Gift::default()
        };
        assert_eq!(
            Value::Object(gift.to_record(&Receipt::default())),
            json!({
                "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" },
                "notes": "n",
                "recurringMetadata": { "mandateId": "MD1" },
            })
        );
        assert_eq!(gift.to_json()["providerContext"], json!({ "mandateId": "MD1" }));
    }

    #[test]
    fn a_payment_keeps_what_cannot_be_proven() {
        let id = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";
        let mut gift = Gift {
            donor_id: Some(format!(" {}", id.to_uppercase())),
            opportunity_id: Some("../people".into()),
            provider_context: Some(json!({ "k": "v" })),
            ..Gift::default()
        };
        gift.set_aside_invalid_ids();
        assert_eq!((gift.donor_id.as_deref(), &gift.opportunity_id), (Some(id), &None));
        assert_eq!(gift.provider_context, Some(json!({ "k": "v", "unprovenIds": { "opportunityId": "../people" } })));
        assert_eq!(gift.unresolved_relations(), ["opportunityId"]);
        gift.opportunity_id = Some(id.into());
        assert!(gift.unresolved_relations().is_empty(), "a reviewer said which");
    }

    #[test]
    fn recurring_metadata_go_first() {
        let gift = Gift {
            recurring_metadata: json!({ "a": 1 }).as_object().cloned(),
            provider_context: Some(json!({ "b": 2 })),
            ..Gift::default()
        };
        assert_eq!(gift.to_record(&Receipt::default())["recurringMetadata"], json!({ "a": 1 }));
        let text = Gift { provider_context: Some(json!("no object")), ..Gift::default() };
        assert_eq!(text.to_record(&Receipt::default()).get("recurringMetadata"), None);
    }
}
