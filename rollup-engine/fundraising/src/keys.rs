//! Ids that follow from what a gift is, so that a request said twice names the same records twice.
//!
//! Twenty takes an id of the caller's own and refuses it the second time. That refusal is the whole of this service's
//! memory: whatever crashes, the repeated request finds the gift, the person and the row that the first one made.
//!
//! A gift is known by the first of these: the provider's payment, the reference in its source, the caller's
//! `Idempotency-Key`, the staged row. Each is scoped by who gave it: two sources may both count from one, and two callers
//! may both say `1`.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::donor::Person;
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
    /// What the sender calls the request itself: an `Idempotency-Key`, or the id of a provider's event
    Request {
        /// Who calls; nothing in ids that were made before keys were scoped
        sender: Option<String>,
        /// The sender's own word
        key: String,
    },
    /// The row, as nothing else tells it from its equals
    StagedGift(String),
}

impl Key {
    /// The key of a gift as it comes in; nothing if an equal gift would be another gift
    ///
    /// `request` is who sends it, and what the sender calls the request.
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::gift::Gift;
    /// use fundraising::keys::Key;
    ///
    /// let gift = Gift {
    ///     provider: Some("stripe".into()),
    ///     provider_payment_id: Some("pi_1".into()),
    ///     ..Gift::default()
    /// };
    /// let (first, second) = (Key::of(&gift, None).unwrap(), Key::of(&gift, Some(("form", "another-key"))).unwrap());
    /// assert_eq!(first.gift_id(), second.gift_id());
    /// assert_eq!(Key::of(&Gift::default(), None), None);
    /// ```
    #[must_use]
    pub fn of(gift: &Gift, request: Option<(&str, &str)>) -> Option<Self> {
        if let Some(id) = &gift.provider_payment_id {
            return Some(Self::Payment { provider: scope(gift.provider.as_deref()), id: id.clone() });
        }
        if let Some(id) = &gift.external_id {
            return Some(Self::External { source: scope(gift.intake_source.as_deref()), id: id.clone() });
        }
        let (sender, key) = request?;
        let key = key.trim();
        (!key.is_empty()).then(|| Self::Request { sender: Some(sender.to_owned()), key: key.to_owned() })
    }

    /// The same `Idempotency-Key` as it counted before keys were scoped by who calls
    #[must_use]
    pub fn unscoped(&self) -> Option<Self> {
        match self {
            Self::Request { sender: Some(_), key } => Some(Self::Request { sender: None, key: key.clone() }),
            _ => None,
        }
    }

    /// The key of a gift that is staged in this row
    #[must_use]
    pub fn of_staged_gift(gift: &Gift, row: &str) -> Self {
        Self::of(gift, None).unwrap_or_else(|| Self::StagedGift(row.to_owned()))
    }

    /// Where the key is from, for logs
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment { .. } => "providerPaymentId",
            Self::External { .. } => "externalId",
            Self::Request { .. } => "idempotencyKey",
            Self::StagedGift(_) => "stagingId",
        }
    }

    /// Id of the row, or of the record of the event, that stands for the gift
    #[must_use]
    pub fn staging_id(&self) -> Uuid {
        match self {
            Self::StagedGift(id) => Uuid::try_parse(id).unwrap_or_else(|_| self.derived("giftStaging")),
            _ => self.derived("giftStaging"),
        }
    }

    /// Id of the gift
    ///
    /// A row made for a request gives the same gift as the request itself.
    #[must_use]
    pub fn gift_id(&self) -> Uuid {
        match self {
            Self::Request { .. } => Self::StagedGift(self.staging_id().to_string()).derived("gift"),
            _ => self.derived("gift"),
        }
    }

    /// Id of the person that is made for the gift, if no person matches its donor
    ///
    /// A caller may send a key anew with another donor, after a request that made a person and no gift: under the
    /// caller's key, the id follows from who the donor is too.
    #[must_use]
    pub fn person_id(&self, person: &Person) -> Uuid {
        let gift = self.gift_id().to_string();
        match self {
            Self::Request { sender: Some(_), .. } => {
                let email = person.email.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
                derive(&["person", &gift, &email, &person.first_name, &person.last_name])
            }
            _ => derive(&["person", &gift]),
        }
    }

    fn derived(&self, object: &str) -> Uuid {
        match self {
            Self::Payment { provider, id } => derive(&[object, "payment", provider, id]),
            Self::External { source, id } => derive(&[object, "external", source, id]),
            Self::Request { sender: None, key } => derive(&[object, "request", key]),
            Self::Request { sender: Some(sender), key } => derive(&[object, "request", sender, key]),
            Self::StagedGift(id) => derive(&[object, "row", id]),
        }
    }
}

fn scope(name: Option<&str>) -> String {
    name.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Each part goes in with its length, so that no two lists of parts read the same.
#[must_use]
pub fn derive(parts: &[&str]) -> Uuid {
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

    fn request(sender: Option<&str>, key: &str) -> Key {
        Key::Request { sender: sender.map(Into::into), key: key.into() }
    }

    fn person(first_name: &str, email: &str) -> Person {
        Person { first_name: first_name.into(), last_name: "Oak".into(), email: Some(email.into()) }
    }

    #[test]
    fn payment_reference_request_in_order() {
        let kind = |gift: &Gift, key| Key::of(gift, Option::map(key, |key| ("caller", key))).map(|key| key.kind());
        assert_eq!(kind(&gift(Some("pi_1"), Some("x")), Some("k")), Some("providerPaymentId"));
        assert_eq!(kind(&gift(None, Some("x")), Some("k")), Some("externalId"));
        assert_eq!(kind(&gift(None, None), Some(" k ")), Some("idempotencyKey"));
        assert_eq!(kind(&gift(None, None), Some(" ")), None);
        assert_eq!(Key::of_staged_gift(&gift(None, None), "r").kind(), "stagingId");
        assert_eq!(
            Key::of_staged_gift(&gift(Some("pi_1"), None), "r"),
            Key::of(&gift(Some("pi_1"), None), None).unwrap()
        );
    }

    #[test]
    fn payment_is_same_by_each_channel() {
        let by_form = Gift { intake_source: Some("portal".into()), ..gift(Some("pi_1"), None) };
        let ids = |gift: &Gift| Key::of(gift, None).unwrap().gift_id();
        assert_eq!(ids(&by_form), ids(&gift(Some("pi_1"), Some("x"))));
    }

    #[test]
    fn row_of_a_request_gives_its_gift() {
        for request in [request(None, "k"), request(Some("a"), "k")] {
            let row = Key::StagedGift(request.staging_id().to_string());
            assert_eq!(row.gift_id(), request.gift_id());
            assert_eq!(row.staging_id(), request.staging_id());
        }
    }

    /// Two callers with one key have different gifts, and neither has the one that was made before keys were scoped.
    #[test]
    fn keys_of_two_callers() {
        let gift_id = |sender| request(sender, "k").gift_id();
        assert_ne!(gift_id(Some("a")), gift_id(Some("b")));
        assert_ne!(gift_id(Some("a")), gift_id(None));
        assert_eq!(request(Some("a"), "k").unscoped(), Some(request(None, "k")));
        assert_eq!(request(None, "k").unscoped(), None);
        assert_ne!(request(Some("ab"), "k").gift_id(), request(Some("a"), "bk").gift_id());
    }

    /// A key that is sent anew with another donor does not lead to the person of the first.
    #[test]
    fn person_ids_follow_the_giver() {
        let id = |sender, person: &Person| request(sender, "k").person_id(person);
        let ann = person("Ann", "ann@oak.example");
        assert_eq!(id(Some("a"), &ann), id(Some("a"), &person("Ann", " ANN@oak.example")));
        assert_ne!(id(Some("a"), &ann), id(Some("a"), &person("Bea", "bea@elm.example")));
        assert_eq!(id(None, &ann), id(None, &person("Bea", "bea@elm.example")), "as it was before keys were scoped");
    }

    #[test]
    fn ids_stay_what_they_are() {
        // Another way of deriving would double every gift whose first request was answered by an older service.
        let key = Key::Payment { provider: "stripe".into(), id: "pi_1".into() };
        assert_eq!(key.gift_id().to_string(), "25d610d5-c4ce-5a73-ae9c-442be2ce68d7");
        assert_eq!(key.staging_id().to_string(), "32cddb9d-4ca3-5cfa-a3d5-f4f746be3619");
        assert_eq!(key.person_id(&person("Ann", "")).to_string(), "08dc6772-428b-537e-a31d-b7220415c695");
        let key = request(None, "k");
        assert_eq!(key.gift_id().to_string(), "01471a45-7477-50f9-83ba-5b0c01d8c1f1");
        assert_eq!(key.staging_id().to_string(), "7bd86d26-b6e5-5999-b5a4-8621ca60d2f5");
        let key = request(Some("a"), "k");
        assert_eq!(key.gift_id().to_string(), "b844db33-042e-581d-8bb5-9ea4f6fba7d1");
    }

    proptest! {
        #[test]
        fn ids_are_valid_and_distinct(a in "\\PC{0,6}", b in "\\PC{0,6}", c in "\\PC{0,6}", d in "\\PC{0,6}") {
            let keys = [
                Key::Payment { provider: a.clone(), id: b.clone() },
                Key::External { source: a.clone(), id: b.clone() },
                Key::Payment { provider: c.clone(), id: d.clone() },
                request(None, &a),
                request(Some(&a), &b),
                Key::StagedGift(a.clone()),
            ];
            let mut seen = Vec::new();
            for key in keys.iter().take(if (&a, &b) == (&c, &d) { 2 } else { 6 }) {
                for id in [key.gift_id(), key.staging_id(), key.person_id(&person(&a, &b))] {
                    prop_assert_eq!(id.get_version(), Some(Version::Sha1));
                    prop_assert_eq!(id.get_variant(), Variant::RFC4122);
                    prop_assert!(!seen.contains(&id));
                    seen.push(id);
                }
            }
        }
    }
}
