//! What is refused has the error that REST would have given; what is not known here is told apart, so that REST can be
//! asked.

use sandbox::Limits;
use twenty::client::{GroupQuery, PageQuery};
use twenty::error::ApiError;
use twenty::page::Projection;
use twenty::schema::Names;

use crate::scene::{PROFILES, Scene, always, gift, person};

#[tokio::test(start_paused = true)]
async fn refusals_have_the_codes_of_rest() {
    for profile in PROFILES {
        let scene = Scene::new(profile, Limits::off());
        let client = scene.client();
        let query = GroupQuery { by: "nothing", limit: 10, ..GroupQuery::default() };
        let error = client.groups(&gift(), &query).await.unwrap_err();
        assert_eq!((error.code(), error.is_unsupported()), ("refused", false), "{error}");
        let cursor = PageQuery { after: Some("zzz"), limit: 1, ..PageQuery::default() };
        let error = client.list_graphql(&gift(), cursor, &Projection::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "POST /graphql gifts: refused (400): Invalid cursor: zzz");
        assert_eq!(client.stats().retried, 0);

        let (guest, revoked) = {
            let sandbox = scene.sandbox.borrow();
            (sandbox.tokens().guest_token.clone(), sandbox.tokens().revoked_token.clone())
        };
        for (token, code) in [("garbled", "unauthorized"), (revoked.as_str(), "forbidden")] {
            let client = scene.client_with(sandbox::Faults::none(), twenty::rate_limiter::RateLimit::default(), token);
            assert_eq!(client.counts(&[&gift()]).await.unwrap_err().code(), code);
        }
        let client = scene.client_with(sandbox::Faults::none(), twenty::rate_limiter::RateLimit::default(), &guest);
        assert_eq!(client.counts(&[&gift()]).await, Ok(vec![0]));
        let rows = [serde_json::json!({ "jobTitle": "x" })];
        let error = client.upsert_graphql(&person(), &rows, None, &Projection::default()).await.unwrap_err();
        assert_eq!(error.code(), "forbidden");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_object_is_unsupported() {
    for profile in PROFILES {
        let client = Scene::new(profile, Limits::off()).client();
        let error = client.counts(&[&gift(), &Names::new("nope", "nopes")]).await.unwrap_err();
        assert!(error.is_unsupported(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_graphql_or_missing_record() {
    let rest = |status: u16| format!(r#"{{"statusCode":{status},"messages":["Cannot POST /graphql"]}}"#);
    for (status, body) in [(404, rest(404)), (405, rest(405)), (400, rest(400)), (200, "<!doctype html>".to_owned())] {
        let client = always(status, &body);
        let query = || PageQuery { limit: 10, ..PageQuery::default() };
        let keep = Projection::of(&["a"]);
        for error in [
            client.list_graphql(&gift(), query(), &keep).await.map(drop).unwrap_err(),
            client.groups(&gift(), &GroupQuery::default()).await.map(drop).unwrap_err(),
            client.counts(&[&gift()]).await.map(drop).unwrap_err(),
            client.upsert_graphql(&gift(), &[serde_json::json!({})], None, &keep).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(
                (error.is_unsupported(), error.code(), error.is_final()),
                (true, "unsupported", false),
                "{error}"
            );
        }
        assert_eq!(client.stats().retried, 0);
        assert!(
            !client.list(&gift(), query(), &keep).await.unwrap_err().is_unsupported(),
            "over REST it is what it is"
        );
    }
    let none = r#"{"data":{"gifts":null},"errors":[{"message":"Record not found","extensions":{"code":"NOT_FOUND"}}]}"#;
    let error = always(200, none).counts(&[&gift()]).await.unwrap_err();
    assert!(matches!(error, ApiError::NotFound { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_holes_is_malformed() {
    let query = |counted| GroupQuery { by: "donorId", limit: 10, counted, ..GroupQuery::default() };
    for body in [
        "{}",
        r#"{"data":null}"#,
        r#"{"data":{"gifts":null}}"#,
        r#"{"data":{"giftsGroupBy":[],"gifts":{"totalCount":null}}}"#,
        r#"{"data":{"gifts":{"edges":[{"node":{"id":null}}]}}}"#,
        r#"{"data":{"gifts":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}"#,
        r#"{"data":{"gifts":{"edges":[{"node":null}]}}}"#,
        r#"{"data":{"gifts":{"edges":["#,
    ] {
        let client = always(200, body);
        let page = PageQuery { limit: 10, ..PageQuery::default() };
        let listed = client.list_graphql(&gift(), page, &Projection::default()).await.unwrap_err();
        assert_eq!(listed.code(), "malformed_answer", "{body}");
        assert_eq!(client.groups(&gift(), &query(true)).await.unwrap_err().code(), "malformed_answer", "{body}");
        assert_eq!(client.counts(&[&gift()]).await.unwrap_err().code(), "malformed_answer", "{body}");
    }
    let grouped = always(200, r#"{"data":{"giftsGroupBy":[]}}"#);
    assert!(grouped.groups(&gift(), &query(false)).await.is_ok());
}
