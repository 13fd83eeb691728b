//! An upsert through GraphQL does what REST's does, and answers with what was asked for.

use std::time::Duration;

use sandbox::Limits;
use serde_json::json;
use twenty::page::Projection;
use twenty::value::Value;

use crate::scene::{PROFILES, Scene, person, start};

#[tokio::test(start_paused = true)]
async fn rows_are_written_as_over_rest() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::off());
        let people = scene.people(200);
        let rows: Vec<_> = people
            .iter()
            .map(|id| json!({ "id": id, "jobTitle": "say \"$data\" {x}\n", "lifetimeGiftCount": 3 }))
            .collect();
        let keep = Projection::of(&["createdAt", "lifetimeGiftCount"]);
        let client = scene.client();
        let page = client.upsert_graphql(&person(), &rows, None, &keep).await.unwrap();
        let brief = client.stats().bytes;
        assert_eq!(page.records.len(), 200);
        assert!(page.records.iter().all(|record| people.contains(&record.id)));
        assert!(
            page.records.iter().all(|record| record.values[1].number().is_some_and(|count| count.to_string() == "3"))
        );
        assert!(page.records[0].values[0].text().is_some_and(|at| at.starts_with("2026-06-01")));
        for id in &people {
            assert_eq!(scene.sandbox.borrow().record("person", *id).unwrap()["jobTitle"], "say \"$data\" {x}\n");
        }
        let rest = client.upsert(&person(), &rows, None, &keep).await.unwrap();
        assert_eq!(rest.records, page.records);
        assert!(brief * 3 < client.stats().bytes - brief, "{brief} bytes");
        assert_eq!(client.stats().by_endpoint["POST /graphql createPeople"], 1);
        assert_eq!(client.stats().tokens, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_bad_row_refuses_all() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::off());
        let people = scene.people(3);
        let mut rows: Vec<_> = people.iter().map(|id| json!({ "id": id, "jobTitle": "new" })).collect();
        rows[1]["lastGiftDate"] = json!("x");
        let client = scene.client();
        let error = client.upsert_graphql(&person(), &rows, None, &Projection::default()).await.unwrap_err();
        assert_eq!((error.code(), error.is_unsupported()), ("refused", false));
        assert!(error.to_string().contains("lastGiftDate"), "{error}");
        assert_eq!(client.stats().total, 1, "it would be refused again");
        for id in people {
            assert_ne!(scene.sandbox.borrow().record("person", id).unwrap()["jobTitle"], "new");
        }

        let rows = vec![json!({ "jobTitle": "x" }); 201];
        let error = client.upsert_graphql(&person(), &rows, None, &Projection::default()).await.unwrap_err();
        assert!(error.to_string().ends_with("Maximum number of records to upsert is 200."), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_write_is_not_sent() {
    let scene = Scene::new(PROFILES[0], Limits::off());
    let client = scene.client();
    let late = Some(start() - Duration::from_millis(1));
    let error = client.upsert_graphql(&person(), &[json!({})], late, &Projection::default()).await.unwrap_err();
    assert_eq!((error.code(), client.host().requests()), ("stale", 0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_part_of_the_answer_is_empty() {
    let scene = Scene::new(PROFILES[1], Limits::off());
    let id = scene.people(1)[0];
    let keep = Projection::of(&["lifetimeGiftAmount.amountMicros", "lifetimeGiftAmount.currencyCode"]);
    let page = scene.client().upsert_graphql(&person(), &[json!({ "id": id })], None, &keep).await.unwrap();
    assert_eq!(*page.records[0].values, [Value::Null, Value::Null]);
}
