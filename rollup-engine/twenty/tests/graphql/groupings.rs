//! Groups by a record, a period, a currency and a plain value are those that the records make when sorted by hand.

use std::collections::BTreeMap;

use ports::Timestamp;
use ports::time::{format_date, parse_date};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sandbox::Limits;
use serde_json::{Value as Json, json};
use twenty::client::{Dimension, Granularity, GroupQuery};
use twenty::value::Value;
use uuid::Uuid;

use crate::scene::{PROFILES, Scene, gift, start};

const GRANULARITIES: [Granularity; 5] =
    [Granularity::Day, Granularity::Week, Granularity::Month, Granularity::Quarter, Granularity::Year];

/// Zones without a change of the clock, and their hours ahead of UTC
const ZONES: [(&str, i64); 3] = [("UTC", 0), ("Asia/Tokyo", 9), ("Pacific/Honolulu", -10)];

/// What a gift has; nothing for empty
#[derive(Clone, Debug)]
struct Gift {
    donor: Option<usize>,
    micros: i64,
    code: Option<&'static str>,
    date: Option<String>,
    received: Option<i64>,
    channel: Option<&'static str>,
    is_test: Option<bool>,
    score: Option<i64>,
    status: Option<&'static str>,
}

fn gifts() -> impl Strategy<Value = Vec<Gift>> {
    let one_of = |values: &'static [&'static str]| proptest::option::weighted(0.8, proptest::sample::select(values));
    // Days at the borders of years, quarters, months and weeks, leap days among them.
    let dates = one_of(&[
        "2023-12-31",
        "2024-01-01",
        "2024-02-29",
        "2024-03-31",
        "2024-04-01",
        "2024-12-29",
        "2024-12-30",
        "2025-01-01",
        "2025-06-30",
        "2025-07-01",
    ]);
    // Within a day of the turn of 2024, by the hour.
    let received =
        proptest::option::weighted(0.8, (-30_i64..30).prop_map(|hours| 1_704_067_200_000 + hours * 3_600_000));
    let first = (proptest::option::weighted(0.9, 0_usize..4), -3_i64..4, one_of(&["GBP", "EUR"]), dates, received);
    let second = (
        one_of(&["WEB", "POST"]),
        proptest::option::of(any::<bool>()),
        proptest::option::of(0_i64..3),
        one_of(&["received", "", "pledged"]),
    );
    let gift =
        (first, second).prop_map(|((donor, micros, code, date, received), (channel, is_test, score, status))| {
            let date = date.map(str::to_owned);
            Gift { donor, micros, code, date, received, channel, is_test, score, status }
        });
    proptest::collection::vec(gift, 1..30)
}

/// First day of the period in which a day lies
fn first_day(granularity: Granularity, day: &str) -> String {
    let date = parse_date(day).unwrap();
    let (year, month) = (date.year(), u8::from(date.month()));
    match granularity {
        Granularity::Day => day.to_owned(),
        Granularity::Week => {
            let back = date.weekday().number_days_from_monday();
            format_date((0..back).fold(date, |date, _| date.previous_day().unwrap()))
        }
        Granularity::Month => format!("{year:04}-{month:02}-01"),
        Granularity::Quarter => format!("{year:04}-{:02}-01", (month - 1) / 3 * 3 + 1),
        Granularity::Year => format!("{year:04}-01-01"),
    }
}

fn text(value: Option<&str>) -> Value {
    value.filter(|text| !text.is_empty()).map_or(Value::Null, |text| Value::Text(text.into()))
}

impl Gift {
    fn record(&self, donors: &[Uuid]) -> Json {
        json!({
            "donorId": self.donor.map(|place| donors[place]),
            "amount": { "amountMicros": self.micros * 500_000, "currencyCode": self.code },
            "giftDate": self.date,
            "receivedAt": self.received.map(|millis| Timestamp::from_millis(millis).to_string()),
            "channel": self.channel,
            "isTest": self.is_test,
            "score": self.score,
            "status": self.status,
        })
    }

    /// Its value in a dimension
    fn value(&self, dimension: Dimension<'_>) -> Value {
        match dimension {
            Dimension::Value("amount.currencyCode") => text(self.code),
            Dimension::Value("channel") => text(self.channel),
            Dimension::Value("status") => text(self.status),
            Dimension::Value("giftDate") => text(self.date.as_deref()),
            Dimension::Value("isTest") => self.is_test.map_or(Value::Null, Value::Bool),
            Dimension::Value("score") => self.score.map_or(Value::Null, |score| Value::from(&json!(score))),
            Dimension::Period { path: "giftDate", granularity, .. } => {
                text(self.date.as_deref().map(|day| first_day(granularity, day)).as_deref())
            }
            Dimension::Period { granularity, time_zone, .. } => {
                let (_, hours) = ZONES.into_iter().find(|(name, _)| Some(*name) == time_zone).unwrap();
                let day = self.received.map(|millis| Timestamp::from_millis(millis + hours * 3_600_000).to_string());
                text(day.map(|at| first_day(granularity, &at[..10])).as_deref())
            }
            Dimension::Value(_) => Value::Missing,
        }
    }
}

fn dimensions() -> impl Strategy<Value = Vec<Dimension<'static>>> {
    let granularity = || proptest::sample::select(GRANULARITIES.to_vec());
    let values = ["amount.currencyCode", "channel", "status", "giftDate", "isTest", "score"];
    let dimension = prop_oneof![
        proptest::sample::select(values.to_vec()).prop_map(Dimension::Value),
        granularity().prop_map(|granularity| Dimension::Period { path: "giftDate", granularity, time_zone: None }),
        (granularity(), proptest::sample::select(ZONES.to_vec())).prop_map(|(granularity, (zone, _))| {
            Dimension::Period { path: "receivedAt", granularity, time_zone: Some(zone) }
        }),
    ];
    proptest::collection::vec(dimension, 0..4)
}

#[tokio::test(start_paused = true)]
async fn groups_are_those_made_by_hand() {
    let mut runner = TestRunner::deterministic();
    for round in 0..40 {
        let scene = Scene::new(PROFILES[round % 2], Limits::off());
        {
            let mut sandbox = scene.sandbox.borrow_mut();
            let fields: [(&str, &str, &[&str]); 4] = [
                ("DATE_TIME", "receivedAt", &[]),
                ("SELECT", "channel", &["WEB", "POST"]),
                ("BOOLEAN", "isTest", &[]),
                ("NUMBER", "score", &[]),
            ];
            for (kind, name, options) in fields {
                sandbox.add_field("gift", kind, name, options).unwrap();
            }
        }
        let donors = scene.people(4);
        let gifts = gifts().new_tree(&mut runner).unwrap().current();
        for gift in &gifts {
            scene.create("gift", &gift.record(&donors));
        }
        // A donor in the trash is nobody.
        scene.sandbox.borrow_mut().soft_delete("person", donors[3], start()).unwrap();
        let client = scene.client();
        for _ in 0..8 {
            let dimensions = dimensions().new_tree(&mut runner).unwrap().current();
            let aggregates = ["sumAmountAmountMicros".to_owned()];
            let query = GroupQuery {
                by: "donorId",
                dimensions: &dimensions,
                aggregates: &aggregates,
                limit: 1_000,
                counted: true,
                ..GroupQuery::default()
            };
            let groups = client.groups(&gift(), &query).await.unwrap();
            assert_eq!(groups.total_count, Some(gifts.len() as u64));
            let mut expected = BTreeMap::<String, (u64, i64)>::new();
            for gift in &gifts {
                let donor = gift.donor.filter(|place| *place != 3).map(|place| donors[place]);
                let values: Box<[Value]> = dimensions.iter().map(|dimension| gift.value(*dimension)).collect();
                let group = expected.entry(format!("{:?}", (donor, values))).or_default();
                *group = (group.0 + 1, group.1 + gift.micros * 500_000);
            }
            let read = groups.groups.iter().map(|group| {
                let sum = group.values[0].number().unwrap().to_string().parse().unwrap();
                (format!("{:?}", (group.id, &group.dimensions)), (group.count, sum))
            });
            assert_eq!(read.collect::<BTreeMap<_, _>>(), expected, "{dimensions:?}");
            assert_eq!(groups.groups.len(), expected.len(), "no group comes twice");
        }
    }
}

/// An instant needs a zone, which has to exist.
#[tokio::test(start_paused = true)]
async fn periods_of_an_instant_need_a_zone() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::off());
        scene.sandbox.borrow_mut().add_field("gift", "DATE_TIME", "receivedAt", &[]).unwrap();
        let client = scene.client();
        for (time_zone, message) in [(None, "Time zone should be specified"), (Some("Mars/Base"), "Invalid timezone")] {
            let dimensions = [Dimension::Period { path: "receivedAt", granularity: Granularity::Day, time_zone }];
            let query = GroupQuery { by: "donorId", dimensions: &dimensions, limit: 10, ..GroupQuery::default() };
            let error = client.groups(&gift(), &query).await.unwrap_err();
            assert_eq!(error.code(), "refused");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}

/// The server groups by a value of a related record, but not by what that one is related to.
#[tokio::test(start_paused = true)]
async fn groups_reach_one_relation() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::off());
        let company = scene.create("company", &json!({ "name": "Northwind" }));
        let person = scene.create("person", &json!({ "jobTitle": "Countess", "companyId": company }));
        scene.gift(person, 500_000, "GBP", "2026-01-01");
        let client = scene.client();
        let title = [Dimension::Value("donor.jobTitle"), Dimension::Value("donor.name.lastName")];
        let query = GroupQuery { by: "donorId", dimensions: &title, limit: 10, ..GroupQuery::default() };
        let groups = client.groups(&gift(), &query).await.unwrap().groups;
        assert_eq!(*groups[0].dimensions, [Value::Text("Countess".into()), Value::Null]);
        for (path, message) in [
            ("donor.companyId", "Nested field \"companyId\" not found in target object \"person\""),
            ("donor.company.id", "Cannot group by a relation field of the relation field"),
        ] {
            let dimensions = [Dimension::Value(path)];
            let query = GroupQuery { dimensions: &dimensions, ..query };
            let error = client.groups(&gift(), &query).await.unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
