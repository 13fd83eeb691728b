//! What a donor's other gifts say about one that comes in: whether it may be there already, whether it is unusual.
//!
//! Both make a reviewer look; neither refuses. Two equal gifts a day apart are rare and do happen.

use ports::time::parse_date;
use serde_json::Value;
use time::Duration;

use fundraising::gift::Gift;
use fundraising::money::Money;

/// As many of the donor's gifts as are looked at, the latest first
pub(crate) const DEPTH: usize = 60;
/// So many gifts make a habit
const HABIT: usize = 3;
/// So many times the greatest one is unusual
const FACTOR: i64 = 10;

/// Codes of what is worth a look
pub(crate) fn warnings(gift: &Gift, own_id: &str, others: &[Value]) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut greatest = 0;
    let mut alike = 0;
    for other in others.iter().filter(|other| other.get("id").and_then(Value::as_str) != Some(own_id)) {
        let amount = other.get("amount").and_then(|money| Money::read("amount", money).ok());
        let Some(amount) = amount.filter(|amount| amount.currency_code == gift.amount.currency_code) else { continue };
        greatest = greatest.max(amount.amount_micros);
        alike += 1;
        let is_alike = amount == gift.amount && is_near(gift, other) && !is_another_payment(gift, other);
        if is_alike && !found.contains(&"possible_duplicate") {
            found.push("possible_duplicate");
        }
    }
    if alike >= HABIT && gift.amount.amount_micros > greatest.saturating_mul(FACTOR) {
        found.push("amount_unusual");
    }
    found
}

/// Whether both have an id of their provider's and these are of two payments: two plans of one donor are paid on one day
///
/// Of one provider, ids of two kinds (`in_…`, `pi_…`) may be of one payment.
fn is_another_payment(gift: &Gift, other: &Value) -> bool {
    let text = |key: &str| other.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = |id: &str| id.chars().take_while(char::is_ascii_alphabetic).collect::<String>();
    let (Some(provider), Some(id)) = (&gift.provider, &gift.provider_payment_id) else { return false };
    let (Some(their_provider), Some(theirs)) = (text("provider"), text("providerPaymentId")) else { return false };
    !their_provider.eq_ignore_ascii_case(provider) || (theirs != id && kind(theirs) == kind(id))
}

/// A day apart at most
fn is_near(gift: &Gift, other: &Value) -> bool {
    let own = gift.gift_date.as_deref().and_then(parse_date);
    let theirs = other.get("giftDate").and_then(Value::as_str).and_then(parse_date);
    own.zip(theirs).is_some_and(|(own, theirs)| (own - theirs).abs() <= Duration::DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn other(id: &str, micros: i64, code: &str, date: &str) -> Value {
        json!({ "id": id, "amount": { "amountMicros": micros, "currencyCode": code }, "giftDate": date })
    }

    fn asked(micros: i64, others: &[Value]) -> Vec<&'static str> {
        let amount = Money { amount_micros: micros, currency_code: "GBP".into() };
        let gift = Gift { amount, gift_date: Some("2026-02-10".into()), ..Gift::default() };
        warnings(&gift, "own", others)
    }

    #[test]
    fn same_amount_within_a_day() {
        for (date, expected) in
            [("2026-02-09", true), ("2026-02-10", true), ("2026-02-11", true), ("2026-02-12", false), ("", false)]
        {
            assert_eq!(!asked(5, &[other("a", 5, "GBP", date)]).is_empty(), expected, "{date}");
        }
        assert!(asked(5, &[other("a", 5, "EUR", "2026-02-10")]).is_empty());
        assert!(asked(5, &[other("a", 6, "GBP", "2026-02-10")]).is_empty());
        assert!(asked(5, &[other("own", 5, "GBP", "2026-02-10")]).is_empty(), "itself");
    }

    #[test]
    fn unusual_amount() {
        let mut others: Vec<_> = (0..2).map(|number| other(&number.to_string(), 7, "GBP", "2020-01-01")).collect();
        assert!(asked(71, &others).is_empty());
        others.push(other("c", 7, "GBP", "2020-01-01"));
        assert_eq!(asked(71, &others), ["amount_unusual"]);
        assert!(asked(70, &others).is_empty());
    }

    #[test]
    fn payments_with_ids_of_their_own() {
        let asked = |theirs: &str, provider: &str| {
            let mut other = other("a", 5, "GBP", "2026-02-10");
            other["providerPaymentId"] = json!(theirs);
            other["provider"] = json!(provider);
            let gift = Gift {
                amount: Money { amount_micros: 5, currency_code: "GBP".into() },
                gift_date: Some("2026-02-10".into()),
                provider: Some("stripe".into()),
                provider_payment_id: Some("in_a".into()),
                ..Gift::default()
            };
            warnings(&gift, "own", &[other])
        };
        assert!(asked("in_b", "stripe").is_empty());
        assert!(asked("PM1", "gocardless").is_empty());
        for (id, provider) in [("in_a", "stripe"), ("pi_b", "stripe"), ("", "stripe"), ("", "gocardless")] {
            assert_eq!(asked(id, provider), ["possible_duplicate"], "{id} {provider}");
        }
    }
}
