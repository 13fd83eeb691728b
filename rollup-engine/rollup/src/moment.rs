//! Dates and instants as Twenty writes them, compared as what they are.
//!
//! A DATE (`2026-03-05`) orders by its text. An instant (`2026-03-05T23:30:00.000Z`) orders by its text as well, as long
//! as both are written the same way; anything else is parsed.

use std::cmp::Ordering;

use ports::Timestamp;
use ports::time::parse_date;
use time::Date;

/// What a text says about time
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// A calendar date, `YYYY-MM-DD`
    Date(&'a str),
    /// An instant
    Instant(&'a str),
}

impl<'a> Moment<'a> {
    /// What a text says about time, if it looks like a date or begins like one
    ///
    /// The digits are taken at their word: Twenty has checked them.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cmp::Ordering;
    ///
    /// use rollup::moment::Moment;
    ///
    /// let (earlier, later) = (Moment::read("2026-03-05").unwrap(), Moment::read("2026-11-22").unwrap());
    /// assert_eq!(earlier.order(later), Some(Ordering::Less));
    /// assert_eq!(Moment::read("05/03/2026"), None);
    /// ```
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let date = bytes.get(..10)?;
        let shaped = date.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        match bytes.get(10) {
            _ if !shaped => None,
            None => Some(Self::Date(text)),
            Some(b'T' | b' ') => Some(Self::Instant(text)),
            Some(_) => None,
        }
    }

    /// The instant, for an instant that can be read
    #[must_use]
    pub fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Date(_) => None,
            Self::Instant(text) => Timestamp::parse(text),
        }
    }

    /// The day, for a date that exists
    #[must_use]
    pub fn day(self) -> Option<Date> {
        match self {
            Self::Date(text) => parse_date(text),
            Self::Instant(_) => None,
        }
    }

    /// Order of two dates or of two instants; nothing for one of each
    #[must_use]
    pub fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) if is_canonical(a) && is_canonical(b) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(Timestamp::parse(a)?.cmp(&Timestamp::parse(b)?)),
            _ => None,
        }
    }
}

/// Written as Twenty writes an instant, to the millisecond in UTC
fn is_canonical(text: &str) -> bool {
    text.len() == "2026-11-22T21:26:57.641Z".len() && text.ends_with('Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        assert_eq!(Moment::read("2026-03-05"), Some(Moment::Date("2026-03-05")));
        assert!(matches!(Moment::read("2026-03-05T10:00:00.000Z"), Some(Moment::Instant(_))));
        for text in ["", "2026", "2026-3-5", "2026-03-05x", "received", "١٢٣٤٥", "20260305-1"] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    /// Instants order by time however they are written
    #[test]
    fn order_of_instants() {
        let order = |a, b| Moment::read(a).unwrap().order(Moment::read(b).unwrap());
        assert_eq!(order("2026-03-05", "2026-03-06"), Some(Ordering::Less));
        assert_eq!(order("2026-03-05T23:30:00.000Z", "2026-03-05T23:30:00.001Z"), Some(Ordering::Less));
        assert_eq!(order("2026-03-05T23:30:00-05:00", "2026-03-06T04:30:00.000Z"), Some(Ordering::Equal));
        assert_eq!(order("2026-03-05", "2026-03-05T00:00:00.000Z"), None);
    }
}
