//! How values look on the way: cursors, groups, sums, refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::scene::Scene;

fn cursor(text: &Value) -> String {
    String::from_utf8(STANDARD.decode(text.as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn cursors_hold_composites_once() {
    let mut scene = Scene::new();
    let gifts: Vec<_> = [3, 1, 2].into_iter().map(|amount| scene.gift(None, amount, None)).collect();
    let asked = "/rest/gifts?limit=1&order_by=amount.currencyCode,giftDate,amount.amountMicros";
    let first = scene.get(asked);
    let after = &first["pageInfo"]["endCursor"];
    let expected = format!(
        "{{\"amount\":{{\"currencyCode\":\"GBP\",\"amountMicros\":1}},\"giftDate\":null,\"id\":\"{}\"}}",
        gifts[1]
    );
    assert_eq!(cursor(after), expected);

    let asked = "/rest/gifts?limit=1&order_by=amount.currencyCode,amount.amountMicros";
    let first = scene.get(asked);
    let after = first["pageInfo"]["endCursor"].as_str().unwrap().replace('=', "%3D");
    let second = scene.get(&format!("{asked}&starting_after={after}"));
    assert_eq!(second["data"]["gifts"][0]["id"], gifts[2].to_string());
}

#[test]
fn graphql_sorts_by_sub_fields_at_once() {
    let mut scene = Scene::new();
    let gifts: Vec<_> = [3, 1, 2].into_iter().map(|amount| scene.gift(None, amount, None)).collect();
    let order = "[{amount: {amountMicros: DescNullsLast, currencyCode: AscNullsLast}}]";
    let page = scene.graphql(&format!(
        "{{ gifts(first: 3, orderBy: {order}) {{ edges {{ cursor node {{ id amount {{ amountMicros currencyCode }} }} }} }} }}"
    ));
    let edges = page["data"]["gifts"]["edges"].as_array().unwrap();
    let ids: Vec<&Value> = edges.iter().map(|edge| &edge["node"]["id"]).collect();
    assert_eq!(ids, [&gifts[0], &gifts[2], &gifts[1]].map(|id| json!(id)).iter().collect::<Vec<_>>());
    assert!(cursor(&edges[0]["cursor"]).contains("\"amount\":{\"amountMicros\":3,\"currencyCode\":\"GBP\"}"));
}

#[test]
fn groups_name_amounts_as_text() {
    let mut scene = Scene::new();
    scene.gift(None, 25_000_000, None);
    let groups = scene.get("/rest/gifts/groupBy?group_by=[{\"amount\":{\"amountMicros\":true}}]");
    assert_eq!(groups[0]["groupByDimensionValues"], json!(["25000000"]));
    let groups =
        scene.graphql("{ giftsGroupBy(groupBy: [{amount: {amountMicros: true}}]) { groupByDimensionValues } }");
    assert_eq!(groups["data"]["giftsGroupBy"][0]["groupByDimensionValues"], json!(["25000000"]));
}

#[test]
fn dates_are_found_in_lists() {
    let mut scene = Scene::new();
    scene.gift(None, 1, Some("2026-01-15"));
    scene.gift(None, 1, Some("2026-01-16"));
    scene.gift(None, 1, Some("2026-01-17"));
    let page = scene.get("/rest/gifts?filter=giftDate%5Bin%5D:%5B2026-01-15,2026-01-17%5D");
    assert_eq!(page["totalCount"], 2);
}

#[test]
fn booleans_are_true_or_false() {
    let mut scene = Scene::new();
    scene.sandbox.add_field("gift", "BOOLEAN", "isTest", &[]).unwrap();
    let refused = scene.get("/rest/gifts?filter=isTest%5Beq%5D:1");
    assert_eq!(refused["messages"][0], "Invalid boolean value '1' for field \"isTest\"");
    let refused = scene.graphql("{ gifts(filter: {isTest: {eq: 1}}) { totalCount } }");
    assert_eq!(refused["errors"][0]["extensions"]["subCode"], "INVALID_ARGS_FILTER");
    assert_eq!(scene.get("/rest/gifts?filter=isTest%5Beq%5D:true")["totalCount"], 0);
}

#[test]
fn options_have_an_order() {
    let mut scene = Scene::new();
    // Not the order of the alphabet.
    let options = ["POSTED", "CASH", "ONLINE"];
    scene.sandbox.add_field("gift", "SELECT", "channel", &options).unwrap();
    for option in options {
        scene.post("/rest/gifts", json!({"channel": option}));
    }
    for (op, found) in [("gt", 1), ("gte", 2), ("lt", 1), ("lte", 2)] {
        let page = scene.get(&format!("/rest/gifts?filter=channel%5B{op}%5D:CASH"));
        assert_eq!(page["totalCount"], found, "{op}");
    }
    let refused = scene.get("/rest/gifts?filter=channel%5Blike%5D:x");
    let message = refused["messages"][0].as_str().unwrap();
    assert!(
        message.ends_with("Allowed operators: eq, neq, gt, gte, lt, lte, in, containsAny, is, isEmptyArray"),
        "{message}"
    );
    for asked in ["containsAny%5D:%5Bx%5D", "isEmptyArray%5D:true"] {
        assert_eq!(scene.get(&format!("/rest/gifts?filter=channel%5B{asked}"))["statusCode"], 400);
    }
}

#[test]
fn sums_of_numbers_are_numbers() {
    let mut scene = Scene::new();
    for (count, micros) in [(2, 10), (3, 20)] {
        let body = json!({"lifetimeGiftCount": count, "lifetimeGiftAmount": {"amountMicros": micros}});
        scene.post("/rest/people", body);
    }
    let names = ["sum", "avg", "min", "max"];
    let aggregates: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("{name}LifetimeGiftCount"), format!("{name}LifetimeGiftAmountAmountMicros")])
        .collect();
    let path = format!("/rest/people/groupBy?group_by=[{{\"jobTitle\":true}}]&aggregate={}", json!(aggregates));
    let groups = scene.get(&path);
    for (name, number, money) in
        [("sum", 5.0, "30"), ("avg", 2.5, "15.0000000000000000"), ("min", 2.0, "10"), ("max", 3.0, "20")]
    {
        assert_eq!(groups[0][format!("{name}LifetimeGiftCount")].as_f64(), Some(number), "{name}");
        assert_eq!(groups[0][format!("{name}LifetimeGiftAmountAmountMicros")], money, "{name}");
    }
}

#[test]
fn nothing_is_counted_of_no_rows() {
    let mut scene = Scene::new();
    scene.sandbox.add_field("gift", "BOOLEAN", "isTest", &[]).unwrap();
    let names =
        ["countEmptyStatus", "countNotEmptyStatus", "countUniqueValuesStatus", "countTrueIsTest", "countFalseIsTest"];
    let page = scene.graphql(&format!("{{ gifts {{ totalCount {} }} }}", names.join(" ")));
    let gifts = &page["data"]["gifts"];
    assert_eq!(gifts["totalCount"], 0);
    for name in names {
        assert!(gifts[name].is_null(), "{name}: {gifts}");
    }
}

#[test]
fn conflicts_name_what_is_unique() {
    let mut scene = Scene::new();
    let person = |scene: &mut Scene, address: &str| {
        let made = scene.post("/rest/people", json!({"emails": {"primaryEmail": address}}));
        made["data"]["createPerson"]["id"].as_str().unwrap().to_owned()
    };
    let ada = person(&mut scene, "ada@example.org");
    person(&mut scene, "bob@example.org");
    let conflict = |scene: &mut Scene, upsert: bool, data: Value| {
        let query = "mutation U($d: [PersonCreateInput!]!, $u: Boolean) { createPeople(data: $d, upsert: $u) { id } }";
        let answer = scene.post("/graphql", json!({"query": query, "variables": {"d": data, "u": upsert}}));
        answer["errors"][0]["extensions"].clone()
    };
    let two = conflict(&mut scene, true, json!([{"id": ada, "emails": {"primaryEmail": "bob@example.org"}}]));
    assert_eq!(two["subCode"], "UPSERT_MULTIPLE_MATCHING_RECORDS_CONFLICT");
    let address = conflict(&mut scene, false, json!([{"emails": {"primaryEmail": "ada@example.org"}}]));
    assert_eq!(address["conflictingRecordId"], json!(ada));
    let id = conflict(&mut scene, false, json!([{"id": ada}]));
    assert_eq!((&id["code"], id.get("conflictingRecordId")), (&json!("BAD_USER_INPUT"), None));
}
