//! A rebuild takes a minute; people go on working meanwhile.

use std::cell::Cell;
use std::time::Duration;

use ports::Timestamp;
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::json;
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, noon};

/// Changes gifts, as people do
fn work(world: &EngineWorld, now: Timestamp) {
    let mut sandbox = world.sandbox.borrow_mut();
    let amount = json!({ "amountMicros": 123_000_000, "currencyCode": "GBP" });
    sandbox.patch("gift", id("gift", 5), &json!({ "amount": amount }), now).unwrap();
    sandbox.soft_delete("gift", id("gift", 6), now).unwrap();
    let gift = json!({ "id": id("gift", 9_000), "donorId": id("person", 8), "amount": amount });
    sandbox.create("gift", &gift, now).unwrap();
    sandbox.patch("gift", id("gift", 11), &json!({ "donorId": id("person", 9) }), now).unwrap();
}

/// A rebuild during which a user works, after the answer to this request
async fn ends_right(world: &EngineWorld, faults: Faults, after: u64, what: &str) {
    let (answers, start) = (Cell::new(0_u64), tokio::time::Instant::now());
    let host = InterceptHost::new(world.host(faults)).after(|_, answer| {
        answers.set(answers.get() + 1);
        if answers.get() == after {
            work(world, noon() + start.elapsed());
        }
        answer
    });
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert!(answers.get() > after);
    assert_eq!((report.status, report.totals.processed), (Status::Ok, 50), "{report:?}");
    assert_eq!(world.wrong(), Vec::<String>::new(), "{what}: after request {after}");
}

#[tokio::test(start_paused = true)]
async fn change_at_any_moment() {
    for way in Way::BOTH {
        let latency = || Faults::none().latency(Duration::from_millis(20), Duration::from_millis(80));
        let undisturbed = EngineWorld::with_gifts(Limits::default(), 50, 900).by(way);
        let host = undisturbed.host(latency());
        calculate_rollups(&host, &json!({}), &undisturbed.options()).await;
        // The last requests are the second look itself: by GraphQL what changed, and how many there are.
        let look = if way == Way::Rest { 1 } else { 2 };
        for after in 1..=host.requests() - look {
            let world = EngineWorld::with_gifts(Limits::default(), 50, 900).by(way);
            ends_right(&world, latency(), after, &format!("{way:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn graphql_ends_before_or_within() {
    let template = EngineWorld::with_gifts(Limits::default(), 50, 900);
    let latency = || Faults::none().latency(Duration::from_millis(20), Duration::from_millis(80));
    let with_graphql = template.twin();
    let host = with_graphql.host(latency());
    calculate_rollups(&host, &json!({}), &with_graphql.options()).await;
    let calls = host.graphql_calls();
    assert!(calls > 3, "{calls}");
    for call in 1..=calls {
        let undisturbed = template.twin();
        let host = undisturbed.host(latency().graphql_ends(call));
        let report = calculate_rollups(&host, &json!({}), &undisturbed.options()).await;
        assert_eq!(report.status, Status::Ok, "gone at call {call}: {report:?}");
        // The last request is the second look, by REST. Or it is the call of GraphQL that counts, after that look.
        let look = if call == calls { 2 } else { 1 };
        for after in 1..=host.requests() - look {
            ends_right(&template.twin(), latency().graphql_ends(call), after, &format!("gone at call {call}")).await;
        }
    }
}
