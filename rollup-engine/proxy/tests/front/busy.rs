use std::rc::Rc;
use std::time::Duration;

use ports::Clock as _;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use support::header;

use crate::scene::{Scene, run};

#[test]
fn burst_keeps_to_the_limit() {
    run(async {
        let scene = Rc::new(Scene::new(Limits::default(), Faults::none(), &[]));
        let began = scene.host.now();
        let requests = (0..200).map(|_| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move {
                let answer = scene.answer("GET", "/gifts?limit=1", None).await;
                (answer.status, header(&answer, "retry-after").map(str::to_owned))
            })
        });
        let requests: Vec<_> = requests.collect();
        let (mut served, mut busy) = (0, 0);
        for request in requests {
            match request.await.unwrap() {
                (200, _) => served += 1,
                (503, Some(wait)) => {
                    assert!(wait.parse::<u32>().unwrap() >= 1);
                    busy += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(scene.host.now().since(began) <= Duration::from_secs(26));
        assert_eq!(scene.host.inner.sandbox().borrow().usage().refused, 0);
        assert!(served >= 80 && busy > 0, "{served} served, {busy} told to come again");
        let (_, metrics) = (0, scene.proxy.state().limiter.waiting());
        assert_eq!((metrics, scene.proxy.state().limiter.under_way()), (0, 0));
    });
}

#[test]
fn people_go_before_jobs() {
    run(async {
        let scene =
            Rc::new(Scene::new(Limits::default(), Faults::none(), &[("FUNDRAISING_ENABLE_GIFT_STAGING", "on")]));
        let donor = scene.put("person", &json!({})).to_string();
        for number in 0..40 {
            let payload = json!({ "amount": { "amountMicros": 1_000_000 + number * 10_000, "currencyCode": "GBP" },
                "donorId": donor, "giftDate": "2026-01-05" });
            let mut row = payload.clone();
            row["processingStatus"] = json!("ready_for_process");
            row["rawPayload"] = payload;
            scene.put("giftStaging", &row);
        }
        let batch = {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { scene.ask("POST", "/gift-staging/process", Some(&json!({}))).await })
        };
        // By then the batch has used up what may go at once, and waits call by call.
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!batch.is_finished());
        for _ in 0..5 {
            let began = scene.host.now();
            assert_eq!(scene.get("/gifts?limit=1").await.0, 200);
            assert!(scene.host.now().since(began) < Duration::from_secs(3));
        }
        assert!(!batch.is_finished(), "it lets people go first and goes on");
        let (status, answer) = batch.await.unwrap();
        assert_eq!(status, 200);
        assert!(answer["meta"]["processed"].as_u64().unwrap() > 15, "{}", answer["meta"]);
        let rows = scene.host.inner.sandbox().borrow().records("giftStaging");
        let by = |row: &Value| row["auditTrail"]["entries"][0]["by"].clone();
        assert!(rows.iter().any(|row| by(row) == "job") && rows.iter().all(|row| by(row) != "person"));
        assert_eq!(scene.host.inner.sandbox().borrow().usage().refused, 0);
    });
}

#[test]
fn metrics_count_requests() {
    run(async {
        let scene = Scene::new(Limits::off(), Faults::none(), &[("FUNDRAISING_CACHE_SECONDS", "5")]);
        scene.put("giftStaging", &json!({ "processingStatus": "pending" }));
        scene.get("/gifts").await;
        scene.get("/gifts").await;
        scene.get("/gifts?nonsense=1").await;
        let mut request = scene.inbound("GET", "", None);
        request.target = "/metrics".into();
        request.headers.clear();
        let answer = scene.proxy.handle(&scene.host, request).await;
        let text = String::from_utf8(answer.body).unwrap();
        for line in [
            "fundraising_requests_total{endpoint=\"GET gifts\",status=\"200\"} 2",
            "fundraising_refusals_total{endpoint=\"GET gifts\",status=\"400\"} 1",
            "fundraising_upstream_calls_total{method=\"GET\",object=\"gifts\",status=\"200\"} 1",
            "fundraising_cache_hits_total 1",
            "fundraising_queue_waiting 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    });
}
