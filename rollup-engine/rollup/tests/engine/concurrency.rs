//! Objects that do not wait for each other are read side by side, and so are chunks of parents; never more calls than
//! the configuration allows.

use std::cell::Cell;
use std::time::Duration;

use rollup::calculate_rollups;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, defaults};

async fn most_in_flight(way: Way, payload: &Value, concurrency: u32) -> u32 {
    let world = EngineWorld::with_gifts(Limits::off(), 1_500, 3_000).by(way);
    for number in 0..400 {
        world.create("company", number, &json!({ "name": "c" }));
        world.create("appeal", number, &json!({ "name": "a" }));
    }
    let config = json!({ "definitions": defaults(), "pacing": { "concurrency": concurrency } });
    let mut options = world.configured(config);
    options.environment.set("ROLLUP_ENGINE_REQUESTS_PER_MINUTE", "off");
    let latency = Faults::none().latency(Duration::from_millis(50), Duration::from_millis(300));
    let (running, most) = (Cell::new(0), Cell::new(0));
    let host = InterceptHost::new(world.host(latency))
        .before(|_| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            None
        })
        .after(|_, answer| {
            running.set(running.get() - 1);
            answer
        });
    calculate_rollups(&host, payload, &options).await;
    assert_eq!(world.wrong(), Vec::<String>::new());
    most.get()
}

#[tokio::test(start_paused = true)]
async fn rebuild_keeps_to_concurrency() {
    for way in Way::BOTH {
        assert_eq!(most_in_flight(way, &json!({}), 1).await, 1);
        // Reading goes on while two upserts are under way.
        assert_eq!(most_in_flight(way, &json!({}), 2).await, 2);
        assert!(most_in_flight(way, &json!({}), 4).await <= 4);
    }
}

/// A targeted run reads chunks of parents side by side
#[tokio::test(start_paused = true)]
async fn targeted_reading_in_parallel() {
    let ids: Vec<_> = (0..1_500).map(|number| super::common::id("person", number)).collect();
    let body = json!({ "requestContext": {}, "body": { "parentObject": "person", "ids": ids } });
    assert_eq!(most_in_flight(Way::Rest, &body, 1).await, 1);
    assert_eq!(most_in_flight(Way::Rest, &body, 4).await, 4);
}
