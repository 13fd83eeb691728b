//! What is known of a payment apart from its having been made: refunds, disputes, charge-backs, other names.
//!
//! Providers deliver events late, twice and out of order, and a refund may be told before its payment. So a note keeps
//! facts, not sums: of each refund, dispute and total the latest, whatever came first. What the gift is to say follows
//! from the facts at any time.

use serde_json::{Map, Value, json};

use super::{Kind, PaymentFact};
use crate::money::Money;

impl PaymentFact {
    /// Whether it says that money went back, and not how much
    #[must_use]
    pub fn lacks_an_amount(&self) -> bool {
        matches!(self.kind, Kind::Refund | Kind::Total | Kind::Dispute) && self.holds && self.money.is_none()
    }
}

/// The facts about one payment
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFacts(Vec<PaymentFact>);

/// What went back of a gift
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// Millionths of the currency's unit, at most the gift's
    pub micros: i64,
    /// When the last of it went back, milliseconds since 1970; nothing if nothing did, or where no day was told
    pub at: Option<i64>,
}

impl PaymentFacts {
    /// Reads a note as [`Self::to_json`] writes it; what cannot be read is left out
    #[must_use]
    pub fn read(json: &Value) -> Self {
        let facts = json.get("facts").and_then(Value::as_array).into_iter().flatten();
        let mut note = Self::default();
        for fact in facts.filter_map(read) {
            note.add(fact);
        }
        note
    }

    /// As JSON
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "facts": self.0.iter().map(write).collect::<Vec<_>>() })
    }

    /// All facts
    #[must_use]
    pub fn facts(&self) -> &[PaymentFact] {
        &self.0
    }

    /// Takes in a fact; whether it was news
    ///
    /// Of two about the same thing the later stands; of one instant, what no longer holds, and then the greater amount.
    pub fn add(&mut self, fact: PaymentFact) -> bool {
        let rank =
            |fact: &PaymentFact| (fact.at, !fact.holds, fact.money.as_ref().map_or(-1, |money| money.amount_micros));
        match self.0.iter_mut().find(|known| known.kind == fact.kind && known.id == fact.id) {
            Some(known) if rank(known) >= rank(&fact) => false,
            Some(known) => {
                // A failure does not repeat how much it is about.
                let money = fact.money.clone().or_else(|| known.money.take());
                *known = PaymentFact { money, ..fact };
                true
            }
            None => {
                self.0.push(fact);
                true
            }
        }
    }

    /// The other names of the payment
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.of(Kind::Alias).map(|fact| fact.id.as_str())
    }

    /// Whether it says that money went back, or that it did not after all
    #[must_use]
    pub fn is_about_money(&self) -> bool {
        self.0
            .iter()
            .any(|fact| !matches!(fact.kind, Kind::Alias | Kind::ReplacedBy | Kind::Confirmed | Kind::Declined))
    }

    /// How much of this gift is in open disputes, in millionths of the currency's unit
    #[must_use]
    pub fn disputed(&self, gift: &Money) -> i64 {
        let open = self.of(Kind::Disputed).filter(|fact| fact.holds).filter_map(|fact| fact.money.as_ref());
        let own = open.filter(|money| money.currency_code == gift.currency_code).map(|money| money.amount_micros);
        own.fold(0, i64::saturating_add).min(gift.amount_micros)
    }

    /// Whether money is known to have gone back, and not how much
    #[must_use]
    pub fn lacks_an_amount(&self) -> bool {
        self.0.iter().any(PaymentFact::lacks_an_amount)
    }

    /// What went back of this gift
    ///
    /// `confirmed_at` is when the gift's payment was confirmed: a failure before that was overcome. Amounts in another
    /// currency than the gift's do not count.
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::money::Money;
    /// use fundraising::provider::payment_facts::PaymentFacts;
    /// use fundraising::provider::{Kind, PaymentFact};
    ///
    /// let pounds = |amount: i64| Money { amount_micros: amount * 1_000_000, currency_code: "GBP".into() };
    /// let mut facts = PaymentFacts::default();
    /// facts.add(PaymentFact { kind: Kind::Refund, id: "re_1".into(), at: 1, holds: true, money: Some(pounds(5)) });
    /// assert_eq!(facts.refunded(&pounds(25), None).micros, 5_000_000);
    /// ```
    #[must_use]
    pub fn refunded(&self, gift: &Money, confirmed_at: Option<i64>) -> Refunded {
        let micros = |fact: &PaymentFact| {
            let money = fact.money.as_ref().filter(|money| money.currency_code == gift.currency_code);
            money.map_or(0, |money| money.amount_micros)
        };
        let sum = |kind| self.of(kind).filter(|fact| fact.holds).map(micros).fold(0, i64::saturating_add);
        // A charge tells the total when a refund is made, not when it fails later.
        let total = |fact: &PaymentFact| {
            let undone = self.of(Kind::Refund).filter(|refund| !refund.holds && refund.at >= fact.at);
            undone.map(micros).fold(micros(fact), i64::saturating_sub).max(0)
        };
        let totals = self.of(Kind::Total).map(total).fold(0, i64::saturating_add);
        let confirmed_at = self.of(Kind::Confirmed).map(|fact| fact.at).chain(confirmed_at).max();
        let failed = self.of(Kind::Failed).find(|fact| confirmed_at.is_none_or(|confirmed| fact.at >= confirmed));
        let charged_back = self.of(Kind::ChargedBack).find(|fact| fact.holds);
        let is_whole = failed.is_some() || charged_back.is_some();
        let parts = sum(Kind::Refund).max(totals).saturating_add(sum(Kind::Dispute));
        let micros = if is_whole { gift.amount_micros } else { parts.min(gift.amount_micros) };
        let counting = self.0.iter().filter(|fact| match fact.kind {
            Kind::Failed => failed.is_some(),
            Kind::Alias | Kind::ReplacedBy | Kind::Confirmed | Kind::Declined | Kind::Disputed => false,
            _ => fact.holds,
        });
        let counting = counting.filter(|fact| fact.at != 0);
        Refunded { micros, at: counting.map(|fact| fact.at).max().filter(|_| micros > 0) }
    }

    /// The facts of a kind
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &PaymentFact> {
        self.0.iter().filter(move |fact| fact.kind == kind)
    }
}

fn write(fact: &PaymentFact) -> Value {
    let mut members = Map::new();
    members.insert("kind".into(), fact.kind.as_str().into());
    members.insert("id".into(), fact.id.as_str().into());
    members.insert("at".into(), fact.at.into());
    members.insert("holds".into(), fact.holds.into());
    if let Some(money) = &fact.money {
        members.insert("amount".into(), money.to_json());
    }
    Value::Object(members)
}

fn read(json: &Value) -> Option<PaymentFact> {
    Some(PaymentFact {
        kind: Kind::read(json.get("kind")?.as_str()?)?,
        id: json.get("id")?.as_str()?.to_owned(),
        at: json.get("at")?.as_i64()?,
        holds: json.get("holds")?.as_bool()?,
        money: json.get("amount").and_then(|amount| Money::read("amount", amount).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pounds(micros: i64) -> Money {
        Money { amount_micros: micros, currency_code: "GBP".into() }
    }

    fn fact(kind: Kind, id: &str, at: i64, holds: bool, micros: i64) -> PaymentFact {
        let money = matches!(kind, Kind::Total | Kind::Refund | Kind::Dispute | Kind::Disputed).then(|| pounds(micros));
        PaymentFact { kind, id: id.into(), at, holds, money }
    }

    fn refunded(facts: &[PaymentFact]) -> i64 {
        let mut note = PaymentFacts::default();
        for fact in facts {
            note.add(fact.clone());
        }
        note.refunded(&pounds(100), Some(10)).micros
    }

    #[test]
    fn the_same_refund_in_two_words_counts_once() {
        let total = |at, micros| fact(Kind::Total, "ch", at, true, micros);
        let one = |id, at, micros| fact(Kind::Refund, id, at, true, micros);
        assert_eq!(refunded(&[total(20, 30), one("a", 20, 30)]), 30);
        assert_eq!(refunded(&[total(20, 30), total(21, 50), total(20, 30)]), 50);
        assert_eq!(refunded(&[one("a", 20, 30), one("b", 21, 20), one("a", 22, 30)]), 50);
        assert_eq!(refunded(&[total(20, 90), fact(Kind::Dispute, "d", 21, true, 40)]), 100, "at most the gift");
    }

    #[test]
    fn what_failed_later_did_not_go_back() {
        let failed = fact(Kind::Refund, "a", 30, false, 30);
        assert_eq!(refunded(&[fact(Kind::Refund, "a", 20, true, 30), failed.clone()]), 0);
        assert_eq!(refunded(&[fact(Kind::Total, "ch", 20, true, 30), failed.clone()]), 0);
        assert_eq!(refunded(&[fact(Kind::Total, "ch", 40, true, 30), failed]), 30, "told after the failure");
        assert_eq!(refunded(&[fact(Kind::Dispute, "d", 20, true, 30), fact(Kind::Dispute, "d", 21, false, 30)]), 0);
    }

    #[test]
    fn open_disputes() {
        let disputed = |facts: &[PaymentFact]| {
            let mut note = PaymentFacts::default();
            for fact in facts {
                note.add(fact.clone());
            }
            (note.disputed(&pounds(100)), note.refunded(&pounds(100), None))
        };
        let nothing = Refunded { micros: 0, at: None };
        let opened = |id, at, micros| fact(Kind::Disputed, id, at, true, micros);
        assert_eq!(disputed(&[opened("a", 20, 30), opened("b", 21, 90)]), (100, nothing), "at most the gift");
        let closed = fact(Kind::Disputed, "a", 30, false, 30);
        assert_eq!(disputed(&[closed.clone(), opened("a", 20, 30)]), (0, nothing), "told in another order");
        let lost = fact(Kind::Dispute, "a", 30, true, 30);
        assert_eq!(disputed(&[opened("a", 20, 30), closed, lost]), (0, Refunded { micros: 30, at: Some(30) }));
    }

    #[test]
    fn returned_direct_debit() {
        let whole = |kind, at, holds| fact(kind, "", at, holds, 0);
        assert_eq!(refunded(&[whole(Kind::Failed, 9, true)]), 0, "before it was confirmed");
        assert_eq!(refunded(&[whole(Kind::Failed, 11, true)]), 100);
        assert_eq!(refunded(&[whole(Kind::Failed, 11, true), whole(Kind::Confirmed, 12, true)]), 0);
        assert_eq!(refunded(&[whole(Kind::ChargedBack, 11, true)]), 100);
        assert_eq!(refunded(&[whole(Kind::ChargedBack, 11, true), whole(Kind::ChargedBack, 12, false)]), 0);
    }

    #[test]
    fn date_of_the_last_counting_fact() {
        let mut note = PaymentFacts::default();
        note.add(fact(Kind::Refund, "a", 20, true, 30));
        note.add(fact(Kind::Refund, "b", 30, false, 30));
        assert_eq!(note.refunded(&pounds(100), None), Refunded { micros: 30, at: Some(20) });
        note.add(fact(Kind::Refund, "a", 40, false, 30));
        assert_eq!(note.refunded(&pounds(100), None), Refunded { micros: 0, at: None });
    }

    #[test]
    fn foreign_and_missing_amounts() {
        let mut note = PaymentFacts::default();
        let money = Some(Money { amount_micros: 5, currency_code: "EUR".into() });
        note.add(PaymentFact { money, ..fact(Kind::Refund, "a", 20, true, 0) });
        assert_eq!(note.refunded(&pounds(100), None).micros, 0);
        assert!(!note.lacks_an_amount());
        note.add(PaymentFact { money: None, ..fact(Kind::Refund, "b", 20, true, 0) });
        assert!(note.lacks_an_amount());
    }

    fn any_fact() -> impl Strategy<Value = PaymentFact> {
        let kinds = Kind::WORDS.map(|(kind, _)| kind).to_vec();
        (proptest::sample::select(kinds), "[ab]", 0_i64..40, any::<bool>(), 0_i64..120)
            .prop_map(|(kind, id, at, holds, micros)| fact(kind, &id, at, holds, micros))
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            facts in proptest::collection::vec(any_fact(), 0..12), seed in proptest::collection::vec(any::<u16>(), 24),
        ) {
            let mut shuffled: Vec<_> = facts.iter().chain(&facts).cloned().zip(seed).collect();
            shuffled.sort_by_key(|(_, rank)| *rank);
            let shuffled: Vec<PaymentFact> = shuffled.into_iter().map(|(fact, _)| fact).collect();
            prop_assert_eq!(refunded(&facts), refunded(&shuffled));
            prop_assert!((0..=100).contains(&refunded(&facts)));
        }

        #[test]
        fn what_is_written_is_read_back(facts in proptest::collection::vec(any_fact(), 0..12)) {
            let mut note = PaymentFacts::default();
            for fact in facts {
                note.add(fact);
            }
            prop_assert_eq!(PaymentFacts::read(&note.to_json()), note);
        }
    }
}
