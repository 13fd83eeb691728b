//! Fuzz targets of what Twenty answers: pages, GraphQL, metadata, dates and numbers. Nothing panics, and what is not as it
//! should be is an error and never an empty answer.
//!
//! Each target has a corpus of readable inputs beside it, in `__fuzz__/<target>/corpus`. `cargo test` tries each of them as
//! it stands and then bends them at random for two seconds. `cargo bolero test -p twenty --test fuzz page` looks for more.

use std::time::Duration;

use bolero::check;
use futures_util::future::FutureExt;
use ports::time::{format_date, parse_date};
use ports::{Clock as _, Timestamp};
use serde_json::Value;
use serde_json::json;
use support::StubHost;
use support::bend::{MAX_LEN, TEST_TIME, bent, corpus};
use twenty::client::{Client, Connection, Dimension, GroupQuery, PageQuery};
use twenty::decimal::Decimal;
use twenty::page::{Projection, read_bare_records, read_records};
use twenty::rate_limiter::Priority;
use twenty::rate_limiter::RateLimit;
use twenty::retry::retry_after;
use twenty::schema::{Names, read_objects};

/// A client whose every call is answered so, for at most a quarter of an hour of its clock
fn client(body: Vec<u8>) -> Client<StubHost<'static>> {
    let connection = Connection { base_url: "http://twenty.test".into(), token: "secret".into() };
    let pace = RateLimit { requests_per_minute: None, ..RateLimit::default() };
    let host = StubHost::always(200, body);
    let deadline = host.now() + Duration::from_mins(15);
    Client::new(host, connection, pace, Priority::Job, Some(deadline), 1)
}

fn gift() -> (Names, Projection) {
    let mut keep = Projection::default();
    for path in ["amount.amountMicros", "amount.currencyCode", "giftDate"] {
        keep.add(path);
    }
    (Names::new("gift", "gifts"), keep)
}

/// A page that was read is JSON with these records, says how many there are and whether more follow.
#[test]
fn fuzz_page() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "page");
    let (names, keep) = gift();
    check!(name = "page").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let body = bent(input, &corpus);
        let _ = read_bare_records(&body, &keep);
        if let Ok(page) = read_records(&body, "gifts", &keep) {
            assert!(page.records.iter().all(|record| !record.id.is_nil() && record.values.len() == keep.len()));
        }
        let client = client(body.clone());
        let query = PageQuery { filter: None, after: None, limit: 200 };
        match client.list(&names, query, &keep).now_or_never().unwrap() {
            Ok(page) => {
                assert!(page.total_count.is_some() && (page.end_cursor.is_some() || !page.has_next_page));
                assert!(!page.has_next_page || !page.records.is_empty());
            }
            // Read again three times, then named.
            Err(error) => assert_eq!((error.code(), client.stats().total), ("malformed_answer", 4), "{error}"),
        }
    });
}

/// An answer of GraphQL that was read has what was asked for; what has not is an error.
#[test]
fn fuzz_graphql() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "graphql");
    let (names, keep) = gift();
    let aggregates = ["sumAmountAmountMicros".to_owned(), "minAmountAmountMicros".to_owned()];
    check!(name = "graphql").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let client = client(bent(input, &corpus));
        let query = PageQuery { filter: None, after: None, limit: 5_000 };
        if let Ok(page) = client.list_graphql(&names, query, &keep).now_or_never().unwrap() {
            assert!(page.total_count.is_some() && (page.end_cursor.is_some() || !page.has_next_page));
            assert!(page.records.iter().all(|record| !record.id.is_nil()));
        }
        let query = GroupQuery {
            by: "donorId",
            dimensions: &[Dimension::Value("amount.currencyCode")],
            filter: None,
            aggregates: &aggregates,
            limit: 100,
            counted: true,
        };
        if let Ok(groups) = client.groups(&names, &query).now_or_never().unwrap() {
            assert!(groups.total_count.is_some() && groups.groups.iter().all(|group| group.values.len() == 2));
        }
        if let Ok(counts) = client.counts(&[&names]).now_or_never().unwrap() {
            assert_eq!(counts.len(), 1);
        }
        let rows = [json!({ "id": "11111111-1111-4111-8111-111111111111" })];
        if let Ok(page) = client.upsert_graphql(&names, &rows, None, &keep).now_or_never().unwrap() {
            assert!(page.records.iter().all(|record| !record.id.is_nil()));
        }
    });
}

/// Metadata that were read are of active objects; a page that cannot be gone on from is no last page.
#[test]
fn fuzz_metadata() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "metadata");
    check!(name = "metadata").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let body = bent(input, &corpus);
        let Some(page) = read_objects(&body) else { return };
        let json: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(page.next.is_some(), json["pageInfo"]["hasNextPage"] == true);
        assert!(page.objects.len() <= json["data"].as_array().or(json["data"]["objects"].as_array()).unwrap().len());
    });
}

/// Dates, instants, numbers and waits are read or refused, and what was read reads the same once written.
#[test]
fn fuzz_scalar() {
    let corpus = corpus(env!("CARGO_MANIFEST_DIR"), "scalar");
    check!(name = "scalar").with_max_len(MAX_LEN).with_test_time(TEST_TIME).for_each(|input: &[u8]| {
        let bytes = bent(input, &corpus);
        let text = String::from_utf8_lossy(&bytes);
        if let Some(at) = Timestamp::parse(&text).filter(|at| at.to_utc().is_some()) {
            assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        }
        let _ = (Timestamp::parse_http_date(&text), retry_after(Some(&text)));
        if let Some(date) = parse_date(&text) {
            assert_eq!(format_date(date), text);
        }
        if let Some(number) = Decimal::parse(&text) {
            assert_eq!(Decimal::parse(&number.to_string()), Some(number));
            let _ = (number.to_f64(), number.to_json(), number.rounded(2), number.divided(3, 12), number.negated());
        }
    });
}
