//! The life of a mandate: replaced, reinstated, blocked, and known to an agreement by its metadata.

use serde_json::{Value, json};
use support::ServiceWorld;

use super::events::{batch, fill, rows};

fn event(action: &str, at: i64, mandate: &str, new: Option<&str>) -> Value {
    let mut event = batch(&[("mandates", action, at)]);
    event["events"][0]["links"] = json!({ "mandate": mandate, "new_mandate": new });
    event
}

/// Payments under each of three mandates, of which one took the place of the other, belong to the one agreement.
#[tokio::test(start_paused = true)]
async fn replaced_mandates_in_any_order() {
    let replaced = || [event("replaced", 1, "MD1", Some("MD2")), event("replaced", 2, "MD2", Some("MD3"))];
    let paid = |payment: &str, at: i64| {
        let mut event = batch(&[("payments", "confirmed", at)]);
        event["events"][0]["links"]["payment"] = json!(payment);
        event
    };
    let payments = || [paid("PM1", 3), paid("PM2", 4), paid("PM3", 5)];
    for staging in [false, true] {
        for order in ["first", "last", "reversed"] {
            let world = ServiceWorld::new(staging);
            fill(&world);
            for number in 1..4 {
                let mandate = format!("MD{number}");
                let payment = json!({ "id": format!("PM{number}"), "amount": 1_000 + number, "currency": "GBP",
                    "charge_date": "2026-03-01", "links": { "mandate": mandate } });
                let mut resources = world.resources.borrow_mut();
                resources.insert(format!("payments/PM{number}"), payment);
                resources.insert(format!("mandates/{mandate}"), json!({ "links": { "customer": "CU1" } }));
            }
            world.create("recurringAgreement", &json!({ "status": "active", "mandateReference": "MD1" }));
            let mut events: Vec<Value> = replaced().into_iter().chain(payments()).collect();
            match order {
                "last" => events.rotate_left(2),
                "reversed" => events.reverse(),
                _ => {}
            }
            for event in events.iter().chain(&events) {
                assert_eq!(world.deliver(event).await, 202);
            }
            let agreement = world.only("recurringAgreement");
            assert_eq!(agreement["mandateReference"], "MD3", "{order}");
            let gifts = world.live("gift");
            assert_eq!(gifts.len(), 3, "{order}, staging {staging}: {:#?}", rows(&world));
            for gift in gifts {
                assert_eq!(gift["recurringAgreementId"], agreement["id"], "{order}, staging {staging}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reinstated_and_blocked_mandates() {
    for (told, status) in [
        (vec![("blocked", 1)], "delinquent"),
        (vec![("suspended_by_payer", 1)], "paused"),
        (vec![("expired", 1)], "canceled"),
        (vec![("expired", 1), ("reinstated", 2)], "active"),
        (vec![("reinstated", 2), ("cancelled", 1)], "active"),
        (vec![("reinstated", 1), ("cancelled", 2)], "canceled"),
        (vec![("cancelled", 1), ("reinstated", 2), ("cancelled", 3)], "canceled"),
        (vec![("failed", 1), ("active", 2)], "active"),
    ] {
        let world = ServiceWorld::new(false);
        world.create("recurringAgreement", &json!({ "status": "active", "mandateReference": "MD1" }));
        for (action, at) in &told {
            for _ in 0..2 {
                assert_eq!(world.deliver(&event(action, *at, "MD1", None)).await, 202);
            }
        }
        let agreement = world.only("recurringAgreement");
        assert_eq!(agreement["status"], status, "{told:?}");
        assert_eq!(agreement["canceledAt"].is_string(), status == "canceled", "{told:?}");
    }
}

/// What becomes of a mandate that another took the place of does not end the agreement.
#[tokio::test(start_paused = true)]
async fn end_of_a_replaced_mandate() {
    for ended in ["cancelled", "expired"] {
        for (old, status) in [("MD1", "active"), ("MD2", "active"), ("MD3", "canceled")] {
            let world = ServiceWorld::new(false);
            world.create("recurringAgreement", &json!({ "status": "active", "mandateReference": "MD1" }));
            for told in [
                event("replaced", 1, "MD1", Some("MD2")),
                event("replaced", 2, "MD2", Some("MD3")),
                event(ended, 3, old, None),
            ] {
                assert_eq!(world.deliver(&told).await, 202);
            }
            let agreement = world.only("recurringAgreement");
            assert_eq!(
                (&agreement["status"], &agreement["mandateReference"]),
                (&json!(status), &json!("MD3")),
                "{old}"
            );
        }
    }
}

/// An agreement learns its subscription from the metadata, and gets the payment that was told before.
#[tokio::test(start_paused = true)]
async fn agreement_in_metadata_of_a_subscription() {
    for staging in [false, true] {
        for swapped in [false, true] {
            let world = ServiceWorld::new(staging);
            fill(&world);
            let agreement = world
                .create("recurringAgreement", &json!({ "status": "paused", "providerContext": { "note": "kept" } }));
            {
                let mut resources = world.resources.borrow_mut();
                resources.get_mut("payments/PM1").unwrap()["links"]["subscription"] = json!("SB1");
                let subscription = json!({ "id": "SB1", "metadata": { "recurringAgreementId": agreement }, "links": { "mandate": "MD1" } });
                resources.insert("subscriptions/SB1".into(), subscription);
            }
            let mut events = [batch(&[("subscriptions", "created", 1)]), batch(&[("payments", "confirmed", 2)])];
            if swapped {
                events.reverse();
            }
            for event in &events {
                assert_eq!(world.deliver(event).await, 202);
            }
            let record = world.only("recurringAgreement");
            let texts = ["status", "providerAgreementId", "mandateReference"].map(|key| record[key].as_str().unwrap());
            assert_eq!(texts, ["active", "SB1", "MD1"], "{swapped}");
            assert_eq!(record["providerContext"]["note"], "kept");
            let gift = world.only("gift");
            assert_eq!(gift["recurringAgreementId"], json!(agreement), "staging {staging}, {swapped}");
        }
    }
}
