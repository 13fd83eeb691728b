//! The recorded cases of gifts, staging, processing and receipts, against a Twenty that answers by their script.
//!
//! What the replayer of the contract tolerates is tolerated here: steps that are optional, a claim by a filtered PATCH,
//! own ids, further warnings, and look-ups that the script does not know, which find nothing.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use fundraising::http::Inbound;
use fundraising::proxy::Proxy;
use fundraising::receipt;
use fundraising::routes::{gifts, process, staging};
use fundraising::scope::Scope;
use fundraising::settings::Settings;
use serde_json::{Map, Value, json};
use twenty::gate::Priority;
use twenty::{Event, Host, Request, Response, Timestamp, Unreachable};

use super::common::answer;

struct Script {
    steps: Vec<Value>,
    at: RefCell<usize>,
    passed: RefCell<Duration>,
    last: RefCell<Option<Value>>,
    problems: RefCell<Vec<String>>,
}

fn reply(reply: &Value) -> Result<Response, Unreachable> {
    if reply["drop"] == true {
        return Err(Unreachable { reason: "cut".into() });
    }
    let body = match (&reply["text"], &reply["body"]) {
        (Value::String(text), _) => text.clone(),
        (_, Value::Null) => String::new(),
        (_, body) => body.to_string(),
    };
    let headers = reply["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    Ok(Response { status: u16::try_from(reply["status"].as_u64().unwrap()).unwrap(), headers, body: body.into_bytes() })
}

impl Script {
    fn meets(&self, step: &Value, request: &Request, path: &str) -> bool {
        step["expect"]["method"] == request.method.as_str() && step["expect"]["path"] == path
    }

    fn take(&self, step: &Value, request: &Request, path: &str) -> Result<Response, Unreachable> {
        let expect = &step["expect"];
        let sent: Value = request.body.as_deref().map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
        let mut wanted = expect.get("body").cloned().unwrap_or_default();
        let mut found = sent.clone();
        let extra: &[&str] = match (expect["method"].as_str().unwrap(), path) {
            ("POST", "/rest/gifts") => &["id", "intakeSource", "sourceFingerprint"],
            ("POST", "/rest/people") => &["id"],
            ("POST", "/rest/giftStagings") => &["id", "companyId", "validationStatus", "dedupeStatus"],
            _ => &[],
        };
        let extra: Vec<&str> = extra.iter().copied().chain(texts(&expect["bodyExtra"])).collect();
        if let (Value::Object(wanted), Value::Object(found)) = (&mut wanted, &mut found) {
            found.retain(|key, _| wanted.contains_key(key) || !extra.contains(&key.as_str()));
            for key in texts(&expect["bodyOptional"]) {
                if !found.contains_key(key) {
                    wanted.remove(key);
                }
            }
        }
        if !same(&wanted, &found) {
            self.problems.borrow_mut().push(format!("{} {path}: sent {sent}, expected {wanted}", request.method));
        }
        *self.last.borrow_mut() = Some(step.clone());
        reply(&step["reply"])
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

impl Host for Script {
    async fn fetch(&self, request: Request) -> Result<Response, Unreachable> {
        let path = request.url.strip_prefix("http://twenty.test").unwrap().split('?').next().unwrap().to_owned();
        let start = *self.at.borrow();
        for (number, step) in self.steps.iter().enumerate().skip(start) {
            let ways = std::iter::once(step).chain(step["alternatives"].as_array().into_iter().flatten());
            for way in ways {
                if self.meets(way, &request, &path) {
                    *self.at.borrow_mut() = number + 1;
                    return self.take(way, &request, &path);
                }
            }
            if step["optional"] != true {
                break;
            }
        }
        let last = self.last.borrow().clone();
        if let Some(last) = last.filter(|last| self.meets(last, &request, &path)) {
            let status = last["reply"]["status"].as_u64().unwrap_or(503);
            if status == 429 || status >= 500 {
                return reply(&last["reply"]);
            }
        }
        if request.method == twenty::Method::Get {
            let name = path.trim_start_matches("/rest/").to_owned();
            return reply(&match name.split_once('/') {
                Some(_) => json!({ "status": 404, "body": { "statusCode": 404, "messages": ["Record not found"] } }),
                None => {
                    let data = Map::from_iter([(name, json!([]))]);
                    json!({ "status": 200, "body": { "data": data, "totalCount": 0, "pageInfo": { "hasNextPage": false } } })
                }
            });
        }
        self.problems.borrow_mut().push(format!("{} {path} was not foreseen", request.method));
        reply(&json!({ "status": 418, "body": {} }))
    }
    async fn sleep(&self, duration: Duration) {
        *self.passed.borrow_mut() += duration;
    }
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-25T10:00:00Z").unwrap() + *self.passed.borrow()
    }
    fn log(&self, _: Event) {}
    fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> {
        None
    }
}

fn same(expected: &Value, found: &Value) -> bool {
    if let Some(soft) = expected.get("$soft") {
        return expected["as"] == "any" || soft == found || found.is_string();
    }
    if let Some(wrapped) = expected.get("$json") {
        return match found {
            Value::String(text) => serde_json::from_str(text).is_ok_and(|found| same(wrapped, &found)),
            found => same(wrapped, found),
        };
    }
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) if expected.contains_key("processingBlockers") => {
            let within = |key: &str| {
                let all: Vec<&str> = texts(&found[key]).collect();
                texts(&expected[key]).all(|code| all.contains(&code))
            };
            expected["processingEligibility"] == found["processingEligibility"]
                && expected["identityConfidence"] == found["identityConfidence"]
                && within("processingBlockers")
                && within("processingWarnings")
        }
        (Value::Object(expected), Value::Object(found)) => {
            expected.len() == found.len()
                && expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| same(value, found)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(expected, found)| same(expected, found))
        }
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (Value::String(expected), Value::String(_)) if expected == "<string>" => true,
        (expected, found) => expected == found,
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%' {
            let (pair, tail) = rest.split_at(2);
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            rest = tail;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn play(case: &Value) -> Option<Vec<String>> {
    let env = |name: &str| case["env"].get(name).and_then(Value::as_str);
    let on = |name: &str| env(name).is_some_and(|text| matches!(text, "1" | "true" | "yes" | "on"));
    let proxy = Proxy::new(Settings {
        base_url: "http://twenty.test/rest".into(),
        staging: on("FUNDRAISING_ENABLE_GIFT_STAGING"),
        auto_process: on("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT"),
        receipts: receipt::Settings::read(
            env("FUNDRAISING_RECEIPT_POLICY_ONE_OFF"),
            env("FUNDRAISING_RECEIPT_POLICY_RECURRING"),
            env("FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR"),
        ),
        ..Settings::default()
    });
    let script = Script {
        steps: case["upstream"].as_array().unwrap().clone(),
        at: RefCell::new(0),
        passed: RefCell::default(),
        last: RefCell::new(None),
        problems: RefCell::default(),
    };
    let scope = Scope::new(&proxy, &script, &Inbound::default(), Some("t".into()), Priority::Person);
    let request = &case["request"];
    let full = request["path"].as_str().unwrap().strip_prefix("/api/fundraising/")?;
    let (path, query) = full.split_once('?').unwrap_or((full, ""));
    let body = request.get("body").map_or_else(String::new, Value::to_string);
    let pairs: Vec<_> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    let parts: Vec<String> = path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let result = match (request["method"].as_str().unwrap(), parts.as_slice()) {
        ("POST", ["gifts"]) => gifts::create(&scope, body.as_bytes(), None).await,
        ("GET", ["gifts"]) => gifts::list(&scope, query).await,
        ("GET", ["gifts", id]) => gifts::get(&scope, id, query).await,
        ("PATCH", ["gifts", id]) => gifts::patch(&scope, id, body.as_bytes()).await,
        ("DELETE", ["gifts", id]) => gifts::delete(&scope, id).await,
        ("POST", ["gift-staging"]) => staging::create(&scope, body.as_bytes(), None).await,
        ("GET", ["gift-staging"]) => staging::list(&scope, &pairs).await,
        ("GET", ["gift-staging", id]) => staging::get(&scope, id).await,
        ("PATCH", ["gift-staging", id]) => staging::patch(&scope, id, body.as_bytes()).await,
        ("PATCH", ["gift-staging", id, "status"]) => staging::status(&scope, id, body.as_bytes()).await,
        ("POST", ["gift-staging", id, "process"]) => process::one(&scope, id).await,
        _ => return None,
    };
    let (status, body) = answer(result);
    let mut problems = script.problems.take();
    let response = &case["response"];
    if response["status"] != status {
        problems.push(format!("status {status}, expected {}: {body}", response["status"]));
    } else if status < 400 && !same(&response["body"], &body) {
        problems.push(format!("answered {body}, expected {}", response["body"]));
    }
    let left: Vec<_> = script.steps.iter().skip(*script.at.borrow()).filter(|step| step["optional"] != true).collect();
    // Twenty is asked until it answers: how often is no matter of these cases.
    if let Some(step) = left.first().filter(|step| {
        Some(&step["expect"]["path"]) != script.last.borrow().as_ref().map(|last| &last["expect"]["path"])
    }) {
        problems.push(format!("not called: {}", step["expect"]["path"]));
    }
    Some(problems)
}

#[tokio::test(start_paused = true)]
async fn every_case_that_is_contract_is_met() {
    let (mut met, mut wrong) = (0, Vec::new());
    for file in ["02-gifts", "07-staging", "08-process", "10-receipts"] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../../shared/proxy-contract/cases-{file}.jsonl"));
        let Ok(lines) = std::fs::read_to_string(&path) else { return };
        for line in lines.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            if case.get("quirk").is_some() {
                continue;
            }
            if let Some(problems) = play(&case).await {
                met += 1;
                wrong.extend(problems.into_iter().map(|problem| format!("{}: {problem}", case["name"])));
            }
        }
    }
    assert!(wrong.is_empty(), "{} problems in {met} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(met >= 90, "only {met}");
}
