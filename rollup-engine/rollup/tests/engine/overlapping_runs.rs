//! Random histories: people edit while runs are under way, events are lost, doubled and late, runs overlap, the server
//! refuses, fails, and loses its replies. After the last rebuild every value is right; after a sweep as well, where the
//! server is asked for everything.
//!
//! `HISTORIES=10000 cargo test --release -p rollup --test engine overlapping` runs as many as it says, in place of a few
//! hundred.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join;
use ports::Timestamp;
use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{Chance, EngineWorld, Way, id};

fn world(way: Way) -> EngineWorld {
    EngineWorld::new(Limits::default()).by(way).with_parents(6)
}

/// What a user does at this moment, if it is possible
fn edit(world: &EngineWorld, chance: &mut Chance, now: Timestamp) {
    let mut sandbox = world.sandbox.borrow_mut();
    let gift = id("gift", u128::from(chance.below(14)));
    let person = id("person", u128::from(chance.below(6)));
    let fields = json!({
        "amount": {
            "amountMicros": chance.one(&[json!(null), json!(0), json!(5_000_000), json!(7_250_000), json!(-1_000_000)]),
            "currencyCode": chance.one(&["GBP", "GBP", "GBP", "GBP", "USD"])
        },
        "giftDate": chance.one(&[json!(null), json!("2025-05-05"), json!("2026-02-02"), json!("2026-11-30")]),
        "donorId": chance.one(&[json!(person), json!(person), json!(person), json!(null)]),
        "companyId": id("company", u128::from(chance.below(2))), "appealId": id("appeal", u128::from(chance.below(2))),
    });
    let household = id("household", u128::from(chance.below(2)));
    let _ = match chance.below(12) {
        0..=3 => {
            let mut body = fields;
            body["id"] = json!(gift);
            sandbox.create("gift", &body, now).map(drop)
        }
        4 | 5 => sandbox.patch("gift", gift, &fields, now),
        6 => sandbox.soft_delete("gift", gift, now),
        7 => sandbox.restore("gift", gift, now),
        8 => sandbox.destroy("gift", gift, now),
        9 => sandbox.patch("person", person, &json!({ "householdId": household }), now),
        10 => sandbox.soft_delete("person", person, now),
        _ => sandbox.restore("person", person, now),
    };
}

fn faults(chance: &mut Chance) -> Faults {
    let faults = Faults::none().seed(chance.below(1_000_000));
    let faults = faults.latency(Duration::from_millis(20), Duration::from_millis(chance.one(&[30, 400, 4_000])));
    match chance.below(3) {
        0 => faults,
        _ => faults
            .by_chance(25, Fault::Status(429))
            .by_chance(25, Fault::Status(502))
            .by_chance(25, Fault::LostReply)
            .by_chance(10, Fault::HalfBatch(1)),
    }
}

/// One run, with people at work meanwhile
async fn run(world: &EngineWorld, payload: &Value, faults: Faults, chance: &RefCell<Chance>, busy: bool) -> Report {
    let start = tokio::time::Instant::now();
    let edits = Cell::new(0);
    let host = InterceptHost::new(world.host(faults)).after(|_, answer| {
        let mut chance = chance.borrow_mut();
        if busy && edits.get() < 4 && chance.below(6) == 0 {
            edits.set(edits.get() + 1);
            edit(world, &mut chance, world.now.get() + start.elapsed());
        }
        answer
    });
    calculate_rollups(&host, payload, &world.options()).await
}

/// Runs until one has done everything
async fn to_the_end(
    world: &EngineWorld,
    payload: &Value,
    faults: impl Fn() -> Faults,
    chance: &RefCell<Chance>,
) -> bool {
    let mut payload = payload.clone();
    for _ in 0..30 {
        let report = run(world, &payload, faults(), chance, false).await;
        world.later(20);
        if report.status == Status::Ok {
            return true;
        }
        assert!(report.code.as_deref() != Some("invalid_config"), "{report:?}");
        if let Some(checkpoint) = report.checkpoint {
            payload = json!({ "checkpoint": checkpoint });
        }
    }
    false
}

async fn history(seed: u64) {
    let chance = RefCell::new(Chance::new(seed));
    let way = chance.borrow_mut().one(&[Way::GraphQl, Way::GraphQl, Way::Rest, Way::Slices(3)]);
    let mut world = world(way);
    if chance.borrow_mut().below(2) == 0 {
        world = world.with_store();
    }
    if chance.borrow_mut().below(2) == 0 {
        world = world.with_jobs();
    }
    let mut pending: Vec<Value> = Vec::new();
    let steps = 2 + chance.borrow_mut().below(5);
    for _ in 0..steps {
        let edits = chance.borrow_mut().below(4);
        for _ in 0..edits {
            edit(&world, &mut chance.borrow_mut(), world.now.get());
        }
        for event in world.sandbox.borrow_mut().drain_events() {
            let event = serde_json::to_value(event).unwrap();
            let fate = chance.borrow_mut().below(10);
            match fate {
                0 => {}
                1 => pending.extend([event.clone(), event]),
                _ => pending.push(event),
            }
        }
        let mut next = || {
            let mut chance = chance.borrow_mut();
            match chance.below(6) {
                0 => json!({}),
                1 => json!({ "sweep": true }),
                _ if pending.is_empty() => json!({ "sweep": true }),
                _ => pending.swap_remove(usize::try_from(chance.below(pending.len() as u64)).unwrap()),
            }
        };
        let (first, second) = (next(), next());
        let a = faults(&mut chance.borrow_mut());
        let b = faults(&mut chance.borrow_mut());
        let overlap = chance.borrow_mut().below(2) == 0;
        if overlap {
            join(run(&world, &first, a, &chance, true), run(&world, &second, b, &chance, true)).await;
        } else {
            run(&world, &first, a, &chance, true).await;
        }
        pending.extend(world.platform.take_jobs().into_iter().map(|job| job.payload));
        world.later(20);
    }
    // What was begun before may end here; the next one sees everything.
    let rough = || faults(&mut chance.borrow_mut());
    to_the_end(&world, &json!({}), Faults::none, &chance).await;
    let rebuilt = to_the_end(&world, &json!({}), rough, &chance).await;
    assert!(rebuilt, "seed {seed}, {way:?}: no rebuild came to its end");
    assert_eq!(world.wrong(), Vec::<String>::new(), "seed {seed}, {way:?}: after the last rebuild");
    if way == Way::GraphQl {
        for _ in 0..3 {
            edit(&world, &mut chance.borrow_mut(), world.now.get());
        }
        world.later(20);
        let swept = to_the_end(&world, &json!({ "sweep": true }), rough, &chance).await;
        assert!(swept, "seed {seed}: no sweep came to its end");
        assert_eq!(world.wrong(), Vec::<String>::new(), "seed {seed}: after the last sweep");
    }
    let sandbox = world.sandbox.borrow();
    assert_eq!((sandbox.ids("person").len(), sandbox.ids("household").len()), (6, 2), "seed {seed}: a blank was made");
}

#[test]
fn histories() {
    let count = std::env::var("HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_u64);
    let first = std::env::var("FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    for seed in first..first + count {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        clock.block_on(history(seed));
    }
}
