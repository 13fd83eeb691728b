//! Who a gift is from: an id that was given, a person who is already there, a new one, or a question for a reviewer.
//!
//! Asking Twenty is left to the caller: [`lookup_for`] says whether to ask, [`decide`] what the answer means. A look-up
//! that failed has no answer, so that nothing here can make a second person out of a throttled request. Only an e-mail
//! address links a gift to a person; a name alone never does.
//!
//! ```text
//!              explicit id, organisation ──▶ Settled
//! lookup_for ─ names, no e-mail ───────────▶ Create
//!              names and e-mail ───────────▶ LookUp ── decide ─┬ one with the e-mail ──────▶ Match
//!              neither ────────────────────▶ Unknown           ├ several with it ──────────▶ Review
//!                                                              ├ only the name is the same ▶ Review
//!                                                              └ nobody ───────────────────▶ New
//! ```

use serde_json::{Value, json};

use crate::client_error::{ClientError, Status};
use crate::gift::Gift;

/// What must be known before a donor can be named
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DonorLookup {
    /// Nothing: the request names a person or an organisation
    NotNeeded,
    /// Nothing can be asked: the names are incomplete
    NamesIncomplete,
    /// Nothing can be asked without an e-mail address: a new person
    Create(Person),
    /// Ask Twenty for duplicates of this person
    LookUp(Person),
}

/// A donor as a gift describes them
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// First name
    pub first_name: String,
    /// Last name
    pub last_name: String,
    /// E-mail address
    pub email: Option<String>,
}

impl Person {
    /// As `POST /people` takes it, and as an entry of `data` in `POST /people/duplicates`
    #[must_use]
    pub fn to_json(&self) -> Value {
        let name = json!({ "firstName": self.first_name.as_str(), "lastName": self.last_name.as_str() });
        match &self.email {
            Some(email) => json!({ "name": name, "emails": { "primaryEmail": email.as_str() } }),
            None => json!({ "name": name }),
        }
    }
}

/// A person whom Twenty takes for a duplicate
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Id of the person
    pub id: String,
    /// Primary and additional e-mail addresses
    pub emails: Vec<String>,
}

impl Candidate {
    /// Reads all candidates from Twenty's answer, in its order; those without an id are left out
    #[must_use]
    pub fn read_all(answer: &Value) -> Vec<Self> {
        let entries = answer.get("data").and_then(Value::as_array).into_iter().flatten();
        entries
            .filter_map(|entry| entry.get("personDuplicates")?.as_array())
            .flatten()
            .filter_map(|person| {
                let id = person.get("id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
                Some(Self { id, emails: Self::emails_of(person) })
            })
            .collect()
    }

    /// Primary and additional e-mail addresses of a person's record
    pub fn emails_of(person: &Value) -> Vec<String> {
        let primary = person.pointer("/emails/primaryEmail").into_iter();
        let additional = person.pointer("/emails/additionalEmails").and_then(Value::as_array).into_iter().flatten();
        primary.chain(additional).filter_map(|email| Some(email.as_str()?.to_owned())).collect()
    }

    fn has(&self, email: &str) -> bool {
        self.emails.iter().any(|own| same(own, email))
    }
}

/// How candidates were found
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchType {
    /// One person has the e-mail address
    Email,
    /// People of the same name, with other addresses or none
    Name,
    /// Several people have the e-mail address
    AmbiguousEmail,
}

impl MatchType {
    /// The word in diagnostics
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::AmbiguousEmail => "email_ambiguous",
        }
    }

    /// The `dedupeStatus` of a staged row
    #[must_use]
    pub const fn dedupe_status(self) -> &'static str {
        match self {
            Self::Email => "matched_existing",
            Self::Name | Self::AmbiguousEmail => "needs_review",
        }
    }
}

/// What a look-up found, as a reviewer sees it
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedupe {
    /// How
    pub match_type: MatchType,
    /// Ids of those looked at, in Twenty's order, up to the one that has the address; there is at least one
    pub candidates: Vec<String>,
    /// The likeliest of them: linked only if the match is by e-mail
    pub matched: String,
}

impl Dedupe {
    /// `dedupeDiagnostics` of a staged row
    #[must_use]
    pub fn to_json(&self) -> Value {
        let confidence = if self.match_type == MatchType::Email { Value::from(1) } else { Value::from(0.5) };
        json!({
            "matchType": self.match_type.as_str(),
            "matchedDonorId": self.matched.as_str(),
            "matchedBy": self.match_type.as_str(),
            "confidence": confidence,
            "candidateDonorIds": self.candidates,
        })
    }
}

/// What a look-up's answer means
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The gift is from the matched person
    Match(Dedupe),
    /// A person must say which of the candidates it is, or that it is none
    Review(Dedupe),
    /// Nobody is like them
    New,
}

impl Resolution {
    /// What was found
    #[must_use]
    pub const fn dedupe(&self) -> Option<&Dedupe> {
        match self {
            Self::Match(dedupe) | Self::Review(dedupe) => Some(dedupe),
            Self::New => None,
        }
    }

    /// What it comes to where nobody reviews: a gift that does not pass through staging
    ///
    /// A namesake with another address is another person: one person too many can be merged, a gift on a stranger's
    /// record is found by nobody.
    ///
    /// # Errors
    /// 409 if several people have the e-mail address: which of them gave cannot be guessed.
    pub fn without_review(self) -> Result<Self, ClientError> {
        match self {
            Self::Review(Dedupe { match_type: MatchType::AmbiguousEmail, .. }) => Err(ClientError::new(
                Status::Conflict,
                "contact.email belongs to several people, contactId must say which of them gave",
            )),
            Self::Review(_) => Ok(Self::New),
            decided => Ok(decided),
        }
    }

    /// The person to whom the gift is linked
    #[must_use]
    pub fn donor_id(&self) -> Option<&str> {
        match self {
            Self::Match(dedupe) => Some(&dedupe.matched),
            Self::Review(_) | Self::New => None,
        }
    }
}

/// Whether Twenty has to be asked who gave
#[must_use]
pub fn lookup_for(gift: &Gift) -> DonorLookup {
    if gift.donor_id.is_some() || gift.company_id.is_some() {
        return DonorLookup::NotNeeded;
    }
    if gift.is_organisational() {
        return DonorLookup::NamesIncomplete;
    }
    let (Some(first_name), Some(last_name)) = (gift.donor_first_name.clone(), gift.donor_last_name.clone()) else {
        return DonorLookup::NamesIncomplete;
    };
    let person = Person { first_name, last_name, email: gift.donor_email.clone() };
    if person.email.is_some() { DonorLookup::LookUp(person) } else { DonorLookup::Create(person) }
}

/// What Twenty's candidates mean for a donor with this e-mail address
///
/// # Examples
///
/// ```
/// use fundraising::donor::{Candidate, Resolution, decide};
///
/// let ada = Candidate { id: "ada".into(), emails: vec!["Ada@example.org".into()] };
/// let namesake = Candidate { id: "other".into(), emails: Vec::new() };
/// assert_eq!(decide("ada@example.org", &[ada]).donor_id(), Some("ada"));
/// assert!(matches!(decide("ada@example.org", &[namesake]), Resolution::Review(_)));
/// assert_eq!(decide("ada@example.org", &[]), Resolution::New);
/// ```
#[must_use]
pub fn decide(email: &str, candidates: &[Candidate]) -> Resolution {
    let ids = |candidates: &[Candidate]| candidates.iter().map(|candidate| candidate.id.clone()).collect();
    let mut holders = candidates.iter().enumerate().filter(|(_, candidate)| candidate.has(email));
    let Some((position, holder)) = holders.next() else {
        let Some(first) = candidates.first() else { return Resolution::New };
        let dedupe = Dedupe { match_type: MatchType::Name, candidates: ids(candidates), matched: first.id.clone() };
        return Resolution::Review(dedupe);
    };
    let matched = holder.id.clone();
    // The same person may be listed twice, once for the name and once for the address.
    if holders.any(|(_, other)| other.id != matched) {
        let dedupe = Dedupe { match_type: MatchType::AmbiguousEmail, candidates: ids(candidates), matched };
        return Resolution::Review(dedupe);
    }
    let seen = candidates.get(..=position).unwrap_or(candidates);
    Resolution::Match(Dedupe { match_type: MatchType::Email, candidates: ids(seen), matched })
}

fn same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(id: &str, emails: &[&str]) -> Candidate {
        Candidate { id: id.into(), emails: emails.iter().map(|email| (*email).to_owned()).collect() }
    }

    fn named(email: Option<&str>) -> Gift {
        Gift {
            donor_first_name: Some("Ada".into()),
            donor_last_name: Some("Byron".into()),
            donor_email: email.map(str::to_owned),
            ..Gift::default()
        }
    }

    #[test]
    fn lookup_needs_a_full_description() {
        let DonorLookup::LookUp(person) = lookup_for(&named(Some("a@b.example"))) else { panic!("asks") };
        assert_eq!(
            person.to_json(),
            json!({ "name": { "firstName": "Ada", "lastName": "Byron" }, "emails": { "primaryEmail": "a@b.example" } })
        );
        let DonorLookup::Create(person) = lookup_for(&named(None)) else { panic!("creates") };
        assert_eq!(person.to_json(), json!({ "name": { "firstName": "Ada", "lastName": "Byron" } }));
        for gift in [
            Gift { donor_id: Some("p".into()), ..named(Some("a@b.example")) },
            Gift { company_id: Some("c".into()), ..named(Some("a@b.example")) },
        ] {
            assert_eq!(lookup_for(&gift), DonorLookup::NotNeeded);
        }
        for gift in [
            Gift { donor_last_name: None, ..named(Some("a@b.example")) },
            Gift { gift_intent: Some("grant".into()), ..named(Some("a@b.example")) },
        ] {
            assert_eq!(lookup_for(&gift), DonorLookup::NamesIncomplete);
        }
    }

    #[test]
    fn an_address_links_whatever_its_case() {
        let candidates = [
            candidate("namesake", &["other@navy.example"]),
            candidate("holder", &[" grace.m@NAVY.example "]),
            candidate("later", &[]),
        ];
        let found = decide("GRACE.M@navy.example", &candidates);
        assert_eq!(found.donor_id(), Some("holder"));
        assert_eq!(
            found.dedupe().unwrap().to_json(),
            json!({ "matchType": "email", "matchedDonorId": "holder", "matchedBy": "email", "confidence": 1,
                    "candidateDonorIds": ["namesake", "holder"] })
        );
        assert_eq!(decide("b@x.example", &[candidate("p", &["a@x.example", "B@x.example"])]).donor_id(), Some("p"));
    }

    #[test]
    fn name_alone_needs_a_reviewer() {
        let found = decide("john@new.example", &[candidate("a", &["x@else.example"]), candidate("b", &[""])]);
        assert_eq!(found.donor_id(), None);
        assert!(matches!(found, Resolution::Review(_)));
        assert_eq!(
            found.dedupe().unwrap().to_json(),
            json!({ "matchType": "name", "matchedDonorId": "a", "matchedBy": "name", "confidence": 0.5,
                    "candidateDonorIds": ["a", "b"] })
        );
        assert_eq!(decide("john@new.example", &[]), Resolution::New);
    }

    #[test]
    fn shared_address_matches_nobody() {
        let (one, other) = (candidate("a", &["x@y.example"]), candidate("b", &["X@y.example"]));
        let found = decide("x@y.example", &[one.clone(), other]);
        assert_eq!(found.donor_id(), None);
        assert_eq!(found.dedupe().unwrap().match_type.dedupe_status(), "needs_review");
        assert_eq!(decide("x@y.example", &[one.clone(), one]).donor_id(), Some("a"));
    }

    #[test]
    fn unattended_namesake_is_another_person() {
        let namesake = decide("john@new.example", &[candidate("a", &["x@else.example"])]);
        assert_eq!(namesake.without_review(), Ok(Resolution::New));
        let holder = decide("x@y.example", &[candidate("a", &["x@y.example"])]);
        assert_eq!(holder.clone().without_review(), Ok(holder));
        let people = [candidate("a", &["x@y.example"]), candidate("b", &["x@y.example"])];
        let refusal = decide("x@y.example", &people).without_review().unwrap_err();
        assert_eq!(refusal.status, Status::Conflict);
        assert_eq!(refusal.message, "contact.email belongs to several people, contactId must say which of them gave");
    }

    #[test]
    fn twentys_answer_is_read_leniently() {
        let answer = json!({ "data": [
            { "personDuplicates": [
                { "id": "a", "emails": { "primaryEmail": "a@b.example", "additionalEmails": ["c@d.example", 5] } },
                { "id": "", "emails": {} }, { "emails": null }, 7,
            ] },
            { "personDuplicates": [{ "id": "b", "emails": { "primaryEmail": null, "additionalEmails": null } }] },
            {},
        ] });
        let expected = [candidate("a", &["a@b.example", "c@d.example"]), candidate("b", &[])];
        assert_eq!(Candidate::read_all(&answer), expected);
        assert!(Candidate::read_all(&json!(null)).is_empty());
    }

    proptest! {
        #[test]
        fn only_the_address_links(
            email in "[ab]@[xy]",
            people in proptest::collection::vec(("[pqr]", proptest::collection::vec("[abAB]@[xyXY]", 0..3)), 0..5),
        ) {
            let candidates: Vec<_> = people.into_iter().map(|(id, emails)| Candidate { id, emails }).collect();
            let found = decide(&email, &candidates);
            let holders: std::collections::BTreeSet<_> =
                candidates.iter().filter(|candidate| candidate.has(&email)).map(|candidate| candidate.id.as_str()).collect();
            let expected = if holders.len() == 1 { holders.first().copied() } else { None };
            prop_assert_eq!(found.donor_id(), expected);
            prop_assert_eq!(found == Resolution::New, candidates.is_empty());
        }
    }
}
