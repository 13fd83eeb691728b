//! What cannot be true of a gift, though it is well formed.
//!
//! These are hard errors: no review could make them right. What is merely unusual is no business of this module.

use std::time::Duration;

use ports::Timestamp;
use ports::time::parse_date;
use serde_json::{Map, Value};
use time::Date;

use super::Gift;
use crate::client_error::ClientError;
use crate::money::{Money, no_minor_units};

/// Somewhere it is already tomorrow: the furthest time zone is 14 hours ahead of UTC.
const FURTHEST_ZONE: Duration = Duration::from_hours(14);
/// When money went back
const REFUND_DATE: &str = "refundDate";
/// The longest year
const A_YEAR: Duration = Duration::from_hours(366 * 24);

/// Checks amounts, currencies and dates
///
/// A gift in kind may be worth nothing; any other is more than zero. A gift date is a calendar date that has begun
/// somewhere on earth.
///
/// # Examples
///
/// ```
/// use fundraising::gift::{Gift, plausible};
/// use ports::Timestamp;
///
/// let now = Timestamp::parse("2026-03-05T12:00:00Z").unwrap();
/// let gift = Gift { gift_date: Some("2027-01-01".into()), ..Gift::default() };
/// assert!(plausible::check(&gift, now).unwrap_err().message.contains("must not be in the future"));
/// ```
///
/// # Errors
/// The first fault: amount, fee, gift date, expected date.
pub fn check(gift: &Gift, now: Timestamp) -> Result<(), ClientError> {
    if gift.has_amount() {
        amount(gift)?;
    }
    if let Some(fee) = &gift.fee_amount {
        not_negative("feeAmount", fee)?;
    }
    if let Some(text) = &gift.gift_date {
        day("giftDate", text, now)?;
    }
    if let Some(text) = &gift.expected_at {
        day("expectedAt", text, now)?;
    }
    Ok(())
}

fn amount(gift: &Gift) -> Result<(), ClientError> {
    let in_kind = gift.is_in_kind == Some(true) || gift.gift_intent.as_deref() == Some("corporateInKind");
    if gift.amount.amount_micros < 0 || (gift.amount.amount_micros == 0 && !in_kind) {
        return Err(ClientError::bad("amount.amountMicros must be greater than zero"));
    }
    not_negative("amount", &gift.amount)
}

/// Zero or more, in a currency of ISO 4217
pub(super) fn not_negative(place: &str, money: &Money) -> Result<(), ClientError> {
    if money.amount_micros < 0 {
        return Err(ClientError::bad(format!("{place}.amountMicros must not be negative")));
    }
    currency(place, money)
}

/// What a staged gift must be before it becomes a gift: as [`check`], and in whole minor units
///
/// # Errors
/// The first fault.
pub fn stored(gift: &Gift, now: Timestamp) -> Result<(), ClientError> {
    check(gift, now)?;
    whole_minor_units(gift)
}

/// What every payment has: a day, and whole minor units
///
/// # Errors
/// Names what is missing or cannot be; the payment was made all the same.
pub fn payment(gift: &Gift) -> Result<(), ClientError> {
    if gift.gift_date.is_none() {
        return Err(unreadable("giftDate"));
    }
    whole_minor_units(gift)
}

fn unreadable(key: &str) -> ClientError {
    ClientError::bad(format!("{key} cannot be read from what the provider tells"))
}

/// When a provider says that money went back, milliseconds since 1970: within the bounds of [`days`], and said at all
///
/// # Errors
/// An instant that nobody can mean; the money went back all the same.
pub fn refunded_at(at: i64, now: Timestamp) -> Result<(), ClientError> {
    let at = Timestamp::from_millis(at);
    match at.to_utc().filter(|_| at.as_millis() != 0) {
        Some(told) => near(REFUND_DATE, &at.to_string(), told.date(), now),
        None => Err(unreadable(REFUND_DATE)),
    }
}

fn whole_minor_units(gift: &Gift) -> Result<(), ClientError> {
    if gift.amount.is_whole_minor_units() { Ok(()) } else { Err(no_minor_units("amount", &gift.amount)) }
}

/// The days of a record: none before 1900, and no gift or refund more than a year ahead
///
/// What does not begin with a calendar date is left to Twenty.
///
/// # Errors
/// The first that nobody can mean.
pub fn days(body: &Map<String, Value>, now: Timestamp) -> Result<(), ClientError> {
    for (key, value) in body {
        let Some(text) = value.as_str().map(str::trim).filter(|_| key.ends_with("Date") || key.ends_with("At")) else {
            continue;
        };
        if let Some(date) = text.get(..10).and_then(parse_date) {
            near(key, text, date, now)?;
        }
    }
    Ok(())
}

/// Since 1900, and a gift's or a refund's at most a year ahead
fn near(key: &str, text: &str, date: Date, now: Timestamp) -> Result<(), ClientError> {
    not_before_1900(key, text, date)?;
    let latest = (now + A_YEAR).to_utc().filter(|_| matches!(key, "giftDate" | REFUND_DATE));
    if latest.is_some_and(|latest| date > latest.date()) {
        return Err(ClientError::bad(format!("{key} `{text}` must not be more than a year ahead")));
    }
    Ok(())
}

fn not_before_1900(key: &str, text: &str, date: Date) -> Result<(), ClientError> {
    if date.year() >= 1900 {
        return Ok(());
    }
    Err(ClientError::bad(format!("{key} `{text}` must not be before 1900")))
}

/// A calendar date since 1900; only the gift's own must have begun
pub(super) fn day(key: &str, text: &str, now: Timestamp) -> Result<(), ClientError> {
    let date = date(key, text)?;
    not_before_1900(key, text, date)?;
    let latest = (now + FURTHEST_ZONE).to_utc();
    if key == "giftDate" && latest.is_some_and(|latest| date > latest.date()) {
        return Err(ClientError::bad(format!("giftDate `{text}` must not be in the future")));
    }
    Ok(())
}

fn currency(place: &str, money: &Money) -> Result<(), ClientError> {
    if money.is_known_currency() {
        return Ok(());
    }
    Err(ClientError::bad(format!(
        "{place}.currencyCode `{}` must be an ISO 4217 code such as GBP",
        money.currency_code
    )))
}

fn date(key: &str, text: &str) -> Result<Date, ClientError> {
    parse_date(text)
        .ok_or_else(|| ClientError::bad(format!("{key} `{text}` must be a calendar date in the form YYYY-MM-DD")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gift() -> Gift {
        Gift { amount: Money { amount_micros: 1, currency_code: "GBP".into() }, ..Gift::default() }
    }

    fn fault(gift: &Gift) -> Option<String> {
        check(gift, Timestamp::parse("2026-03-01T12:00:00Z").unwrap()).err().map(|refusal| refusal.message)
    }

    #[test]
    fn amounts_are_more_than_zero_unless_in_kind() {
        let worth = |micros, in_kind| {
            let amount = Money { amount_micros: micros, ..gift().amount };
            fault(&Gift { amount, is_in_kind: Some(in_kind), ..Gift::default() })
        };
        assert_eq!(worth(1, false), None);
        assert_eq!(worth(0, true), None);
        for (micros, in_kind) in [(0, false), (-1, false), (-1, true)] {
            assert_eq!(worth(micros, in_kind).unwrap(), "amount.amountMicros must be greater than zero");
        }
    }

    #[test]
    fn fees_and_currencies_are_checked() {
        let money = |micros, code: &str| Money { amount_micros: micros, currency_code: code.into() };
        let fee = |fee| fault(&Gift { fee_amount: Some(fee), ..gift() });
        assert_eq!(fee(money(0, "EUR")), None);
        assert_eq!(fee(money(-1, "EUR")).unwrap(), "feeAmount.amountMicros must not be negative");
        assert_eq!(
            fee(money(1, "euro")).unwrap(),
            "feeAmount.currencyCode `euro` must be an ISO 4217 code such as GBP"
        );
        let gift = Gift { amount: money(1, "zzz"), ..Gift::default() };
        assert_eq!(fault(&gift).unwrap(), "amount.currencyCode `zzz` must be an ISO 4217 code such as GBP");
    }

    #[test]
    fn gift_date_is_real_and_past() {
        let on = |date: &str| fault(&Gift { gift_date: Some(date.into()), ..gift() });
        assert_eq!(on("2026-03-01"), None);
        assert_eq!(on("2026-03-02"), None, "already begun in the furthest zone");
        assert_eq!(on("2026-03-03").unwrap(), "giftDate `2026-03-03` must not be in the future");
        for text in ["2026-02-29", "01/02/2026", "2026-02-01T10:00:00Z", "tomorrow"] {
            assert_eq!(on(text).unwrap(), format!("giftDate `{text}` must be a calendar date in the form YYYY-MM-DD"));
        }
    }

    #[test]
    fn dates_nobody_means() {
        let day = |key: &str, text: &str| {
            let body = Map::from_iter([(key.to_owned(), text.into())]);
            days(&body, Timestamp::parse("2026-03-01T12:00:00Z").unwrap()).is_ok()
        };
        for (key, text) in [
            ("refundDate", "2027-03-01T00:00:00Z"),
            ("refundDate", "1900-01-01"),
            ("startDate", "1900-01-01"),
            ("endDate", "2999-12-31"),
            ("note", "1066-10-14"),
            ("depositDate", "soon"),
        ] {
            assert!(day(key, text), "{key} {text}");
        }
        for (key, text) in [
            ("giftDate", "2027-04-01"),
            ("refundDate", "2027-03-03"),
            ("refundDate", "1899-12-31T23:59:59Z"),
            ("nextExpectedAt", "0026-03-01"),
            ("depositDate", " 0206-03-01"),
        ] {
            assert!(!day(key, text), "{key} {text}");
        }
        let expected = Gift { expected_at: Some("0226-03-01".into()), ..gift() };
        assert_eq!(fault(&expected).unwrap(), "expectedAt `0226-03-01` must not be before 1900");
    }

    #[test]
    fn instants_of_refunds() {
        let at = |text: &str| Timestamp::parse(text).unwrap().as_millis();
        let told = |at| {
            let checked = refunded_at(at, Timestamp::parse("2026-03-01T12:00:00Z").unwrap());
            checked.err().map(|refusal| refusal.message)
        };
        assert_eq!([told(at("2026-03-01T12:00:00Z")), told(at("1900-01-01T00:00:00Z"))], [None, None]);
        let unreadable = "refundDate cannot be read from what the provider tells";
        for (at, expected) in [
            (0, unreadable),
            (1_772_400_000_000_000, unreadable),
            (i64::MAX, unreadable),
            (i64::MIN, unreadable),
            (at("2100-01-01T00:00:00Z"), "refundDate `2100-01-01T00:00:00.000Z` must not be more than a year ahead"),
            (at("1874-05-01T00:00:00Z"), "refundDate `1874-05-01T00:00:00.000Z` must not be before 1900"),
        ] {
            assert_eq!(told(at).as_deref(), Some(expected), "{at}");
        }
    }

    #[test]
    fn expected_date_may_lie_ahead() {
        let expected = |date: &str| fault(&Gift { expected_at: Some(date.into()), ..gift() });
        assert_eq!(expected("2030-01-01"), None);
        assert_eq!(
            expected("2026-04-31").unwrap(),
            "expectedAt `2026-04-31` must be a calendar date in the form YYYY-MM-DD"
        );
    }
}
