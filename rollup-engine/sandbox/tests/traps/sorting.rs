//! Once the cursor's value is null, the next page is empty; by id every row comes.

use serde_json::Value;

use crate::scene::Scene;

/// Rows seen, and the total that the last page named
fn walk(scene: &mut Scene, order: &str) -> (usize, u64) {
    let (mut seen, mut path) = (0, format!("/rest/gifts?limit=4{order}"));
    loop {
        let page = scene.get(&path);
        seen += page["data"]["gifts"].as_array().unwrap().len();
        let Value::String(cursor) = &page["pageInfo"]["endCursor"] else {
            return (seen, page["totalCount"].as_u64().unwrap());
        };
        if page["pageInfo"]["hasNextPage"] == false {
            return (seen, page["totalCount"].as_u64().unwrap());
        }
        path = format!("/rest/gifts?limit=4{order}&starting_after={}", cursor.replace('=', "%3D").replace('+', "%2B"));
    }
}

#[test]
fn nullable_sort_field_loses_rows() {
    let mut scene = Scene::new();
    let donor = scene.person("Ada");
    for number in 0..30 {
        let date = (number < 8).then(|| format!("2026-01-{:02}", number + 1));
        scene.gift(Some(donor), 1_000_000, date.as_deref());
    }
    assert_eq!(walk(&mut scene, ""), (30, 30));
    assert_eq!(walk(&mut scene, "&order_by=createdAt"), (30, 30), "ties are kept apart by the id");
    assert_eq!(walk(&mut scene, "&order_by=status"), (30, 30), "an empty text is no null here");
    assert_eq!(walk(&mut scene, "&order_by=giftDate%5BAscNullsLast%5D"), (8, 30));
    assert_eq!(walk(&mut scene, "&order_by=giftDate%5BAscNullsFirst%5D"), (4, 30));
    let (seen, _) = walk(&mut scene, "&order_by=donorId");
    assert_eq!(seen, 30, "one donor only: by id after all");
    scene.gift(None, 1, None);
    scene.gift(None, 1, None);
    let (seen, total) = walk(&mut scene, "&order_by=donorId%5BDescNullsLast%5D");
    assert_ne!((seen, total), (32, 32), "a cursor knows no relation ids, so rows are lost or repeated");
}
