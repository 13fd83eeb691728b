//! `GET /metrics`: what the process counts.

use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Body, Request, Response};

/// Everything, as Prometheus reads it
///
/// # Errors
/// None.
pub async fn show(cx: &RequestContext<'_>, _: &Request<'_>) -> Result<Response, Error> {
    let state = cx.state;
    let (hits, misses) = state.cache.counts();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        ("fundraising_queue_waiting", count(state.limiter.waiting())),
        ("fundraising_upstream_calls_under_way", count(state.limiter.under_way())),
        ("fundraising_budget_requests_per_minute", state.settings.requests_per_minute.unwrap_or(0).into()),
        ("fundraising_budget_opens_in_milliseconds", state.limiter.opens_in(cx.now()).unwrap_or(0)),
        ("fundraising_cache_hits_total", hits),
        ("fundraising_cache_misses_total", misses),
    ];
    Ok(Response { status: 200, body: Body::Text(state.metrics.to_text(&gauges)) })
}
