//! Asking Twenty who gave, and making a person if nobody is like them.
//!
//! A look-up that failed makes nobody. A person is made under an id that follows from the gift, so that a lost answer
//! makes no second one; an address that is taken after all leads to its holder.

use ports::Level;
use serde_json::{Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::{Query, Target};

use super::store::{self, Made, PERSON};
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::client_error::{ClientError, Status};
use fundraising::donor::{self, Candidate, Dedupe, DonorLookup, MatchType, Person, Resolution};
use fundraising::gift::Gift;
use fundraising::keys::Key;

/// What may be done about a donor
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DonorPolicy {
    /// Nobody reviews: a namesake is another person, and an address of several people is refused
    Settle,
    /// Nobody reviews and nobody can be asked again: an address of several people links nobody
    SettleWhatCanBe,
    /// A person reviews what is not sure
    Review,
    /// A person reviewed the namesakes: it is none of them
    Reviewed,
    /// Look, link nobody and make nobody
    Look,
}

/// What was found
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// What a reviewer sees of it
    pub(crate) dedupe: Option<Dedupe>,
    /// The person who was made just now
    pub(crate) made: Option<String>,
    /// Whether Twenty could not be asked
    pub(crate) unasked: bool,
}

/// Links the gift to its donor, as far as may be
pub(crate) async fn resolve(
    cx: &RequestContext<'_>,
    gift: &mut Gift,
    key: &Key,
    policy: DonorPolicy,
) -> Result<Found, Error> {
    let mut found = Found::default();
    match donor::lookup_for(gift) {
        DonorLookup::NotNeeded | DonorLookup::NamesIncomplete => {}
        DonorLookup::Create(person) => link_new(cx, gift, key, policy, &person, &mut found).await?,
        DonorLookup::LookUp(person) => {
            let candidates = match candidates(cx, &person).await {
                Ok(candidates) => candidates,
                Err(failure)
                    if matches!(policy, DonorPolicy::Review | DonorPolicy::Look) && !store::is_refused(&failure) =>
                {
                    found.unasked = true;
                    return Ok(found);
                }
                Err(failure) => return Err(failure),
            };
            let resolution = donor::decide(person.email.as_deref().unwrap_or_default(), &candidates);
            found.dedupe = resolution.dedupe().cloned();
            match settled(resolution, policy)? {
                Resolution::Match(dedupe) if policy != DonorPolicy::Look => gift.donor_id = Some(dedupe.matched),
                Resolution::Match(_) | Resolution::Review(_) => {}
                Resolution::New => link_new(cx, gift, key, policy, &person, &mut found).await?,
            }
        }
    }
    Ok(found)
}

fn settled(resolution: Resolution, policy: DonorPolicy) -> Result<Resolution, ClientError> {
    let is_name = resolution.dedupe().is_some_and(|dedupe| dedupe.match_type == MatchType::Name);
    match policy {
        DonorPolicy::Settle => resolution.without_review(),
        DonorPolicy::SettleWhatCanBe | DonorPolicy::Reviewed if is_name => Ok(Resolution::New),
        _ => Ok(resolution),
    }
}

async fn candidates(cx: &RequestContext<'_>, person: &Person) -> Result<Vec<Candidate>, Error> {
    let body = json!({ "data": [person.to_json()] });
    let target = Target::duplicates(PERSON.plural, &Query::default().with("depth", "0"));
    let answer = cx.call(target, Some(body)).await?;
    let mut candidates = Candidate::read_all(&answer);
    candidates.retain(|candidate| candidate.id.parse::<RecordId>().is_ok());
    Ok(candidates)
}

async fn link_new(
    cx: &RequestContext<'_>,
    gift: &mut Gift,
    key: &Key,
    policy: DonorPolicy,
    person: &Person,
    found: &mut Found,
) -> Result<(), Error> {
    if policy == DonorPolicy::Look {
        return Ok(());
    }
    let id = key.person_id(person).to_string();
    let mut body = person.to_json();
    if let Some(members) = body.as_object_mut() {
        members.insert("id".into(), id.as_str().into());
    }
    let Value::Object(body) = body else { return Ok(()) };
    let holder = match store::make(cx, PERSON, body).await {
        Ok(Made::New(record)) => {
            let id = record_id(&record);
            found.made.clone_from(&id);
            id
        }
        Ok(Made::Repeat(record)) => record_id(&record),
        // The first request made them and somebody deleted them since. The gift, if it is there, says the same.
        Ok(Made::Gone) => Some(id),
        Err(failure) if store::may_be_duplicate(&failure) => Some(holder(cx, person).await?.ok_or(failure)?),
        Err(failure) if failure.is_malformed() => {
            return Err(Error::malformed_as("Failed to create contact in Twenty"));
        }
        Err(failure) => return Err(failure),
    };
    gift.donor_id = holder;
    Ok(())
}

/// Who has the address, if it can be asked for
async fn holder(cx: &RequestContext<'_>, person: &Person) -> Result<Option<String>, Error> {
    let email = person.email.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
    // Twenty's filters have no way to quote these.
    if email.is_empty() || email.bytes().any(|byte| b"\"'()[],:\\ ".contains(&byte)) {
        return Ok(None);
    }
    let Ok(email) = email.parse() else { return Ok(None) };
    let filter = Filter::And(vec![Filter::TextIs("emails.primaryEmail".into(), email), Filter::with_deleted()]);
    let people = store::list(cx, PERSON.plural, &filter, 2, None).await?;
    if let Some(living) = people.iter().find(|person| !store::is_deleted(person)) {
        return Ok(record_id(living));
    }
    if people.is_empty() {
        return Ok(None);
    }
    Err(ClientError::new(
        Status::Conflict,
        "contact.email belongs to a deleted person; restore them, or let contactId say who gave",
    )
    .into())
}

/// Takes back a person who was made for a gift that was then refused, unless somebody relies on them already
pub(crate) async fn take_back(cx: &RequestContext<'_>, id: &str) {
    let Ok(person) = id.parse() else { return };
    for plural in ["gifts", "giftStagings"] {
        let filter = Filter::IdIs("donorId".into(), person);
        match store::list(cx, plural, &filter, 1, None).await {
            Ok(records) if records.is_empty() => {}
            // A workspace without staging has nothing there that could rely on them.
            Err(failure) if plural == "giftStagings" && store::is_refused(&failure) => {}
            _ => return,
        }
    }
    match cx.call(Target::destroy(PERSON.plural, person), None).await {
        Ok(_) => cx.log(Level::Info, "new_donor_withdrawn", &[("personId", id.into())]),
        Err(_) => cx.log(Level::Warn, "donor_orphaned", &[("personId", id.into())]),
    }
}

fn record_id(record: &Value) -> Option<String> {
    // An id that is none would stand in the gift, and in questions about its donor.
    record.get("id").and_then(Value::as_str)?.parse::<RecordId>().ok().map(|id| id.to_string())
}
