//! Pages have no maximum, groups come by record and currency, and counts of many objects come together.

use std::collections::BTreeMap;

use sandbox::Limits;
use twenty::client::{Dimension, GroupQuery, PageQuery};
use twenty::decimal::Decimal;
use twenty::filter::Filter;
use twenty::page::Projection;
use twenty::schema::Names;
use twenty::value::Value;

use crate::scene::{PROFILES, Scene, gift, person, start};

#[tokio::test(start_paused = true)]
async fn page_in_order_of_ids() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::default());
        let mut people = scene.people(450);
        let trashed = people.pop().unwrap();
        scene.sandbox.borrow_mut().soft_delete("person", trashed, start()).unwrap();
        people.sort();
        let client = scene.client();
        let keep = Projection::of(&["jobTitle", "name.firstName", "gone"]);
        let query = PageQuery { limit: 100_000, ..PageQuery::default() };
        let page = client.list_graphql(&person(), query.clone(), &keep).await.unwrap();
        assert_eq!((page.total_count, page.has_next_page), (Some(449), false));
        assert_eq!(page.records.iter().map(|record| record.id).collect::<Vec<_>>(), people);
        assert!(page.records[0].values[0].text().unwrap().starts_with("Donor "));
        assert_eq!(page.records[0].values[2], Value::Null, "a field that does not exist reads null");

        let half = PageQuery { limit: 300, ..PageQuery::default() };
        let first = client.list_graphql(&person(), half.clone(), &keep).await.unwrap();
        assert!(first.has_next_page);
        let after = PageQuery { after: first.end_cursor.as_deref(), ..half };
        let second = client.list_graphql(&person(), after, &keep).await.unwrap();
        assert!(!second.has_next_page);
        assert_eq!([first.records, second.records].concat(), page.records);

        let stats = client.stats();
        assert_eq!((stats.total, stats.tokens), (3, 3));
        assert_eq!((stats.by_endpoint["POST /graphql people"], scene.tokens()), (3, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn groups_by_record_and_currency() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::default());
        let donors = scene.people(250);
        for (number, donor) in donors.iter().enumerate() {
            scene.gift(*donor, 5_000_000, "GBP", "2026-02-01");
            scene.gift(*donor, 2_500_000, if number % 5 == 0 { "EUR" } else { "GBP" }, "2026-03-01");
        }
        let nobodys = scene.gift(donors[0], 1, "GBP", "2026-01-01");
        scene.sandbox.borrow_mut().patch("gift", nobodys, &serde_json::json!({ "donorId": null }), start()).unwrap();
        let aggregates = ["maxGiftDate", "sumAmountAmountMicros", "totalCount"].map(str::to_owned);
        let query = GroupQuery {
            by: "donorId",
            dimensions: &[Dimension::Value("amount.currencyCode")],
            filter: None,
            aggregates: &aggregates,
            limit: 10_000,
            counted: true,
        };
        let client = scene.client();
        let groups = client.groups(&gift(), &query).await.unwrap();
        assert_eq!((groups.total_count, groups.groups.len()), (Some(501), 250 + 50 + 1));
        assert_eq!(groups.groups.iter().map(|group| group.count).sum::<u64>(), 501);
        let sums: BTreeMap<_, _> = groups
            .groups
            .iter()
            .map(|group| ((group.id, group.dimensions[0].text().unwrap()), (group.count, group.values.clone())))
            .collect();
        let text = |text: &str| Value::Text(text.into());
        let number = |number| Value::Number(Decimal::from_integer(number));
        let expected =
            |date, micros, count: i64| (count.unsigned_abs(), [text(date), number(micros), number(count)].into());
        assert_eq!(sums[&(Some(donors[0]), "GBP")], expected("2026-02-01", 5_000_000, 1));
        assert_eq!(sums[&(Some(donors[0]), "EUR")], expected("2026-03-01", 2_500_000, 1));
        assert_eq!(sums[&(Some(donors[1]), "GBP")], expected("2026-03-01", 7_500_000, 2));
        assert_eq!(sums[&(None, "GBP")], expected("2026-01-01", 1, 1));

        let filter = Filter::IdIn("donorId".into(), donors[..3].to_vec());
        let few = GroupQuery { dimensions: &[], filter: Some(&filter), limit: 2, ..query };
        let groups = client.groups(&gift(), &few).await.unwrap();
        assert_eq!((groups.total_count, groups.groups.len()), (Some(6), 2), "the limit cuts, and the count tells");
        assert!(groups.groups.iter().all(|group| group.dimensions.is_empty() && group.count == 2));

        let plain = client.groups(&gift(), &GroupQuery { counted: false, ..few }).await.unwrap();
        assert_eq!((plain.total_count, plain.groups), (None, groups.groups));
        let stats = client.stats();
        assert_eq!((stats.total, stats.tokens, scene.tokens()), (3, 5, 5));
        assert_eq!(stats.by_endpoint["POST /graphql giftsGroupBy"], 3);
    }
}

#[tokio::test(start_paused = true)]
async fn counts_cost_one_call() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::default());
        let donors = scene.people(3);
        scene.gift(donors[0], 1, "GBP", "2026-01-01");
        let others: Vec<Names> =
            (0..20).map(|number| Names::new(format!("x{number}"), format!("x{number}s"))).collect();
        for names in &others {
            scene.sandbox.borrow_mut().add_object(&names.singular, &names.plural).unwrap();
        }
        let client = scene.client();
        let (gift, person, appeal) = (gift(), person(), Names::new("appeal", "appeals"));
        assert_eq!(client.counts(&[&gift, &appeal, &person]).await, Ok(vec![1, 0, 3]));
        assert_eq!((client.stats().total, client.stats().tokens, scene.tokens()), (1, 3, 3));
        let many: Vec<&Names> = others.iter().chain([&person]).collect();
        assert_eq!(client.counts(&many).await.unwrap().last(), Some(&3));
        assert_eq!((client.stats().total, client.stats().tokens, scene.tokens()), (3, 24, 24));
        assert_eq!(client.counts(&[]).await, Ok(vec![]));
        assert_eq!(client.stats().by_endpoint["POST /graphql counts"], 3);
    }
}
