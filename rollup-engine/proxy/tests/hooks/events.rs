//! What providers tell, and what came of it.

use ports::Timestamp;
use proxy::http::Inbound;
use serde_json::{Value, json};
use support::{ServiceWorld, ten};

/// An event as its provider would send it
pub(crate) fn signed(event: &Value) -> Inbound {
    support::signed(event, ten())
}

/// Rows, the notes apart
pub(crate) fn rows(world: &ServiceWorld) -> Vec<Value> {
    let is_note = |row: &Value| row["intakeSource"].as_str().is_some_and(|source| source.ends_with("_note"));
    world.live("giftStaging").into_iter().filter(|row| !is_note(row)).collect()
}

pub(crate) fn refunded(world: &ServiceWorld) -> i64 {
    world.only("gift")["refundedAmount"]["amountMicros"].as_i64().unwrap_or_default()
}

pub(crate) fn stripe(id: &str, kind: &str, at: i64, object: impl Into<Value>) -> Value {
    json!({ "id": id, "type": kind, "created": 1_772_400_000 + at, "data": { "object": object.into() } })
}

pub(crate) fn session(extra: impl Into<Value>) -> Value {
    let mut session = json!({
        "id": "cs_1", "mode": "payment", "payment_status": "paid", "amount_total": 2_500, "currency": "gbp",
        "payment_intent": "pi_1", "customer": "cus_1", "metadata": {},
        "customer_details": { "name": "Dora Kent", "email": "dora@example.org" },
    });
    for (key, value) in extra.into().as_object().unwrap() {
        session[key] = value.clone();
    }
    session
}

pub(crate) fn paid_session() -> Value {
    stripe("evt_1", "checkout.session.completed", 0, session(json!({})))
}

pub(crate) fn refund_total(id: &str, at: i64, minor: i64) -> Value {
    let charge = json!({ "id": "ch_1", "payment_intent": "pi_1", "amount_refunded": minor, "currency": "gbp" });
    stripe(id, "charge.refunded", at, charge)
}

pub(crate) fn invoice(id: &str, at: i64) -> Value {
    let object = json!({ "id": id, "amount_paid": 1_000, "currency": "gbp", "customer_name": "Dora Kent",
        "customer_email": "dora@example.org",
        "parent": { "subscription_details": { "subscription": "sub_1" } } });
    stripe(&format!("evt_{id}"), "invoice.paid", at, object)
}

pub(crate) fn batch(events: &[(&str, &str, i64)]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|(resource, action, at)| {
            let links = match *resource {
                "payments" if *action == "paid_out" => json!({ "payment": "PM1", "payout": "PO1" }),
                "payments" => json!({ "payment": "PM1" }),
                "refunds" => json!({ "refund": "RF1" }),
                "mandates" => json!({ "mandate": "MD1" }),
                "subscriptions" => json!({ "subscription": "SB1" }),
                _ => json!({ "payout": "PO1" }),
            };
            let created = Timestamp::from_millis(1_772_400_000_000 + at * 1_000).to_string();
            json!({ "id": format!("EV{at}"), "resource_type": resource, "action": action, "created_at": created, "links": links })
        })
        .collect();
    json!({ "events": events })
}

/// Fills the API with a payment of a customer
pub(crate) fn fill(world: &ServiceWorld) {
    let mut resources = world.resources.borrow_mut();
    let mut put = |path: &str, resource: Value| resources.insert(path.to_owned(), resource);
    put(
        "payments/PM1",
        json!({ "id": "PM1", "amount": 1_500, "currency": "GBP", "charge_date": "2026-03-01",
        "links": { "mandate": "MD1" } }),
    );
    put("mandates/MD1", json!({ "id": "MD1", "links": { "customer": "CU1" } }));
    put(
        "customers/CU1",
        json!({ "id": "CU1", "given_name": "Dora", "family_name": "Kent", "email": "dora@example.org" }),
    );
    put("refunds/RF1", json!({ "id": "RF1", "amount": 500, "currency": "GBP", "links": { "payment": "PM1" } }));
    put(
        "payouts/PO1",
        json!({ "id": "PO1", "amount": 1_400, "deducted_fees": 100, "currency": "GBP", "arrival_date": "2026-03-02" }),
    );
}
