//! Many different gifts at once, on a fresh process with the default budget, in front of a Twenty that takes 100 a minute.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ports::Clock as _;
use sandbox::{Fault, Faults, Latency, Limits};
use serde_json::{Value, json};

use support::{STRIPE_SECRET, header};

use crate::scene::{Scene, run};

fn settings(staging: bool) -> [(&'static str, &'static str); 2] {
    let staging = if staging { "on" } else { "off" };
    [("FUNDRAISING_ENABLE_GIFT_STAGING", staging), ("STRIPE_WEBHOOK_SECRET", STRIPE_SECRET)]
}

fn gift(number: usize) -> Value {
    json!({
        "amount": { "amountMicros": 1_000_000 * (number + 1), "currencyCode": "GBP" },
        "giftDate": "2026-02-20",
        "externalId": format!("burst-{number}"),
        "autoProcess": true,
        "contact": { "firstName": format!("Giver{number}"), "lastName": "Burst", "email": format!("giver{number}@example.org") },
    })
}

/// What became of the gifts of a burst
#[derive(Debug, Default)]
struct Outcome {
    gifts: usize,
    /// Those of them that were there within 20 s
    soon: usize,
    refused: usize,
    waiting: usize,
    /// When the last answer came, and the last gift
    last_answer: Duration,
    last_gift: Duration,
    calls: usize,
}

async fn burst(scene: &Rc<Scene>, count: usize) -> Outcome {
    let began = scene.host.now();
    let requests: Vec<_> = (0..count)
        .map(|number| {
            let scene = Rc::clone(scene);
            tokio::task::spawn_local(async move {
                let answer = scene.answer("POST", "/gifts", Some(&gift(number))).await;
                (answer, scene.host.now().since(began))
            })
        })
        .collect();
    let mut outcome = Outcome::default();
    for request in requests {
        let (answer, after) = request.await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        outcome.last_answer = outcome.last_answer.max(after);
        match (answer.status, body["data"]["createGift"]["id"].is_string()) {
            (200, true) => {
                outcome.gifts += 1;
                outcome.soon += usize::from(after <= Duration::from_secs(20));
                outcome.last_gift = outcome.last_gift.max(after);
            }
            (200, false) => {
                assert_eq!(body["meta"]["stagedOnly"], true, "{body}");
                outcome.waiting += 1;
            }
            _ => {
                assert!([429, 503].contains(&answer.status), "{body}");
                assert!(header(&answer, "retry-after").is_some());
                outcome.refused += 1;
            }
        }
    }
    outcome.calls = scene.calls();
    outcome
}

fn states(scene: &Scene) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for row in scene.host.inner.sandbox().borrow().records("giftStaging") {
        *states.entry(row["processingStatus"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

fn count(scene: &Scene, object: &str) -> usize {
    scene.host.inner.sandbox().borrow().records(object).len()
}

/// Twenty gifts become at least twelve within 20 s; each of the others is refused before anything is written, or waits.
#[test]
fn bursts_of_gifts() {
    println!("| at once | staging | gifts | within 20 s | refused | waiting | last gift | last answer | calls |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for staging in [true, false] {
        for number in [20, 50, 200] {
            run(async move {
                let latency = Latency { min: Duration::from_millis(40), max: Duration::from_millis(160) };
                let faults = Faults { latency: Some(latency), ..Faults::none() };
                let scene = Rc::new(Scene::new(Limits::default(), faults, &settings(staging)));
                let outcome = burst(&scene, number).await;
                let Outcome { gifts, soon, refused, waiting, last_answer, last_gift, calls } = outcome;
                println!(
                    "| {number} | {staging} | {gifts} | {soon} | {refused} | {waiting} | {last_gift:.1?} | {last_answer:.1?} | {calls} |"
                );
                assert_eq!(gifts + refused + waiting, number);
                assert!(soon >= 12, "{soon} within 20 s");
                assert_eq!(scene.host.inner.sandbox().borrow().usage().refused, 0);
                assert_eq!((count(&scene, "gift"), count(&scene, "person")), (gifts, gifts + waiting));
                let states = states(&scene);
                if staging {
                    assert!(
                        states.keys().all(|state| state == "processed" || state == "ready_for_process"),
                        "{states:?}"
                    );
                }
                // Webhooks right after are served.
                for event in 0..2 {
                    assert_eq!(scene.pay(event).await, 204);
                    tokio::time::sleep(Duration::from_secs(10)).await;
                }
            });
        }
    }
}

/// Whatever calls of a burst are refused for the rate limit, the rows that are left are released, and the next batch makes
/// gifts of them at once.
#[test]
fn rows_after_spent_budget() {
    for at in (1..=80).step_by(5) {
        run(async move {
            let faults = (at..at + 3).fold(Faults::none(), |faults, at| faults.at(at, Fault::Status(429)));
            let scene = Rc::new(Scene::new(Limits::default(), faults, &settings(true)));
            let outcome = burst(&scene, 20).await;
            let left = states(&scene);
            let context = format!("refused from call {at} on: {left:?}, {outcome:?}");
            assert!(
                left.keys().all(|state| ["processed", "ready_for_process", "pending"].contains(&state.as_str())),
                "{context}"
            );
            tokio::time::sleep(Duration::from_secs(15)).await;
            scene.ask("POST", "/gift-staging/process", Some(&json!({}))).await;
            let ended = states(&scene);
            assert!(ended.keys().all(|state| state == "processed" || state == "pending"), "{context}, then {ended:?}");
            assert_eq!(ended.get("processed").copied().unwrap_or_default(), count(&scene, "gift"), "{context}");
        });
    }
}

/// A row whose gift and release were both refused keeps its claim, and the next batch of the process takes it up at once.
#[test]
fn row_whose_release_was_refused() {
    for calls in 4..=6 {
        run(async move {
            let tenth = Duration::from_millis(100);
            let faults = Faults { latency: Some(Latency { min: tenth, max: tenth }), ..Faults::none() };
            let scene = Rc::new(Scene::new(Limits::default(), faults, &settings(true)));
            let request = {
                let scene = Rc::clone(&scene);
                tokio::task::spawn_local(async move { scene.answer("POST", "/gifts", Some(&gift(1))).await.status })
            };
            while scene.calls() < calls {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            scene.refuse_with.set(Some(429));
            assert_eq!(request.await.unwrap(), 200);
            scene.refuse_with.set(None);
            assert_eq!(states(&scene).keys().collect::<Vec<_>>(), ["processing"]);
            tokio::time::sleep(Duration::from_secs(15)).await;
            let (_, batch) = scene.ask("POST", "/gift-staging/process", Some(&json!({}))).await;
            assert_eq!((&batch["meta"]["processed"], count(&scene, "gift")), (&json!(1), 1), "{batch}");
            assert_eq!(states(&scene).keys().collect::<Vec<_>>(), ["processed"]);
        });
    }
}

/// A row whose gift was refused is released for the next batch, which need not wait as it would after a failure.
#[test]
fn row_whose_gift_was_refused() {
    run(async {
        let tenth = Duration::from_millis(100);
        let faults = Faults { latency: Some(Latency { min: tenth, max: tenth }), ..Faults::none() };
        let scene = Rc::new(Scene::new(Limits::default(), faults, &settings(true)));
        let request = {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { scene.ask("POST", "/gifts", Some(&gift(1))).await })
        };
        let calls = async |count| {
            while scene.calls() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Who gave, in two calls, the person, the row, its trail; then three attempts at the gift
        calls(5).await;
        scene.refuse_with.set(Some(429));
        calls(8).await;
        scene.refuse_with.set(None);
        let (status, answer) = request.await.unwrap();
        assert_eq!(
            (status, &answer["data"]["giftStaging"]["processingStatus"]),
            (200, &json!("ready_for_process")),
            "{answer}"
        );
        assert_eq!(states(&scene).keys().collect::<Vec<_>>(), ["ready_for_process"]);
        let (_, batch) = scene.ask("POST", "/gift-staging/process", Some(&json!({}))).await;
        assert_eq!((&batch["meta"]["processed"], count(&scene, "gift")), (&json!(1), 1), "{batch}");
    });
}
