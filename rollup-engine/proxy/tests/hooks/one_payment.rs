//! One payment, told by several events, each by some of its ids: one gift, whichever comes first.

use std::time::Duration;

use proptest::prelude::*;
use proxy::Service;
use proxy::http::Inbound;
use sandbox::Faults;
use serde_json::{Value, json};
use support::ServiceWorld;
use uuid::Uuid;

use super::events::{refund_total, rows, session, signed, stripe};

const DONOR: &str = "dora@example.org";

/// What is told of one payment, by name
type Story = (&'static str, Vec<Value>);

fn intent(extra: &Value) -> Value {
    let mut intent = json!({ "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 2_500,
        "amount_received": 2_500, "currency": "gbp", "latest_charge": "ch_1", "payment_method_types": ["card"] });
    for (key, value) in extra.as_object().unwrap() {
        intent[key] = value.clone();
    }
    stripe("evt_pi", "payment_intent.succeeded", 2, intent)
}

fn charge() -> Value {
    let charge = json!({ "id": "ch_1", "payment_intent": "pi_1", "amount": 2_500, "amount_captured": 2_500,
        "currency": "gbp", "status": "succeeded", "captured": true, "billing_details": { "name": null, "email": null },
        "payment_method_details": { "type": "card", "card": { "wallet": { "type": "apple_pay" } } } });
    stripe("evt_ch", "charge.succeeded", 1, charge)
}

fn checkout(extra: &Value) -> Value {
    stripe("evt_cs", "checkout.session.completed", 3, session(extra.clone()))
}

fn invoice(extra: &Value) -> Value {
    let mut invoice = json!({ "id": "in_1", "amount_paid": 2_500, "currency": "gbp", "customer_name": "Dora Kent",
        "customer_email": DONOR, "status_transitions": { "paid_at": 1_772_400_000 } });
    for (key, value) in extra.as_object().unwrap() {
        invoice[key] = value.clone();
    }
    stripe("evt_in", "invoice.paid", 4, invoice)
}

fn invoice_payment() -> Value {
    let payment = json!({ "id": "inpay_1", "invoice": "in_1", "payment": { "payment_intent": "pi_1" } });
    stripe("evt_ip", "invoice_payment.paid", 5, payment)
}

fn dispute_of_charge(status: &str, at: i64) -> Value {
    let dispute = json!({ "id": "dp_1", "charge": "ch_1", "amount": 2_500, "currency": "gbp", "status": status });
    let kind = if status == "needs_response" { "created" } else { "closed" };
    stripe(&format!("evt_dp{at}"), &format!("charge.dispute.{kind}"), at, dispute)
}

fn stories(agreement: Uuid) -> Vec<Story> {
    let subscription = json!({ "parent": { "subscription_details": { "subscription": "sub_1" } } });
    let set_up = json!({ "mode": "subscription", "payment_intent": null, "subscription": "sub_1", "invoice": "in_1",
        "metadata": { "recurringAgreementId": agreement } });
    vec![
        ("a checkout and its payment", vec![checkout(&json!({})), intent(&json!({})), charge()]),
        (
            "a checkout that is paid later",
            vec![
                checkout(&json!({ "payment_status": "unpaid" })),
                intent(&json!({})),
                stripe("evt_al", "checkout.session.async_payment_succeeded", 6, session(json!({}))),
            ],
        ),
        (
            "a checkout that makes an invoice",
            vec![
                checkout(&json!({ "invoice": "in_1" })),
                invoice(&json!({ "payment_intent": "pi_1" })),
                intent(&json!({})),
            ],
        ),
        (
            "an invoice without its payment",
            vec![invoice(&json!({})), intent(&json!({})), invoice_payment(), refund_total("evt_r", 20, 700)],
        ),
        (
            "an invoice that lists its payment",
            vec![
                invoice(&json!({ "payments": { "data": [{ "payment": { "payment_intent": "pi_1" } }] } })),
                intent(&json!({})),
            ],
        ),
        ("a subscription", vec![checkout(&set_up), invoice(&subscription), intent(&json!({})), invoice_payment()]),
        (
            "a form of one's own",
            vec![intent(&json!({ "metadata": { "firstName": "Dora", "lastName": "Kent", "email": DONOR } })), charge()],
        ),
        (
            "a dispute that names the charge alone",
            vec![
                checkout(&json!({})),
                charge(),
                dispute_of_charge("needs_response", 30),
                dispute_of_charge("lost", 31),
            ],
        ),
    ]
}

fn world(staging: bool) -> (ServiceWorld, Uuid) {
    let world = ServiceWorld::new(staging);
    let donor = world.create(
        "person",
        &json!({ "name": { "firstName": "Dora", "lastName": "Kent" }, "emails": { "primaryEmail": DONOR } }),
    );
    let agreement = world.create("recurringAgreement", &json!({ "status": "active", "donorId": donor }));
    (world, agreement)
}

/// What must be so once all was told
fn check(world: &ServiceWorld, name: &str, agreement: Uuid, seen: &str) {
    let gifts = world.live("gift");
    assert_eq!(gifts.len(), 1, "{name}, {seen}: {gifts:#?} {:#?}", rows(world));
    let gift = &gifts[0];
    assert_eq!(gift["amount"]["amountMicros"], json!(25_000_000), "{name}, {seen}");
    assert_eq!(gift["donorId"], world.only("person")["id"], "{name}, {seen}: {gift:#?}");
    assert_eq!(gift["providerPaymentId"], "pi_1", "{name}, {seen}");
    let is_subscription = name == "a subscription";
    let expected = if is_subscription { json!(agreement) } else { Value::Null };
    assert_eq!(gift["recurringAgreementId"], expected, "{name}, {seen}: {gift:#?}");
    let refunded = match name {
        "an invoice without its payment" => 7_000_000,
        "a dispute that names the charge alone" => 25_000_000,
        _ => 0,
    };
    let micros = |key: &str| gift[key]["amountMicros"].as_i64().unwrap_or_default();
    assert_eq!((micros("refundedAmount"), micros("disputedAmount")), (refunded, 0), "{name}, {seen}");
    if ["a checkout and its payment", "a form of one's own"].contains(&name) {
        assert_eq!(gift["paymentMethod"], "apple_pay", "{name}, {seen}");
    }
    for row in rows(world) {
        let state = row["processingStatus"].as_str().unwrap();
        assert!(["processed", "cancelled"].contains(&state), "{name}, {seen}: {row:#?}");
        if state == "processed" {
            assert_eq!(row["giftId"], gift["id"], "{name}, {seen}");
        }
    }
}

async fn deliver(world: &ServiceWorld, event: &Value) {
    for _ in 0..4 {
        if world.deliver(event).await < 300 {
            return;
        }
    }
    panic!("refused: {event}");
}

fn permutations(events: &[Value]) -> Vec<Vec<Value>> {
    if events.len() < 2 {
        return vec![events.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..events.len() {
        let mut rest = events.to_vec();
        let first = rest.remove(first);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

fn kinds(events: &[Value]) -> String {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>().join(", ")
}

/// Every order of every story, and all of it once more
#[tokio::test(start_paused = true)]
async fn every_order_is_one_gift() {
    for staging in [false, true] {
        let (_, any) = world(staging);
        for story in 0..stories(any).len() {
            for order in 0..permutations(&stories(any)[story].1).len() {
                let (world, agreement) = world(staging);
                let (name, events) = stories(agreement).swap_remove(story);
                let events = permutations(&events).swap_remove(order);
                for event in &events {
                    deliver(&world, event).await;
                }
                let seen = format!("staging {staging}, {}", kinds(&events));
                check(&world, name, agreement, &seen);
                let trash = world.live("gift").len();
                for event in &events {
                    deliver(&world, event).await;
                }
                check(&world, name, agreement, &format!("{seen}, told twice"));
                assert_eq!(world.live("gift").len(), trash);
            }
        }
    }
}

/// Dies at each call of each event, which then comes again; at last all events come again, as a provider sees to it.
#[tokio::test(start_paused = true)]
async fn one_gift_after_each_crash() {
    for staging in [false, true] {
        let (_, any) = world(staging);
        for story in 0..stories(any).len() {
            for reversed in [false, true] {
                for broken in 0..stories(any)[story].1.len() {
                    for at in 1..=60 {
                        let mut reached = false;
                        for acted in [false, true] {
                            let (world, agreement) = world(staging);
                            let (name, mut events) = stories(agreement).swap_remove(story);
                            if reversed {
                                events.reverse();
                            }
                            for event in &events[..broken] {
                                deliver(&world, event).await;
                            }
                            let host = world.host(Faults::none().crash(at, acted));
                            let request = Inbound { entropy: 1 << 64, ..signed(&events[broken]) };
                            host.until_crash(world.send(&host, request)).await;
                            reached |= host.requests() >= at;
                            for event in &events[broken..] {
                                deliver(&world, event).await;
                            }
                            let is_left = |row: &Value| {
                                ["ready_for_process", "processing"]
                                    .iter()
                                    .any(|state| row["processingStatus"] == *state)
                            };
                            for _ in 0..3 {
                                if rows(&world).iter().any(is_left) {
                                    // The timer takes up what a dead process has claimed.
                                    world.later(60);
                                    assert!(world.ask("POST", "gift-staging/process", json!({})).await.0 < 300);
                                }
                            }
                            let seen =
                                format!("staging {staging}, event {broken}, call {at}, {acted}, {}", kinds(&events));
                            check(&world, name, agreement, &seen);
                        }
                        if !reached {
                            break;
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// All events of a payment at once, some twice, by processes that do not know of each other
    #[test]
    fn concurrent_events_are_one_gift(
        story in 0_usize..6, staging: bool, seed in 0_u64..1_000, twice in proptest::collection::vec(any::<bool>(), 4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (world, agreement) = world(staging);
            let (name, events) = stories(agreement).swap_remove(story);
            let mut told: Vec<&Value> = events.iter().collect();
            told.extend(events.iter().zip(&twice).filter(|(_, twice)| **twice).map(|(event, _)| event));
            let services: Vec<Service> = told.iter().map(|_| world.service()).collect();
            let hosts: Vec<_> = (0..).zip(&told).map(|(number, _)| {
                let faults = Faults::none().latency(Duration::from_millis(1), Duration::from_millis(120));
                world.host(faults.seed(seed * 100 + number))
            }).collect();
            let under_way = (1..).zip(&told).zip(&services).zip(&hosts).map(|(((number, event), service), host)| {
                // Each request has chance of its own.
                let request = Inbound { entropy: number << 64, ..signed(event) };
                world.send_to(service, host, request)
            });
            let answers = futures_util::future::join_all(under_way).await;
            // What was refused comes again.
            for (event, answer) in told.iter().zip(&answers) {
                if answer.status >= 300 {
                    deliver(&world, event).await;
                }
            }
            check(&world, name, agreement, &format!("staging {staging}, seed {seed}"));
        });
    }
}

/// An invoice that is paid in parts is one gift of the whole, and no part is lost before it.
#[tokio::test(start_paused = true)]
async fn invoice_in_parts() {
    let part = |id: &str, minor: i64| {
        let intent = json!({ "id": id, "status": "succeeded", "amount_received": minor, "currency": "gbp" });
        stripe(&format!("evt_{id}"), "payment_intent.succeeded", 1, intent)
    };
    let link = |id: &str| {
        let payment = json!({ "id": "inpay", "invoice": "in_1", "payment": { "payment_intent": id } });
        stripe(&format!("evt_l{id}"), "invoice_payment.paid", 2, payment)
    };
    let events = [part("pi_1", 1_000), link("pi_1"), part("pi_2", 1_500), link("pi_2")];
    for order in permutations(&events) {
        let (world, _) = world(false);
        for event in &order {
            deliver(&world, event).await;
        }
        let sum: i64 = world.live("gift").iter().map(|gift| gift["amount"]["amountMicros"].as_i64().unwrap()).sum();
        assert_eq!((world.live("gift").len(), sum), (2, 25_000_000), "{}", kinds(&order));
        deliver(&world, &invoice(&json!({}))).await;
        assert_eq!(world.only("gift")["amount"]["amountMicros"], json!(25_000_000), "{}", kinds(&order));
    }
}

/// A gift that staff deleted stays deleted, by whichever of its ids it is told again.
#[tokio::test(start_paused = true)]
async fn deleted_gift_stays_deleted() {
    for staging in [false, true] {
        let (world, _) = world(staging);
        for event in [invoice(&json!({})), invoice_payment()] {
            deliver(&world, &event).await;
        }
        let gift: Uuid = world.only("gift")["id"].as_str().unwrap().parse().unwrap();
        let (status, _) = world.ask("DELETE", &format!("gifts/{gift}"), Value::Null).await;
        assert_eq!(status, 200);
        for event in [intent(&json!({})), checkout(&json!({ "invoice": "in_1" })), invoice(&json!({}))] {
            deliver(&world, &event).await;
        }
        assert!(world.live("gift").is_empty(), "staging {staging}");
    }
}

/// What is only reserved on a card is no gift, and what a card paid is told by its charge.
#[tokio::test(start_paused = true)]
async fn reserved_money_is_no_gift() {
    let (world, _) = world(false);
    let reserved = json!({ "id": "ch_1", "amount": 900, "amount_captured": 0, "currency": "gbp", "status": "succeeded",
        "captured": false });
    deliver(&world, &stripe("e", "charge.succeeded", 0, reserved.clone())).await;
    assert!(world.live("gift").is_empty());
    let mut captured = reserved;
    captured["captured"] = json!(true);
    captured["amount_captured"] = json!(800);
    captured["payment_method_details"] = json!({ "type": "bacs_debit" });
    deliver(&world, &stripe("e", "charge.captured", 1, captured)).await;
    let gift = world.only("gift");
    assert_eq!((&gift["amount"]["amountMicros"], &gift["paymentMethod"]), (&json!(8_000_000), &json!("bacs_debit")));
}
