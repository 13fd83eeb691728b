//! The readers of what comes from outside, one by one.

use bolero::check;
use fundraising::gift::create::{self, Intake};
use fundraising::gift::{plausible, stored, update};
use fundraising::payload::Payload;
use fundraising::provider::gocardless::{self, FetchedResources};
use fundraising::provider::{stripe, utc_day};
use fundraising::signature;
use proxy::handlers::query;
use proxy::http::Inbound;
use proxy::intake::staged_gift::StagedGift;
use proxy::router;
use proxy::settings::{NAMES, Settings};
use serde_json::{Map, Value, json};
use twenty::filter::Filter;
use twenty::setting::SettingError;
use twenty::target::Target;

use support::bend::{MAX_LEN, TEST_TIME, bent, corpus};
use support::{StubHost, hmac_hex};

/// A gift that was read is the same after it was kept in a row, and its amounts can be stored exactly.
fn read_gift(body: &[u8]) {
    let now = StubHost::START;
    let Ok(payload) = Payload::parse(body) else { return };
    for intake in [Intake::Direct, Intake::GiftRoute, Intake::Event, Intake::Staging] {
        let Ok(gift) = create::read(&payload, intake) else { continue };
        let _ = plausible::check(&gift, now);
        assert!(gift.amount.amount_micros.unsigned_abs() < 1 << 53, "{:?}", gift.amount);
        assert_eq!(stored::read_any(&gift.to_json()), gift);
    }
    let _ = update::read(&payload, now);
    let members: Map<String, Value> = payload.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    let row = json!({ "id": "r", "auditTrail": null, "rawPayload": members.clone(), "amount": members.get("amount") });
    for row in [StagedGift::new(row), StagedGift::new(members.into())] {
        let _ = (row.to_view(), row.to_item(), row.state(), row.updated_at());
    }
}

#[test]
fn gifts() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "gifts");
    check!(name = "gifts").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        read_gift(&bent(input, &corpus));
    });
}

/// A target is split once: what follows is the same whether or not it came in absolute form.
#[test]
fn targets() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "targets");
    check!(name = "targets").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let target = String::from_utf8_lossy(&bent(input, &corpus)).into_owned();
        let inbound = Inbound { target, ..Inbound::default() }.in_origin_form();
        let again = Inbound { target: format!("http://host{}", inbound.target), ..Inbound::default() }.in_origin_form();
        if inbound.target.starts_with('/') {
            assert_eq!(again.target, inbound.target);
        }
        for method in ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", ""] {
            let way = router::find(method, inbound.path());
            if let Err(refusal) = &way.ids {
                assert_eq!(refusal.status.code(), 400);
            }
        }
        let query = inbound.query();
        let condition = Filter::Present("id".into());
        for asked in [query::list(&query), query::single(&query), query::list_where(&query, vec![condition])] {
            let Ok(asked) = asked else { continue };
            let target = Target::list("gifts", &asked);
            assert!(target.path().bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
            let names = Inbound { target: target.path().to_owned(), ..Inbound::default() }.query();
            assert!(names.iter().all(|(name, _)| name != "token"), "{target:?}");
        }
        for (_, value) in &query {
            let _ = (query::plain("x", value), query::contains("name", value));
        }
    });
}

#[test]
fn events() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "events");
    check!(name = "events").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let body = bent(input, &corpus);
        if let Ok(event) = stripe::read(&body, &utc_day) {
            // A backslash that was sent is shown as two.
            assert!(!format!("{event:?}").replace("\\\\", "").contains("\\0"), "{event:?}");
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let resource = gocardless::unwrapped("payments", &answer).or(Some(answer));
        let answers = FetchedResources { customer: resource.clone(), resource };
        for event in gocardless::read(&body).into_iter().flatten() {
            let _ =
                (event.kind(), event.names_a_payer(), event.mandate(&answers), event.domain_events(&answers, &utc_day));
            assert!(event.resource().is_none_or(|(_, id)| !id.contains('\0')));
        }
    });
}

/// A header is believed only if it holds the signature of the body, whatever else it holds.
#[test]
fn signatures() {
    const SECRET: &str = "whsec_fuzz";
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "signatures");
    let sign = |parts: &[&[u8]]| hmac_hex(SECRET, parts);
    check!(name = "signatures").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(&bent(input, &corpus)).into_owned();
        let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
        let body = body.as_bytes();
        let seconds = (StubHost::START.as_millis() / 1_000).to_string();
        // The corpus says where the right signature goes.
        let header =
            header.replace("STRIPE", &sign(&[seconds.as_bytes(), b".", body])).replace("GOCARDLESS", &sign(&[body]));
        if signature::stripe(Some(&header), body, Some(SECRET), StubHost::START).is_ok() {
            let time = header.split(',').find_map(|part| part.trim().strip_prefix("t=")).unwrap();
            assert!(header.to_ascii_lowercase().contains(&sign(&[time.as_bytes(), b".", body])), "{header}");
            assert!(
                time.parse::<i64>().unwrap().abs_diff(StubHost::START.as_millis() / 1_000)
                    <= signature::TOLERANCE_SECONDS
            );
        }
        if signature::gocardless(Some(&header), body, Some(SECRET)).is_ok() {
            assert_eq!(header.trim().to_ascii_lowercase(), sign(&[body]));
        }
        assert_eq!(signature::is_secret(&header, SECRET), header == SECRET);
    });
}

/// Settings are lines `NAME=value`. What stands in a secret's place alone is never shown.
#[test]
fn settings() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "settings");
    check!(name = "settings").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(&bent(input, &corpus)).into_owned();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let read = Settings::read(|name| {
            assert!(NAMES.contains(&name), "{name}");
            value(name).map(str::to_owned)
        });
        let (secrets, others): (Vec<&str>, Vec<&str>) =
            NAMES.iter().partition(|name| ["KEY", "SECRET", "TOKEN"].iter().any(|end| name.ends_with(end)));
        let is_open = |secret: &str| others.iter().any(|name| value(name).is_some_and(|other| other.contains(secret)));
        // What was expected is said in words of the module's own.
        let shown = read.as_ref().map_or_else(
            |errors| {
                let values = errors.iter().map(|error| match error {
                    SettingError::Value { value, .. } => value.as_str(),
                    SettingError::Secret { .. } => "",
                });
                values.collect::<Vec<_>>().join(" ")
            },
            |settings| format!("{settings:?}"),
        );
        for secret in secrets.into_iter().filter_map(value).map(str::trim) {
            assert!(secret.len() < 6 || is_open(secret) || !shown.contains(secret), "{secret} is in {shown}");
        }
    });
}
