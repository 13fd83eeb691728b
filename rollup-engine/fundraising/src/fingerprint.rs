//! What tells one gift from every other: the root of its idempotency and of its receipt's.
//!
//! Two requests about the same gift must get the same text, two gifts never. A donor, an amount and a date do not make
//! a gift unique (two cheques over 25 pounds may come on one day), so that without a reference of the source's own a
//! nonce decides. Names and addresses are kept out: the text ends in logs and on records.

use crate::gift::Gift;
use crate::money::Money;

/// The gift's own fingerprint, else one made of what is known
///
/// With a reference of the source (`externalId`, `providerPaymentId`) it depends on the source's facts alone: whether
/// the donor was found meanwhile changes nothing. Without one it ends in `nonce`, which should be the same when a caller
/// repeats a request (its request id) and differ otherwise.
///
/// # Examples
///
/// ```
/// use fundraising::fingerprint;
/// use fundraising::gift::Gift;
/// use fundraising::money::Money;
///
/// let gift = Gift {
///     amount: Money { amount_micros: 25_000_000, currency_code: "GBP".into() },
///     external_id: Some("form-17".into()),
///     ..Gift::default()
/// };
/// let text = "externalId=form-17|amountMicros=25000000|currencyCode=GBP";
/// assert_eq!(fingerprint::of(&gift, "request-1"), text);
/// ```
#[must_use]
pub fn of(gift: &Gift, nonce: &str) -> String {
    if let Some(given) = &gift.source_fingerprint {
        return given.clone();
    }
    let amount = gift.amount.amount_micros.to_string();
    let mut parts = vec![
        // A payment is the same whichever channel it comes through; other references are unique within their source only.
        ("source", gift.provider.as_deref().or(gift.intake_source.as_deref())),
        ("externalId", gift.external_id.as_deref()),
        ("providerPaymentId", gift.provider_payment_id.as_deref()),
    ];
    let has_reference = gift.external_id.is_some() || gift.provider_payment_id.is_some();
    if !has_reference {
        parts.push(("donorId", gift.donor_id.as_deref()));
        parts.push(("companyId", gift.company_id.as_deref()));
    }
    parts.extend([
        ("recurringAgreementId", gift.recurring_agreement_id.as_deref()),
        ("giftDate", gift.gift_date.as_deref()),
        ("amountMicros", Some(amount.as_str())),
        ("currencyCode", Some(gift.amount.currency_code.as_str())),
    ]);
    if !has_reference {
        parts.push(("nonce", Some(nonce)));
    }
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", escaped(value?)))).collect();
    parts.join("|")
}

/// A part of a fingerprint that was made here
fn part(text: &str, name: &str) -> Option<String> {
    let value = text.split('|').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.replace("%7C", "|").replace("%25", "%"))
}

fn is_own(text: &str) -> bool {
    part(text, "amountMicros").is_some() && part(text, "currencyCode").is_some()
}

/// The fields in which two gifts of one reference differ, as far as their fingerprints say
///
/// # Examples
///
/// ```
/// use fundraising::fingerprint::differences;
///
/// let (kept, asked) = ("amountMicros=25000000|currencyCode=GBP", "amountMicros=30000000|currencyCode=GBP");
/// assert_eq!(differences(kept, asked), ["amount.amountMicros"]);
/// ```
#[must_use]
pub fn differences(kept: &str, asked: &str) -> Vec<&'static str> {
    if kept == asked {
        return Vec::new();
    }
    if !(is_own(kept) && is_own(asked)) {
        return vec!["sourceFingerprint"];
    }
    let fields = [
        ("amountMicros", "amount.amountMicros"),
        ("currencyCode", "amount.currencyCode"),
        ("giftDate", "giftDate"),
        ("recurringAgreementId", "recurringAgreementId"),
    ];
    let mut differ = Vec::new();
    for (name, field) in fields {
        let said = part(asked, name);
        if said.is_some() && said != part(kept, name) {
            differ.push(field);
        }
    }
    differ
}

/// The gift as it was asked for, as far as its fingerprint says: reviewers change the rest
#[must_use]
pub fn as_requested(mut gift: Gift) -> Gift {
    let Some(text) = gift.source_fingerprint.as_deref().filter(|text| is_own(text)) else { return gift };
    let micros = part(text, "amountMicros").and_then(|micros| micros.parse().ok());
    if let Some((amount_micros, currency_code)) = micros.zip(part(text, "currencyCode")) {
        gift.amount = Money { amount_micros, currency_code };
    }
    gift.gift_date = part(text, "giftDate");
    gift
}

/// The separator cannot be forged by a value that contains it.
fn escaped(value: &str) -> String {
    value.replace('%', "%25").replace('|', "%7C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gift(external_id: &str, donor_id: &str, date: &str) -> Gift {
        let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
        Gift {
            amount: Money { amount_micros: 25_000_000, currency_code: "GBP".into() },
            external_id: some(external_id),
            donor_id: some(donor_id),
            gift_date: some(date),
            intake_source: some("portal"),
            ..Gift::default()
        }
    }

    #[test]
    fn a_given_fingerprint_is_kept() {
        let gift = Gift { source_fingerprint: Some("fp-77".into()), ..gift("e", "d", "2026-02-01") };
        assert_eq!(of(&gift, "n"), "fp-77");
    }

    #[test]
    fn reference_replaces_donor_and_request() {
        let expected = "source=portal|externalId=e1|giftDate=2026-02-01|amountMicros=25000000|currencyCode=GBP";
        assert_eq!(of(&gift("e1", "", "2026-02-01"), "n1"), expected);
        assert_eq!(of(&gift("e1", "found-meanwhile", "2026-02-01"), "n2"), expected);
    }

    #[test]
    fn scope_of_reference_and_payment() {
        let by = |channel: &str, provider: Option<&str>| Gift {
            intake_source: Some(channel.into()),
            provider: provider.map(str::to_owned),
            ..gift("1", "", "2026-02-01")
        };
        assert_ne!(of(&by("csv_import", None), "n"), of(&by("portal", None), "n"));
        assert_eq!(of(&by("csv_import", Some("stripe")), "n"), of(&by("stripe_webhook", Some("stripe")), "n"));
    }

    #[test]
    fn gifts_of_one_donor_differ() {
        let (january, february) = (gift("", "d", "2026-01-01"), gift("", "d", "2026-02-01"));
        assert_ne!(of(&january, "n"), of(&february, "n"));
        assert_ne!(of(&january, "n1"), of(&january, "n2"));
        assert_eq!(of(&january, "n1"), of(&january, "n1"));
    }

    #[test]
    fn a_reference_cannot_pose_as_two_facts() {
        let honest = Gift { recurring_agreement_id: Some("r".into()), ..gift("e", "", "") };
        assert_ne!(of(&gift("e|recurringAgreementId=r", "", ""), "n"), of(&honest, "n"));
        assert_ne!(of(&gift("a|b", "", ""), "n"), of(&gift("a%7Cb", "", ""), "n"));
    }

    proptest! {
        #[test]
        fn different_references_never_collide(a in "[ab|=%C7]{1,6}", b in "[ab|=%C7]{0,6}",
                                              c in "[ab|=%C7]{1,6}", d in "[ab|=%C7]{0,6}") {
            let made = |id: &str, agreement: &str| {
                let recurring_agreement_id = Some(agreement).filter(|text| !text.is_empty()).map(str::to_owned);
                of(&Gift { recurring_agreement_id, ..gift(id, "", "") }, "")
            };
            prop_assert_eq!(made(&a, &b) == made(&c, &d), (a, b) == (c, d));
        }
    }
}
