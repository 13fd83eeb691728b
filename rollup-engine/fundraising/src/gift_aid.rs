//! What becomes of Gift Aid on a gift: a status, the reason for it, and the declaration that carries it.
//!
//! The order of the rules is the documents'. Nothing is looked up here; claimed gifts are for the caller to leave alone.

use ports::time::parse_date;
use serde_json::{Value, json};
use time::Date;

/// What may be claimed
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may be claimed
    Claimable,
    /// It may not
    NotClaimable,
    /// A person must look at it
    NeedsReview,
}

impl Status {
    /// The word in Twenty
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimable => "CLAIMABLE",
            Self::NotClaimable => "NOT_CLAIMABLE",
            Self::NeedsReview => "NEEDS_REVIEW",
        }
    }
}

/// What is decided about a gift
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it may be claimed
    pub status: Status,
    /// Why, as a stable code
    pub reason: &'static str,
    /// The declaration that it rests on
    pub declaration: Option<String>,
}

impl Outcome {
    const fn new(status: Status, reason: &'static str) -> Self {
        Self { status, reason, declaration: None }
    }

    /// The fields of the gift
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut fields = json!({
            "giftAidStatus": self.status.as_str(),
            "giftAidReasonCode": self.reason,
            "giftAidDecisionSource": "SYSTEM",
        });
        if let (Some(declaration), Some(members)) = (&self.declaration, fields.as_object_mut()) {
            members.insert("giftAidDeclarationId".into(), declaration.as_str().into());
        }
        fields
    }
}

/// What the rules look at
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with a rule of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// Whether the charity claims Gift Aid at all
    pub enabled: bool,
    /// `giftType` of the gift, if it has one; none is a donation
    pub gift_type: Option<&'a str>,
    /// Whether the gift is in kind, or from an organisation
    pub is_no_donation: bool,
    /// Who gave
    pub donor: Option<&'a str>,
    /// Whether both names of the donor are known
    pub has_names: bool,
    /// Day of the gift
    pub date: Option<Date>,
    /// Whether the donor asked for it
    pub requested: bool,
    /// Declaration that the gift names itself
    pub explicit: Option<&'a str>,
    /// Declarations found: of the donor, and the one that the gift names
    pub declarations: &'a [Declaration],
}

/// A declaration as it is stored
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// Its id
    pub id: String,
    /// Whose it is
    pub person: Option<String>,
    /// Whether its status is `ACTIVE` and nobody revoked it
    pub is_in_force: bool,
    /// Day of the declaration
    pub date: Option<Date>,
    /// Whether it covers gifts from before its day
    pub covers_the_past: bool,
}

impl Declaration {
    /// Reads a record of `giftAidDeclaration`
    #[must_use]
    pub fn read(record: &Value) -> Option<Self> {
        let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let scope = text("coverageScope").unwrap_or_default().to_ascii_lowercase();
        Some(Self {
            id: text("id")?.to_owned(),
            person: text("personId").map(str::to_owned),
            is_in_force: text("status").is_some_and(|status| status.eq_ignore_ascii_case("ACTIVE"))
                && text("revokedAt").is_none(),
            date: text("declarationDate").and_then(parse_date),
            covers_the_past: matches!(
                scope.as_str(),
                "past_and_future" | "historical_and_future" | "retrospective_and_future" | "all" | "both"
            ),
        })
    }

    fn applies(&self, question: &Question<'_>) -> bool {
        let reaches =
            self.covers_the_past || question.date.is_some_and(|gift| self.date.is_some_and(|date| date <= gift));
        self.is_in_force && self.person.is_some() && self.person.as_deref() == question.donor && reaches
    }
}

/// Decides; nothing where the charity does not claim
///
/// # Examples
///
/// ```
/// use fundraising::gift_aid::{Declaration, Question, Status, decide};
/// use ports::time::parse_date;
///
/// let declaration = Declaration {
///     id: "d".into(),
///     person: Some("ada".into()),
///     is_in_force: true,
///     date: parse_date("2026-01-01"),
///     covers_the_past: false,
/// };
/// let question = Question {
///     enabled: true,
///     donor: Some("ada"),
///     has_names: true,
///     date: parse_date("2026-02-01"),
///     requested: true,
///     declarations: &[declaration],
///     ..Question::default()
/// };
/// assert_eq!(decide(&question).unwrap().status, Status::Claimable);
/// ```
#[must_use]
pub fn decide(question: &Question<'_>) -> Option<Outcome> {
    if !question.enabled {
        return None;
    }
    let is_donation = question.gift_type.is_none_or(|kind| kind.trim().eq_ignore_ascii_case("DONATION"));
    if !is_donation || question.is_no_donation {
        return Some(Outcome::new(Status::NotClaimable, "gift_type_not_eligible"));
    }
    let named = question.explicit.and_then(|id| question.declarations.iter().find(|one| one.id == id));
    if named.is_some_and(|one| one.person.as_deref() != question.donor) {
        return Some(Outcome::new(Status::NeedsReview, "declaration_donor_mismatch"));
    }
    let applicable = question.declarations.iter().filter(|one| one.applies(question));
    let Some(latest) = applicable.max_by_key(|one| one.date) else {
        return Some(if question.requested {
            Outcome::new(Status::NeedsReview, "no_declaration_on_file")
        } else {
            Outcome::new(Status::NotClaimable, "not_requested")
        });
    };
    let outcome = if question.has_names {
        Outcome::new(Status::Claimable, "valid_declaration_present")
    } else {
        Outcome::new(Status::NeedsReview, "donor_data_incomplete")
    };
    Some(Outcome { declaration: Some(latest.id.clone()), ..outcome })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn declaration(id: &str, person: &str, date: &str) -> Declaration {
        Declaration {
            id: id.into(),
            person: Some(person.into()),
            is_in_force: true,
            date: parse_date(date),
            covers_the_past: false,
        }
    }

    fn asked(declarations: &[Declaration]) -> Question<'_> {
        Question {
            enabled: true,
            donor: Some("ada"),
            has_names: true,
            date: parse_date("2026-02-01"),
            requested: true,
            declarations,
            ..Question::default()
        }
    }

    fn reason(question: &Question<'_>) -> &'static str {
        decide(question).map_or("nothing", |outcome| outcome.reason)
    }

    #[test]
    fn nothing_claimed_nothing_decided() {
        assert_eq!(decide(&Question { enabled: false, ..asked(&[]) }), None);
    }

    #[test]
    fn only_a_donation_can_be_claimed() {
        let all = [declaration("d", "ada", "2026-01-01")];
        assert_eq!(reason(&Question { gift_type: Some("GRANT"), ..asked(&all) }), "gift_type_not_eligible");
        assert_eq!(reason(&Question { is_no_donation: true, ..asked(&all) }), "gift_type_not_eligible");
        assert_eq!(reason(&Question { gift_type: Some("donation"), ..asked(&all) }), "valid_declaration_present");
    }

    #[test]
    fn declaration_of_another_person() {
        let all = [declaration("d", "bob", "2026-01-01")];
        assert_eq!(reason(&Question { explicit: Some("d"), ..asked(&all) }), "declaration_donor_mismatch");
        assert_eq!(reason(&asked(&all)), "no_declaration_on_file");
    }

    #[test]
    fn latest_declaration_counts() {
        let all = [declaration("old", "ada", "2025-01-01"), declaration("new", "ada", "2026-01-01")];
        let outcome = decide(&asked(&all)).unwrap();
        assert_eq!((outcome.status, outcome.declaration.as_deref()), (Status::Claimable, Some("new")));
        assert_eq!(
            outcome.to_json(),
            json!({ "giftAidStatus": "CLAIMABLE", "giftAidReasonCode": "valid_declaration_present",
                "giftAidDecisionSource": "SYSTEM", "giftAidDeclarationId": "new" })
        );
        assert_eq!(reason(&Question { has_names: false, ..asked(&all) }), "donor_data_incomplete");
    }

    #[test]
    fn later_declaration_must_cover_past() {
        let later = declaration("d", "ada", "2026-02-02");
        assert_eq!(reason(&asked(std::slice::from_ref(&later))), "no_declaration_on_file");
        let record = json!({ "id": "d", "personId": "ada", "status": "ACTIVE", "declarationDate": "2026-02-02",
            "coverageScope": "PAST_AND_FUTURE", "revokedAt": null });
        let past = Declaration::read(&record).unwrap();
        assert_eq!(past, Declaration { covers_the_past: true, ..later });
        assert_eq!(reason(&asked(&[past])), "valid_declaration_present");
    }

    #[test]
    fn revoked_declaration_does_not_count() {
        for (key, value) in [("revokedAt", "2026-01-05T00:00:00Z"), ("status", "SUPERSEDED")] {
            let mut record =
                json!({ "id": "d", "personId": "ada", "status": "ACTIVE", "declarationDate": "2026-01-01" });
            record[key] = json!(value);
            assert_eq!(reason(&asked(&[Declaration::read(&record).unwrap()])), "no_declaration_on_file");
        }
        assert_eq!(reason(&Question { requested: false, ..asked(&[]) }), "not_requested");
    }

    proptest! {
        #[test]
        fn claimable_needs_a_declaration_in_force(
            rows in proptest::collection::vec((0..3_u8, any::<bool>(), 1..28_u8, any::<bool>()), 0..6),
            day in 1..28_u8, requested: bool, names: bool,
        ) {
            let people = ["ada", "bob", "cy"];
            let date = |day| parse_date(&format!("2026-02-{day:02}"));
            let all: Vec<_> = rows.iter().enumerate().map(|(number, (person, in_force, day, past))| Declaration {
                id: number.to_string(), person: Some(people[usize::from(*person)].into()), is_in_force: *in_force,
                date: date(*day), covers_the_past: *past,
            }).collect();
            let outcome = decide(&Question { date: date(day), requested, has_names: names, ..asked(&all) }).unwrap();
            let valid = all.iter().any(|one| one.person.as_deref() == Some("ada") && one.is_in_force
                && (one.covers_the_past || one.date <= date(day)));
            prop_assert_eq!(outcome.status == Status::Claimable, valid && names);
        }
    }
}
