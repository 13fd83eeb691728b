//! A workspace with gifts, people, households, companies and appeals; the engine on it; and the slow, obvious totals.

use std::collections::BTreeMap;
use std::ops::Deref;

use ports::{Method, Request, Response, Timestamp};
use rollup::{Options, Report, SliceSizes, calculate_rollups};
use sandbox::{Faults, Limits, Profile, Sandbox, Settings};
use serde_json::{Value, json};
use support::answer;
use uuid::Uuid;

/// Monday 30 November 2026, noon
pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-30T12:00:00Z").unwrap()
}

/// A day before any run: what happened then, no second look takes for new
pub(crate) fn yesterday() -> Timestamp {
    Timestamp::parse("2026-11-29T12:00:00Z").unwrap()
}

/// How a run reads and writes
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As the plan says
    GraphQl,
    /// REST alone
    Rest,
    /// So many parents a run, through GraphQL where it helps
    Slices(u32),
    /// Slices of at most so many parents, halved down to a quarter of that and written a third at a time
    LargeSlices(usize),
}

impl Way {
    /// Both languages
    pub(crate) const BOTH: [Self; 2] = [Self::GraphQl, Self::Rest];
}

/// The engine on a workspace with default limits
pub(crate) struct EngineWorld {
    world: support::World,
    pub(crate) way: Way,
}

impl Deref for EngineWorld {
    type Target = support::World;

    fn deref(&self) -> &support::World {
        &self.world
    }
}

/// The definitions that run where nothing is configured
pub(crate) fn defaults() -> Value {
    serde_json::from_str(include_str!("../../src/defaults.json")).unwrap()
}

impl EngineWorld {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::of(Settings { limits, ..Settings::default() })
    }

    /// The same on a server of that profile
    pub(crate) fn on(profile: Profile) -> Self {
        Self::of(Settings { profile, ..Settings::default() })
    }

    fn of(settings: Settings) -> Self {
        let mut sandbox = Sandbox::new(settings);
        sandbox.ensure_gift_schema();
        sandbox.add_object("household", "households").unwrap();
        for (kind, name) in [
            ("CURRENCY", "lifetimeGiftAmount"),
            ("CURRENCY", "yearToDateGiftAmount"),
            ("NUMBER", "lifetimeGiftCount"),
            ("NUMBER", "yearToDateGiftCount"),
            ("DATE", "firstGiftDate"),
            ("DATE", "lastGiftDate"),
        ] {
            sandbox.add_field("household", kind, name, &[]).unwrap();
        }
        sandbox.add_relation("person", "household", "household", "members").unwrap();
        Self { world: support::World::of(sandbox, noon()), way: Way::GraphQl }
    }

    /// The same, whose runs go that way
    pub(crate) fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The same, whose runs know REST alone
    pub(crate) fn by_rest(self) -> Self {
        self.by(Way::Rest)
    }

    /// The same, on a platform that keeps texts
    pub(crate) fn with_store(mut self) -> Self {
        self.world.platform = self.world.platform.with_store();
        self
    }

    /// The same, on a platform that starts runs
    pub(crate) fn with_jobs(mut self) -> Self {
        self.world.platform = self.world.platform.with_jobs();
        self
    }

    /// With people, and two of each other object that has totals
    pub(crate) fn with_parents(self, people: u128) -> Self {
        for number in 0..people {
            self.create("person", number, &json!({}));
        }
        for number in 0..2 {
            self.create("company", number, &json!({ "name": "c" }));
            self.create("appeal", number, &json!({ "name": "a" }));
            self.create("household", number, &json!({ "name": "h" }));
        }
        self
    }

    /// People with gifts, three each on average, of which a few are zero or negative, in pounds
    pub(crate) fn with_gifts(limits: Limits, people: u128, gifts: u128) -> Self {
        let world = Self::new(limits);
        for number in 0..people {
            world.create("person", number, &json!({}));
        }
        for number in 0..gifts {
            let amount = (number * 7_919) % 500 * 1_000_000;
            let donor = id("person", number * 31 % people);
            let date = format!("202{}-0{}-1{}", number % 7, 1 + number % 9, number % 10);
            world.create(
                "gift",
                number,
                &json!({ "donorId": donor, "amount": { "amountMicros": amount, "currencyCode": "GBP" }, "giftDate": date }),
            );
        }
        world
    }

    /// Creates a record with an id of its own, yesterday, without a request
    pub(crate) fn create(&self, object: &str, number: u128, fields: &Value) -> Uuid {
        let id = id(object, number);
        let mut body = fields.clone();
        body["id"] = json!(id);
        self.sandbox.borrow_mut().create(object, &body, yesterday()).unwrap()
    }

    pub(crate) fn patch(&self, object: &str, id: Uuid, fields: &Value) {
        self.sandbox.borrow_mut().patch(object, id, fields, yesterday()).unwrap();
    }

    /// A workspace with the same records, on a platform of its own
    pub(crate) fn twin(&self) -> Self {
        Self { world: self.world.twin(), way: self.way }
    }

    pub(crate) fn options(&self) -> Options {
        self.configured(defaults())
    }

    /// Options with these definitions, or with a whole configuration
    pub(crate) fn configured(&self, config: Value) -> Options {
        let mut config = if config.is_array() { json!({ "definitions": config }) } else { config };
        match self.way {
            Way::GraphQl | Way::LargeSlices(_) => {}
            Way::Rest => config["graphql"] = json!("off"),
            Way::Slices(parents) => config["rebuild"] = json!({ "parentsPerRun": parents }),
        }
        let mut options = self.plain_options();
        options.environment.set("ROLLUP_ENGINE_CONFIG", config.to_string());
        options
    }

    fn plain_options(&self) -> Options {
        let variables = [("TWENTY_API_URL", "http://twenty.test"), ("TWENTY_API_KEY", &self.token)];
        let mut options = Options { seed: 7, ..Options::default() };
        if let Way::LargeSlices(parents) = self.way {
            options.sizes = SliceSizes {
                parents_in_memory: 0,
                largest_slice: parents,
                smallest_slice: (parents / 4).max(1),
                write_portion: (parents / 3).max(1),
            };
        }
        for (name, value) in variables {
            options.environment.set(name, value);
        }
        options
    }

    /// Runs the engine with this payload, without faults
    pub(crate) async fn run(&self, payload: &Value) -> Report {
        calculate_rollups(&self.host(Faults::none()), payload, &self.options()).await
    }

    /// Every live parent whose totals are not what the slow, obvious computation says
    pub(crate) fn wrong(&self) -> Vec<String> {
        let sandbox = self.sandbox.borrow();
        let gifts = live(&sandbox.records("gift"));
        let of = |relation: &str| {
            let mut owners: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
            for gift in &gifts {
                owners.entry(gift[relation].to_string()).or_default().push(gift);
            }
            owners
        };
        let mut wrong = Vec::new();
        for (object, relation, amount, count, dates) in [
            ("person", "donorId", "lifetimeGiftAmount", "lifetimeGiftCount", true),
            ("company", "companyId", "lifetimeGiftAmount", "lifetimeGiftCount", true),
            ("appeal", "appealId", "raisedAmount", "giftCount", false),
        ] {
            let owners = of(relation);
            for parent in live(&sandbox.records(object)) {
                let own: Vec<&Value> = owners.get(&parent["id"].to_string()).cloned().unwrap_or_default();
                let mut expected = BTreeMap::from([(amount, money(&own)), (count, json!(counted(&own).len()))]);
                if dates {
                    expected.extend(year_and_dates(&own));
                }
                wrong.extend(differences(object, &parent, &expected));
            }
        }
        let people = live(&sandbox.records("person"));
        for household in live(&sandbox.records("household")) {
            let members: Vec<&Value> =
                people.iter().filter(|person| person["householdId"] == household["id"]).collect();
            let own: Vec<&Value> =
                gifts.iter().filter(|gift| members.iter().any(|member| member["id"] == gift["donorId"])).collect();
            let mut expected = BTreeMap::from([
                ("lifetimeGiftAmount", money(&own)),
                ("lifetimeGiftCount", json!(counted(&own).len())),
            ]);
            expected.extend(year_and_dates(&own));
            wrong.extend(differences("household", &household, &expected));
        }
        wrong
    }
}

/// Whether a request changes records, in either language
pub(crate) fn writes(request: &Request) -> bool {
    match request.method {
        Method::Get => false,
        Method::Post if request.url.ends_with("/graphql") => {
            String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).contains("mutation")
        }
        _ => true,
    }
}

/// The rows of a request that writes, each with its id
pub(crate) fn rows_written(request: &Request) -> Vec<Value> {
    let body: Value = serde_json::from_slice(request.body.as_deref().unwrap_or_default()).unwrap_or_default();
    match body {
        _ if !writes(request) => Vec::new(),
        Value::Array(rows) => rows,
        Value::Object(body) if request.url.ends_with("/graphql") => {
            body["variables"]["data"].as_array().cloned().unwrap_or_default()
        }
        Value::Object(mut row) => {
            let id = request.url.rsplit('/').next().unwrap_or_default();
            row.insert("id".into(), json!(id.split('?').next()));
            vec![Value::Object(row)]
        }
        _ => Vec::new(),
    }
}

/// Whether a run changed no record
pub(crate) fn wrote_nothing(report: &Report) -> bool {
    let endpoints = report.requests.by_endpoint.iter();
    endpoints
        .map(|(name, _)| name)
        .all(|name| name.starts_with("GET") || name.starts_with("POST /graphql") && !name.contains("create"))
}

/// Tokens of the rate limiter that a run spent
pub(crate) fn tokens(report: &Report) -> u64 {
    report.requests.tokens
}

/// A refusal in Twenty's words
pub(crate) fn refusal(status: u16, message: &str, code: Option<&str>) -> Response {
    let body = json!({ "statusCode": status, "error": "Error", "messages": [message], "code": code });
    answer(status, body.to_string())
}

/// The same in the language in which the request was made
pub(crate) fn refusal_of(request: &Request, message: &str) -> Response {
    if !request.url.ends_with("/graphql") {
        return refusal(400, message, None);
    }
    let body = json!({ "data": null, "errors": [{ "message": message, "extensions": { "code": "BAD_USER_INPUT" } }] });
    answer(200, body.to_string())
}

/// The id of the n-th record of an object
pub(crate) fn id(object: &str, number: u128) -> Uuid {
    let object = object.bytes().fold(0_u128, |sum, byte| sum * 31 + u128::from(byte)) % 0xFFFF;
    // Spread over the id space, so that pages do not follow the order of creation.
    let spread = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF) << 96;
    Uuid::from_u128(spread | object << 80 | 0x4000 << 64 | 0x8000 << 48 | number)
}

fn live(records: &[Value]) -> Vec<Value> {
    records.iter().filter(|record| record["deletedAt"].is_null()).cloned().collect()
}

/// Gifts that the default definitions count; reversals (below zero) are summed, and no gifts
fn counted<'a>(gifts: &[&'a Value]) -> Vec<&'a Value> {
    gifts
        .iter()
        .filter(|gift| gift["amount"]["amountMicros"].as_i64().is_some_and(|micros| micros > 0))
        .copied()
        .collect()
}

/// Their sum, or `mixed`
fn money(gifts: &[&Value]) -> Value {
    let amount = |gift: &Value| gift["amount"]["amountMicros"].as_i64().filter(|micros| *micros != 0);
    let summed: Vec<&Value> = gifts.iter().filter(|gift| amount(gift).is_some()).copied().collect();
    let mut codes: Vec<&Value> = summed.iter().map(|gift| &gift["amount"]["currencyCode"]).collect();
    codes.sort_by_key(ToString::to_string);
    codes.dedup();
    let sum: i64 = summed.iter().filter_map(|gift| amount(gift)).sum();
    match codes.as_slice() {
        [] => json!({ "amountMicros": 0, "currencyCode": null }),
        [code] => json!({ "amountMicros": sum, "currencyCode": code }),
        _ => json!("mixed"),
    }
}

fn year_and_dates(gifts: &[&Value]) -> BTreeMap<&'static str, Value> {
    let date = |gift: &&Value| gift["giftDate"].as_str().map(str::to_owned);
    let until_today = |gift: &&&Value| date(gift).is_some_and(|date| date.as_str() <= "2026-11-30");
    let this_year = |gift: &&&Value| until_today(gift) && date(gift).is_some_and(|date| date.as_str() >= "2026-01-01");
    let in_this_year: Vec<&Value> = gifts.iter().filter(this_year).copied().collect();
    let counted = counted(gifts);
    let dates = || counted.iter().filter(until_today).filter_map(date);
    BTreeMap::from([
        ("yearToDateGiftAmount", money(&in_this_year)),
        ("yearToDateGiftCount", json!(super::common::counted(&in_this_year).len())),
        ("firstGiftDate", json!(dates().min())),
        ("lastGiftDate", json!(dates().max())),
    ])
}

/// An empty field equals a zero; a mixture may be anything, as it is left alone
fn differences(object: &str, parent: &Value, expected: &BTreeMap<&str, Value>) -> Vec<String> {
    let zero = |value: &Value| value.as_f64() == Some(0.0) || value.is_null();
    let same = |expected: &Value, found: &Value| match expected {
        Value::String(text) if text == "mixed" => true,
        Value::Object(money) => {
            (money["amountMicros"] == found["amountMicros"]
                || zero(&money["amountMicros"]) && zero(&found["amountMicros"]))
                && money["currencyCode"] == found["currencyCode"]
        }
        Value::Number(_) => expected == found || zero(expected) && zero(found),
        _ => expected == found,
    };
    let wrong = expected.iter().filter(|(field, expected)| !same(expected, &parent[**field]));
    wrong
        .map(|(field, expected)| {
            format!("{object} {}: {field} is {}, expected {expected}", parent["id"], parent[*field])
        })
        .collect()
}

/// Chance that is the same for the same seed
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below this one
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % most
    }

    /// One of them
    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }
}
