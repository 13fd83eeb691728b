//! Which receipt a gift is due: a pure function of the gift, of what is known of its receipt, and of the settings.
//!
//! Nothing is sent from here. A sender must never send twice for the same key.

use serde_json::{Map, Value};

use crate::gift::{Gift, INTAKE_ONLY_FIELDS};
use twenty::object::object;

/// The service's receipt settings
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Policy of gifts outside an agreement
    pub one_off: String,
    /// Policy of instalments
    pub recurring: String,
    /// Minor units (hundredths of a unit) above which no receipt goes out by itself
    pub threshold_minor: Option<i64>,
}

/// The policies that there are
pub const POLICIES: [&str; 4] = ["per_gift", "first_installment_only", "annual_summary", "hybrid"];

impl Default for Settings {
    fn default() -> Self {
        Self { one_off: "per_gift".into(), recurring: "first_installment_only".into(), threshold_minor: None }
    }
}

/// What a gift's record says of its receipt
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// `per_gift`, `first_installment_only`, `annual_summary`, `hybrid`, or another word of the settings
    pub policy: Option<String>,
    /// `pending`, `sent`, `failed`, `suppressed`
    pub status: Option<String>,
    /// How it goes out
    pub channel: Option<String>,
    /// What no second receipt may be sent for
    pub dedupe_key: Option<String>,
    /// Template it was made from
    pub template_version: Option<String>,
    /// When it was sent
    pub sent_at: Option<String>,
    /// Why it was not
    pub error: Option<String>,
}

impl Receipt {
    fn members(&self) -> [(&'static str, &Option<String>); 7] {
        [
            ("receiptPolicyApplied", &self.policy),
            ("receiptStatus", &self.status),
            ("receiptChannel", &self.channel),
            ("receiptDedupeKey", &self.dedupe_key),
            ("receiptTemplateVersion", &self.template_version),
            ("receiptSentAt", &self.sent_at),
            ("receiptError", &self.error),
        ]
    }

    /// Reads what a stored payload says of it; blanks and other types count as absent
    #[must_use]
    pub fn read(payload: &Map<String, Value>) -> Self {
        let text = |key: &str| {
            let text = payload.get(key)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        Self {
            policy: text("receiptPolicyApplied"),
            status: text("receiptStatus"),
            channel: text("receiptChannel"),
            dedupe_key: text("receiptDedupeKey"),
            template_version: text("receiptTemplateVersion"),
            sent_at: text("receiptSentAt"),
            error: text("receiptError"),
        }
    }

    /// What is there, by its keys in JSON
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let there = self.members().into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.clone()?.into())));
        object(there)
    }
}

/// What a gift's receipt is to be, given what is already known of it
///
/// Above the threshold, and by e-mail to somebody who wants none, it is suppressed, whatever it was before, and what is
/// known of a sending is cleared.
///
/// # Examples
///
/// ```
/// use fundraising::gift::Gift;
/// use fundraising::receipt::{Receipt, Settings, decide};
///
/// let gift = Gift { email_opt_out: Some(true), ..Gift::default() };
/// let receipt = decide(&gift, Receipt::default(), &Settings::default());
/// assert_eq!(receipt.policy.as_deref(), Some("per_gift"));
/// assert_eq!(receipt.status.as_deref(), Some("suppressed"));
/// ```
#[must_use]
pub fn decide(gift: &Gift, known: Receipt, settings: &Settings) -> Receipt {
    let default = if gift.recurring_agreement_id.is_some() { &settings.recurring } else { &settings.one_off };
    let suppressed =
        settings.threshold_minor.is_some_and(|threshold| minor_units(gift.amount.amount_micros) > threshold);
    let channel = known.channel.unwrap_or_else(|| "email".into());
    let suppressed = suppressed || (gift.email_opt_out == Some(true) && channel == "email");
    let key = known
        .dedupe_key
        .or_else(|| gift.provider_payment_id.clone())
        .or_else(|| gift.source_fingerprint.clone())
        .or_else(|| gift.external_id.clone());
    Receipt {
        policy: Some(known.policy.unwrap_or_else(|| default.clone())),
        status: Some(if suppressed { "suppressed".into() } else { known.status.unwrap_or_else(|| "pending".into()) }),
        channel: Some(channel),
        dedupe_key: key,
        template_version: known.template_version,
        sent_at: known.sent_at.filter(|_| !suppressed),
        error: known.error.filter(|_| !suppressed),
    }
}

/// Micros in hundredths of the unit, rounded half up
const fn minor_units(micros: i64) -> i64 {
    micros.saturating_add(5_000).div_euclid(10_000)
}

impl Gift {
    /// Body of the call that creates the record in Twenty
    ///
    /// An object in the provider's context becomes the recurring metadata, unless those were given.
    #[must_use]
    pub fn to_record(&self, receipt: &Receipt) -> Map<String, Value> {
        let mut members = self.to_json();
        for key in INTAKE_ONLY_FIELDS {
            members.remove(key);
        }
        if let (None, Some(context @ Value::Object(_))) = (&self.recurring_metadata, &self.provider_context) {
            members.insert("recurringMetadata".to_owned(), context.clone());
        }
        members.extend(receipt.to_json());
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn gift(micros: i64) -> Gift {
        Gift { amount: Money { amount_micros: micros, currency_code: "GBP".into() }, ..Gift::default() }
    }

    fn above(threshold: i64) -> Settings {
        Settings { threshold_minor: Some(threshold), ..Settings::default() }
    }

    fn status(micros: i64, settings: &Settings) -> String {
        decide(&gift(micros), Receipt::default(), settings).status.unwrap()
    }

    #[test]
    fn threshold_suppresses_receipts() {
        assert_eq!(status(1_000_000_000, &above(100_000)), "pending");
        assert_eq!(status(1_000_004_999, &above(100_000)), "pending");
        assert_eq!(status(1_000_005_000, &above(100_000)), "suppressed");
        assert_eq!(status(1, &above(0)), "pending");
        assert_eq!(status(5_000, &above(0)), "suppressed");
        assert_eq!(status(i64::MAX, &Settings::default()), "pending");
    }

    #[test]
    fn what_is_known_is_kept_unless_suppressed() {
        let known = Receipt {
            policy: Some("hybrid".into()),
            status: Some("sent".into()),
            channel: Some("post".into()),
            dedupe_key: Some("k".into()),
            template_version: Some("v2".into()),
            sent_at: Some("2026-02-01T00:00:00Z".into()),
            error: Some("e".into()),
        };
        assert_eq!(Receipt::read(&known.to_json()), known);
        assert_eq!(decide(&gift(20_000), known.clone(), &Settings::default()), known);
        let suppressed = decide(&gift(20_000), known, &above(1));
        assert_eq!(suppressed.status.as_deref(), Some("suppressed"));
        assert_eq!((suppressed.sent_at, suppressed.error), (None, None));
        assert_eq!(suppressed.policy.as_deref(), Some("hybrid"));
    }

    #[test]
    fn receipt_key_order() {
        let key = |gift: &Gift| decide(gift, Receipt::default(), &Settings::default()).dedupe_key;
        let mut gift = gift(1);
        assert_eq!(key(&gift), None);
        gift.external_id = Some("e".into());
        assert_eq!(key(&gift).as_deref(), Some("e"));
        gift.source_fingerprint = Some("f".into());
        assert_eq!(key(&gift).as_deref(), Some("f"));
        gift.provider_payment_id = Some("p".into());
        assert_eq!(key(&gift).as_deref(), Some("p"));
    }

    #[test]
    fn instalments_have_their_policy() {
        let instalment = Gift { recurring_agreement_id: Some("r".into()), ..gift(1) };
        let policy = |gift: &Gift| decide(gift, Receipt::default(), &Settings::default()).policy.unwrap();
        assert_eq!(policy(&instalment), "first_installment_only");
        assert_eq!(policy(&gift(1)), "per_gift");
    }
}
