//! A server loses GraphQL while a run works, as by an update or a gateway's new rule: the totals are right all the same.
//!
//! GraphQL carries ten times as many ids as REST, and gives as many records as are asked for. What was chosen for the one
//! must not be asked of the other.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::{Method, Request};
use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, defaults, id, noon, refusal, writes, yesterday};

/// People in households, with gifts of which some are refunded in part
fn world(people: u128, gifts: u128) -> EngineWorld {
    let world = EngineWorld::with_gifts(Limits::default(), people, gifts);
    world.sandbox.borrow_mut().add_field("gift", "CURRENCY", "refundedAmount", &[]).unwrap();
    for number in 0..gifts.min(20) {
        let refunded = json!({ "amountMicros": 1_000_000 * number, "currencyCode": "GBP" });
        world.patch("gift", id("gift", number), &json!({ "refundedAmount": refunded }));
    }
    for number in 0..10 {
        world.create("household", number, &json!({ "name": "h" }));
    }
    for number in 0..people {
        world.patch("person", id("person", number), &json!({ "householdId": id("household", number % 12 % 10) }));
    }
    world
}

/// All parents, but for the moment of their last change
fn stored(world: &EngineWorld) -> Vec<Value> {
    let mut records: Vec<Value> =
        ["person", "household"].iter().flat_map(|object| world.sandbox.borrow().records(object)).collect();
    for record in &mut records {
        record.as_object_mut().unwrap().remove("updatedAt");
        record.as_object_mut().unwrap().remove("updatedBy");
    }
    records
}

/// One event for each of the first gifts, which are of a person each
fn events(people: u128) -> Value {
    let events: Vec<Value> = (0..people)
        .map(|number| {
            let after = json!({ "donorId": id("person", number) });
            json!({ "recordId": id("gift", number), "properties": { "after": after } })
        })
        .collect();
    json!({ "name": "gift.created", "events": events })
}

/// Has GraphQL go at the first call, the second, and so on until no call is left: each time the same is stored as by a
/// run that knows REST alone, and nothing is given up. Gives the number of calls.
async fn wherever_it_goes(template: &EngineWorld, faults: &Faults, config: &Value, payload: &Value) -> u64 {
    let by_rest = template.twin().by_rest();
    let options = by_rest.configured(config.clone());
    let right = calculate_rollups(&by_rest.host(faults.clone()), payload, &options).await;
    let expected = stored(&by_rest);
    for call in 1..200 {
        let world = template.twin();
        let options = world.configured(config.clone());
        let mut payload = payload.clone();
        let mut went = false;
        loop {
            let host = world.host(faults.clone().graphql_ends(call));
            let report = calculate_rollups(&host, &payload, &options).await;
            went |= host.graphql_calls() >= call;
            assert_eq!((&report.skipped, &report.failures), (&right.skipped, &vec![]), "gone at call {call}");
            assert!(!report.notes.iter().any(|note| note.contains("was deleted")), "{call}: {:?}", report.notes);
            if report.checkpoint.is_none() {
                assert_eq!(report.status, Status::Ok, "gone at call {call}: {report:?}");
                break;
            }
            payload = json!({ "checkpoint": report.checkpoint });
        }
        let found = stored(&world);
        let wrong: Vec<_> = found.iter().zip(&expected).filter(|(found, expected)| found != expected).collect();
        assert_eq!(wrong.len(), 0, "gone at call {call}, for example {:?}", wrong.first());
        if !went {
            return call - 1;
        }
    }
    panic!("a run that never ends");
}

/// A definition of few groups, with refunds or without
fn few_groups(refunds: bool) -> Value {
    let mut definition = defaults()[0].clone();
    definition["aggregations"].as_array_mut().unwrap().truncate(2);
    if !refunds {
        definition["childFilters"] = json!([]);
        definition["aggregations"].as_array_mut().unwrap().remove(0);
    }
    json!({ "definitions": [definition] })
}

#[tokio::test(start_paused = true)]
async fn a_rebuild() {
    let template = world(60, 300);
    let config = json!({ "definitions": defaults() });
    for (way, least) in [(Way::GraphQl, 4), (Way::Slices(25), 2), (Way::LargeSlices(25), 4)] {
        let calls = wherever_it_goes(&template.twin().by(way), &Faults::none(), &config, &json!({})).await;
        assert!(calls >= least, "{way:?}: {calls}");
    }
}

/// A rebuild of gifts so many that the server adds them up or gives them in pages
#[tokio::test(start_paused = true)]
async fn rebuild_by_groups_or_pages() {
    let template = world(30, 15_100);
    for (config, reading) in [(few_groups(true), "group-by"), (json!([defaults()[0]]), "scan")] {
        let twin = template.twin();
        let options = twin.configured(config.clone());
        let report = calculate_rollups(&twin.host(Faults::none()), &json!({ "plan": true }), &options).await;
        assert_eq!(json!(report.plan)["reading"], reading, "{report:?}");
        assert!(wherever_it_goes(&template, &Faults::none(), &config, &json!({})).await >= 4);
    }
}

/// A gift that moves while some were added up by the server and others read
#[tokio::test(start_paused = true)]
async fn gift_moved_between_readings() {
    let template = EngineWorld::with_gifts(Limits::default(), 30, 20_100);
    template.create("appeal", 0, &json!({ "name": "a" }));
    let count = |parent: &str, relation: &str, field: &str| {
        json!({ "parentObject": parent, "childObject": "gift", "relationField": relation,
            "aggregations": [{ "type": "COUNT", "parentField": field }] })
    };
    let config = json!([count("person", "donorId", "lifetimeGiftCount"), count("appeal", "appealId", "giftCount")]);
    for call in 2..7 {
        let world = template.twin();
        let options = world.configured(config.clone());
        let (moved, grouped) = (Cell::new(false), Cell::new(false));
        let host = InterceptHost::new(world.host(Faults::none().graphql_ends(call))).after(|request, answer| {
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
            let groups = body.contains("GroupBy") && answer.status == 200;
            grouped.set(grouped.get() || groups);
            if groups && !moved.replace(true) {
                let to = json!({ "donorId": id("person", 1), "appealId": id("appeal", 0) });
                world.sandbox.borrow_mut().patch("gift", id("gift", 0), &to, noon()).unwrap();
            }
            answer
        });
        let report = calculate_rollups(&host, &json!({}), &options).await;
        assert_eq!(report.status, Status::Ok, "gone at call {call}: {report:?}");
        assert!(call < 3 || grouped.get());
        let donors: Vec<Value> =
            world.sandbox.borrow().records("gift").iter().map(|gift| gift["donorId"].clone()).collect();
        for person in world.sandbox.borrow().records("person") {
            let own = donors.iter().filter(|donor| **donor == person["id"]).count();
            assert_eq!(person["lifetimeGiftCount"], own, "gone at call {call}: {}", person["id"]);
        }
        assert_eq!(world.record("appeal", id("appeal", 0))["giftCount"].as_u64().unwrap_or(0), u64::from(moved.get()));
    }
}

/// Slices of more parents than an address holds
#[tokio::test(start_paused = true)]
async fn slices_of_many_parents() {
    let template = world(1_000, 3_000).by(Way::Slices(700));
    let config = json!({ "definitions": defaults() });
    assert!(wherever_it_goes(&template, &Faults::none(), &config, &json!({})).await > 1);
}

/// A batch of events for more parents than an address holds
#[tokio::test(start_paused = true)]
async fn events_of_many_parents() {
    // Few gifts are read. Where they are many, the server adds them up: at once, or having read some.
    let everything = json!({ "definitions": defaults() });
    for (gifts, config) in [(600, everything), (2_100, few_groups(false)), (2_100, few_groups(true))] {
        let template = world(600, gifts);
        let calls = wherever_it_goes(&template, &Faults::none(), &config, &events(600)).await;
        assert!(calls >= 3, "{calls}");
    }
}

/// A second look at more parents than a page holds
#[tokio::test(start_paused = true)]
async fn recheck_of_many_parents() {
    // Two upserts at once: after two rounds the rest has waited for too long, and is read again. 300 fit into an address
    // and not into a page, 800 into neither.
    for people in [1_100, 1_600] {
        let template = world(people, people);
        let slow = Faults::none().latency(Duration::from_secs(5), Duration::from_secs(5));
        let config = json!({ "definitions": [defaults()[0]] });
        let calls = wherever_it_goes(&template, &slow, &config, &json!({})).await;
        // Counts, gifts and people, six batches or eight, and the look
        assert!(calls > 3 + 6, "{calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_id_is_asked_for_once() {
    // So few calls that they need not wait, and nothing is looked at for a second time
    let world = EngineWorld::with_gifts(Limits::default(), 600, 600);
    let asked = RefCell::new(Vec::new());
    let host = InterceptHost::new(world.host(Faults::none().graphql_ends(1))).before(|request| {
        if request.method == Method::Get && !request.url.contains("starting_after") {
            asked.borrow_mut().push(request.url.clone());
        }
        None
    });
    let report = calculate_rollups(&host, &events(600), &world.options()).await;
    assert_eq!((report.status, world.wrong()), (Status::Ok, vec![]), "{report:?}");
    for number in 0..600 {
        let person = id("person", number).to_string();
        for list in ["/rest/people?", "/rest/gifts?"] {
            let calls = asked.borrow().iter().filter(|url| url.contains(list) && url.contains(&person)).count();
            assert_eq!(calls, 1, "{list} {person}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_meanwhile_is_left_alone() {
    let template = EngineWorld::with_gifts(Limits::default(), 1_600, 1_600);
    let gone = id("person", 700);
    for call in 4..14 {
        let world = template.twin();
        let slow = Faults::none().latency(Duration::from_secs(5), Duration::from_secs(5)).graphql_ends(call);
        let deleted = Cell::new(false);
        let host = InterceptHost::new(world.host(slow)).before(|request| {
            if writes(request) && !deleted.replace(true) {
                world.sandbox.borrow_mut().soft_delete("person", gone, yesterday()).unwrap();
            }
            None
        });
        calculate_rollups(&host, &json!({}), &world.configured(json!([defaults()[0]]))).await;
        assert_eq!(world.wrong(), Vec::<String>::new(), "gone at call {call}");
    }
}

#[tokio::test(start_paused = true)]
async fn unread_parent_is_not_gone() {
    let world = EngineWorld::with_gifts(Limits::default(), 1_100, 1_100);
    let slow = Faults::none().latency(Duration::from_secs(5), Duration::from_secs(5));
    let verifications = Cell::new(0);
    // A server that gives 100 at a time, however many are asked for
    let host = InterceptHost::new(world.host(slow)).before(|request| {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        let (head, tail) = body.split_once("people(first:").filter(|(_, tail)| tail.contains("id:{in:"))?;
        verifications.set(verifications.get() + 1);
        let tail = tail.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let fewer = Request { body: Some(format!("{head}people(first:100{tail}").into_bytes()), ..request.clone() };
        Some(world.sandbox.borrow_mut().handle(&fewer, noon()))
    });
    let report = calculate_rollups(&host, &json!({}), &world.configured(json!([defaults()[0]]))).await;
    assert_eq!(report.status, Status::Ok, "{report:?}");
    assert!(!report.notes.iter().any(|note| note.contains("was deleted")), "{:?}", report.notes);
    assert_eq!((world.wrong(), verifications.get()), (vec![], 3));
}

#[tokio::test(start_paused = true)]
async fn without_right_to_metadata() {
    // GraphQL is asked only once records that came by REST have shown the names.
    let template = EngineWorld::with_gifts(Limits::default(), 600, 1_200);
    for call in 1..20 {
        let world = template.twin();
        let host = InterceptHost::new(world.host(Faults::none().graphql_ends(call))).before(|request| {
            let hidden = request.url.contains("/rest/metadata/");
            hidden.then(|| refusal(403, "no", Some("PERMISSION_DENIED")))
        });
        let report = calculate_rollups(&host, &events(600), &world.configured(json!([defaults()[0]]))).await;
        assert_eq!((report.status, world.wrong()), (Status::Ok, vec![]), "gone at call {call}: {report:?}");
        if host.inner.graphql_calls() < call {
            assert!(call > 1, "GraphQL was never asked");
            return;
        }
    }
    panic!("a run that never ends");
}
