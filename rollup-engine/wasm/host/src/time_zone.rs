//! The time zone data that the runtime carries, asked through `Intl.DateTimeFormat`.
//!
//! A zone database in the module would weigh more than the engine. A calendar asks for an offset some thousand times, so
//! the formatters are kept for as long as the instance lives, and a date crosses as one string.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use ports::Timestamp;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = UTC)]
    fn utc(year: f64, month: f64, day: f64, hour: f64, minute: f64, second: f64) -> f64;

    #[derive(Clone)]
    type DateTimeFormat;

    #[wasm_bindgen(catch, constructor, js_namespace = Intl)]
    fn new(locale: &str, options: &Object) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(catch, method)]
    fn format(this: &DateTimeFormat, millis: f64) -> Result<String, JsValue>;
}

thread_local! {
    static FORMATS: RefCell<Vec<(String, DateTimeFormat)>> = const { RefCell::new(Vec::new()) };
}

/// Seconds that local time in the zone is ahead of UTC at that instant; nothing for an unknown zone
pub(crate) fn offset(zone: &str, at: Timestamp) -> Option<i32> {
    // Whole seconds, since the formatter gives no smaller part.
    let millis = at.as_millis().div_euclid(1_000).checked_mul(1_000)?;
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years on either side of 1970")]
    let millis = millis as f64;
    let local = formatter(zone)?.format(millis).ok()?;
    // American order: `11/22/2026, 21:26:57`.
    let mut numbers =
        local.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse::<u16>().ok());
    let mut next = || numbers.next().map(f64::from);
    let (month, day, year, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?, next()?);
    #[expect(clippy::cast_possible_truncation, reason = "an offset is below a day")]
    let seconds = ((utc(year, month - 1.0, day, hour, minute, second) - millis) / 1_000.0) as i32;
    Some(seconds)
}

fn formatter(zone: &str) -> Option<DateTimeFormat> {
    if let Some(known) =
        FORMATS.with_borrow(|formats| formats.iter().find(|(name, _)| name == zone).map(|(_, format)| format.clone()))
    {
        return Some(known);
    }
    let options = Object::new();
    let numeric = ["year", "month", "day", "hour", "minute", "second"].map(|name| (name, "numeric"));
    for (name, value) in numeric.into_iter().chain([("timeZone", zone), ("hourCycle", "h23")]) {
        Reflect::set(&options, &name.into(), &value.into()).ok()?;
    }
    let format = DateTimeFormat::new("en-US", &options).ok()?;
    FORMATS.with_borrow_mut(|formats| formats.push((zone.to_owned(), format.clone())));
    Some(format)
}
