//! The time: the clock, waiting, and time zones.

use std::time::Duration;

use async_trait::async_trait;
use time::Date;

use crate::Timestamp;

/// Tells the time, and waits
#[async_trait(?Send)]
pub trait Clock {
    /// The current time
    fn now(&self) -> Timestamp;

    /// Waits for at least this long.
    async fn sleep(&self, duration: Duration);
}

#[async_trait(?Send)]
impl<T: Clock + ?Sized> Clock for &T {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    async fn sleep(&self, duration: Duration) {
        (**self).sleep(duration).await;
    }
}

/// Knows time zones
pub trait TimeZones {
    /// Seconds that local time in the IANA zone `zone` is ahead of UTC at that instant; nothing for an unknown zone
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32>;
}

impl<T: TimeZones + ?Sized> TimeZones for &T {
    fn utc_offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        (**self).utc_offset(zone, at)
    }
}

/// The calendar day of an instant in an IANA zone; nothing for an unknown zone
///
/// # Examples
///
/// ```
/// use ports::{TimeZones, Timestamp, local_date};
///
/// /// New York in winter
/// struct Winter;
/// impl TimeZones for Winter {
///     fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> { Some(-5 * 3_600) }
/// }
/// let at = Timestamp::parse("2026-01-01T03:30:00Z").unwrap();
/// assert_eq!(local_date(&Winter, "America/New_York", at).unwrap().to_string(), "2025-12-31");
/// assert_eq!(local_date(&Winter, "UTC", at).unwrap().to_string(), "2026-01-01");
/// ```
pub fn local_date(zones: &(impl TimeZones + ?Sized), zone: &str, at: Timestamp) -> Option<Date> {
    let seconds = if zone == "UTC" { 0 } else { zones.utc_offset(zone, at)? };
    let local = at.as_millis().checked_add(i64::from(seconds) * 1_000)?;
    Some(Timestamp::from_millis(local).to_utc()?.date())
}
