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

mod bypass;
mod reader;

use std::fmt::Display;

use fundraising::receipt;
use model::Model;
use ports::{Level, TimeZones, Timestamp, local_date};
use twenty::setting::{self, SettingError};

use bypass::MAX_BYPASS_UNITS;
use reader::{Reader, in_range};

pub use bypass::Bypass;

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

const LOG_LEVEL: &str = "`debug`, `info`, `warn` or `error`";
const ZONE: &str = "an IANA time zone such as `Europe/London`";

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
        Self::of(&mut Reader::new(&|_| None, &SECRETS))
    }
}

impl Settings {
    /// Reads them by name
    ///
    /// # Errors
    /// Every setting that is there and cannot be read.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(&lookup, &SECRETS);
        let settings = Self::of(&mut reader);
        if reader.errors.is_empty() { Ok(settings) } else { Err(SettingErrors(reader.errors)) }
    }

    fn of(reader: &mut Reader<'_>) -> Self {
        let [first, second, third] = ["TWENTY_API_BASE_URL", "TWENTY_REST_BASE_URL", "TWENTY_API_URL"]
            .map(|name| reader.read(name, TWENTY_URL, rest_url));
        let base_url = first.or(second).or(third);
        let [app, key, user] = ["TWENTY_APP_APPLICATION_ACCESS_TOKEN", "TWENTY_API_KEY", "TWENTY_APP_ACCESS_TOKEN"]
            .map(|name| reader.secret(name));
        // Nothing is fetched from Stripe, but a key that cannot be one was pasted wrongly.
        reader.secret("STRIPE_API_KEY");
        Self {
            base_url: base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned()),
            api_key: app.or(key).or(user),
            stripe_secret: reader.secret("STRIPE_WEBHOOK_SECRET"),
            gocardless_secret: reader.secret("GOCARDLESS_WEBHOOK_SECRET"),
            gocardless_token: reader.secret("GOCARDLESS_ACCESS_TOKEN"),
            gocardless_url: reader.url("GOCARDLESS_API_URL").unwrap_or_else(|| DEFAULT_GOCARDLESS_URL.to_owned()),
            staging: reader.flag("FUNDRAISING_ENABLE_GIFT_STAGING"),
            auto_process: reader.flag("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT"),
            bypass_sources: bypass_sources(reader, "FUNDRAISING_STAGING_BYPASS_SOURCES"),
            receipts: receipts(reader),
            gift_aid: reader.flag("FUNDRAISING_GIFT_AID"),
            accept_test_events: reader.flag("FUNDRAISING_ACCEPT_TEST_EVENTS"),
            time_zone: reader.read(TIME_ZONE, ZONE, zone_name).unwrap_or_else(|| DEFAULT_TIME_ZONE.to_owned()),
            requests_per_minute: reader.rate("FUNDRAISING_REQUESTS_PER_MINUTE", DEFAULT_REQUESTS_PER_MINUTE),
            unproven_requests_per_minute: reader.number(
                "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE",
                [1, MAX_UNPROVEN_REQUESTS_PER_MINUTE],
                DEFAULT_UNPROVEN_REQUESTS_PER_MINUTE,
            ),
            cache_seconds: reader.number("FUNDRAISING_CACHE_SECONDS", [0, MAX_CACHE_SECONDS], DEFAULT_CACHE_SECONDS),
            log_level: reader.read("FUNDRAISING_LOG_LEVEL", LOG_LEVEL, Level::parse).unwrap_or(Level::Info),
            max_connections: reader.number("FUNDRAISING_MAX_CONNECTIONS", [1, MAX_AT_A_TIME], DEFAULT_MAX_CONNECTIONS),
            max_requests: reader.number("FUNDRAISING_MAX_REQUESTS", [1, MAX_AT_A_TIME], DEFAULT_MAX_REQUESTS),
            max_body_bytes: reader.number("FUNDRAISING_MAX_BODY_BYTES", [MIN_BYTES, MAX_BYTES], DEFAULT_MAX_BODY_BYTES),
            max_response_bytes: reader.number(
                "FUNDRAISING_MAX_RESPONSE_BYTES",
                [MIN_BYTES, MAX_BYTES],
                DEFAULT_MAX_RESPONSE_BYTES,
            ),
            metrics_token: reader.secret("FUNDRAISING_METRICS_TOKEN"),
            model: model_names(reader, "FUNDRAISING_MODEL"),
        }
    }
}

fn bypass_sources(reader: &mut Reader<'_>, name: &'static str) -> Vec<Bypass> {
    let expected = format!(
        "intake sources separated by commas, each once, such as `manual_ui` or `csv_import:500`, with a limit from 1 to {MAX_BYPASS_UNITS}"
    );
    reader.read(name, &expected, Bypass::read_list).unwrap_or_default()
}

fn receipts(reader: &mut Reader<'_>) -> receipt::Settings {
    let default = receipt::Settings::default();
    let threshold = "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR";
    let expected = format!("a whole number from 0 to {}", i64::MAX);
    receipt::Settings {
        one_off: policy(reader, "FUNDRAISING_RECEIPT_POLICY_ONE_OFF").unwrap_or(default.one_off),
        recurring: policy(reader, "FUNDRAISING_RECEIPT_POLICY_RECURRING").unwrap_or(default.recurring),
        threshold_minor: reader.read(threshold, &expected, |text| in_range(text, 0, i64::MAX)),
    }
}

fn policy(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let expected = format!("one of {}", receipt::POLICIES.join(", "));
    reader.read(name, &expected, |text| {
        let policy = text.to_ascii_lowercase();
        receipt::POLICIES.contains(&policy.as_str()).then_some(policy)
    })
}

fn model_names(reader: &mut Reader<'_>, name: &'static str) -> Model {
    let Some(text) = reader.text(name) else { return Model::default() };
    Model::with_names(&text).unwrap_or_else(|error| {
        // The place of the mistake is part of the value.
        let expected = reader.shown(&error.to_string());
        reader.refuse(name, &text, expected);
        Model::default()
    })
}

#[cfg(test)]
mod tests;
