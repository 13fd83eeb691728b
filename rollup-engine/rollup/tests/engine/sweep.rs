//! Sweeps, merges, people between households; and the runs that only look: dry run, plan, explanation.

use rollup::calculate_rollups;
use rollup::report::{Mode, Status};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id, tokens, wrote_nothing};

fn household_of(world: &EngineWorld, person: u128, household: Option<u128>) -> Value {
    let now = world.now.get();
    world.sandbox.borrow_mut().drain_events();
    let household = household.map(|number| id("household", number));
    world
        .sandbox
        .borrow_mut()
        .patch("person", id("person", person), &json!({ "householdId": household }), now)
        .unwrap();
    last_event(world)
}

fn last_event(world: &EngineWorld) -> Value {
    serde_json::to_value(world.sandbox.borrow_mut().drain_events().pop().unwrap()).unwrap()
}

fn with_households(way: Way) -> EngineWorld {
    let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
    for number in 0..2 {
        world.create("household", number, &json!({ "name": "h" }));
    }
    for person in 0..4 {
        world.patch("person", id("person", person), &json!({ "householdId": id("household", person % 2) }));
    }
    world
}

/// A sweep sees changes and deletions since the last one
#[tokio::test(start_paused = true)]
async fn sweep_finds_unreported_changes() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 60, 300).by(way).with_store();
        world.run(&json!({})).await;
        world.later(30);
        let now = world.now.get();
        {
            let mut sandbox = world.sandbox.borrow_mut();
            sandbox.soft_delete("gift", id("gift", 6), now).unwrap();
            let amount = json!({ "amountMicros": 123_000_000, "currencyCode": "GBP" });
            sandbox.patch("gift", id("gift", 7), &json!({ "amount": amount }), now).unwrap();
        }
        world.later(30);
        let report = world.run(&json!({ "sweep": true })).await;
        assert_eq!(
            (report.status, report.mode, report.totals.updated),
            (Status::Ok, Some(Mode::Sweep), 2),
            "{report:?}"
        );
        assert_eq!(world.wrong(), Vec::<String>::new());
        if way == Way::Rest {
            assert_eq!(report.totals.processed, 2, "only those");
        }
        // The next one begins where this one ended.
        world.later(30);
        let again = world.run(&json!({ "sweep": true })).await;
        assert_eq!((again.status, again.totals.updated), (Status::Ok, 0));
        assert_eq!(again.totals.processed, if way == Way::Rest { 0 } else { 60 });
        assert!(wrote_nothing(&again) && tokens(&again) <= 14, "{:?}", again.requests);
    }
}

#[tokio::test(start_paused = true)]
async fn merge_tells_of_the_deleted_one() {
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 20, 100).by(way);
        world.run(&json!({})).await;
        world.later(10);
        let now = world.now.get();
        let gifts: Vec<Value> = world.sandbox.borrow().records("gift");
        for gift in gifts.iter().filter(|gift| gift["donorId"] == json!(id("person", 2))) {
            let gift = gift["id"].as_str().unwrap().parse().unwrap();
            world.sandbox.borrow_mut().patch("gift", gift, &json!({ "donorId": id("person", 1) }), now).unwrap();
        }
        world.sandbox.borrow_mut().drain_events();
        world.sandbox.borrow_mut().destroy("person", id("person", 2), now).unwrap();
        let event = last_event(&world);
        assert_eq!(event["name"], "person.destroyed");
        let report = world.run(&event).await;
        assert_eq!((report.status, report.totals.updated), (Status::Ok, 1), "{report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}

/// A person who moves is deleted or restored is seen by the households
#[tokio::test(start_paused = true)]
async fn sweep_finds_moved_people() {
    for way in Way::BOTH {
        let world = with_households(way);
        world.run(&json!({})).await;
        let person = id("person", 0);
        world.later(1);
        let report = world.run(&household_of(&world, 0, Some(1))).await;
        assert_eq!((report.status, report.totals.updated), (Status::Ok, 2), "{report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new());
        world.later(1);
        world.run(&household_of(&world, 0, None)).await;
        assert_eq!(world.wrong(), Vec::<String>::new());
        world.run(&household_of(&world, 0, Some(0))).await;
        for deleted in [true, false] {
            world.later(1);
            let now = world.now.get();
            world.sandbox.borrow_mut().drain_events();
            if deleted {
                world.sandbox.borrow_mut().soft_delete("person", person, now).unwrap();
            } else {
                // While the person was deleted, no event told of the gifts.
                world.create(
                    "gift",
                    900,
                    &json!({ "donorId": person, "amount": { "amountMicros": 1_000_000, "currencyCode": "GBP" } }),
                );
                world.sandbox.borrow_mut().drain_events();
                world.sandbox.borrow_mut().restore("person", person, now).unwrap();
            }
            world.run(&last_event(&world)).await;
            assert_eq!(world.wrong(), Vec::<String>::new(), "{way:?}: deleted {deleted}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dry_run_writes_nothing() {
    for way in Way::BOTH {
        let world = with_households(way).with_store();
        world.run(&json!({})).await;
        let compared = world.now.get();
        world.later(60);
        for (person, count) in [(5, 99), (6, 98)] {
            world.patch("person", id("person", person), &json!({ "lifetimeGiftCount": count }));
        }
        let before = world.wrong();
        assert_eq!(before.len(), 2);
        let host = world.host(Faults::none());
        let report = calculate_rollups(&host, &json!({ "dryRun": true }), &world.options()).await;
        assert_eq!(
            (report.status, report.mode, report.totals.updated),
            (Status::Ok, Some(Mode::DryRun), 0),
            "{report:?}"
        );
        assert!(wrote_nothing(&report), "{:?}", report.requests);
        assert_eq!(world.wrong(), before);
        let told: Vec<_> = host.log_lines().into_iter().filter(|line| line.event == "difference_found").collect();
        assert_eq!(told.len(), 2);
        let line = told.iter().find(|line| line.field("stored") == Some(&json!(99))).unwrap();
        assert_eq!(line.field("id"), Some(&json!(id("person", 5))));
        assert_eq!(
            (line.field("object"), line.field("field")),
            (Some(&json!("person")), Some(&json!("lifetimeGiftCount")))
        );
        let drift = json!(report.drift);
        assert_eq!((&drift["parents"], &drift["values"]), (&json!(2), &json!(2)));
        assert_eq!(drift["fields"], json!({ "person.lifetimeGiftCount": 2 }));
        assert_eq!(drift["examples"].as_array().unwrap().len(), 2);
        assert_eq!(drift["since"], json!(compared.to_string()), "the last whole comparison");
        // The run that writes reports the same.
        let written = world.run(&json!({})).await;
        assert_eq!(json!(written.drift), drift);
        assert_eq!(json!(world.run(&json!({})).await.drift)["values"], json!(0));
    }
}

/// An explanation names the children and the reasons
#[tokio::test(start_paused = true)]
async fn explanation_of_one_parent() {
    let world = EngineWorld::new(Limits::default());
    world.create("person", 1, &json!({ "lifetimeGiftCount": 7 }));
    for (number, micros, date) in
        [(1, 5_000_000, "2026-05-01"), (2, 0, "2026-05-01"), (3, 1_000_000, "2025-05-01"), (4, 2_000_000, "2026-05-02")]
    {
        let amount = json!({ "amountMicros": micros, "currencyCode": "GBP" });
        world.create("gift", number, &json!({ "donorId": id("person", 1), "amount": amount, "giftDate": date }));
    }
    world.sandbox.borrow_mut().soft_delete("gift", id("gift", 4), world.now.get()).unwrap();
    let ask = |number| json!({ "explain": { "parentObject": "person", "id": id("person", number) } });
    let report = world.run(&ask(1)).await;
    assert!(wrote_nothing(&report));
    assert_eq!((report.status, report.mode), (Status::Ok, Some(Mode::Explain)));
    let explanation = json!(report.explanation);
    assert_eq!((&explanation["found"], &explanation["parentObject"]), (&json!(true), &json!("person")));
    let definition = &explanation["definitions"][0];
    let children = definition["children"].as_array().unwrap();
    let of = |number| children.iter().find(|child| child["id"] == json!(id("gift", number))).unwrap();
    assert_eq!((&of(1)["counted"], &of(1)["leftOutOf"]), (&json!(true), &json!([])));
    assert_eq!(of(2)["counted"], json!(false));
    assert!(of(2)["why"].as_str().unwrap().contains("`amount.amountMicros` is 0"), "{}", of(2)["why"]);
    assert_eq!(of(3)["counted"], json!(true));
    assert_eq!(of(3)["leftOutOf"].as_array().unwrap().len(), 2, "this year's amount and count: {}", of(3));
    assert_eq!((&of(4)["counted"], &of(4)["why"]), (&json!(false), &json!("it is deleted")));
    let totals = definition["totals"].as_array().unwrap();
    let count = totals.iter().find(|total| total["parentField"] == "lifetimeGiftCount").unwrap();
    assert_eq!((&count["stored"], &count["computed"], &count["right"]), (&json!(7), &json!(2), &json!(false)));
    let absent = world.run(&ask(99)).await;
    assert_eq!(json!(absent.explanation)["found"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn plan_is_kept_to() {
    for way in [Way::GraphQl, Way::Rest, Way::Slices(500)] {
        let world = EngineWorld::with_gifts(Limits::default(), 1_500, 6_000).by(way);
        let planned = world.run(&json!({ "plan": true })).await;
        assert_eq!((planned.status, planned.mode), (Status::Ok, Some(Mode::Plan)));
        assert!(wrote_nothing(&planned) && tokens(&planned) <= 8, "{:?}", planned.requests);
        let plan = json!(planned.plan);
        assert_eq!((&plan["counts"]["person"], &plan["counts"]["gift"]), (&json!(1_500), &json!(6_000)));
        assert_eq!(plan["definitions"][0]["parentObject"], json!("person"));
        let (mut reads, mut writes, mut payload) = (0, 0, json!({}));
        loop {
            world.later(30);
            let report = world.run(&payload).await;
            let spent = &json!(report.plan)["spent"];
            reads += spent["reads"].as_u64().unwrap();
            writes += spent["writes"].as_u64().unwrap();
            assert_eq!(
                tokens(&report),
                spent["reads"].as_u64().unwrap()
                    + spent["writes"].as_u64().unwrap()
                    + spent["rechecks"].as_u64().unwrap(),
                "{report:?}"
            );
            match report.checkpoint {
                Some(checkpoint) => payload = json!({ "checkpoint": checkpoint }),
                None => break,
            }
        }
        assert_eq!(world.wrong(), Vec::<String>::new());
        let estimated = plan["reads"].as_u64().unwrap();
        if !matches!(way, Way::Slices(_)) {
            let most = if reads < 20 { 1 } else { reads / 10 };
            assert!(estimated.abs_diff(reads) <= most, "{way:?}: {estimated} estimated, {reads} spent");
        }
        assert!(writes <= plan["writesAtMost"].as_u64().unwrap(), "{way:?}: {writes} of {}", plan["writesAtMost"]);
    }
}

/// The id of the call stands in every line and in the report
#[tokio::test(start_paused = true)]
async fn request_id_in_logs_and_report() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30);
    let host = world.host(Faults::none());
    let payload = json!({ "requestContext": {}, "headers": { "x-request-id": "call-77" }, "body": {} });
    let report = calculate_rollups(&host, &payload, &world.options()).await;
    assert_eq!((report.status, report.request_id.as_deref()), (Status::Ok, Some("call-77")));
    let lines = host.log_lines();
    assert!(lines.len() > 3);
    assert!(lines.iter().all(|line| line.field("requestId") == Some(&json!("call-77"))), "{lines:?}");
}

/// A page of parents that ends early zeroes no parent
#[tokio::test(start_paused = true)]
async fn short_page_of_parents() {
    // The parents that were read are right already; reading them again must not find them without children.
    for way in Way::BOTH {
        let world = EngineWorld::with_gifts(Limits::default(), 50, 150).by(way);
        let cut = std::cell::Cell::new(false);
        let host = InterceptHost::new(world.host(Faults::none())).after(|request, answer| {
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
            let people =
                request.url.contains("/rest/people?") || body.contains("{people(") && !body.contains("first:1)");
            if !people || cut.replace(true) {
                return answer;
            }
            // The server says that there is one more than it gives.
            let text = String::from_utf8(answer.body).unwrap();
            ports::Response { body: text.replace("\"totalCount\":50", "\"totalCount\":51").into(), ..answer }
        });
        calculate_rollups(&host, &json!({}), &world.options()).await;
        assert!(cut.get());
        assert_eq!(world.wrong(), Vec::<String>::new(), "{way:?}");
    }
}

/// An import in three batches costs a handful of requests
#[tokio::test(start_paused = true)]
async fn requests_of_an_import() {
    let world = EngineWorld::with_gifts(Limits::default(), 600, 1_800);
    world.run(&json!({})).await;
    world.later(30);
    let mut events = Vec::new();
    for number in 0..500 {
        let gift = json!({ "donorId": id("person", number), "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "giftDate": "2026-11-30" });
        world.create("gift", 5_000 + number, &gift);
        events.push(json!({ "recordId": id("gift", 5_000 + number), "properties": { "after": gift } }));
    }
    let mut spent = 0;
    for batch in events.chunks(200) {
        let report = world.run(&json!({ "name": "gift.created", "events": batch })).await;
        assert_eq!(report.status, Status::Ok);
        spent += tokens(&report);
        world.later(1);
    }
    assert!(spent <= 12, "{spent}");
    assert_eq!(world.wrong(), Vec::<String>::new());
}
