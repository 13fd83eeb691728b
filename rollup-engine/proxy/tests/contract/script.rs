//! Plays the upstream of one recorded case.

use std::cell::{Cell, RefCell};

use ports::{FetchError, Request, Response};
use proxy::http::Inbound;
use serde_json::{Map, Value, json};

use crate::compare::diff;

/// Where the service believes Twenty to be
pub(crate) const BASE: &str = "http://twenty.test/rest";

pub(crate) struct Script {
    steps: Vec<Value>,
    unordered: bool,
    extra_keys: Value,
    done: RefCell<Vec<usize>>,
    position: Cell<usize>,
    last: RefCell<Option<(Value, Value)>>,
    pub(crate) problems: RefCell<Vec<String>>,
}

struct Call {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl Script {
    pub(crate) fn new(case: &Value, extra_keys: Value) -> Self {
        Self {
            steps: case["upstream"].as_array().unwrap().clone(),
            unordered: case["unordered"] == true,
            extra_keys,
            done: RefCell::default(),
            position: Cell::new(0),
            last: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    /// Steps that must have come and did not
    pub(crate) fn missing(&self) -> Vec<String> {
        let done = self.done.borrow();
        let open = self.steps.iter().enumerate();
        let open = open.filter(|(index, step)| !done.contains(index) && step["optional"] != true);
        open.map(|(_, step)| format!("never came: {} {}", step["expect"]["method"], step["expect"]["path"])).collect()
    }

    fn play(&self, call: &Call, request: &Request) -> Value {
        let first = if self.unordered { 0 } else { self.position.get() };
        for index in first..self.steps.len() {
            if self.done.borrow().contains(&index) {
                continue;
            }
            let step = &self.steps[index];
            let alternatives = step["alternatives"].as_array().into_iter().flatten();
            let ways = std::iter::once(step).chain(alternatives);
            if let Some(way) = ways.into_iter().find(|way| is_to(&way["expect"], call)) {
                self.check(&way["expect"], call, request);
                self.done.borrow_mut().push(index);
                self.position.set(self.position.get().max(index + 1));
                *self.last.borrow_mut() = Some((way["expect"].clone(), way["reply"].clone()));
                return way["reply"].clone();
            }
            if !self.unordered && step["optional"] != true {
                break;
            }
        }
        if let Some((expect, reply)) = &*self.last.borrow() {
            let status = reply["status"].as_u64().unwrap_or(0);
            if is_to(expect, call) && (reply["drop"] == true || matches!(status, 429 | 500 | 502..=504)) {
                return reply.clone();
            }
        }
        if call.method == "GET" {
            return extra_read(call);
        }
        self.problems.borrow_mut().push(format!("unforeseen {} {}", call.method, call.path));
        json!({ "status": 418, "body": { "statusCode": 418, "messages": ["unforeseen call"] } })
    }

    fn check(&self, expect: &Value, call: &Call, request: &Request) {
        let at = format!("{} {}", call.method, call.path);
        let mut out = Vec::new();
        if expect.get("queryQuirk").is_none() {
            let mut expected: Vec<(String, String)> = Vec::new();
            for pair in expect["query"].as_array().into_iter().flatten() {
                expected.push((pair[0].as_str().unwrap().into(), pair[1].as_str().unwrap().into()));
            }
            let mut found = call.query.clone();
            expected.sort();
            found.sort();
            if expected != found {
                out.push(format!("{at} query: {found:?}, expected {expected:?}"));
            }
        }
        match (expect.get("body"), &call.body) {
            (None, None) => {}
            (None, Some(body)) => {
                if body.as_object().is_none_or(|members| !members.is_empty()) {
                    out.push(format!("{at}: unexpected body {body}"));
                }
            }
            (Some(_), body) if expect.get("bodyQuirk").is_some() => {
                if !body.as_ref().is_some_and(Value::is_object) {
                    out.push(format!("{at}: expected an object"));
                }
            }
            (Some(expected), body) => {
                let (expected, found) = self.tolerated(expect, expected, body.as_ref());
                diff(&expected, found.as_ref(), &format!("{at} body"), &mut out);
            }
        }
        for (name, value) in expect["headers"].as_object().into_iter().flatten() {
            let found = request.header(name);
            if found != value.as_str() {
                out.push(format!("{at} header {name}: {found:?}, expected {value}"));
            }
        }
        self.problems.borrow_mut().append(&mut out);
    }

    fn tolerated(&self, expect: &Value, expected: &Value, found: Option<&Value>) -> (Value, Option<Value>) {
        let (Some(own), Some(members)) = (expected.as_object(), found.and_then(Value::as_object)) else {
            return (expected.clone(), found.cloned());
        };
        let named = format!("{} {}", expect["method"].as_str().unwrap(), expect["path"].as_str().unwrap());
        let has = |list: &Value, key: &str| list.as_array().is_some_and(|list| list.iter().any(|each| each == key));
        let mut found: Map<String, Value> = members.clone();
        found.retain(|key, _| {
            own.contains_key(key) || !(has(&self.extra_keys[&named], key) || has(&expect["bodyExtra"], key))
        });
        let mut own = own.clone();
        own.retain(|key, _| found.contains_key(key) || !has(&expect["bodyOptional"], key));
        (Value::Object(own), Some(Value::Object(found)))
    }

    pub(crate) fn answer(&self, request: &Request) -> Result<Response, FetchError> {
        let target = request.url.strip_prefix("http://twenty.test").unwrap_or(&request.url).to_owned();
        let inbound = Inbound { target, ..Inbound::default() };
        let call = Call {
            method: request.method.as_str(),
            path: inbound.path().to_owned(),
            query: inbound.query(),
            body: request.body.as_deref().map(|body| serde_json::from_slice(body).unwrap()),
        };
        if !request.url.starts_with(BASE) {
            self.problems.borrow_mut().push(format!("a call to elsewhere: {}", request.url));
        }
        let reply = self.play(&call, request);
        if reply["drop"] == true {
            return Err(support::unreachable("cut"));
        }
        let mut headers = Vec::new();
        for (name, value) in reply["headers"].as_object().into_iter().flatten() {
            headers.push((name.to_ascii_lowercase(), value.as_str().unwrap().to_owned()));
        }
        let body = match (reply["text"].as_str(), reply.get("body")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(body)) => body.to_string().into_bytes(),
            (None, None) => Vec::new(),
        };
        Ok(Response { status: u16::try_from(reply["status"].as_u64().unwrap()).unwrap(), headers, body })
    }
}

fn is_to(expect: &Value, call: &Call) -> bool {
    expect["method"] == call.method && expect["path"] == call.path.as_str()
}

/// A look-up that was not recorded finds nothing.
fn extra_read(call: &Call) -> Value {
    let parts: Vec<_> = call.path.trim_start_matches("/rest/").split('/').filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 {
        return json!({ "status": 404,
            "body": { "statusCode": 404, "error": "NotFoundException", "messages": ["Record not found"] } });
    }
    let mut data = Map::new();
    data.insert(parts.first().map_or("records", |part| part).into(), json!([]));
    let page = json!({ "startCursor": null, "endCursor": null, "hasNextPage": false, "hasPreviousPage": false });
    json!({ "status": 200, "body": { "data": data, "totalCount": 0, "pageInfo": page } })
}
