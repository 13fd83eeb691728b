//! Whatever is sent, an answer comes: no method, path, header, signature or body makes the service panic.
//!
//! The inputs are near the valid ones, so that they get past the first check, and are then bent: bytes exchanged, parts
//! cut off, values of other types. Everything goes through the whole service, to a workspace that has the model.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use ports::Timestamp;
use proptest::prelude::*;
use proxy::Service;
use proxy::http::{Inbound, Outbound};
use proxy::settings::Settings;
use sandbox::Faults;
use serde_json::{Value, json};
use support::{World, hmac_hex};

const NOON: i64 = 1_780_272_000_000;
const SECRET: &str = "whsec_fuzz";

fn proxy(base: &str, token: &str) -> Service {
    let settings = Settings::read(|name| {
        let value = match name {
            "TWENTY_API_BASE_URL" => base,
            "TWENTY_API_KEY" => token,
            "STRIPE_WEBHOOK_SECRET" | "GOCARDLESS_WEBHOOK_SECRET" => SECRET,
            "FUNDRAISING_ENABLE_GIFT_STAGING" | "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT" => "true",
            "FUNDRAISING_REQUESTS_PER_MINUTE" => "off",
            _ => return None,
        };
        Some(value.to_owned())
    });
    Service::new(settings.unwrap())
}

/// Sends the requests one after the other to one service, and gives the answers.
fn answers(requests: Vec<Inbound>) -> Vec<Outbound> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::fundraising();
        world.now.set(Timestamp::from_millis(NOON));
        let (host, token) = (world.host(Faults::none()), &world.token);
        let proxy = proxy("http://twenty.test/rest", token);
        let mut answers = Vec::new();
        for mut request in requests {
            request.headers.push(("authorization".into(), format!("Bearer {token}")));
            answers.push(proxy.handle(&host, request).await);
        }
        answers
    })
}

/// Headers with right signatures of both providers, and a JSON type
fn headers(body: &[u8]) -> Vec<(String, String)> {
    let at = (NOON / 1_000).to_string();
    let stripe = format!("t={at},v1={}", hmac_hex(SECRET, &[at.as_bytes(), b".", body]));
    vec![
        ("content-type".into(), "application/json".into()),
        ("stripe-signature".into(), stripe),
        ("webhook-signature".into(), hmac_hex(SECRET, &[body])),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1.0e300)),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "GBP",
            "JPY",
            "2026-02-30",
            "2026-01-15",
            "grant",
            "recurring",
            "a@b.c",
            "active",
            ""
        ])
        .prop_map(Value::from),
    ]
}

/// JSON whose keys are those that the service knows
fn known() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "amount",
        "amountMicros",
        "currencyCode",
        "contact",
        "firstName",
        "lastName",
        "email",
        "giftDate",
        "giftIntent",
        "autoProcess",
        "rawPayload",
        "providerContext",
        "recurringMetadata",
        "processingStatus",
        "ids",
        "limit",
        "name",
        "mailingAddress",
        "line1",
        "contactId",
        "donorId",
        "giftIds",
        "countSolicited",
        "capturedAt",
        "goalAmount",
        "stage",
        "type",
        "data",
        "object",
        "created",
        "events",
        "links",
        "payment",
        "resource_type",
        "action",
        "amount_total",
        "currency",
        "metadata",
        "payment_status",
        "customer_details",
        "mode",
        "status",
        "cadence",
        "externalId",
        "expectedAt",
    ]);
    leaf().prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..8)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn targets() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "gifts",
        "gifts/1",
        "gift-staging",
        "gift-staging/1",
        "gift-staging/1/status",
        "gift-staging/1/process",
        "gift-staging/process",
        "people/duplicates",
        "people/1",
        "companies/search",
        "opportunities/search",
        "opportunities/1",
        "households",
        "households/1",
        "households/1/members",
        "households/1/members/2",
        "households/1/copy-address",
        "appeals",
        "appeals/1",
        "appeals/1/solicitation-snapshots",
        "recurring-agreements",
        "recurring-agreements/1",
        "gift-payouts",
        "gift-payouts/1",
        "gift-payouts/1/gifts/link",
        "gift-payouts/1/gifts/unlink",
        "webhooks/stripe",
        "webhooks/gocardless",
    ]);
    prop_oneof![
        8 => (known, "(\\?[a-z%=&\\[\\]:,0-9]{0,30})?").prop_map(|(path, query)| format!("/api/fundraising/{path}{query}")),
        1 => "/api/fundraising/\\PC{0,30}",
        1 => "\\PC{0,40}",
    ]
}

fn methods() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD", ""]).prop_map(str::to_owned)
}

/// The event or the body that a case begins with, as bytes, some of them bent
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let seeds = prop::sample::select(vec![
        json!({"amount": {"amountMicros": 25_000_000, "currencyCode": "GBP"}, "giftDate": "2026-01-15",
               "contact": {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.org"}}),
        json!({"id": "evt_1", "type": "checkout.session.completed", "created": 1_780_272_000, "data": {"object": {
               "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
               "payment_intent": "pi_1", "amount_total": 2_000, "currency": "gbp",
               "customer_details": {"name": "Ada Byron", "email": "ada@example.org"}, "metadata": {}}}}),
        json!({"id": "evt_2", "type": "charge.refunded", "created": 1_780_272_000, "data": {"object": {
               "id": "ch_1", "payment_intent": "pi_1", "amount": 2_000, "amount_refunded": 500, "currency": "gbp"}}}),
        json!({"events": [{"id": "EV1", "created_at": "2026-03-02T10:00:00Z", "resource_type": "payments",
               "action": "confirmed", "links": {"payment": "PM1"}}]}),
        json!({"name": "Spring", "goalAmount": {"value": "12.5"}, "startDate": "2026-01-01"}),
        json!({"countSolicited": "12", "capturedAt": "2026-01-01T00:00:00Z"}),
        json!({"processingStatus": "ready_for_process"}),
    ]);
    let bent = (
        seeds,
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(seed, bends, end, cut)| {
            let mut bytes = seed.to_string().into_bytes();
            for (at, byte) in bends {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        });
    prop_oneof![
        4 => bent,
        4 => known().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

fn requests() -> impl Strategy<Value = Inbound> {
    let extra = prop::collection::vec(
        (
            prop::sample::select(vec![
                "authorization",
                "x-request-id",
                "idempotency-key",
                "content-type",
                "stripe-signature",
                "webhook-signature",
            ]),
            "\\PC{0,60}",
        ),
        0..3,
    );
    (methods(), targets(), bodies(), extra, any::<u128>()).prop_map(|(method, target, body, extra, entropy)| {
        let mut all: Vec<(String, String)> = extra.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        all.extend(headers(&body));
        Inbound { method, target, headers: all, body, entropy }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn each_answer_is_json_with_its_id(requests in prop::collection::vec(requests(), 1..4)) {
        let methods: Vec<String> = requests.iter().map(|request| request.method.clone()).collect();
        for (answer, method) in answers(requests).into_iter().zip(methods) {
            prop_assert!((200..600).contains(&answer.status), "{}", answer.status);
            prop_assert!(answer.headers.iter().any(|(name, value)| name == "x-request-id" && !value.is_empty()));
            prop_assert_ne!(answer.status, 500);
            if method == "HEAD" {
                prop_assert!(answer.body.is_empty());
            } else if answer.status >= 400 {
                let body: Value = serde_json::from_slice(&answer.body).unwrap();
                prop_assert!(body.get("message").is_some_and(Value::is_string), "{body}");
            }
        }
    }
}
