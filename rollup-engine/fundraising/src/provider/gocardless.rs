//! What an event of `GoCardless` says.
//!
//! Its webhooks carry batches of events, and its events carry ids, no amounts: what an event is about must be read from
//! the API first ([`Event::resource`]). Without an answer a payment is still known to exist, and is passed on without
//! its amount.
//!
//! | event | what it says |
//! |---|---|
//! | payments `created`, `submitted`, `customer_approval_granted`, `resubmission_requested` | a gift to come |
//! | payments `confirmed`, `paid_out` | a gift |
//! | payments `failed`, `cancelled`, `customer_approval_denied`, `late_failure_settled` | a failure, also of a gift that is there |
//! | payments `charged_back`, `chargeback_cancelled` | the whole gift went back, or did not |
//! | refunds `created`, `paid`, `refund_settled`; `failed`, `bounced`, `funds_returned` | one refund, or none after all |
//! | mandates `active`, `reinstated`, `suspended_by_payer`, `failed`, `blocked`, `cancelled`, `expired`, `consumed` | an agreement's status |
//! | mandates `replaced` | the mandate that goes on in its place |
//! | subscriptions `created`, `customer_approval_granted`, `paused`, `resumed`, `cancelled`, `finished` | likewise |
//! | payouts `paid` | a payout |
//!
//! Anything else says nothing here.

use ports::Timestamp;
use ports::time::{format_date, parse_date};
use serde_json::{Map, Value};

use super::DayOf;
use super::minor_units::{self, Told};
use super::{
    DomainEvent, Failure, Kind, Payment, PaymentFact, Payout, PayoutState, Provider, Returned, SetUp, StatusReport,
    agreement_id, id, is_id, names, read_event, text,
};
use crate::characters::cleaned;
use crate::client_error::ClientError;
use crate::gift::{Gift, UNREADABLE_AMOUNT};

/// One event of a batch
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id
    pub id: String,
    resource: String,
    action: String,
    at: i64,
    json: Value,
}

/// What was read from the API about a notice
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchedResources {
    /// The payment, the refund or the payout itself
    pub resource: Option<Value>,
    /// The customer who pays
    pub customer: Option<Value>,
}

/// Reads the body of a webhook
///
/// # Examples
///
/// ```
/// use fundraising::provider::gocardless;
///
/// let body = br#"{"events":[{"id":"EV1","resource_type":"payments","action":"confirmed",
///     "created_at":"2026-03-05T12:00:00.000Z","links":{"payment":"PM1"}}]}"#;
/// let events = gocardless::read(body).unwrap();
/// assert_eq!(events[0].resource(), Some(("payments", "PM1".to_owned())));
/// ```
///
/// # Errors
/// Bodies that are not JSON or have no list `events`.
pub fn read(body: &[u8]) -> Result<Vec<Event>, ClientError> {
    let json = read_event(body)?;
    let events = json.get("events").and_then(Value::as_array);
    let events = events.ok_or_else(|| ClientError::bad("events must be a list"))?;
    Ok(events.iter().filter(|event| event.is_object()).map(Event::of).collect())
}

impl Event {
    fn of(event: &Value) -> Self {
        let word = |key: &str| text(event.get(key)).unwrap_or_default().to_owned();
        Self {
            id: id(event.get("id")).unwrap_or_default(),
            resource: word("resource_type"),
            action: word("action"),
            at: text(event.get("created_at")).and_then(Timestamp::parse).map_or(0, Timestamp::as_millis),
            json: event.clone(),
        }
    }

    /// What it is about and what happened to it, for logs
    #[must_use]
    pub fn kind(&self) -> String {
        format!("{}.{}", self.resource, self.action)
    }

    fn link(&self, name: &str) -> Option<String> {
        id(self.json.pointer(&format!("/links/{name}")))
    }

    /// What must be read before its steps are known: the list it is in, and its id there
    #[must_use]
    pub fn resource(&self) -> Option<(&'static str, String)> {
        let (list, link) = match self.resource.as_str() {
            "payments" if self.tells_of_money() => ("payments", "payment"),
            "refunds" if self.refund_holds().is_some() => ("refunds", "refund"),
            "payouts" if self.action == "paid" => ("payouts", "payout"),
            "mandates" if self.action == "active" => ("mandates", "mandate"),
            "subscriptions" if matches!(self.action.as_str(), "created" | "customer_approval_granted") => {
                ("subscriptions", "subscription")
            }
            _ => return None,
        };
        Some((list, self.link(link)?))
    }

    /// Whether the payer should be read too, if nothing else says who that is
    #[must_use]
    pub fn names_a_payer(&self) -> bool {
        self.resource == "payments" && self.tells_of_money()
    }

    fn tells_of_money(&self) -> bool {
        self.is_expected() || self.is_paid()
    }

    fn is_expected(&self) -> bool {
        matches!(self.action.as_str(), "created" | "submitted" | "customer_approval_granted" | "resubmission_requested")
    }

    fn is_paid(&self) -> bool {
        matches!(self.action.as_str(), "confirmed" | "paid_out")
    }

    /// Whether a refund holds after this; nothing if the event is about something else
    fn refund_holds(&self) -> Option<bool> {
        match self.action.as_str() {
            "created" | "paid" | "refund_settled" => Some(true),
            "failed" | "bounced" | "funds_returned" => Some(false),
            _ => None,
        }
    }

    /// The mandate by which the payment that was read is paid
    #[must_use]
    pub fn mandate(&self, answers: &FetchedResources) -> Option<String> {
        let read = answers.resource.as_ref().and_then(|payment| id(payment.pointer("/links/mandate")));
        read.or_else(|| self.link("mandate"))
    }

    /// What it says; `day_of` tells the day of an instant at the charity
    #[must_use]
    pub fn domain_events(&self, answers: &FetchedResources, day_of: DayOf<'_>) -> Vec<DomainEvent> {
        match self.resource.as_str() {
            "payments" => self.payment(answers, day_of),
            "refunds" => self.refund(answers).into_iter().collect(),
            "mandates" => [self.set_up(answers), self.mandate_status()].into_iter().flatten().collect(),
            "subscriptions" => [self.set_up(answers), self.subscription_status()].into_iter().flatten().collect(),
            "payouts" => self.payout(answers).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn payment(&self, answers: &FetchedResources, day_of: DayOf<'_>) -> Vec<DomainEvent> {
        let Some(key) = self.link("payment") else { return Vec::new() };
        let step = match self.action.as_str() {
            _ if self.is_paid() => {
                let paid_out = self.link("payout").filter(|_| self.action == "paid_out");
                let paid_out = paid_out.map(|payout| DomainEvent::PaidOut { payment: key.clone(), payout });
                let paid = DomainEvent::Paid(Box::new(self.gift(key, answers, false, day_of)));
                return [Some(paid), paid_out].into_iter().flatten().collect();
            }
            _ if self.is_expected() => DomainEvent::Expected(Box::new(self.gift(key, answers, true, day_of))),
            "failed" | "late_failure_settled" | "cancelled" | "customer_approval_denied" => {
                DomainEvent::Failed(self.failure(key))
            }
            "charged_back" => self.charge_back(key, true),
            "chargeback_cancelled" => self.charge_back(key, false),
            _ => return Vec::new(),
        };
        vec![step]
    }

    fn gift(&self, key: String, answers: &FetchedResources, is_expected: bool, day_of: DayOf<'_>) -> Payment {
        let absent = Value::Null;
        let payment = answers.resource.as_ref().unwrap_or(&absent);
        let customer = answers.customer.as_ref().unwrap_or(&absent);
        // A payment that was not read tells of no amount; one that was read tells of one, if only of one that is none.
        let told = answers.resource.as_ref().map(|read| minor_units::told(Provider::GoCardless, read, "amount"));
        let (first_name, last_name) = payer(customer);
        // An instant payment is a transfer that the payer sends, and no debit that the mandate allows.
        let is_transfer = text(payment.get("scheme")) == Some("faster_payments");
        let (mandate, subscription) = (self.mandate(answers), self.subscription(payment));
        let mut context = Map::new();
        for (name, value) in [
            ("paymentId", Some(key.clone())),
            ("mandateId", mandate.clone()),
            ("subscriptionId", subscription.clone()),
            ("customerId", id(customer.get("id"))),
            ("eventId", Some(self.id.clone())),
            ("reference", text(payment.get("reference")).map(str::to_owned)),
            (if is_expected { "announcedAt" } else { "confirmedAt" }, Some(instant(self.at))),
        ] {
            if let Some(value) = value {
                context.insert(name.into(), value.into());
            }
        }
        let named = ["recurringAgreementId", "recurring_agreement_id"].into_iter();
        let named = named.filter_map(|name| text(payment.pointer(&format!("/metadata/{name}"))).map(str::to_owned));
        let recurring_agreement_id = agreement_id(named, &mut context);
        let charge_date = text(payment.get("charge_date")).filter(|date| parse_date(date).is_some()).map(str::to_owned);
        let day = charge_date.clone().or_else(|| day_of(Timestamp::from_millis(self.at)).map(format_date));
        let amount = match told {
            Some(Told::Amount(amount)) => Some(amount),
            Some(Told::Unreadable(evidence)) => {
                context.insert(UNREADABLE_AMOUNT.into(), evidence);
                None
            }
            Some(Told::Nothing) | None => None,
        };
        let has_amount = amount.is_some();
        let gift = Gift {
            amount: amount.unwrap_or_default(),
            gift_date: day,
            expected_at: charge_date.filter(|_| is_expected),
            payment_method: Some(if is_transfer { "bank_transfer" } else { "direct_debit" }.into()),
            external_id: Some(key.clone()),
            source_fingerprint: Some(key.clone()),
            provider_payment_id: Some(key.clone()),
            intake_source: Some(Provider::GoCardless.intake_source().into()),
            provider: Some(Provider::GoCardless.as_str().into()),
            donor_first_name: first_name,
            donor_last_name: last_name,
            donor_email: text(customer.get("email")).map(str::to_owned),
            recurring_agreement_id,
            recurring_status: subscription.as_ref().map(|_| "active".to_owned()),
            provider_agreement_id: subscription.clone().or_else(|| mandate.clone()),
            auto_process: Some(!is_expected && has_amount),
            provider_context: Some(Value::Object(context)),
            ..Gift::default()
        };
        let agreement = [subscription, mandate].into_iter().flatten().collect();
        Payment { key, at: self.at, gift, has_amount, agreement, also: Vec::new(), tells_method: true }
    }

    fn subscription(&self, payment: &Value) -> Option<String> {
        id(payment.pointer("/links/subscription")).or_else(|| self.link("subscription"))
    }

    fn failure(&self, key: String) -> Failure {
        let reason =
            text(self.json.pointer("/details/description")).or_else(|| text(self.json.pointer("/details/cause")));
        Failure {
            payment: key,
            at: self.at,
            attempt: self.id.clone(),
            reason: reason.unwrap_or("the payment failed").to_owned(),
            kept_as: Some(Kind::Failed),
            agreement_id: None,
            agreement: ["subscription", "mandate"].into_iter().filter_map(|name| self.link(name)).collect(),
        }
    }

    fn charge_back(&self, payment: String, holds: bool) -> DomainEvent {
        let fact = PaymentFact { kind: Kind::ChargedBack, id: String::new(), at: self.at, holds, money: None };
        DomainEvent::Returned(Returned { payment: vec![payment], fact })
    }

    fn refund(&self, answers: &FetchedResources) -> Option<DomainEvent> {
        let refund = answers.resource.as_ref();
        let payment = refund.and_then(|refund| id(refund.pointer("/links/payment"))).or_else(|| self.link("payment"));
        let money = refund.and_then(|refund| minor_units::read(Provider::GoCardless, refund, "amount"));
        let own = self.link("refund")?;
        let fact = PaymentFact { kind: Kind::Refund, id: own.clone(), at: self.at, holds: self.refund_holds()?, money };
        // A refund whose payment is not known is kept under its own id, for a person to see.
        Some(DomainEvent::Returned(Returned { payment: vec![payment.unwrap_or(own)], fact }))
    }

    fn said(&self, link: &str, status: &'static str) -> Option<DomainEvent> {
        Some(DomainEvent::StatusReported(StatusReport {
            agreement_id: None,
            reference: self.link(link)?,
            status,
            reinstates: self.action == "reinstated",
            at: self.at,
        }))
    }

    fn mandate_status(&self) -> Option<DomainEvent> {
        let status = match self.action.as_str() {
            "replaced" => {
                let (old, new) = (self.link("mandate")?, self.link("new_mandate")?);
                return Some(DomainEvent::MandateReplaced { old, new, at: self.at });
            }
            "active" | "reinstated" => "active",
            "suspended_by_payer" => "paused",
            "cancelled" | "expired" | "consumed" => "canceled",
            "failed" | "blocked" => "delinquent",
            _ => return None,
        };
        self.said("mandate", status)
    }

    /// The agreement that the metadata of a mandate or a subscription name
    fn set_up(&self, answers: &FetchedResources) -> Option<DomainEvent> {
        let resource = answers.resource.as_ref()?;
        let named = ["recurringAgreementId", "recurring_agreement_id"].into_iter();
        let named = named.filter_map(|name| text(resource.pointer(&format!("/metadata/{name}"))).map(str::to_owned));
        let subscription = self.link("subscription");
        Some(DomainEvent::SetUp(Box::new(SetUp {
            agreement_id: Some(agreement_id(named, &mut Map::new())?),
            mandate: self.link("mandate").or_else(|| id(resource.pointer("/links/mandate"))),
            subscription,
            at: self.at,
            ..SetUp::default()
        })))
    }

    fn subscription_status(&self) -> Option<DomainEvent> {
        let status = match self.action.as_str() {
            "created" | "customer_approval_granted" | "resumed" => "active",
            "paused" => "paused",
            "cancelled" | "customer_approval_denied" => "canceled",
            "finished" => "completed",
            _ => return None,
        };
        self.said("subscription", status)
    }

    fn payout(&self, answers: &FetchedResources) -> Option<DomainEvent> {
        if self.action != "paid" {
            return None;
        }
        let absent = Value::Null;
        let payout = answers.resource.as_ref().unwrap_or(&absent);
        Some(DomainEvent::Payout(Payout {
            provider: Provider::GoCardless,
            id: self.link("payout")?,
            state: PayoutState::Paid,
            net: minor_units::signed(Provider::GoCardless, payout, "amount"),
            fee: minor_units::read(Provider::GoCardless, payout, "deducted_fees"),
            date: text(payout.get("arrival_date")).filter(|date| parse_date(date).is_some()).map(str::to_owned),
            reason: None,
            at: self.at,
        }))
    }
}

/// The names of a customer; those of their company where nobody is named
fn payer(customer: &Value) -> (Option<String>, Option<String>) {
    let name = |key: &str| text(customer.get(key)).map(str::to_owned);
    match (name("given_name"), name("family_name"), text(customer.get("company_name"))) {
        (None, None, Some(company)) => names(company),
        (first, last, _) => (first, last),
    }
}

fn instant(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}

/// Something in an answer of the API: `{"payments":{…}}`
#[must_use]
pub fn unwrapped(list: &str, answer: &Value) -> Option<Value> {
    answer.get(list).filter(|resource| resource.is_object()).cloned().map(cleaned)
}

/// A resource of its API: a list that this service reads, and an id that can be nothing else
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    list: &'static str,
    id: String,
}

impl Resource {
    /// A resource of a list; nothing where the text can be no id
    #[must_use]
    pub fn new(list: &'static str, id: &str) -> Option<Self> {
        is_id(id).then(|| Self { list, id: id.to_owned() })
    }

    /// Name of its list
    #[must_use]
    pub const fn list(&self) -> &'static str {
        self.list
    }

    /// Its path: `/payments/PM1`
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/{}", self.list, self.id)
    }
}

/// The customer of a mandate
#[must_use]
pub fn customer_of(mandate: &Value) -> Option<String> {
    id(mandate.pointer("/links/customer"))
}
