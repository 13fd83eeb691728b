//! Sequences of requests whose ids are anything, against a Twenty whose answers hold such ids too.

use std::cell::Cell;

use ports::{Request, Response};
use proptest::prelude::*;
use proxy::Service;
use proxy::http::Inbound;
use serde_json::{Value, json};
use support::{StubHost, answer};

use crate::requests::{TOKEN, is_allowed, settings};
use crate::stub::OBJECTS;

const ID: &str = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";

const HOSTILE: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "/",
    "../people",
    "%2F",
    "%2e%2e",
    "%252F",
    "?",
    "?filter=",
    "#",
    "&limit=1",
    "\\",
    "*",
    "null",
    "7f0b4a526a1c4e0b9d553a1f1d0c9a10",
    "{7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10}",
    "batch/gifts",
    "duplicates",
    "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10/..",
    "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10?depth=1",
    "id[neq]:1),or(id[is]:NULL",
    "\"",
    "一",
    "７f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10",
];

/// Method, path with `:` for an id, and a body with `$` for one
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "gifts/:", ""),
    ("PATCH", "gifts/:", r#"{"notes":"n","contactId":"$","companyId":"$"}"#),
    ("DELETE", "gifts/:", ""),
    (
        "POST",
        "gifts",
        r#"{"amount":{"amountMicros":5000000,"currencyCode":"GBP"},"giftDate":"2026-05-01","contactId":"$","recurringAgreementId":"$","externalId":"$"}"#,
    ),
    (
        "POST",
        "gifts",
        r#"{"amount":{"amountMicros":5000000,"currencyCode":"GBP"},"contact":{"firstName":"A","lastName":"B","email":"a@b.example"},"externalId":"$"}"#,
    ),
    (
        "POST",
        "gift-staging",
        r#"{"amount":{"amountMicros":5000000,"currencyCode":"GBP"},"donorId":"$","giftPayoutId":"$"}"#,
    ),
    ("GET", "gift-staging/:", ""),
    ("PATCH", "gift-staging/:", r#"{"donorId":"$","opportunityId":"$"}"#),
    ("PATCH", "gift-staging/:/status", r#"{"processingStatus":"ready_for_process","rawPayload":{"donorId":"$"}}"#),
    ("POST", "gift-staging/:/process", ""),
    ("POST", "gift-staging/process", r#"{"ids":["$"]}"#),
    ("POST", "gift-staging/process", "{}"),
    ("GET", "people/:", ""),
    ("PATCH", "opportunities/:", r#"{"stage":"NEW"}"#),
    ("GET", "households/:", ""),
    ("PATCH", "households/:", r#"{"primaryContactId":"$"}"#),
    ("GET", "households/:/members", ""),
    ("POST", "households/:/members", r#"{"contactId":"$","makePrimary":true}"#),
    ("DELETE", "households/:/members/:", ""),
    ("POST", "households/:/copy-address", r#"{"contactId":"$","mailingAddress":null}"#),
    ("GET", "appeals/:", ""),
    ("PATCH", "appeals/:", r#"{"name":"n"}"#),
    ("GET", "appeals/:/solicitation-snapshots", ""),
    ("POST", "appeals/:/solicitation-snapshots", r#"{"countSolicited":1}"#),
    ("GET", "recurring-agreements/:", ""),
    ("PATCH", "recurring-agreements/:", r#"{"donorId":"$"}"#),
    ("DELETE", "recurring-agreements/:", ""),
    ("GET", "gift-payouts/:", ""),
    ("PATCH", "gift-payouts/:", r#"{"status":"pending"}"#),
    ("POST", "gift-payouts/:/gifts/link", r#"{"giftIds":["$"]}"#),
    ("POST", "gift-payouts/:/gifts/unlink", r#"{"giftIds":["$"]}"#),
    ("GET", "gift-staging?recurringAgreementId=:&giftBatchId=:", ""),
    ("GET", "opportunities/search?companyId=:&pointOfContactId=:", ""),
];

/// Answers every call with records whose ids are these in turn
fn hostile(ids: Vec<String>) -> StubHost<'static> {
    let calls = Cell::new(0);
    StubHost::new(move |request| {
        calls.set(calls.get() + 1);
        Ok(records(&ids, calls.get(), request))
    })
}

fn records(ids: &[String], count: usize, request: &Request) -> Response {
    let id = |at: usize| ids.get((count + at) % ids.len()).cloned().unwrap_or_default();
    let payload = json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "donorId": id(1),
            "companyId": id(2), "giftDate": "2026-05-01", "recurringAgreementId": id(3) });
    let mut record = json!({ "id": id(0), "processingStatus": "ready_for_process", "auditTrail": null,
            "updatedAt": "2026-05-01T00:00:00.000Z", "giftId": if count.is_multiple_of(3) { json!(id(4)) } else { Value::Null },
            "householdId": id(5), "primaryContactId": id(6), "emails": { "primaryEmail": "a@b.example" },
            "rawPayload": payload });
    for (key, value) in payload.as_object().unwrap() {
        record[key] = value.clone();
    }
    let mut data = json!({});
    for (plural, singular) in OBJECTS {
        let upper = |name: &str| name[..1].to_uppercase() + &name[1..];
        data[*plural] = json!([record]);
        data[*singular] = record.clone();
        for operation in ["create", "update", "delete"] {
            data[format!("{operation}{}", upper(singular))] = record.clone();
        }
        data[format!("update{}", upper(plural))] = json!([record]);
    }
    let data = if request.url.contains("/duplicates") { json!([{ "personDuplicates": data["people"] }]) } else { data };
    answer(200, json!({ "data": data }).to_string())
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(ID.to_owned()),
        4 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

/// A text as a segment of a path, its letters escaped or not
fn segment(text: &str, escaped: bool) -> String {
    if escaped { text.bytes().map(percent_encoding::percent_encode_byte).collect() } else { text.to_owned() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    /// No sequence of requests makes the client send a path outside the allowed forms, whatever Twenty answered before.
    #[test]
    fn allowed_forms_of_calls(
        requests in prop::collection::vec((prop::sample::select(REQUESTS), id(), id(), any::<bool>()), 1..5),
        ids in prop::collection::vec(id(), 1..8),
        staging: bool,
    ) {
        let host = hostile(ids);
        let proxy = Service::new(settings(staging));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (number, ((method, path, body), in_path, in_body, escaped)) in requests.into_iter().enumerate() {
            let quoted = json!(in_body).to_string();
            let request = Inbound {
                method: method.to_owned(),
                target: format!("/api/fundraising/{}", path.replace(':', &segment(&in_path, escaped))),
                headers: vec![
                    ("authorization".to_owned(), format!("Bearer {TOKEN}")),
                    ("content-type".to_owned(), "application/json".to_owned()),
                ],
                body: body.replace("\"$\"", &quoted).into_bytes(),
                entropy: u128::try_from(number).unwrap() << 64,
            };
            let outbound = runtime.block_on(proxy.handle(&host, request.clone()));
            prop_assert_ne!(outbound.status, 500, "{} {}", request.method, request.target);
        }
        for call in host.sent().iter() {
            prop_assert!(is_allowed(call), "{} {}", call.method, call.url);
        }
    }
}
