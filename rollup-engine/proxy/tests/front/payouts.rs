use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::{Scene, run};

fn gifts(scene: &Scene, count: usize) -> Vec<Uuid> {
    (0..count).map(|number| scene.put("gift", &json!({ "externalId": format!("g{number}") }))).collect()
}

fn body(ids: &[Uuid]) -> Value {
    json!({ "giftIds": ids.iter().map(Uuid::to_string).collect::<Vec<_>>() })
}

#[test]
fn bulk_link_reports_each_gift() {
    run(async {
        let scene = Scene::calm();
        let payouts =
            [1, 2].map(|number| scene.put("giftPayout", &json!({ "payoutReference": format!("po_{number}") })));
        let mut ids = gifts(&scene, 250);
        let nobody = Uuid::from_u128(0x7be7_8772_a97d_4b0a_a867_5df1_421c_1e34);
        ids.push(nobody);
        let path = format!("/gift-payouts/{}/gifts/link", payouts[0]);
        let (status, reply) = scene.ask("POST", &path, Some(&body(&ids))).await;
        assert_eq!((status, reply["linkedGiftIds"].as_array().unwrap().len()), (201, 250), "{reply}");
        assert_eq!(reply["notFoundGiftIds"], json!([nobody.to_string()]));
        assert_eq!(scene.calls(), 2);
        assert_eq!(scene.record("gift", ids[249])["giftPayoutId"], json!(payouts[0].to_string()));

        // Taken off another payout: nothing happens to them.
        let other = format!("/gift-payouts/{}/gifts/unlink", payouts[1]);
        let (_, reply) = scene.ask("POST", &other, Some(&body(&ids[..2]))).await;
        assert_eq!(reply["unlinkedGiftIds"], json!([]));
        assert_eq!(scene.record("gift", ids[0])["giftPayoutId"], json!(payouts[0].to_string()));
        let own = format!("/gift-payouts/{}/gifts/unlink", payouts[0]);
        let (_, reply) = scene.ask("POST", &own, Some(&body(&ids[..2]))).await;
        assert_eq!(reply["unlinkedGiftIds"].as_array().unwrap().len(), 2);
        assert_eq!(scene.record("gift", ids[0])["giftPayoutId"], Value::Null);
    });
}

#[test]
fn failure_reports_linked_gifts() {
    run(async {
        let faults = (2..=4).fold(Faults::none(), |faults, call| faults.at(call, Fault::Status(503)));
        let scene = Scene::new(Limits::off(), faults, &[("FUNDRAISING_REQUESTS_PER_MINUTE", "off")]);
        let payout = scene.put("giftPayout", &json!({}));
        let ids = gifts(&scene, 201);
        let (status, reply) = scene.ask("POST", &format!("/gift-payouts/{payout}/gifts/link"), Some(&body(&ids))).await;
        assert_eq!((status, reply["linkedGiftIds"].as_array().unwrap().len()), (201, 200), "{reply}");
        assert_eq!(reply["failedGiftIds"], json!([ids[200].to_string()]));
        assert_eq!(reply["error"], "Internal server error");
    });
}

#[test]
fn ids_that_are_no_uuids() {
    run(async {
        let scene = Scene::calm();
        let payout = scene.put("giftPayout", &json!({}));
        let bent = json!({ "giftIds": [payout.to_string(), "x],or(id[is]:NOT_NULL"] });
        let (status, answer) = scene.ask("POST", &format!("/gift-payouts/{payout}/gifts/link"), Some(&bent)).await;
        assert_eq!((status, &answer["message"]), (400, &json!("giftIds[1] must be a UUID")));
        assert_eq!(scene.calls(), 0);
    });
}
