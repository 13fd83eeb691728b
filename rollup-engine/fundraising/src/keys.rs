//! Ids that follow from what a gift is, so that a request said twice names the same records twice.
//!
//! Twenty takes an id of the caller's own and refuses it the second time. That refusal is the whole of this service's
//! memory: whatever crashes, the repeated request finds the gift, the person and the row that the first one made.
//!
//! A gift is known by the first of these: the provider's payment, the reference in its source, the caller's
//! `Idempotency-Key`, the staged row. References are scoped by who gave them, as two sources may both count from one.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::gift::Gift;

/// By what a gift is known
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The payment at its provider
    Payment {
        /// Name of the provider, in lower case; blank if it was not said
        provider: String,
        /// Id of the payment there
        id: String,
    },
    /// The reference in the source
    External {
        /// Name of the source, in lower case
        source: String,
        /// The reference
        id: String,
    },
    /// What the caller said of the request itself
    Request(String),
    /// The row, as nothing else tells it from its equals
    Row(String),
}

impl Key {
    /// The key of a gift as it comes in; nothing if an equal gift would be another gift
    #[must_use]
    pub fn of(gift: &Gift, idempotency_key: Option<&str>) -> Option<Self> {
        if let Some(id) = &gift.provider_payment_id {
            return Some(Self::Payment { provider: scope(gift.provider.as_deref()), id: id.clone() });
        }
        if let Some(id) = &gift.external_id {
            return Some(Self::External { source: scope(gift.intake_source.as_deref()), id: id.clone() });
        }
        idempotency_key.map(str::trim).filter(|key| !key.is_empty()).map(|key| Self::Request(key.to_owned()))
    }

    /// The key of a gift that is staged in this row
    #[must_use]
    pub fn of_row(gift: &Gift, row: &str) -> Self {
        Self::of(gift, None).unwrap_or_else(|| Self::Row(row.to_owned()))
    }

    /// Where the key is from, for logs
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment { .. } => "providerPaymentId",
            Self::External { .. } => "externalId",
            Self::Request(_) => "idempotencyKey",
            Self::Row(_) => "stagingId",
        }
    }

    /// Id of the row, or of the record of the event, that stands for the gift
    #[must_use]
    pub fn staging_id(&self) -> Uuid {
        match self {
            Self::Row(id) => Uuid::try_parse(id).unwrap_or_else(|_| self.derived("giftStaging")),
            _ => self.derived("giftStaging"),
        }
    }

    /// Id of the gift
    ///
    /// A row made for a request gives the same gift as the request itself.
    #[must_use]
    pub fn gift_id(&self) -> Uuid {
        match self {
            Self::Request(_) => Self::Row(self.staging_id().to_string()).derived("gift"),
            _ => self.derived("gift"),
        }
    }

    /// Id of the person that is made for the gift, if nobody is like its giver
    #[must_use]
    pub fn person_id(&self) -> Uuid {
        derive(&["person", &self.gift_id().to_string()])
    }

    fn derived(&self, object: &str) -> Uuid {
        match self {
            Self::Payment { provider, id } => derive(&[object, "payment", provider, id]),
            Self::External { source, id } => derive(&[object, "external", source, id]),
            Self::Request(key) => derive(&[object, "request", key]),
            Self::Row(id) => derive(&[object, "row", id]),
        }
    }
}

fn scope(name: Option<&str>) -> String {
    name.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Each part goes in with its length, so that no two lists of parts read the same.
fn derive(parts: &[&str]) -> Uuid {
    let mut digest = Sha256::new();
    for part in parts {
        // Eight bytes on every target: WebAssembly's own length has four.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest.finalize()) {
        *byte = hashed;
    }
    // Servers check the version, and older ones know none after 5, which says: made from a name.
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::{Variant, Version};

    fn gift(payment: Option<&str>, external: Option<&str>) -> Gift {
        Gift {
            provider_payment_id: payment.map(Into::into),
            external_id: external.map(Into::into),
            provider: Some("Stripe".into()),
            intake_source: Some("csv_import".into()),
            ..Gift::default()
        }
    }

    #[test]
    fn the_payment_goes_before_the_reference_before_the_request() {
        let kind = |gift: &Gift, key| Key::of(gift, key).map(|key| key.kind());
        assert_eq!(kind(&gift(Some("pi_1"), Some("x")), Some("k")), Some("providerPaymentId"));
        assert_eq!(kind(&gift(None, Some("x")), Some("k")), Some("externalId"));
        assert_eq!(kind(&gift(None, None), Some(" k ")), Some("idempotencyKey"));
        assert_eq!(kind(&gift(None, None), Some(" ")), None);
        assert_eq!(Key::of_row(&gift(None, None), "r").kind(), "stagingId");
        assert_eq!(Key::of_row(&gift(Some("pi_1"), None), "r"), Key::of(&gift(Some("pi_1"), None), None).unwrap());
    }

    #[test]
    fn a_payment_is_the_same_by_whatever_door_it_comes() {
        let by_form = Gift { intake_source: Some("portal".into()), ..gift(Some("pi_1"), None) };
        let ids = |gift: &Gift| Key::of(gift, None).unwrap().gift_id();
        assert_eq!(ids(&by_form), ids(&gift(Some("pi_1"), Some("x"))));
    }

    #[test]
    fn a_row_made_for_a_request_gives_the_requests_gift() {
        let request = Key::Request("k".into());
        let row = Key::Row(request.staging_id().to_string());
        assert_eq!(row.gift_id(), request.gift_id());
        assert_eq!(row.staging_id(), request.staging_id());
        assert_eq!(row.person_id(), request.person_id());
    }

    #[test]
    fn ids_stay_what_they_are() {
        // Another way of deriving would double every gift whose first request was answered by an older service.
        let key = Key::Payment { provider: "stripe".into(), id: "pi_1".into() };
        assert_eq!(key.gift_id().to_string(), "25d610d5-c4ce-5a73-ae9c-442be2ce68d7");
        assert_eq!(key.staging_id().to_string(), "32cddb9d-4ca3-5cfa-a3d5-f4f746be3619");
        assert_eq!(key.person_id().to_string(), "08dc6772-428b-537e-a31d-b7220415c695");
    }

    proptest! {
        #[test]
        fn every_id_is_valid_and_no_two_keys_share_one(a in "\\PC{0,6}", b in "\\PC{0,6}", c in "\\PC{0,6}", d in "\\PC{0,6}") {
            let keys = [
                Key::Payment { provider: a.clone(), id: b.clone() },
                Key::External { source: a.clone(), id: b.clone() },
                Key::Payment { provider: c.clone(), id: d.clone() },
                Key::Request(a.clone()),
                Key::Row(a.clone()),
            ];
            let mut seen = Vec::new();
            for key in keys.iter().take(if (&a, &b) == (&c, &d) { 2 } else { 5 }) {
                for id in [key.gift_id(), key.staging_id(), key.person_id()] {
                    prop_assert_eq!(id.get_version(), Some(Version::Sha1));
                    prop_assert_eq!(id.get_variant(), Variant::RFC4122);
                    prop_assert!(!seen.contains(&id));
                    seen.push(id);
                }
            }
        }
    }
}
