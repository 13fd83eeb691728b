//! Reading single settings.

use std::fmt::Display;
use std::str::FromStr;

use twenty::setting::{self, MAX_REQUESTS_PER_MINUTE, SettingError};

const FLAG: &str = "`1`, `true`, `yes` or `on`, or else `0`, `false`, `no` or `off`";

/// Reads settings one by one, and keeps what is wrong with them
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Names whose values no message shows
    secrets: &'a [&'static str],
    pub(super) errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(lookup: &'a dyn Fn(&str) -> Option<String>, secrets: &'a [&'static str]) -> Self {
        Self { lookup, secrets, errors: Vec::new() }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name);
        setting::filled(value.as_deref()).map(str::to_owned)
    }

    pub(super) fn shown(&self, text: &str) -> String {
        let secrets: Vec<String> = self.secrets.iter().filter_map(|name| self.text(name)).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        setting::shown(text, &secrets)
    }

    pub(super) fn refuse(&mut self, name: &'static str, value: &str, expected: impl Into<String>) {
        let value = self.shown(value);
        self.errors.push(SettingError::Value { name, value, expected: expected.into() });
    }

    /// What a reader makes of the value, if it is set; refused where the reader makes nothing of it
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        reader: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let read = reader(&text);
        if read.is_none() {
            self.refuse(name, &text, expected);
        }
        read
    }

    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, FLAG, setting::flag).unwrap_or(false)
    }

    pub(super) fn url(&mut self, name: &'static str) -> Option<String> {
        self.read(name, setting::URL, |text| setting::base_url(text).ok())
    }

    pub(super) fn secret(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if setting::is_secret(&text) {
            return Some(text);
        }
        self.errors.push(SettingError::Secret { name, expected: setting::SECRET.to_owned() });
        None
    }

    pub(super) fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &'static str,
        [least, most]: [T; 2],
        default: T,
    ) -> T {
        let expected = format!("a whole number from {least} to {most}");
        let number = self.read(name, &expected, |text| in_range(text, least, most));
        number.unwrap_or(default)
    }

    pub(super) fn rate(&mut self, name: &'static str, default: u32) -> Option<u32> {
        let expected = format!("a whole number from 1 to {MAX_REQUESTS_PER_MINUTE}, or `off`");
        let rate = self.read(name, &expected, |text| {
            let is_off = text.eq_ignore_ascii_case("off");
            if is_off { Some(None) } else { in_range(text, 1, MAX_REQUESTS_PER_MINUTE).map(Some) }
        });
        rate.unwrap_or(Some(default))
    }
}

/// The number that a text is, if it is within the limits
pub(super) fn in_range<T: FromStr + PartialOrd>(text: &str, least: T, most: T) -> Option<T> {
    setting::whole_number(text)?;
    text.parse().ok().filter(|number| (least..=most).contains(number))
}
