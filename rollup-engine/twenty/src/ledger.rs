//! What a run spent: every request, by endpoint, and what became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Requests sent by one run
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Requests sent, repetitions included
    pub total: u64,
    /// Those of them that the rate limiter does not count (metadata)
    pub unmetered: u64,
    /// Answers that said the rate limit was reached
    pub throttled: u64,
    /// Requests sent again after a refusal, a server error or no answer
    pub retried: u64,
    /// Time spent waiting for the budget or after a failure, in milliseconds, added up over concurrent calls
    #[serde(rename = "waitedMs", serialize_with = "millis")]
    pub waited: Duration,
    /// Bytes of all replies
    pub bytes: u64,
    /// Requests by method and path, record ids left out
    pub by_endpoint: BTreeMap<String, u64>,
}

impl Ledger {
    /// Notes a request as it goes out.
    pub fn sent(&mut self, endpoint: &str, metered: bool, attempt: u32) {
        self.total += 1;
        self.unmetered += u64::from(!metered);
        self.retried += u64::from(attempt > 1);
        match self.by_endpoint.get_mut(endpoint) {
            Some(count) => *count += 1,
            None => {
                self.by_endpoint.insert(endpoint.to_owned(), 1);
            }
        }
    }
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_endpoint() {
        let mut ledger = Ledger::default();
        ledger.sent("GET /rest/gifts", true, 1);
        ledger.sent("GET /rest/gifts", true, 2);
        ledger.sent("GET /rest/metadata/objects", false, 1);
        ledger.waited = Duration::from_millis(1_500);
        assert_eq!(
            serde_json::to_value(&ledger).unwrap(),
            serde_json::json!({
                "total": 3, "unmetered": 1, "throttled": 0, "retried": 1, "waitedMs": 1500, "bytes": 0,
                "byEndpoint": { "GET /rest/gifts": 2, "GET /rest/metadata/objects": 1 }
            })
        );
    }
}
