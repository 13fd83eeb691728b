//! How a recurring agreement stands, from what its payments and its provider say.
//!
//! One failed payment is a card that was declined and is tried again; [`FAILURES_UNTIL_DELINQUENT`] in a row make the agreement
//! delinquent, and a later payment makes it active. What the provider says itself counts like that. What was canceled
//! or completed stays so, unless its provider reinstates it later. Words may come late and twice: each carries its instant, and an
//! older one than what is known changes nothing.

use serde_json::{Value, json};

/// So many failures in a row make an agreement delinquent
pub const FAILURES_UNTIL_DELINQUENT: usize = 2;

/// Failures that are remembered; there is no need for more than a few
const MAX_FAILURES: usize = 20;

/// Statuses that an agreement can be given
const STATUSES: [&str; 5] = ["active", "paused", "delinquent", "canceled", "completed"];

/// Something that is said of an agreement; instants are milliseconds since 1970
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementEvent<'a> {
    /// An instalment was paid
    Paid {
        /// When
        at: i64,
    },
    /// A payment failed
    Failed {
        /// What tells this failure from others
        attempt: &'a str,
        /// When
        at: i64,
    },
    /// The provider undoes its end
    Reinstated {
        /// When
        at: i64,
    },
    /// The provider gives it this status
    StatusReported {
        /// `active`, `paused`, `delinquent`, `canceled` or `completed`
        status: &'static str,
        /// When
        at: i64,
    },
}

/// What was said of an agreement so far
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgreementStatusLog {
    paid_at: Option<i64>,
    failures: Vec<(String, i64)>,
    said: Option<(&'static str, i64)>,
    ended: Option<(&'static str, i64)>,
    reinstated_at: Option<i64>,
}

/// What a word comes to
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was not known before
    pub is_new: bool,
    /// The status to write, if it changes
    pub status: Option<&'static str>,
}

/// Whether an agreement of this status has ended
#[must_use]
pub fn is_ended(status: Option<&str>) -> bool {
    matches!(status.map(str::trim), Some("canceled" | "completed"))
}

impl AgreementStatusLog {
    /// Reads what [`Self::to_json`] wrote; what cannot be read is left out
    #[must_use]
    pub fn read(json: Option<&Value>) -> Self {
        let Some(json) = json else { return Self::default() };
        let failures = json.get("failed").and_then(Value::as_array).into_iter().flatten();
        let said = |word: &str, at: &str| {
            let word = json.get(word)?.as_str()?;
            Some((STATUSES.into_iter().find(|status| *status == word)?, json.get(at)?.as_i64()?))
        };
        Self {
            paid_at: json.get("paidAt").and_then(Value::as_i64),
            failures: failures
                .filter_map(|entry| Some((entry.get("attempt")?.as_str()?.to_owned(), entry.get("at")?.as_i64()?)))
                .collect(),
            said: said("said", "saidAt"),
            ended: said("ended", "endedAt"),
            reinstated_at: json.get("reinstatedAt").and_then(Value::as_i64),
        }
    }

    /// As JSON
    #[must_use]
    pub fn to_json(&self) -> Value {
        let failed: Vec<Value> =
            self.failures.iter().map(|(attempt, at)| json!({ "attempt": attempt.as_str(), "at": *at })).collect();
        json!({
            "paidAt": self.paid_at,
            "failed": failed,
            "said": self.said.map(|(status, _)| status),
            "saidAt": self.said.map(|(_, at)| at),
            "ended": self.ended.map(|(status, _)| status),
            "endedAt": self.ended.map(|(_, at)| at),
            "reinstatedAt": self.reinstated_at,
        })
    }

    /// Takes in a word about an agreement of this status
    ///
    /// A status comes of it only if it changes what the words amount to: what was known before had its effect, and
    /// somebody here may have decided otherwise since.
    ///
    /// # Examples
    ///
    /// ```
    /// use fundraising::agreement_status::{AgreementEvent, AgreementStatusLog};
    ///
    /// let mut log = AgreementStatusLog::default();
    /// let first = log.apply(AgreementEvent::Failed { attempt: "a", at: 1 }, Some("active"));
    /// let second = log.apply(AgreementEvent::Failed { attempt: "b", at: 2 }, Some("active"));
    /// assert_eq!((first.status, second.status), (None, Some("delinquent")));
    /// let paid = log.apply(AgreementEvent::Paid { at: 3 }, Some("delinquent"));
    /// assert_eq!(paid.status, Some("active"));
    /// ```
    pub fn apply(&mut self, event: AgreementEvent<'_>, current: Option<&str>) -> Outcome {
        let before = self.latest_status();
        let is_new = self.record(event);
        let status = match event {
            _ if !is_new => None,
            // What somebody here ended is theirs to begin again.
            AgreementEvent::Reinstated { at }
                if self.ended.is_some_and(|(ended, then)| then <= at && current.map(str::trim) == Some(ended)) =>
            {
                self.latest_status().map(|(status, _)| status)
            }
            _ if is_ended(current) => None,
            AgreementEvent::StatusReported { status, at } if is_ended(Some(status)) => {
                Some(status).filter(|_| self.reinstated_at.is_none_or(|reinstated| at > reinstated))
            }
            _ => self.latest_status().filter(|last| before != Some(*last)).map(|(status, _)| status),
        };
        Outcome { is_new, status: status.filter(|status| current.map(str::trim) != Some(status)) }
    }

    fn record(&mut self, event: AgreementEvent<'_>) -> bool {
        match event {
            AgreementEvent::Paid { at } => {
                let is_new = self.paid_at.is_none_or(|known| at > known);
                if is_new {
                    self.paid_at = Some(at);
                    self.failures.retain(|(_, failed)| *failed > at);
                }
                is_new
            }
            AgreementEvent::Failed { attempt, at } => {
                let is_old = self.paid_at.is_some_and(|paid| at <= paid);
                let is_known = self.failures.iter().any(|(known, _)| known == attempt);
                let is_new = !is_old && !is_known && self.failures.len() < MAX_FAILURES;
                if is_new {
                    self.failures.push((attempt.to_owned(), at));
                }
                is_new
            }
            AgreementEvent::Reinstated { at } => {
                let is_new = self.reinstated_at.is_none_or(|known| at > known);
                if is_new {
                    self.reinstated_at = Some(at);
                }
                is_new
            }
            AgreementEvent::StatusReported { status, at } => {
                let place = if is_ended(Some(status)) { &mut self.ended } else { &mut self.said };
                let is_new = place.is_none_or(|known| (at, status) > (known.1, known.0));
                if is_new {
                    *place = Some((status, at));
                }
                is_new
            }
        }
    }

    fn latest_status(&self) -> Option<(&'static str, i64)> {
        let paid = self.paid_at.map(|at| ("active", at));
        let failed =
            self.failures.iter().map(|(_, at)| *at).max().filter(|_| self.failures.len() >= FAILURES_UNTIL_DELINQUENT);
        let failed = failed.map(|at| ("delinquent", at));
        let mut last: Option<(&'static str, i64)> = None;
        let reinstated = self.reinstated_at.map(|at| ("active", at));
        for word in [paid, failed, self.said, reinstated].into_iter().flatten() {
            if last.is_none_or(|known| word.1 >= known.1) {
                last = Some(word);
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(current: &str, words: &[AgreementEvent<'_>]) -> String {
        let (mut standing, mut status) = (AgreementStatusLog::default(), current.to_owned());
        for word in words {
            standing = AgreementStatusLog::read(Some(&standing.to_json()));
            if let Some(next) = standing.apply(*word, Some(&status)).status {
                status = next.to_owned();
            }
        }
        status
    }

    const fn failed(attempt: &str, at: i64) -> AgreementEvent<'_> {
        AgreementEvent::Failed { attempt, at }
    }

    const fn said(status: &'static str, at: i64) -> AgreementEvent<'static> {
        AgreementEvent::StatusReported { status, at }
    }

    #[test]
    fn failures_make_delinquent() {
        assert_eq!(run("active", &[failed("a", 1)]), "active");
        assert_eq!(run("active", &[failed("a", 1), failed("a", 1)]), "active", "the same one twice");
        assert_eq!(run("active", &[failed("a", 1), failed("b", 2)]), "delinquent");
        assert_eq!(run("active", &[failed("a", 1), AgreementEvent::Paid { at: 2 }, failed("b", 3)]), "active");
        assert_eq!(run("active", &[failed("a", 1), failed("b", 2), AgreementEvent::Paid { at: 3 }]), "active");
        assert_eq!(
            run("active", &[failed("a", 2), failed("b", 3), AgreementEvent::Paid { at: 1 }]),
            "delinquent",
            "a late word"
        );
    }

    #[test]
    fn what_has_ended_is_not_revived() {
        assert_eq!(run("canceled", &[AgreementEvent::Paid { at: 9 }, said("active", 10)]), "canceled");
        assert_eq!(run("completed", &[failed("a", 1), failed("b", 2)]), "completed");
        assert_eq!(run("active", &[said("active", 5), said("canceled", 4)]), "canceled", "an end told late");
        assert_eq!(
            run("active", &[said("canceled", 4), said("active", 5), AgreementEvent::Paid { at: 6 }]),
            "canceled"
        );
    }

    #[test]
    fn reinstated_by_its_provider() {
        let reinstated = |at| AgreementEvent::Reinstated { at };
        for words in [[said("canceled", 4), reinstated(6)], [reinstated(6), said("canceled", 4)]] {
            assert_eq!(run("active", &words), "active");
            assert_eq!(run("active", &[words[0], words[1], said("canceled", 8)]), "canceled");
        }
        assert_eq!(run("active", &[said("canceled", 6), reinstated(4)]), "canceled", "an older word");
        assert_eq!(run("canceled", &[reinstated(6)]), "canceled", "ended by somebody here");
        assert_eq!(run("active", &[said("canceled", 4), AgreementEvent::Paid { at: 5 }, reinstated(6)]), "active");
    }

    #[test]
    fn latest_event_counts() {
        assert_eq!(run("active", &[said("paused", 5), AgreementEvent::Paid { at: 4 }]), "paused");
        assert_eq!(run("paused", &[AgreementEvent::Paid { at: 6 }]), "active");
        assert_eq!(run("active", &[said("delinquent", 5), said("active", 3)]), "delinquent");
    }

    #[test]
    fn staff_decision_stands() {
        let mut standing = AgreementStatusLog::default();
        assert!(standing.apply(AgreementEvent::Paid { at: 5 }, Some("delinquent")).is_new);
        assert_eq!(
            standing.apply(AgreementEvent::Paid { at: 5 }, Some("paused")),
            Outcome { is_new: false, status: None }
        );
        assert_eq!(standing.apply(failed("a", 6), Some("paused")), Outcome { is_new: true, status: None });
    }

    proptest! {
        #[test]
        fn any_order_of_the_same_words_ends_alike(
            words in proptest::collection::vec((0_u8..4, 0_i64..30), 0..10), seed in proptest::collection::vec(any::<u16>(), 20),
        ) {
            // One word an instant: of two at once neither is the later.
            let mut seen = Vec::new();
            let names: Vec<String> = (0..30).map(|at| format!("f{at}")).collect();
            let words: Vec<AgreementEvent<'_>> = words.into_iter().filter_map(|(kind, at)| {
                if seen.contains(&at) {
                    return None;
                }
                seen.push(at);
                Some(match kind {
                    0 => AgreementEvent::Paid { at },
                    1 => failed(&names[usize::try_from(at).unwrap()], at),
                    2 => said("paused", at),
                    _ => said("delinquent", at),
                })
            }).collect();
            let mut in_time = words.clone();
            in_time.sort_by_key(|word| match word { AgreementEvent::Paid { at } | AgreementEvent::Reinstated { at } | AgreementEvent::Failed { at, .. } | AgreementEvent::StatusReported { at, .. } => *at });
            let mut shuffled: Vec<_> = words.iter().chain(&words).copied().zip(seed).collect();
            shuffled.sort_by_key(|(_, rank)| *rank);
            let shuffled: Vec<AgreementEvent<'_>> = shuffled.into_iter().map(|(word, _)| word).collect();
            prop_assert_eq!(run("", &in_time), run("", &shuffled));
        }
    }
}
