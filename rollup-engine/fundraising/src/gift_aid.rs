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
    /// Whether tax was given back on the payment already, as [`is_relieved`] tells
    pub is_relieved: bool,
    /// Who gave
    pub donor: Option<&'a str>,
    /// Whether both names stand on the donor's record
    pub has_names: bool,
    /// Whether the gift came under another name than the donor's
    pub is_other_name: bool,
    /// Day of the gift
    pub date: Option<Date>,
    /// Whether the donor asked for it
    pub requested: bool,
    /// Declaration that the gift names itself
    pub explicit: Option<&'a str>,
    /// Declarations found: of the donor, and the one that the gift names
    pub declarations: &'a [Declaration],
}

/// Which gifts a declaration speaks of
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The one that it was made with
    ThisGift,
    /// Those of the four years before it
    Past,
    /// Those from its day on
    #[default]
    Future,
    /// Both
    PastAndFuture,
    /// A word that is not known: a person must look at it
    Unknown,
}

impl Scope {
    /// Reads `coverageScope`, in any case; empty is the future
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "future" => Self::Future,
            "this_gift" | "single_donation" => Self::ThisGift,
            "past" | "past_only" => Self::Past,
            "past_and_future" | "historical_and_future" | "retrospective_and_future" | "all" | "both" => {
                Self::PastAndFuture
            }
            _ => Self::Unknown,
        }
    }
}

/// A declaration as it is stored
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// Its id
    pub id: String,
    /// Whose it is
    pub person: Option<String>,
    /// Whether it is in force, or was until it was revoked: not one that was superseded or is insufficient
    pub is_valid: bool,
    /// First day on which it is no longer in force
    pub revoked_on: Option<Date>,
    /// Day of the declaration
    pub date: Option<Date>,
    /// Which gifts it speaks of
    pub scope: Scope,
}

/// Reason on a gift that came under clearly another name than its donor's
pub const OTHER_NAME: &str = "donor_name_differs";

/// How many years before its own day a declaration reaches
const YEARS_BACK: i32 = 4;

impl Declaration {
    /// Reads a record of `giftAidDeclaration`; `day_of` tells the day of an instant at the charity
    #[must_use]
    pub fn read(record: &Value, day_of: impl Fn(&str) -> Option<Date>) -> Option<Self> {
        let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let status = text("status").unwrap_or_default().to_ascii_uppercase();
        let revoked_at = text("revokedAt");
        let revoked_on = revoked_at.and_then(day_of);
        // When it was revoked must be known to tell which gifts it still carries.
        let is_valid = match status.as_str() {
            "ACTIVE" => revoked_at.is_none() || revoked_on.is_some(),
            "REVOKED" => revoked_on.is_some(),
            _ => false,
        };
        Some(Self {
            id: text("id")?.to_owned(),
            person: text("personId").map(str::to_owned),
            is_valid,
            revoked_on,
            date: text("declarationDate").and_then(parse_date),
            scope: Scope::read(text("coverageScope").unwrap_or_default()),
        })
    }

    /// Whether it is the donor's and in force on the gift's day
    fn is_in_force(&self, question: &Question<'_>) -> bool {
        let holds = self.revoked_on.is_none_or(|revoked| question.date.is_some_and(|gift| gift < revoked));
        self.is_valid && self.person.is_some() && self.person.as_deref() == question.donor && holds
    }

    fn covers(&self, question: &Question<'_>) -> bool {
        let (Some(gift), Some(declared)) = (question.date, self.date) else { return false };
        let is_past = gift <= declared && years_before(declared, YEARS_BACK) <= gift;
        match self.scope {
            Scope::ThisGift => question.explicit == Some(&self.id) || gift == declared,
            Scope::Past => is_past,
            Scope::Future => declared <= gift,
            Scope::PastAndFuture => is_past || declared <= gift,
            Scope::Unknown => false,
        }
    }
}

/// The same day so many years before; 29 February becomes 28 February
fn years_before(day: Date, years: i32) -> Date {
    let year = day.year() - years;
    day.replace_year(year).or_else(|_| day.replace_day(28)?.replace_year(year)).unwrap_or(day)
}

/// Whether a payment is of a kind whose tax the donor has back already, or another charity claims
///
/// Payroll giving is taken from pay before tax; CAF accounts and vouchers, and the `PayPal` Giving Fund, are charities
/// themselves; of a platform that claimed see [`Gift::is_claimed_elsewhere`](crate::gift::Gift). `words` are what the gift says of how it was paid: method, source,
/// provider.
///
/// # Example
/// ```
/// use fundraising::gift_aid::is_relieved;
/// assert!(is_relieved(["card", "CAF Voucher"]));
/// assert!(!is_relieved(["card", "cafe_till"]));
/// ```
pub fn is_relieved<'a>(words: impl IntoIterator<Item = &'a str>) -> bool {
    const KINDS: [&[&str]; 9] = [
        &["payroll"],
        &["gaye"],
        &["give", "as", "you", "earn"],
        &["caf"],
        &["voucher"],
        &["vouchers"],
        &["paypal", "giving", "fund"],
        &["pay", "pal", "giving", "fund"],
        &["ppgf"],
    ];
    words.into_iter().any(|text| {
        let parts = parts(text);
        KINDS.iter().any(|kind| parts.windows(kind.len()).any(|window| window == *kind))
    })
}

/// The words of a text in lower case: `CAFAccount`, `payrollGiving` and `payroll_giving` have two each
fn parts(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut parts = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                let ends_capitals = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
                before.is_ascii_lowercase() || (before.is_ascii_uppercase() && ends_capitals)
            });
        if begins || !letter.is_ascii_alphanumeric() {
            parts.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.push(letter.to_ascii_lowercase());
        }
    }
    parts
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
///     is_valid: true,
///     date: parse_date("2026-01-01"),
///     ..Declaration::default()
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
    if question.is_relieved {
        return Some(Outcome::new(Status::NotClaimable, "payment_already_relieved"));
    }
    let named = question.explicit.and_then(|id| question.declarations.iter().find(|one| one.id == id));
    if named.is_some_and(|one| one.person.as_deref() != question.donor) {
        return Some(Outcome::new(Status::NeedsReview, "declaration_donor_mismatch"));
    }
    let in_force = || question.declarations.iter().filter(|one| one.is_in_force(question));
    let Some(latest) = in_force().filter(|one| one.covers(question)).max_by_key(|one| one.date) else {
        return Some(if in_force().any(|one| one.scope == Scope::Unknown) {
            Outcome::new(Status::NeedsReview, "declaration_scope_unknown")
        } else if question.requested {
            Outcome::new(Status::NeedsReview, "no_declaration_on_file")
        } else {
            Outcome::new(Status::NotClaimable, "not_requested")
        });
    };
    let outcome = if !question.has_names {
        Outcome::new(Status::NeedsReview, "donor_data_incomplete")
    } else if question.is_other_name {
        Outcome::new(Status::NeedsReview, OTHER_NAME)
    } else {
        Outcome::new(Status::Claimable, "valid_declaration_present")
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
            is_valid: true,
            date: parse_date(date),
            ..Declaration::default()
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

    /// A record, with what is said of it
    fn record(said: &Value) -> Declaration {
        let mut record = json!({ "id": "d", "personId": "ada", "status": "ACTIVE", "declarationDate": "2026-02-02" });
        for (key, value) in said.as_object().unwrap() {
            record[key] = value.clone();
        }
        Declaration::read(&record, |instant| parse_date(&instant[..10])).unwrap()
    }

    fn reason_on(day: &str, said: &Value) -> &'static str {
        reason(&Question { date: parse_date(day), ..asked(&[record(said)]) })
    }

    const CARRIED: &str = "valid_declaration_present";
    const NOT: &str = "no_declaration_on_file";

    #[test]
    fn scopes() {
        for (scope, day, expected) in [
            ("", "2026-02-01", NOT),
            ("", "2026-02-02", CARRIED),
            ("Future", "2030-01-01", CARRIED),
            ("PAST_AND_FUTURE", "2022-02-02", CARRIED),
            ("past_and_future", "2022-02-01", NOT),
            ("both", "2030-01-01", CARRIED),
            ("past", "2026-02-02", CARRIED),
            ("past_only", "2022-02-02", CARRIED),
            ("past", "2022-02-01", NOT),
            ("past", "2026-02-03", NOT),
            ("this_gift", "2026-02-02", CARRIED),
            ("single_donation", "2026-02-03", NOT),
            ("sometimes", "2026-02-03", "declaration_scope_unknown"),
        ] {
            assert_eq!(reason_on(day, &json!({ "coverageScope": scope })), expected, "{scope} {day}");
        }
        let named = [record(&json!({ "coverageScope": "this_gift" }))];
        let question = Question { date: parse_date("2026-03-01"), explicit: Some("d"), ..asked(&named) };
        assert_eq!(reason(&question), CARRIED);
        assert_eq!(years_before(parse_date("2024-02-29").unwrap(), 1), parse_date("2023-02-28").unwrap());
    }

    #[test]
    fn revocation_looks_ahead() {
        let revoked = |status: &str, at: Value| json!({ "status": status, "revokedAt": at });
        for (said, expected) in [
            (revoked("ACTIVE", json!("2026-03-02T00:00:00Z")), CARRIED),
            (revoked("REVOKED", json!("2026-03-02T00:00:00Z")), CARRIED),
            (revoked("REVOKED", json!("2026-03-01T00:00:00Z")), NOT),
            (revoked("ACTIVE", json!("2026-03-01T00:00:00Z")), NOT),
            (revoked("REVOKED", json!(null)), NOT),
            (revoked("SUPERSEDED", json!(null)), NOT),
            (revoked("INSUFFICIENT", json!("2026-03-02T00:00:00Z")), NOT),
        ] {
            assert_eq!(reason_on("2026-03-01", &said), expected, "{said}");
        }
        assert_eq!(reason(&Question { requested: false, ..asked(&[]) }), "not_requested");
    }

    #[test]
    fn payments_that_carry_relief() {
        for word in [
            "payroll_giving",
            "payrollGiving",
            "Give As You Earn",
            "CAF account",
            "CAFAccount",
            "cafVoucher",
            "charity-voucher",
            "paypal giving fund",
            "paypalGivingFund",
            "PayPalGivingFund",
        ] {
            assert!(is_relieved([word]), "{word}");
        }
        assert!(!is_relieved(["card", "paypal", "direct_debit", "cafe"]));
        let all = [declaration("d", "ada", "2026-01-01")];
        assert_eq!(reason(&Question { is_relieved: true, ..asked(&all) }), "payment_already_relieved");
    }

    #[test]
    fn another_name_is_a_question() {
        let all = [declaration("d", "ada", "2026-01-01")];
        assert_eq!(reason(&Question { is_other_name: true, ..asked(&all) }), "donor_name_differs");
        assert_eq!(reason(&Question { is_other_name: true, ..asked(&[]) }), NOT);
    }

    proptest! {
        #[test]
        fn claimable_means_a_declaration_of_the_donor_in_force_for_that_day(
            rows in proptest::collection::vec((0..3_u8, any::<bool>(), 1..28_u8, 0..4_usize, 1..40_u8), 0..6),
            day in 1..28_u8, requested: bool, names: bool,
        ) {
            let people = ["ada", "bob", "cy"];
            let scopes = [Scope::Past, Scope::Future, Scope::PastAndFuture, Scope::Unknown];
            let date = |day| parse_date(&format!("2026-02-{day:02}"));
            let all: Vec<_> = rows.iter().enumerate().map(|(number, (person, valid, day, scope, revoked))| Declaration {
                id: number.to_string(), person: Some(people[usize::from(*person)].into()), is_valid: *valid,
                date: date(*day), scope: scopes[*scope], revoked_on: date(*revoked),
            }).collect();
            let outcome = decide(&Question { date: date(day), requested, has_names: names, ..asked(&all) }).unwrap();
            let valid = all.iter().any(|one| one.person.as_deref() == Some("ada") && one.is_valid
                && one.revoked_on.is_none_or(|revoked| date(day).unwrap() < revoked)
                && match one.scope {
                    Scope::Past => date(day) <= one.date,
                    Scope::Future => date(day) >= one.date,
                    scope => scope == Scope::PastAndFuture,
                });
            prop_assert_eq!(outcome.status == Status::Claimable, valid && names);
        }
    }
}
