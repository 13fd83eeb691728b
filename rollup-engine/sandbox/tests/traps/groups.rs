//! Group-by: 50 groups by default, 200 at most over REST; donors in the trash are nobody.

use crate::scene::Scene;

const GROUPS: &str =
    "/rest/gifts/groupBy?group_by=[{\"donorId\":true}]&aggregate=[\"totalCount\",\"sumAmountAmountMicros\"]";

#[test]
fn groups_are_cut_without_a_word() {
    let mut scene = Scene::new();
    for number in 0..250 {
        let donor = scene.person(&format!("Donor {number}"));
        scene.gift(Some(donor), 1_500_000, None);
    }
    let groups = |scene: &mut Scene, path: &str| scene.get(path).as_array().unwrap().len();
    assert_eq!(groups(&mut scene, GROUPS), 50);
    assert_eq!(groups(&mut scene, &format!("{GROUPS}&limit=1000")), 200);
    let all = scene.graphql("{ giftsGroupBy(groupBy: [{donorId: true}], limit: 1000) { totalCount } }");
    assert_eq!(all["data"]["giftsGroupBy"].as_array().unwrap().len(), 250);
}

#[test]
fn gifts_of_a_deleted_donor() {
    let mut scene = Scene::new();
    let donor = scene.person("Hal");
    scene.gift(Some(donor), 1_500_000, None);
    scene.gift(Some(donor), 2_000_000, None);
    let group = |scene: &mut Scene| scene.get(&format!("{GROUPS}&filter=donorId%5Bis%5D:NOT_NULL"))[0].clone();
    let before = group(&mut scene);
    assert_eq!(before["groupByDimensionValues"][0], donor.to_string());
    assert_eq!((&before["totalCount"], &before["sumAmountAmountMicros"]), (&"2".into(), &"3500000".into()), "texts");
    scene.sandbox.soft_delete("person", donor, scene.now).unwrap();
    assert!(group(&mut scene)["groupByDimensionValues"][0].is_null());
}

#[test]
fn sums_of_money_are_exact() {
    let mut scene = Scene::new();
    for micros in ["9007199254740992", "9007199254740992", "0.5"] {
        scene.post("/rest/gifts", serde_json::json!({"amount": {"amountMicros": micros}}));
    }
    let groups = scene.get(GROUPS);
    assert_eq!(groups[0]["sumAmountAmountMicros"], "18014398509481984.5");
}

#[test]
fn records_in_groups_have_a_price() {
    let mut scene = Scene::new();
    scene.gift(None, 1_500_000, None);
    let query = |limit: u32| {
        format!(
            "{{ giftsGroupBy(groupBy: [{{status: true}}], limit: {limit}) {{ totalCount edges {{ node {{ id donor {{ id }} }} }} }} }}"
        )
    };
    let cheap = scene.graphql(&query(999));
    assert!(cheap["data"]["giftsGroupBy"][0]["edges"][0]["node"]["id"].is_string());
    let dear = scene.graphql(&query(1_000));
    assert_eq!(dear["errors"][0]["extensions"]["subCode"], "TOO_COMPLEX_QUERY");
}
