//! Dates and instants as the server reads them: more forms than it admits, and fewer than it might.

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A calendar date: `2026-03-05`, `2026-3-5`, `03/05/2026` (month first), or a UTC date-time, whose time is dropped
pub(crate) fn date(text: &str) -> Option<Date> {
    if let Some((day, rest)) = text.split_once('T') {
        time(text)?;
        let is_utc = !rest.contains('+') && !rest.contains('-');
        return if is_utc { date(day) } else { None };
    }
    let (separator, order) = if text.contains('/') { ('/', [2, 0, 1]) } else { ('-', [0, 1, 2]) };
    let parts: Vec<&str> = text.split(separator).collect();
    if parts.len() != 3 || parts.iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let part = |at: usize| order.get(at).and_then(|place| parts.get(*place));
    if part(0)?.len() != 4 {
        return None;
    }
    Date::new(part(0)?.parse().ok()?, part(1)?.parse().ok()?, part(2)?.parse().ok()?).ok()
}

/// An instant, in milliseconds: ISO 8601 with `Z`, an offset, or neither (then UTC), or a bare date
pub(crate) fn time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let local = if text.contains('T') || text.contains(' ') {
        text.parse::<jiff::civil::DateTime>().ok()?
    } else {
        date(text)?.at(0, 0, 0, 0)
    };
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_forms_of_the_server() {
        let expected = Date::new(2026, 3, 5).ok();
        for text in ["2026-03-05", "2026-3-5", "03/05/2026", "2026-03-05T23:30:00Z", "2026-03-05T10:00:00.000Z"] {
            assert_eq!(date(text), expected, "{text}");
        }
        for text in ["", "2026-02-30", "2026-03-05T23:30:00-05:00", "2024", "2024-13-01", "x", "05/2026"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn instants_without_a_zone_are_utc() {
        assert_eq!(time("2026-05-01T10:00:00"), time("2026-05-01T10:00:00Z"));
        assert_eq!(time("2026-05-01T10:00:00+02:00"), time("2026-05-01T08:00:00.000Z"));
        assert_eq!(time("2026-05-01"), time("2026-05-01T00:00:00Z"));
        assert_eq!(time("yesterday"), None);
        assert_eq!(time("2024"), None);
    }
}
