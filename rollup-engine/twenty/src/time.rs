//! An instant that can be made up at will.
//!
//! `std::time::Instant` cannot be constructed and panics on `wasm32-unknown-unknown`, and `SystemTime` reads a clock.
//! This one is a number handed in by the host.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads an instant such as `2026-11-22T21:26:57.641Z`, with any offset; finer parts are cut to milliseconds
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|instant| Self(instant.as_millisecond()))
    }

    /// Reads the `Date` header of an HTTP answer: `Sun, 22 Nov 2026 21:26:57 GMT`
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let instant = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self(instant.as_millisecond()))
    }

    /// Time from `earlier` to this instant; zero if `earlier` is the later one
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// As Twenty writes an instant: `2026-11-22T21:26:57.641Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_and_written_as_twenty_does() {
        for text in ["2026-11-22T21:26:57.641Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Timestamp::parse("2026-03-05T23:30:00-05:00"), Timestamp::parse("2026-03-06T04:30:00Z"));
        assert_eq!(Timestamp::parse("2026-03-05"), None);
        assert_eq!(
            Timestamp::parse_http_date("Sun, 22 Nov 2026 21:26:57 GMT"),
            Timestamp::parse("2026-11-22T21:26:57Z")
        );
    }

    #[test]
    fn the_distance_to_a_later_instant_is_zero() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_500));
        assert_eq!(late.since(early), Duration::from_millis(1_500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early + Duration::from_millis(1_500), late);
        assert_eq!(late - Duration::from_millis(1_500), early);
    }
}
