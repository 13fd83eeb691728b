//! An `Idempotency-Key` belongs to its caller and to its content.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fundraising::keys::Key;
use ports::{Method, ServiceHost};
use proxy::Service;
use proxy::http::Inbound;
use sandbox::{Faults, Limits};
use serde_json::{Value, json};

use support::{InterceptHost, ServiceWorld, World, answer};

use super::common::{on, staged, unstaged};

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// A Twenty that accepts every token
fn relay(world: &ServiceWorld, faults: Faults) -> InterceptHost<'static> {
    let key = format!("Bearer {}", world.token);
    InterceptHost::new(world.host(faults)).before(move |request| {
        request.headers.retain(|(name, _)| name != "authorization");
        request.headers.push(("authorization".into(), key.clone()));
        None
    })
}

/// What it was asked since the last look
fn asked(host: &InterceptHost<'_>) -> Vec<String> {
    let path =
        |url: &str| url.split('?').next().unwrap_or_default().rsplit("/rest/").next().unwrap_or_default().to_owned();
    host.take_sent().iter().map(|request| format!("{} {}", request.method, path(&request.url))).collect()
}

fn jwt(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims))
}

/// A user's token as it was issued at some time
fn user(name: &str, at: u32) -> String {
    jwt(&json!({ "sub": name, "userId": name, "workspaceId": "w", "type": "ACCESS", "iat": at, "exp": at + 1_800 }))
}

async fn send(
    proxy: &Service,
    host: &impl ServiceHost,
    token: &str,
    key: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/json".into()),
        ("idempotency-key", key.to_owned()),
    ];
    let request = Inbound {
        method: "POST".into(),
        target: format!("/api/fundraising/{path}"),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: body.to_string().into_bytes(),
        entropy: u128::from(REQUESTS.fetch_add(1, Ordering::Relaxed)) << 64,
    };
    let answer = proxy.handle(host, request).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

async fn give(world: &ServiceWorld, token: &str, key: &str, body: &Value) -> (u16, Value) {
    send(&world.service(), &relay(world, Faults::none()), token, key, "gifts", body).await
}

/// With staging, without it, and without it in a workspace that has no rows
fn worlds() -> [ServiceWorld; 3] {
    let mut model = World::model();
    model.as_object_mut().unwrap().remove("giftStaging");
    let rowless = on(World::with_model(&model, Limits::off()), false);
    [staged(), unstaged(), rowless]
}

fn everything(world: &ServiceWorld) -> Vec<Vec<Value>> {
    ["gift", "person", "giftStaging", "company"].map(|object| world.live(object)).to_vec()
}

fn ann() -> Value {
    json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "GBP" }, "giftDate": "2026-02-20",
        "contact": { "firstName": "Ann", "lastName": "Oak", "email": "ann@oak.example" } })
}

/// Merges members into a body; null leaves one out
fn with(body: &Value, changes: Value) -> Value {
    let mut body = body.clone();
    let Value::Object(changes) = changes else { panic!("no members: {changes}") };
    for (key, value) in changes {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(&key);
        } else {
            body[key] = value;
        }
    }
    body
}

fn micros(amount: i64) -> Value {
    json!({ "amountMicros": amount, "currencyCode": "GBP" })
}

fn bea() -> Value {
    json!({ "firstName": "Bea", "lastName": "Elm", "email": "bea@elm.example" })
}

#[tokio::test(start_paused = true)]
async fn a_renewed_token_repeats() {
    for world in worlds() {
        let (status, first) = give(&world, &user("u1", 1), "k", &ann()).await;
        assert_eq!(status, 200, "{first}");
        let (status, again) = give(&world, &user("u1", 9_999), "k", &ann()).await;
        assert_eq!((status, &again["meta"]["repeated"]), (200, &json!(true)), "{again}");
        assert_eq!(again["data"]["createGift"]["id"], first["data"]["createGift"]["id"]);
        world.only("gift");
        world.only("person");
    }
}

/// Two users, two API keys of one workspace, and opaque tokens may all say `1`.
#[tokio::test(start_paused = true)]
async fn one_key_of_several_callers() {
    let key = |id: &str| jwt(&json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w", "jti": id }));
    for world in worlds() {
        let callers = [user("u1", 1), user("u2", 1), key("u1"), key("u2"), "opaque-1".into(), "opaque-2".into()];
        for (at, token) in callers.iter().enumerate() {
            let body = with(&ann(), json!({ "amount": micros(5_000_000 + i64::try_from(at).unwrap() * 1_000_000) }));
            let (status, answer) = give(&world, token, "1", &body).await;
            assert_eq!((status, &answer["meta"]["repeated"]), (200, &Value::Null), "{answer}");
        }
        assert_eq!(world.live("gift").len(), callers.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_content() {
    for world in worlds() {
        for first in [ann(), with(&ann(), json!({ "contact": null, "contactId": "ANN" }))] {
            let person = world.create(
                "person",
                &json!({ "name": { "firstName": "Ann", "lastName": "Oak" },
                "emails": { "primaryEmail": format!("ann{}@oak.example", world.live("person").len()) } }),
            );
            let other = world.create("person", &json!({ "name": { "firstName": "Cid", "lastName": "Ash" } }));
            let appeal = world.create("appeal", &json!({ "name": "Spring" }));
            let segment = world.create("appealSegment", &json!({ "name": "North" }));
            let company = world.create("company", &json!({ "name": "Oak Ltd" }));
            let named = first["contactId"] == "ANN";
            let mut first = with(&first, json!({ "appealId": appeal, "appealSegmentId": segment }));
            if named {
                first["contactId"] = json!(person);
            }
            let key = if named { "by-id" } else { "by-name" };
            let (status, answer) = give(&world, "t", key, &first).await;
            assert_eq!(status, 200, "{answer}");
            let before = everything(&world);
            for (changes, fields) in [
                (json!({ "contactId": null, "contact": bea() }), json!(["contact.email"])),
                (
                    json!({ "contactId": null, "contact": { "firstName": "Bea", "lastName": "Oak" } }),
                    json!(["contact.firstName"]),
                ),
                (json!({ "contact": null, "contactId": other }), json!(["contactId"])),
                (json!({ "amount": micros(6_000_000) }), json!(["amount.amountMicros"])),
                (
                    json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "EUR" } }),
                    json!(["amount.currencyCode"]),
                ),
                (json!({ "giftDate": "2026-02-21" }), json!(["giftDate"])),
                (json!({ "appealId": other }), json!(["appealId"])),
                (json!({ "appealSegmentId": other }), json!(["appealSegmentId"])),
                (
                    json!({ "contact": null, "contactId": null, "companyId": company, "giftIntent": "grant" }),
                    json!(["companyId"]),
                ),
                (
                    json!({ "contactId": null, "contact": bea(), "amount": { "amountMicros": 10_000, "currencyCode": "USD" }, "giftDate": "2026-01-01" }),
                    json!(["contact.email", "amount.amountMicros", "amount.currencyCode", "giftDate"]),
                ),
            ] {
                let body = with(&first, changes.clone());
                let (status, answer) = give(&world, "t", key, &body).await;
                assert_eq!((status, &answer["fields"]), (409, &fields), "{first} and then {changes}: {answer}");
                for field in fields.as_array().unwrap() {
                    assert!(answer["message"].as_str().unwrap().contains(field.as_str().unwrap()), "{answer}");
                }
                assert_eq!(everything(&world), before, "{changes}");
            }
            let (_, answer) = give(&world, "t", key, &first).await;
            assert_eq!(answer["meta"]["repeated"], true, "{answer}");
            assert_eq!(everything(&world), before);
        }
    }
}

/// What a request leaves out, and what is the same in other words, does not count as different.
#[tokio::test(start_paused = true)]
async fn a_key_with_less_content() {
    for world in worlds() {
        let appeal = world.create("appeal", &json!({ "name": "Spring" }));
        let segment = world.create("appealSegment", &json!({ "name": "North" }));
        let first = with(&ann(), json!({ "appealId": appeal, "appealSegmentId": segment, "notes": "n" }));
        let (_, answer) = give(&world, "t", "k", &first).await;
        let donor = world.only("person")["id"].clone();
        assert_eq!(answer["data"]["createGift"]["donorId"], donor);
        let before = everything(&world);
        for changes in [
            json!({ "appealId": null, "appealSegmentId": null }),
            json!({ "giftDate": null, "notes": null }),
            json!({ "contact": null, "contactId": donor }),
            json!({ "contact": null, "contactId": donor.as_str().unwrap().to_uppercase() }),
            json!({ "contact": { "firstName": "ann", "lastName": " OAK ", "email": " ANN@Oak.example" } }),
            json!({ "contact": { "firstName": "Ann", "lastName": "Oak" } }),
            json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "gbp" }, "notes": "others" }),
        ] {
            let (status, answer) = give(&world, "t", "k", &with(&first, changes.clone())).await;
            assert_eq!((status, &answer["meta"]["repeated"]), (200, &json!(true)), "{changes}: {answer}");
            assert_eq!(everything(&world), before, "{changes}");
        }
    }
}

/// A caller that gave an id and then describes the same person repeats.
#[tokio::test(start_paused = true)]
async fn a_donor_by_id_and_then_by_name() {
    for world in worlds() {
        let person = world.create(
            "person",
            &json!({ "name": { "firstName": "Ann", "lastName": "Oak" },
            "emails": { "primaryEmail": "ann@oak.example", "additionalEmails": ["ann@work.example"] } }),
        );
        let first = with(&ann(), json!({ "contact": null, "contactId": person }));
        give(&world, "t", "k", &first).await;
        for email in ["ANN@oak.example", "ann@work.example"] {
            let described =
                json!({ "contactId": null, "contact": { "firstName": "Ann", "lastName": "Oak", "email": email } });
            let (status, answer) = give(&world, "t", "k", &with(&first, described)).await;
            assert_eq!((status, &answer["meta"]["repeated"]), (200, &json!(true)), "{answer}");
        }
        world.only("gift");
    }
}

/// A row that a reviewer edits keeps what its request asked for.
#[tokio::test(start_paused = true)]
async fn a_repeat_after_an_edit() {
    let mut world = staged();
    world.settings.auto_process = false;
    give(&world, "t", "k", &ann()).await;
    let row = world.only("giftStaging")["id"].as_str().unwrap().to_owned();
    let appeal = world.create("appeal", &json!({ "name": "Spring" }));
    let edit = json!({ "amountMicros": 7_000_000, "currencyCode": "EUR", "giftDate": "2026-01-01", "appealId": appeal,
        "donorFirstName": "Anna", "donorEmail": "anna@oak.example" });
    let (status, answer) = world.ask("PATCH", &format!("gift-staging/{row}"), edit).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = give(&world, "t", "k", &ann()).await;
    assert_eq!((status, &answer["meta"]["repeated"]), (200, &json!(true)), "{answer}");
    let (status, _) = give(&world, "t", "k", &with(&ann(), json!({ "amount": micros(7_000_000) }))).await;
    assert_eq!(status, 409);
    for path in ["status", "process"] {
        let body = if path == "status" { json!({ "processingStatus": "ready_for_process" }) } else { Value::Null };
        world.ask(if path == "status" { "PATCH" } else { "POST" }, &format!("gift-staging/{row}/{path}"), body).await;
    }
    let gift = world.only("gift");
    assert_eq!(gift["amount"]["amountMicros"], 7_000_000);
    let (status, answer) = give(&world, "t", "k", &ann()).await;
    assert_eq!((status, &answer["data"]["createGift"]["id"]), (200, &gift["id"]), "{answer}");
    let (status, answer) = give(&world, "t", "k", &with(&ann(), json!({ "contact": bea() }))).await;
    assert_eq!((status, &answer["fields"]), (409, &json!(["contact.email"])));
}

#[tokio::test(start_paused = true)]
async fn staging_route_conflicts() {
    let world = staged();
    let host = relay(&world, Faults::none());
    let proxy = world.service();
    let body = json!({ "amount": micros(5_000_000), "giftDate": "2026-02-20", "donorFirstName": "Ann", "donorLastName": "Oak" });
    let post = async |body: Value| send(&proxy, &host, "t", "k", "gift-staging", &body).await;
    assert_eq!(post(body.clone()).await.0, 201);
    assert_eq!(post(body.clone()).await.1["meta"]["repeated"], true);
    let (status, answer) = post(with(&body, json!({ "donorFirstName": "Bea" }))).await;
    assert_eq!((status, &answer["fields"]), (409, &json!(["contact.firstName"])), "{answer}");
    world.only("giftStaging");
}

/// What was made before keys were scoped, as its records look
fn unscoped(world: &ServiceWorld, key: &str, with_row: bool) -> String {
    let key = Key::Request { sender: None, key: key.into() };
    let person = world.create(
        "person",
        &json!({ "name": { "firstName": "Ann", "lastName": "Oak" },
        "emails": { "primaryEmail": "ann@oak.example" } }),
    );
    let gift = key.gift_id().to_string();
    let payload = json!({ "amount": micros(5_000_000), "giftDate": "2026-02-20", "donorId": person, "donorFirstName": "Ann",
        "donorLastName": "Oak", "donorEmail": "ann@oak.example", "intakeSource": "manual_ui",
        "sourceFingerprint": "source=manual_ui|giftDate=2026-02-20|amountMicros=5000000|currencyCode=GBP|nonce=k" });
    let mut record = json!({ "id": gift, "amount": micros(5_000_000), "giftDate": "2026-02-20", "donorId": person });
    for name in ["donorFirstName", "donorLastName", "donorEmail"] {
        record[name] = payload[name].clone();
    }
    world.create("gift", &record);
    if with_row {
        let row = json!({ "id": key.staging_id().to_string(), "processingStatus": "processed", "giftId": gift,
            "donorId": person, "amount": micros(5_000_000), "giftDate": "2026-02-20", "rawPayload": payload });
        world.create("giftStaging", &row);
    }
    gift
}

/// The same content repeats, by whoever; another content is another caller's, and goes its own way.
#[tokio::test(start_paused = true)]
async fn gifts_of_unscoped_keys() {
    for (world, has_rows) in worlds().into_iter().zip([true, true, false]) {
        for with_row in [false, true] {
            if with_row && !has_rows {
                continue;
            }
            let key = if with_row { "with" } else { "without" };
            let gift = unscoped(&world, key, with_row);
            for token in ["t", "u"] {
                let (status, answer) = give(&world, token, key, &ann()).await;
                assert_eq!((status, &answer["data"]["createGift"]["id"]), (200, &json!(gift)), "{answer}");
                assert_eq!(answer["meta"]["repeated"], true);
            }
            let gifts = world.live("gift").len();
            let other = with(&ann(), json!({ "contact": bea(), "giftDate": "2026-02-21" }));
            let (status, answer) = give(&world, "t", key, &other).await;
            assert_eq!((status, &answer["meta"]), (200, &Value::Null), "{answer}");
            let (_, again) = give(&world, "t", key, &other).await;
            assert_eq!(again["data"]["createGift"]["id"], answer["data"]["createGift"]["id"]);
            assert_eq!(again["meta"]["repeated"], true);
            assert_eq!(world.live("gift").len(), gifts + 1);
            for object in ["gift", "person"] {
                for record in world.live(object) {
                    let id = record["id"].as_str().unwrap().parse().unwrap();
                    world.sandbox.borrow_mut().destroy(object, id, support::ten()).unwrap();
                }
            }
        }
    }
}

/// A first request that was lost anywhere leaves nothing that a second gift under the same key could be taken for.
#[tokio::test(start_paused = true)]
async fn another_donor_after_a_lost_request() {
    for at in 1..=9 {
        for world in worlds() {
            let host = relay(&world, Faults::none().crash(at, true));
            let proxy = world.service();
            host.inner.until_crash(send(&proxy, &host, "t", "k", "gifts", &ann())).await;
            let (status, answer) = give(&world, "t", "k", &with(&ann(), json!({ "contact": bea() }))).await;
            let bea =
                world.live("person").into_iter().find(|person| person["emails"]["primaryEmail"] == "bea@elm.example");
            if status == 200 {
                assert_eq!(answer["data"]["createGift"]["donorId"], bea.unwrap()["id"], "{at}: {answer}");
            } else {
                assert_eq!((status, &answer["fields"], bea), (409, &json!(["contact.email"]), None), "{at}: {answer}");
                assert_eq!(world.live("gift").len().max(world.live("giftStaging").len()), 1, "{at}");
            }
        }
    }
}

/// Two gifts at once under one key: one is taken in, the other is refused, and the donor is the right one.
#[tokio::test(start_paused = true)]
async fn two_donors_at_once() {
    for seed in 0..20 {
        for world in worlds() {
            let latency = Faults::none().latency(Duration::from_millis(1), Duration::from_millis(400)).seed(seed);
            let host = relay(&world, latency);
            let proxy = world.service();
            let second = with(&ann(), json!({ "contact": bea() }));
            let (first, other) = (ann(), second);
            let answers = tokio::join!(
                send(&proxy, &host, "t", "k", "gifts", &first),
                send(&proxy, &host, "t", "k", "gifts", &other)
            );
            let mut statuses = [answers.0.0, answers.1.0];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{answers:?}");
            let gift = world.only("gift");
            let donor = world.live("person").into_iter().find(|person| person["id"] == gift["donorId"]).unwrap();
            assert_eq!(donor["emails"]["primaryEmail"], gift["donorEmail"]);
            world.only("person");
        }
    }
}

/// References keep their meaning, and say what differs.
#[tokio::test(start_paused = true)]
async fn conflicts_of_references() {
    for world in [staged(), unstaged()] {
        for reference in [json!({ "externalId": "e-1" }), json!({ "providerPaymentId": "pi_1", "provider": "stripe" })]
        {
            let first = with(&ann(), reference);
            give(&world, "t", "", &first).await;
            for (changes, fields) in [
                (json!({ "amount": micros(1_000_000) }), json!(["amount.amountMicros"])),
                (
                    json!({ "amount": { "amountMicros": 5_000_000, "currencyCode": "EUR" } }),
                    json!(["amount.currencyCode"]),
                ),
            ] {
                let (status, answer) = give(&world, "u", "", &with(&first, changes)).await;
                assert_eq!((status, &answer["fields"]), (409, &fields), "{answer}");
            }
            let (status, answer) = give(&world, "u", "", &with(&first, json!({ "contact": bea() }))).await;
            assert_eq!(
                (status, &answer["meta"]["repeated"]),
                (200, &json!(true)),
                "a payment is known by itself: {answer}"
            );
        }
    }
}

/// A donor is the same however their name is composed and their address is written.
#[tokio::test(start_paused = true)]
async fn donor_in_another_spelling() {
    for world in worlds() {
        let zoe = |first: &str, email: &str| {
            let mut contact = json!({ "firstName": first, "lastName": "Oak" });
            if !email.is_empty() {
                contact["email"] = json!(email);
            }
            with(&ann(), json!({ "contact": contact }))
        };
        for (key, first, again) in [
            ("a", zoe("Zo\u{eb}", ""), zoe("zoe\u{308}", "")),
            ("b", zoe("Zoe", "zo\u{eb}@oak.example"), zoe("Zoe", "ZOE\u{308}@oak.example")),
            ("c", zoe("Zo\u{200d}e", ""), zoe("Zoe", "")),
        ] {
            give(&world, "t", key, &first).await;
            let (status, answer) = give(&world, "t", key, &again).await;
            assert_eq!((status, &answer["meta"]["repeated"]), (200, &json!(true)), "{key}: {answer}");
        }
    }
}

/// What a key costs: a look for its row and one for its gift, before anything is made.
#[tokio::test(start_paused = true)]
async fn calls_of_a_key() {
    let world = staged();
    let host = relay(&world, Faults::none());
    let proxy = world.service();
    // The service learns of the workspace's rows.
    send(&proxy, &host, "t", "first", "gifts", &with(&ann(), json!({ "contact": bea() }))).await;
    asked(&host);
    send(&proxy, &host, "t", "k", "gifts", &ann()).await;
    let first = [
        "GET giftStagings",
        "GET gifts",
        "POST people/duplicates",
        "GET people",
        "POST people",
        "POST giftStagings",
        "POST gifts",
        "PATCH giftStagings",
    ];
    assert_eq!(asked(&host), first);
    send(&proxy, &host, "t", "k", "gifts", &ann()).await;
    assert_eq!(asked(&host), ["GET giftStagings", "GET gifts"]);
    send(&proxy, &host, "t", "k", "gifts", &with(&ann(), json!({ "contact": bea() }))).await;
    assert_eq!(asked(&host), ["GET giftStagings"]);
}

/// A refusal without a word that can be read, for a gift or a person that is there: they are looked up.
#[tokio::test(start_paused = true)]
async fn unreadable_duplicate_refusals() {
    for body in
        ["", "<html><h1>400 Bad Request</h1></html>", "{\"statusCode\":400,\"messages\":[\"A dupl", "null", "{}"]
    {
        for status in [400, 409] {
            for world in worlds() {
                let first = with(&ann(), json!({ "externalId": "e-1" }));
                let (_, made) = give(&world, "t", "", &first).await;
                let host = relay(&world, Faults::none()).after(|request, found| {
                    let is_create = request.method == Method::Post && !request.url.contains("duplicates");
                    if is_create && found.status == 400 { answer(status, body) } else { found }
                });
                let (status, answer) = send(&world.service(), &host, "t", "", "gifts", &first).await;
                assert_eq!((status, &answer["meta"]["repeated"]), (200, &json!(true)), "{body}: {answer}");
                assert_eq!(answer["data"]["createGift"]["id"], made["data"]["createGift"]["id"]);
                world.only("person");
            }
        }
    }
}
