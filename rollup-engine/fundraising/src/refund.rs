//! What a refund, a reversal or a charge-back does to a gift: plain arithmetic on what the gift says of itself.
//!
//! A provider tells the total refunded so far, again with every event. So the total is what is set, and the same event
//! twice changes nothing; a smaller total than the one on the gift is an older event and changes nothing either.

use ports::Timestamp;
use serde_json::{Map, Value};

use crate::client_error::{ClientError, Status};
use crate::money::Money;

/// How much of a gift went back
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Nothing
    NotRefunded,
    /// A part
    Partially,
    /// All of it
    Fully,
}

impl Extent {
    /// Derived from the two amounts
    #[must_use]
    pub const fn of(amount_micros: i64, refunded_micros: i64) -> Self {
        if refunded_micros <= 0 {
            Self::NotRefunded
        } else if refunded_micros < amount_micros {
            Self::Partially
        } else {
            Self::Fully
        }
    }

    /// The word
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRefunded => "NOT_REFUNDED",
            Self::Partially => "PARTIALLY_REFUNDED",
            Self::Fully => "FULLY_REFUNDED",
        }
    }
}

/// What is known of the refund
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Total that went back so far, in the gift's currency
    pub total: Money,
    /// When
    pub at: Timestamp,
    /// What a reader of the gift is told
    pub note: Option<String>,
    /// Whether the gift is part of a claim that was sent
    pub is_claimed: bool,
    /// Whether the charity claims Gift Aid, so that the gift has a status to set
    pub gift_aid: bool,
}

/// The fields to set on the gift; nothing if it says as much already
///
/// # Examples
///
/// ```
/// use fundraising::money::Money;
/// use fundraising::refund::{Refund, apply};
/// use ports::Timestamp;
/// use serde_json::json;
///
/// let gift = json!({ "amount": { "amountMicros": 25000000, "currencyCode": "GBP" } });
/// let refund = Refund {
///     total: Money { amount_micros: 5_000_000, currency_code: "GBP".into() },
///     at: Timestamp::parse("2026-03-05T12:00:00Z").unwrap(),
///     note: None,
///     is_claimed: false,
///     gift_aid: false,
/// };
/// let fields = apply(&gift, &refund).unwrap().unwrap();
/// assert_eq!(fields["refundedAmount"]["amountMicros"], 5_000_000);
/// ```
///
/// # Errors
/// 400 if the amount is not more than zero, more than the gift's, or in another currency; 409 if the gift's Gift Aid
/// was claimed.
pub fn apply(gift: &Value, refund: &Refund) -> Result<Option<Map<String, Value>>, ClientError> {
    let amount = Money::read("amount", gift.get("amount").unwrap_or(&Value::Null))?;
    if refund.total.amount_micros <= 0 {
        return Err(ClientError::bad("refundedAmount.amountMicros must be greater than zero"));
    }
    if refund.total.currency_code != amount.currency_code {
        return Err(ClientError::bad(format!(
            "refundedAmount.currencyCode `{}` must be that of the gift, `{}`",
            refund.total.currency_code, amount.currency_code
        )));
    }
    if refund.total.amount_micros > amount.amount_micros {
        return Err(ClientError::bad("refundedAmount.amountMicros must not be more than the gift's amount"));
    }
    if refund.is_claimed {
        return Err(ClientError::new(
            Status::Conflict,
            "Gift Aid was claimed on this gift, so that it cannot be changed",
        ));
    }
    let known = gift.get("refundedAmount").and_then(|money| Money::read("refundedAmount", money).ok());
    if known.is_some_and(|known| known.amount_micros >= refund.total.amount_micros) {
        return Ok(None);
    }
    let mut fields = Map::new();
    fields.insert("refundedAmount".into(), refund.total.to_json());
    fields.insert("refundDate".into(), refund.at.to_string().into());
    if let Some(note) = &refund.note {
        fields.insert("refundNote".into(), note.as_str().into());
    }
    if refund.gift_aid {
        fields.insert("giftAidStatus".into(), "NOT_CLAIMABLE".into());
        fields.insert("giftAidReasonCode".into(), "gift_refunded_or_reversed".into());
        // It leaves a claim that was not sent.
        fields.insert("giftAidClaimBatchId".into(), Value::Null);
    }
    Ok(Some(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn refund(micros: i64) -> Refund {
        Refund {
            total: Money { amount_micros: micros, currency_code: "GBP".into() },
            at: Timestamp::parse("2026-03-01T10:00:00Z").unwrap(),
            note: None,
            is_claimed: false,
            gift_aid: true,
        }
    }

    fn gift(refunded: i64) -> Value {
        json!({ "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" },
            "refundedAmount": { "amountMicros": refunded, "currencyCode": "GBP" } })
    }

    #[test]
    fn total_day_and_gift_aid() {
        let found = apply(&gift(0), &Refund { note: Some("asked".into()), ..refund(5_000_000) });
        assert_eq!(
            Value::Object(found.unwrap().unwrap()),
            json!({ "refundedAmount": { "amountMicros": 5_000_000, "currencyCode": "GBP" },
                "refundDate": "2026-03-01T10:00:00.000Z", "refundNote": "asked", "giftAidStatus": "NOT_CLAIMABLE",
                "giftAidReasonCode": "gift_refunded_or_reversed", "giftAidClaimBatchId": null })
        );
        let plain = apply(&gift(0), &Refund { gift_aid: false, ..refund(1) }).unwrap().unwrap();
        assert_eq!(plain.len(), 2);
    }

    #[test]
    fn each_fault_has_its_message() {
        let message = |refund: &Refund| apply(&gift(0), refund).unwrap_err().message;
        assert_eq!(message(&refund(0)), "refundedAmount.amountMicros must be greater than zero");
        assert_eq!(message(&refund(25_000_001)), "refundedAmount.amountMicros must not be more than the gift's amount");
        let euros = Money { amount_micros: 1, currency_code: "EUR".into() };
        assert_eq!(
            message(&Refund { total: euros, ..refund(1) }),
            "refundedAmount.currencyCode `EUR` must be that of the gift, `GBP`"
        );
        let claimed = apply(&gift(0), &Refund { is_claimed: true, ..refund(1) }).unwrap_err();
        assert_eq!(claimed.status, Status::Conflict);
        assert_eq!(apply(&json!({}), &refund(1)).unwrap_err().message, "amount must be an object");
    }

    proptest! {
        #[test]
        fn greatest_total_in_any_order(totals in proptest::collection::vec(1_i64..=25_000_000, 1..12)) {
            let mut stored = gift(0);
            for total in &totals {
                if let Some(fields) = apply(&stored, &refund(*total)).unwrap() {
                    stored["refundedAmount"] = fields["refundedAmount"].clone();
                }
                prop_assert_eq!(apply(&stored, &refund(*total)).unwrap(), None, "the same event twice");
            }
            let most = *totals.iter().max().unwrap();
            prop_assert_eq!(&stored["refundedAmount"]["amountMicros"], &json!(most));
            let extent = Extent::of(25_000_000, most);
            prop_assert_eq!(extent == Extent::Fully, most == 25_000_000);
            prop_assert!(extent != Extent::NotRefunded);
        }
    }
}
