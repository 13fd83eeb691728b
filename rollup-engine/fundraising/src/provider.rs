//! What payment providers report, in one vocabulary.
//!
//! [`stripe`] and [`gocardless`] turn the JSON of an event whose signature was checked into [`DomainEvent`]s and touch nothing
//! else; the service applies them. Each says what is so, not what to change: applied twice, or in another order, it
//! leads to the same records. That is why each carries the instant that the provider gives it.

pub mod gocardless;
pub mod minor_units;
pub mod payment_facts;
pub mod stripe;

use ports::Timestamp;
use serde_json::{Map, Value};
use time::Date;
use twenty::RecordId;

use crate::characters::{cleaned, legible};
use crate::client_error::ClientError;
use crate::gift::{Gift, keep_invalid_id};
use crate::money::Money;

/// Tells the day of an instant at the charity
pub type DayOf<'a> = &'a dyn Fn(Timestamp) -> Option<Date>;

/// The day of an instant in UTC, for a charity whose days are those
#[must_use]
pub fn utc_day(at: Timestamp) -> Option<Date> {
    Some(at.to_utc()?.date())
}

/// The providers whose events are understood
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Stripe
    Stripe,
    /// `GoCardless`
    GoCardless,
}

impl Provider {
    /// The word in `provider` and in `sourceSystem`
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::GoCardless => "gocardless",
        }
    }

    /// The `intakeSource` of its payments
    #[must_use]
    pub const fn intake_source(self) -> &'static str {
        match self {
            Self::Stripe => "stripe_webhook",
            Self::GoCardless => "gocardless_webhook",
        }
    }
}

/// One thing that a provider's event says, in the words of fundraising
#[derive(Clone, Debug, PartialEq)]
pub enum DomainEvent {
    /// The money is there: a gift
    Paid(Box<Payment>),
    /// The money is on its way: a row that waits for it
    Expected(Box<Payment>),
    /// A subscription was set up, by a checkout that brings no money itself and names no agreement
    Unassigned(Box<Payment>),
    /// A payment did not come about
    Failed(Failure),
    /// Money went back, or a return of it was undone
    Returned(Returned),
    /// The payment by which an invoice was paid: refunds name the payment, not the invoice
    Settled {
        /// Id of the invoice
        invoice: String,
        /// Id of the payment
        payment: String,
    },
    /// What the checkout of a payment or of a subscription says of its agreement
    SetUp(Box<SetUp>),
    /// What the provider says of an agreement's status
    StatusReported(StatusReport),
    /// A mandate took the place of another
    MandateReplaced {
        /// Id of the one that ended
        old: String,
        /// Id of the one that goes on
        new: String,
        /// When, milliseconds since 1970
        at: i64,
    },
    /// A transfer to the bank
    Payout(Payout),
    /// The transfer to the bank that brought a payment
    PaidOut {
        /// Id of the payment
        payment: String,
        /// Id of the payout
        payout: String,
    },
}

/// A payment, as a gift
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// What makes it one gift: the id of the payment, of the invoice, or of the checkout
    pub key: String,
    /// When the provider says that it happened, milliseconds since 1970
    pub at: i64,
    /// The gift; its amount counts only if it `has_amount`
    pub gift: Gift,
    /// Whether the amount is known
    pub has_amount: bool,
    /// Ids at the provider by which its agreement is found, if the gift names none
    pub agreement: Vec<String>,
    /// Other ids by which other events call the same payment
    pub also: Vec<String>,
    /// Whether it tells the way of payment that was taken, not only those that were offered
    pub tells_method: bool,
}

impl Payment {
    /// Every id of it, the key first
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let mut ids = vec![self.key.clone()];
        ids.extend(self.also.iter().filter(|id| **id != self.key).cloned());
        ids
    }
}

/// What an id at a provider names, from what stands for the whole of a payment to what stands for a part of it
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdKind {
    /// An invoice, which may be paid in parts
    Invoice,
    /// A payment
    Payment,
    /// A charge of a payment, which disputes and refunds name
    Charge,
    /// A checkout
    Checkout,
}

impl IdKind {
    /// By how the id begins
    #[must_use]
    pub fn of(id: &str) -> Self {
        match id.split('_').next() {
            Some("in") => Self::Invoice,
            Some("ch" | "py") => Self::Charge,
            Some("cs") => Self::Checkout,
            _ => Self::Payment,
        }
    }
}

/// A payment that did not come about
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The key that its gift would have had
    pub payment: String,
    /// When, milliseconds since 1970
    pub at: i64,
    /// What counts one failure: an attempt, not the payment, which may be tried again
    pub attempt: String,
    /// In the provider's words, for a reviewer
    pub reason: String,
    /// What is kept of it with the payment, for when the payment is told later: [`Kind::Failed`] or [`Kind::Declined`]
    pub kept_as: Option<Kind>,
    /// Id of its agreement in Twenty, if the event says
    pub agreement_id: Option<String>,
    /// Ids of its agreement at the provider
    pub agreement: Vec<String>,
}

/// What is known of money that went back
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Ids of the payment and of the charge, as far as the event names them; not empty
    pub payment: Vec<String>,
    /// The fact
    pub fact: PaymentFact,
}

/// Kinds of facts about a payment, apart from its having been made
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All that was refunded so far
    Total,
    /// One refund
    Refund,
    /// A dispute that was lost
    Dispute,
    /// A dispute that is open
    Disputed,
    /// A direct debit that was taken back whole
    ChargedBack,
    /// A direct debit that failed, perhaps after it had been confirmed
    Failed,
    /// A payment to come that will not come; it takes nothing back of one that came all the same
    Declined,
    /// A direct debit that was confirmed
    Confirmed,
    /// Another name of the payment
    Alias,
    /// The mandate that took the place of this one
    ReplacedBy,
}

impl Kind {
    /// All of them, by their words
    const WORDS: [(Self, &'static str); 10] = [
        (Self::Total, "total"),
        (Self::Refund, "refund"),
        (Self::Dispute, "dispute"),
        (Self::Disputed, "disputed"),
        (Self::ChargedBack, "charged_back"),
        (Self::Failed, "failed"),
        (Self::Declined, "declined"),
        (Self::Confirmed, "confirmed"),
        (Self::Alias, "alias"),
        (Self::ReplacedBy, "replaced_by"),
    ];

    /// The word in a note
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// Reads the word
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// One fact about a payment
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFact {
    /// What it is about
    pub kind: Kind,
    /// Which of several refunds, disputes or names
    pub id: String,
    /// When it came to be so, milliseconds since 1970; 0 where that is not known
    pub at: i64,
    /// Whether it holds: a refund that failed and a dispute that was won do not
    pub holds: bool,
    /// How much, if that is known and not the whole
    pub money: Option<Money>,
}

/// What a checkout says of the agreement that it belongs to
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetUp {
    /// Id of the agreement in Twenty, if the checkout names it
    pub agreement_id: Option<String>,
    /// Subscription at the provider
    pub subscription: Option<String>,
    /// Mandate at the provider
    pub mandate: Option<String>,
    /// Means of payment at the provider
    pub payment_method: Option<String>,
    /// Everything else worth keeping
    pub context: Map<String, Value>,
    /// When the next instalment is due
    pub next_expected_at: Option<String>,
    /// When, milliseconds since 1970
    pub at: i64,
}

/// What a provider says of an agreement
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// Id of the agreement in Twenty, if the event says
    pub agreement_id: Option<String>,
    /// Subscription or mandate at the provider
    pub reference: String,
    /// `active`, `paused`, `delinquent`, `canceled` or `completed`
    pub status: &'static str,
    /// Whether it undoes an end
    pub reinstates: bool,
    /// When, milliseconds since 1970
    pub at: i64,
}

/// How far a payout is
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutState {
    /// On its way
    Announced,
    /// Arrived
    Paid,
    /// Did not arrive
    Failed,
}

/// A transfer to the bank
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Who pays out
    pub provider: Provider,
    /// Id at the provider
    pub id: String,
    /// How far it is
    pub state: PayoutState,
    /// What reaches the bank
    pub net: Option<Money>,
    /// What was kept back
    pub fee: Option<Money>,
    /// Day of arrival, `YYYY-MM-DD`
    pub date: Option<String>,
    /// Why it failed
    pub reason: Option<String>,
    /// When, milliseconds since 1970
    pub at: i64,
}

/// The first word of a name, and the rest
fn names(name: &str) -> (Option<String>, Option<String>) {
    let mut words = name.split_whitespace();
    let first = words.next().map(str::to_owned);
    let mut rest = String::new();
    for word in words {
        if !rest.is_empty() {
            rest.push(' ');
        }
        rest.push_str(word);
    }
    (first, Some(rest).filter(|rest| !rest.is_empty()))
}

/// Reads an event whose signature over the bytes was checked
///
/// A payment is not turned away for a character that nobody can read or keep: bytes that are no UTF-8 become U+FFFD, and
/// raw control characters, which JSON has in no text, are left out.
fn read_event(body: &[u8]) -> Result<Value, ClientError> {
    let body: Vec<u8> = body.iter().copied().filter(|byte| *byte >= b' ').collect();
    let body = String::from_utf8_lossy(&body);
    serde_json::from_slice(&legible(body.as_bytes())).map(cleaned).map_err(|fault| ClientError::bad(fault.to_string()))
}

/// A text that is not blank, trimmed
fn text(value: Option<&Value>) -> Option<&str> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// An id: a text, or the `id` of an object that was put in its place
fn id(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str().or_else(|| value?.get("id")?.as_str())?.trim();
    is_id(text).then(|| text.to_owned())
}

/// Whether a text can be an id: it will stand in filters and in paths, so nothing else is taken for one
fn is_id(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The agreement that one of the metadata names, all typed by hand; nothing if none is an id, and then the first
/// of them is kept in the context, for a reviewer to ask about.
fn agreement_id(named: impl IntoIterator<Item = String>, context: &mut Map<String, Value>) -> Option<String> {
    let mut unproven = None;
    for text in named {
        match text.parse::<RecordId>() {
            Ok(id) => return Some(id.to_string()),
            Err(_) => unproven = unproven.or(Some(text)),
        }
    }
    if let Some(text) = unproven {
        keep_invalid_id(context, "recurringAgreementId", &text);
    }
    None
}
