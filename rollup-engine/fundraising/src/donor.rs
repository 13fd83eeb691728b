//! Who a gift is from: an id that was given, a person who is already there, a new one, or a question for a reviewer.
//!
//! Asking Twenty is left to the caller: [`lookup_for`] says whether to ask, [`decide`] what the answer means. A look-up
//! that failed has no answer, so that nothing here can make a second person out of a throttled request. Only an e-mail
//! address links a gift to a person; a name alone never does.
//!
//! ```text
//!              explicit id, organisation ──▶ NotNeeded
//! lookup_for ─ a name ─────────────────────▶ LookUp ── decide ─┬ one with the address ───────────▶ Email
//!              none ───────────────────────▶ Nameless          ├ one, and clearly another name ──▶ OtherName
//!                                                              ├ several with it ────────────────▶ AmbiguousEmail
//!                                                              ├ only somebody in the trash ─────▶ InTrash
//!                                                              ├ only the name is the same ──────▶ Name
//!                                                              └ nobody ─────────────────────────▶ nothing
//! ```

use ports::{Form, UnicodeForms};
use serde_json::{Value, json};
use twenty::object::object;

use crate::gift::Gift;
use crate::names::{comparable, is_clearly_other, without_joiners};

/// What must be known before a donor can be named
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DonorLookup {
    /// Nothing: the request names a person or an organisation
    NotNeeded,
    /// Nothing can be asked: there is no name
    Nameless,
    /// Ask Twenty who this is
    LookUp(Person),
}

/// A donor as a gift describes them; one of the names may be blank
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// First name, composed
    pub first_name: String,
    /// Last name, composed
    pub last_name: String,
    /// E-mail address
    pub email: Option<String>,
}

impl Person {
    /// As `POST /people` takes it, and as an entry of `data` in `POST /people/duplicates`
    #[must_use]
    pub fn to_json(&self) -> Value {
        let names = [("firstName", &self.first_name), ("lastName", &self.last_name)].into_iter();
        let names = names.filter(|(_, name)| !name.is_empty());
        let names = object(names.map(|(key, name)| (key.to_owned(), name.as_str().into())));
        match &self.email {
            Some(email) => json!({ "name": names, "emails": { "primaryEmail": email.as_str() } }),
            None => json!({ "name": names }),
        }
    }

    fn names(&self) -> (&str, &str) {
        (&self.first_name, &self.last_name)
    }

    /// Whether a person's record says the same name
    fn is_namesake(&self, other: &Candidate, forms: &dyn UnicodeForms) -> bool {
        let joined = |first: &str, last: &str| comparable(&format!("{first} {last}"), forms);
        joined(&self.first_name, &self.last_name) == joined(&other.first_name, &other.last_name)
    }
}

/// A person who may be the donor
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Id of the person
    pub id: String,
    /// Primary and additional e-mail addresses
    pub emails: Vec<String>,
    /// First name
    pub first_name: String,
    /// Last name
    pub last_name: String,
    /// Whether the record is in the trash
    pub is_deleted: bool,
}

impl Candidate {
    /// Reads all candidates from Twenty's answer about duplicates, in its order; those without an id are left out
    #[must_use]
    pub fn read_all(answer: &Value) -> Vec<Self> {
        let entries = answer.get("data").and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| entry.get("personDuplicates")?.as_array()).flatten().filter_map(Self::read).collect()
    }

    /// Reads a person's record; nothing without an id
    #[must_use]
    pub fn read(person: &Value) -> Option<Self> {
        let name = |part: &str| person.pointer(part).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            id: person.get("id")?.as_str().filter(|id| !id.is_empty())?.to_owned(),
            emails: Self::emails_of(person),
            first_name: name("/name/firstName"),
            last_name: name("/name/lastName"),
            is_deleted: person.get("deletedAt").is_some_and(|at| !at.is_null()),
        })
    }

    /// Whether the record has the person's address or their name
    #[must_use]
    pub fn resembles(&self, person: &Person, forms: &dyn UnicodeForms) -> bool {
        self.is_holder(person, forms) || person.is_namesake(self, forms)
    }

    /// Primary and additional e-mail addresses of a person's record
    pub fn emails_of(person: &Value) -> Vec<String> {
        let primary = person.pointer("/emails/primaryEmail").into_iter();
        let additional = person.pointer("/emails/additionalEmails").and_then(Value::as_array).into_iter().flatten();
        primary.chain(additional).filter_map(|email| Some(email.as_str()?.to_owned())).collect()
    }

    /// Whether the record has the person's address
    #[must_use]
    pub fn is_holder(&self, person: &Person, forms: &dyn UnicodeForms) -> bool {
        let Some(email) = &person.email else { return false };
        let email = comparable(email, forms);
        self.emails.iter().any(|own| comparable(own, forms) == email)
    }
}

/// How candidates were found
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchType {
    /// One person has the e-mail address
    Email,
    /// One person has the e-mail address, and the gift has clearly another name
    OtherName,
    /// People of the same name, with other addresses or none
    Name,
    /// Several people have the e-mail address
    AmbiguousEmail,
    /// The person with the e-mail address, or with the id that was given, is in the trash
    InTrash,
}

impl MatchType {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Email, "email"),
        (Self::OtherName, "email_other_name"),
        (Self::Name, "name"),
        (Self::AmbiguousEmail, "email_ambiguous"),
        (Self::InTrash, "in_trash"),
    ];

    /// The word in diagnostics
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(one, _)| *one == self).map_or("", |(_, word)| word)
    }

    /// Reads the word; one that is not known stands for a namesake
    #[must_use]
    pub fn read(word: &str) -> Self {
        Self::WORDS.iter().find(|(_, known)| *known == word).map_or(Self::Name, |(one, _)| *one)
    }

    /// The `dedupeStatus` of a staged row
    #[must_use]
    pub const fn dedupe_status(self) -> &'static str {
        match self {
            Self::Email => "matched_existing",
            _ => "needs_review",
        }
    }

    /// What is told of it where a gift is made all the same
    #[must_use]
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::OtherName => Some("donor_name_differs"),
            Self::AmbiguousEmail => Some("donor_ambiguous"),
            Self::InTrash => Some("donor_in_trash"),
            Self::Email | Self::Name => None,
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
    /// The likeliest of them
    pub matched: String,
}

impl Dedupe {
    /// A person in the trash whom the gift names by id
    #[must_use]
    pub fn in_trash(id: &str) -> Self {
        Self { match_type: MatchType::InTrash, candidates: vec![id.to_owned()], matched: id.to_owned() }
    }

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

/// Whether Twenty has to be asked who gave
#[must_use]
pub fn lookup_for(gift: &Gift, forms: &dyn UnicodeForms) -> DonorLookup {
    if gift.donor_id.is_some() || gift.company_id.is_some() {
        return DonorLookup::NotNeeded;
    }
    if gift.is_organisational() || !gift.has_name() {
        return DonorLookup::Nameless;
    }
    let composed = |text: &Option<String>| forms.normalized(text.as_deref().unwrap_or_default(), Form::Composed);
    DonorLookup::LookUp(Person {
        first_name: composed(&gift.donor_first_name),
        last_name: composed(&gift.donor_last_name),
        email: gift.donor_email.as_deref().map(|email| without_joiners(&forms.normalized(email, Form::Composed))),
    })
}

/// What the people whom Twenty found mean for a donor; nothing if nobody is like them
///
/// # Examples
///
/// ```
/// use fundraising::donor::{Candidate, MatchType, Person, decide};
/// use ports::{Form, UnicodeForms};
///
/// /// A host for plain letters
/// struct Plain;
/// impl UnicodeForms for Plain {
///     fn normalized(&self, text: &str, _: Form) -> String { text.to_owned() }
/// }
/// let (first_name, last_name) = ("Ada".to_owned(), "Byron".to_owned());
/// let person = Person { first_name, last_name, email: Some("ada@example.org".into()) };
/// let ada = Candidate { id: "ada".into(), emails: vec!["Ada@example.org".into()], ..Candidate::default() };
/// let namesake = Candidate { id: "other".into(), ..Candidate::default() };
/// assert_eq!(decide(&person, &[ada], &Plain).unwrap().match_type, MatchType::Email);
/// assert_eq!(decide(&person, &[namesake], &Plain).unwrap().match_type, MatchType::Name);
/// assert_eq!(decide(&person, &[], &Plain), None);
/// ```
#[must_use]
pub fn decide(person: &Person, candidates: &[Candidate], forms: &dyn UnicodeForms) -> Option<Dedupe> {
    let candidates: Vec<&Candidate> =
        candidates.iter().filter(|one| !one.is_deleted || one.is_holder(person, forms)).collect();
    let (deleted, living): (Vec<&Candidate>, Vec<_>) = candidates.iter().partition(|one| one.is_deleted);
    // The same person may be listed twice, once for the name and once for the address.
    let mut holders: Vec<&Candidate> = Vec::new();
    for one in &living {
        if one.is_holder(person, forms) && holders.iter().all(|known| known.id != one.id) {
            holders.push(one);
        }
    }
    let mut fitting = holders.iter().filter(|holder| {
        !is_clearly_other(person.names(), (holder.first_name.as_str(), holder.last_name.as_str()), forms)
    });
    let (match_type, matched) = match (holders.as_slice(), fitting.next(), fitting.next()) {
        (_, Some(only), None) => (MatchType::Email, only.id.as_str()),
        ([only], None, _) => (MatchType::OtherName, only.id.as_str()),
        ([first, ..], ..) => (MatchType::AmbiguousEmail, first.id.as_str()),
        ([], ..) => match (deleted.first(), living.first()) {
            (Some(first), _) => (MatchType::InTrash, first.id.as_str()),
            (None, Some(first)) => (MatchType::Name, first.id.as_str()),
            (None, None) => return None,
        },
    };
    let seen = candidates.iter().map(|candidate| candidate.id.as_str());
    let end = seen.clone().position(|id| match_type == MatchType::Email && id == matched);
    let seen = seen.take(end.map_or(usize::MAX, |at| at + 1));
    Some(Dedupe { match_type, candidates: seen.map(str::to_owned).collect(), matched: matched.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A host for plain letters
    struct Plain;

    impl UnicodeForms for Plain {
        fn normalized(&self, text: &str, _: Form) -> String {
            text.to_owned()
        }
    }

    /// `name` has a bar between first and last name
    fn candidate(id: &str, name: &str, emails: &[&str]) -> Candidate {
        let (first_name, last_name) = name.split_once('|').unwrap_or((name, ""));
        Candidate {
            id: id.into(),
            emails: emails.iter().map(|email| (*email).to_owned()).collect(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            is_deleted: false,
        }
    }

    fn deleted(candidate: Candidate) -> Candidate {
        Candidate { is_deleted: true, ..candidate }
    }

    fn person(name: &str, email: &str) -> Person {
        let Candidate { first_name, last_name, .. } = candidate("", name, &[]);
        Person { first_name, last_name, email: Some(email.to_owned()).filter(|email| !email.is_empty()) }
    }

    fn found(name: &str, email: &str, candidates: &[Candidate]) -> Option<(MatchType, String)> {
        let dedupe = decide(&person(name, email), candidates, &Plain)?;
        Some((dedupe.match_type, dedupe.matched))
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
    fn lookup_needs_a_name() {
        let asked = |gift: &Gift| match lookup_for(gift, &Plain) {
            DonorLookup::LookUp(person) => Some(person.to_json()),
            _ => None,
        };
        let both = json!({ "firstName": "Ada", "lastName": "Byron" });
        let address = json!({ "primaryEmail": "a@b.example" });
        assert_eq!(asked(&named(Some("a@b\u{200d}.example"))), Some(json!({ "name": both, "emails": address })));
        assert_eq!(asked(&named(None)), Some(json!({ "name": both })));
        let one = Gift { donor_last_name: None, ..named(None) };
        assert_eq!(asked(&one), Some(json!({ "name": { "firstName": "Ada" } })));
        for gift in [
            Gift { donor_id: Some("p".into()), ..named(Some("a@b.example")) },
            Gift { company_id: Some("c".into()), ..named(Some("a@b.example")) },
        ] {
            assert_eq!(lookup_for(&gift, &Plain), DonorLookup::NotNeeded);
        }
        for gift in [
            Gift { donor_first_name: None, donor_last_name: None, ..named(Some("a@b.example")) },
            Gift { gift_intent: Some("grant".into()), ..named(Some("a@b.example")) },
        ] {
            assert_eq!(lookup_for(&gift, &Plain), DonorLookup::Nameless);
        }
    }

    #[test]
    fn an_address_links_whatever_its_case() {
        let candidates = [
            candidate("namesake", "Grace|Murray", &["other@navy.example"]),
            candidate("holder", "Grace|Murray", &[" grace.m@NAVY.example "]),
            candidate("later", "", &[]),
        ];
        let dedupe = decide(&person("Grace|Murray", "GRACE.M@navy.example"), &candidates, &Plain).unwrap();
        assert_eq!(
            dedupe.to_json(),
            json!({ "matchType": "email", "matchedDonorId": "holder", "matchedBy": "email", "confidence": 1,
                    "candidateDonorIds": ["namesake", "holder"] })
        );
        let additional = [candidate("p", "A|B", &["a@x.example", "B@x.example"])];
        assert_eq!(found("A|B", "b@x.example", &additional), Some((MatchType::Email, "p".to_owned())));
    }

    #[test]
    fn name_alone_needs_a_reviewer() {
        let candidates = [candidate("a", "John|Smith", &["x@else.example"]), candidate("b", "John|Smith", &[""])];
        let dedupe = decide(&person("John|Smith", "john@new.example"), &candidates, &Plain).unwrap();
        assert_eq!(
            dedupe.to_json(),
            json!({ "matchType": "name", "matchedDonorId": "a", "matchedBy": "name", "confidence": 0.5,
                    "candidateDonorIds": ["a", "b"] })
        );
        assert_eq!(found("John|Smith", "", &candidates), Some((MatchType::Name, "a".to_owned())));
        assert_eq!(found("John|Smith", "john@new.example", &[]), None);
        assert_eq!(found("John|Smith", "", &[deleted(candidates[0].clone())]), None, "a namesake in the trash");
    }

    #[test]
    fn another_name_under_a_known_address() {
        let fay = candidate("fay", "Fay|Moor", &["moors@x.example"]);
        for (name, match_type) in
            [("Gus|Moor", MatchType::OtherName), ("F.|Moor", MatchType::Email), ("Moor", MatchType::Email)]
        {
            assert_eq!(
                found(name, "moors@x.example", std::slice::from_ref(&fay)),
                Some((match_type, "fay".to_owned())),
                "{name}"
            );
        }
        let nameless = candidate("p", "", &["moors@x.example"]);
        assert_eq!(found("Gus|Moor", "moors@x.example", &[nameless]), Some((MatchType::Email, "p".to_owned())));
    }

    #[test]
    fn shared_address() {
        let (fay, gus) =
            (candidate("fay", "Fay|Moor", &["x@y.example"]), candidate("gus", "Gus|Moor", &["X@y.example"]));
        let both = [fay.clone(), gus];
        assert_eq!(found("Gus|Moor", "x@y.example", &both), Some((MatchType::Email, "gus".to_owned())));
        for name in ["Moor", "Hal|Moor"] {
            assert_eq!(
                found(name, "x@y.example", &both),
                Some((MatchType::AmbiguousEmail, "fay".to_owned())),
                "{name}"
            );
        }
        assert_eq!(found("Fay|Moor", "x@y.example", &[fay.clone(), fay]), Some((MatchType::Email, "fay".to_owned())));
    }

    #[test]
    fn holder_in_the_trash() {
        let ann = candidate("ann", "Ann|Oak", &["ann@oak.example"]);
        let namesake = candidate("other", "Ann|Oak", &[]);
        let gone = [namesake.clone(), deleted(ann.clone())];
        assert_eq!(found("Ann|Oak", "ann@oak.example", &gone), Some((MatchType::InTrash, "ann".to_owned())));
        let other = deleted(Candidate { id: "old".into(), ..ann.clone() });
        assert_eq!(found("Ann|Oak", "ann@oak.example", &[other, ann]), Some((MatchType::Email, "ann".to_owned())));
    }

    #[test]
    fn who_resembles_a_person() {
        let gift = person("Ann|O'Brien", "ann@oak.example");
        for (name, email, expected) in [
            ("ann|o'brien", "", true),
            ("Ann|Oxbrien", "", false),
            ("Bob|Oak", "ANN@oak.example", true),
            ("Bob|Oak", "joann@oak.example", false),
        ] {
            assert_eq!(candidate("p", name, &[email]).resembles(&gift, &Plain), expected, "{name} {email}");
        }
    }

    #[test]
    fn twentys_answer_is_read_leniently() {
        let answer = json!({ "data": [
            { "personDuplicates": [
                { "id": "a", "emails": { "primaryEmail": "a@b.example", "additionalEmails": ["c@d.example", 5] },
                  "name": { "firstName": "Ann", "lastName": null } },
                { "id": "", "emails": {} }, { "emails": null }, 7,
            ] },
            { "personDuplicates": [{ "id": "b", "emails": { "primaryEmail": null, "additionalEmails": null },
                "deletedAt": "2026-02-01T00:00:00Z" }] },
            {},
        ] });
        let expected = [candidate("a", "Ann", &["a@b.example", "c@d.example"]), deleted(candidate("b", "", &[]))];
        assert_eq!(Candidate::read_all(&answer), expected);
        assert!(Candidate::read_all(&json!(null)).is_empty());
    }

    #[test]
    fn words_of_matches() {
        for (match_type, word) in MatchType::WORDS {
            assert_eq!(MatchType::read(word), match_type);
        }
        assert_eq!(MatchType::read("of an older service"), MatchType::Name);
    }

    proptest! {
        #[test]
        fn only_the_address_links(
            email in "[ab]@[xy]",
            people in proptest::collection::vec(("[pqr]", proptest::collection::vec("[abAB]@[xyXY]", 0..3)), 0..5),
        ) {
            let candidates: Vec<_> =
                people.into_iter().map(|(id, emails)| Candidate { id, emails, ..Candidate::default() }).collect();
            let dedupe = decide(&person("Ada|Byron", &email), &candidates, &Plain);
            let holders: std::collections::BTreeSet<_> = candidates
                .iter()
                .filter(|candidate| candidate.emails.iter().any(|own| own.eq_ignore_ascii_case(&email)))
                .map(|candidate| candidate.id.as_str())
                .collect();
            let expected = if holders.len() == 1 { holders.first().copied() } else { None };
            let linked = dedupe.as_ref().filter(|dedupe| dedupe.match_type == MatchType::Email);
            prop_assert_eq!(linked.map(|dedupe| dedupe.matched.as_str()), expected);
            prop_assert_eq!(dedupe.is_none(), candidates.is_empty());
        }
    }
}
