//! Plays the client of the recorded cases, and counts what does not fit.

use ports::{Clock as _, Timestamp};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use serde_json::Value;
use support::{StubHost, hmac_hex, recorded};

use crate::compare::{diff, show};
use crate::script::{BASE, Script};

/// Cases that differ on purpose: a path's id that is no UUID never reaches Twenty (`docs/PROXY.md`)
const DELIBERATE: &[&str] = &["gift.get.id-encoded"];

/// Replays the cases of one file that are contract, and fails with everything that does not fit.
pub(crate) fn replay(file: &str) {
    let Some(cases) = recorded::lines(&format!("proxy-contract/{file}")) else { return };
    let masks = recorded::text("proxy-contract/masks.json").unwrap();
    let masks: Value = serde_json::from_str(&masks).unwrap();
    let only = std::env::var("CASE").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    let (mut passed, mut failures) = (0, Vec::new());
    let mut proxies: Vec<(Value, Service)> = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let name = case["name"].as_str().unwrap();
        if case.get("quirk").is_some() || !name.contains(&only) {
            continue;
        }
        let env = &case["env"];
        if !proxies.iter().any(|(other, _)| other == env) {
            proxies.push((env.clone(), Service::new(Settings::read(|name| setting(env, name)).unwrap())));
        }
        let proxy = &proxies.iter().find(|(other, _)| other == env).unwrap().1;
        let problems = runtime.block_on(play(proxy, case, &masks["extraBodyKeys"], number));
        if DELIBERATE.contains(&name) {
            assert!(problems.iter().any(|problem| problem.contains("never came")), "{name}: {problems:?}");
            continue;
        }
        if problems.is_empty() {
            passed += 1;
        }
        failures.extend(problems.iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(failures.is_empty(), "{passed} passed, and\n{}", failures.join("\n"));
    assert!(passed > 0 || !only.is_empty(), "no case in {file}");
}

fn setting(env: &Value, name: &str) -> Option<String> {
    match name {
        "TWENTY_API_BASE_URL" => Some(BASE.into()),
        "FUNDRAISING_REQUESTS_PER_MINUTE" => Some("off".into()),
        "FUNDRAISING_CACHE_SECONDS" => Some("0".into()),
        _ => env.get(name)?.as_str().map(str::to_owned),
    }
}

async fn play(proxy: &Service, case: &Value, extra_keys: &Value, number: usize) -> Vec<String> {
    let base = Timestamp::parse("2026-11-25T12:00:00Z").unwrap();
    let script = Script::new(case, extra_keys.clone());
    let host = StubHost::new(|request| script.answer(request)).at(base);
    let request = inbound(&case["request"], host.now(), number);
    let answer = proxy.handle(&host, request).await;

    let mut problems = script.problems.borrow().clone();
    check_answer(&case["response"], &answer, &mut problems);
    let took = host.now().since(base).as_millis();
    if case["minMs"].as_u64().is_some_and(|least| took < u128::from(least)) {
        problems.push(format!("answered after {took} ms, expected at least {}", case["minMs"]));
    }
    problems.extend(script.missing());
    problems.extend(leaks(case, &host));
    problems
}

fn check_answer(expected: &Value, answer: &Outbound, problems: &mut Vec<String>) {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let status = expected["status"].as_u64().unwrap();
    if u64::from(answer.status) != status {
        problems.push(format!("status {}, expected {status}: {text}", answer.status));
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let found = answer.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let found = if name == "content-type" { found.and_then(|kind| kind.split(';').next()) } else { found };
        diff(value, found.map(Value::from).as_ref(), &format!("header {name}"), problems);
    }
    let body = if text.is_empty() { None } else { Some(serde_json::from_str(&text).unwrap_or(Value::from(text))) };
    if status >= 400 {
        if body.as_ref().is_none_or(|body| body["message"].as_str().is_none_or(str::is_empty)) {
            problems.push("no `message` text".into());
        }
        return;
    }
    match expected.get("body") {
        Some(expected) => diff(expected, body.as_ref(), "body", problems),
        None => problems.extend(body.map(|body| format!("body {}, expected none", show(&body)))),
    }
}

/// Tokens and donors' addresses in the log
fn leaks(case: &Value, host: &StubHost<'_>) -> Vec<String> {
    let mut secrets = vec!["svc-key".to_owned(), "user-session".to_owned(), "query-token".to_owned(), "@".to_owned()];
    for key in ["firstName", "lastName"] {
        secrets.extend(case["request"]["body"]["contact"][key].as_str().map(|name| format!("\"{}\"", name.trim())));
    }
    let lines = host.lines();
    let lines = lines.iter().map(|event| serde_json::to_string(event).unwrap());
    lines
        .filter(|line| secrets.iter().any(|secret| line.contains(secret)))
        .map(|line| format!("logged: {line}"))
        .collect()
}

fn inbound(request: &Value, now: Timestamp, number: usize) -> Inbound {
    let body = match (&request["rawBody"], request.get("body")) {
        (Value::String(raw), _) => Some(raw.clone()),
        (_, Some(body)) => Some(expand(body).to_string()),
        _ => None,
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let value = match value.get("$stripe") {
            Some(how) => stripe_signature(body.as_deref().unwrap_or_default(), how, now),
            None => value.as_str().unwrap().to_owned(),
        };
        headers.push((name.clone(), value));
    }
    let has_kind = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if request.get("body").is_some() && request.get("rawBody").is_none() && !has_kind {
        headers.push(("content-type".into(), "application/json".into()));
    }
    Inbound {
        method: request["method"].as_str().unwrap().into(),
        target: request["path"].as_str().unwrap().into(),
        headers,
        body: body.unwrap_or_default().into_bytes(),
        entropy: u128::try_from(number).unwrap() + 1,
    }
}

fn expand(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$repeat") {
            Some(how) => how[0].as_str().unwrap().repeat(usize::try_from(how[1].as_u64().unwrap()).unwrap()).into(),
            None => members.iter().map(|(key, value)| (key.clone(), expand(value))).collect(),
        },
        Value::Array(list) => list.iter().map(expand).collect(),
        other => other.clone(),
    }
}

fn stripe_signature(body: &str, how: &Value, now: Timestamp) -> String {
    let time = now.as_millis() / 1_000 - how["ageSeconds"].as_i64().unwrap_or(0);
    let body = how["overBody"].as_str().unwrap_or(body);
    let sign = |secret: &Value| hmac_hex(secret.as_str().unwrap(), &[format!("{time}.{body}").as_bytes()]);
    let mut parts = vec![format!("t={time}")];
    if how.get("alsoSecret").is_some() {
        parts.push(format!("v1={}", sign(&how["alsoSecret"])));
    }
    parts.push(format!("{}={}", how["scheme"].as_str().unwrap_or("v1"), sign(&how["secret"])));
    parts.join(",")
}
