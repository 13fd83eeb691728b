//! One filter, written for REST and for GraphQL, finds the same records; a free text goes through GraphQL alone.

use ports::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sandbox::Limits;
use serde_json::json;
use twenty::client::PageQuery;
use twenty::filter::{Comparator, Filter};
use twenty::page::Projection;
use twenty::value::Value;
use uuid::Uuid;

use crate::scene::{PROFILES, Scene, gift};

const TEXTS: [&str; 8] =
    ["received", "Received", "a,b", "it's (ok), yes", "say \"thanks\"", "x]", "back\\slash", "é 🎁\n"];

fn comparators() -> impl Strategy<Value = Comparator> {
    use Comparator::{Eq, Gt, Gte, Lt, Lte, Neq};
    proptest::sample::select(vec![Eq, Neq, Gt, Gte, Lt, Lte])
}

fn filters(donors: Vec<Uuid>) -> impl Strategy<Value = Filter> {
    let paths = || proptest::sample::select(vec!["amount.amountMicros", "giftDate", "donorId", "status", "deletedAt"]);
    let number = || (-3_i64..4).prop_map(|number| Value::from(&json!(number * 500_000)));
    let numbers = proptest::collection::vec(number(), 1..4);
    let leaf = prop_oneof![
        paths().prop_map(|path| Filter::Empty(path.into())),
        paths().prop_map(|path| Filter::Present(path.into())),
        proptest::sample::subsequence(donors, 1..3).prop_map(|ids| Filter::IdIn("donorId".into(), ids)),
        (0_i64..4).prop_map(|days| {
            let at = Timestamp::parse("2026-05-30T00:00:00Z").unwrap().as_millis() + days * 86_400_000;
            Filter::Since("updatedAt".into(), Timestamp::from_millis(at))
        }),
        (comparators(), number()).prop_map(|(comparator, value)| Filter::Compare {
            path: "amount.amountMicros".into(),
            comparator,
            value
        }),
        (comparators(), 1..5).prop_map(|(comparator, day)| {
            let value = Value::Text(format!("2026-01-0{day}").into());
            Filter::Compare { path: "giftDate".into(), comparator, value }
        }),
        numbers.prop_map(|values| Filter::In { path: "amount.amountMicros".into(), values }),
        proptest::sample::select(vec![Comparator::Eq, Comparator::Neq]).prop_map(|comparator| Filter::Compare {
            path: "status".into(),
            comparator,
            value: Value::Text("received".into())
        }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::And),
            proptest::collection::vec(inner, 1..3).prop_map(Filter::Or),
        ]
    })
}

fn scene(profile: sandbox::Profile) -> (Scene, Vec<Uuid>) {
    let scene = Scene::new(profile, Limits::off());
    let donors = scene.people(3);
    for number in 0..60_usize {
        let amount = (number % 7 > 0).then(|| i64::try_from(number % 7).unwrap() * 500_000 - 1_500_000);
        let gift = json!({
            "amount": { "amountMicros": amount, "currencyCode": amount.map(|_| "GBP") },
            "giftDate": (number % 5 > 0).then(|| format!("2026-01-0{}", number % 5)),
            "donorId": donors.get(number % 4),
            "status": if number % 3 == 0 { "" } else { TEXTS[number % TEXTS.len()] },
        });
        let id = scene.create("gift", &gift);
        if number % 11 == 0 {
            scene.sandbox.borrow_mut().soft_delete("gift", id, crate::scene::start()).unwrap();
        }
    }
    (scene, donors)
}

#[test]
fn both_languages_find_the_same_records() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for profile in PROFILES {
        let (scene, donors) = scene(profile);
        let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
        runner
            .run(&filters(donors), |filter| {
                let found = runtime.block_on(async {
                    let (client, keep) = (scene.client(), Projection::default());
                    let query = PageQuery { filter: Some(&filter), after: None, limit: 200 };
                    let rest = client.list(&gift(), query.clone(), &keep).await.map(|page| page.records);
                    (rest, client.list_graphql(&gift(), query, &keep).await.map(|page| page.records))
                });
                prop_assert!(filter.is_rest_safe());
                prop_assert!(found.0.is_ok(), "{:?} {}", found.0, filter);
                prop_assert_eq!(found.0, found.1, "{} {}", filter, filter.to_graphql());
                Ok(())
            })
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_text_is_found_as_it_is() {
    for profile in PROFILES {
        let (scene, _) = scene(profile);
        let stored: Vec<_> = scene.sandbox.borrow().records("gift");
        let live = |text: &str| {
            let has = |gift: &&serde_json::Value| gift["deletedAt"].is_null() && gift["status"] == text;
            stored.iter().filter(has).count()
        };
        let client = scene.client();
        for text in TEXTS {
            let value = Value::Text(text.into());
            let equal = Filter::Compare { path: "status".into(), comparator: Comparator::Eq, value: value.clone() };
            let among = Filter::In { path: "status".into(), values: vec![value, Value::Text("gone".into())] };
            for filter in [equal, among] {
                let query = PageQuery { filter: Some(&filter), after: None, limit: 200 };
                let page = client.list_graphql(&gift(), query.clone(), &Projection::default()).await.unwrap();
                assert_eq!(page.records.len(), live(text), "{text}");
                assert!(!page.records.is_empty());
                let rest = client.list(&gift(), query, &Projection::default()).await;
                assert_eq!(rest.is_ok(), filter.is_rest_safe(), "{text}");
            }
        }
        let asked = client.stats().by_endpoint["GET /rest/gifts"];
        assert_eq!(asked, 4, "what REST would misread is not sent");
    }
}
