//! One signed call a record and subscription; nothing for a change that changed nothing.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::scene::Scene;

#[test]
fn webhooks_are_signed() {
    let mut scene = Scene::new();
    scene.post("/rest/webhooks", json!({"targetUrl": "http://hook.test/a", "operations": ["gift.*"], "secret": "shh"}));
    scene.post("/rest/webhooks", json!({"targetUrl": "http://hook.test/b", "operations": ["*.updated"], "secret": ""}));
    let gift = scene.gift(None, 1, None);
    let created = scene.sandbox.drain_deliveries();
    assert_eq!(created.len(), 1);
    let header =
        |name: &str| created[0].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let timestamp = header("x-twenty-webhook-timestamp").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"shh").unwrap();
    mac.update(format!("{timestamp}:{}", created[0].body).as_bytes());
    assert_eq!(header("x-twenty-webhook-signature"), Some(hex::encode(mac.finalize().into_bytes())));
    let body: Value = serde_json::from_str(&created[0].body).unwrap();
    assert_eq!((&body["eventName"], &body["record"]["id"]), (&json!("gift.created"), &json!(gift)));

    scene.patch(&format!("/rest/gifts/{gift}"), json!({"status": "paid"}));
    scene.patch(&format!("/rest/gifts/{gift}"), json!({"status": "paid"}));
    let updated = scene.sandbox.drain_deliveries();
    assert_eq!(
        updated.iter().map(|call| call.url.as_str()).collect::<Vec<_>>(),
        ["http://hook.test/a", "http://hook.test/b"]
    );
    assert!(updated[1].headers.iter().all(|(name, _)| name == "content-type"), "no secret, no signature");
}
