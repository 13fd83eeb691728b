//! What a run says when the workspace does not answer as it should.

use std::time::Duration;

use ports::Response;
use rollup::report::Status;
use rollup::{Options, Report, calculate_rollups};
use sandbox::{Fault, Faults, Limits};
use serde_json::{Value, json};
use support::{InterceptHost, StubHost, answer, unreachable};

use super::common::{EngineWorld, defaults, writes};

fn options(more: &[(&str, &str)]) -> Options {
    let given = [("TWENTY_API_URL", "http://twenty.test"), ("TWENTY_API_KEY", "k")];
    let mut options = Options::default();
    for (name, value) in given.iter().chain(more) {
        options.environment.set(name, *value);
    }
    options
}

fn told(report: &Report) -> (Status, &str, &str) {
    (report.status, report.code.as_deref().unwrap_or_default(), report.message.as_deref().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn answers_that_end_the_run() {
    for (outcome, code, message, requests) in [
        (
            Ok((401, r#"{"statusCode":401,"messages":["Token invalid."],"error":"UNAUTHENTICATED"}"#)),
            "unauthorized",
            "GET /rest/metadata/objects: the token was refused (401): Token invalid.",
            1,
        ),
        (
            Ok((403, r#"{"statusCode":403,"messages":["This API Key is revoked"],"error":"FORBIDDEN_EXCEPTION"}"#)),
            "forbidden",
            "GET /rest/people: not permitted (403): This API Key is revoked",
            9,
        ),
        (
            Ok((404, r#"{"message":"Cannot GET /rest/gifts","error":"Not Found","statusCode":404}"#)),
            "not_found",
            "GET /rest/people: not found: Cannot GET /rest/gifts",
            9,
        ),
        (
            Ok((500, r#"{"statusCode":500,"error":"InternalServerErrorException","messages":["boom"]}"#)),
            "server_error",
            "GET /rest/metadata/objects: server error (500): boom",
            4,
        ),
        (
            Ok((200, "<!doctype html>")),
            "malformed_answer",
            "GET /rest/metadata/objects: the answer could not be read: it is not a list of objects",
            4,
        ),
        (
            Ok((200, r#"{"data":{"objects":"#)),
            "malformed_answer",
            "GET /rest/metadata/objects: the answer could not be read: it is not a list of objects",
            4,
        ),
        (Err("connection refused"), "unreachable", "GET /rest/metadata/objects: no answer: connection refused", 4),
    ] {
        let host = StubHost::new(|_| outcome.map(|(status, body)| answer(status, body)).map_err(unreachable));
        let report = calculate_rollups(&host, &json!({}), &options(&[])).await;
        assert_eq!(told(&report), (Status::Error, code, message));
        assert_eq!(report.requests.total, requests, "{message}: {:?}", report.requests);
    }
}

/// An answer past the limit is told with the endpoint and the size, and is not asked for again.
#[tokio::test(start_paused = true)]
async fn answer_past_the_limit() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30).by_rest();
    let large = InterceptHost::new(
        world.host((1..=30).fold(Faults::none(), |faults, call| faults.at(call, Fault::LargeReply))),
    );
    let report = calculate_rollups(&large, &json!({}), &world.options()).await;
    let message = "the answer is larger than 33554432 bytes, the most that is read";
    assert_eq!((report.status, report.code.as_deref()), (Status::Error, Some("answer_too_large")));
    assert!(report.message.as_deref().is_some_and(|told| told.starts_with("GET /rest/") && told.ends_with(message)));
    assert_eq!(report.requests.retried, 0);
}

/// The reason of an unreachable server stands in the line of each repetition.
#[tokio::test(start_paused = true)]
async fn reason_of_a_repetition() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30);
    let host = world.host(Faults::none().at(2, Fault::Unreachable).at(4, Fault::Status(503)));
    assert_eq!(calculate_rollups(&host, &json!({}), &world.options()).await.status, Status::Ok);
    let lines = host.log_lines().into_iter().filter(|line| line.event == "request_retried");
    let reasons: Vec<_> = lines.map(|line| line.field("reason").cloned()).collect();
    assert_eq!(reasons, [Some(json!("connection refused")), None]);
}

/// A page that cannot be read costs its definitions and no more
#[tokio::test(start_paused = true)]
async fn unreadable_page_drops_definitions() {
    for (body, reason) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "`data.companies` is missing"),
        (r#"{"data":{"companies":[{"name":"x"}]}}"#, "`data.companies[0].id` is missing or not a UUID"),
        (
            r#"{"data":{"companies":[]},"pageInfo":{"hasNextPage":true,"endCursor":null}}"#,
            "there is a next page but no `endCursor`",
        ),
    ] {
        let world = EngineWorld::with_gifts(Limits::default(), 10, 30).by_rest();
        let reason_in_full = format!("GET /rest/companies: the answer could not be read: {reason}");
        let host = InterceptHost::new(world.host(Faults::none())).after(|request, answer| {
            if request.url.contains("/rest/companies") { Response { body: body.into(), ..answer } } else { answer }
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert_eq!(report.status, Status::Partial);
        let skipped: Vec<_> = report.skipped.iter().filter(|skipped| skipped.definition == 2).collect();
        assert_eq!((skipped.len(), skipped[0].reason.as_str()), (1, reason_in_full.as_str()));
        assert_eq!(world.wrong(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn faults_before_the_first_request() {
    type Case = (&'static [(&'static str, &'static str)], Value, &'static str, &'static str);
    let cases: [Case; 6] = [
        (
            &[("TWENTY_API_URL", "")],
            json!({}),
            "missing_url",
            "`TWENTY_API_URL` is not set, expected the address of the Twenty server",
        ),
        (
            &[("TWENTY_API_KEY", "")],
            json!({}),
            "missing_token",
            "no token: `TWENTY_APP_APPLICATION_ACCESS_TOKEN`, `TWENTY_API_KEY` and `TWENTY_APP_ACCESS_TOKEN` are not set",
        ),
        (
            &[("ROLLUP_ENGINE_CONFIG", "{")],
            json!({}),
            "invalid_config",
            "`ROLLUP_ENGINE_CONFIG`: configuration: not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            &[("ROLLUP_ENGINE_CONFIG", r#"[{"parentObject":"person"}]"#)],
            json!({}),
            "invalid_config",
            "`ROLLUP_ENGINE_CONFIG`: definition 0, childObject: expected a text, but it is missing; definition 0, \
             relationField: expected a text, but it is missing; definition 0, aggregations: expected a list with at least \
             one aggregation, but it is missing",
        ),
        (
            &[("ROLLUP_ENGINE_CONFIG", r#"{"definitions":[],"timeZone":"Europe/Londn"}"#)],
            json!({}),
            "invalid_config",
            "timeZone: `Europe/Londn` is no time zone that this runtime knows, expected such as `Europe/London`",
        ),
        (
            &[],
            json!({ "hello": 1 }),
            "unknown_payload",
            "payload: found an object with `hello`, expected {} from a cron, a record event with `recordId`, a batch with \
             `events`, or a route request",
        ),
    ];
    for (variables, payload, code, message) in cases {
        let report = calculate_rollups(&StubHost::offline(), &payload, &options(variables)).await;
        assert_eq!(told(&report), (Status::Error, code, message));
        assert_eq!(report.requests.total, 0);
    }
}

/// Children that cannot be read make the run partial, and no parent is compared
#[tokio::test(start_paused = true)]
async fn unreadable_children_compare_no_parent() {
    let world = EngineWorld::with_gifts(Limits::default(), 10, 30).by_rest();
    let host = InterceptHost::new(world.host(Faults::none()))
        .before(|request| request.url.contains("/rest/gifts").then(|| super::common::refusal(500, "boom", None)));
    let options = world.configured(json!([defaults()[0], defaults()[1]]));
    let report = calculate_rollups(&host, &json!({}), &options).await;
    assert_eq!(
        (report.status, report.totals.processed, report.totals.unchanged),
        (Status::Partial, 0, 0),
        "{report:?}"
    );
    assert_eq!(report.skipped[0].reason, "GET /rest/gifts: server error (500): boom");
}

#[tokio::test(start_paused = true)]
async fn short_pages_write_nothing() {
    for cut_short in [1, 2] {
        let world = EngineWorld::with_gifts(Limits::default(), 50, 500).by_rest();
        world.run(&json!({})).await;
        let cuts = std::cell::Cell::new(0);
        let host = InterceptHost::new(world.host(Faults::none())).after(|request, answer| {
            if !request.url.contains("/rest/gifts") || request.url.contains("updatedAt") || cuts.get() >= cut_short {
                return answer;
            }
            let text = String::from_utf8(answer.body).unwrap();
            cuts.set(cuts.get() + u32::from(text.contains("\"hasNextPage\":true")));
            Response { body: text.replace("\"hasNextPage\":true", "\"hasNextPage\":false").into(), ..answer }
        });
        let report = calculate_rollups(&host, &json!({}), &world.options()).await;
        assert_eq!(world.wrong(), Vec::<String>::new());
        if cut_short == 1 {
            assert_eq!(report.status, Status::Ok, "{report:?}");
        } else {
            assert_eq!(report.status, Status::Partial);
            assert_eq!(report.skipped[0].reason, "only 200 of 500 records of `gift` could be read");
        }
    }
}

/// Slow answers do not carry a run past its limit
#[tokio::test(start_paused = true)]
async fn slow_answers_within_time_limit() {
    let world = EngineWorld::with_gifts(Limits::off(), 400, 8_000).by_rest();
    let slow = Faults::none().latency(Duration::from_secs(3), Duration::from_secs(3));
    let mut options = world.options();
    options.time_limit = Some(Duration::from_mins(1));
    let report = calculate_rollups(&world.host(slow), &json!({}), &options).await;
    assert_eq!((report.status, report.code.as_deref()), (Status::Partial, Some("out_of_time")));
    assert!(report.took_ms < 60_000, "{} ms", report.took_ms);
}

/// What every record is refused for is not asked for every record
#[tokio::test(start_paused = true)]
async fn repeated_refusals_stop_writing() {
    let world = EngineWorld::with_gifts(Limits::default(), 190, 1_000);
    let host = InterceptHost::new(world.host(Faults::none()))
        .before(|request| writes(request).then(|| super::common::refusal(400, "no", None)));
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.updated), (Status::Partial, 0));
    assert_eq!(report.totals.failed, report.totals.processed - report.totals.unchanged);
    assert!(report.requests.total < 40, "{:?}", report.requests);
}
