//! Settings, as every program of this tree reads them: read, or refused with what was expected.
//!
//! ```
//! use twenty::setting;
//!
//! assert_eq!(setting::base_url("https://crm.example.org/rest/")?, "https://crm.example.org/rest");
//! assert!(setting::base_url("crm.example.org").is_err());
//! assert_eq!(setting::nearest("FUNDRAISING_GIFTAID", &["FUNDRAISING_GIFT_AID"]), Some("FUNDRAISING_GIFT_AID"));
//! # Ok::<(), &'static str>(())
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

/// Most requests a minute that may be set
pub const MAX_REQUESTS_PER_MINUTE: u32 = 100_000;
/// Shorter secrets would tear holes into words that have the same letters
const MIN_MASKED: usize = 6;
/// Words of a secret's beginning that are shorter are no secrets
const MIN_SECRET: usize = 16;
/// Characters of a value that a message shows
const MAX_SHOWN: usize = 200;
/// Slips of the keyboard that still leave a name recognisable
const MAX_SLIPS: usize = 2;
/// How alike names must be, from 0 to 1
const MIN_LIKENESS: f64 = 0.5;
/// What a secret must be: it goes into a header, or is copied from a page letter by letter
pub const SECRET: &str =
    "letters, digits and signs of ASCII, without blanks and line breaks, and without quotes around them";
/// What an address must be
pub const URL: &str =
    "an address such as `https://crm.example.org`: http or https, a host, no name or password, no `?` and no `#`";
/// How the secrets of Twenty, Stripe, `GoCardless` and others begin
const SECRET_STARTS: [&str; 7] = ["eyJ", "sk_", "rk_", "pk_", "whsec_", "live_", "sandbox_"];

/// A setting that cannot be read
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It may be shown
    #[error("`{name}` is `{value}`, expected {expected}")]
    Value {
        /// Name of the setting
        name: &'static str,
        /// What it is, as [`shown`]
        value: String,
        /// What it should be
        expected: String,
    },
    /// It may not be shown
    #[error("`{name}` (the value is not shown), expected {expected}")]
    Secret {
        /// Name of the setting
        name: &'static str,
        /// What it should be
        expected: String,
    },
}

impl SettingError {
    /// Name of the setting
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Value { name, .. } | Self::Secret { name, .. } => name,
        }
    }
}

/// The value without blanks around it; a blank one is not set
#[must_use]
pub fn filled(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// The address of a server without a trailing slash
///
/// # Errors
/// [`URL`], if it is another.
pub fn base_url(text: &str) -> Result<String, &'static str> {
    read_base_url(text).ok_or(URL)
}

/// `fetch` would take more for an address: it drops tabs, turns backslashes, and resolves dots.
fn read_base_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    // The last colon outside the brackets of an IPv6 address
    let colon = authority.rfind(':').filter(|colon| !authority.ends_with(']') && *colon > 0);
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let port = match port.strip_prefix(':') {
        None | Some("") => default_port,
        Some(port) => u16::try_from(whole_number(port)?).ok().filter(|port| *port > 0)?,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:/".contains(&byte);
    if !is_host(host) || !path.bytes().all(is_plain) || path.split('/').any(|part| matches!(part, "." | "..")) {
        return None;
    }
    let path = path.trim_end_matches('/');
    Some(if port == default_port {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{host}:{port}{path}")
    })
}

/// Whether it is a name of labels, or an address in its usual form: `fetch` takes any that ends with a number for IPv4
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let are_labels = name.len() <= 253
        && name.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(is_plain));
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    are_labels && (!is_number || name.parse::<Ipv4Addr>().is_ok())
}

/// Whether it can be a key, a token or a signing secret
#[must_use]
pub fn is_secret(text: &str) -> bool {
    let is_quoted = ['"', '\'', '`'].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote));
    !text.is_empty() && !is_quoted && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A whole number in digits alone
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// A value as a message may show it: one line of bounded length, without the name and password of an address, without
/// its query, and without what a secret is made of. `secrets` are the values that stand elsewhere.
///
/// # Examples
///
/// ```
/// use twenty::setting::shown;
///
/// assert_eq!(shown("https://user:pass@crm.example.org", &[]), "https://(not shown)@crm.example.org");
/// assert_eq!(shown("80 a minute", &[]), "80 a minute");
/// ```
#[must_use]
pub fn shown(value: &str, secrets: &[&str]) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let mut words = value.split(|letter| !is_part(letter)).filter(|word| word.len() >= MIN_SECRET);
    if words.any(|word| SECRET_STARTS.iter().any(|start| word.starts_with(start))) {
        return "(not shown: it may be a secret)".to_owned();
    }
    let mut text = value.to_owned();
    if let Some(at) = text.rfind('@') {
        let start = text.find("://").map_or(0, |scheme| scheme + 3).min(at);
        text.replace_range(start..at, "(not shown)");
    }
    if text.contains("://")
        && let Some(start) = text.find(['?', '#'])
    {
        text.truncate(start + 1);
        text.push_str("(not shown)");
    }
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_MASKED) {
        text = text.replace(secret, "(not shown)");
    }
    let mut line = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == MAX_SHOWN {
            line.push('…');
            break;
        }
        if letter.is_control() { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    line
}

/// The known name that a misspelt one is most like; none if it is like none
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_uppercase();
    let mut best = None;
    for known in known {
        // Slips of the keyboard come first. For names that lack a word, or have one too many, pairs of letters tell more.
        let slips = strsim::damerau_levenshtein(&name, known);
        let likeness = if slips <= MAX_SLIPS { 2.0 } else { strsim::sorensen_dice(&name, known) };
        if likeness > best.map_or(MIN_LIKENESS, |(most, _)| most) {
            best = Some((likeness, *known));
        }
    }
    best.map(|(_, known)| known)
}

/// A word for yes or no; nothing for any other
///
/// # Examples
///
/// ```
/// assert_eq!(twenty::setting::flag("Yes"), Some(true));
/// assert_eq!(twenty::setting::flag("off"), Some(false));
/// assert_eq!(twenty::setting::flag("maybe"), None);
/// ```
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    /// What `fetch` would take for an address of the wrong place is refused too.
    #[test]
    fn addresses_read_or_refused() {
        for (text, url) in [
            ("http://server:3000/rest", "http://server:3000/rest"),
            ("https://crm.example.org/rest//", "https://crm.example.org/rest"),
            ("HTTPS://CRM.example.org:443", "https://crm.example.org"),
            ("http://[::1]:3000/rest", "http://[::1]:3000/rest"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://XN--SPNDE-9ra.example/rest", "http://xn--spnde-9ra.example/rest"),
            ("http://my_twenty/rest", "http://my_twenty/rest"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(url), "{text}");
        }
        for text in [
            "crm.example.org",
            "crm.example.org:3000/rest",
            "ftp://crm.example.org",
            "http:/crm.example.org",
            "http:crm.example.org",
            "https//crm.example.org",
            "http://",
            "http:///rest",
            "http:// ",
            "http://a b/rest",
            "http://a/r\test",
            "http://a\\b",
            "http://me:pw@crm.example.org",
            "http://me@crm.example.org",
            "http://crm.example.org?x=1",
            "http://crm.example.org/#x",
            "http://crm.example.org:0",
            "http://crm.example.org:99999",
            "http://crm.example.org:port",
            "http://999.1.1.1",
            "http://127.1",
            "http://a..example.org",
            "http://crm.example.org/a/../rest",
            "http://[::1",
            "http://sp\u{e9}nde.example/rest",
            "http://SP\u{c9}NDE.example/rest",
            "http://A%C3%89.example/rest",
            "http://crm.example.org/r\u{e9}st",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "null",
        ] {
            assert_eq!(base_url(text), Err(URL), "{text}");
        }
    }

    /// Neighbours of addresses, put together from parts that are right and parts that are not
    fn addresses() -> impl Strategy<Value = String> {
        let one_of = |parts: &'static [&'static str]| prop::sample::select(parts);
        let scheme = one_of(&["http://", "https://", "HTTP://", "ftp://", "http:/", "http:", ""]);
        let host = prop_oneof![
            one_of(&[
                "crm.example.org",
                "CRM.example.org.",
                "localhost",
                "my_twenty",
                "a..b",
                ".",
                "-a-",
                "[::1]",
                "[1:2::f]",
                "[::1",
                "::1"
            ])
            .prop_map(str::to_owned),
            one_of(&[
                "127.0.0.1",
                "127.1",
                "1",
                "0x7f.1",
                "999.1.1.1",
                "1.2.3.4.",
                "a.1",
                "1.a",
                "01.2.3.4",
                "me@a",
                "a%41",
                "a b"
            ])
            .prop_map(str::to_owned),
            "[a-z0-9.:_-]{0,8}",
        ];
        let port = one_of(&["", ":", ":80", ":443", ":3000", ":0", ":65536", ":+1", ":x", ":080"]);
        let path = prop_oneof!["[a-z/.%~-]{0,8}".prop_map(|path| format!("/{path}")), Just(String::new()), "\\PC{0,4}"];
        (scheme, host, port, path).prop_map(|(scheme, host, port, path)| format!("{scheme}{host}{port}{path}"))
    }

    proptest! {
        /// What is taken means the same place to the standard's parser, as it was written and as it was read.
        #[test]
        fn addresses_as_the_standard_reads_them(text in addresses()) {
            let Ok(read) = base_url(&text) else { return Ok(()) };
            let parse = |text: &str| Url::parse(text).map(|url| url.as_str().trim_end_matches('/').to_owned());
            prop_assert_eq!(parse(&read), parse(&text));
            prop_assert!(parse(&read).is_ok() && !read.ends_with('/'), "{}", read);
            prop_assert_eq!(base_url(&read), Ok(read.clone()));
        }
    }

    #[test]
    fn secrets_are_one_word_of_ascii() {
        for text in ["k", "whsec_abc+/=", "a.b-c_d~", "x\"y{z}<\\'"] {
            assert!(is_secret(text), "{text}");
        }
        for text in ["", "a b", "a\nb", "a\tb", "a\0", "\"a\"", "'a'", "`a`", "ä", "a\u{200b}", "\u{feff}a"] {
            assert!(!is_secret(text), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!((whole_number("0"), whole_number("080"), whole_number("12")), (Some(0), Some(80), Some(12)));
        for text in
            ["", "-1", "+1", "1.5", "1e3", "0x10", "1_000", "1,000", "٣", "99999999999999999999999", "NaN", "ten"]
        {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn messages_without_secrets() {
        let hidden = [
            shown("ftp://me:hush-hush@crm.example.org/rest", &[]),
            shown("me:hush-hush@crm.example.org", &[]),
            shown("https://crm.example.org/?token=hush-hush", &[]),
            shown("https://crm.example.org/#hush-hush", &[]),
            shown("x hush-hush x", &["hush-hush"]),
            shown("eyJhbGciOiJIUzI1NiJ9.hush.hush", &[]),
            shown("Bearer sk_live_hush-hush", &[]),
        ];
        for text in hidden {
            assert!(!text.contains("hush") && text.contains("not shown"), "{text}");
        }
        assert_eq!(shown("a\nb\u{1b}[31m", &["", "a"]), "a\\nb\\u{1b}[31m");
        assert_eq!(shown("ja", &["ja nein"]), "ja");
        assert_eq!(shown("network_form:lots,live_form", &[]), "network_form:lots,live_form");
        assert_eq!(shown(&"x".repeat(5_000), &[]).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn nearest_known_name() {
        let known = ["FUNDRAISING_GIFT_AID", "FUNDRAISING_CACHE_SECONDS", "FUNDRAISING_MODEL"];
        assert_eq!(nearest("FUNDRAISING_GIFTAID", &known), Some("FUNDRAISING_GIFT_AID"));
        assert_eq!(nearest("fundraising_cahce_seconds", &known), Some("FUNDRAISING_CACHE_SECONDS"));
        assert_eq!(nearest("FUNDRAISING_CACHE", &known), Some("FUNDRAISING_CACHE_SECONDS"));
        assert_eq!(nearest("SOMETHING_ELSE_ALTOGETHER", &known), None);
        assert_eq!(nearest("FUNDRAISING_X", &[]), None);
    }
}
