//! What an event of Stripe says.
//!
//! A payment is one gift under one key: the payment intent of a checkout, the invoice of an instalment. A subscription's
//! checkout records the set-up; the money comes with its paid invoice, whichever arrives first. Since 2025 an invoice
//! no longer names the payment that paid it; `invoice_payment.paid` does.
//!
//! | event | what it says |
//! |---|---|
//! | `checkout.session.completed` | paid: a gift; unpaid: a gift to come; a subscription: a set-up |
//! | `checkout.session.async_payment_succeeded`, `…_failed` | the end of an unpaid one |
//! | `invoice.paid`, `invoice.payment_succeeded` | an instalment |
//! | `invoice_payment.paid` | by which payment an invoice was paid |
//! | `invoice.payment_failed`, `charge.failed`, `payment_intent.payment_failed` | a failure |
//! | `charge.refunded` | all that was refunded so far |
//! | `refund.…`, `charge.refund.updated` | one refund |
//! | `charge.dispute.closed`, `…funds_reinstated` | a dispute that was lost or won |
//! | `customer.subscription.updated`, `…deleted`, `…paused`, `…resumed` | an agreement's status |
//! | `payout.…` | a payout |
//!
//! Anything else says nothing here.

use ports::Timestamp;
use ports::time::format_date;
use serde_json::{Map, Value};

use super::{DayOf, utc_day};
use super::{
    Failure, Kind, Payment, PaymentFact, Payout, PayoutState, Provider, Returned, SetUp, StatusReport, Step,
    agreement_id, id, minor_units, text,
};
use crate::characters::{cleaned, legible};
use crate::client_error::ClientError;
use crate::gift::Gift;
use twenty::setting::flag;

/// An event, as far as it is understood
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id
    pub id: String,
    /// Its type
    pub kind: String,
    /// Whether it is of Stripe's test mode: it says so itself
    pub is_test: bool,
    /// What it says; nothing for types that are not known
    pub steps: Vec<Step>,
}

/// Reads the body of a webhook; `day_of` tells the day of an instant at the charity
///
/// # Examples
///
/// ```
/// use fundraising::provider::{Step, stripe, utc_day};
///
/// let body = br#"{"id":"evt_1","type":"payout.paid","created":1795382817,"data":{"object":{
///     "id":"po_1","object":"payout","amount":12500,"currency":"gbp","arrival_date":1795382817}}}"#;
/// let event = stripe::read(body, &utc_day).unwrap();
/// assert!(matches!(&event.steps[..], [Step::Payout(_)]));
/// assert!(stripe::read(br#"{"id":"evt_2","type":"product.created"}"#, &utc_day).unwrap().steps.is_empty());
/// ```
///
/// # Errors
/// Bodies that are not a JSON object.
pub fn read(body: &[u8], day_of: DayOf<'_>) -> Result<Event, ClientError> {
    let json: Value = serde_json::from_slice(&legible(body)).map_err(|fault| ClientError::bad(fault.to_string()))?;
    // A payment is not turned away for a character that Twenty cannot keep.
    let json = cleaned(json);
    if !json.is_object() {
        return Err(ClientError::bad("the event must be a JSON object"));
    }
    let kind = text(json.get("type")).unwrap_or_default().to_owned();
    let id = id(json.get("id")).unwrap_or_default();
    let steps = json
        .pointer("/data/object")
        .filter(|object| object.is_object())
        .map(|object| {
            let seconds = json.get("created").or_else(|| object.get("created")).and_then(Value::as_i64);
            Source { event: &id, seconds: seconds.unwrap_or_default(), object, day_of }.steps(&kind)
        })
        .unwrap_or_default();
    let is_test = json.get("livemode") == Some(&Value::Bool(false));
    Ok(Event { id, kind, is_test, steps })
}

struct Source<'a> {
    event: &'a str,
    seconds: i64,
    object: &'a Value,
    day_of: DayOf<'a>,
}

impl Source<'_> {
    fn steps(&self, kind: &str) -> Vec<Step> {
        match kind {
            "checkout.session.completed" => self.session(false),
            "checkout.session.async_payment_succeeded" => self.session(true),
            "checkout.session.async_payment_failed" => self.session_failed().into_iter().collect(),
            "invoice.paid" | "invoice.payment_succeeded" => self.invoice_paid(),
            "invoice_payment.paid" => self.invoice_payment().into_iter().collect(),
            "invoice.payment_failed" => self.invoice_failed().into_iter().collect(),
            "charge.failed" => self.payment_failed(self.object.get("payment_intent")).into_iter().collect(),
            "payment_intent.payment_failed" => self.payment_failed(self.object.get("id")).into_iter().collect(),
            "charge.refunded" => self.refunded().into_iter().collect(),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                self.refund().into_iter().collect()
            }
            "charge.dispute.closed" | "charge.dispute.funds_reinstated" => self.dispute(kind).into_iter().collect(),
            "customer.subscription.updated"
            | "customer.subscription.deleted"
            | "customer.subscription.paused"
            | "customer.subscription.resumed" => self.subscription(kind).into_iter().collect(),
            _ => match kind.strip_prefix("payout.") {
                Some(state) => self.payout(state).into_iter().collect(),
                None => Vec::new(),
            },
        }
    }

    /// The day of seconds since 1970 at the charity
    fn day(&self, seconds: i64) -> Option<String> {
        (self.day_of)(instant(seconds)?).map(format_date)
    }

    const fn at(&self) -> i64 {
        self.seconds.saturating_mul(1_000)
    }

    /// A text of the object's metadata, by either of its names
    fn metadata(&self, names: [&str; 2]) -> Option<String> {
        let metadata = self.object.get("metadata")?;
        names.into_iter().find_map(|name| text(metadata.get(name))).map(str::to_owned)
    }

    /// A completed checkout, or one whose payment came in later
    fn session(&self, is_late: bool) -> Vec<Step> {
        let Some(session) = id(self.object.get("id")) else { return Vec::new() };
        let set_up = self.session_set_up();
        let is_subscription = text(self.object.get("mode")) == Some("subscription");
        let is_paid = is_late || text(self.object.get("payment_status")) == Some("paid");
        let amount =
            minor_units::read(Provider::Stripe, self.object, "amount_total").filter(|money| money.amount_micros > 0);
        let mut steps = Vec::new();
        // Setting up a means of payment costs nothing, and so does a trial.
        if let (Some(amount), true) = (amount, text(self.object.get("mode")) != Some("setup")) {
            let invoice = id(self.object.get("invoice")).filter(|_| is_subscription);
            let key = invoice.or_else(|| id(self.object.get("payment_intent"))).unwrap_or(session);
            let payment = Box::new(Payment {
                at: self.at(),
                gift: Gift { amount, ..self.session_gift(&key) },
                key,
                has_amount: true,
                agreement: id(self.object.get("subscription")).into_iter().collect(),
                is_awaited: is_late,
            });
            match (is_subscription, is_paid) {
                (true, true) if set_up.agreement_id.is_none() => steps.push(Step::Unassigned(payment)),
                (true, _) => {}
                (false, true) => steps.push(Step::Paid(payment)),
                (false, false) => steps.push(Step::Expected(payment)),
            }
        }
        if set_up.agreement_id.is_some() || set_up.subscription.is_some() {
            steps.push(Step::SetUp(Box::new(set_up)));
        }
        steps
    }

    fn session_gift(&self, key: &str) -> Gift {
        let set_up = self.session_set_up();
        let (first, rest) = text(self.object.pointer("/customer_details/name")).map_or((None, None), names);
        let email =
            text(self.object.pointer("/customer_details/email")).or_else(|| text(self.object.get("customer_email")));
        let first_name = self.metadata(["firstName", "first_name"]).or(first);
        let last_name = self.metadata(["lastName", "last_name"]).or(rest);
        let named = first_name.is_some() || last_name.is_some();
        Gift {
            donor_first_name: first_name,
            donor_last_name: last_name,
            donor_email: self.metadata(["email", "email"]).or_else(|| email.map(str::to_owned)),
            auto_process: Some(named),
            recurring_agreement_id: set_up.agreement_id,
            recurring_status: set_up.subscription.map(|_| "active".to_owned()),
            expected_at: set_up.next_expected_at,
            email_opt_out: self
                .metadata(["supporterEmailOptOut", "supporter_email_opt_out"])
                // In doubt they want none.
                .map(|word| flag(&word) != Some(false)),
            provider_context: Some(Value::Object(set_up.context)),
            ..card(key, self.day(self.seconds))
        }
    }

    fn session_set_up(&self) -> SetUp {
        let mut context = Map::new();
        for (key, name) in [
            ("checkoutSessionId", "id"),
            ("paymentIntentId", "payment_intent"),
            ("subscriptionId", "subscription"),
            ("customerId", "customer"),
        ] {
            if let Some(id) = id(self.object.get(name)) {
                context.insert(key.into(), id.into());
            }
        }
        if let Some(mode) = text(self.object.get("mode")) {
            context.insert("mode".into(), mode.into());
        }
        if let Some(metadata) = non_blank(self.object.get("metadata")) {
            context.insert("metadata".into(), metadata);
        }
        SetUp {
            agreement_id: agreement_id(self.named_agreements("/metadata"), &mut context),
            subscription: id(self.object.get("subscription")),
            payment_method: id(self.object.pointer("/payment_intent/payment_method")),
            context,
            next_expected_at: self.metadata(["nextExpectedAt", "next_expected_at"]),
            at: self.at(),
        }
    }

    /// What the metadata at this place call their agreement
    fn named_agreements(&self, metadata: &str) -> Vec<String> {
        let names = ["recurringAgreementId", "recurring_agreement_id"].into_iter();
        names.filter_map(|name| text(self.object.pointer(&format!("{metadata}/{name}"))).map(str::to_owned)).collect()
    }

    fn session_failed(&self) -> Option<Step> {
        let key = id(self.object.get("payment_intent")).or_else(|| id(self.object.get("id")))?;
        Some(Step::Failed(Failure {
            payment: key,
            reason: "the payment of the checkout failed".into(),
            attempt: self.event.to_owned(),
            at: self.at(),
            ..Failure::default()
        }))
    }

    /// The subscription of an invoice, in either of the two places where it may stand
    fn invoice_subscription(&self) -> Option<String> {
        id(self.object.get("subscription"))
            .or_else(|| id(self.object.pointer("/parent/subscription_details/subscription")))
    }

    fn invoice_agreement(&self, context: &mut Map<String, Value>) -> Option<String> {
        let places = ["/subscription_details/metadata", "/parent/subscription_details/metadata", "/metadata"];
        agreement_id(places.into_iter().flat_map(|place| self.named_agreements(place)), context)
    }

    fn invoice_paid(&self) -> Vec<Step> {
        let amount =
            minor_units::read(Provider::Stripe, self.object, "amount_paid").filter(|money| money.amount_micros > 0);
        let (Some(key), Some(amount)) = (id(self.object.get("id")), amount) else { return Vec::new() };
        let subscription = self.invoice_subscription();
        let (first_name, last_name) = text(self.object.get("customer_name")).map_or((None, None), names);
        let paid_at = self.object.pointer("/status_transitions/paid_at").and_then(Value::as_i64);
        let payment = id(self.object.get("payment_intent"));
        let mut context = Map::new();
        for (key, id) in [
            ("invoiceId", Some(key.clone())),
            ("paymentIntentId", payment.clone()),
            ("subscriptionId", subscription.clone()),
            ("customerId", id(self.object.get("customer"))),
        ] {
            if let Some(id) = id {
                context.insert(key.into(), id.into());
            }
        }
        if let Some(reason) = text(self.object.get("billing_reason")) {
            context.insert("billingReason".into(), reason.into());
        }
        let recurring_agreement_id = self.invoice_agreement(&mut context);
        let gift = Gift {
            amount,
            donor_first_name: first_name,
            donor_last_name: last_name,
            donor_email: text(self.object.get("customer_email")).map(str::to_owned),
            auto_process: Some(true),
            recurring_agreement_id,
            recurring_status: subscription.as_ref().map(|_| "active".to_owned()),
            provider_context: Some(Value::Object(context)),
            ..card(&key, self.day(paid_at.unwrap_or(self.seconds)))
        };
        let paid = Step::Paid(Box::new(Payment {
            key: key.clone(),
            at: self.at(),
            gift,
            has_amount: true,
            agreement: subscription.into_iter().collect(),
            is_awaited: true,
        }));
        let settled = payment.map(|payment| Step::Settled { invoice: key, payment });
        [Some(paid), settled].into_iter().flatten().collect()
    }

    fn invoice_payment(&self) -> Option<Step> {
        let payment = id(self.object.pointer("/payment/payment_intent"))
            .or_else(|| id(self.object.pointer("/payment/charge")))?;
        Some(Step::Settled { invoice: id(self.object.get("invoice"))?, payment })
    }

    fn invoice_failed(&self) -> Option<Step> {
        Some(Step::Failed(Failure {
            payment: id(self.object.get("id"))?,
            at: self.at(),
            attempt: self.event.to_owned(),
            reason: "the payment of the invoice failed".into(),
            takes_back: false,
            agreement_id: self.invoice_agreement(&mut Map::new()),
            agreement: self.invoice_subscription().into_iter().collect(),
        }))
    }

    fn payment_failed(&self, payment: Option<&Value>) -> Option<Step> {
        let reason = text(self.object.get("failure_message"))
            .or_else(|| text(self.object.pointer("/last_payment_error/message")));
        Some(Step::Failed(Failure {
            payment: id(payment)?,
            at: self.at(),
            attempt: self.event.to_owned(),
            reason: reason.unwrap_or("the payment failed").to_owned(),
            ..Failure::default()
        }))
    }

    /// The payment of a charge, of a refund or of a dispute; old charges have none but themselves
    fn payment(&self, charge: Option<&Value>) -> Option<String> {
        id(self.object.get("payment_intent")).or_else(|| id(charge))
    }

    fn returned(&self, payment: String, fact: PaymentFact) -> Step {
        Step::Returned(Returned { payment, fact: PaymentFact { at: self.at(), ..fact } })
    }

    fn refunded(&self) -> Option<Step> {
        let money = minor_units::read(Provider::Stripe, self.object, "amount_refunded")?;
        let fact =
            PaymentFact { kind: Kind::Total, id: id(self.object.get("id"))?, at: 0, holds: true, money: Some(money) };
        Some(self.returned(self.payment(self.object.get("id"))?, fact))
    }

    fn refund(&self) -> Option<Step> {
        let holds = match text(self.object.get("status")) {
            Some("failed" | "canceled") => false,
            // Until it succeeded it may still want the payer's doing.
            Some("requires_action") => return None,
            _ => true,
        };
        let money = minor_units::read(Provider::Stripe, self.object, "amount")?;
        let fact = PaymentFact { kind: Kind::Refund, id: id(self.object.get("id"))?, at: 0, holds, money: Some(money) };
        Some(self.returned(self.payment(self.object.get("charge"))?, fact))
    }

    fn dispute(&self, kind: &str) -> Option<Step> {
        let holds = match (kind, text(self.object.get("status"))) {
            ("charge.dispute.closed", Some("lost")) => true,
            ("charge.dispute.closed", Some("won")) | ("charge.dispute.funds_reinstated", _) => false,
            // A warning that was closed never took money.
            _ => return None,
        };
        let money = minor_units::read(Provider::Stripe, self.object, "amount")?;
        let fact =
            PaymentFact { kind: Kind::Dispute, id: id(self.object.get("id"))?, at: 0, holds, money: Some(money) };
        Some(self.returned(self.payment(self.object.get("charge"))?, fact))
    }

    fn subscription(&self, kind: &str) -> Option<Step> {
        let pauses = self.object.get("pause_collection").is_some_and(Value::is_object);
        let status = match (kind, text(self.object.get("status"))?) {
            ("customer.subscription.deleted", _) | (_, "canceled" | "incomplete_expired") => "canceled",
            (_, "past_due" | "unpaid") => "delinquent",
            ("customer.subscription.paused", _) | (_, "paused") => "paused",
            (_, "active" | "trialing") if pauses => "paused",
            (_, "active" | "trialing") => "active",
            _ => return None,
        };
        let agreement_id = agreement_id(self.named_agreements("/metadata"), &mut Map::new());
        Some(Step::StatusReported(StatusReport {
            agreement_id,
            reference: id(self.object.get("id"))?,
            status,
            at: self.at(),
        }))
    }

    fn payout(&self, state: &str) -> Option<Step> {
        let state = match state {
            "created" | "updated" => PayoutState::Announced,
            "paid" | "reconciliation_completed" => PayoutState::Paid,
            "failed" | "canceled" => PayoutState::Failed,
            _ => return None,
        };
        let reason = text(self.object.get("failure_message")).or_else(|| text(self.object.get("failure_code")));
        Some(Step::Payout(Payout {
            provider: Provider::Stripe,
            id: id(self.object.get("id"))?,
            state,
            net: minor_units::read(Provider::Stripe, self.object, "amount"),
            fee: None,
            date: self.object.get("arrival_date").and_then(Value::as_i64).and_then(date),
            reason: reason.map(str::to_owned),
            at: self.at(),
        }))
    }
}

/// What every payment by card has in common
fn card(key: &str, gift_date: Option<String>) -> Gift {
    Gift {
        gift_date,
        payment_method: Some("card".into()),
        external_id: Some(key.to_owned()),
        source_fingerprint: Some(key.to_owned()),
        provider_payment_id: Some(key.to_owned()),
        intake_source: Some(Provider::Stripe.intake_source().into()),
        provider: Some(Provider::Stripe.as_str().into()),
        ..Gift::default()
    }
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

/// The members that are not blank; nothing if all are
fn non_blank(metadata: Option<&Value>) -> Option<Value> {
    let mut kept = Map::new();
    for (key, value) in metadata?.as_object()? {
        if value.as_str().is_some_and(|text| !text.trim().is_empty()) {
            kept.insert(key.into(), value.clone());
        }
    }
    (!kept.is_empty()).then_some(Value::Object(kept))
}

/// The date that Stripe writes as the seconds at which it begins in UTC
fn date(seconds: i64) -> Option<String> {
    utc_day(instant(seconds)?).map(format_date)
}

/// The instant of seconds since 1970; none before
fn instant(seconds: i64) -> Option<Timestamp> {
    seconds.checked_mul(1_000).filter(|_| seconds > 0).map(Timestamp::from_millis)
}
