//! `depth=1` reads a soft-deleted donor as null, and shows 60 children at most without a mark.

use crate::scene::Scene;

#[test]
fn depth_one_hides_donors_in_the_trash() {
    let mut scene = Scene::new();
    let donor = scene.person("Hal");
    let gift = scene.gift(Some(donor), 1, None);
    scene.sandbox.soft_delete("person", donor, scene.now).unwrap();
    let read =
        |scene: &mut Scene, depth: u8| scene.get(&format!("/rest/gifts/{gift}?depth={depth}"))["data"]["gift"].clone();
    assert_eq!(read(&mut scene, 0)["donorId"], donor.to_string());
    let deep = read(&mut scene, 1);
    assert!(deep["donorId"].is_null() && deep["donor"].is_null());
    assert_eq!(scene.get(&format!("/rest/gifts?filter=donorId%5Beq%5D:{donor}"))["totalCount"], 1);
}

#[test]
fn depth_one_cuts_lists_at_sixty() {
    let mut scene = Scene::new();
    let donor = scene.person("Ada");
    for _ in 0..77 {
        scene.gift(Some(donor), 1, None);
    }
    let deep = scene.get(&format!("/rest/people/{donor}?depth=1"));
    assert_eq!(deep["data"]["person"]["gifts"].as_array().unwrap().len(), 60);
    let nested = scene.graphql("{ people { edges { node { gifts { totalCount edges { node { id } } } } } } }");
    assert_eq!(nested["data"]["people"]["edges"][0]["node"]["gifts"]["totalCount"], 60, "counts what it shows");
}
