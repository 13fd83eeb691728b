//! When a recurring agreement's next instalment is due, and what a payment makes of its status.
//!
//! The day of the month is that of the agreement's start, so that an agreement of the 31st comes back to the 31st after
//! a short month. A cadence that is not known is not guessed.

use time::{Date, Duration, Month};

/// How often an instalment is due
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Every seven days
    Weekly,
    /// Every month
    Monthly,
    /// Every three months
    Quarterly,
    /// Every twelve months
    Annual,
}

impl Cadence {
    /// Reads the word of an agreement; nothing for `custom` and for words that are not known
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "weekly" => Some(Self::Weekly),
            "monthly" => Some(Self::Monthly),
            "quarterly" => Some(Self::Quarterly),
            "annual" => Some(Self::Annual),
            _ => None,
        }
    }
}

/// What an agreement says of its instalments
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How often
    pub cadence: Cadence,
    /// Every how many weeks, months, quarters or years; none and zero mean one
    pub interval_count: Option<u16>,
    /// Its first day
    pub start: Option<Date>,
    /// When the instalment that was just paid was due
    pub next_expected: Option<Date>,
}

/// The day on which the next instalment is due, after one of `paid_on`
///
/// Counted from the day that was due, else from the start, else from the payment. Nothing past the year 9999.
#[must_use]
pub fn advance(schedule: &Schedule, paid_on: Date) -> Option<Date> {
    let from = schedule.next_expected.or(schedule.start).unwrap_or(paid_on);
    let count = schedule.interval_count.unwrap_or(1).max(1);
    let months = match schedule.cadence {
        Cadence::Weekly => return from.checked_add(Duration::weeks(count.into())),
        Cadence::Monthly => 1,
        Cadence::Quarterly => 3,
        Cadence::Annual => 12,
    };
    let day = schedule.start.unwrap_or(from).day();
    months_later(from, i32::from(count) * months, day)
}

/// The first due day that a payment of `paid_on` leaves open
///
/// The days that lie before the payment, or less than half an interval after it, are taken for paid. So it comes to the
/// same day however often it is asked with its own answer: a repeated call does not move the agreement on, and one that
/// fell behind catches up. Nothing past the year 9999.
///
/// # Examples
///
/// ```
/// use fundraising::agreement::{Cadence, Schedule, next_due};
/// use ports::time::parse_date;
///
/// let schedule = Schedule {
///     cadence: Cadence::Monthly,
///     interval_count: None,
///     start: parse_date("2026-01-31"),
///     next_expected: parse_date("2026-01-31"),
/// };
/// let paid_on = parse_date("2026-02-01").unwrap();
/// assert_eq!(next_due(&schedule, paid_on), parse_date("2026-02-28"));
/// ```
#[must_use]
pub fn next_due(schedule: &Schedule, paid_on: Date) -> Option<Date> {
    let mut due = schedule.next_expected.or(schedule.start).unwrap_or(paid_on);
    loop {
        let next = advance(&Schedule { next_expected: Some(due), ..*schedule }, due)?;
        if due - paid_on > (next - due) / 2 {
            return Some(due);
        }
        due = next;
    }
}

/// So many months later, on this day or on the month's last
fn months_later(from: Date, months: i32, day: u8) -> Option<Date> {
    let index = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + months;
    let year = index.div_euclid(12);
    let month = Month::try_from(u8::try_from(index.rem_euclid(12) + 1).ok()?).ok()?;
    Date::from_calendar_date(year, month, day.min(month.length(year))).ok()
}

/// The status to write after a payment arrived: nothing if it stays
///
/// A payment ends a delinquency and a pause. It does not revive what was ended.
///
/// # Examples
///
/// ```
/// use fundraising::agreement::status_after_payment;
///
/// assert_eq!(status_after_payment(Some("delinquent")), Some("active"));
/// assert_eq!(status_after_payment(Some("canceled")), None);
/// ```
#[must_use]
pub fn status_after_payment(current: Option<&str>) -> Option<&'static str> {
    match current.map(str::trim).unwrap_or_default() {
        "active" | "canceled" | "completed" => None,
        _ => Some("active"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::time::{format_date, parse_date};
    use proptest::prelude::*;

    fn next(cadence: Cadence, count: u16, start: &str, due: &str, paid: &str) -> String {
        let schedule =
            Schedule { cadence, interval_count: Some(count), start: parse_date(start), next_expected: parse_date(due) };
        format_date(advance(&schedule, parse_date(paid).unwrap()).unwrap())
    }

    #[test]
    fn due_day_counts() {
        assert_eq!(next(Cadence::Monthly, 1, "2025-01-15", "2026-01-15", "2026-01-19"), "2026-02-15");
        assert_eq!(next(Cadence::Monthly, 1, "2026-01-15", "", "2026-01-19"), "2026-02-15");
        assert_eq!(next(Cadence::Monthly, 1, "", "", "2026-01-19"), "2026-02-19");
    }

    #[test]
    fn short_month_takes_its_last_day() {
        assert_eq!(next(Cadence::Monthly, 1, "", "", "2026-01-31"), "2026-02-28");
        assert_eq!(next(Cadence::Monthly, 1, "2026-01-31", "2026-02-28", "2026-02-28"), "2026-03-31");
        assert_eq!(next(Cadence::Annual, 1, "2024-02-29", "", "2024-02-29"), "2025-02-28");
        assert_eq!(next(Cadence::Annual, 1, "2024-02-29", "2027-02-28", "2027-02-28"), "2028-02-29");
    }

    #[test]
    fn cadence_and_interval_multiply() {
        assert_eq!(next(Cadence::Weekly, 2, "", "2026-02-20", "2026-02-20"), "2026-03-06");
        assert_eq!(next(Cadence::Quarterly, 1, "", "2026-11-30", "2026-11-30"), "2027-02-28");
        assert_eq!(next(Cadence::Monthly, 14, "", "2026-11-01", "2026-11-01"), "2028-01-01");
        assert_eq!(next(Cadence::Monthly, 0, "", "2026-11-01", "2026-11-01"), "2026-12-01");
    }

    #[test]
    fn open_questions_have_one_answer() {
        let ask = |due: &str, start: &str, paid: &str| {
            let schedule = Schedule {
                cadence: Cadence::Monthly,
                interval_count: None,
                start: parse_date(start),
                next_expected: parse_date(due),
            };
            format_date(next_due(&schedule, parse_date(paid).unwrap()).unwrap())
        };
        assert_eq!(ask("2026-01-15", "", "2026-01-19"), "2026-02-15");
        assert_eq!(ask("2026-02-15", "", "2026-01-19"), "2026-02-15");
        assert_eq!(ask("2026-01-15", "", "2026-01-13"), "2026-02-15", "early");
        assert_eq!(ask("2026-01-15", "", "2026-03-16"), "2026-04-15", "fell behind");
        assert_eq!(ask("", "", "2026-01-31"), "2026-02-28", "no schedule but the payment");
        assert_eq!(ask("", "2025-01-31", "2026-01-31"), "2026-02-28");
        assert_eq!(ask("2026-02-28", "2025-01-31", "2026-02-28"), "2026-03-31");
    }

    #[test]
    fn unknown_words_are_not_guessed() {
        assert_eq!(Cadence::read(" Monthly "), Some(Cadence::Monthly));
        assert_eq!(Cadence::read("weekly"), Some(Cadence::Weekly));
        assert_eq!(Cadence::read("quarterly"), Some(Cadence::Quarterly));
        assert_eq!(Cadence::read("annual"), Some(Cadence::Annual));
        assert_eq!(Cadence::read("custom"), None);
    }

    #[test]
    fn payment_revives_nothing_ended() {
        for (current, expected) in [
            (None, Some("active")),
            (Some("delinquent"), Some("active")),
            (Some("paused"), Some("active")),
            (Some("active"), None),
            (Some("canceled"), None),
            (Some("completed"), None),
        ] {
            assert_eq!(status_after_payment(current), expected, "{current:?}");
        }
    }

    /// Day by day: the days that a slow reader of the calendar would call due
    fn is_due(day: Date, from: Date, months: i32, anchor: u8) -> bool {
        let apart =
            (day.year() - from.year()) * 12 + i32::from(u8::from(day.month())) - i32::from(u8::from(from.month()));
        let last = day.month().length(day.year());
        day == from || (apart > 0 && apart % months == 0 && day.day() == anchor.min(last))
    }

    proptest! {
        #[test]
        fn due_day_by_calendar_walk(
            start in 0_i64..20_000, paid in -400_i64..1_500, count in 1_u16..4,
            cadence in proptest::sample::select(vec![(Cadence::Monthly, 1), (Cadence::Quarterly, 3), (Cadence::Annual, 12)]),
        ) {
            let from = Date::from_calendar_date(1990, Month::January, 1).unwrap() + Duration::days(start);
            let paid_on = from + Duration::days(paid);
            let schedule = Schedule { cadence: cadence.0, interval_count: Some(count), start: Some(from), next_expected: None };
            let found = next_due(&schedule, paid_on).unwrap();
            let months = cadence.1 * i32::from(count);
            let mut dues = (0..).map(|days| from + Duration::days(days)).filter(|day| is_due(*day, from, months, from.day()));
            let mut due = dues.next().unwrap();
            let expected = loop {
                let next = dues.next().unwrap();
                if (due - paid_on).whole_days() * 2 > (next - due).whole_days() { break due; }
                due = next;
            };
            prop_assert_eq!(found, expected);
            prop_assert_eq!(next_due(&Schedule { next_expected: Some(found), ..schedule }, paid_on), Some(found));
        }

        #[test]
        fn the_next_day_lies_ahead(
            days in 0_i64..1_000_000, count in 0_u16.., start in proptest::option::of(0_i64..1_000_000),
            cadence in proptest::sample::select(vec![Cadence::Weekly, Cadence::Monthly, Cadence::Quarterly, Cadence::Annual]),
        ) {
            let date = |days| Date::from_calendar_date(1970, Month::January, 1).unwrap() + Duration::days(days);
            let from = date(days);
            let schedule = Schedule {
                cadence, interval_count: Some(count), start: start.map(date), next_expected: Some(from),
            };
            if let Some(next) = advance(&schedule, from) {
                prop_assert!(next > from, "{from} {next}");
            }
        }
    }
}
