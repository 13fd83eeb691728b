//! Values behind relations are those of the records joined by hand; so are the records that a filter on one finds.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sandbox::Limits;
use serde_json::json;
use twenty::client::PageQuery;
use twenty::filter::{Comparator, Filter};
use twenty::page::Projection;
use twenty::value::Value;
use uuid::Uuid;

use crate::scene::{PROFILES, Scene, gift, start};

/// A gift's donor, a person's household, a household's primary contact: by place in the list, if there is one
type Link = Option<usize>;

/// A small workspace; each record says whether it is soft-deleted
#[derive(Clone, Debug)]
struct Plan {
    households: Vec<(Link, bool)>,
    people: Vec<(Link, bool)>,
    gifts: Vec<Link>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let link = |count: usize| prop_oneof![4 => (0..count).prop_map(Some), 1 => Just(None)];
    let deleted = || prop_oneof![4 => Just(false), 1 => Just(true)];
    (
        proptest::collection::vec((link(4), deleted()), 3),
        proptest::collection::vec((link(3), deleted()), 4),
        proptest::collection::vec(link(4), 6),
    )
        .prop_map(|(households, people, gifts)| Plan { households, people, gifts })
}

/// The records of a plan, in its order
struct Made {
    scene: Scene,
    households: Vec<Uuid>,
    people: Vec<Uuid>,
    gifts: Vec<Uuid>,
}

impl Plan {
    fn make(&self, scene: Scene) -> Made {
        {
            let mut sandbox = scene.sandbox.borrow_mut();
            sandbox.add_object("household", "households").unwrap();
            sandbox.add_relation("person", "household", "household", "members").unwrap();
            sandbox.add_relation("household", "primaryContact", "person", "primaryContactOf").unwrap();
        }
        let at = |ids: &[Uuid], link: Link| link.map(|place| ids[place]);
        let households: Vec<Uuid> = (0..self.households.len())
            .map(|number| scene.create("household", &json!({ "name": format!("Household {number}") })))
            .collect();
        let people = self.people.iter().enumerate().map(|(number, (household, _))| {
            let title = if number == 0 { String::new() } else { format!("Title{number}") };
            scene.create("person", &json!({ "jobTitle": title, "householdId": at(&households, *household) }))
        });
        let people: Vec<Uuid> = people.collect();
        for (id, (contact, _)) in households.iter().zip(&self.households) {
            scene.patch("household", *id, &json!({ "primaryContactId": at(&people, *contact) }));
        }
        let gifts =
            self.gifts.iter().map(|donor| scene.create("gift", &json!({ "donorId": at(&people, *donor) }))).collect();
        let gone = |object: &str, ids: &[Uuid], records: &[(Link, bool)]| {
            for (id, _) in ids.iter().zip(records).filter(|(_, (_, is_deleted))| *is_deleted) {
                scene.sandbox.borrow_mut().soft_delete(object, *id, start()).unwrap();
            }
        };
        gone("household", &households, &self.households);
        gone("person", &people, &self.people);
        Made { scene, households, people, gifts }
    }

    /// The person at that place, unless it is soft-deleted
    fn person(&self, link: Link) -> Link {
        link.filter(|place| !self.people[*place].1)
    }

    fn household_of(&self, person: Link) -> Link {
        person.and_then(|place| self.people[place].0).filter(|place| !self.households[*place].1)
    }

    fn contact_of(&self, household: Link) -> Link {
        household.and_then(|place| self.person(self.households[place].0))
    }

    fn title(person: Link) -> Value {
        person.map_or(Value::Null, |place| {
            Value::Text(if place == 0 { "".into() } else { format!("Title{place}").into() })
        })
    }
}

fn id(ids: &[Uuid], link: Link) -> Value {
    link.map_or(Value::Null, |place| Value::Text(ids[place].to_string().into()))
}

#[tokio::test(start_paused = true)]
async fn values_behind_relations_are_joined() {
    let mut runner = TestRunner::deterministic();
    for round in 0..60 {
        let plan = plans().new_tree(&mut runner).unwrap().current();
        let made = plan.make(Scene::new(PROFILES[round % 2], Limits::off()));
        let client = made.scene.client();
        let mut near = Projection::default();
        let donor = [("donor.id", 1), ("donor.jobTitle", 1), ("donor.householdId", 1), ("donorId", 0)]
            .map(|(path, relations)| near.add_related(path, relations));
        let mut far = near.clone();
        let household = [("donor.household.id", 2), ("donor.household.name", 2)].map(|(p, n)| far.add_related(p, n));
        let contact = far.add_related("donor.household.primaryContact.jobTitle", 3);

        let query = || PageQuery { limit: 200, ..PageQuery::default() };
        let all = client.list_graphql(&gift(), query(), &far).await.unwrap().records;
        let over_rest = client.list(&gift(), query(), &near).await.unwrap().records;
        assert_eq!((all.len(), over_rest.len()), (plan.gifts.len(), plan.gifts.len()));
        for record in all.iter().chain(&over_rest) {
            let place = made.gifts.iter().position(|gift| *gift == record.id).unwrap();
            let person = plan.person(plan.gifts[place]);
            let expected = [
                id(&made.people, person),
                Plan::title(person),
                // The household's own record is not asked for, so it does not matter whether it is deleted.
                id(&made.households, person.and_then(|place| plan.people[place].0)),
                id(&made.people, person),
            ];
            // With the household beside it, its id is that of a record which is there.
            let is_far = record.values.len() == far.len();
            let near_household = if is_far { plan.household_of(person) } else { person.and_then(|p| plan.people[p].0) };
            for (number, (slot, expected)) in donor.iter().zip(expected).enumerate() {
                let expected = if number == 2 { id(&made.households, near_household) } else { expected };
                assert_eq!(*record.value(*slot), expected, "{plan:?}");
            }
            if is_far {
                let home = plan.household_of(person);
                let name = home.map_or(Value::Null, |place| Value::Text(format!("Household {place}").into()));
                assert_eq!(*record.value(household[0]), id(&made.households, home), "{plan:?}");
                assert_eq!(*record.value(household[1]), name, "{plan:?}");
                assert_eq!(*record.value(contact), Plan::title(plan.contact_of(home)), "{plan:?}");
            }
        }
        let one = client.get(&gift(), made.gifts[0], &near).await.unwrap().records.remove(0);
        assert_eq!(one, *over_rest.iter().find(|record| record.id == made.gifts[0]).unwrap());

        let sent = client.stats().total;
        for error in [
            client.list(&gift(), query(), &far).await.unwrap_err(),
            client.get(&gift(), made.gifts[0], &far).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), "refused", "{error}");
        }
        assert_eq!(client.stats().total, sent, "REST is not asked for what it does not give");
    }
}

/// What a condition on a donor says of a person, or of none; nothing where it is neither true nor false
fn holds(filter: &Filter, title: Option<&str>) -> Option<bool> {
    let title = title.filter(|title| !title.is_empty());
    match filter {
        Filter::Empty(_) => Some(title.is_none()),
        Filter::Present(_) => Some(title.is_some()),
        Filter::Compare { comparator, value, .. } => {
            let same = title? == value.text().unwrap();
            Some(same == (*comparator == Comparator::Eq))
        }
        Filter::Not(inner) => holds(inner, title).map(|answer| !answer),
        Filter::And(parts) => {
            let answers: Vec<_> = parts.iter().map(|part| holds(part, title)).collect();
            let neither = answers.contains(&None);
            if answers.contains(&Some(false)) { Some(false) } else { (!neither).then_some(true) }
        }
        Filter::Or(parts) => {
            let answers: Vec<_> = parts.iter().map(|part| holds(part, title)).collect();
            let neither = answers.contains(&None);
            if answers.contains(&Some(true)) { Some(true) } else { (!neither).then_some(false) }
        }
        _ => None,
    }
}

fn conditions() -> impl Strategy<Value = Filter> {
    let path = || "donor.jobTitle".to_owned();
    let compare = proptest::sample::select(vec![Comparator::Eq, Comparator::Neq]);
    let leaf = prop_oneof![
        Just(Filter::Empty(path())),
        Just(Filter::Present(path())),
        (compare, 1..4).prop_map(move |(comparator, number)| Filter::Compare {
            path: path(),
            comparator,
            value: Value::Text(format!("Title{number}").into())
        }),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::And),
            proptest::collection::vec(inner, 1..3).prop_map(Filter::Or),
        ]
    })
}

#[tokio::test(start_paused = true)]
async fn conditions_behind_a_relation_find_the_joined() {
    let mut runner = TestRunner::deterministic();
    for round in 0..40 {
        let plan = plans().new_tree(&mut runner).unwrap().current();
        let made = plan.make(Scene::new(PROFILES[round % 2], Limits::off()));
        let client = made.scene.client();
        for _ in 0..10 {
            let filter = conditions().new_tree(&mut runner).unwrap().current();
            let query = || PageQuery { filter: Some(&filter), limit: 200, ..PageQuery::default() };
            let graphql = client.list_graphql(&gift(), query(), &Projection::default()).await.unwrap().records;
            let rest = client.list(&gift(), query(), &Projection::default()).await.unwrap().records;
            for (gift, donor) in made.gifts.iter().zip(&plan.gifts) {
                let title = Plan::title(plan.person(*donor));
                let found = holds(&filter, title.text()) == Some(true);
                assert_eq!(graphql.iter().any(|record| record.id == *gift), found, "{filter:?} {plan:?}");
                assert_eq!(rest.iter().any(|record| record.id == *gift), found, "{filter:?} {plan:?}");
            }
        }
        let far = Filter::Present("donor.household.name".into());
        let query = || PageQuery { filter: Some(&far), limit: 200, ..PageQuery::default() };
        for result in [
            client.list_graphql(&gift(), query(), &Projection::default()).await,
            client.list(&gift(), query(), &Projection::default()).await,
        ] {
            let error = result.unwrap_err();
            assert!(error.to_string().contains("deeper than 1 hop"), "{error}");
        }
    }
}
