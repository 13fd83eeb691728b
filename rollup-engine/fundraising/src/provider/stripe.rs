//! What an event of Stripe says.
//!
//! A payment is one gift under one key: the payment intent, the charge where there is none, the invoice of an
//! instalment. Several events tell of it, in any order and each by some of its ids, so that a step names all that its
//! event names. A subscription's checkout records the set-up; the money comes with its paid invoice. Since 2025 an
//! invoice no longer names the payment that paid it; `invoice_payment.paid` does.
//!
//! | event | what it says |
//! |---|---|
//! | `checkout.session.completed` | paid: a gift; unpaid: a gift to come; a subscription: a set-up |
//! | `checkout.session.async_payment_succeeded`, `…_failed` | the end of an unpaid one |
//! | `payment_intent.succeeded`, `charge.succeeded`, `charge.captured` | a gift; a charge tells the real way of payment |
//! | `invoice.paid`, `invoice.payment_succeeded` | an instalment |
//! | `invoice_payment.paid` | by which payment an invoice was paid |
//! | `invoice.payment_failed`, `charge.failed`, `payment_intent.payment_failed` | a failure |
//! | `charge.refunded` | all that was refunded so far |
//! | `refund.…`, `charge.refund.updated` | one refund |
//! | `charge.dispute.created`, `…updated`, `…funds_withdrawn` | an open dispute |
//! | `charge.dispute.closed`, `…funds_reinstated` | a dispute that was lost or won |
//! | `customer.subscription.created`, `…updated`, `…deleted`, `…paused`, `…resumed` | an agreement's status |
//! | `payout.…` | a payout |
//!
//! Anything else says nothing here.

use ports::Timestamp;
use ports::time::{format_date, parse_date};
use serde_json::{Map, Value};

use super::minor_units::{self, Told};
use super::{DayOf, utc_day};
use super::{
    DomainEvent, Failure, IdKind, Kind, Payment, PaymentFact, Payout, PayoutState, Provider, Returned, SetUp,
    StatusReport, agreement_id, id, names, read_event, text,
};
use crate::client_error::ClientError;
use crate::gift::{Gift, UNREADABLE_AMOUNT};
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
    pub domain_events: Vec<DomainEvent>,
}

/// Reads the body of a webhook; `day_of` tells the day of an instant at the charity
///
/// # Examples
///
/// ```
/// use fundraising::provider::{DomainEvent, stripe, utc_day};
///
/// let body = br#"{"id":"evt_1","type":"payout.paid","created":1795382817,"data":{"object":{
///     "id":"po_1","object":"payout","amount":12500,"currency":"gbp","arrival_date":1795382817}}}"#;
/// let event = stripe::read(body, &utc_day).unwrap();
/// assert!(matches!(&event.domain_events[..], [DomainEvent::Payout(_)]));
/// assert!(stripe::read(br#"{"id":"evt_2","type":"product.created"}"#, &utc_day).unwrap().domain_events.is_empty());
/// ```
///
/// # Errors
/// Bodies that are not a JSON object.
pub fn read(body: &[u8], day_of: DayOf<'_>) -> Result<Event, ClientError> {
    let json = read_event(body)?;
    if !json.is_object() {
        return Err(ClientError::bad("the event must be a JSON object"));
    }
    let kind = text(json.get("type")).unwrap_or_default().to_owned();
    let id = id(json.get("id")).unwrap_or_default();
    let domain_events = json
        .pointer("/data/object")
        .filter(|object| object.is_object())
        .map(|object| {
            let seconds = json.get("created").or_else(|| object.get("created")).and_then(Value::as_i64);
            Source { event: &id, seconds: seconds.unwrap_or_default(), object, day_of }.domain_events(&kind)
        })
        .unwrap_or_default();
    let is_test = json.get("livemode") == Some(&Value::Bool(false));
    Ok(Event { id, kind, is_test, domain_events })
}

struct Source<'a> {
    event: &'a str,
    seconds: i64,
    object: &'a Value,
    day_of: DayOf<'a>,
}

impl Source<'_> {
    fn domain_events(&self, kind: &str) -> Vec<DomainEvent> {
        match kind {
            "checkout.session.completed" => self.session(false),
            "checkout.session.async_payment_succeeded" => self.session(true),
            "checkout.session.async_payment_failed" => self.session_failed().into_iter().collect(),
            "invoice.paid" | "invoice.payment_succeeded" => self.invoice_paid(),
            "invoice_payment.paid" => self.invoice_payment().into_iter().collect(),
            "invoice.payment_failed" => self.invoice_failed().into_iter().collect(),
            "payment_intent.succeeded" | "charge.succeeded" | "charge.captured" => {
                self.payment_made(kind.starts_with("charge.")).into_iter().collect()
            }
            "charge.failed" => self.payment_failed(self.object.get("payment_intent")).into_iter().collect(),
            "payment_intent.payment_failed" => self.payment_failed(self.object.get("id")).into_iter().collect(),
            "charge.refunded" => self.refunded().into_iter().collect(),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                self.refund().into_iter().collect()
            }
            _ if kind.starts_with("charge.dispute.") => self.dispute(kind),
            "customer.subscription.created"
            | "customer.subscription.updated"
            | "customer.subscription.deleted"
            | "customer.subscription.paused"
            | "customer.subscription.resumed" => self.subscription(kind).into_iter().collect(),
            _ => match kind.strip_prefix("payout.") {
                Some(state) => self.payout(state).into_iter().collect(),
                None => Vec::new(),
            },
        }
    }

    /// A day that was typed by hand; none that nobody can mean, as a payment is not turned away for it
    fn typed_day(&self, text: &str) -> Option<String> {
        let day = parse_date(text).or_else(|| (self.day_of)(Timestamp::parse(text)?))?;
        (day.year() >= 1900).then(|| format_date(day))
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

    /// A payment of what stands at `amount`; nothing if nothing was paid
    fn of_amount(&self, amount: &str, gift: Gift, key: String, also: Vec<String>) -> Option<Payment> {
        let mut gift = gift;
        let told = minor_units::told(Provider::Stripe, self.object, amount);
        let has_amount = matches!(told, Told::Amount(_));
        match told {
            Told::Nothing => return None,
            Told::Amount(amount) => gift.amount = amount,
            Told::Unreadable(evidence) => {
                if let Some(Value::Object(context)) = &mut gift.provider_context {
                    context.insert(UNREADABLE_AMOUNT.into(), evidence);
                }
            }
        }
        let (method, tells_method) = self.method();
        gift.payment_method = method;
        Some(Payment { key, at: self.at(), gift, has_amount, agreement: Vec::new(), also, tells_method })
    }

    /// The way of payment, and whether it is the one that was taken; nothing where several were offered
    fn method(&self) -> (Option<String>, bool) {
        let places = ["", "/latest_charge", "/charges/data/0"];
        let taken = places.into_iter().find_map(|place| {
            let details = self.object.pointer(&format!("{place}/payment_method_details"))?;
            // A card in a wallet is what the donor knows by the wallet's name.
            text(details.pointer("/card/wallet/type")).or_else(|| text(details.get("type")))
        });
        if let Some(taken) = taken {
            return (Some(taken.to_owned()), true);
        }
        let offered = ["/payment_method_types", "/payment_settings/payment_method_types"];
        let offered = offered.into_iter().find_map(|place| self.object.pointer(place)?.as_array());
        let mut offered = offered.into_iter().flatten().filter_map(Value::as_str).filter(|word| *word != "link");
        match (offered.next(), offered.next()) {
            (one, None) => (Some(one.unwrap_or("card").to_owned()), false),
            _ => (None, false),
        }
    }

    /// A completed checkout, or one whose payment came in later
    fn session(&self, is_late: bool) -> Vec<DomainEvent> {
        let Some(session) = id(self.object.get("id")) else { return Vec::new() };
        let set_up = self.session_set_up();
        let mode = text(self.object.get("mode"));
        let is_subscription = mode == Some("subscription");
        let is_paid = is_late || text(self.object.get("payment_status")) == Some("paid");
        let (invoice, intent) = (id(self.object.get("invoice")), id(self.object.get("payment_intent")));
        let key = invoice.clone().filter(|_| is_subscription).or_else(|| intent.clone()).unwrap_or(session.clone());
        // A checkout may have had no payment yet when it was completed.
        let also = [invoice, intent, Some(session).filter(|_| is_late)].into_iter().flatten().collect();
        let mut domain_events = Vec::new();
        // Setting up a means of payment costs nothing, and so does a trial.
        if mode != Some("setup")
            && let Some(payment) = self.of_amount("amount_total", self.session_gift(&key), key, also)
            && (payment.has_amount || is_paid)
        {
            let agreement = id(self.object.get("subscription")).into_iter().collect();
            let payment = Box::new(Payment { agreement, ..payment });
            match (is_subscription, is_paid) {
                (true, true) if set_up.agreement_id.is_none() => domain_events.push(DomainEvent::Unassigned(payment)),
                (true, _) => {}
                (false, true) => domain_events.push(DomainEvent::Paid(payment)),
                (false, false) => domain_events.push(DomainEvent::Expected(payment)),
            }
        }
        if set_up.agreement_id.is_some() || set_up.subscription.is_some() {
            domain_events.push(DomainEvent::SetUp(Box::new(set_up)));
        }
        domain_events
    }

    /// A payment or its charge: by a form of the charity's own, or told by a checkout or an invoice too
    fn payment_made(&self, is_charge: bool) -> Option<DomainEvent> {
        let own = id(self.object.get("id"))?;
        let is_done = text(self.object.get("status")).is_none_or(|status| status == "succeeded");
        // What is only reserved on a card is not paid yet.
        if !is_done || self.object.get("captured") == Some(&Value::Bool(false)) {
            return None;
        }
        let intent = id(self.object.get("payment_intent")).filter(|_| is_charge);
        let charge = if is_charge { Some(own.clone()) } else { id(self.object.get("latest_charge")) };
        let order = id(self.object.pointer("/payment_details/order_reference"));
        let order = order.filter(|order| IdKind::of(order) == IdKind::Invoice);
        let key = intent.unwrap_or(own);
        let invoice = id(self.object.get("invoice")).or(order);
        let paid = if is_charge { "amount_captured" } else { "amount_received" };
        let paid = if self.object.get(paid).is_some() { paid } else { "amount" };
        // Without a word of money it tells of none.
        self.object.get(paid)?;
        let mut gift = self.session_gift(&key);
        if let Some(Value::Object(context)) = &mut gift.provider_context {
            context.remove("checkoutSessionId");
            for (name, id) in
                [("paymentIntentId", Some(&key)), ("chargeId", charge.as_ref()), ("invoiceId", invoice.as_ref())]
            {
                if let Some(id) = id {
                    context.insert(name.into(), id.as_str().into());
                }
            }
        }
        let also = [invoice, charge].into_iter().flatten().collect();
        self.of_amount(paid, gift, key, also).map(|payment| DomainEvent::Paid(Box::new(payment)))
    }

    /// The first text at one of these places
    fn first(&self, places: &[&str]) -> Option<&str> {
        places.iter().find_map(|place| text(self.object.pointer(place)))
    }

    fn session_gift(&self, key: &str) -> Gift {
        let set_up = self.session_set_up();
        let name = self.first(&[
            "/customer_details/name",
            "/billing_details/name",
            "/latest_charge/billing_details/name",
            "/charges/data/0/billing_details/name",
            "/shipping/name",
        ]);
        let (first, rest) = name.map_or((None, None), names);
        let email = self.first(&[
            "/customer_details/email",
            "/customer_email",
            "/billing_details/email",
            "/latest_charge/billing_details/email",
            "/charges/data/0/billing_details/email",
            "/receipt_email",
        ]);
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
            ..payment(key, self.day(self.seconds))
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
            mandate: None,
            payment_method: id(self.object.pointer("/payment_intent/payment_method")),
            context,
            next_expected_at: self
                .metadata(["nextExpectedAt", "next_expected_at"])
                .and_then(|day| self.typed_day(&day)),
            at: self.at(),
        }
    }

    /// What the metadata at this place call their agreement
    fn named_agreements(&self, metadata: &str) -> Vec<String> {
        let names = ["recurringAgreementId", "recurring_agreement_id"].into_iter();
        names.filter_map(|name| text(self.object.pointer(&format!("{metadata}/{name}"))).map(str::to_owned)).collect()
    }

    fn session_failed(&self) -> Option<DomainEvent> {
        let key = id(self.object.get("payment_intent")).or_else(|| id(self.object.get("id")))?;
        Some(DomainEvent::Failed(Failure {
            payment: key,
            reason: "the payment of the checkout failed".into(),
            kept_as: Some(Kind::Declined),
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

    fn invoice_paid(&self) -> Vec<DomainEvent> {
        let Some(key) = id(self.object.get("id")) else { return Vec::new() };
        let subscription = self.invoice_subscription();
        let (first_name, last_name) = text(self.object.get("customer_name")).map_or((None, None), names);
        let paid_at = self.object.pointer("/status_transitions/paid_at").and_then(Value::as_i64);
        // Later versions of the API list the payments of an invoice, where they are expanded.
        let payment_of = |key: &str| {
            let listed = self.object.pointer("/payments/data/0/payment").and_then(|payment| payment.get(key));
            id(self.object.get(key)).or_else(|| id(listed))
        };
        let (intent, charge) = (payment_of("payment_intent"), payment_of("charge"));
        let mut context = Map::new();
        for (key, id) in [
            ("invoiceId", Some(key.clone())),
            ("paymentIntentId", intent.clone()),
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
            donor_first_name: first_name,
            donor_last_name: last_name,
            donor_email: text(self.object.get("customer_email")).map(str::to_owned),
            auto_process: Some(true),
            recurring_agreement_id,
            recurring_status: subscription.as_ref().map(|_| "active".to_owned()),
            provider_agreement_id: subscription.clone(),
            provider_context: Some(Value::Object(context)),
            ..payment(&key, self.day(paid_at.unwrap_or(self.seconds)))
        };
        let also = [intent, charge].into_iter().flatten().collect();
        let paid = self.of_amount("amount_paid", gift, key, also);
        let paid = paid.map(|paid| Payment { agreement: subscription.into_iter().collect(), ..paid });
        paid.map(|paid| DomainEvent::Paid(Box::new(paid))).into_iter().collect()
    }

    fn invoice_payment(&self) -> Option<DomainEvent> {
        let payment = id(self.object.pointer("/payment/payment_intent"))
            .or_else(|| id(self.object.pointer("/payment/charge")))?;
        Some(DomainEvent::Settled { invoice: id(self.object.get("invoice"))?, payment })
    }

    fn invoice_failed(&self) -> Option<DomainEvent> {
        Some(DomainEvent::Failed(Failure {
            payment: id(self.object.get("id"))?,
            at: self.at(),
            attempt: self.event.to_owned(),
            reason: "the payment of the invoice failed".into(),
            kept_as: None,
            agreement_id: self.invoice_agreement(&mut Map::new()),
            agreement: self.invoice_subscription().into_iter().collect(),
        }))
    }

    fn payment_failed(&self, payment: Option<&Value>) -> Option<DomainEvent> {
        let reason = text(self.object.get("failure_message"))
            .or_else(|| text(self.object.pointer("/last_payment_error/message")));
        let places = ["/last_payment_error/payment_method/type", "/payment_method_details/type"];
        // A card is declined before anything is announced, and by the thousand where cards are tried out.
        let is_card = self.first(&places) == Some("card");
        Some(DomainEvent::Failed(Failure {
            payment: id(payment)?,
            at: self.at(),
            attempt: self.event.to_owned(),
            reason: reason.unwrap_or("the payment failed").to_owned(),
            kept_as: Some(Kind::Declined).filter(|_| !is_card),
            ..Failure::default()
        }))
    }

    /// A fact about the payment of a charge, of a refund or of a dispute; old charges have none but themselves
    fn returned(&self, charge: Option<&Value>, kind: Kind, holds: bool, amount: &str) -> Option<DomainEvent> {
        let money = minor_units::read(Provider::Stripe, self.object, amount);
        let fact = PaymentFact { kind, id: id(self.object.get("id"))?, at: self.at(), holds, money };
        let payment: Vec<String> = [id(self.object.get("payment_intent")), id(charge)].into_iter().flatten().collect();
        (!payment.is_empty()).then_some(DomainEvent::Returned(Returned { payment, fact }))
    }

    fn refunded(&self) -> Option<DomainEvent> {
        self.returned(self.object.get("id"), Kind::Total, true, "amount_refunded")
    }

    fn refund(&self) -> Option<DomainEvent> {
        let holds = match text(self.object.get("status")) {
            Some("failed" | "canceled") => false,
            // Until it succeeded it may still want the payer's doing.
            Some("requires_action") => return None,
            _ => true,
        };
        self.returned(self.object.get("charge"), Kind::Refund, holds, "amount")
    }

    fn dispute(&self, kind: &str) -> Vec<DomainEvent> {
        let status = text(self.object.get("status"));
        let is_lost = match (kind, status) {
            ("charge.dispute.funds_reinstated", _) | (_, Some("won")) => Some(false),
            (_, Some("lost")) => Some(true),
            _ => None,
        };
        // A warning that was closed never took money.
        let is_over = is_lost.is_some() || matches!(status, Some("warning_closed" | "prevented" | "charge_refunded"));
        let fact = |kind, holds| self.returned(self.object.get("charge"), kind, holds, "amount");
        let open = fact(Kind::Disputed, !is_over && kind != "charge.dispute.closed");
        [open, is_lost.and_then(|is_lost| fact(Kind::Dispute, is_lost))].into_iter().flatten().collect()
    }

    fn subscription(&self, kind: &str) -> Option<DomainEvent> {
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
        Some(DomainEvent::StatusReported(StatusReport {
            agreement_id,
            reference: id(self.object.get("id"))?,
            status,
            reinstates: false,
            at: self.at(),
        }))
    }

    fn payout(&self, state: &str) -> Option<DomainEvent> {
        let state = match state {
            "created" | "updated" => PayoutState::Announced,
            "paid" | "reconciliation_completed" => PayoutState::Paid,
            "failed" | "canceled" => PayoutState::Failed,
            _ => return None,
        };
        let reason = text(self.object.get("failure_message")).or_else(|| text(self.object.get("failure_code")));
        Some(DomainEvent::Payout(Payout {
            provider: Provider::Stripe,
            id: id(self.object.get("id"))?,
            state,
            net: minor_units::signed(Provider::Stripe, self.object, "amount"),
            fee: None,
            date: self.object.get("arrival_date").and_then(Value::as_i64).and_then(date),
            reason: reason.map(str::to_owned),
            at: self.at(),
        }))
    }
}

/// What every payment has in common
fn payment(key: &str, gift_date: Option<String>) -> Gift {
    Gift {
        gift_date,
        external_id: Some(key.to_owned()),
        source_fingerprint: Some(key.to_owned()),
        provider_payment_id: Some(key.to_owned()),
        intake_source: Some(Provider::Stripe.intake_source().into()),
        provider: Some(Provider::Stripe.as_str().into()),
        ..Gift::default()
    }
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
