//! Faults on demand: which requests go wrong, and how, as a caller asks for it by `POST /__faults`.
//!
//! The rules are for who is served over a network; a host in the same process has its own [`Faults`](crate::Faults).

use ports::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::Target;

/// Longest delay of an answer, in milliseconds
const MAX_DELAY_MS: u64 = 600_000;
const METHODS: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

/// The ways in which a request can go wrong
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// Answered with a status; the server does nothing
    Status,
    /// The connection is closed; the server does nothing
    Unreachable,
    /// The connection is closed; the server does everything
    LostReply,
    /// The server does everything, and its answer is larger than a client should read
    LargeReply,
    /// The server writes the first rows of a batch, then answers 500
    HalfBatch,
    /// The server does everything at once, and answers late
    Slow,
}

/// One rule, as it is sent
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) fault: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<u64>,
    /// Of requests by this method alone
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Of requests for this path and those below it alone
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// So many of these pass first
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    /// So many go wrong; all, if it is left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// Of a thousand so many go wrong, by chance
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_mille: Option<u16>,
}

impl Rule {
    fn matches(&self, method: Method, target: &Target) -> bool {
        let path = target.path.trim_end_matches('/');
        self.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method.as_str()))
            && self.path.as_deref().is_none_or(|own| {
                let rest = path.strip_prefix(own.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// What cannot be right about it: the member, and what was expected
    fn mistake(&self) -> Option<(&'static str, String)> {
        let of = |kind| self.fault == kind;
        let between =
            |value: Option<u64>, least: u64, most: u64| value.is_none_or(|value| (least..=most).contains(&value));
        let statuses = self.status.is_some_and(|status| matches!(status, 401 | 403 | 404 | 429 | 500..=599));
        let name = |kind: Kind| json!(kind).as_str().unwrap_or_default().to_owned();
        let checks = [
            (
                "status",
                of(Kind::Status) == self.status.is_some(),
                format!("with `{}`, and with no other fault", name(Kind::Status)),
            ),
            ("status", self.status.is_none() || statuses, "401, 403, 404, 429 or 500 to 599".to_owned()),
            (
                "retryAfterSeconds",
                self.retry_after_seconds.is_none() || of(Kind::Status),
                format!("with `{}` alone", name(Kind::Status)),
            ),
            (
                "rows",
                of(Kind::HalfBatch) == self.rows.is_some(),
                format!("with `{}`, and with no other fault", name(Kind::HalfBatch)),
            ),
            (
                "ms",
                of(Kind::Slow) == self.ms.is_some(),
                format!("with `{}`, and with no other fault", name(Kind::Slow)),
            ),
            ("ms", between(self.ms, 1, MAX_DELAY_MS), format!("1 to {MAX_DELAY_MS}")),
            (
                "method",
                self.method
                    .as_deref()
                    .is_none_or(|own| METHODS.iter().any(|method| own.eq_ignore_ascii_case(method.as_str()))),
                "GET, POST, PUT, PATCH or DELETE".to_owned(),
            ),
            (
                "path",
                self.path.as_deref().is_none_or(|path| path.starts_with('/')),
                "a path, such as `/rest/gifts`".to_owned(),
            ),
            ("times", between(self.times, 1, u64::MAX), "at least 1".to_owned()),
            ("perMille", between(self.per_mille.map(u64::from), 1, 1_000), "1 to 1000".to_owned()),
        ];
        checks.into_iter().find(|(_, is_right, _)| !is_right).map(|(member, _, expected)| (member, expected))
    }
}

/// A rule, and what came of it so far
#[derive(Clone, Debug)]
struct Standing {
    rule: Rule,
    /// Requests that it was for
    seen: u64,
    /// Those of them that went wrong
    struck: u64,
}

/// All rules, in the order in which they are tried
#[derive(Clone, Debug)]
pub(crate) struct FaultRules {
    rules: Vec<Standing>,
    rng: fastrand::Rng,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    faults: Vec<Rule>,
}

impl FaultRules {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), rng: fastrand::Rng::with_seed(seed ^ 0x6661_756c_7473) }
    }

    /// Puts the rules of a body in the place of those that are there; the error says what is wrong with the body.
    pub(crate) fn replace(&mut self, body: &[u8]) -> Result<(), String> {
        let Body { faults } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        for (at, rule) in faults.iter().enumerate() {
            if let Some((member, expected)) = rule.mistake() {
                return Err(format!("faults[{at}].{member}: expected {expected}"));
            }
        }
        self.rules = faults.into_iter().map(|rule| Standing { rule, seen: 0, struck: 0 }).collect();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rule that a request goes wrong by, if it does
    pub(crate) fn strike(&mut self, request: &Request) -> Option<Rule> {
        let target = Target::of(&request.url);
        for standing in &mut self.rules {
            let Standing { rule, seen, struck } = standing;
            if !rule.matches(request.method, &target) {
                continue;
            }
            *seen += 1;
            let is_due = *seen > rule.after.unwrap_or(0) && rule.times.is_none_or(|times| *struck < times);
            if is_due && rule.per_mille.is_none_or(|per_mille| self.rng.u16(..1_000) < per_mille) {
                *struck += 1;
                return Some(rule.clone());
            }
        }
        None
    }

    /// The rules, each with how many requests went wrong by it
    pub(crate) fn to_json(&self) -> Value {
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|Standing { rule, struck, .. }| {
                let mut rule = json!(rule);
                if let Some(members) = rule.as_object_mut() {
                    members.insert("struck".to_owned(), json!(struck));
                }
                rule
            })
            .collect();
        json!({ "faults": rules })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rules(faults: &Value) -> FaultRules {
        let mut rules = FaultRules::new(1);
        rules.replace(json!({ "faults": faults }).to_string().as_bytes()).unwrap();
        rules
    }

    fn strikes(rules: &mut FaultRules, method: Method, url: &str) -> bool {
        let request = Request { method, url: url.into(), headers: Vec::new(), body: None, timeout: Duration::ZERO };
        rules.strike(&request).is_some()
    }

    #[test]
    fn requests_by_method_and_path() {
        let mut rules = rules(&json!([{ "fault": "lostReply", "method": "post", "path": "/rest/gifts" }]));
        for (method, url, expected) in [
            (Method::Post, "http://127.0.0.1:3000/rest/gifts?upsert=true", true),
            (Method::Post, "/rest/gifts/", true),
            (Method::Post, "/rest/gifts/duplicates", true),
            (Method::Post, "/rest/giftStagings", false),
            (Method::Get, "/rest/gifts", false),
            (Method::Post, "/rest/people", false),
        ] {
            assert_eq!(strikes(&mut rules, method, url), expected, "{method} {url}");
        }
    }

    #[test]
    fn so_many_after_so_many() {
        let mut rules = rules(&json!([{ "fault": "unreachable", "after": 2, "times": 2 }]));
        let struck: Vec<bool> = (0..6).map(|_| strikes(&mut rules, Method::Get, "/rest/gifts")).collect();
        assert_eq!(struck, [false, false, true, true, false, false]);
        assert_eq!(
            rules.to_json(),
            json!({ "faults": [{ "fault": "unreachable", "after": 2, "times": 2, "struck": 2 }] })
        );
    }

    /// The first rule that a request goes wrong by counts; one that is used up leaves it to the next.
    #[test]
    fn rules_in_their_order() {
        let mut rules =
            rules(&json!([{ "fault": "status", "status": 500, "times": 1 }, { "fault": "status", "status": 429 }]));
        let request = Request {
            method: Method::Get,
            url: "/rest".into(),
            headers: Vec::new(),
            body: None,
            timeout: Duration::ZERO,
        };
        let statuses: Vec<_> = (0..3).map(|_| rules.strike(&request).unwrap().status).collect();
        assert_eq!(statuses, [Some(500), Some(429), Some(429)]);
    }

    #[test]
    fn chance_of_so_many_in_a_thousand() {
        let mut rules = rules(&json!([{ "fault": "unreachable", "perMille": 200 }]));
        let struck = (0..1_000).filter(|_| strikes(&mut rules, Method::Get, "/rest/gifts")).count();
        assert!((150..250).contains(&struck), "{struck}");
    }

    /// What is wrong is named with its place, and the rules stay as they were.
    #[test]
    fn mistakes_are_named() {
        let mut rules = rules(&json!([{ "fault": "unreachable" }]));
        for (body, message) in [
            (r#"{"faults":[{"fault":"crash"}]}"#, "unknown variant `crash`, expected one of `status`, `unreachable`, "),
            (r#"{"faults":[{"fault":"slow","ms":5,"time":1}]}"#, "unknown field `time`, expected one of "),
            (r#"{"fault":"unreachable"}"#, "unknown field `fault`, expected `faults` at line 1 column 8"),
            ("", "EOF while parsing a value at line 1 column 0"),
            (r#"{"faults":[{"fault":"status"}]}"#, "faults[0].status: expected with `status`, and with no other fault"),
            (
                r#"{"faults":[{"fault":"status","status":200}]}"#,
                "faults[0].status: expected 401, 403, 404, 429 or 500 to 599",
            ),
            (r#"{"faults":[{"fault":"unreachable"},{"fault":"slow"}]}"#, "faults[1].ms: expected with `slow`"),
            (r#"{"faults":[{"fault":"slow","ms":0}]}"#, "faults[0].ms: expected 1 to 600000"),
            (r#"{"faults":[{"fault":"lostReply","rows":1}]}"#, "faults[0].rows: expected with `halfBatch`"),
            (
                r#"{"faults":[{"fault":"lostReply","retryAfterSeconds":1}]}"#,
                "faults[0].retryAfterSeconds: expected with `status`",
            ),
            (r#"{"faults":[{"fault":"lostReply","method":"TRACE"}]}"#, "faults[0].method: expected GET, POST"),
            (r#"{"faults":[{"fault":"lostReply","path":"rest"}]}"#, "faults[0].path: expected a path"),
            (r#"{"faults":[{"fault":"lostReply","times":0}]}"#, "faults[0].times: expected at least 1"),
            (r#"{"faults":[{"fault":"lostReply","perMille":2000}]}"#, "faults[0].perMille: expected 1 to 1000"),
        ] {
            let error = rules.replace(body.as_bytes()).unwrap_err();
            assert!(error.starts_with(message), "{body}: {error}");
        }
        assert!(strikes(&mut rules, Method::Get, "/rest/gifts"));
    }
}
