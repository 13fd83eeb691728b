//! A request and an answer as plain values, whatever server they came through.

use percent_encoding::percent_decode_str;

/// How often an encoded text is decoded anew to see what it hides
const MAX_DECODINGS: usize = 8;

/// A request as the runtime took it from the wire
#[derive(Clone, Default)]
pub struct Inbound {
    /// Method in upper case
    pub method: String,
    /// Path and query, percent-encoded: `/api/fundraising/gifts?limit=5`
    pub target: String,
    /// Header names in any case, with their values
    pub headers: Vec<(String, String)>,
    /// Body, complete; may be cut after more than the largest size that is taken
    pub body: Vec<u8>,
    /// Random bits of the runtime, for the ids that this request makes
    pub entropy: u128,
}

// Headers hold tokens and bodies hold donors: neither reaches a log.
impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Inbound {
    /// The same with a target in origin form: proxies may send `http://host/path`
    #[must_use]
    pub fn in_origin_form(mut self) -> Self {
        if let Some((scheme, rest)) = self.target.split_once("://")
            && (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        {
            let path = rest.find(['/', '?']).map_or("", |at| rest.get(at..).unwrap_or_default());
            self.target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        }
        self
    }

    /// The first value of a header, by its lower-case name
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path, without the query
    #[must_use]
    pub fn path(&self) -> &str {
        split_at_byte(&self.target, b'?').0
    }

    /// The parameters of the query, decoded, in the order sent
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let query = split_at_byte(&self.target, b'?').1;
        let parts = query.as_bytes().split(|byte| *byte == b'&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = match part.iter().position(|byte| *byte == b'=') {
                Some(at) => (part.get(..at).unwrap_or_default(), part.get(at + 1..).unwrap_or_default()),
                None => (part, &[][..]),
            };
            (decode_form(name), decode_form(value))
        });
        pairs.collect()
    }
}

/// An answer for the runtime to send
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Status code
    pub status: u16,
    /// Header names in lower case, with their values
    pub headers: Vec<(String, String)>,
    /// Body bytes; empty for none
    pub body: Vec<u8>,
}

/// Whether a part of a query may name or hold a token, however it is spelled
pub(crate) fn may_hold_token(part: &str) -> bool {
    let mut text = part.to_owned();
    for _ in 0..MAX_DECODINGS {
        let decoded = decode_form(text.as_bytes());
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let letters: String = text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    letters.contains("token")
}

/// A name or a segment as an answer may show it: without what may be a token
pub(crate) fn shown(text: &str) -> &str {
    if !may_hold_token(text) {
        return text;
    }
    text.split(['=', '%', '?', '&', ';', '#']).next().unwrap_or_default()
}

/// Both sides of the first such byte, without it; the whole and nothing if there is none
pub(crate) fn split_at_byte(text: &str, byte: u8) -> (&str, &str) {
    match text.bytes().position(|other| other == byte) {
        Some(at) => (text.get(..at).unwrap_or(text), text.get(at + 1..).unwrap_or_default()),
        None => (text, ""),
    }
}

/// A segment of a path, decoded; nothing if an escape is broken or the bytes are not UTF-8
pub(crate) fn decode_segment(segment: &str) -> Option<String> {
    let bytes = segment.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let digits = bytes.get(at + 1..at + 3);
        if *byte == b'%' && !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return None;
        }
    }
    percent_decode_str(segment).decode_utf8().ok().map(|text| text.as_ref().to_owned())
}

/// A name or a value of a query, as forms encode it
fn decode_form(part: &[u8]) -> String {
    let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn query_keeps_order_and_repeats() {
        let inbound =
            Inbound { target: "/a/b?x=1&x=2&e=&flag&sp=a%20b%2Bc+d&filter=a%5Beq%5D%3A1".into(), ..Inbound::default() };
        let query = inbound.query();
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(query, [("x", "1"), ("x", "2"), ("e", ""), ("flag", ""), ("sp", "a b+c d"), ("filter", "a[eq]:1")]);
        assert_eq!(inbound.path(), "/a/b");
    }

    #[test]
    fn absolute_form_targets() {
        for (target, expected) in [
            ("http://host/api/x?a=1", "/api/x?a=1"),
            ("HTTPS://user:pw@host:3000/api", "/api"),
            ("http://host", "/"),
            ("http://host?a=1", "/?a=1"),
            ("/api?next=http://host/x", "/api?next=http://host/x"),
            ("ftp://host/x", "ftp://host/x"),
            ("*", "*"),
            ("", ""),
        ] {
            let inbound = Inbound { target: target.into(), ..Inbound::default() };
            assert_eq!(inbound.in_origin_form().target, expected, "{target}");
        }
    }

    #[test]
    fn tokens_are_not_shown() {
        for part in
            ["token=x", "%74oken=x", "TOKEN=x", "%2574oken=x", "access_token=x", "to%00ken=x", " token =x", "a;token=x"]
        {
            assert!(may_hold_token(part), "{part}");
            assert!(!shown(part).contains('x'), "{part}");
        }
        assert_eq!((shown("order_by"), may_hold_token("tok=en")), ("order_by", true));
        assert_eq!((shown("tokens"), shown("%E0%A4%A")), ("tokens", "%E0%A4%A"));
    }

    #[test]
    fn a_broken_escape_is_no_segment() {
        assert_eq!(decode_segment("a%2Fb%20c").as_deref(), Some("a/b c"));
        for broken in ["%", "%2", "%zz", "%FF", "a%E0%A4%A"] {
            assert_eq!(decode_segment(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn no_target_panics(target in "\\PC{0,60}") {
            let inbound = Inbound { target: target.clone(), ..Inbound::default() };
            let _ = (inbound.query(), decode_segment(&target));
        }
    }
}
