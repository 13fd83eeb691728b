//! How far a gift may go by itself: what is wrong or missing, how sure its donor is, how far its source is trusted.
//!
//! Trust limits automation only. What a reviewer decides to process is not stopped here. The codes are a contract with
//! front ends: more may come, none is renamed, and their order means nothing.

use serde_json::{Value, json};

use crate::donor::{Dedupe, MatchType};
use crate::gift::Gift;

/// How sure it is who gave
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// One person with the same e-mail address
    Strong,
    /// The request named a person or an organisation, or a person was just made for it
    Explicit,
    /// Names only, or a person about whom a reviewer is asked
    Weak,
    /// Nothing is known
    None,
}

impl Confidence {
    /// The word in diagnostics
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Explicit => "explicit",
            Self::Weak => "weak",
            Self::None => "none",
        }
    }

    fn of(gift: &Gift, dedupe: Option<&Dedupe>) -> Self {
        match dedupe.map(|dedupe| dedupe.match_type) {
            Some(MatchType::Email) => Self::Strong,
            Some(_) => Self::Weak,
            None if gift.donor_id.is_some() || gift.company_id.is_some() => Self::Explicit,
            None if gift.has_name() => Self::Weak,
            None => Self::None,
        }
    }
}

/// How far a source of gifts is trusted
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Typed in by staff
    High,
    /// Sent by another program
    Medium,
    /// Read from a file
    Low,
}

impl Trust {
    /// By intake source, whatever its case
    #[must_use]
    pub fn of(intake_source: Option<&str>) -> Self {
        match intake_source.unwrap_or("manual_ui").trim().to_ascii_lowercase().as_str() {
            "manual_ui" => Self::High,
            "csv_import" => Self::Low,
            _ => Self::Medium,
        }
    }

    const fn suffices_for(self, confidence: Confidence) -> bool {
        match self {
            Self::High => true,
            Self::Medium => matches!(confidence, Confidence::Strong | Confidence::Explicit),
            Self::Low => matches!(confidence, Confidence::Strong),
        }
    }
}

/// What speaks for and against processing a gift
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// What must be mended first
    pub blockers: Vec<&'static str>,
    /// What a reviewer may want to see
    pub warnings: Vec<&'static str>,
    /// How sure it is who gave
    pub confidence: Confidence,
}

impl Diagnostics {
    /// Looks at a gift and at what was found about its donor
    #[must_use]
    pub fn of(gift: &Gift, dedupe: Option<&Dedupe>) -> Self {
        let confidence = Confidence::of(gift, dedupe);
        let company_missing = gift.is_organisational() && gift.company_id.is_none();
        let nobody = !gift.is_organisational() && gift.donor_id.is_none() && !gift.has_name();
        let blockers = codes([
            ("company_missing_for_org_intent", company_missing),
            ("identity_missing", nobody),
            ("recurring_agreement_missing", gift.is_recurring() && gift.recurring_agreement_id.is_none()),
            ("gift_date_missing", gift.gift_date.is_none()),
            ("amount_missing", !gift.has_amount()),
            ("amount_unreadable", !gift.has_amount() && gift.has_unreadable_amount()),
            ("payment_awaited", gift.awaits_payment()),
        ]);
        let mut warnings = codes([
            ("identity_low_confidence", confidence == Confidence::Weak),
            ("appeal_missing", gift.appeal_id.is_none()),
            ("fund_missing", gift.fund_id.is_none()),
            ("opportunity_missing", gift.opportunity_id.is_none()),
            ("payout_missing", gift.gift_payout_id.is_none()),
            ("payment_method_missing", gift.payment_method.is_none()),
            ("email_opted_out", gift.email_opt_out == Some(true)),
            ("relation_id_invalid", !gift.unresolved_relations().is_empty()),
        ]);
        warnings.extend(dedupe.and_then(|dedupe| dedupe.match_type.warning()));
        Self { blockers, warnings, confidence }
    }

    /// Whether nothing has to be mended first
    #[must_use]
    pub const fn is_eligible(&self) -> bool {
        self.blockers.is_empty()
    }

    /// `processingDiagnostics` of a staged row
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "processingEligibility": if self.is_eligible() { "eligible" } else { "blocked" },
            "processingBlockers": self.blockers,
            "processingWarnings": self.warnings,
            "identityConfidence": self.confidence.as_str(),
        })
    }
}

fn codes<const N: usize>(all: [(&'static str, bool); N]) -> Vec<&'static str> {
    all.into_iter().filter_map(|(code, holds)| holds.then_some(code)).collect()
}

/// Whether a gift is processed without review
///
/// It must be wanted (by the request, else by `default`), have no blockers, and come from a source that is trusted
/// enough for how sure its donor is. A donor whom a reviewer must pick is never picked by trust, not even staff's. The
/// staging route asks for review, so its gifts are not put to this question.
///
/// # Examples
///
/// ```
/// use fundraising::gift::Gift;
/// use fundraising::trust::{Diagnostics, may_auto_process};
///
/// let gift = Gift { auto_process: Some(true), ..Gift::default() };
/// let diagnostics = Diagnostics::of(&gift, None);
/// assert!(diagnostics.blockers.contains(&"amount_missing"));
/// assert!(!may_auto_process(&gift, &diagnostics, None, true));
/// ```
#[must_use]
pub fn may_auto_process(gift: &Gift, diagnostics: &Diagnostics, dedupe: Option<&Dedupe>, default: bool) -> bool {
    let undecided = dedupe.is_some_and(|dedupe| dedupe.match_type != MatchType::Email);
    gift.auto_process.unwrap_or(default)
        && diagnostics.is_eligible()
        && !undecided
        // A reviewer says which record was meant.
        && gift.unresolved_relations().is_empty()
        && Trust::of(gift.intake_source.as_deref()).suffices_for(diagnostics.confidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn gift(source: &str) -> Gift {
        Gift {
            amount: Money { amount_micros: 1, currency_code: "GBP".into() },
            donor_id: Some("p".into()),
            gift_date: Some("2026-02-01".into()),
            intake_source: Some(source.into()),
            auto_process: Some(true),
            ..Gift::default()
        }
    }

    fn found(match_type: MatchType) -> Dedupe {
        Dedupe { match_type, candidates: vec!["p".into()], matched: "p".into() }
    }

    fn itself(gift: &Gift, dedupe: Option<&Dedupe>, default: bool) -> bool {
        may_auto_process(gift, &Diagnostics::of(gift, dedupe), dedupe, default)
    }

    #[test]
    fn blockers_name_what_must_be_mended() {
        let blockers = |gift: &Gift| Diagnostics::of(gift, None).blockers;
        assert_eq!(blockers(&Gift::default()), ["identity_missing", "gift_date_missing", "amount_missing"]);
        let grant = Gift { gift_intent: Some("grant".into()), ..gift("x") };
        assert_eq!(blockers(&grant), ["company_missing_for_org_intent"]);
        for recurring in [
            Gift { gift_intent: Some("recurring".into()), ..gift("x") },
            Gift { recurring_status: Some("active".into()), ..gift("x") },
            Gift { recurring_metadata: Some(serde_json::Map::new()), ..gift("x") },
        ] {
            assert_eq!(blockers(&recurring), ["recurring_agreement_missing"]);
            let agreed = Gift { recurring_agreement_id: Some("r".into()), ..recurring };
            assert!(blockers(&agreed).is_empty());
        }
        let named = Gift { donor_first_name: Some("A".into()), donor_last_name: Some("B".into()), ..Gift::default() };
        assert_eq!(blockers(&named), ["gift_date_missing", "amount_missing"]);
    }

    #[test]
    fn warnings_name_what_is_not_said() {
        let diagnostics = Diagnostics::of(&gift("x"), Some(&found(MatchType::Name)));
        assert_eq!(
            diagnostics.to_json(),
            json!({
                "processingEligibility": "eligible",
                "processingBlockers": [],
                "processingWarnings": ["identity_low_confidence", "appeal_missing", "fund_missing",
                "opportunity_missing", "payout_missing", "payment_method_missing"],
                "identityConfidence": "weak",
            })
        );
        let full = Gift {
            appeal_id: Some("a".into()),
            fund_id: Some("f".into()),
            opportunity_id: Some("o".into()),
            gift_payout_id: Some("g".into()),
            payment_method: Some("card".into()),
            ..gift("x")
        };
        assert!(Diagnostics::of(&full, None).warnings.is_empty());
    }

    #[test]
    fn trust_sets_how_sure_the_giver_must_be() {
        let named = |source| Gift {
            donor_id: None,
            donor_first_name: Some("A".into()),
            donor_last_name: Some("B".into()),
            ..gift(source)
        };
        let email = found(MatchType::Email);
        for (source, strong, explicit, weak) in [
            ("manual_ui", true, true, true),
            ("MANUAL_UI", true, true, true),
            ("portal", true, true, false),
            ("stripe_webhook", true, true, false),
            ("CSV_Import", true, false, false),
        ] {
            assert_eq!(itself(&gift(source), Some(&email), false), strong, "{source}");
            assert_eq!(itself(&gift(source), None, false), explicit, "{source}");
            assert_eq!(itself(&named(source), None, false), weak, "{source}");
        }
    }

    #[test]
    fn ambiguous_donor_needs_a_reviewer() {
        for (match_type, warning) in [
            (MatchType::Name, None),
            (MatchType::AmbiguousEmail, Some("donor_ambiguous")),
            (MatchType::OtherName, Some("donor_name_differs")),
            (MatchType::InTrash, Some("donor_in_trash")),
        ] {
            assert!(!itself(&gift("manual_ui"), Some(&found(match_type)), true));
            let warnings = Diagnostics::of(&gift("manual_ui"), Some(&found(match_type))).warnings;
            assert_eq!(warnings.into_iter().find(|code| code.starts_with("donor_")), warning);
        }
    }

    #[test]
    fn auto_process_precedence() {
        let unsaid = Gift { auto_process: None, ..gift("manual_ui") };
        assert!(itself(&unsaid, None, true));
        assert!(!itself(&unsaid, None, false));
        assert!(!itself(&Gift { auto_process: Some(false), ..unsaid.clone() }, None, true));
        assert!(!itself(&Gift { gift_date: None, ..unsaid }, None, true));
    }
}
