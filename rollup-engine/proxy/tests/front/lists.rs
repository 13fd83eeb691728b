use serde_json::json;

use crate::scene::{Scene, run};

#[test]
fn unknown_parameters_are_refused() {
    run(async {
        let scene = Scene::calm();
        for path in [
            "/gifts?status=x",
            "/gifts?filter=a%5Beq%5D%3A1&filter=b%5Beq%5D%3A1",
            "/appeals?limit=500",
            "/gifts/1?limit=1",
        ] {
            let (status, body) = scene.get(path).await;
            assert_eq!(status, 400, "{path}: {body}");
        }
        assert_eq!(scene.calls(), 0);
    });
}

#[test]
fn search_takes_text_literally() {
    run(async {
        let scene = Scene::calm();
        for name in ["Acme Trust", "Beta Ltd", "The ACME Fund"] {
            scene.put("company", &json!({ "name": name }));
        }
        let (status, body) = scene.get("/companies/search?search=%20acme").await;
        let companies = body["data"]["companies"].as_array().unwrap();
        let mut names: Vec<_> = companies.iter().map(|company| company["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!((status, names), (200, vec!["Acme Trust", "The ACME Fund"]));
        assert_eq!(scene.get("/companies/search?search=a%22b").await.0, 400);

        for (name, stage) in [("Grant 1", "NEW"), ("Grant 2", "MEETING"), ("Other", "NEW")] {
            scene.put("opportunity", &json!({ "name": name, "stage": stage }));
        }
        let (status, body) = scene.get("/opportunities/search?search=grant&stage=NEW,PROPOSAL").await;
        assert_eq!((status, &body["data"]["opportunities"][0]["name"]), (200, &json!("Grant 1")), "{body}");
        assert_eq!(body["data"]["opportunities"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn snapshots_of_one_appeal() {
    run(async {
        let scene = Scene::calm();
        let appeals = ["Spring", "Autumn"].map(|name| scene.put("appeal", &json!({ "name": name })));
        for (appeal, count) in [(appeals[0], 10), (appeals[1], 20), (appeals[0], 30)] {
            let path = format!("/appeals/{appeal}/solicitation-snapshots");
            assert_eq!(scene.ask("POST", &path, Some(&json!({ "count": count }))).await.0, 200);
        }
        let (status, body) = scene.get(&format!("/appeals/{}/solicitation-snapshots", appeals[0])).await;
        assert_eq!((status, body["data"]["solicitationSnapshots"].as_array().unwrap().len()), (200, 2));
    });
}

#[test]
fn payouts_by_status() {
    run(async {
        let scene = Scene::calm();
        for status in ["pending", "reconciled"] {
            scene.put("giftPayout", &json!({ "status": status }));
        }
        let (status, body) = scene.get("/gift-payouts?status=pending").await;
        assert_eq!((status, body["data"]["giftPayouts"].as_array().unwrap().len()), (200, 1), "{body}");
    });
}

#[test]
fn deleted_agreement_can_be_restored() {
    run(async {
        let scene = Scene::calm();
        let id = scene.put("recurringAgreement", &json!({ "status": "active" }));
        assert_eq!(scene.ask("DELETE", &format!("/recurring-agreements/{id}"), None).await.0, 200);
        assert!(!scene.record("recurringAgreement", id)["deletedAt"].is_null());
    });
}
