//! The time: the clock, waiting, and time zones.

use std::time::Duration;

use async_trait::async_trait;

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
