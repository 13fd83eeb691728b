//! A success whose body is cut short, empty or of another shape is read again; nothing is written from it.

use std::cell::Cell;

use ports::{Request, Response};
use rollup::report::Status;
use rollup::{Report, calculate_rollups};
use sandbox::{Faults, Limits};
use serde_json::{Value, json};
use support::InterceptHost;

use super::common::{EngineWorld, Way, id};

/// What is done to a body
type Break = (&'static str, fn(&str) -> String);

/// The body with its JSON changed at each object, from the outside in
fn changed(body: &str, change: &dyn Fn(&mut serde_json::Map<String, Value>)) -> String {
    fn walk(json: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)) {
        match json {
            Value::Object(object) => {
                change(object);
                object.values_mut().for_each(|value| walk(value, change));
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, change)),
            _ => {}
        }
    }
    let mut json: Value = serde_json::from_str(body).unwrap_or_default();
    walk(&mut json, change);
    json.to_string()
}

fn without(body: &str, key: &str) -> String {
    changed(body, &|object| drop(object.remove(key)))
}

/// The body with something else under each key of `data`
fn rooted(body: &str, root: &Value) -> String {
    let mut json: Value = serde_json::from_str(body).unwrap_or_default();
    match &mut json["data"] {
        Value::Object(data) => data.values_mut().for_each(|value| value.clone_from(root)),
        data => data.clone_from(root),
    }
    json.to_string()
}

const BREAKS: [Break; 19] = [
    ("empty", |_| String::new()),
    ("null", |_| "null".to_owned()),
    ("a list", |_| "[]".to_owned()),
    ("an object", |_| "{}".to_owned()),
    ("a text", |_| "\"x\"".to_owned()),
    ("no data", |_| r#"{"data":null}"#.to_owned()),
    ("data of nothing", |_| r#"{"data":{}}"#.to_owned()),
    ("data of a list", |_| r#"{"data":[]}"#.to_owned()),
    ("cut in the middle", |body| body[..body.len() / 2].to_owned()),
    ("cut at the end", |body| body[..body.len() - 1].to_owned()),
    ("a root of null", |body| rooted(body, &Value::Null)),
    ("a root of nothing", |body| rooted(body, &json!({}))),
    ("a root of a text", |body| rooted(body, &json!("x"))),
    ("a root of nulls", |body| rooted(body, &json!([null]))),
    ("no count", |body| without(body, "totalCount")),
    ("a count of another type", |body| {
        changed(body, &|object| {
            if let Some(count) = object.get_mut("totalCount") {
                *count = json!("many");
            }
        })
    }),
    ("no place in the pages", |body| without(body, "pageInfo")),
    ("no word of a next page", |body| without(body, "hasNextPage")),
    ("no ids", |body| without(body, "id")),
];

/// Runs with the replies broken from one call on, so many of them; tells whether that changed anything, and the report
async fn run(world: &EngineWorld, payload: &Value, from: usize, most: usize, bend: &Break) -> (bool, Report) {
    let (calls, broken) = (Cell::new(0), Cell::new(0));
    let host = InterceptHost::new(world.host(Faults::none())).after(|_: &Request, answer: Response| {
        let place = calls.replace(calls.get() + 1);
        if place < from || broken.get() >= most || answer.status >= 300 {
            return answer;
        }
        let body = String::from_utf8(answer.body.clone()).unwrap();
        let other = (bend.1)(&body);
        let unchanged = serde_json::from_str::<Value>(&other).ok() == serde_json::from_str(&body).ok();
        if unchanged {
            return answer;
        }
        broken.set(broken.get() + 1);
        Response { body: other.into_bytes(), ..answer }
    });
    let report = calculate_rollups(&host, payload, &world.options()).await;
    (broken.get() > 0, report)
}

fn template(way: Way) -> EngineWorld {
    EngineWorld::with_gifts(Limits::off(), 6, 20).by(way)
}

fn payloads() -> [Value; 2] {
    let ids: Vec<_> = (0..6).map(|number| id("person", number)).collect();
    [json!({}), json!({ "requestContext": {}, "body": { "ids": ids } })]
}

/// Whichever reply is broken, and however, the run ends exact, and says that it asked again
#[tokio::test(start_paused = true)]
async fn single_broken_replies() {
    let (mut tried, mut repeated) = (0, 0);
    for way in Way::BOTH {
        let template = template(way);
        for payload in payloads() {
            for bend in &BREAKS {
                for from in 0.. {
                    let world = template.twin();
                    let (was_broken, report) = run(&world, &payload, from, 1, bend).await;
                    if !was_broken {
                        break;
                    }
                    tried += 1;
                    let told = format!("{way:?}, {payload}, call {from}, {}: {report:?}", bend.0);
                    assert_eq!(world.wrong(), Vec::<String>::new(), "{told}");
                    assert_eq!(report.status, Status::Ok, "{told}");
                    // The metadata can do without some of it.
                    assert!(report.requests.retried <= 1, "{told}");
                    repeated += report.requests.retried;
                }
            }
        }
    }
    assert!(tried > 400 && repeated * 10 > tried * 7, "{tried} replies were broken, {repeated} calls were repeated");
}

/// Where replies stay broken, no total is written that is not right, and the report names the call
#[tokio::test(start_paused = true)]
async fn lasting_broken_replies() {
    for way in Way::BOTH {
        let template = template(way);
        let before = template.wrong();
        for payload in payloads() {
            for bend in &BREAKS {
                for from in 0.. {
                    let world = template.twin();
                    let (was_broken, report) = run(&world, &payload, from, usize::MAX, bend).await;
                    if !was_broken {
                        break;
                    }
                    let told = format!("{way:?}, {payload}, from call {from}, {}: {report:?}", bend.0);
                    for wrong in world.wrong() {
                        assert!(before.contains(&wrong), "{wrong}: {told}");
                    }
                    if !world.wrong().is_empty() {
                        assert_ne!(report.status, Status::Ok, "{told}");
                        let said = format!(
                            "{:?} {:?} {:?} {:?}",
                            report.message, report.skipped, report.failures, report.notes
                        );
                        assert!(
                            ["GET /rest/", "POST /", "PATCH /rest/"].iter().any(|call| said.contains(call)),
                            "{told}"
                        );
                    }
                }
            }
        }
    }
}
