//! Asking Twenty who gave, and making a person if nobody is like them.
//!
//! A look-up that failed makes nobody. A person is made under an id that follows from the gift, so that a lost answer
//! makes no second one; an address that is taken after all leads to its holder. A payment that was made is not turned
//! away for its payer: where Twenty refuses what is said of them, the gift is taken without a donor, or waits.

use ports::{Form, Level};
use serde_json::{Value, json};
use twenty::RecordId;
use twenty::filter::{Filter, FilterText};
use twenty::target::{Query, Target};

use super::store::{self, Made, PERSON};
use crate::context::RequestContext;
use crate::error::Error;
use fundraising::client_error::{ClientError, Status};
use fundraising::donor::{self, Candidate, Dedupe, DonorLookup, MatchType, Person};
use fundraising::gift::Gift;
use fundraising::keys::Key;
use fundraising::names::{comparable, without_joiners};

/// Most people that one look-up reads
const MAX_PEOPLE: usize = 200;

/// What may be done about a donor
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DonorPolicy {
    /// Nobody reviews: a namesake is another person, and an address of several people is refused
    Settle,
    /// A payment that nobody reviews, and whose payer cannot be asked again: what is in doubt links nobody
    SettlePayment,
    /// A person reviews what is not sure
    Review,
    /// The same for a payment, which also waits where Twenty refuses its payer
    ReviewPayment,
    /// A person reviewed the candidates: it is none of them
    Reviewed,
    /// Look, link nobody and make nobody
    Look,
}

impl DonorPolicy {
    /// Whether a gift is made at once, so that no question can wait
    const fn is_settled_at_once(self) -> bool {
        matches!(self, Self::Settle | Self::SettlePayment)
    }

    /// Whether its payer cannot be told what is wrong
    const fn is_payment(self) -> bool {
        matches!(self, Self::SettlePayment | Self::ReviewPayment)
    }
}

/// What was found
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// What a reviewer sees of it
    pub(crate) dedupe: Option<Dedupe>,
    /// The person who was made just now
    pub(crate) made: Option<String>,
    /// Whether a reviewer must say who gave
    pub(crate) is_open: bool,
    /// Why the donor could not be looked up or made
    pub(crate) failure: Option<&'static str>,
}

/// What follows from what was found
enum Next {
    /// The gift is the matched person's
    Link,
    /// A new person
    Make(Person),
    /// A reviewer must say who it is
    Ask,
    /// The gift is linked to nobody
    Leave,
}

fn next(found: Option<MatchType>, person: &Person, policy: DonorPolicy) -> Result<Next, ClientError> {
    use DonorPolicy::{Look, Review, ReviewPayment, Reviewed, Settle, SettlePayment};
    Ok(match (found, policy) {
        (_, Look) => Next::Leave,
        (Some(MatchType::Email), _) | (Some(MatchType::OtherName), Settle | SettlePayment) => Next::Link,
        (None, _) | (Some(MatchType::Name), Settle | SettlePayment | Reviewed) => Next::Make(person.clone()),
        (Some(_), Review | ReviewPayment) | (Some(MatchType::AmbiguousEmail), Reviewed) => Next::Ask,
        // It is none of them, and the address is theirs.
        (Some(_), Reviewed) => Next::Make(Person { email: None, ..person.clone() }),
        (Some(_), SettlePayment) => Next::Leave,
        (Some(MatchType::AmbiguousEmail), Settle) => {
            let message = "contact.email belongs to several people, contactId must say which of them gave";
            return Err(ClientError::new(Status::Conflict, message));
        }
        (Some(MatchType::InTrash), Settle) => return Err(in_trash()),
    })
}

fn in_trash() -> ClientError {
    let message = "contact.email belongs to a deleted person; restore them, or let contactId say who gave";
    ClientError::new(Status::Conflict, message)
}

/// Links the gift to its donor, as far as may be
pub(crate) async fn resolve(
    cx: &RequestContext<'_>,
    gift: &mut Gift,
    key: &Key,
    policy: DonorPolicy,
) -> Result<Found, Error> {
    let mut found = Found::default();
    match donor::lookup_for(gift, cx.host) {
        DonorLookup::Nameless => {}
        DonorLookup::NotNeeded => match named(cx, gift, policy).await {
            Ok(dedupe) => {
                found.is_open = dedupe.is_some() && !policy.is_settled_at_once();
                found.dedupe = dedupe;
            }
            Err(failure) => found.failure = Some(absorbed(failure, policy)?),
        },
        DonorLookup::LookUp(person) => match look_up(cx, &person, policy).await {
            Ok(dedupe) => {
                found.dedupe = dedupe;
                described(cx, gift, key, policy, person, &mut found).await?;
            }
            Err(failure) => found.failure = Some(absorbed(failure, policy)?),
        },
    }
    // Without a row, nobody would hear of it.
    if policy.is_settled_at_once() {
        let doubt = found.dedupe.as_ref().and_then(|dedupe| dedupe.match_type.warning());
        doubt.into_iter().chain(found.failure).for_each(|warning| cx.warn(warning));
    }
    Ok(found)
}

/// What a failed look-up comes to
fn absorbed(failure: Error, policy: DonorPolicy) -> Result<&'static str, Error> {
    match policy {
        _ if policy.is_payment() && store::is_refused(&failure) => Ok("donor_refused"),
        DonorPolicy::Look => Ok("donor_lookup_failed"),
        DonorPolicy::Review | DonorPolicy::ReviewPayment if !store::is_refused(&failure) => Ok("donor_lookup_failed"),
        _ => Err(failure),
    }
}

/// Whether a person is in the trash
///
/// # Errors
/// Twenty could not be asked.
pub(crate) async fn is_in_trash(cx: &RequestContext<'_>, id: &str) -> Result<bool, Error> {
    match store::find(cx, PERSON.plural, id).await {
        // Who may not read people may name them all the same.
        Err(failure) if store::is_refused(&failure) => Ok(false),
        record => Ok(record?.as_ref().is_some_and(store::is_deleted)),
    }
}

/// A donor whom the gift names by id: one in the trash gets no gift in silence
async fn named(cx: &RequestContext<'_>, gift: &mut Gift, policy: DonorPolicy) -> Result<Option<Dedupe>, Error> {
    let Some(id) = gift.donor_id.clone() else { return Ok(None) };
    let live_people = &cx.state.live_people;
    if policy == DonorPolicy::Settle && live_people.has(cx.caller, &id, cx.now()) {
        return Ok(None);
    }
    if !is_in_trash(cx, &id).await? {
        live_people.saw(cx.caller, &id, cx.now());
        return Ok(None);
    }
    // A row keeps the id: its person may be restored.
    if policy.is_settled_at_once() {
        gift.donor_id = None;
    }
    Ok(Some(Dedupe::in_trash(&id)))
}

/// A donor whom the gift describes, after the look-up
async fn described(
    cx: &RequestContext<'_>,
    gift: &mut Gift,
    key: &Key,
    policy: DonorPolicy,
    mut person: Person,
    found: &mut Found,
) -> Result<(), Error> {
    // Somebody who is made may turn out to be there, and then a reviewer's new person is made without the address.
    for _ in 0..3 {
        let new = match next(found.dedupe.as_ref().map(|dedupe| dedupe.match_type), &person, policy)? {
            Next::Link => {
                gift.donor_id = found.dedupe.as_ref().map(|dedupe| dedupe.matched.clone());
                return Ok(());
            }
            Next::Ask => {
                found.is_open = true;
                return Ok(());
            }
            Next::Leave => return Ok(()),
            Next::Make(new) => new,
        };
        person = new;
        match make(cx, key, &person).await {
            Ok(Made::New(record)) => {
                found.made = record_id(&record);
                gift.donor_id.clone_from(&found.made);
                return Ok(());
            }
            Ok(Made::Repeat(record)) => {
                gift.donor_id = record_id(&record);
                return Ok(());
            }
            // The first request made them, and somebody deleted them since.
            Ok(Made::Gone) if policy == DonorPolicy::Reviewed => return Err(in_trash().into()),
            Ok(Made::Gone) => found.dedupe = Some(Dedupe::in_trash(&key.person_id(&person).to_string())),
            Err(failure) => {
                let holders =
                    if store::may_be_duplicate(&failure) { of_address(cx, &person).await? } else { Vec::new() };
                match donor::decide(&person, &holders, cx.host) {
                    Some(dedupe) => found.dedupe = Some(dedupe),
                    None if policy.is_payment() && store::is_refused(&failure) => {
                        found.failure = Some("donor_refused");
                        return Ok(());
                    }
                    None => return Err(failure),
                }
            }
        }
    }
    Err(Error::raced())
}

async fn make(cx: &RequestContext<'_>, key: &Key, person: &Person) -> Result<Made, Error> {
    let mut body = person.to_json();
    if let Some(members) = body.as_object_mut() {
        members.insert("id".into(), key.person_id(person).to_string().into());
    }
    let Value::Object(body) = body else { return Err(Error::malformed("a person")) };
    store::make(cx, PERSON, body).await.map_err(|failure| {
        if failure.is_malformed() { Error::malformed_as("Failed to create contact in Twenty") } else { failure }
    })
}

/// Who may be the person
///
/// Twenty's own look-up compares exactly, and first addresses alone. So one more call asks for the address among all of
/// a person's, and in the trash; and for the name in any case and composition, where a reviewer can be asked.
async fn look_up(cx: &RequestContext<'_>, person: &Person, policy: DonorPolicy) -> Result<Option<Dedupe>, Error> {
    let mut candidates = Vec::new();
    let is_reviewed = !policy.is_settled_at_once() && policy != DonorPolicy::Reviewed;
    let names = if is_reviewed { name_filters(cx, person) } else { Vec::new() };
    if person.email.is_some() {
        let body = json!({ "data": [person.to_json()] });
        let target = Target::duplicates(PERSON.plural, &Query::default().with("depth", "0"));
        candidates = Candidate::read_all(&cx.call(target, Some(body)).await?);
        candidates.retain(|candidate| candidate.id.parse::<RecordId>().is_ok());
        if candidates.iter().any(|candidate| candidate.is_holder(person, cx.host)) {
            return Ok(donor::decide(person, &candidates, cx.host));
        }
    }
    let filters = address_filters(cx, person).into_iter().chain(names).collect();
    candidates.extend(people(cx, person, filters).await?);
    Ok(donor::decide(person, &candidates, cx.host))
}

/// Who has the person's address
async fn of_address(cx: &RequestContext<'_>, person: &Person) -> Result<Vec<Candidate>, Error> {
    let mut holders = people(cx, person, address_filters(cx, person)).await?;
    holders.retain(|holder| holder.is_holder(person, cx.host));
    Ok(holders)
}

/// The people, also those in the trash, whom one of the filters lets through, and who resemble the person
async fn people(cx: &RequestContext<'_>, person: &Person, filters: Vec<Filter>) -> Result<Vec<Candidate>, Error> {
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let filter = Filter::And(vec![Filter::Or(filters), Filter::with_deleted()]);
    let records = store::list(cx, PERSON.plural, &filter, MAX_PEOPLE, None).await?;
    let candidates = records.iter().filter(|record| record_id(record).is_some()).filter_map(Candidate::read);
    Ok(candidates.filter(|candidate| candidate.resembles(person, cx.host)).collect())
}

fn address_filters(cx: &RequestContext<'_>, person: &Person) -> Vec<Filter> {
    let address = person.email.as_deref().map(|email| comparable(email, cx.host));
    let Some(pattern) = address.and_then(|address| FilterText::pattern(&address)) else { return Vec::new() };
    vec![
        Filter::Like("emails.primaryEmail".into(), pattern.clone()),
        Filter::JsonContains("emails.additionalEmails".into(), pattern),
    ]
}

/// The name as it may be written: composed or not, with joiners or without; of one word, as either name
fn name_filters(cx: &RequestContext<'_>, person: &Person) -> Vec<Filter> {
    let mut spelled: Vec<[String; 2]> = Vec::new();
    for form in [Form::Composed, Form::Decomposed] {
        let names = [&person.first_name, &person.last_name].map(|name| cx.host.normalized(name.trim(), form));
        spelled.push([without_joiners(&names[0]), without_joiners(&names[1])]);
        spelled.push(names);
    }
    spelled.dedup();
    if person.first_name.is_empty() || person.last_name.is_empty() {
        spelled.extend(spelled.clone().into_iter().map(|[first, last]| [last, first]));
    }
    let part = |path: &str, name: &str| match FilterText::pattern(name) {
        Some(pattern) => Filter::Like(path.into(), pattern),
        None => Filter::Empty(path.into()),
    };
    spelled
        .iter()
        .map(|[first, last]| Filter::And(vec![part("name.firstName", first), part("name.lastName", last)]))
        .collect()
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
