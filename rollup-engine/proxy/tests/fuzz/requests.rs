//! Whole requests, against a Twenty that answers as the input says.
//!
//! An input is a request as it stands on the wire, with `---` and the script of the stub below it. A webhook without a
//! signature is signed.

use bolero::check;
use ports::{Method, Request};
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::router;
use proxy::settings::Settings;
use serde_json::Value;

use crate::stub::{lines, stub};
use support::bend::{MAX_LEN, TEST_TIME, bent, corpus};
use support::{StubHost, hmac_hex};

pub(crate) const TOKEN: &str = "callers-own-t0k3n";
const KEY: &str = "services-own-k3y";
const SECRET: &str = "webhooks-own-s3cret";

pub(crate) fn settings(staging: bool) -> Settings {
    Settings::read(|name| {
        let value = match name {
            "TWENTY_API_BASE_URL" => "http://twenty.test/rest",
            "TWENTY_API_KEY" => KEY,
            "STRIPE_WEBHOOK_SECRET" | "GOCARDLESS_WEBHOOK_SECRET" => SECRET,
            "GOCARDLESS_ACCESS_TOKEN" => "gc",
            "GOCARDLESS_API_URL" => "http://gocardless.test",
            "FUNDRAISING_ENABLE_GIFT_STAGING" if staging => "true",
            "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT" | "FUNDRAISING_GIFT_AID" => "true",
            "FUNDRAISING_REQUESTS_PER_MINUTE" => "off",
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

/// The request of an input, and the stub's script
fn read(input: &[u8]) -> (Inbound, String) {
    let marks = b"\n---\n";
    let at = input.windows(marks.len()).position(|window| window == marks);
    let (wire, script) = at.map_or((input, &[][..]), |at| (&input[..at], &input[at + marks.len()..]));
    let at = wire.windows(2).position(|window| window == b"\n\n");
    let (head, body) = at.map_or((wire, &[][..]), |at| (&wire[..at], &wire[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
    let mut headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let has =
        |headers: &[(String, String)], name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let seconds = (StubHost::START.as_millis() / 1_000).to_string();
    for (name, value) in [
        ("authorization", format!("Bearer {TOKEN}")),
        ("content-type", "application/json".to_owned()),
        ("stripe-signature", format!("t={seconds},v1={}", hmac_hex(SECRET, &[seconds.as_bytes(), b".", body]))),
        ("webhook-signature", hmac_hex(SECRET, &[body])),
    ] {
        if !has(&headers, name) {
            headers.push((name.to_owned(), value));
        }
    }
    let request =
        Inbound { method: method.to_owned(), target: target.to_owned(), headers, body: body.to_vec(), entropy: 7 };
    (request, String::from_utf8_lossy(script).into_owned())
}

fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// What holds for every answer, and for every call that went out for it
fn judge(request: &Inbound, answer: &Outbound, host: &StubHost<'_>) {
    let shown = |what: &str| {
        format!(
            "{what}: {} {} → {} {}",
            request.method,
            request.target,
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
    };
    assert!((200..600).contains(&answer.status) && answer.status != 500, "{}", shown("status"));
    let header = |name: &str| answer.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    assert!(header("x-request-id").is_some_and(|id| !id.is_empty()), "{}", shown("no id"));
    let text = String::from_utf8(answer.body.clone()).unwrap();
    if request.method == "HEAD" {
        assert!(text.is_empty(), "{}", shown("a body of HEAD"));
    } else if answer.status >= 400 {
        let body: Value = serde_json::from_str(&text).unwrap();
        assert!(body.get("message").is_some_and(Value::is_string), "{}", shown("no message"));
    }
    let is_webhook = router::find(&request.method, request.clone().in_origin_form().path()).is_webhook;
    let (sent, lines) = (host.sent(), lines(host));
    if matches!(answer.status, 401 | 413) && !lines.iter().any(|line| line.contains("twenty_proxy_")) {
        assert!(sent.is_empty(), "{}", shown("calls"));
    }
    for secret in [TOKEN, KEY, SECRET] {
        assert!(!text.contains(secret), "{}", shown("a secret"));
        assert!(answer.headers.iter().all(|(_, value)| !value.contains(secret)), "{}", shown("a secret"));
        assert!(lines.iter().all(|line| !line.contains(secret)), "{}", shown("a secret in the log"));
        assert!(sent.iter().all(|call| !call.url.contains(secret)), "{}", shown("a secret in a URL"));
    }
    for call in sent.iter() {
        assert!(call.url.bytes().all(|byte| byte.is_ascii_graphic()), "{}: {}", shown("a URL"), call.url);
        let to_twenty = call.url.starts_with("http://twenty.test/rest/");
        assert!(to_twenty || call.url.starts_with("http://gocardless.test/"), "{}: {}", shown("a URL"), call.url);
        assert!(!to_twenty || is_allowed(call), "{}: {} {}", shown("a call"), call.method, call.url);
        if is_webhook && to_twenty {
            assert_eq!(
                call.header("authorization"),
                Some(format!("Bearer {KEY}").as_str()),
                "{}",
                shown("whose token")
            );
        }
        if let Some(body) = &call.body {
            let json: Value = serde_json::from_slice(body).unwrap();
            assert!(!has_nul(&json), "{}: {json}", shown("NUL"));
        }
    }
}

/// Whether a call to Twenty is of one of the forms that reach no other record than they name
pub(crate) fn is_allowed(call: &Request) -> bool {
    let path = call.url.strip_prefix("http://twenty.test/rest/").unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_id =
        |text: &str| uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text.to_lowercase());
    let segments: Vec<&str> = path.split('/').collect();
    match (call.method, segments.as_slice()) {
        (Method::Get, ["metadata", "objects"]) | (Method::Post, ["batch", _] | [_, "duplicates"]) => true,
        (Method::Get | Method::Post, [plural]) => is_word(plural),
        (Method::Get | Method::Patch | Method::Delete, [plural, id]) => is_word(plural) && is_id(id),
        (Method::Patch, [plural]) => is_word(plural) && query.contains("filter=and%28id%5B"),
        _ => false,
    }
}

fn answered(input: &[u8], staging: bool) {
    let (request, script) = read(input);
    let host = stub(&script);
    let proxy = Service::new(settings(staging));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(proxy.handle(&host, request.clone()));
    judge(&request, &answer, &host);
}

#[test]
fn routes() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "routes");
    check!(name = "routes").with_max_len(MAX_LEN).with_test_time(TEST_TIME * 2).for_each(|input: &[u8]| {
        let input = bent(input, &corpus);
        answered(&input, false);
        answered(&input, true);
    });
}
