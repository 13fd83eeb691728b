//! `GET /metrics`: what the process counts.

use serde_json::Value;

use super::Reply;
use crate::scope::Scope;

/// Everything, as Prometheus reads it
#[must_use]
pub fn show(scope: &Scope<'_>) -> Reply {
    let proxy = scope.proxy;
    let (hits, misses) = proxy.cache.counts();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        ("fundraising_queue_waiting", count(proxy.queue.waiting())),
        ("fundraising_upstream_calls_under_way", count(proxy.queue.under_way())),
        ("fundraising_budget_requests_per_minute", proxy.settings.requests_per_minute.unwrap_or(0).into()),
        ("fundraising_budget_opens_in_milliseconds", proxy.queue.opens_in(scope.now()).unwrap_or(0)),
        ("fundraising_cache_hits_total", hits),
        ("fundraising_cache_misses_total", misses),
    ];
    (200, Value::from(proxy.metrics.to_text(&gauges)))
}
