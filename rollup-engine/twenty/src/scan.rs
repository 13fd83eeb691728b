//! Walking over JSON text without building anything.
//!
//! A page is read once, and most of it is not wanted. What is skipped here costs no memory, and what is kept is handed
//! over as it was written, so that a number loses no digit. It refuses whatever is not JSON, skipped or not, and text
//! that is nested deeper than [`DEEPEST`]; it interprets nothing but keys.
//!
//! `serde_json` could do this as well, with seeds and raw values. In the rollup module that is 17 kB more, because it
//! brings a second copy of the parser.

use std::borrow::Cow;

/// Most objects and lists within one another; Twenty's replies have five
const DEEPEST: u32 = 100;

/// Text that is not JSON, or JSON of another shape
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}{}", if *.ended { ", where the text ends" } else { "" })]
pub struct Malformed {
    /// What would have fitted
    pub expected: &'static str,
    /// Where, in bytes from 0
    pub at: usize,
    /// Whether the text ends there
    pub ended: bool,
}

type Result<T> = std::result::Result<T, Malformed>;

/// A place in a JSON text
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    /// At the beginning of a text
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        match str::from_utf8(bytes) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0 }),
            Err(error) => Err(Malformed { expected: "UTF-8", at: error.valid_up_to(), ended: false }),
        }
    }

    /// The error that something else was expected here
    pub(crate) fn expected(&self, expected: &'static str) -> Malformed {
        Malformed { expected, at: self.at, ended: self.byte().is_none() }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes the bytes that fit, and gives their number
    fn pass(&mut self, fits: fn(u8) -> bool) -> usize {
        let from = self.at;
        while self.byte().is_some_and(fits) {
            self.at += 1;
        }
        self.at - from
    }

    fn pass_one(&mut self, byte: u8) -> bool {
        let here = self.byte() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// The first byte of what comes next
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.pass(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        self.byte()
    }

    /// Enters an object or a list, whose items [`Self::next`] then leads to
    pub(crate) fn enter(&mut self, bracket: u8, expected: &'static str) -> Result<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.expected("less nesting"));
        }
        self.peek();
        if self.pass_one(bracket) { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// Goes to the next item, or past the bracket that closes; `first` is true until the first item
    pub(crate) fn next(&mut self, closing: u8, first: &mut bool) -> Result<bool> {
        self.peek();
        if self.pass_one(closing) {
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::take(first) && !self.pass_one(b',') {
            return Err(self.expected("a comma or a closing bracket"));
        }
        Ok(true)
    }

    /// Goes to the next value of an object and gives its key, or past the end of the object
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>> {
        if !self.next(b'}', first)? {
            return Ok(None);
        }
        self.peek();
        let from = self.at;
        self.string("a key")?;
        let written = self.since(from);
        self.peek();
        if !self.pass_one(b':') {
            return Err(self.expected("a colon"));
        }
        if written.bytes().any(|byte| byte == b'\\') {
            let unreadable = Malformed { expected: "a key", at: from, ended: false };
            match serde_json::from_slice(written.as_bytes()) {
                Ok(serde_json::Value::String(key)) => Ok(Some(key.into())),
                _ => Err(unreadable),
            }
        } else {
            Ok(Some(written.trim_matches('"').into()))
        }
    }

    /// Passes a value, and gives its text
    pub(crate) fn value(&mut self) -> Result<&'a str> {
        let first_byte = self.peek();
        let from = self.at;
        let mut first = true;
        match first_byte {
            Some(b'{') => {
                self.enter(b'{', "an object")?;
                while self.next(b'}', &mut first)? {
                    self.peek();
                    self.string("a key")?;
                    self.peek();
                    if !self.pass_one(b':') {
                        return Err(self.expected("a colon"));
                    }
                    self.value()?;
                }
            }
            Some(b'[') => {
                self.enter(b'[', "a list")?;
                while self.next(b']', &mut first)? {
                    self.value()?;
                }
            }
            Some(b'"') => self.string("a text")?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                self.pass(|byte| byte.is_ascii_lowercase());
                if !matches!(self.since(from), "null" | "true" | "false") {
                    self.at = from;
                    return Err(self.expected("a value"));
                }
            }
        }
        Ok(self.since(from))
    }

    /// Goes back to the beginning of a value that was just passed
    pub(crate) fn back(&mut self, value: &str) {
        self.at -= value.len();
    }

    /// Whether nothing but space is left
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end")) }
    }

    fn since(&self, from: usize) -> &'a str {
        // Both ends stand beside ASCII, or at an end of the text.
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn string(&mut self, expected: &'static str) -> Result<()> {
        if !self.pass_one(b'"') {
            return Err(self.expected(expected));
        }
        loop {
            self.pass(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f));
            if self.pass_one(b'"') {
                return Ok(());
            }
            if !self.pass_one(b'\\') {
                return Err(self.expected("a closing quote"));
            }
            let escape = self.byte();
            self.at += 1;
            let digits = match escape {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
                Some(b'u') => 4,
                _ => {
                    self.at -= 1;
                    return Err(self.expected("an escape"));
                }
            };
            for _ in 0..digits {
                if !self.byte().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                    return Err(self.expected("a hexadecimal digit"));
                }
                self.at += 1;
            }
        }
    }

    fn number(&mut self) -> Result<()> {
        self.pass_one(b'-');
        if !self.pass_one(b'0') {
            self.digits()?;
        }
        if self.pass_one(b'.') {
            self.digits()?;
        }
        if self.pass_one(b'e') || self.pass_one(b'E') {
            if !self.pass_one(b'+') {
                self.pass_one(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        if self.pass(|byte| byte.is_ascii_digit()) == 0 { Err(self.expected("a digit")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    fn scan(text: &[u8]) -> Result<()> {
        let mut scanner = Scanner::new(text)?;
        scanner.value()?;
        scanner.end()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, message) in [
            ("", "expected a value at byte 0, where the text ends"),
            ("<html>", "expected a value at byte 0"),
            ("nul", "expected a value at byte 0"),
            ("[1,]", "expected a value at byte 3"),
            ("[1 2]", "expected a comma or a closing bracket at byte 3"),
            (r#"{"a":1,}"#, "expected a key at byte 7"),
            (r#"{"a" 1}"#, "expected a colon at byte 5"),
            (r#"{"a":"#, "expected a value at byte 5, where the text ends"),
            (r#""\x""#, "expected an escape at byte 2"),
            (r#""\u12g4""#, "expected a hexadecimal digit at byte 5"),
            ("\"a\nb\"", "expected a closing quote at byte 2"),
            ("1.e3", "expected a digit at byte 2"),
            ("01", "expected the end at byte 1"),
            ("{} {}", "expected the end at byte 3"),
        ] {
            assert_eq!(scan(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
        assert_eq!(scan(b"\"\xff\"").unwrap_err().to_string(), "expected UTF-8 at byte 1");
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(scan(nested(100).as_bytes()), Ok(()));
        assert_eq!(scan(nested(101).as_bytes()).unwrap_err().expected, "less nesting");
        assert_eq!(scan("[".repeat(1_000_000).as_bytes()).unwrap_err().expected, "less nesting");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// Short texts of JSON's own letters: nearly right more often than random bytes are
        #[test]
        fn the_same_texts_are_json_as_for_serde(text in r#"([\[\]{},:"\\ue0-2.+\-aé \n]|null|true|"a":|\\u00e9){0,12}"#) {
            let oracle = serde_json::from_slice::<IgnoredAny>(text.as_bytes());
            prop_assert_eq!(scan(text.as_bytes()).is_ok(), oracle.is_ok(), "{}", text);
        }
    }
}
