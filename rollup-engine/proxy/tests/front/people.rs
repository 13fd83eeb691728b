//! A person's page.

use serde_json::{Value, json};
use support::{InterceptHost, ServiceWorld, answer, read};

use super::scene::run;

/// What Twenty says of a person, and what is said on
#[test]
fn a_person_as_twenty_has_them() {
    run(async {
        let world = ServiceWorld::new(false);
        let id = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";
        for (said, full_name, household) in [
            (json!({ "householdId": null }), "Ada Byron", json!(null)),
            (json!({ "fullName": "Dr Ada Byron" }), "Dr Ada Byron", json!(null)),
            (json!({ "name": { "firstName": "Ada", "fullName": "Ada K. Byron" } }), "Ada K. Byron", json!(null)),
            (json!({ "fullName": " ", "householdId": id }), "Ada Byron", json!(id)),
        ] {
            let mut person = json!({ "id": id, "name": { "firstName": "Ada", "lastName": "Byron" } });
            for (key, value) in said.as_object().unwrap() {
                person[key] = value.clone();
            }
            let body = json!({ "data": { "person": person } }).to_string();
            let host =
                InterceptHost::new(world.host(sandbox::Faults::none())).before(|_| Some(answer(200, body.as_str())));
            let service = world.service();
            let request = world.inbound("GET", &format!("people/{id}"), &Value::Null);
            let (status, view) = read(&service.handle(&host, request).await);
            assert_eq!((status, &view["fullName"]), (200, &json!(full_name)), "{said}");
            assert_eq!(view.get("householdId"), Some(&household), "{said}");
        }
    });
}
