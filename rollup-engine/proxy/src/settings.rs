//! How the service is set up, read from names of an environment.
//!
//! Blank is not set. Whatever else cannot be read is refused, with the name, the value and what was expected: a service
//! that guards gifts does not start with another setting than the one that was meant.
//!
//! ```
//! use proxy::settings::Settings;
//!
//! let staged = Settings::read(|name| (name == "FUNDRAISING_ENABLE_GIFT_STAGING").then(|| "yes".to_owned()))?;
//! assert!(staged.staging);
//! let refused = Settings::read(|name| (name == "FUNDRAISING_ENABLE_GIFT_STAGING").then(|| "ja".to_owned()));
//! assert!(refused.unwrap_err().to_string().starts_with("`FUNDRAISING_ENABLE_GIFT_STAGING` is `ja`, expected"));
//! # Ok::<(), proxy::settings::SettingErrors>(())
//! ```

use std::fmt::Display;
use std::str::FromStr;

use ports::{Level, TimeZones, Timestamp, local_date};
use twenty::setting::{self, MAX_REQUESTS_PER_MINUTE, SettingError};

use fundraising::receipt;
use model::Model;

/// Every name that is read, the service's own port apart
pub const NAMES: &[&str] = &[
    "TWENTY_API_BASE_URL",
    "TWENTY_REST_BASE_URL",
    "TWENTY_API_URL",
    "TWENTY_APP_APPLICATION_ACCESS_TOKEN",
    "TWENTY_API_KEY",
    "TWENTY_APP_ACCESS_TOKEN",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_KEY",
    "GOCARDLESS_WEBHOOK_SECRET",
    "GOCARDLESS_ACCESS_TOKEN",
    "GOCARDLESS_API_URL",
    "FUNDRAISING_ENABLE_GIFT_STAGING",
    "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT",
    "FUNDRAISING_STAGING_BYPASS_SOURCES",
    "FUNDRAISING_GIFT_AID",
    "FUNDRAISING_ACCEPT_TEST_EVENTS",
    "FUNDRAISING_TIME_ZONE",
    "FUNDRAISING_RECEIPT_POLICY_ONE_OFF",
    "FUNDRAISING_RECEIPT_POLICY_RECURRING",
    "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR",
    "FUNDRAISING_REQUESTS_PER_MINUTE",
    "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE",
    "FUNDRAISING_CACHE_SECONDS",
    "FUNDRAISING_LOG_LEVEL",
    "FUNDRAISING_MAX_CONNECTIONS",
    "FUNDRAISING_MAX_REQUESTS",
    "FUNDRAISING_MAX_BODY_BYTES",
    "FUNDRAISING_MAX_RESPONSE_BYTES",
    "FUNDRAISING_METRICS_TOKEN",
    "FUNDRAISING_MODEL",
];

/// Those of them whose values are never shown
const SECRETS: [&str; 8] = [
    "TWENTY_APP_APPLICATION_ACCESS_TOKEN",
    "TWENTY_API_KEY",
    "TWENTY_APP_ACCESS_TOKEN",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_KEY",
    "GOCARDLESS_WEBHOOK_SECRET",
    "GOCARDLESS_ACCESS_TOKEN",
    "FUNDRAISING_METRICS_TOKEN",
];

/// What the rollup engine reads, which may stand in the same environment
const ENGINE_NAMES: [&str; 3] =
    ["ROLLUP_ENGINE_CONFIG", "ROLLUP_ENGINE_REQUESTS_PER_MINUTE", "ROLLUP_ENGINE_MAX_RESPONSE_BYTES"];
/// How the names begin that nothing else can be meant by
const PREFIXES: [&str; 2] = ["FUNDRAISING_", "ROLLUP_ENGINE_"];

/// Where Twenty's REST API is if nothing says so
const DEFAULT_BASE_URL: &str = "http://server:3000/rest";
/// The path of Twenty's REST API
const REST_PATH: &str = "/rest";
/// What the address of Twenty must be
const TWENTY_URL: &str = "an address such as `https://crm.example.org`: http or https, a host, no path but `/rest`, no name or password, no `?` and no `#`";
/// Where `GoCardless` is if nothing says so
const DEFAULT_GOCARDLESS_URL: &str = "https://api.gocardless.com";
const TIME_ZONE: &str = "FUNDRAISING_TIME_ZONE";
/// The time zone if nothing says so
const DEFAULT_TIME_ZONE: &str = "UTC";
/// Requests a minute: Twenty's limit of 100 with a fifth left for everybody else
const DEFAULT_REQUESTS_PER_MINUTE: u32 = 80;
/// Requests a minute that all unproven tokens share
const DEFAULT_UNPROVEN_REQUESTS_PER_MINUTE: u32 = 10;
/// Connections that the server holds at a time: some 16 kB each where all of them send half a head
const DEFAULT_MAX_CONNECTIONS: u32 = 2_048;
/// Requests that the server works on at a time: more than the budget can serve, so that a burst hears from the limiter how
/// long it has to wait, and hundreds of strangers leave room for known callers
const DEFAULT_MAX_REQUESTS: u32 = 1_024;
/// Bytes of all request bodies in flight
const DEFAULT_MAX_BODY_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of one reply from Twenty or a payment provider
const DEFAULT_MAX_RESPONSE_BYTES: u64 = ports::DEFAULT_MAX_RESPONSE_BYTES;
/// Seconds for which a read may be answered from memory: a page that polls costs little, and nobody sees much that is old
const DEFAULT_CACHE_SECONDS: u32 = 3;

/// Most requests a minute for all unproven tokens
const MAX_UNPROVEN_REQUESTS_PER_MINUTE: u32 = 10_000;
/// Longest time for which a read may be answered from memory, in seconds: a day
const MAX_CACHE_SECONDS: u32 = 24 * 60 * 60;
/// Most connections or requests at a time
const MAX_AT_A_TIME: u32 = 65_535;
/// Least bytes of bodies in flight and of a reply: the largest body that a provider's webhook may have
const MIN_BYTES: u64 = 1024 * 1024;
/// Most bytes: more than a module of WebAssembly has room for
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Largest limit of a source that may bypass staging, in units of its currency
const MAX_BYPASS_UNITS: i64 = i64::MAX / MICROS;
/// Micros in a unit of a currency
const MICROS: i64 = 1_000_000;

const LOG_LEVEL: &str = "`debug`, `info`, `warn` or `error`";
const ZONE: &str = "an IANA time zone such as `Europe/London`";
const FLAG: &str = "`1`, `true`, `yes` or `on`, or else `0`, `false`, `no` or `off`";

/// How the service is set up
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the environment")]
#[derive(Clone)]
pub struct Settings {
    /// Where Twenty's REST API is, without a trailing `/`
    pub base_url: String,
    /// The service's own token, for webhooks and what nobody waits for
    pub api_key: Option<String>,
    /// Stripe's signing secret
    pub stripe_secret: Option<String>,
    /// `GoCardless`'s signing secret
    pub gocardless_secret: Option<String>,
    /// Token to read payments of `GoCardless` with
    pub gocardless_token: Option<String>,
    /// Where `GoCardless` is, without a trailing `/`
    pub gocardless_url: String,
    /// Whether gifts are staged
    pub staging: bool,
    /// Whether a gift processes itself if its request does not say
    pub auto_process: bool,
    /// Intake sources whose gifts may bypass staging, if nothing about them is in doubt
    pub bypass_sources: Vec<Bypass>,
    /// Receipts
    pub receipts: receipt::Settings,
    /// Whether Gift Aid is claimed
    pub gift_aid: bool,
    /// Whether events of Stripe's test mode make gifts
    pub accept_test_events: bool,
    /// IANA name of the time zone that decides the day of an instant
    pub time_zone: String,
    /// Requests a minute to Twenty; nothing for no limit
    pub requests_per_minute: Option<u32>,
    /// Requests a minute to Twenty that all callers with an unproven token share; counts only beside a limit of requests
    pub unproven_requests_per_minute: u32,
    /// How long a read may be answered from memory, in seconds; 0 for never
    pub cache_seconds: u32,
    /// Log lines below this level are not written
    pub log_level: Level,
    /// Connections that the server holds at a time
    pub max_connections: u32,
    /// Requests that the server works on at a time
    pub max_requests: u32,
    /// Bytes of all request bodies in flight
    pub max_body_bytes: u64,
    /// Bytes of one reply from Twenty or a payment provider
    pub max_response_bytes: u64,
    /// What `/metrics` asks for as bearer token; open if nothing
    pub metrics_token: Option<String>,
    /// The model in the workspace's own names
    pub model: Model,
}

impl Settings {
    /// Sees that the runtime knows the time zone.
    ///
    /// # Errors
    /// It does not.
    pub fn check_time_zone(&self, zones: &(impl TimeZones + ?Sized), now: Timestamp) -> Result<(), SettingErrors> {
        if local_date(zones, &self.time_zone, now).is_some() {
            return Ok(());
        }
        let (value, expected) = (self.time_zone.clone(), ZONE.to_owned());
        Err(SettingErrors(vec![SettingError::Value { name: TIME_ZONE, value, expected }]))
    }
}

/// A name with the shape of an IANA zone's; whether there is such a zone the runtime knows
fn zone_name(text: &str) -> Option<String> {
    let is_part = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    (text.len() <= 64 && text.split('/').all(is_part)).then(|| text.to_owned())
}

/// Where Twenty's REST API is, by its own address or by that of its server
fn rest_url(text: &str) -> Option<String> {
    let url = setting::base_url(text).ok()?;
    let (_, rest) = url.split_once("://")?;
    if rest.contains('/') { url.ends_with(REST_PATH).then_some(url) } else { Some(format!("{url}{REST_PATH}")) }
}

/// A source whose gifts may bypass staging
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// The intake source, in lower case
    pub source: String,
    /// The largest amount, in micros; nothing for any amount
    pub at_most: Option<i64>,
}

impl Bypass {
    /// Reads entries such as `source` or `source:500`, separated by commas; the amount is in whole units of its currency
    fn read_list(text: &str) -> Option<Vec<Self>> {
        let mut list: Vec<Self> = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let bypass = Self::read(entry)?;
            // Of two limits of one source only one can be meant.
            if list.iter().any(|other| other.source == bypass.source) {
                return None;
            }
            list.push(bypass);
        }
        Some(list)
    }

    fn read(entry: &str) -> Option<Self> {
        let (source, limit) = match entry.split_once(':') {
            Some((source, limit)) => (source.trim(), Some(limit.trim())),
            None => (entry, None),
        };
        let at_most = match limit {
            Some(limit) => {
                let units = i64::try_from(setting::whole_number(limit)?).ok()?;
                Some(units).filter(|units| (1..=MAX_BYPASS_UNITS).contains(units))?.checked_mul(MICROS)
            }
            None => None,
        };
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
        let fits = !source.is_empty() && source.chars().all(is_word);
        fits.then(|| Self { source: source.to_ascii_lowercase(), at_most })
    }
}

/// Settings that cannot be read, all of them
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingErrors(Vec<SettingError>);

impl SettingErrors {
    /// Each of them
    pub fn iter(&self) -> impl Iterator<Item = &SettingError> {
        self.0.iter()
    }

    /// Their names alone, which a caller may see
    #[must_use]
    pub fn names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for error in &self.0 {
            if !names.contains(&error.name()) {
                names.push(error.name());
            }
        }
        names.join(", ")
    }
}

impl Display for SettingErrors {
    /// One line each
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            let before = if number > 0 { "\n" } else { "" };
            write!(f, "{before}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingErrors {}

/// Those of an environment's names that look like a setting and are none, each with the setting that may be meant
///
/// # Examples
///
/// ```
/// use proxy::settings::unknown_names;
///
/// let unknown: Vec<_> = unknown_names(["FUNDRAISING_GIFTAID", "HOME"]).collect();
/// assert_eq!(unknown, [("FUNDRAISING_GIFTAID", Some("FUNDRAISING_GIFT_AID"))]);
/// ```
pub fn unknown_names<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = (&'a str, Option<&'static str>)> {
    names.into_iter().filter_map(|name| {
        let upper = name.to_ascii_uppercase();
        let prefix = PREFIXES.into_iter().find(|prefix| upper.starts_with(prefix))?;
        let known: Vec<&'static str> =
            NAMES.iter().chain(&ENGINE_NAMES).copied().filter(|known| known.starts_with(prefix)).collect();
        (!known.contains(&name)).then(|| (name, setting::nearest(name, &known)))
    })
}

// Secrets never reach a log.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &self.base_url)
            .field("staging", &self.staging)
            .finish_non_exhaustive()
    }
}

impl Default for Settings {
    /// Those of an empty environment
    fn default() -> Self {
        Reader::new(|_| None).settings()
    }
}

impl Settings {
    /// Reads them by name
    ///
    /// # Errors
    /// Every setting that is there and cannot be read.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(lookup);
        let settings = reader.settings();
        if reader.errors.is_empty() { Ok(settings) } else { Err(SettingErrors(reader.errors)) }
    }
}

/// Reads settings one by one, and keeps what is wrong with them
struct Reader<L> {
    lookup: L,
    errors: Vec<SettingError>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    const fn new(lookup: L) -> Self {
        Self { lookup, errors: Vec::new() }
    }

    fn settings(&mut self) -> Settings {
        let [first, second, third] = ["TWENTY_API_BASE_URL", "TWENTY_REST_BASE_URL", "TWENTY_API_URL"]
            .map(|name| self.read(name, TWENTY_URL, rest_url));
        let base_url = first.or(second).or(third);
        let [app, key, user] = ["TWENTY_APP_APPLICATION_ACCESS_TOKEN", "TWENTY_API_KEY", "TWENTY_APP_ACCESS_TOKEN"]
            .map(|name| self.secret(name));
        // Nothing is fetched from Stripe, but a key that cannot be one was pasted wrongly.
        self.secret("STRIPE_API_KEY");
        Settings {
            base_url: base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned()),
            api_key: app.or(key).or(user),
            stripe_secret: self.secret("STRIPE_WEBHOOK_SECRET"),
            gocardless_secret: self.secret("GOCARDLESS_WEBHOOK_SECRET"),
            gocardless_token: self.secret("GOCARDLESS_ACCESS_TOKEN"),
            gocardless_url: self.url("GOCARDLESS_API_URL").unwrap_or_else(|| DEFAULT_GOCARDLESS_URL.to_owned()),
            staging: self.flag("FUNDRAISING_ENABLE_GIFT_STAGING"),
            auto_process: self.flag("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT"),
            bypass_sources: self.bypass_sources("FUNDRAISING_STAGING_BYPASS_SOURCES"),
            receipts: self.receipts(),
            gift_aid: self.flag("FUNDRAISING_GIFT_AID"),
            accept_test_events: self.flag("FUNDRAISING_ACCEPT_TEST_EVENTS"),
            time_zone: self.read(TIME_ZONE, ZONE, zone_name).unwrap_or_else(|| DEFAULT_TIME_ZONE.to_owned()),
            requests_per_minute: self.rate("FUNDRAISING_REQUESTS_PER_MINUTE", DEFAULT_REQUESTS_PER_MINUTE),
            unproven_requests_per_minute: self.number(
                "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE",
                [1, MAX_UNPROVEN_REQUESTS_PER_MINUTE],
                DEFAULT_UNPROVEN_REQUESTS_PER_MINUTE,
            ),
            cache_seconds: self.number("FUNDRAISING_CACHE_SECONDS", [0, MAX_CACHE_SECONDS], DEFAULT_CACHE_SECONDS),
            log_level: self.read("FUNDRAISING_LOG_LEVEL", LOG_LEVEL, Level::parse).unwrap_or(Level::Info),
            max_connections: self.number("FUNDRAISING_MAX_CONNECTIONS", [1, MAX_AT_A_TIME], DEFAULT_MAX_CONNECTIONS),
            max_requests: self.number("FUNDRAISING_MAX_REQUESTS", [1, MAX_AT_A_TIME], DEFAULT_MAX_REQUESTS),
            max_body_bytes: self.number("FUNDRAISING_MAX_BODY_BYTES", [MIN_BYTES, MAX_BYTES], DEFAULT_MAX_BODY_BYTES),
            max_response_bytes: self.number(
                "FUNDRAISING_MAX_RESPONSE_BYTES",
                [MIN_BYTES, MAX_BYTES],
                DEFAULT_MAX_RESPONSE_BYTES,
            ),
            metrics_token: self.secret("FUNDRAISING_METRICS_TOKEN"),
            model: self.model("FUNDRAISING_MODEL"),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name);
        setting::filled(value.as_deref()).map(str::to_owned)
    }

    fn shown(&self, text: &str) -> String {
        let secrets: Vec<String> = SECRETS.iter().filter_map(|name| self.text(name)).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        setting::shown(text, &secrets)
    }

    fn refuse(&mut self, name: &'static str, value: &str, expected: impl Into<String>) {
        let value = self.shown(value);
        self.errors.push(SettingError::Value { name, value, expected: expected.into() });
    }

    /// What a reader makes of the value, if it is set; refused where the reader makes nothing of it
    fn read<T>(&mut self, name: &'static str, expected: &str, reader: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let read = reader(&text);
        if read.is_none() {
            self.refuse(name, &text, expected);
        }
        read
    }

    fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, FLAG, setting::flag).unwrap_or(false)
    }

    fn url(&mut self, name: &'static str) -> Option<String> {
        self.read(name, setting::URL, |text| setting::base_url(text).ok())
    }

    fn secret(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if setting::is_secret(&text) {
            return Some(text);
        }
        self.errors.push(SettingError::Secret { name, expected: setting::SECRET.to_owned() });
        None
    }

    fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &'static str,
        [least, most]: [T; 2],
        default: T,
    ) -> T {
        let expected = format!("a whole number from {least} to {most}");
        let number = self.read(name, &expected, |text| in_range(text, least, most));
        number.unwrap_or(default)
    }

    fn rate(&mut self, name: &'static str, default: u32) -> Option<u32> {
        let expected = format!("a whole number from 1 to {MAX_REQUESTS_PER_MINUTE}, or `off`");
        let rate = self.read(name, &expected, |text| {
            let is_off = text.eq_ignore_ascii_case("off");
            if is_off { Some(None) } else { in_range(text, 1, MAX_REQUESTS_PER_MINUTE).map(Some) }
        });
        rate.unwrap_or(Some(default))
    }

    fn bypass_sources(&mut self, name: &'static str) -> Vec<Bypass> {
        let expected = format!(
            "intake sources separated by commas, each once, such as `manual_ui` or `csv_import:500`, with a limit from 1 to {MAX_BYPASS_UNITS}"
        );
        self.read(name, &expected, Bypass::read_list).unwrap_or_default()
    }

    fn receipts(&mut self) -> receipt::Settings {
        let default = receipt::Settings::default();
        let threshold = "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR";
        let expected = format!("a whole number from 0 to {}", i64::MAX);
        receipt::Settings {
            one_off: self.policy("FUNDRAISING_RECEIPT_POLICY_ONE_OFF").unwrap_or(default.one_off),
            recurring: self.policy("FUNDRAISING_RECEIPT_POLICY_RECURRING").unwrap_or(default.recurring),
            threshold_minor: self.read(threshold, &expected, |text| in_range(text, 0, i64::MAX)),
        }
    }

    fn policy(&mut self, name: &'static str) -> Option<String> {
        let expected = format!("one of {}", receipt::POLICIES.join(", "));
        self.read(name, &expected, |text| {
            let policy = text.to_ascii_lowercase();
            receipt::POLICIES.contains(&policy.as_str()).then_some(policy)
        })
    }

    fn model(&mut self, name: &'static str) -> Model {
        let Some(text) = self.text(name) else { return Model::default() };
        Model::with_names(&text).unwrap_or_else(|error| {
            // The place of the mistake is part of the value.
            let expected = self.shown(&error.to_string());
            self.refuse(name, &text, expected);
            Model::default()
        })
    }
}

fn in_range<T: FromStr + PartialOrd>(text: &str, least: T, most: T) -> Option<T> {
    setting::whole_number(text)?;
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingErrors> {
        Settings::read(|name| {
            assert!(NAMES.contains(&name), "{name} is not in the list");
            pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn good(pairs: &[(&str, &str)]) -> Settings {
        read(pairs).unwrap()
    }

    /// What can be compared of them
    fn texts(settings: &Settings) -> String {
        format!(
            "{:?}",
            (
                [&settings.base_url, &settings.gocardless_url],
                [&settings.api_key, &settings.stripe_secret, &settings.gocardless_secret, &settings.gocardless_token],
                [settings.staging, settings.auto_process, settings.gift_aid],
                (&settings.bypass_sources, &settings.receipts, &settings.metrics_token, &settings.model),
                (settings.requests_per_minute, settings.unproven_requests_per_minute, settings.cache_seconds),
                (settings.max_connections, settings.max_requests, settings.max_body_bytes, settings.max_response_bytes),
            )
        )
    }

    const NO_URLS: &[&str] = &[
        "crm.example.org",
        "localhost:3000",
        "ftp://crm.example.org",
        "http://",
        "https:/crm.example.org",
        "http://me:hush-hush@crm.example.org/rest",
        "http://crm.example.org/rest?token=hush-hush",
        "http://crm.example.org/rest#x",
        "http://crm.example.org:0",
        "http://crm.example.org:70000/rest",
        "http://crm example.org",
        "http://crm.example.org\n/rest",
        "undefined",
    ];
    const NO_FLAGS: &[&str] =
        &["ja", "maybe", "2", "-1", "tru", "yes please", "null", "undefined", "y", "1.0", "enabled"];
    const NO_SECRETS: &[&str] = &[
        "hush hush",
        "hush\nhush",
        "hush\thush",
        "hush\0hush",
        "\"hush-hush\"",
        "'hush-hush'",
        "hush\u{200b}",
        "h\u{fc}sh",
        "Bearer hush",
    ];
    const NO_COUNTS: &[&str] = &[
        "0",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "ten",
        "10 ",
        "1,000",
        "0x10",
        "10/min",
        "NaN",
        "4294967296",
        "99999999999999999999999",
    ];
    const NO_BYTES: &[&str] =
        &["0", "-1", "1048575", "32MiB", "32 MiB", "1e9", "1073741825", "99999999999999999999999", "off"];
    const NO_POLICIES: &[&str] = &["per-gift", "none", "per_gift,hybrid", "0", "true", "annual"];

    const NO_TWENTY: &[&str] = &[
        "https://crm.example.org/settings/api-webhooks",
        "https://crm.example.org/graphql",
        "https://crm.example.org/rest/metadata",
        "https://crm.example.org/arrest/",
        "crm.example.org/rest",
        "ws://crm.example.org",
        "https://crm.example.org/rest?limit=1",
        "https://me:hush-hush@crm.example.org/rest",
    ];

    /// Of every setting, values that cannot be read
    const BAD: &[(&str, &[&str])] = &[
        ("TWENTY_API_BASE_URL", NO_URLS),
        ("TWENTY_REST_BASE_URL", NO_URLS),
        ("TWENTY_API_URL", NO_URLS),
        ("TWENTY_API_URL", NO_TWENTY),
        ("TWENTY_API_BASE_URL", NO_TWENTY),
        ("TWENTY_APP_APPLICATION_ACCESS_TOKEN", NO_SECRETS),
        ("TWENTY_API_KEY", NO_SECRETS),
        ("TWENTY_APP_ACCESS_TOKEN", NO_SECRETS),
        ("STRIPE_WEBHOOK_SECRET", NO_SECRETS),
        ("STRIPE_API_KEY", NO_SECRETS),
        ("GOCARDLESS_WEBHOOK_SECRET", NO_SECRETS),
        ("GOCARDLESS_ACCESS_TOKEN", NO_SECRETS),
        ("GOCARDLESS_API_URL", NO_URLS),
        ("FUNDRAISING_ENABLE_GIFT_STAGING", NO_FLAGS),
        ("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", NO_FLAGS),
        (
            "FUNDRAISING_STAGING_BYPASS_SOURCES",
            &[
                "csv:lots",
                "csv:",
                "csv:-5",
                "csv:0",
                "csv:1.5",
                "csv:5 GBP",
                "csv:9223372036855",
                ":5",
                "csv;manual_ui",
                "csv:5:6",
                "csv,CSV",
                "csv,csv:5",
                "manual_ui,csv:lots",
                "csv=5",
                "csv 5",
            ],
        ),
        ("FUNDRAISING_GIFT_AID", NO_FLAGS),
        ("FUNDRAISING_ACCEPT_TEST_EVENTS", NO_FLAGS),
        ("FUNDRAISING_TIME_ZONE", &["+01:00", "Europe/Lond on", "12", "Ünited/Kingdom", "Europe//London", "/London"]),
        ("FUNDRAISING_RECEIPT_POLICY_ONE_OFF", NO_POLICIES),
        ("FUNDRAISING_RECEIPT_POLICY_RECURRING", NO_POLICIES),
        (
            "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR",
            &["-1", "1.5", "many", "1e6", "10.000", "9223372036854775808", "none", "off"],
        ),
        ("FUNDRAISING_REQUESTS_PER_MINUTE", NO_COUNTS),
        ("FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE", NO_COUNTS),
        ("FUNDRAISING_CACHE_SECONDS", &["-1", "1.5", "3s", "off", "86401", "99999999999999999999999"]),
        ("FUNDRAISING_LOG_LEVEL", &["loud", "1", "trace", "off", "debug,info"]),
        ("FUNDRAISING_MAX_CONNECTIONS", NO_COUNTS),
        ("FUNDRAISING_MAX_REQUESTS", NO_COUNTS),
        ("FUNDRAISING_MAX_BODY_BYTES", NO_BYTES),
        ("FUNDRAISING_MAX_RESPONSE_BYTES", NO_BYTES),
        ("FUNDRAISING_METRICS_TOKEN", NO_SECRETS),
        (
            "FUNDRAISING_MODEL",
            &[
                "{",
                "[]",
                "null",
                "5",
                "gift",
                r#"{"gfit":null}"#,
                r#"{"gift":{"name":"../people"}}"#,
                r#"{"gift":{"fields":{"notes":"id"}}}"#,
            ],
        ),
    ];

    /// Every setting is in the table, and every bad value of it is refused with name, value and what was expected.
    #[test]
    fn unreadable_values_refused() {
        for name in NAMES {
            assert!(BAD.iter().any(|(other, values)| other == name && values.len() > 3), "no bad values of {name}");
        }
        for (name, values) in BAD {
            for value in *values {
                if *value == "10 " {
                    // Blanks around a value are no part of it.
                    assert!(read(&[(name, value)]).is_ok(), "{name}");
                    continue;
                }
                let errors = read(&[(name, value)]).expect_err(&format!("{name}={value:?}"));
                let message = errors.to_string();
                assert_eq!((errors.iter().count(), errors.names().as_str()), (1, *name), "{message}");
                assert!(message.starts_with(&format!("`{name}` ")) && message.contains(", expected "), "{message}");
                assert!(!message.contains("hush") && !message.contains('\n'), "{message}");
                let is_shown = !SECRETS.contains(name) && !value.contains(['@', '?', '\n', '#']);
                assert!(!is_shown || message.contains(&format!("is `{value}`, expected")), "{message}");
            }
        }
    }

    #[test]
    fn blank_values_not_set() {
        let expected = texts(&good(&[]));
        for blank in ["", " ", "\t\n"] {
            let pairs: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, blank)).collect();
            assert_eq!(texts(&good(&pairs)), expected);
        }
    }

    #[test]
    fn all_unreadable_values_at_once() {
        let errors =
            read(&[("FUNDRAISING_GIFT_AID", "ja"), ("TWENTY_API_KEY", "a b"), ("FUNDRAISING_CACHE_SECONDS", "-1")]);
        let errors = errors.unwrap_err();
        assert_eq!(errors.names(), "TWENTY_API_KEY, FUNDRAISING_GIFT_AID, FUNDRAISING_CACHE_SECONDS");
        assert_eq!(errors.to_string().lines().count(), 3);
    }

    #[test]
    fn defaults_of_an_empty_environment() {
        let settings = good(&[]);
        assert_eq!(
            (settings.base_url.as_str(), settings.gocardless_url.as_str()),
            (DEFAULT_BASE_URL, DEFAULT_GOCARDLESS_URL)
        );
        assert_eq!((settings.staging, settings.auto_process, settings.api_key.is_none()), (false, false, true));
        assert_eq!((settings.requests_per_minute, settings.cache_seconds), (Some(80), 3));
        assert_eq!(
            (settings.unproven_requests_per_minute, settings.max_connections, settings.max_requests),
            (10, 2_048, 1_024)
        );
        assert_eq!((settings.max_body_bytes, settings.max_response_bytes), (33_554_432, 33_554_432));
        assert_eq!(settings.receipts, receipt::Settings::default());
    }

    #[test]
    fn values_read_without_regard_to_case() {
        let settings = good(&[
            ("TWENTY_REST_BASE_URL", "https://crm.example.org/rest/"),
            ("FUNDRAISING_ENABLE_GIFT_STAGING", " Yes "),
            ("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", "OFF"),
            ("FUNDRAISING_REQUESTS_PER_MINUTE", "OFF"),
            ("FUNDRAISING_CACHE_SECONDS", "5"),
            ("FUNDRAISING_RECEIPT_POLICY_ONE_OFF", " Annual_Summary "),
            ("FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR", "100000"),
            ("FUNDRAISING_STAGING_BYPASS_SOURCES", "Manual_UI, stripe_webhook: 500 ,,"),
            ("FUNDRAISING_METRICS_TOKEN", "m"),
        ]);
        assert_eq!(settings.base_url, "https://crm.example.org/rest");
        assert_eq!((settings.staging, settings.auto_process), (true, false));
        assert_eq!((settings.requests_per_minute, settings.cache_seconds), (None, 5));
        let bypass = |source: &str, at_most| Bypass { source: source.into(), at_most };
        assert_eq!(settings.bypass_sources, [bypass("manual_ui", None), bypass("stripe_webhook", Some(500_000_000))]);
        assert_eq!(
            (settings.receipts.one_off.as_str(), settings.receipts.threshold_minor),
            ("annual_summary", Some(100_000))
        );
        assert_eq!(settings.metrics_token.as_deref(), Some("m"));
    }

    /// The server's address and that of its API are the same to it, under each of the names; the first of them counts.
    #[test]
    fn addresses_with_and_without_rest() {
        for name in ["TWENTY_API_BASE_URL", "TWENTY_REST_BASE_URL", "TWENTY_API_URL"] {
            for (text, expected) in [
                ("https://crm.example.org", "https://crm.example.org/rest"),
                ("https://crm.example.org/", "https://crm.example.org/rest"),
                ("https://crm.example.org/rest", "https://crm.example.org/rest"),
                (" https://CRM.example.org/rest/ ", "https://crm.example.org/rest"),
                ("http://127.0.0.1:3000", "http://127.0.0.1:3000/rest"),
                ("http://[::1]:3000/", "http://[::1]:3000/rest"),
                ("https://gateway.example.org/crm/rest", "https://gateway.example.org/crm/rest"),
                ("http://rest", "http://rest/rest"),
            ] {
                assert_eq!(good(&[(name, text)]).base_url, expected, "{name}={text}");
            }
        }
        let [first, second, third] = [
            ("TWENTY_API_BASE_URL", "http://a/rest"),
            ("TWENTY_REST_BASE_URL", "http://b"),
            ("TWENTY_API_URL", "http://c"),
        ];
        assert_eq!(good(&[third, second, first]).base_url, "http://a/rest");
        assert_eq!(good(&[third, second]).base_url, "http://b/rest");
        assert_eq!(good(&[third]).base_url, "http://c/rest");
    }

    /// The names and their order are those of the command `twenty-rollups`.
    #[test]
    fn tokens_by_their_names() {
        let names = ["TWENTY_APP_APPLICATION_ACCESS_TOKEN", "TWENTY_API_KEY", "TWENTY_APP_ACCESS_TOKEN"];
        for at in 0..names.len() {
            let pairs: Vec<(&str, &str)> = names.iter().skip(at).map(|name| (*name, *name)).collect();
            assert_eq!(good(&pairs).api_key.as_deref(), names.get(at).copied());
        }
    }

    /// A key that was put into the place of another setting is not printed either.
    #[test]
    fn secrets_never_shown() {
        let settings = good(&[("TWENTY_API_KEY", "key-1"), ("STRIPE_WEBHOOK_SECRET", "whsec-1")]);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("key-1") && !shown.contains("whsec-1"), "{shown}");
        for value in ["hush-hush", "eyJhbGciOiJIUzI1NiJ9.hush.hush", "sk_live_hush_hush_hush", "live_hush_hush_hush"] {
            let errors = read(&[("TWENTY_API_KEY", "hush-hush"), ("TWENTY_API_BASE_URL", value)]).unwrap_err();
            assert!(!errors.to_string().contains("hush"), "{errors}");
        }
        let errors =
            read(&[("TWENTY_API_KEY", "hush-hush"), ("FUNDRAISING_MODEL", r#"{"hush-hush":null}"#)]).unwrap_err();
        assert!(!errors.to_string().contains("hush"), "{errors}");
    }

    #[test]
    fn unknown_names_with_the_nearest() {
        let mut names: Vec<&str> = NAMES.iter().chain(&ENGINE_NAMES).copied().collect();
        names.extend(["PATH", "TWENTY_API_URL", "STRIPE_PUBLISHABLE_KEY"]);
        assert_eq!(unknown_names(names).count(), 0);
        let unknown: Vec<_> = unknown_names([
            "FUNDRAISING_ENABLE_GIFT_STAGGING",
            "fundraising_gift_aid",
            "FUNDRAISING_STAGING",
            "ROLLUP_ENGINE_REQUEST_PER_MINUTE",
            "FUNDRAISING_XYZ",
        ])
        .collect();
        assert_eq!(
            unknown,
            [
                ("FUNDRAISING_ENABLE_GIFT_STAGGING", Some("FUNDRAISING_ENABLE_GIFT_STAGING")),
                ("fundraising_gift_aid", Some("FUNDRAISING_GIFT_AID")),
                ("FUNDRAISING_STAGING", Some("FUNDRAISING_ENABLE_GIFT_STAGING")),
                ("ROLLUP_ENGINE_REQUEST_PER_MINUTE", Some("ROLLUP_ENGINE_REQUESTS_PER_MINUTE")),
                ("FUNDRAISING_XYZ", Some("FUNDRAISING_MODEL")),
            ]
        );
    }

    #[test]
    fn unknown_time_zone() {
        struct Zones;
        impl TimeZones for Zones {
            fn utc_offset(&self, zone: &str, _: Timestamp) -> Option<i32> {
                (zone == "Europe/London").then_some(0)
            }
        }
        let check = |zone| good(&[("FUNDRAISING_TIME_ZONE", zone)]).check_time_zone(&Zones, Timestamp::from_millis(0));
        assert_eq!((check("Europe/London"), check("UTC")), (Ok(()), Ok(())));
        let error = check("Europe/Londn").unwrap_err().to_string();
        assert!(error.contains("`FUNDRAISING_TIME_ZONE` is `Europe/Londn`, expected an IANA time zone"), "{error}");
    }
}
