//! How the service is set up, read from names of an environment.
//!
//! A flag or a number that cannot be read counts as not given: a service that guards gifts starts all the same, and
//! `/ready` says what it is missing.

use crate::receipt;

/// Every name that is read, the service's own port apart
pub const NAMES: &[&str] = &[
    "TWENTY_API_BASE_URL",
    "TWENTY_REST_BASE_URL",
    "TWENTY_API_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_KEY",
    "GOCARDLESS_WEBHOOK_SECRET",
    "GOCARDLESS_ACCESS_TOKEN",
    "GOCARDLESS_API_URL",
    "FUNDRAISING_ENABLE_GIFT_STAGING",
    "FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT",
    "FUNDRAISING_STAGING_BYPASS_SOURCES",
    "FUNDRAISING_GIFT_AID",
    "FUNDRAISING_RECEIPT_POLICY_ONE_OFF",
    "FUNDRAISING_RECEIPT_POLICY_RECURRING",
    "FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR",
    "FUNDRAISING_REQUESTS_PER_MINUTE",
    "FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE",
    "FUNDRAISING_CACHE_SECONDS",
    "FUNDRAISING_MAX_CONNECTIONS",
    "FUNDRAISING_MAX_REQUESTS",
    "FUNDRAISING_MAX_BODY_BYTES",
    "FUNDRAISING_MAX_RESPONSE_BYTES",
    "FUNDRAISING_METRICS_TOKEN",
    "FUNDRAISING_MODEL",
];

/// Where Twenty's REST API is if nothing says so
const BASE_URL: &str = "http://server:3000/rest";
/// Where `GoCardless` is if nothing says so
const GOCARDLESS_URL: &str = "https://api.gocardless.com";
/// Requests a minute: Twenty's limit of 100 with a fifth left for everybody else
const REQUESTS_PER_MINUTE: u32 = 80;
/// Requests a minute that all unproven tokens share
const DEFAULT_UNPROVEN_REQUESTS_PER_MINUTE: u32 = 10;
/// Connections that the server holds at a time
const DEFAULT_MAX_CONNECTIONS: u32 = 1_024;
/// Requests that the server works on at a time
const DEFAULT_MAX_REQUESTS: u32 = 256;
/// Bytes of all request bodies in flight
const DEFAULT_MAX_BODY_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of one reply from Twenty or a payment provider
const DEFAULT_MAX_RESPONSE_BYTES: u64 = 32 * 1024 * 1024;
/// Seconds for which a read may be answered from memory: a page that polls costs little, and nobody sees much that is old
const CACHE_SECONDS: u32 = 3;

/// How the service is set up
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
    /// Requests a minute to Twenty; nothing for no limit
    pub requests_per_minute: Option<u32>,
    /// Requests a minute to Twenty that all callers with an unproven token share; counts only beside a limit of requests
    pub unproven_requests_per_minute: u32,
    /// How long a read may be answered from memory, in seconds; 0 for never
    pub cache_seconds: u32,
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
    /// The workspace's own names for the model, as JSON text
    pub model: Option<String>,
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
    /// Reads `source` or `source:amount`, the amount in whole units of its currency; the name has no colon
    ///
    /// An amount that cannot be read lets nothing by: a limit was meant.
    fn read(text: &str) -> Option<Self> {
        let (source, limit) = match text.trim().split_once(':') {
            Some((source, limit)) => (source.trim(), Some(limit.trim().parse::<i64>().unwrap_or(0))),
            None => (text.trim(), None),
        };
        let at_most = limit.map(|limit| limit.saturating_mul(1_000_000));
        (!source.is_empty()).then(|| Self { source: source.to_ascii_lowercase(), at_most })
    }
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
        Self::read(|_| None)
    }
}

impl Settings {
    /// Reads them by name
    #[must_use]
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            let value = lookup(name)?.trim().to_owned();
            if value.is_empty() { None } else { Some(value) }
        };
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok()).filter(|number| *number > 0);
        let base = text("TWENTY_API_BASE_URL").or_else(|| text("TWENTY_REST_BASE_URL"));
        let sources = text("FUNDRAISING_STAGING_BYPASS_SOURCES").unwrap_or_default();
        Self {
            base_url: without_slash(base.as_deref().unwrap_or(BASE_URL)),
            api_key: text("TWENTY_API_KEY"),
            stripe_secret: text("STRIPE_WEBHOOK_SECRET"),
            gocardless_secret: text("GOCARDLESS_WEBHOOK_SECRET"),
            gocardless_token: text("GOCARDLESS_ACCESS_TOKEN"),
            gocardless_url: without_slash(text("GOCARDLESS_API_URL").as_deref().unwrap_or(GOCARDLESS_URL)),
            staging: flag(text("FUNDRAISING_ENABLE_GIFT_STAGING").as_deref()).unwrap_or(false),
            auto_process: flag(text("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT").as_deref()).unwrap_or(false),
            bypass_sources: twenty::gather::gather(sources.split(',').filter_map(Bypass::read)),
            receipts: receipt::Settings::read(
                text("FUNDRAISING_RECEIPT_POLICY_ONE_OFF").as_deref(),
                text("FUNDRAISING_RECEIPT_POLICY_RECURRING").as_deref(),
                text("FUNDRAISING_RECEIPT_AUTO_SEND_THRESHOLD_MINOR").as_deref(),
            ),
            gift_aid: flag(text("FUNDRAISING_GIFT_AID").as_deref()).unwrap_or(false),
            requests_per_minute: match text("FUNDRAISING_REQUESTS_PER_MINUTE") {
                Some(off) if off.eq_ignore_ascii_case("off") => None,
                rate => rate.and_then(|rate| rate.parse().ok()).filter(|rate| *rate > 0).or(Some(REQUESTS_PER_MINUTE)),
            },
            unproven_requests_per_minute: number("FUNDRAISING_UNPROVEN_REQUESTS_PER_MINUTE")
                .and_then(|rate| u32::try_from(rate).ok())
                .unwrap_or(DEFAULT_UNPROVEN_REQUESTS_PER_MINUTE),
            max_connections: number("FUNDRAISING_MAX_CONNECTIONS")
                .and_then(|most| u32::try_from(most).ok())
                .unwrap_or(DEFAULT_MAX_CONNECTIONS),
            max_requests: number("FUNDRAISING_MAX_REQUESTS")
                .and_then(|most| u32::try_from(most).ok())
                .unwrap_or(DEFAULT_MAX_REQUESTS),
            max_body_bytes: number("FUNDRAISING_MAX_BODY_BYTES").unwrap_or(DEFAULT_MAX_BODY_BYTES),
            max_response_bytes: number("FUNDRAISING_MAX_RESPONSE_BYTES").unwrap_or(DEFAULT_MAX_RESPONSE_BYTES),
            metrics_token: text("FUNDRAISING_METRICS_TOKEN"),
            cache_seconds: text("FUNDRAISING_CACHE_SECONDS")
                .and_then(|seconds| seconds.parse().ok())
                .unwrap_or(CACHE_SECONDS),
            model: text("FUNDRAISING_MODEL"),
        }
    }
}

fn without_slash(url: &str) -> String {
    url.strip_suffix('/').unwrap_or(url).to_owned()
}

/// A word for yes or no; nothing for any other
pub(crate) fn flag(text: Option<&str>) -> Option<bool> {
    match text?.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Settings {
        Settings::read(|name| {
            assert!(NAMES.contains(&name), "{name} is not in the list");
            pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let settings = read(&[]);
        assert_eq!(settings.base_url, "http://server:3000/rest");
        assert_eq!((settings.staging, settings.auto_process, settings.api_key.is_none()), (false, false, true));
        assert_eq!((settings.requests_per_minute, settings.cache_seconds), (Some(80), 3));
    }

    #[test]
    fn flags_and_numbers_are_read_generously() {
        let settings = read(&[
            ("TWENTY_REST_BASE_URL", "https://crm.example.org/rest/"),
            ("FUNDRAISING_ENABLE_GIFT_STAGING", " Yes "),
            ("FUNDRAISING_STAGING_AUTO_PROCESS_DEFAULT", "maybe"),
            ("FUNDRAISING_REQUESTS_PER_MINUTE", "OFF"),
            ("FUNDRAISING_CACHE_SECONDS", "5"),
            ("FUNDRAISING_STAGING_BYPASS_SOURCES", "Manual_UI, stripe_webhook: 500 , csv:lots,:5,"),
        ]);
        assert_eq!(settings.base_url, "https://crm.example.org/rest");
        assert_eq!((settings.staging, settings.auto_process), (true, false));
        assert_eq!((settings.requests_per_minute, settings.cache_seconds), (None, 5));
        let bypass = |source: &str, at_most| Bypass { source: source.into(), at_most };
        assert_eq!(
            settings.bypass_sources,
            [bypass("manual_ui", None), bypass("stripe_webhook", Some(500_000_000)), bypass("csv", Some(0))]
        );
        assert_eq!(read(&[("FUNDRAISING_REQUESTS_PER_MINUTE", "0")]).requests_per_minute, Some(80));
    }

    #[test]
    fn secrets_are_never_printed() {
        let settings = read(&[("TWENTY_API_KEY", "key-1"), ("STRIPE_WEBHOOK_SECRET", "whsec-1")]);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("key-1") && !shown.contains("whsec-1"), "{shown}");
    }
}
