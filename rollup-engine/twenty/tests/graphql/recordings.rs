//! What a real server answered, read by the client.

use std::time::Duration;

use serde_json::Value as Json;
use support::recorded;
use twenty::client::{Dimension, Granularity, GroupQuery, PageQuery};
use twenty::page::{Projection, Record};
use twenty::value::Value;

use crate::scene::{always, gift, person};

/// The GraphQL steps of a file: name, status, and the body of the answer
fn steps(file: &str) -> Vec<(String, u16, Json)> {
    let steps = recorded::lines(&format!("twenty-contract/{file}")).unwrap_or_default();
    steps
        .into_iter()
        .filter(|step| step["request"]["path"] == "/graphql" && step["response"]["body"].is_object())
        .map(|step| {
            let status = step["response"]["status"].as_u64().unwrap().try_into().unwrap();
            (step["step"].as_str().unwrap().to_owned(), status, step["response"]["body"].clone())
        })
        .collect()
}

fn values(json: &Json, paths: &[&str]) -> Vec<Value> {
    let at = |path: &&str| json.pointer(&format!("/{}", path.replace('.', "/"))).map_or(Value::Missing, Value::from);
    paths.iter().map(at).collect()
}

fn assert_same(records: &[Record], expected: &[&Json], paths: &[&str], step: &str) {
    assert_eq!(records.len(), expected.len(), "{step}");
    for (record, json) in records.iter().zip(expected) {
        assert_eq!(record.id.to_string(), json["id"].as_str().unwrap(), "{step}");
        assert_eq!(record.values.to_vec(), values(json, paths), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_as_recorded() {
    let paths = ["giftDate", "amount.amountMicros", "amount.currencyCode", "donorId", "donor.name.lastName"];
    let steps = steps("08-graphql-read.jsonl");
    let mut read = 0;
    for (step, status, body) in &steps {
        let mut body = body.clone();
        let Some(edges) = body["data"]["gifts"]["edges"].as_array().cloned() else { continue };
        // Every page that the client asks for has these; some of the recorded queries did not ask.
        for (key, usual) in
            [("totalCount", edges.len().into()), ("pageInfo", serde_json::json!({ "hasNextPage": false }))]
        {
            let part = &mut body["data"]["gifts"][key];
            if part.is_null() {
                *part = usual;
            }
        }
        let connection = &body["data"]["gifts"];
        let nodes: Vec<&Json> = edges.iter().map(|edge| &edge["node"]).collect();
        if nodes.iter().any(|node| node["id"].is_null()) || step.contains("first: 0") {
            continue;
        }
        let query = PageQuery { limit: 10, ..PageQuery::default() };
        let page =
            always(*status, &body.to_string()).list_graphql(&gift(), query, &Projection::of(&paths)).await.unwrap();
        assert_same(&page.records, &nodes, &paths, step);
        assert_eq!(page.total_count, connection["totalCount"].as_u64(), "{step}");
        assert_eq!(page.end_cursor.as_deref(), connection["pageInfo"]["endCursor"].as_str(), "{step}");
        assert_eq!(page.has_next_page, connection["pageInfo"]["hasNextPage"] == true, "{step}");
        read += 1;
    }
    assert!(steps.is_empty() || read >= 8, "{read}");
}

#[tokio::test(start_paused = true)]
async fn groups_are_read_as_recorded() {
    let aggregates = ["sumAmountAmountMicros", "minGiftDate", "maxGiftDate"].map(str::to_owned);
    let steps = steps("08-graphql-read.jsonl");
    let mut read = 0;
    for (step, status, body) in &steps {
        let Some(groups) = body["data"]["giftsGroupBy"].as_array() else { continue };
        let dimensions: &[Dimension<'_>] = match step.as_str() {
            step if step.contains("donor and currency") => &[Dimension::Value("amount.currencyCode")],
            step if step.contains("donor and month") => {
                &[Dimension::Period { path: "giftDate", granularity: Granularity::Month, time_zone: None }]
            }
            _ => &[],
        };
        let query =
            GroupQuery { by: "donorId", dimensions, aggregates: &aggregates, limit: 50, ..GroupQuery::default() };
        let result = always(*status, &body.to_string()).groups(&gift(), &query).await;
        let by_id = |group: &Json| group["groupByDimensionValues"][0].as_str().is_none_or(|id| id.len() == 36);
        if !groups.iter().all(by_id) {
            assert_eq!(result.unwrap_err().code(), "malformed_answer", "{step}: months are no ids");
            continue;
        }
        let result = result.unwrap();
        assert_eq!(result.groups.len(), groups.len(), "{step}");
        for (group, json) in result.groups.iter().zip(groups) {
            let (id, others) = json["groupByDimensionValues"].as_array().unwrap().split_first().unwrap();
            assert_eq!(group.id.map(|id| id.to_string()).as_deref(), id.as_str(), "{step}");
            assert_eq!(group.dimensions.to_vec(), others.iter().map(Value::from).collect::<Vec<_>>(), "{step}");
            assert_eq!(Some(group.count), json["totalCount"].as_u64(), "{step}");
            assert_eq!(group.values.to_vec(), values(json, &["sumAmountAmountMicros", "minGiftDate", "maxGiftDate"]));
        }
        read += 1;
    }
    assert!(steps.is_empty() || read >= 3, "{read}");
}

#[tokio::test(start_paused = true)]
async fn writes_are_read_as_recorded() {
    let paths = ["lifetimeGiftCount", "lifetimeGiftAmount.amountMicros", "lastGiftDate", "emails.primaryEmail"];
    for (step, status, body) in steps("09-graphql-write.jsonl") {
        let Some(rows) = body["data"]["createPeople"].as_array() else { continue };
        let client = always(status, &body.to_string());
        let page =
            client.upsert_graphql(&person(), &[serde_json::json!({})], None, &Projection::of(&paths)).await.unwrap();
        assert_same(&page.records, &rows.iter().collect::<Vec<_>>(), &paths, &step);
        assert!(!rows.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn every_recorded_error_has_its_kind() {
    for file in ["08-graphql-read.jsonl", "09-graphql-write.jsonl", "10-auth-errors.jsonl", "13-throttle.jsonl"] {
        let mut seen = 0;
        let steps = steps(file);
        for (step, status, body) in &steps {
            if *status == 200 && body["errors"].is_null() {
                continue;
            }
            let message = body["errors"][0]["message"].as_str().unwrap_or_default();
            let client = always(*status, &body.to_string());
            if message.starts_with("Limit reached") {
                // Nothing but a deadline ends it.
                let gift = gift();
                let objects = [&gift];
                let call = tokio::time::timeout(Duration::from_mins(1), client.counts(&objects)).await;
                assert!(call.is_err(), "{step}");
                assert!(client.stats().throttled > 1, "{step}");
                seen += 1;
                continue;
            }
            let error = client.counts(&[&gift()]).await.unwrap_err();
            let code = match message {
                _ if *status == 400 => "unsupported",
                "Token invalid." => "unauthorized",
                "This API Key is revoked" | "Entity performing the request does not have permission" => "forbidden",
                "Record not found" => "not_found",
                _ if message.starts_with("Cannot query field") => "unsupported",
                _ => "refused",
            };
            assert_eq!(error.code(), code, "{step}: {error}");
            assert_eq!(client.stats().total, 1, "{step}: nothing of this is mended by a repetition");
            seen += 1;
        }
        assert!(steps.is_empty() || seen > 0, "{file}");
    }
}
