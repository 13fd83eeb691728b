//! `DELETE` destroys; `soft_delete=true`, and nothing else, moves to the trash.

use ports::Method;

use crate::scene::Scene;

#[test]
fn delete_destroys_by_default() {
    let mut scene = Scene::new();
    let (first, second, third) = (scene.gift(None, 1, None), scene.gift(None, 1, None), scene.gift(None, 1, None));
    scene.delete(&format!("/rest/gifts/{first}"));
    scene.delete(&format!("/rest/gifts/{second}?soft_delete=1"));
    let kept = scene.delete(&format!("/rest/gifts/{third}?soft_delete=true"));
    assert!(kept["data"]["deleteGift"]["deletedAt"].is_string());
    assert_eq!(scene.sandbox.ids("gift"), [third]);
    assert_eq!(scene.send(Method::Get, &format!("/rest/gifts/{third}"), None).status, 404);
    let everything = "/rest/gifts?filter=or(deletedAt%5Bis%5D:NULL,deletedAt%5Bis%5D:NOT_NULL)";
    assert_eq!(scene.get(everything)["totalCount"], 1);
    assert_eq!(scene.send(Method::Delete, "/rest/gifts", None).status, 400, "no filter, no bulk delete");
}

#[test]
fn destroyed_donor_leaves_no_trace() {
    let mut scene = Scene::new();
    let donor = scene.person("Ada");
    let gift = scene.gift(Some(donor), 1, None);
    let before = scene.sandbox.record("gift", gift).unwrap();
    scene.events();
    scene.delete(&format!("/rest/people/{donor}"));
    let after = scene.sandbox.record("gift", gift).unwrap();
    assert!(after["donorId"].is_null());
    assert_eq!(after["updatedAt"], before["updatedAt"]);
    assert_eq!(scene.events(), ["person.destroyed"]);
}
