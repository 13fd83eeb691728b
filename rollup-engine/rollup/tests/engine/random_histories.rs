//! Random histories of gifts, people and households, with their events lost, doubled and reordered.

use proptest::prelude::*;
use rollup::report::Status;
use sandbox::Limits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::common::{EngineWorld, Way, id, wrote_nothing};

const PEOPLE: u128 = 6;
const HOUSEHOLDS: u128 = 2;

#[derive(Clone, Debug)]
enum Change {
    Give { gift: u128, fields: Value },
    Edit { gift: u128, fields: Value },
    Trash(u128),
    Restore(u128),
    Destroy(u128),
    Join { person: u128, household: Option<u128> },
    TrashPerson(u128),
    RestorePerson(u128),
    Fiddle { person: u128, count: i64 },
}

fn fields() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![
        6 => (-3_i64..40).prop_map(|pounds| json!(pounds * 2_500_000)),
        1 => Just(json!(null)),
        1 => Just(json!(9_007_199_254_740_000_i64)),
    ];
    let donor = proptest::option::weighted(0.9, 0..PEOPLE);
    let date = proptest::option::weighted(0.8, prop_oneof!["202[4567]-0[1-9]-1[0-9]", Just("2026-01-01".to_owned())]);
    let code = prop_oneof![8 => Just(json!("GBP")), 1 => Just(json!("USD")), 1 => Just(json!(null))];
    (amount, donor, 0..2_u128, 0..2_u128, date, code).prop_map(|(amount, donor, company, appeal, date, code)| {
        json!({
            "amount": { "amountMicros": amount, "currencyCode": code }, "giftDate": date,
            "donorId": donor.map(|number| id("person", number)),
            "companyId": id("company", company), "appealId": id("appeal", appeal),
        })
    })
}

fn change() -> impl Strategy<Value = Change> {
    let gift = 0..12_u128;
    prop_oneof![
        4 => (gift.clone(), fields()).prop_map(|(gift, fields)| Change::Give { gift, fields }),
        3 => (gift.clone(), fields()).prop_map(|(gift, fields)| Change::Edit { gift, fields }),
        1 => gift.clone().prop_map(Change::Trash),
        1 => gift.clone().prop_map(Change::Restore),
        1 => gift.prop_map(Change::Destroy),
        2 => (0..PEOPLE, proptest::option::of(0..HOUSEHOLDS))
            .prop_map(|(person, household)| Change::Join { person, household }),
        1 => (0..PEOPLE).prop_map(Change::TrashPerson),
        1 => (0..PEOPLE).prop_map(Change::RestorePerson),
        1 => (0..PEOPLE, 0..9_i64).prop_map(|(person, count)| Change::Fiddle { person, count }),
    ]
}

/// Carries a change out, if it is possible at this point
fn apply(world: &EngineWorld, change: &Change) {
    let now = super::common::yesterday();
    let mut sandbox = world.sandbox.borrow_mut();
    let person = |number: &u128| id("person", *number);
    let _ = match change {
        Change::Give { gift, fields } => {
            let mut body = fields.clone();
            body["id"] = json!(id("gift", *gift));
            sandbox.create("gift", &body, now).map(drop)
        }
        Change::Edit { gift, fields } => sandbox.patch("gift", id("gift", *gift), fields, now),
        Change::Trash(gift) => sandbox.soft_delete("gift", id("gift", *gift), now),
        Change::Restore(gift) => sandbox.restore("gift", id("gift", *gift), now),
        Change::Destroy(gift) => sandbox.destroy("gift", id("gift", *gift), now),
        Change::Join { person: number, household } => {
            let household = household.map(|number| id("household", number));
            sandbox.patch("person", person(number), &json!({ "householdId": household }), now)
        }
        Change::TrashPerson(number) => sandbox.soft_delete("person", person(number), now),
        Change::RestorePerson(number) => sandbox.restore("person", person(number), now),
        Change::Fiddle { person: number, count } => {
            sandbox.patch("person", person(number), &json!({ "lifetimeGiftCount": count }), now)
        }
    };
}

fn world() -> EngineWorld {
    EngineWorld::new(Limits::default()).with_parents(PEOPLE)
}

/// The events since the last call as payloads of the function, each one alone
fn payloads(world: &EngineWorld) -> Vec<Value> {
    let events = world.sandbox.borrow_mut().drain_events();
    events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::GraphQl), Just(Way::Rest), (2..9_usize).prop_map(Way::LargeSlices)]
}

fn virtual_time<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A rebuild ends right and a second one writes nothing
    #[test]
    fn rebuild_after_any_history(way in ways(), changes in proptest::collection::vec(change(), 0..40)) {
        let world = world().by(way);
        for change in &changes {
            apply(&world, change);
        }
        let (first, second) = virtual_time(async { (world.run(&json!({})).await, world.run(&json!({})).await) });
        prop_assert_eq!(world.wrong(), Vec::<String>::new());
        prop_assert_eq!((first.status, second.status), (Status::Ok, Status::Ok), "{:?}", first);
        prop_assert_eq!(second.totals.updated, 0, "{:?}", second);
        prop_assert_eq!(first.totals.processed, first.totals.updated + first.totals.unchanged);
        prop_assert!(wrote_nothing(&second));
    }

    /// Events end right for the parents that they name
    #[test]
    fn events_after_any_history(
        way in ways(),
        changes in proptest::collection::vec(change(), 1..12),
        later in proptest::collection::vec(change(), 1..6),
        order in any::<u64>(),
    ) {
        let world = world().by(way);
        for change in &changes {
            apply(&world, change);
        }
        virtual_time(async {
            world.run(&json!({})).await;
            payloads(&world);
            for change in &later {
                apply(&world, change);
            }
            // Events come twice and in any order; each is handled against the records as they are by then.
            let mut payloads = payloads(&world);
            payloads.extend(payloads.clone());
            let count = payloads.len().max(1);
            for step in 0..payloads.len() {
                let other = usize::try_from(order.rotate_left(u32::try_from(step % 64).unwrap()) % count as u64).unwrap();
                payloads.swap(step, other);
            }
            for payload in &payloads {
                let report = world.run(payload).await;
                assert!(matches!(report.status, Status::Ok | Status::Noop), "{report:?}");
            }
        });
        // A person's own fields are changed by hand without an event that concerns its totals, and a person who is
        // deleted or restored tells its household nothing: those are the rebuild's to repair.
        let told = |wrong: &String| {
            !later.iter().any(|change| match change {
                Change::Fiddle { person, .. } => wrong.contains(&id("person", *person).to_string()) || wrong.starts_with("household"),
                Change::TrashPerson(_) | Change::RestorePerson(_) => wrong.starts_with("household"),
                _ => false,
            })
        };
        let wrong: Vec<String> = world.wrong().into_iter().filter(told).collect();
        prop_assert_eq!(wrong, Vec::<String>::new());
        let report = virtual_time(world.run(&json!({})));
        prop_assert_eq!(world.wrong(), Vec::<String>::new(), "{:?}", report);
    }

    /// Naming all parents equals a rebuild
    #[test]
    fn named_parents_equal_a_rebuild(way in ways(), changes in proptest::collection::vec(change(), 0..30)) {
        let (named, rebuilt) = (world().by(way), world().by(way));
        for change in &changes {
            apply(&named, change);
            apply(&rebuilt, change);
        }
        let ids: Vec<Uuid> = ["person", "company", "appeal", "household"]
            .iter()
            .flat_map(|object| named.sandbox.borrow().ids(object))
            .collect();
        virtual_time(async {
            named.run(&json!({ "requestContext": {}, "body": { "ids": ids } })).await;
            rebuilt.run(&json!({})).await;
        });
        prop_assert_eq!(named.wrong(), Vec::<String>::new());
        prop_assert_eq!(rebuilt.wrong(), Vec::<String>::new());
    }
}
