//! What a run spent: every request, by endpoint, and what became of it.

use std::ops::Index;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use ports::time::whole_millis;

/// Requests sent by one run
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestStats {
    /// Requests sent, repetitions included
    pub total: u64,
    /// Those of them that the rate limiter does not count (metadata)
    pub unmetered: u64,
    /// Tokens of the rate limiter that they asked for: one each, or one for each root field of a GraphQL document
    pub tokens: u64,
    /// Answers that said the rate limit was reached
    pub throttled: u64,
    /// Requests sent again after a refusal, a server error or no answer
    pub retried: u64,
    /// Time spent waiting for the budget or after a failure, in milliseconds, added up over concurrent calls
    #[serde(rename = "waitedMs", serialize_with = "millis")]
    pub waited: Duration,
    /// Bytes of all replies
    pub bytes: u64,
    /// Records in all replies, those that a write answers with included
    pub records: u64,
    /// Requests by method and path, record ids left out
    pub by_endpoint: Endpoints,
}

impl RequestStats {
    /// Notes a request of so many tokens as it goes out; 0 for one that the rate limiter does not count.
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::request_stats::RequestStats;
    ///
    /// let mut stats = RequestStats::default();
    /// stats.sent("GET /rest/gifts", 1, 1);
    /// stats.sent("GET /rest/gifts", 1, 2);
    /// assert_eq!((stats.total, stats.retried, stats.by_endpoint["GET /rest/gifts"]), (2, 1, 2));
    /// ```
    pub fn sent(&mut self, endpoint: &str, cost: u32, attempt: u32) {
        self.total += 1;
        self.unmetered += u64::from(cost == 0);
        self.tokens += u64::from(cost);
        self.retried += u64::from(attempt > 1);
        let counts = &mut self.by_endpoint.0;
        let place = counts.partition_point(|(other, _)| other.as_str() < endpoint);
        match counts.get_mut(place) {
            Some((other, count)) if other == endpoint => *count += 1,
            _ => counts.insert(place, (endpoint.to_owned(), 1)),
        }
    }
}

/// Counts by endpoint, in the order of their names
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(Vec<(String, u64)>);

impl Endpoints {
    /// Names and counts
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

impl Index<&str> for Endpoints {
    type Output = u64;

    /// Count of an endpoint, zero for one that was never asked
    fn index(&self, name: &str) -> &u64 {
        self.0.iter().find(|(other, _)| other == name).map_or(&0, |(_, count)| count)
    }
}

impl Serialize for Endpoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in &self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_millis(*duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_endpoint() {
        let mut stats = RequestStats::default();
        stats.sent("GET /rest/gifts", 1, 1);
        stats.sent("POST /graphql counts", 8, 2);
        stats.sent("GET /rest/metadata/objects", 0, 1);
        stats.waited = Duration::from_millis(1_500);
        assert_eq!(
            serde_json::to_value(&stats).unwrap(),
            serde_json::json!({
                "total": 3, "unmetered": 1, "tokens": 9, "throttled": 0, "retried": 1, "waitedMs": 1500, "bytes": 0, "records": 0,
                "byEndpoint": { "GET /rest/gifts": 1, "GET /rest/metadata/objects": 1, "POST /graphql counts": 1 }
            })
        );
    }
}
