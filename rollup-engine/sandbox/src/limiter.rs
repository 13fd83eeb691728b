//! The server's rate limit: two token buckets, in the recorded manner and in the newer one.
//!
//! Recorded (v1): a whole number of tokens comes back, counted since the last accepted call, so that calls closer
//! together than one token's time earn nothing; the short bucket is charged although the long one refuses. Newer
//! (v2): fractions come back, and either all buckets are charged or none.

use std::str::FromStr;

use serde_json::json;

use crate::api_error::ApiError;
use crate::profile::Profile;

/// So many calls in so long a time
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Size of the bucket
    pub tokens: u32,
    /// Time in which an empty bucket fills, in milliseconds
    pub per_ms: u32,
}

/// The limits of a server
///
/// # Examples
///
/// ```
/// use sandbox::Limits;
///
/// let limits: Limits = "300/60000".parse().unwrap();
/// assert_eq!(limits.long.unwrap().tokens, 300);
/// assert!("300".parse::<Limits>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Against bursts
    pub short: Option<Limit>,
    /// The one that matters
    pub long: Option<Limit>,
}

impl Default for Limits {
    /// 100 a second and 100 a minute
    fn default() -> Self {
        Self { short: Some(Limit { tokens: 100, per_ms: 1_000 }), long: Some(Limit { tokens: 100, per_ms: 60_000 }) }
    }
}

impl Limits {
    /// No limit at all
    #[must_use]
    pub const fn off() -> Self {
        Self { short: None, long: None }
    }
}

/// A text that names no limits
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits `{0}`: expected `default`, `off` or `N/MS`, such as `100/60000`")]
pub struct UnknownLimits(String);

impl FromStr for Limits {
    type Err = UnknownLimits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::default()),
            "off" => Ok(Self::off()),
            _ => {
                let (tokens, per_ms) = text.split_once('/').ok_or_else(|| UnknownLimits(text.to_owned()))?;
                match (tokens.parse(), per_ms.parse()) {
                    (Ok(tokens), Ok(per_ms)) if tokens > 0 && per_ms > 0 => {
                        Ok(Self { long: Some(Limit { tokens, per_ms }), ..Self::default() })
                    }
                    _ => Err(UnknownLimits(text.to_owned())),
                }
            }
        }
    }
}

/// Who is counted
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spender {
    ApiKey,
    Application,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    limit: Limit,
    tokens: f64,
    /// Time of the last accepted call, in milliseconds
    since: Option<i64>,
}

impl Bucket {
    fn new(limit: Limit) -> Self {
        Self { limit, tokens: f64::from(limit.tokens), since: None }
    }

    fn available(&self, now: i64, whole: bool) -> f64 {
        let Some(since) = self.since else { return f64::from(self.limit.tokens) };
        let elapsed = u32::try_from((now - since).max(0)).unwrap_or(u32::MAX);
        let mut refill = f64::from(elapsed) * f64::from(self.limit.tokens) / f64::from(self.limit.per_ms);
        if whole {
            refill = refill.floor();
        }
        (self.tokens + refill).min(f64::from(self.limit.tokens))
    }

    fn take(&mut self, now: i64, whole: bool) -> bool {
        let available = self.available(now, whole);
        if available < 1.0 {
            return false;
        }
        self.tokens = available - 1.0;
        self.since = Some(now);
        true
    }
}

/// The buckets of one spender
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    profile: Profile,
    spender: Spender,
    short: Option<Bucket>,
    long: Option<Bucket>,
}

impl Limiter {
    pub(crate) fn new(profile: Profile, spender: Spender, limits: Limits) -> Self {
        Self { profile, spender, short: limits.short.map(Bucket::new), long: limits.long.map(Bucket::new) }
    }

    /// Takes one token from each bucket, or refuses.
    pub(crate) fn charge(&mut self, now: i64) -> Result<(), ApiError> {
        match self.profile {
            Profile::V1 => {
                for bucket in [&mut self.short, &mut self.long].into_iter().flatten() {
                    if !bucket.take(now, true) {
                        return Err(refused_v1(bucket.limit));
                    }
                }
            }
            Profile::V2 => {
                let buckets = [&self.short, &self.long];
                if let Some(empty) = buckets.into_iter().flatten().find(|bucket| bucket.available(now, false) < 1.0) {
                    return Err(refused_v2(self.spender, empty, now));
                }
                for bucket in [&mut self.short, &mut self.long].into_iter().flatten() {
                    bucket.take(now, false);
                }
            }
        }
        Ok(())
    }
}

fn refused_v1(limit: Limit) -> ApiError {
    ApiError {
        status: 429,
        sub_code: Some("LIMIT_REACHED"),
        ..ApiError::thrown("HttpException", format!("Limit reached ({} tokens per {} ms)", limit.tokens, limit.per_ms))
    }
}

fn refused_v2(spender: Spender, bucket: &Bucket, now: i64) -> ApiError {
    let limit = bucket.limit;
    let (kind, id) = match spender {
        Spender::ApiKey => ("apiKey", "20202020-f401-4d8a-a731-64d007c27bad"),
        Spender::Application => ("application", "20202020-4a70-4f8c-9d3c-5a1c3f0b7e11"),
    };
    let seconds = limit.per_ms / 1_000;
    let wait_ms = (1.0 - bucket.available(now, false)).max(0.0) * f64::from(limit.per_ms) / f64::from(limit.tokens);
    // The subtraction keeps rounding errors from adding a second.
    let retry_after = (wait_ms / 1_000.0 - 1e-6).ceil().max(1.0);
    let message = format!("Rate limit exceeded for {kind}: {} requests per {seconds}s.", limit.tokens);
    let body = json!({
        "statusCode": 429,
        "error": "RATE_LIMITED",
        "messages": [message],
        "limitKind": "speed",
        "exhaustedKind": "limit",
        "scope": {"spenderType": kind, "spenderId": id, "operationType": "API_REQUEST"},
        "limit": limit.tokens,
        "remaining": 0,
        "periodCount": seconds,
        "periodUnit": "second",
        "retryAfterSeconds": retry_after,
    });
    let error = ApiError {
        status: 429,
        graphql: "RATE_LIMITED",
        sub_code: Some("RATE_LIMITED"),
        ..ApiError::thrown("HttpException", message)
    };
    error
        .with_body(body)
        .with_extension("retryAfterMs", json!(wait_ms.ceil()))
        .with_extension("limit", json!(limit.tokens))
        .with_extension("remaining", json!(0))
        .with_extension("limitKind", json!("speed"))
        .with_header("retry-after", retry_after.to_string())
        .with_header("x-ratelimit-limit", limit.tokens.to_string())
        .with_header("x-ratelimit-remaining", "0".to_owned())
        .with_header("x-ratelimit-reset", retry_after.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(profile: Profile, every_ms: i64, calls: i64) -> i64 {
        let mut limiter = Limiter::new(profile, Spender::ApiKey, Limits::default());
        (0..calls).filter(|call| limiter.charge(call * every_ms).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn v1_close_calls_earn_nothing_back() {
        assert_eq!(accepted(Profile::V1, 250, 101), 100);
        assert_eq!(accepted(Profile::V1, 650, 500), 500);
        let mut limiter = Limiter::new(Profile::V1, Spender::ApiKey, Limits::default());
        for call in 0..100 {
            assert!(limiter.charge(call * 15).is_ok());
        }
        let empty_since = 99 * 15;
        let passed = (1..=60).filter(|poll| limiter.charge(empty_since + poll * 100).is_ok()).count();
        assert_eq!(passed, 10, "one poll in six");
    }

    #[test]
    fn in_v2_fractions_come_back() {
        assert!(accepted(Profile::V2, 250, 170) > 165);
        let mut limiter = Limiter::new(Profile::V2, Spender::ApiKey, "2/60000".parse().unwrap());
        assert!(limiter.charge(0).is_ok() && limiter.charge(0).is_ok());
        let error = limiter.charge(10_000).unwrap_err();
        assert!(error.headers().contains(&("retry-after", "20".to_owned())));
    }

    #[test]
    fn limits_are_read_from_text() {
        assert_eq!("off".parse(), Ok(Limits::off()));
        assert_eq!("50/1000".parse::<Limits>().unwrap().long, Some(Limit { tokens: 50, per_ms: 1_000 }));
        assert!("50".parse::<Limits>().is_err());
    }
}
