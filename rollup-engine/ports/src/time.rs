//! An instant that can be made up at will.
//!
//! `std::time::Instant` cannot be constructed and panics on `wasm32-unknown-unknown`, and `SystemTime` reads a clock.
//! This one is a number handed in by the host.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

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
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::Timestamp;
    ///
    /// let at = Timestamp::parse("2026-03-05T23:30:00-05:00").unwrap();
    /// assert_eq!(at.to_string(), "2026-03-06T04:30:00.000Z");
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (day, rest) = (text.get(..10)?, text.get(10..)?.strip_prefix(['T', 't', ' '])?);
        let zone = rest.find(['Z', 'z', '+', '-'])?;
        let (clock, zone) = rest.split_at_checked(zone)?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let milli = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
        let (hour, rest) = clock.split_once(':')?;
        let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
        let time = Time::from_hms_milli(digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?, milli).ok()?;
        Some(Self::from_utc(PrimitiveDateTime::new(parse_date(day)?, time)) - offset(zone)?)
    }

    /// Reads the `Date` header of an HTTP answer: `Sun, 22 Nov 2026 21:26:57 GMT`
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::Timestamp;
    ///
    /// let at = Timestamp::parse_http_date("Sun, 22 Nov 2026 21:26:57 GMT");
    /// assert_eq!(at, Timestamp::parse("2026-11-22T21:26:57Z"));
    /// ```
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let mut words = text.split_once(',')?.1.strip_prefix(' ')?.strip_suffix(" GMT")?.split(' ');
        let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = months.iter().position(|name| *name == month)? + 1;
        Self::parse(&format!("{year}-{month:02}-{day}T{clock}Z"))
    }

    /// The instant at which it is this time in UTC
    #[must_use]
    pub fn from_utc(at: PrimitiveDateTime) -> Self {
        let at = at.assume_utc();
        Self(at.unix_timestamp() * 1_000 + i64::from(at.millisecond()))
    }

    /// The time in UTC; nothing for years that are not between -9999 and 9999
    #[must_use]
    pub fn to_utc(self) -> Option<PrimitiveDateTime> {
        let at = OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1_000)).ok()?;
        let at = at.replace_millisecond(u16::try_from(self.0.rem_euclid(1_000)).ok()?).ok()?;
        Some(PrimitiveDateTime::new(at.date(), at.time()))
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
        let Some(at) = self.to_utc() else { return write!(f, "{} ms", self.0) };
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, milli) = at.as_hms_milli();
        write!(f, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", u8::from(month))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(whole_millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(whole_millis(duration)))
    }
}

/// Whole milliseconds of a duration, for reports
#[must_use]
pub fn whole_millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000).saturating_add(u64::from(duration.subsec_millis()))
}

/// Longest time that a JavaScript timer takes; it fires at once for a longer one
const MAX_TIMER_MILLIS: u32 = i32::MAX.unsigned_abs();

/// A duration as JavaScript's timers and signals take it: whole milliseconds, never fewer than asked
///
/// `AbortSignal.timeout` refuses a fraction, and `setTimeout` drops it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(ports::time::timer_millis(Duration::from_micros(1_500)), 2);
/// ```
#[must_use]
pub fn timer_millis(duration: Duration) -> u32 {
    let whole = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(whole).map_or(MAX_TIMER_MILLIS, |millis| millis.min(MAX_TIMER_MILLIS))
}

/// Reads a calendar date, `2026-11-22`
///
/// # Examples
///
/// ```
/// use ports::time::{format_date, parse_date};
///
/// assert_eq!(parse_date("2028-02-29").map(format_date).as_deref(), Some("2028-02-29"));
/// assert_eq!(parse_date("2027-02-29"), None);
/// ```
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month: Month = digits::<u8>(month, 2)?.try_into().ok()?;
    Date::from_calendar_date(digits(year, 4)?, month, digits(day, 2)?).ok()
}

/// Writes a calendar date, `2026-11-22`
#[must_use]
pub fn format_date(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// `Z`, `+01:00`, `+0100` or `+01`, as milliseconds ahead of UTC
fn offset(text: &str) -> Option<SignedMillis> {
    if text.eq_ignore_ascii_case("z") {
        return Some(SignedMillis(0));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let clock = text.get(1..)?;
    let (hours, minutes) = match clock.len() {
        2 => (clock, "00"),
        4 => clock.split_at_checked(2)?,
        _ => clock.split_once(':')?,
    };
    let (hours, minutes) = (digits::<i64>(hours, 2)?, digits::<i64>(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(SignedMillis(sign * (hours * 60 + minutes) * 60_000))
}

/// A number of exactly so many digits
fn digits<T: FromStr>(text: &str, count: usize) -> Option<T> {
    if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A distance that may go backwards
struct SignedMillis(i64);

impl Sub<SignedMillis> for Timestamp {
    type Output = Self;

    fn sub(self, distance: SignedMillis) -> Self {
        Self(self.0.saturating_sub(distance.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All durations up to a minute are whole for JavaScript, and none is shorter than asked.
    #[test]
    fn timer_millis_up_to_a_minute() {
        for millis in 0..=60_000_u32 {
            let exact = Duration::from_millis(millis.into());
            assert_eq!(timer_millis(exact), millis);
            // Above and below each whole one, by what a float cannot tell from it and by what it can.
            for nanos in [1, 100, 1_000, 999_000, 999_999] {
                assert_eq!(timer_millis(exact + Duration::from_nanos(nanos)), millis + 1, "{millis} ms and {nanos} ns");
            }
        }
        for micros in (0..=60_000_000_u64).step_by(37) {
            let expected = u32::try_from(micros.div_ceil(1_000)).unwrap();
            assert_eq!(timer_millis(Duration::from_micros(micros)), expected, "{micros} µs");
        }
    }

    /// A wait longer than a timer takes is as long as a timer takes.
    #[test]
    fn timer_millis_saturation() {
        let longest = 2_147_483_647;
        for duration in [Duration::MAX, Duration::from_millis(1 << 31), Duration::from_millis(longest.into())] {
            assert_eq!(timer_millis(duration), longest);
        }
        assert_eq!(timer_millis(Duration::from_millis(u64::from(longest) - 1)), longest - 1);
    }

    proptest! {
        #[test]
        fn every_instant_agrees_with_another_library(millis in -62_135_596_800_000..253_402_300_799_999_i64) {
            let shown = format!("{:.3}", jiff::Timestamp::from_millisecond(millis).unwrap());
            prop_assert_eq!(Timestamp::from_millis(millis).to_string(), shown.clone());
            prop_assert_eq!(Timestamp::parse(&shown), Some(Timestamp::from_millis(millis)));
        }

        #[test]
        fn any_text_as_another_library(
            text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+-][01][0-9]:[0-5][0-9])"
        ) {
            let expected = text.parse::<jiff::Timestamp>().ok().map(|at| at.as_nanosecond().div_euclid(1_000_000));
            let found = Timestamp::parse(&text).map(|at| i128::from(at.as_millis()));
            prop_assert_eq!(found, expected, "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (Timestamp::parse(&text), Timestamp::parse_http_date(&text), parse_date(&text));
        }
    }

    #[test]
    fn instants_as_twenty_writes_them() {
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
