//! What day it is, and where a day begins.
//!
//! A `DATE` is a calendar date, a `DATE_TIME` an instant; between the two stands the configured time zone. `now` is taken
//! once a run, so that all totals of a run agree on which year it is.

use std::time::Duration;

use ports::{TimeZones, Timestamp};
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::definitions::DynamicDate;

/// The calendar of one run
#[derive(Clone, Debug)]
pub struct Calendar {
    now: Timestamp,
    today: Date,
    fiscal_year_start_month: u8,
    offsets: Offsets,
}

/// How far local time is ahead of UTC
#[derive(Clone, Debug)]
enum Offsets {
    Utc,
    /// Instants from which an offset in seconds applies, ascending; the first one applies to all earlier ones
    Changes(Vec<(Timestamp, i32)>),
}

/// First and last year for which changes of the offset are looked up; outside them the nearest known one applies
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2040;

impl Calendar {
    /// The calendar of the UTC day of `now`
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::{Timestamp, time::format_date};
    /// use rollup::calendar::Calendar;
    /// use rollup::definitions::DynamicDate;
    ///
    /// let april = 4;
    /// let calendar = Calendar::utc(Timestamp::parse("2026-03-05T12:00:00Z").unwrap(), april);
    /// assert_eq!(format_date(calendar.day(DynamicDate::StartOfFiscalYear)), "2025-04-01");
    /// ```
    #[must_use]
    pub fn utc(now: Timestamp, fiscal_year_start_month: u8) -> Self {
        Self::new(now, fiscal_year_start_month, Offsets::Utc)
    }

    /// The calendar of an IANA zone such as `Europe/London`; nothing if it is unknown
    pub fn in_zone(
        zones: &(impl TimeZones + ?Sized),
        zone: &str,
        now: Timestamp,
        fiscal_year_start_month: u8,
    ) -> Option<Self> {
        if zone == "UTC" {
            return Some(Self::utc(now, fiscal_year_start_month));
        }
        let changes = offset_changes(|at| zones.utc_offset(zone, at))?;
        Some(Self::new(now, fiscal_year_start_month, Offsets::Changes(changes)))
    }

    fn new(now: Timestamp, fiscal_year_start_month: u8, offsets: Offsets) -> Self {
        let mut calendar = Self { now, today: Date::MIN, fiscal_year_start_month, offsets };
        calendar.today = calendar.local(now).date();
        calendar
    }

    /// The instant at which the run began
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The day that a moving day falls on
    #[must_use]
    pub fn day(&self, day: DynamicDate) -> Date {
        let (year, month) = (self.today.year(), u8::from(self.today.month()));
        let first = |year, month| first_of(year, month).unwrap_or(self.today);
        match day {
            DynamicDate::Today => self.today,
            DynamicDate::StartOfMonth => first(year, month),
            DynamicDate::StartOfYear => first(year, 1),
            DynamicDate::StartOfFiscalYear => {
                let start = self.fiscal_year_start_month;
                first(if month >= start { year } else { year - 1 }, start)
            }
        }
    }

    /// Date and time on the wall at this instant
    #[must_use]
    pub fn local(&self, at: Timestamp) -> PrimitiveDateTime {
        shifted(at, self.offset(at)).to_utc().unwrap_or(PrimitiveDateTime::MIN)
    }

    /// The instant at which this day begins: the first at which the wall shows it, also where there is no midnight
    #[must_use]
    pub fn midnight(&self, day: Date) -> Timestamp {
        let wall = Timestamp::from_utc(PrimitiveDateTime::new(day, Time::MIDNIGHT));
        let Offsets::Changes(changes) = &self.offsets else { return wall };
        let ends = changes.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
        let begins = changes.iter().zip(ends).enumerate().find_map(|(number, ((from, seconds), end))| {
            let midnight = shifted(wall, -seconds);
            // What was skipped when the clock was put forward begins with that.
            let begin = if number == 0 { midnight } else { midnight.max(*from) };
            end.is_none_or(|end| begin < end).then_some(begin)
        });
        begins.unwrap_or(wall)
    }

    fn offset(&self, at: Timestamp) -> i32 {
        match &self.offsets {
            Offsets::Utc => 0,
            Offsets::Changes(changes) => {
                let after = changes.partition_point(|(from, _)| *from <= at);
                changes.get(after.saturating_sub(1)).map_or(0, |(_, seconds)| *seconds)
            }
        }
    }
}

fn first_of(year: i32, month: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, 1).ok()
}

fn shifted(at: Timestamp, seconds: i32) -> Timestamp {
    let distance = Duration::from_secs(u64::from(seconds.unsigned_abs()));
    if seconds < 0 { at - distance } else { at + distance }
}

/// Looks up where the offset changes: half a month at a time (some zones suspend summer time for a month), then by halving
/// the time in which it did, to the minute
fn offset_changes(offset: impl Fn(Timestamp) -> Option<i32>) -> Option<Vec<(Timestamp, i32)>> {
    const MINUTE: i64 = 60_000;
    let months = YEARS.flat_map(|year| (1..=12).map(move |month| (year, month)));
    let halves = months.filter_map(|(year, month)| {
        let first = first_of(year, month)?;
        Some([first, first.replace_day(16).ok()?])
    });
    let starts =
        halves.flatten().map(|day| Timestamp::from_utc(PrimitiveDateTime::new(day, Time::MIDNIGHT)).as_millis());
    let mut found: Vec<(Timestamp, i32)> = Vec::new();
    let mut before: Option<(i64, i32)> = None;
    for start in starts {
        let here = offset(Timestamp::from_millis(start))?;
        match before {
            None => found.push((Timestamp::from_millis(start), here)),
            Some((mut low, there)) if there != here => {
                let mut high = start;
                while high - low > MINUTE {
                    let middle = low + (high - low) / 2 / MINUTE * MINUTE;
                    if offset(Timestamp::from_millis(middle))? == there {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                found.push((Timestamp::from_millis(high), here));
            }
            Some(_) => {}
        }
        before = Some((start, here));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::time::{format_date, parse_date};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn calendar(zone: &str, now: &str, fiscal_year_start_month: u8) -> Calendar {
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let changes = offset_changes(|at| {
            let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
            Some(zone.to_offset(instant).seconds())
        });
        Calendar::new(at(now), fiscal_year_start_month, Offsets::Changes(changes.unwrap()))
    }

    #[test]
    fn days_move_with_the_calendar_of_the_zone() {
        // Half an hour before midnight UTC it is the next day, month and year already in Auckland.
        let utc = Calendar::utc(at("2026-12-31T23:30:00Z"), 4);
        let auckland = calendar("Pacific/Auckland", "2026-12-31T23:30:00Z", 4);
        let days = |calendar: &Calendar| {
            [DynamicDate::Today, DynamicDate::StartOfMonth, DynamicDate::StartOfYear, DynamicDate::StartOfFiscalYear]
                .map(|day| format_date(calendar.day(day)))
        };
        assert_eq!(days(&utc), ["2026-12-31", "2026-12-01", "2026-01-01", "2026-04-01"]);
        assert_eq!(days(&auckland), ["2027-01-01", "2027-01-01", "2027-01-01", "2026-04-01"]);
    }

    #[test]
    fn the_fiscal_year_begins_in_its_month() {
        let start = |now, month| format_date(Calendar::utc(at(now), month).day(DynamicDate::StartOfFiscalYear));
        assert_eq!(start("2026-03-31T12:00:00Z", 4), "2025-04-01");
        assert_eq!(start("2026-04-01T00:00:00Z", 4), "2026-04-01");
        assert_eq!(start("2026-04-01T00:00:00Z", 1), "2026-01-01");
    }

    #[test]
    fn midnight_is_the_zones_own() {
        let london = calendar("Europe/London", "2026-06-30T23:30:00Z", 1);
        assert_eq!(format_date(london.day(DynamicDate::Today)), "2026-07-01");
        for (day, instant) in [
            ("2026-07-01", "2026-06-30T23:00:00Z"),
            ("2026-01-01", "2026-01-01T00:00:00Z"),
            ("2026-03-29", "2026-03-29T00:00:00Z"),
            ("2026-03-30", "2026-03-29T23:00:00Z"),
            ("2026-10-25", "2026-10-24T23:00:00Z"),
            ("2026-10-26", "2026-10-26T00:00:00Z"),
        ] {
            assert_eq!(london.midnight(parse_date(day).unwrap()), at(instant), "{day}");
        }
        let kolkata = calendar("Asia/Kolkata", "2026-06-30T23:30:00Z", 1);
        assert_eq!(kolkata.midnight(parse_date("2026-01-01").unwrap()), at("2025-12-31T18:30:00Z"));
    }

    /// Zones that put the clock forward or back at midnight among them
    #[test]
    fn days_begin_as_in_the_zone_data() {
        for zone in [
            "America/Santiago",
            "America/Havana",
            "America/Sao_Paulo",
            "America/Asuncion",
            "Asia/Beirut",
            "Africa/Cairo",
            "Atlantic/Azores",
            "Europe/London",
            "Pacific/Auckland",
        ] {
            let data = jiff::tz::TimeZone::get(zone).unwrap();
            let calendar = calendar(zone, "2026-06-30T23:30:00Z", 1);
            let mut day = jiff::civil::date(1991, 1, 1);
            while day < jiff::civil::date(2040, 1, 1) {
                let expected = day.to_zoned(data.clone()).unwrap().timestamp().as_millisecond();
                let begins = calendar.midnight(parse_date(&day.to_string()).unwrap());
                assert_eq!(begins.as_millis(), expected, "{zone} {day}");
                day = day.tomorrow().unwrap();
            }
        }
    }

    #[test]
    fn local_times_agree_with_zone_data() {
        for zone in ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "Europe/London"] {
            let data = jiff::tz::TimeZone::get(zone).unwrap();
            let calendar = calendar(zone, "2026-06-30T23:30:00Z", 1);
            for hours in (0..350_000).step_by(7) {
                let instant = jiff::Timestamp::from_second(946_684_800 + hours * 3_600).unwrap();
                let local = calendar.local(Timestamp::from_millis(instant.as_millisecond()));
                let expected = data.to_datetime(instant);
                let shown = format!("{}T{:02}:{:02}:00", format_date(local.date()), local.hour(), local.minute());
                assert_eq!(shown, expected.to_string(), "{zone} {instant}");
            }
        }
    }
}
