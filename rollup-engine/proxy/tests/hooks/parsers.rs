//! No event panics a parser, whatever its shape.

use fundraising::provider::gocardless::{self, FetchedResources};
use fundraising::provider::{stripe, utc_day};
use proptest::prelude::*;
use serde_json::{Value, json};

const TYPES: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "invoice.paid",
    "invoice_payment.paid",
    "invoice.payment_failed",
    "charge.failed",
    "charge.refunded",
    "refund.updated",
    "charge.dispute.closed",
    "customer.subscription.updated",
    "payout.paid",
    "payout.failed",
    "x",
];

const KEYS: [&str; 24] = [
    "id",
    "created",
    "amount",
    "amount_total",
    "amount_paid",
    "amount_refunded",
    "currency",
    "payment_intent",
    "charge",
    "metadata",
    "customer_details",
    "name",
    "email",
    "mode",
    "payment_status",
    "status",
    "subscription",
    "parent",
    "subscription_details",
    "links",
    "payment",
    "recurringAgreementId",
    "arrival_date",
    "status_transitions",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        proptest::sample::select(vec!["gbp", "paid", "subscription", "pi_1", "lost", "active"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(KEYS.to_vec()), inner), 0..8)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_of_stripe_panics(kind in proptest::sample::select(TYPES.to_vec()), object in any_json(), created in any_json()) {
        let event = json!({ "id": "evt_1", "type": kind, "created": created, "data": { "object": object } });
        prop_assert!(stripe::read(event.to_string().as_bytes(), &utc_day).is_ok());
    }

    #[test]
    fn no_event_of_gocardless_panics(
        resource in proptest::sample::select(vec!["payments", "refunds", "mandates", "subscriptions", "payouts", "x"]),
        action in proptest::sample::select(vec!["created", "confirmed", "failed", "charged_back", "paid", "cancelled", "x"]),
        links in any_json(), answer in any_json(), customer in any_json(), created in any_json(),
    ) {
        let event = json!({ "id": "EV1", "resource_type": resource, "action": action, "created_at": created, "links": links });
        let answers = FetchedResources { resource: Some(answer), customer: Some(customer) };
        for event in gocardless::read(json!({ "events": [event] }).to_string().as_bytes()).unwrap() {
            let _ = (event.resource(), event.kind(), event.mandate(&answers), event.domain_events(&answers, &utc_day));
        }
    }

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..120), json in any_json()) {
        let _ = (stripe::read(&body, &utc_day), gocardless::read(&body));
        let text = json.to_string();
        let _ = (stripe::read(text.as_bytes(), &utc_day), gocardless::read(text.as_bytes()));
    }
}
