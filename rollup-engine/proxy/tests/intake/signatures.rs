//! The recorded Stripe webhooks, with their signatures made here as the contract's replayer makes them.

use fundraising::signature::stripe;
use ports::Timestamp;
use serde_json::Value;
use support::hmac_hex;

use super::recorded::{cases, same, text};

const NOW: i64 = 1_772_442_003;

fn header(made: &Value, body: &str) -> String {
    let signed_at = NOW - made["ageSeconds"].as_i64().unwrap_or(0);
    let signed = made.get("overBody").and_then(Value::as_str).unwrap_or(body);
    let sign = |secret: &str| hmac_hex(secret, &[format!("{signed_at}.{signed}").as_bytes()]);
    let foreign = made.get("alsoSecret").and_then(Value::as_str).map(|secret| format!(",v1={}", sign(secret)));
    let scheme = made.get("scheme").and_then(Value::as_str).unwrap_or("v1");
    format!("t={signed_at}{},{scheme}={}", foreign.unwrap_or_default(), sign(made["secret"].as_str().unwrap()))
}

#[test]
fn recorded_webhooks() {
    let Some(cases) = cases("cases-09-webhooks.jsonl") else { return };
    let (mut believed, mut refused) = (0, 0);
    for case in cases.iter().filter(|case| text(case, "/request/path").ends_with("/stripe")) {
        let body = match &case["request"]["rawBody"] {
            Value::String(raw) => raw.clone(),
            _ => case["request"]["body"].to_string(),
        };
        let header = match &case["request"]["headers"]["stripe-signature"] {
            Value::Null => None,
            Value::String(header) => Some(header.clone()),
            made => Some(header(&made["$stripe"], &body)),
        };
        let secret = case["env"].get("STRIPE_WEBHOOK_SECRET").and_then(Value::as_str);
        let name = text(case, "/name");
        match stripe(header.as_deref(), body.as_bytes(), secret, Timestamp::from_millis(NOW * 1_000)) {
            Ok(()) => {
                believed += 1;
                assert_eq!(case["response"]["status"], 204, "{name}");
            }
            Err(cause) => {
                refused += 1;
                let found = cause.to_stripe().to_json();
                assert!(same(&case["response"]["body"], &found), "{name}: found {found}");
            }
        }
    }
    println!("{believed} webhooks believed and {refused} refused as recorded");
    assert!(believed >= 8 && refused >= 5, "only {believed} believed and {refused} refused");
}
