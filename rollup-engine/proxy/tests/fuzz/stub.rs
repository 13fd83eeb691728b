//! A Twenty that answers as a script says, and is otherwise content.
//!
//! Each line of the script is the answer to one call: `ok`, `none`, `found`, `dup`, `mute`, `html409`, `null`, `empty`, `cut`, `lost`, a
//! status, or the text of a body.

use std::cell::RefCell;

use ports::{FetchError, Method, Request, Response};
use serde_json::{Value, json};
use support::{StubHost, answer, unreachable};

const ID: &str = "1f0e8a0c-0000-4000-8000-000000000001";

/// Plural and singular of what Twenty has
pub(crate) const OBJECTS: &[(&str, &str)] = &[
    ("gifts", "gift"),
    ("people", "person"),
    ("companies", "company"),
    ("opportunities", "opportunity"),
    ("households", "household"),
    ("appeals", "appeal"),
    ("solicitationSnapshots", "solicitationSnapshot"),
    ("recurringAgreements", "recurringAgreement"),
    ("giftPayouts", "giftPayout"),
    ("giftStagings", "giftStaging"),
    ("giftAidDeclarations", "giftAidDeclaration"),
];

pub(crate) fn stub(script: &str) -> StubHost<'_> {
    let script = RefCell::new(script.lines());
    StubHost::new(move |request| played(request, script.borrow_mut().next().unwrap_or("ok")))
}

/// The log lines as they are written
pub(crate) fn lines(host: &StubHost<'_>) -> Vec<String> {
    host.lines().iter().map(|event| serde_json::to_string(event).unwrap()).collect()
}

fn played(request: &Request, word: &str) -> Result<Response, FetchError> {
    let content = || usual(request, word == "found").to_string().into_bytes();
    let duplicate =
        br#"{"statusCode":400,"error":"BadRequestException","messages":["A duplicate entry was detected"]}"#;
    let (status, body) = match word {
        "ok" | "none" | "found" => (if request.method == Method::Post { 201 } else { 200 }, content()),
        "dup" => (400, duplicate.to_vec()),
        "mute" => (400, Vec::new()),
        "html409" => (409, b"<html><h1>Conflict</h1></html>".to_vec()),
        "null" => (200, b"null".to_vec()),
        "empty" => (200, Vec::new()),
        "cut" => {
            let mut body = content();
            body.truncate(body.len() / 2);
            (200, body)
        }
        "lost" => return Err(unreachable("fetch failed")),
        text => match text.parse() {
            Ok(status @ 200..=599) => {
                (status, json!({ "statusCode": status, "messages": ["no"] }).to_string().into_bytes())
            }
            _ => (200, text.as_bytes().to_vec()),
        },
    };
    Ok(answer(status, body))
}

/// What a Twenty without faults would answer
fn usual(request: &Request, is_found: bool) -> Value {
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let path = path.rsplit_once("/rest/").map_or("", |(_, path)| path);
    if path.starts_with("metadata") {
        let fields = json!([{ "name": "auditTrail", "type": "RAW_JSON" }]);
        return json!({ "data": { "objects": [{ "nameSingular": "giftStaging", "fields": fields }] } });
    }
    let mut segments = path.split('/').filter(|segment| *segment != "batch");
    let (plural, second) = (segments.next().unwrap_or_default(), segments.next());
    let Some((plural, singular)) = OBJECTS.iter().find(|(name, _)| *name == plural) else {
        // A payment of GoCardless
        let list = request.url.split('/').nth(3).unwrap_or_default();
        return json!({ list: { "id": "PM1", "amount": 1_500, "currency": "GBP", "links": { "mandate": "MD1", "customer": "CU1" } } });
    };
    let sent: Value = serde_json::from_slice(request.body.as_deref().unwrap_or(b"{}")).unwrap();
    let mut record = record(second.unwrap_or(ID));
    for (key, value) in sent.as_object().into_iter().flatten() {
        record[key] = value.clone();
    }
    let upper = |name: &str| name[..1].to_uppercase() + &name[1..];
    match (request.method, second) {
        (Method::Post, Some("duplicates")) => {
            let found = if is_found { json!([record]) } else { json!([]) };
            json!({ "data": [{ "personDuplicates": found }] })
        }
        (Method::Post, _) => json!({ "data": { format!("create{}", upper(singular)): record } }),
        (Method::Get, None) => {
            let found = if is_found { json!([record]) } else { json!([]) };
            let page = json!({ "hasNextPage": false, "endCursor": null });
            json!({ "data": { *plural: found }, "totalCount": 0, "pageInfo": page })
        }
        (Method::Get, Some(_)) => json!({ "data": { *singular: record } }),
        (Method::Delete, _) => json!({ "data": { format!("delete{}", upper(singular)): { "id": second } } }),
        (_, None) if query.contains("filter=") => json!({ "data": { format!("update{}", upper(plural)): [record] } }),
        _ => json!({ "data": { format!("update{}", upper(singular)): record } }),
    }
}

/// A record with what any of them has
fn record(id: &str) -> Value {
    json!({
        "id": id, "createdAt": "2026-05-01T10:00:00.000Z", "updatedAt": "2026-05-01T10:00:00.000Z", "deletedAt": null,
        "name": { "firstName": "Ann", "lastName": "Oak" }, "emails": { "primaryEmail": "ann@oak.example", "additionalEmails": null },
        "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "giftDate": "2026-05-01", "donorId": ID, "householdId": ID,
        "processingStatus": "ready_for_process", "dedupeStatus": "passed", "giftId": null, "auditTrail": null,
        "rawPayload": "{\"amount\":{\"amountMicros\":5000000,\"currencyCode\":\"GBP\"},\"giftDate\":\"2026-05-01\",\"donorFirstName\":\"Ann\",\"donorLastName\":\"Oak\"}",
        "status": "active", "cadence": "monthly", "nextExpectedAt": "2026-05-01",
    })
}
